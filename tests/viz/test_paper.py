"""Captions wrap inside their width, and nothing in them is read as mathematics."""

from __future__ import annotations

import re

import numpy as np

import viz
from viz.paper import SMALL, cut, width_of, wrapped

PICTURE = np.tile(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], (40, 1, 3))
VALUES = np.random.default_rng(0).dirichlet(np.ones(12)).reshape(3, 4)


def test_captions_wrap_inside_their_width_and_lose_nothing() -> None:
    words = "Attention of $x_1$ on 16 × 16 patches, 99.9 % of the row; 今天天气很好，" * 6
    lines = wrapped(words, 2.0, SMALL)
    assert max(width_of(line, SMALL) for line in lines) <= 2.0
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", words)
    assert not any(line.startswith(("×", "%")) or line.endswith("×") for line in lines)
    assert width_of(cut(words, 1.0, SMALL), SMALL) <= 1.0
    assert cut("short", 1.0, SMALL) == "short"


def test_dollars_are_no_mathematics() -> None:
    figure = viz.attention_side_by_side([VALUES], picture=PICTURE, titles=["it costs $5 and $x^2$"])
    assert b"it costs $5 and $x^2$" in viz.rendered(figure, format="svg")
