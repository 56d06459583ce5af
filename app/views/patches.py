"""Answers the Patches view: a media rebuilt from what the model received, and the rule that set its size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from PIL import Image
from torch import Tensor

from app.asking import pictures
from app.views.contract import Look
from app.views.rows import media_index
from qwenvl.errors import RunError
from qwenvl.models.config import Qwen2VLConfig
from qwenvl.processing.reconstruction import rebuilt_token
from qwenvl.processing.size_rules import size_rule

SIDE = 480  # pixels of the pictures that are sent to be looked at


def rebuilt(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run", "media", "cell"}: the frame of this temporal cell as it turns back from the model's input.

    "picture" is rebuilt, "resized" is what it is compared with; both are scaled down to be looked at. The figures are
    those of `Run.reconstructed`, over all pixels and frames of the cell.
    """
    finished = look(asked.get("run"))
    run = finished.run
    media = run.media[media_index(run, asked)]
    rebuilt = run.reconstructed(media_index(run, asked), _cell(asked, media.patch_grid[0]))
    limits = {name: finished.limits.get(name) for name in ("min_pixels", "max_pixels")}
    return {
        "picture": _small(rebuilt.frames[0]),
        "resized": _small(rebuilt.resized[0]),
        "frames": len(rebuilt.frames),
        **{"values": rebuilt.values, "differing": rebuilt.differing},
        **{"maximum": rebuilt.maximum, "mean": rebuilt.mean},
        "rule": asdict(size_rule(media, run.config, **limits)),
    }


def token_pixels(look: Look, asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"run", "media", "token"}: the pixels of one visual token of Qwen2-VL, rebuilt from its four rows alone."""
    run = look(asked.get("run")).run
    media = run.media[media_index(run, asked)]
    if not isinstance(run.config, Qwen2VLConfig):
        raise RunError("A visual token of Qwen-VL has no pixels of its own: look at what its query reads.")
    token = asked.get("token")
    if isinstance(token, bool) or not isinstance(token, int) or not 0 <= token < media.num_tokens:
        raise RunError(f"token must be a whole number from 0 to {media.num_tokens - 1:,}: choose another.")
    return {"picture": pictures.png_url(Image.fromarray(rebuilt_token(media, run.config, token)[0].numpy()))}


def _small(frame: Tensor) -> str:
    picture = Image.fromarray(frame.numpy())
    picture.thumbnail((SIDE, SIDE))
    return pictures.png_url(picture)


def _cell(asked: Mapping[str, Any], cells: int) -> int:
    cell = asked.get("cell", 0)
    if isinstance(cell, bool) or not isinstance(cell, int) or not 0 <= cell < cells:
        raise RunError(f"cell must be a whole number from 0 to {cells - 1:,}: choose another.")
    return cell
