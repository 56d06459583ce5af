"""Numbers read alike in the figures and in the library's own sentences."""

from __future__ import annotations

import pytest

from qwenvl.plan import units
from viz import words


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0.0 %"),
        (0.00004, "under 0.01 %"),
        (0.0123, "1.23 %"),
        (0.5, "50.0 %"),
        (0.9996, "99.96 %"),
        (0.99996, "over 99.99 %"),
        (1.0, "100.0 %"),
    ],
)
def test_a_share_is_never_nothing_or_all_for_what_is_neither(share: float, said: str) -> None:
    assert words.percent(share) == said


def test_figures_and_library_write_a_share_alike() -> None:
    """Neither may import the other, so each has the rule; this holds them to one."""
    shares = [step / 20_000 for step in range(20_001)] + [1e-9, 1 - 1e-9, 1.25]
    assert [words.percent(share) for share in shares] == [units.percent(share) for share in shares]


def test_things_are_counted_in_their_number() -> None:
    said = [words.counted(1, "token"), words.counted(1024, "patch"), words.counted(2, "query"), words.counted(0, "row")]
    assert said == ["1 token", "1,024 patches", "2 queries", "0 rows"]
