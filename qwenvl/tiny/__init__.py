"""Trains and writes the tiny twins: their synthetic world, their tokenizers, and the shipped checkpoints.

`python -m qwenvl.tiny` writes them. Nothing outside this folder imports it: to the rest of the library, a tiny
checkpoint is a folder in the published layout like any other.
"""
