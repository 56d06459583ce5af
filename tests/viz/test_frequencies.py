"""Bars of frequencies are the wavelengths they were given, in the colour of the id that each reads."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.colors import to_hex

import viz
from viz.theme import LIGHT

WAVELENGTHS = 2 * np.pi * 1e6 ** (np.arange(8) / 8)


def test_printed_bars() -> None:
    figure = viz.frequency_bars(WAVELENGTHS, sections=(2, 3, 3), largest=40)
    (plot,) = figure.axes
    assert [bar.get_height() for bar in plot.patches] == pytest.approx(WAVELENGTHS.tolist())
    colours = [to_hex(bar.get_facecolor()) for bar in plot.patches]
    assert colours == [LIGHT.axis_t] * 2 + [LIGHT.axis_h] * 3 + [LIGHT.axis_w] * 3
    assert plot.get_yscale() == "log"
    assert plot.get_xlabel() == "8 channel pairs: t 2, h 3, w 3"
    assert plot.texts[0].get_text() == "largest id 40"
    figure.savefig(io.BytesIO(), format="svg")


def test_interactive_bars_are_a_trace_an_id() -> None:
    figure = viz.frequency_bars_interactive(WAVELENGTHS, sections=(2, 3, 3))
    assert [trace.name for trace in figure.data] == ["t", "h", "w"]
    np.testing.assert_allclose(np.concatenate([trace.y for trace in figure.data]), WAVELENGTHS)
    (one,) = viz.frequency_bars_interactive(WAVELENGTHS).data
    assert list(one.x) == list(range(8))


@pytest.mark.parametrize("draw", [viz.frequency_bars, viz.frequency_bars_interactive])
def test_sections_that_do_not_add_up_are_refused(draw: object) -> None:
    with pytest.raises(ValueError, match="do not deal out 8 pairs"):
        draw(WAVELENGTHS, sections=(2, 3, 4))  # type: ignore[operator]
    with pytest.raises(ValueError, match="above 0"):
        draw([0.0, 1.0])  # type: ignore[operator]
