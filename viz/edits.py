"""Draws what an intervention did to an answer: each word's probability as it was and under the edit, for print."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from viz.paper import BODY, MARGIN, SMALL, WIDTH, cut, paper
from viz.words import percent

HEAD, ROW, BAR, NAME, VALUE = 0.56, 0.34, 0.11, 1.1, 1.25  # inches
MOST = 40  # words of one figure


def words_under_edit(
    chances: ArrayLike,
    *,
    words: Sequence[str],
    names: Sequence[str] = ("as it was", "edited"),
    title: str = "",
    subtitle: str = "",
    caption: str = "",
    dark: bool = False,
) -> Figure:
    """Two bars for each word of an answer: its probability before an intervention, and under it.

    Args:
        chances: (2, words), each 0 to 1: before and after.
        words: of the answer.
        names: of the two.
        title: above the bars: the model.
        subtitle: what was changed.
        caption: what exactly is plotted.
        dark: for a dark page.

    Raises:
        ValueError: chances of other words, none, or more than fit a page.
    """
    values = np.asarray(chances, dtype=float)
    if values.shape != (2, len(words)) or not 1 <= len(words) <= MOST:
        raise ValueError(f"chances must be (2, words) for 1 to {MOST} words, not {values.shape} for {len(words)}")
    sheet = paper(HEAD + ROW * len(words) + 0.1, caption=caption, dark=dark)
    room = WIDTH - 2 * MARGIN
    sheet.text(MARGIN, 0.08, cut(title, room, BODY, bold=True), bold=True)
    sheet.text(MARGIN, 0.27, cut(subtitle, room, SMALL), size=SMALL, colour=sheet.colours.subdued)
    colours = (sheet.colours.kind_text, sheet.colours.text)
    for place, word in enumerate(words):
        top = HEAD + place * ROW
        sheet.text(MARGIN, top + 0.03, cut(" ".join(word.split()) or "␣", NAME - 0.05, BODY))
        axes = sheet.axes(MARGIN + NAME, top, room - NAME - VALUE, 2 * BAR)
        axes.barh([0, 1], [1, 1], height=0.9, color=sheet.colours.well)
        axes.barh([0, 1], values[:, place], height=0.9, color=colours)
        axes.set(xlim=(0, 1), ylim=(1.5, -0.5))
        axes.set_axis_off()
        for row, name in enumerate(names):
            told = f"{name} {percent(values[row, place])}"
            sheet.text(MARGIN + room - VALUE + 0.06, top - 0.02 + row * BAR, told, size=SMALL, colour=colours[row])
    return sheet.figure
