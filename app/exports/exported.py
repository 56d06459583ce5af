"""Defines what an export of a view consists of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.asking.finished import Finished
from app.asking.posted import Posted, named
from app.asking.selection import Selection, Site

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Exported:
    """One view, ready for a paper.

    Attributes:
        figure: of `viz`, for SVG and PDF, with the caption in it.
        caption: what exactly is plotted: model, row, layer, head, normalisation, share; true without the page.
        arrays: the plotted numbers by name, unrounded; names that Python takes.
        facts: what the numbers belong to, for JSON: indices, axes, units.
        lines: Python that makes the figure from run files and the library alone (`code`). It leaves every array under
            its name, and the figure as `figure`.
    """

    figure: Figure
    caption: str
    arrays: Mapping[str, np.ndarray]
    facts: Mapping[str, Any] = field(default_factory=dict)
    lines: str = ""


# What is on the page: finished runs by letter, and what the page posted of each column, its choices resolved.
Export = Callable[[Mapping[str, Finished], Mapping[str, Posted]], Exported]


def selections(runs: Mapping[str, Finished], posted: Mapping[str, Posted], site: Site = "language") -> list[Selection]:
    """What is chosen of each run, A before B. Raises `RunError` for an index outside a run."""
    return [Selection.of(run, named(posted, letter), site=site, letter=letter) for letter, run in runs.items()]
