"""Answers the Patches view: a media rebuilt from what the model received, and the rule that set its size."""

from __future__ import annotations

from typing import TypedDict

from PIL import Image
from torch import Tensor

from app.asking import pictures
from app.asking.posted import Posted, index
from app.views.contract import Look, selected
from app.views.pictures import Picture
from qwenvl.errors import RunError
from qwenvl.models.config import Qwen2VLConfig
from qwenvl.processing.geometry.reconstruction import rebuilt_token
from qwenvl.processing.geometry.size_rules import SizeRule, size_rule

SIDE = 480  # pixels of the pictures that are sent to be looked at


class Rebuilt(TypedDict):
    """A frame as it turns back from the model's input.

    "picture" is rebuilt, "resized" is what it is compared with; both are scaled down to be looked at. The figures are
    those of `Run.reconstructed`, over all pixels and frames of the temporal cell.
    """

    picture: str
    resized: str
    frames: int
    values: int
    differing: int
    maximum: float
    mean: float
    rule: SizeRule


def rebuilt(look: Look, posted: Posted) -> Rebuilt:
    """{"run", "media", "frame"}: see `Rebuilt`."""
    chosen = selected(look, posted)
    limits = chosen.finished.limits
    found = chosen.run.reconstructed(chosen.media, chosen.frame)
    rule = size_rule(
        chosen.item, chosen.run.config, min_pixels=limits.get("min_pixels"), max_pixels=limits.get("max_pixels")
    )
    return {
        "picture": _small(found.frames[0]),
        "resized": _small(found.resized[0]),
        "frames": len(found.frames),
        "values": found.values,
        "differing": found.differing,
        "maximum": found.maximum,
        "mean": found.mean,
        "rule": rule,
    }


def token_pixels(look: Look, posted: Posted) -> Picture:
    """{"run", "media", "token"}: the pixels of one visual token of Qwen2-VL, rebuilt from its four rows alone."""
    chosen = selected(look, posted)
    config, media = chosen.run.config, chosen.item
    if not isinstance(config, Qwen2VLConfig):
        raise RunError("A visual token of Qwen-VL has no pixels of its own: look at what its query reads.")
    token = index(posted, "token", media.num_tokens)
    return {"picture": pictures.png_url(Image.fromarray(rebuilt_token(media, config, token)[0].numpy()))}


def _small(frame: Tensor) -> str:
    picture = Image.fromarray(frame.numpy())
    picture.thumbnail((SIDE, SIDE))
    return pictures.png_url(picture)
