"""Shares and bytes in words, and bytes read from words."""

from __future__ import annotations

import pytest

from qwenvl.plan.units import in_bytes, percent, read_bytes


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0155, "1.55 %"),
        (0.02, "2.0 %"),
        (0.3224, "32.2 %"),
        (1.5, "150.0 %"),
        (0.99999, "over 99.99 %"),
        (0.0, "0.0 %"),
    ],
)
def test_shares_in_words(share: float, words: str) -> None:
    assert percent(share) == words


@pytest.mark.parametrize(
    ("count", "words"), [(512, "0.5 KiB"), (3 << 19, "1.50 MiB"), (5 << 30, "5.00 GiB"), (2000 << 30, "2,000.00 GiB")]
)
def test_bytes_in_words(count: int, words: str) -> None:
    assert read_bytes(words.replace(",", "")) == count  # these are whole hundredths
    assert in_bytes(count) == words


@pytest.mark.parametrize(
    ("count", "words"), [(1600, "2 KiB"), (3 << 19, "2 MiB"), (5 << 29, "2.5 GiB"), (2000 << 30, "2,000.0 GiB")]
)
def test_bytes_in_words_rounded(count: int, words: str) -> None:
    assert in_bytes(count, rounded=True) == words
