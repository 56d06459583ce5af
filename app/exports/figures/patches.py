"""Exports the Patches view: each model's grid on the original picture, and the arithmetic of tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import viz
from app.asking.finished import Finished
from app.asking.posted import Posted
from app.asking.selection import Selection
from app.costs import account
from app.exports.captions import model_title
from app.exports.exported import Exported, selections
from app.exports.figures.frames import frame_code, frame_of
from app.exports.python_code import Name, call, closing, opening
from qwenvl.errors import RunError
from qwenvl.processing.geometry.media import Media


def export(runs: Mapping[str, Finished], posted: Mapping[str, Posted]) -> Exported:
    """One column a model; what it received is rebuilt from the very tensor that its processor made.

    Raises:
        RunError: there is no picture.
    """
    looks = [look for look in selections(runs, posted) if look.run.media]
    if not looks:
        raise RunError("No picture in this question: there is no grid to draw.")
    arrays: dict[str, np.ndarray] = {}
    for look in looks:
        media = look.run.media[look.media]
        arrays[f"boxes_{look.letter}"] = np.array([media.patch_box(patch) for patch in range(_per_frame(media))])
        arrays[f"received_{look.letter}"] = look.run.reconstructed(look.media, look.frame).frames[0].numpy()
    given = _given(looks)
    received = [arrays[f"received_{look.letter}"] for look in looks]
    return Exported(
        figure=viz.grids_side_by_side(frame_of(looks[0]), received=received, **given),
        caption=given["caption"],
        arrays=arrays,
        facts={look.letter: _facts(look) for look in looks},
        lines=_lines(looks, given),
    )


def _per_frame(media: Media) -> int:
    return media.num_patches // media.patch_grid[0]


def _given(looks: Sequence[Selection]) -> dict[str, Any]:
    media = [look.run.media[look.media] for look in looks]
    return {
        "grids": [tuple(one.patch_grid[1:]) for one in media],
        "blocks": [one.patch_grid[1] // one.token_grid[1] if one.tokens_are_places else 1 for one in media],
        "titles": [f"{look.letter}  {model_title(look.finished)}" for look in looks],
        "notes": [" → ".join(f"{step['label']} {step['value']}" for step in account.steps(one)) for one in media],
        "caption": _caption(looks),
    }


def _caption(looks: Sequence[Selection]) -> str:
    parts = [
        "How each model cuts the same picture into patches: above, its grid on the original; beneath, the picture "
    ]
    parts.append("rebuilt from the tensor that the model received, both at one scale. ")
    for look in looks:
        media, rebuilt = look.run.media[look.media], look.run.reconstructed(look.media, look.frame)
        words = account.sentence(media, look.run.answer_start)
        parts.append(
            f"{look.letter}: {model_title(look.finished)}. {words} Rebuilt against resized: {rebuilt.differing:,} "
            f"of {rebuilt.values:,} values differ after rounding. "
        )
        if (limit := account.limit(media, look.finished.limits)) is not None:
            parts.append(f"{limit['effect']} ")
    if any(look.run.media[look.media].tokens_are_places for look in looks):
        parts.append("Heavier lines: 2 × 2 patches that make one token.")
    return "".join(parts).strip()


def _facts(look: Selection) -> dict[str, Any]:
    media = look.run.media[look.media]
    return {
        "media": look.media,
        "frame": look.frame,
        "size": list(media.size),
        "resized": list(media.resized),
        "patch_grid": list(media.patch_grid),
        "token_grid": list(media.token_grid),
        "steps": account.steps(media),
        "limit": account.limit(media, look.finished.limits),
        "boxes": "left, top, right, bottom of each patch of a frame, in pixels of the original, raster order",
    }


def _lines(looks: Sequence[Selection], given: dict[str, Any]) -> str:
    lines = [opening({look.letter: look.finished for look in looks}, uses="numpy"), ""]
    for look in looks:
        media = f"run_{look.letter}.media[{look.media}]"
        patches = _per_frame(look.run.media[look.media])
        lines.append(
            f"boxes_{look.letter} = numpy.array([{media}.patch_box(patch) for patch in range({patches})])\n"
            f"received_{look.letter} = run_{look.letter}.reconstructed({look.media}, {look.frame}).frames[0].numpy()"
        )
    lines.append(f"picture = {frame_code(looks[0])}")
    received = Name(f"[{', '.join(f'received_{look.letter}' for look in looks)}]")
    drawn = call("viz.grids_side_by_side", "picture", received=received, **given)
    return "\n".join([*lines, "", f"figure = {drawn}", closing("patches"), ""])
