"""Answers with the pictures of a run: the upright original, and what the model's processor made of it."""

from __future__ import annotations

from app.asking import pictures
from app.asking.pictures import Picture
from app.asking.posted import Posted, index, whole
from app.asking.selection import NO_MEDIA
from app.views.contract import Look
from qwenvl.errors import RunError
from qwenvl.processing.geometry.media import Media


def picture(look: Look, posted: Posted) -> Picture:
    """{"run", "media", "frame", "side"}: a picture, or a kept frame of a clip, at most `side` pixels."""
    media, frame = _frame(look, posted)
    side = whole(posted, "side", 1, pictures.MAX_SIDE, default=pictures.MAX_SIDE)
    return {"picture": pictures.picture(media, side, frame)}


def resized(look: Look, posted: Posted) -> Picture:
    """{"run", "media", "frame"}: the same as the model's processor resized it."""
    media, frame = _frame(look, posted)
    return {"picture": pictures.resized(media, frame)}


def _frame(look: Look, posted: Posted) -> tuple[Media, int]:
    """A media, and which of its kept frames; the first where none is asked for."""
    run = look(posted.get("run")).run
    if not run.media:
        raise RunError(NO_MEDIA)
    media = run.media[index(posted, "media", len(run.media))]
    return media, index(posted, "frame", len(media.frames), default=0)
