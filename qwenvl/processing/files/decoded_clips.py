"""Decodes the frames that a plan chose of a clip's file, each made small before the next is read."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PIL.Image import Image

from qwenvl.processing.files.clips import ClipFile
from qwenvl.processing.files.progress import Progress
from qwenvl.processing.geometry import pictures, pixels
from qwenvl.processing.geometry.media import Media


def read_frames(clip: ClipFile, media: Media, progress: Progress | None = None) -> Media:
    """A planned clip with its frames, each resized as soon as it is decoded, to the size the model sees.

    Qwen2-VL's are resized as the published video tool does it, Qwen-VL's as that model does pictures.

    Args:
        progress: told of "frames" after each; what it raises ends the reading.

    Raises:
        MediaError: the file is damaged, or gone.
    """
    assert media.sampling is not None
    resize = pixels.resize_frame if media.tokens_are_places else pictures.resize
    frames = list[Image]()
    for frame in clip.read(media.sampling.indices, partial(_resized, resize, media.resized)):
        frames.append(frame)
        if progress is not None:
            progress("frames", len(frames), len(media.sampling.indices))
    return replace(media, frames=tuple(frames))


def _resized(resize: pictures.Resize, size: tuple[int, int], frame: pictures.Frame) -> Image:
    return resize(frame, *size)
