"""Which values count as integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from qwenvl.integers import as_integer


@pytest.mark.parametrize(
    "value", [30, np.int64(30), np.uint8(30), np.array(30), torch.tensor(30), torch.tensor(30).int()]
)
def test_integers_of_python_numpy_and_torch_count(value: Any) -> None:
    found = as_integer(value)
    assert found == 30
    assert type(found) is int


@pytest.mark.parametrize(
    "value",
    [
        *(True, np.bool_(True), np.array(True), torch.tensor(True)),
        *(3.0, float("nan"), np.float32(3), torch.tensor(3.0)),
        *("3", None, [3], np.array([3]), torch.tensor([3])),
    ],
)
def test_nothing_else_does(value: Any) -> None:
    assert as_integer(value) is None
