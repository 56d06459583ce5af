"""A figure is saved in the formats for print alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import viz

PICTURE = np.tile(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], (40, 1, 3))
VALUES = np.random.default_rng(0).dirichlet(np.ones(12)).reshape(3, 4)


def test_other_formats_are_refused(tmp_path: object) -> None:
    figure = viz.attention_side_by_side([VALUES], picture=PICTURE)
    with pytest.raises(ValueError, match="svg, pdf or png"):
        viz.save(figure, path=f"{tmp_path}/figure.docx")


def test_figures_of_either_kind_are_written_as_html(tmp_path: Path) -> None:
    printed, turned = tmp_path / "printed.html", tmp_path / "turned.HTML"
    viz.save(viz.attention_side_by_side([VALUES], picture=PICTURE), path=printed)
    assert printed.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "<svg" in printed.read_text(encoding="utf-8")
    figure = viz.positions_3d(np.arange(12).reshape(3, 4))
    viz.save(figure, path=turned)
    page = turned.read_text(encoding="utf-8")
    assert "Plotly.newPlot" in page
    assert 'src="http' not in page
    with pytest.raises(ValueError, match="a Plotly figure is written as html, not 'svg'"):
        viz.save(figure, path=tmp_path / "turned.svg")
