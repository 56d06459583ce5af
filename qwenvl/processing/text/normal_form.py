"""Brings text to the form in which both families' tokenizers read it."""

from __future__ import annotations

import unicodedata


def normalise(text: str) -> str:
    """NFC, with halves of surrogate pairs, which no encoding of text can hold, replaced by U+FFFD."""
    return unicodedata.normalize("NFC", text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
