"""Views for print: each view's figure with its caption, its numbers and the lines that make it anew. One file a view.

An export is a function of the runs on the page by their letters and of the page's selection (a dict as the browser
keeps it, which anybody may have posted); it raises a `UserError` for what cannot be drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.payload import Finished

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Exported:
    """One view, ready for a paper.

    Attributes:
        figure: of `viz`, for SVG and PDF.
        caption: what exactly is plotted: model, row, layer, head, normalisation, share; true without the page.
        arrays: the plotted numbers by name, unrounded.
        facts: what the numbers belong to, for JSON: model, question, answer, indices.
        lines: Python that makes the figure from the library alone.
    """

    figure: Figure
    caption: str
    arrays: Mapping[str, np.ndarray]
    facts: Mapping[str, Any] = field(default_factory=dict)
    lines: str = ""


Export = Callable[[Mapping[str, Finished], Mapping[str, Any]], Exported]

EXPORTS: dict[str, Export] = {}
