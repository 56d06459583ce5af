"""Goldens are copied measurements: what they are compared by must not drift."""

from __future__ import annotations

import hashlib
import re

from tests.support.goldens import GOLDENS


def test_every_golden_file_is_the_one_that_was_measured() -> None:
    listed = dict(
        re.findall(
            r"^\| (\S+) \| `([0-9a-f]{64})` \|$", (GOLDENS / "README.md").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    files = [path for path in GOLDENS.rglob("*") if path.is_file() and path.name != "README.md"]
    found = {path.relative_to(GOLDENS).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert found == listed
