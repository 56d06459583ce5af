"""Answers what the views ask of finished runs beyond a row of attention: one file per view.

A question is a function of `look` (from a run's id to the run, see `Session.finished`) and of what was asked, one dict
of named values that anybody may have posted; it answers one dict, arrays as `rows.packed`, or raises a `UserError`.
"""

from __future__ import annotations

from app.views import answer, boxes, causes, layers, patches, timeline, tour, vision
from app.views.adapter import adapter_code, adapter_statistics, merger
from app.views.contract import Look, Question
from app.views.pipeline import pipeline
from app.views.positions import position_facts, positions_by

__all__ = ["QUESTIONS", "Look", "Question"]

QUESTIONS: dict[str, Question] = {
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
    "adapter_statistics": adapter_statistics,
    "adapter_code": adapter_code,
    "merger": merger,
    "lens": layers.lens,
    "lens_token": layers.lens_token,
    "lens_word": layers.lens_word,
    "rebuilt": patches.rebuilt,
    "token_pixels": patches.token_pixels,
    "positions_by": positions_by,
    "position_facts": position_facts,
    "tour_cost": tour.tour_cost,
    "vision_heads": vision.vision_heads,
    "vision_places": vision.vision_places,
    "vision_row": vision.vision_row,
}
