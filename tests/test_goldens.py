"""The goldens are what was measured: no byte of them has changed."""

from __future__ import annotations

import hashlib
from pathlib import Path

GOLDENS = Path(__file__).parent / "goldens"


def test_every_golden_is_as_it_was_measured() -> None:
    lines = (GOLDENS / "SHA256SUMS").read_text().splitlines()
    expected = {name.removeprefix("./"): digest for digest, name in (line.split() for line in lines)}
    files = [path for family in ("qwen-vl", "qwen2-vl") for path in (GOLDENS / family).rglob("*") if path.is_file()]
    found = {str(path.relative_to(GOLDENS)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert found == expected
    assert len(found) == 34
