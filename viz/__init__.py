"""Figures from arrays and strings: nothing here knows a model, a run or a page.

One grammar throughout: `figure(data, *, ...)` takes one data argument, everything else by keyword, and returns the
figure; nothing is shown and nothing is saved. Plotly figures are for the screen, Matplotlib figures for print.
"""

from viz.maps import attention_on_picture, attention_on_picture_interactive
from viz.patches import patch_grid
from viz.positions import positions_3d, positions_lanes

__all__ = [
    "attention_on_picture",
    "attention_on_picture_interactive",
    "patch_grid",
    "positions_3d",
    "positions_lanes",
]
