"""What a run keeps: by name, by budget, and that what it does not keep it replays to the same rows."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from qwenvl.errors import PromptError
from qwenvl.recorded.kept_layers import kept_layers
from tests.support.tiny import TINY, one_picture, tiny

SIZES = {("vision", layer): 100 for layer in range(6)} | {("adapter", 0): 50}
SIZES |= {("language", layer): 10 for layer in range(9)}
LANGUAGE = [("language", layer) for layer in range(9)]
VISION = [("vision", layer) for layer in range(6)]


@pytest.mark.parametrize(
    ("keep", "max_bytes", "expected"),
    [
        ("all", 10_000, [("adapter", 0), *LANGUAGE, *VISION]),
        ("all", 50 + 90 + 250, [("adapter", 0), *LANGUAGE, *VISION[:2]]),
        ("all", 75, [("adapter", 0), *LANGUAGE[:2]]),
        ("language", 10_000, [("adapter", 0), *LANGUAGE]),
        ("fewer", 10_000, [("adapter", 0), *LANGUAGE[::4], *VISION[::4]]),
        ("nothing", 10_000, []),
        (150, 10_000, [("adapter", 0), *LANGUAGE]),
        (150, 60, [("adapter", 0), LANGUAGE[0]]),
        (0, 10_000, []),
    ],
)
def test_layers_are_chosen_by_name_and_within_the_budget(keep: Any, max_bytes: int, expected: Any) -> None:
    assert kept_layers(SIZES, keep, max_bytes) == expected


def test_a_layer_without_a_picture_is_left_out() -> None:
    assert kept_layers({**SIZES, ("vision", 0): 0, ("adapter", 0): 0}, "all", 10_000) == [*LANGUAGE, *VISION[1:]]


@pytest.mark.parametrize("keep", ["some", "", -1, True, 1.5, ["all"]])
def test_what_is_no_keep_is_refused_before_anything_is_read(keep: Any) -> None:
    with pytest.raises(PromptError, match="it must be one of all, language, fewer, nothing, or a number of bytes"):
        tiny("tiny-qwen2-vl").stream(one_picture(), keep=keep)


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("keep", ["language", "fewer", "nothing", "half its bytes"])
def test_what_is_not_kept_is_replayed_to_the_same_rows(name: str, keep: Any) -> None:
    whole = tiny(name).run(one_picture(), answer="the red one")
    if keep == "half its bytes":
        keep = sum(value.numel() * value.element_size() for value in whole.kept.values()) // 2
    asked = tiny(name).run(one_picture(), answer="the red one", keep=keep)
    streamed = tiny(name).stream(one_picture(), max_new_tokens=1, keep=keep).run
    assert set(asked.kept) < set(whole.kept)
    assert set(streamed.kept) == set(asked.kept) or isinstance(keep, int)
    assert asked.nbytes < whole.nbytes
    if isinstance(keep, int):
        assert 0 < sum(value.numel() * value.element_size() for value in asked.kept.values()) <= keep
    for site in whole.sites:
        for layer in range(whole.num_layers(site)):
            rows = [run.attention(site, layer=layer, query=3) for run in (whole, asked)]
            assert torch.equal(*rows)
    assert torch.equal(whole.shares(whole.answer_start), asked.shares(asked.answer_start))
