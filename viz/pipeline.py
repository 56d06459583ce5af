"""Draws the steps from file to answer of one or two models: columns for print, bars of time for the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from viz.paper import BODY, MARGIN, SMALL, WIDTH, Paper, cut, paper
from viz.theme import bare_layout, theme

HEAD, STEP, BOX = 0.30, 0.60, 0.52  # inches: titles, a step, its box
MIDDLE = 1.0  # between two columns
NUMBERS = 0.95  # of a box, for its numbers
TINY = 6.0


def pipeline_columns(
    columns: Sequence[Sequence[Mapping[str, Any]]],
    *,
    steps: Sequence[str],
    titles: Sequence[str] = (),
    marks: Sequence[str] = (),
    caption: str = "",
    dark: bool = False,
) -> Figure:
    """Each model's steps from file to answer, step beside step: for print.

    Args:
        columns: of each model its steps in order, each with "title", "words" (phrases), "shape" (numbers), "parameters"
            and "seconds" (None where there are none).
        steps: what the rows are called.
        titles: of each column: the model.
        marks: what the second model did to each step of the first ("kept", "replaced", "new"); nothing when empty.
        caption: what exactly is shown.
        dark: for a dark page.

    Raises:
        ValueError: no column or more than two, or not as many rows as steps.
    """
    if not 1 <= len(columns) <= 2 or any(len(column) != len(steps) for column in columns):
        raise ValueError(f"give one column or two of {len(steps)} steps, not {[len(column) for column in columns]}")
    sheet = paper(HEAD + STEP * len(steps), caption=caption, dark=dark)
    width = (WIDTH - 2 * MARGIN - MIDDLE) / 2
    for number, column in enumerate(columns):
        left = MARGIN + number * (width + MIDDLE)
        sheet.text(left, 0.06, cut([*titles, "", ""][number], width, BODY, bold=True), bold=True)
        for index, step in enumerate(column):
            _box(sheet, left, HEAD + STEP * index, width, step)
    for index, name in enumerate(steps):
        centre, top = MARGIN + width + MIDDLE / 2, HEAD + STEP * index
        sheet.text(centre, top + 0.12, name, size=SMALL, ha="center")
        if marks:
            sheet.text(centre, top + 0.26, marks[index], size=SMALL, ha="center", colour=sheet.colours.subdued)
    return sheet.figure


def _box(sheet: Paper, left: float, top: float, width: float, step: Mapping[str, Any]) -> None:
    frame = Rectangle(
        (left / sheet.width, 1 - (top + BOX) / sheet.height),
        width / sheet.width,
        BOX / sheet.height,
        transform=sheet.figure.transFigure,
        facecolor=sheet.colours.well,
        edgecolor=sheet.colours.line,
        linewidth=0.6,
    )
    sheet.figure.add_artist(frame)
    room, subdued = width - NUMBERS - 0.12, sheet.colours.subdued
    sheet.text(left + 0.06, top + 0.06, cut(step["title"], room, SMALL, bold=True), size=SMALL, bold=True)
    for line, words in enumerate(step["words"][:2]):
        sheet.text(left + 0.06, top + 0.22 + 0.13 * line, cut(words, room, TINY), size=TINY, colour=subdued)
    for line, words in enumerate(_numbers(step)):
        place: dict[str, Any] = {"ha": "right", "colour": sheet.colours.text if line == 0 else subdued}
        sheet.text(left + width - 0.06, top + 0.06 + 0.14 * line, words, size=TINY, **place)


def _numbers(step: Mapping[str, Any]) -> list[str]:
    """What leaves the step, how long it took, what it has learned."""
    found = [" × ".join(f"{side:,}" for side in step["shape"])] if step["shape"] else []
    if step["seconds"] is not None:
        found.append(f"{1000 * step['seconds']:.1f} ms")
    if step["parameters"]:
        found.append(f"{step['parameters']:,} parameters")
    return found


def time_bars(
    seconds: Mapping[str, Mapping[str, float]], *, names: Mapping[str, str], title: str = "", dark: bool = False
) -> go.Figure:
    """Where the time of each model went, one stacked bar a model on one scale: for the screen.

    Args:
        seconds: by the model's name, seconds by part.
        names: what each part is called, in the order they passed.
        title: of the figure.
        dark: for a dark page.
    """
    colours = theme(dark)
    shades = [colours.kind_text, colours.kind_image, colours.axis_h, colours.subdued, colours.line, colours.kind_answer]
    models = list(seconds)
    figure = go.Figure()
    for index, (part, name) in enumerate(names.items()):
        figure.add_bar(
            y=models,
            x=[1000 * seconds[model].get(part, 0.0) for model in models],
            name=name,
            orientation="h",
            marker={"color": shades[index % len(shades)]},
            hovertemplate=f"{name}<br>%{{x:.1f}} ms<extra></extra>",
        )
    legend = {"orientation": "h", "traceorder": "normal"}
    figure.update_layout(bare_layout(title, dark=dark, top=8), barmode="stack", legend=legend)
    figure.update_xaxes(title="ms", gridcolor=colours.line)
    figure.update_yaxes(autorange="reversed")
    return figure
