"""Describes one image or video of a question: its sizes, its grids, and where each patch and token lies.

Knows geometry only. Patches and tokens are counted in raster order (t, row, column) from 0; boxes are (left, top,
right, bottom) in pixels of the upright original, whatever size the model saw.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self

from PIL import Image

from qwenvl.errors import RunError
from qwenvl.integers import as_integer
from qwenvl.models.config import Qwen2VLConfig, QwenVLConfig
from qwenvl.processing.geometry.pictures import Grid, Limit, check_limits, limit_that_bites, smart_resize
from qwenvl.processing.geometry.sampling import Sampling
from qwenvl.processing.geometry.size_request import SizeRequest

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Media:
    """One media as one model sees it. In Qwen-VL a clip is one media too: patch grid (frames, 32, 32)."""

    kind: Literal["image", "video"]
    name: str  # a file's name without its folder, or "picture 1"
    size: tuple[int, int]  # (width, height) of the upright original, in pixels
    resized: tuple[int, int]  # (width, height) the model sees
    patch_grid: Grid
    token_grid: Grid
    tokens_are_places: bool  # False in Qwen-VL: a query of the adapter is no place in the picture
    timestamps: tuple[float, ...] = ()  # seconds at which each temporal cell begins; () for stills and unknown rates
    limit: Limit | None = None  # which pixel limit decided the resized size
    number: int = 1  # among the conversation's pictures or clips; to Qwen-VL a clip is pictures, this its first frame's
    sampling: Sampling | None = None  # how the frames of a clip's file were chosen
    note: str = ""  # what to know of it, in sentences: read as a still, over its budget, seen on white
    min_pixels: int | None = None  # limits of its own, where the question set some for this media alone
    max_pixels: int | None = None
    # upright RGB; originals, but of a clip's file the chosen frames alone, at the size the model sees
    frames: tuple[Image.Image, ...] = field(default=(), compare=False, repr=False)

    @property
    def num_patches(self) -> int:
        return math.prod(self.patch_grid)

    @property
    def num_tokens(self) -> int:
        """Visual tokens, without the two tags around them."""
        return math.prod(self.token_grid)

    def patch_cell(self, patch: int) -> Grid:
        """(t, row, column) of a patch. Raises RunError where there is no such patch."""
        return self._cell(patch, self.patch_grid, "patches")

    def token_cell(self, token: int) -> Grid:
        """(t, row, column) of a visual token on the token grid. Raises RunError where there is no such token."""
        return self._cell(token, self.token_grid, "visual tokens")

    def patch_box(self, patch: int) -> Box:
        """The part of the original that a patch covers.

        Args:
            patch: raster index on `patch_grid`.

        Raises:
            RunError: there is no such patch.
        """
        return self._box(self.patch_cell(patch), self.patch_grid)

    def token_box(self, token: int) -> Box:
        """The part of the original that a visual token is made of: its patches' box.

        Args:
            token: raster index on `token_grid`.

        Raises:
            RunError: there is no such token, or it is a query of Qwen-VL's adapter, which is no place.
        """
        self.check_places()
        return self._box(self.token_cell(token), self.token_grid)

    def token_patches(self, token: int) -> list[int]:
        """Raster indices of the patches merged into a visual token, in raster order; raises as `token_box` does."""
        self.check_places()
        time, row, column = self.token_cell(token)
        _, rows, columns = self.patch_grid
        down, across = rows // self.token_grid[1], columns // self.token_grid[2]
        corner = (time * rows + row * down) * columns + column * across
        return [corner + y * columns + x for y in range(down) for x in range(across)]

    def to_json(self) -> dict[str, Any]:
        """All but the pixels, as plain lists, strings and numbers."""
        data = asdict(replace(self, frames=()))
        del data["frames"]
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any], frames: tuple[Image.Image, ...] = ()) -> Self:
        """The inverse of `to_json`. Raises KeyError or TypeError on data that it did not write."""
        names = ("size", "resized", "patch_grid", "token_grid", "timestamps")
        sampling = None if data.get("sampling") is None else Sampling.from_json(data["sampling"])
        sizes = {name: tuple(data[name]) for name in names}
        return cls(**{**data, **sizes, "sampling": sampling, "frames": frames})

    def _cell(self, index: int, grid: Grid, what: str) -> Grid:
        cell = as_integer(index)
        if cell is None or not 0 <= cell < math.prod(grid):
            raise RunError(f"{self.name} has {what} 0 to {math.prod(grid) - 1}, not {index}.")
        row, column = divmod(cell, grid[2])
        return row // grid[1], row % grid[1], column

    def _box(self, cell: Grid, grid: Grid) -> Box:
        _, row, column = cell
        width, height = self.size[0] / grid[2], self.size[1] / grid[1]
        return column * width, row * height, (column + 1) * width, (row + 1) * height

    def check_places(self) -> None:
        """Raises `RunError` where visual tokens are no places in the picture."""
        if not self.tokens_are_places:
            raise RunError(
                "A visual token of Qwen-VL is a query of its adapter, which is no place in the picture; "
                "ask for its attention on the patches instead."
            )


@dataclass(frozen=True)
class Seen:
    """What is known of a media before a model looks: what kind it is, its name and its upright original pixels."""

    kind: Literal["image", "video"]
    name: str
    size: tuple[int, int]  # (width, height)
    num_frames: int = 1
    fps: float | None = None
    number: int = 1  # see `Media.number`
    note: str = ""  # see `Media.note`
    request: SizeRequest = field(default_factory=SizeRequest)  # what the question says of its size
    frames: tuple[Image.Image, ...] = field(default=(), compare=False, repr=False)

    def times(self, step: int) -> tuple[float, ...]:
        """Seconds of every `step`-th frame; () for a still or an unknown rate."""
        if self.kind == "image" or not self.fps:
            return ()
        return tuple(frame / self.fps for frame in range(0, self.num_frames, step))


def qwen_vl_media(seen: Seen, config: QwenVLConfig) -> Media:
    """A media as Qwen-VL sees it: each frame squashed to a square, one set of queries for each."""
    side, queries = config.vision.grid_side, config.adapter.query_side
    return Media(
        kind=seen.kind,
        name=seen.name,
        size=seen.size,
        resized=(config.vision.image_size, config.vision.image_size),
        patch_grid=(seen.num_frames, side, side),
        token_grid=(seen.num_frames, queries, queries),
        tokens_are_places=False,
        timestamps=seen.times(1),
        number=seen.number,
        note=_joined(seen.note, _one_size(seen, config)),
        frames=seen.frames,
    )


def _one_size(seen: Seen, config: QwenVLConfig) -> str:
    """What to say of a size that was asked for of a picture of Qwen-VL."""
    given = ", ".join(name for name, value in vars(seen.request).items() if value is not None)
    side = config.vision.image_size
    return given and f"Qwen-VL sees every picture at {side} × {side}, so {given} changes nothing of {seen.name}."


def _joined(*notes: str) -> str:
    return " ".join(filter(None, notes))


def qwen2_vl_media(seen: Seen, config: Qwen2VLConfig, *, min_pixels: int, max_pixels: int) -> Media:
    """A media as Qwen2-VL sees it: every frame resized within the limits, frames taken in pairs.

    Raises:
        MediaError: a size or limit that `pictures.smart_resize` or `pictures.check_limits` refuses.
    """
    check_limits(min_pixels, max_pixels)
    vision, (width, height) = config.vision, seen.size
    limits = {"factor": vision.patch_size * vision.merge_size, "min_pixels": min_pixels, "max_pixels": max_pixels}
    if seen.request:
        resized_height, resized_width, limit = seen.request.size(height, width, **limits)
    else:
        resized_height, resized_width = smart_resize(height, width, **limits)
        limit = limit_that_bites(height, width, **limits)
    time = math.ceil(seen.num_frames / vision.temporal_patch_size)
    rows, columns = resized_height // vision.patch_size, resized_width // vision.patch_size
    return Media(
        kind=seen.kind,
        name=seen.name,
        size=seen.size,
        resized=(resized_width, resized_height),
        patch_grid=(time, rows, columns),
        token_grid=(time, rows // vision.merge_size, columns // vision.merge_size),
        tokens_are_places=True,
        timestamps=seen.times(vision.temporal_patch_size),
        limit=limit,
        number=seen.number,
        note=seen.note,
        min_pixels=seen.request.min_pixels,
        max_pixels=seen.request.max_pixels,
        frames=seen.frames,
    )
