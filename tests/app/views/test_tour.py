"""What the tour asks of the server."""

from __future__ import annotations

import pytest

from app.views.tour import tour_cost
from qwenvl.errors import UserError


def _no_run(_: object) -> None:
    raise AssertionError("the tour's cost needs no run")


def test_the_cost_of_a_size_is_the_papers_arithmetic() -> None:
    told = tour_cost(_no_run, {"width": 224, "height": 224})  # type: ignore[arg-type]
    assert told["models"]["Qwen2-VL-7B"]["tokens"] == 64  # section 2.1 of the paper: 66 with its two marks
    assert told["models"]["Qwen-VL-Chat"]["tokens"] == 256
    assert tour_cost(_no_run, {"width": 1280, "height": 720})["models"]["Qwen2-VL-7B"]["resized"] == [1288, 728]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "size", [{}, {"width": 0, "height": 5}, {"width": 9e9, "height": 5}, {"width": True, "height": 2}]
)
def test_a_size_that_is_none_is_one_sentence(size: dict[str, object]) -> None:
    with pytest.raises(UserError, match="whole number"):
        tour_cost(_no_run, size)  # type: ignore[arg-type]
