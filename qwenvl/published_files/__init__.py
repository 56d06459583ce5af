"""Checks the files of a checkpoint key by key: each is used, known to change nothing, or refused by name.

Knows the keys and what their values must be; no model, no tensor. The tables are the whole of what is understood: what
stands in none of them is told of, never passed over in silence.
"""
