"""The tiny twins: the synthetic world they see, their tokenizers, and the checkpoints that ship with the project.

`python -m qwenvl.tiny` writes them. Nothing outside this folder imports it: to the rest of the library, a tiny
checkpoint is a folder in the published layout like any other.
"""
