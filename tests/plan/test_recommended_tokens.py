"""What the makers suggest, for pictures of Qwen2-VL alone."""

from __future__ import annotations

import pytest

import qwenvl
from qwenvl.plan.recommended_tokens import SUGGESTED


@pytest.mark.parametrize(
    ("side", "speed", "boxes"),
    [
        (15 * 28, "below", "below"),
        (16 * 28, "within", "below"),
        (32 * 28, "within", "within"),
        (36 * 28, "above", "within"),
        (45 * 28, "above", "within"),
        (46 * 28, "above", "above"),
    ],
)
def test_a_picture_is_below_within_or_above(side: int, speed: str, boxes: str) -> None:
    tokens = (side // 28) ** 2
    assert [one.place(tokens) for one in SUGGESTED] == [speed, boxes]
    (sentence,) = qwenvl.plan((side, side), "Qwen2-VL-2B").suggestions
    assert sentence == (
        f"picture 1 has {tokens:,} visual tokens, {speed} the 256 to 1,280 suggested for speed and memory, and {boxes} "
        "the 1,024 to 2,048 suggested for boxes and small print."
    )
    assert qwenvl.plan((side, side), "Qwen2-VL-2B").to_json()["suggestions"] == [sentence]


def test_nothing_is_suggested_where_no_range_is_known() -> None:
    assert qwenvl.plan((640, 480), "Qwen-VL-Chat").suggestions == ()
    assert qwenvl.plan((640, 480, 8), "Qwen2-VL-2B").suggestions == ()
    assert len(qwenvl.plan([(640, 480), (640, 480, 8), (64, 48)], "Qwen2-VL-2B").suggestions) == 2
