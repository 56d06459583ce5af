"""Lays out a sheet for print: places in inches from its top left, and a caption that wraps beneath.

Text is laid out by the metrics of Matplotlib's own font, which comes with it: the same figure on every machine. What a
model or a visitor said may hold "$" and any script: it is never read as mathematics, and other fonts of the machine
are asked for what the first one lacks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from viz.drawing import Drawing
from viz.theme import Theme, theme

WIDTH = 7.2  # inches: the two columns of a paper
SMALL, BODY = 7.0, 8.0  # points
LEADING = 1.32
MARGIN = 0.1
GAP = 0.22  # between two columns
COLUMN = (WIDTH - 2 * MARGIN - GAP) / 2
# Fonts that hold what Matplotlib's own lacks, of which those are used that this machine has.
OTHER_SCRIPTS = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "PingFang SC",
    "Microsoft YaHei",
    "SimHei",
    "Arial Unicode MS",
)

HARD_SPACE = "\u00a0"
_UNBROKEN = re.compile(" (?=[×%])|(?<=×) ")


@lru_cache(maxsize=1)
def families() -> tuple[str, ...]:
    """Names of the fonts to set text in, the one that comes with Matplotlib first."""
    known = set(font_manager.get_font_names())
    return ("DejaVu Sans", *(name for name in OTHER_SCRIPTS if name in known))


def font(size: float, *, bold: bool = False) -> FontProperties:
    """The font of all figures at a size in points."""
    return FontProperties(family=list(families()), size=size, weight="bold" if bold else "normal")


def width_of(words: str, size: float, *, bold: bool = False) -> float:
    """Width of a line of text in inches."""
    if not words:
        return 0.0
    return text_to_path.get_text_width_height_descent(words, font(size, bold=bold), ismath=False)[0] / 72


def wrapped(words: str, width: float, size: float) -> list[str]:
    """Lines that are no wider than `width` inches, broken at spaces, but never around × or before %."""
    lines, line = [], ""
    for word in _UNBROKEN.sub(HARD_SPACE, " ".join(words.split())).split(" "):
        longer = f"{line} {word}" if line else word
        if width_of(longer, size) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        *full, line = _pieces(word, width, size)
        lines.extend(full)
    return [each.replace(HARD_SPACE, " ") for each in (*lines, line) if each]


def _pieces(word: str, width: float, size: float) -> list[str]:
    pieces = [""]
    for letter in word:
        if pieces[-1] and width_of(pieces[-1] + letter, size) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def cut(words: str, width: float, size: float, *, bold: bool = False) -> str:
    """The text in one line of at most `width` inches, ended by "…" where it had to be cut."""
    words = " ".join(words.split())
    if width_of(words, size, bold=bold) <= width:
        return words
    while words and width_of(words + "…", size, bold=bold) > width:
        words = words[:-1]
    return words + "…"


def left_of(number: int) -> float:
    """Where a column begins, in inches: 0 for the first."""
    return MARGIN + number * (COLUMN + GAP)


@dataclass(frozen=True)
class Paper:
    """A figure and its height in inches; everything is placed from the top left."""

    figure: Figure
    height: float
    colours: Theme

    @property
    def width(self) -> float:
        return float(self.figure.get_size_inches()[0])

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes of this box in inches, without a frame."""
        box = (left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height)
        axes = self.figure.add_axes(box, facecolor=self.colours.surface)
        axes.tick_params(labelcolor=self.colours.subdued, color=self.colours.kind_text, length=2.5, width=0.6)
        axes.tick_params(labelsize=SMALL, labelfontfamily=families()[0])
        for spine in axes.spines.values():
            spine.set(color=self.colours.kind_text, linewidth=0.6)
        return axes

    def text(
        self,
        left: float,
        top: float,
        words: str,
        *,
        size: float = BODY,
        bold: bool = False,
        colour: str = "",
        **more: Any,
    ) -> Text:
        """One line of text whose top left stands here, never read as mathematics."""
        placed = {"va": "top", "ha": "left", **more}
        text = self.figure.text(
            left / self.width, 1 - top / self.height, words, color=colour or self.colours.text, **placed
        )
        text.set_fontproperties(font(size, bold=bold))
        text.set_parse_math(False)
        return text

    def lines(self, left: float, top: float, lines: Sequence[str], *, size: float = BODY, colour: str = "") -> float:
        """Lines one below the other; returns where the next one would begin."""
        for line in lines:
            self.text(left, top, line, size=size, colour=colour)
            top += size * LEADING / 72
        return top


def paper(height: float, *, caption: str = "", width: float = WIDTH, dark: bool = False) -> Paper:
    """A sheet with room of `height` inches, and its caption beneath.

    Args:
        height: of what is drawn, in inches; the caption's lines come on top of it.
        caption: what exactly is plotted; wrapped to the width.
        width: of the sheet in inches.
        dark: for a dark page.
    """
    lines = wrapped(caption, width - 2 * MARGIN, BODY)
    whole = height + (len(lines) * BODY * LEADING / 72 + 0.16 if lines else 0.0)
    colours = theme(dark)
    sheet = Paper(Drawing(figsize=(width, whole), facecolor=colours.surface), whole, colours)
    sheet.lines(MARGIN, height + 0.06, lines, colour=colours.text)
    return sheet
