"""A figure is saved in the formats for print alone."""

from __future__ import annotations

import numpy as np
import pytest

import viz

PICTURE = np.tile(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], (40, 1, 3))
VALUES = np.random.default_rng(0).dirichlet(np.ones(12)).reshape(3, 4)


def test_other_formats_are_refused(tmp_path: object) -> None:
    figure = viz.attention_side_by_side([VALUES], picture=PICTURE)
    with pytest.raises(ValueError, match="svg, pdf or png"):
        viz.save(figure, path=f"{tmp_path}/figure.docx")
