"""Draws figures from arrays and strings; nothing here knows a model, a run or a page.

One grammar throughout: `figure(data, *, ...)` takes one data argument, everything else by keyword, and returns the
figure; nothing is shown and nothing is saved (`save` writes one for print). Plotly figures are for the screen,
Matplotlib figures for print. A notebook shows both as they are. What the views of the page show, from a run:

```python
media, picture = run.media[0], run.media[0].frames[0]
patch = media.num_patches // 2
looks = run.attention("vision", layer=0, query=patch, head="mean").reshape(1, *media.patch_grid[1:])
row = run.answer_start - 1  # the row that predicts the answer's first token

viz.patch_grid(picture, grid=media.patch_grid)  # Patches
viz.positions_3d(run.positions.numpy())  # Positions
viz.attention_on_picture(looks.numpy(), picture=picture)  # Vision: where one patch looks
viz.attention_on_picture(run.image_map(query=row).numpy(), picture=picture)  # Answer
```

Export, on the page, writes the lines of every view as it is shown.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from viz.animation import animated_map, animation, beside

if TYPE_CHECKING:
    from viz.boxes import boxes_on_picture_interactive, boxes_side_by_side
    from viz.causes import deletion_curves, deletion_curves_interactive, effects_side_by_side
    from viz.contact_sheet import contact_sheet_interactive
    from viz.edits import words_under_edit
    from viz.files import rendered, save
    from viz.flow import flow_curves
    from viz.frequencies import frequency_bars, frequency_bars_interactive
    from viz.grids import grids_side_by_side
    from viz.lanes import positions_side_by_side
    from viz.layers import chances_by_layer, lens_for_print
    from viz.maps import attention_on_picture, attention_on_picture_interactive
    from viz.patches import patch_grid
    from viz.pipeline import pipeline_columns, time_bars
    from viz.positions import positions_3d, positions_lanes
    from viz.sheets import queries_for_print
    from viz.side_by_side import attention_side_by_side
    from viz.similarity import similarity_map, similarity_map_interactive
    from viz.vision import tower_distances, vision_for_print

__all__ = [
    "animated_map",
    "animation",
    "attention_on_picture",
    "attention_on_picture_interactive",
    "attention_side_by_side",
    "beside",
    "boxes_on_picture_interactive",
    "boxes_side_by_side",
    "chances_by_layer",
    "contact_sheet_interactive",
    "deletion_curves",
    "deletion_curves_interactive",
    "effects_side_by_side",
    "flow_curves",
    "frequency_bars",
    "frequency_bars_interactive",
    "grids_side_by_side",
    "lens_for_print",
    "patch_grid",
    "pipeline_columns",
    "positions_3d",
    "positions_lanes",
    "positions_side_by_side",
    "queries_for_print",
    "rendered",
    "save",
    "similarity_map",
    "similarity_map_interactive",
    "time_bars",
    "tower_distances",
    "vision_for_print",
    "words_under_edit",
]

# Looked up when first asked for: what a page shows before anything is drawn needs neither Matplotlib nor Plotly. Only
# `animation` shares its name with its file, and is here from the start.
_HOMES = {
    "viz.boxes": ("boxes_on_picture_interactive", "boxes_side_by_side"),
    "viz.causes": ("deletion_curves", "deletion_curves_interactive", "effects_side_by_side"),
    "viz.contact_sheet": ("contact_sheet_interactive",),
    "viz.edits": ("words_under_edit",),
    "viz.files": ("rendered", "save"),
    "viz.flow": ("flow_curves",),
    "viz.frequencies": ("frequency_bars", "frequency_bars_interactive"),
    "viz.grids": ("grids_side_by_side",),
    "viz.lanes": ("positions_side_by_side",),
    "viz.layers": ("chances_by_layer", "lens_for_print"),
    "viz.maps": ("attention_on_picture", "attention_on_picture_interactive"),
    "viz.patches": ("patch_grid",),
    "viz.pipeline": ("pipeline_columns", "time_bars"),
    "viz.positions": ("positions_3d", "positions_lanes"),
    "viz.sheets": ("queries_for_print",),
    "viz.side_by_side": ("attention_side_by_side",),
    "viz.similarity": ("similarity_map", "similarity_map_interactive"),
    "viz.vision": ("tower_distances", "vision_for_print"),
}


def __getattr__(name: str) -> Any:
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module 'viz' has no attribute {name!r}")
    found = getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
