"""An index is a Python int afterwards, or one sentence says what is wrong with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from qwenvl.errors import RunError
from qwenvl.recorded.indices import check_index, check_indices


@pytest.mark.parametrize("value", [2, np.int64(2), torch.tensor(2)])
def test_every_kind_of_integer_is_an_index(value: Any) -> None:
    assert type(check_index(value, 3, "media")) is int
    assert check_index(value, 3, "media") == 2


@pytest.mark.parametrize(
    ("value", "count", "sentence"),
    [
        (3, 1, "Media 3 does not exist: this run has 1 (index 0)."),
        (-1, 3, "Media -1 does not exist: this run has 3 (indices 0 to 2)."),
        (np.int64(1024), 1024, "Media 1024 does not exist: this run has 1,024 (indices 0 to 1,023)."),
        (0, 0, "Media 0 does not exist: this run has 0."),
        (True, 2, "Media True is not an index: this run has 2 (indices 0 to 1)."),
        ("cat", 1, "Media 'cat' is not an index: this run has 1 (index 0)."),
        (1.0, 2, "Media 1.0 is not an index: this run has 2 (indices 0 to 1)."),
        (None, 2, "Media None is not an index: this run has 2 (indices 0 to 1)."),
    ],
)
def test_what_is_none_is_one_sentence(value: Any, count: int, sentence: str) -> None:
    with pytest.raises(RunError) as raised:
        check_index(value, count, "media")
    assert str(raised.value) == sentence


def test_the_sentence_says_whose_they_are_and_what_else_may_be_given() -> None:
    with pytest.raises(RunError) as raised:
        check_index(9, 4, "language head", owner="this model", otherwise="'mean'")
    assert str(raised.value) == "Language head 9 does not exist: this model has 4 (indices 0 to 3), or 'mean'."


def test_indices_come_once_and_in_order() -> None:
    assert check_indices([5, np.int64(2), torch.tensor(5), 0], 6, "patch") == (0, 2, 5)
    assert check_indices((), 6, "patch") == ()
    with pytest.raises(RunError, match="Patch 6 does not exist"):
        check_indices([0, 6], 6, "patch")
