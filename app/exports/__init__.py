"""Exports views: each view's figure with its caption, its numbers and the Python lines that draw it anew.

An export is a function of the runs on the page by their letters and of the page's selection (a dict as the browser
keeps it, which anybody may have posted: `chosen` reads it); it raises a `UserError` for what cannot be drawn. `answer`
is the example to follow:

- the arrays come from the run, in one call each, and `code` writes the same calls as Python;
- one function of `viz` draws them; what it is given stands once, in `given`, for the figure and for the lines;
- the caption says what is plotted to somebody who has never seen the page.

`tests/app/exports/test_exports.py` runs every export that is registered here, its lines too.
"""

from __future__ import annotations

from app.exports.exported import Export, Exported
from app.exports.figures import adapter, answer, boxes, causes, layers, patches, pipeline, positions, vision

__all__ = ["EXPORTS", "Export", "Exported"]

# By the names of the views, as in static/views/index.js.
EXPORTS: dict[str, Export] = {
    "pipeline": pipeline.export,
    "patches": patches.export,
    "positions": positions.export,
    "adapter": adapter.export,
    "vision": vision.export,
    "answer": answer.export,
    "layers": layers.export,
    "causes": causes.export,
    "boxes": boxes.export,
}
