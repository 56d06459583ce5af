"""Draws position ids of several prompts on one token axis, for print."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from viz.paper import BODY, MARGIN, SMALL, WIDTH, Paper, cut, font, paper, width_of
from viz.positions import three_rows
from viz.theme import Theme

LEFT = 0.55  # inches left of the axes, for the ids
LANE, RIBBON, HEAD = 1.05, 0.09, 0.28
ROW = HEAD + RIBBON + 0.04 + LANE + 0.16
KINDS = ("text", "image", "video", "answer")


def positions_side_by_side(
    positions: Sequence[ArrayLike],
    *,
    kinds: Sequence[Sequence[str]],
    titles: Sequence[str] = (),
    marked: Sequence[int | None] = (),
    caption: str = "",
    dark: bool = False,
) -> Figure:
    """The ids of each prompt and answer, one above the other on one token axis, under a ribbon of what each token is.

    One line where all three ids are equal throughout, else one each for t (solid), h (dashed) and w (dotted).

    Args:
        positions: ids of each model, (3, tokens) in the order t, h, w, or (tokens,).
        kinds: of each token: "text", "image", "video" or "answer"; another name counts as text.
        titles: of each lane: the model, its largest id.
        marked: a token of each to mark, or None.
        caption: what exactly is plotted.
        dark: for a dark page.

    Raises:
        ValueError: ids of another shape, or not as many kinds as tokens.
    """
    ids = [three_rows(rows) for rows in positions]
    for rows, names in zip(ids, kinds, strict=True):
        if len(names) != rows.shape[1]:
            raise ValueError(f"{len(names)} kinds for {rows.shape[1]} tokens: give one each")
    most = max(rows.shape[1] for rows in ids)
    sheet = paper(0.06 + ROW * len(ids) + 0.50, caption=caption, dark=dark)
    for number, (rows, names) in enumerate(zip(ids, kinds, strict=True)):
        top = 0.06 + number * ROW
        sheet.text(MARGIN, top + 0.05, cut(titles[number] if titles else "", WIDTH - 0.3, BODY, bold=True), bold=True)
        _ribbon(_lane(sheet, top + HEAD, RIBBON, most), names, sheet.colours)
        axes = _lane(sheet, top + HEAD + RIBBON + 0.04, LANE, most)
        _ids(axes, rows, sheet.colours)
        if marked and (token := marked[number]) is not None:
            axes.axvline(token + 0.5, color=sheet.colours.query, linewidth=1.2)
        if number < len(ids) - 1:
            axes.set_xticklabels([])
    sheet.text(LEFT, 0.06 + ROW * len(ids) + 0.10, "token of prompt and answer", size=SMALL)
    _legend(sheet, 0.06 + ROW * len(ids) + 0.32, {name for names in kinds for name in names}, ids)
    return sheet.figure


def _lane(sheet: Paper, top: float, height: float, tokens: int) -> Axes:
    axes = sheet.axes(LEFT, top, WIDTH - LEFT - MARGIN, height)
    axes.set_xlim(0, tokens)
    return axes


def _ribbon(axes: Axes, kinds: Sequence[str], colours: Theme) -> None:
    """What each token is, as bars of one colour over each stretch of one kind."""
    of = _kind_colours(colours)
    known = [kind if kind in of else "text" for kind in kinds]
    changes = [0, *(at for at in range(1, len(known)) if known[at] != known[at - 1]), len(known)]
    for start, stop in pairwise(changes):
        axes.axvspan(start, stop, color=of[known[start]], linewidth=0)
    axes.set_axis_off()


def _ids(axes: Axes, rows: NDArray[np.int64], colours: Theme) -> None:
    edges = np.arange(rows.shape[1] + 1)
    for row, _, colour, dash in _lines(rows, colours):
        axes.stairs(row, edges, baseline=None, color=colour, linewidth=1.0, linestyle=dash)
    axes.set_ylim(0, max(1, int(rows.max())) * 1.06)
    axes.spines[["top", "right"]].set_visible(False)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True, min_n_ticks=2))


def _lines(rows: NDArray[np.int64], colours: Theme) -> list[tuple[NDArray[np.int64], str, str, object]]:
    if (rows == rows[0]).all():
        return [(rows[0], "the one id", colours.kind_answer, "solid")]
    of = (colours.axis_t, colours.axis_h, colours.axis_w)
    names = ("t time", "h row", "w column")
    return list(zip(rows, names, of, ("solid", (0, (4, 1.5)), (0, (1, 1))), strict=True))


def _kind_colours(colours: Theme) -> dict[str, str]:
    of = (colours.kind_text, colours.kind_image, colours.kind_image, colours.kind_answer)
    return dict(zip(KINDS, of, strict=True))


def _legend(sheet: Paper, top: float, kinds: set[str], ids: Sequence[NDArray[np.int64]]) -> None:
    """Squares for the ribbon, strokes for the ids; every colour with its word."""
    axes = sheet.axes(LEFT, top, WIDTH - LEFT - MARGIN, 0.12)
    axes.set(xlim=(0, WIDTH - LEFT - MARGIN), ylim=(0, 0.12))
    axes.set_axis_off()
    present = {kind if kind in KINDS else "text" for kind in kinds}
    at = 0.0
    for kind, colour in _kind_colours(sheet.colours).items():
        if kind in present:
            axes.axvspan(at, at + 0.09, color=colour, linewidth=0)
            at = _word(sheet, axes, at + 0.14, kind)
    strokes = {name: (colour, dash) for rows in ids for _, name, colour, dash in _lines(rows, sheet.colours)}
    for name, (colour, dash) in strokes.items():
        axes.plot([at, at + 0.26], [0.06, 0.06], color=colour, linestyle=dash, linewidth=1.0)
        at = _word(sheet, axes, at + 0.31, name)


def _word(sheet: Paper, axes: Axes, at: float, word: str) -> float:
    axes.text(at, 0.05, word, va="center", fontproperties=font(SMALL), color=sheet.colours.subdued)
    return at + width_of(word, SMALL) + 0.2
