"""Answers what the page asks of finished runs: rows of attention, and what each view needs beyond them.

One file per view. A question is a function of `look` (from a run's id to the run, see `Session.finished`) and of what
was posted, one dict of named values; it answers named values, arrays as `rows.packed`, or raises a `UserError`. Which
row, media and cells are meant is read by `Selection.of`, once for all questions; see `contract.selected`.
"""

from __future__ import annotations

from app.views import (
    adapter,
    answer,
    attention,
    boxes,
    causes,
    layers,
    patches,
    pictures,
    positions,
    timeline,
    tour,
    vision,
)
from app.views.contract import Look, Question
from app.views.pipeline import pipeline

__all__ = ["QUESTIONS", "Look", "Question"]

QUESTIONS: dict[str, Question] = {
    "map": attention.map_row,
    "shares": attention.shares,
    "adapter": attention.adapter,
    "adapter_sheet": attention.adapter_sheet,
    "picture": pictures.picture,
    "resized": pictures.resized,
    "pipeline": pipeline,
    "boxes": boxes.boxes,
    "clip_time": timeline.clip_time,
    "clip_longer": timeline.clip_longer,
    "filmstrip": timeline.filmstrip,
    "twins": timeline.twins,
    "causes": causes.causes,
    "causes_curves": causes.causes_curves,
    "maps_ahead": answer.maps_ahead,
    "statistics": answer.statistics,
    "patch_readers": answer.patch_readers,
    "reading": answer.reading,
    "agreement": answer.agreement,
    "adapter_statistics": adapter.adapter_statistics,
    "adapter_code": adapter.adapter_code,
    "merger": adapter.merger,
    "lens": layers.lens,
    "lens_token": layers.lens_token,
    "lens_word": layers.lens_word,
    "rebuilt": patches.rebuilt,
    "token_pixels": patches.token_pixels,
    "positions_by": positions.positions_by,
    "position_facts": positions.position_facts,
    "tour_cost": tour.tour_cost,
    "vision_heads": vision.vision_heads,
    "vision_places": vision.vision_places,
    "vision_row": vision.vision_row,
}
