"""Values that anybody may have posted: each is what it must be, or one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from app.asking import posted
from qwenvl.errors import RunError


@pytest.mark.parametrize("value", [-1, 8, 10**400, 0.5, "3", True, [], float("nan")])
def test_a_whole_number_within_limits(value: Any) -> None:
    with pytest.raises(RunError, match=r"^layer must be a whole number from 0 to 7: choose another\.$"):
        posted.optional_whole({"layer": value}, "layer", 0, 7)
    assert posted.optional_whole({"layer": None}, "layer", 0, 7) is None
    assert posted.optional_whole({"layer": 7}, "layer", 0, 7) == 7


@pytest.mark.parametrize("value", [0, -1, 10**400, float("inf"), float("nan"), "2", True, {}])
def test_a_number_within_limits(value: Any) -> None:
    with pytest.raises(RunError, match=r"^fps must be a number from 1e-06 to 100: choose another\.$"):
        posted.optional_number({"fps": value}, "fps", 1e-6, 100)
    assert posted.optional_number({}, "fps", 1e-6, 100) is None
    assert posted.optional_number({"fps": 100}, "fps", 1e-6, 100) == 100


def test_a_text_is_no_longer_than_allowed() -> None:
    assert posted.text({"text": "abc"}, "text", 3) == "abc"
    assert posted.text({}, "text", 3) == ""
    with pytest.raises(RunError, match="text has 4 characters and 3 is the most"):
        posted.text({"text": "abcd"}, "text", 3)
    with pytest.raises(RunError, match="text must be text"):
        posted.text({"text": None}, "text", 3)
