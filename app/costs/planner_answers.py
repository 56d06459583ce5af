"""Defines the types of the Planner's answers to the page; `planner` makes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict


class PlannedFile(TypedDict):
    """What the page needs of a file to show it and to ask about it."""

    id: str
    name: str | None
    size: list[int]
    kind: str
    frames: NotRequired[int]  # of a clip
    fps: NotRequired[float]


class PlannedMedia(TypedDict):
    """Of one media what the table of files shows; "filled" is the resized area over the ceiling."""

    name: str
    size: tuple[int, int]
    resized: tuple[int, int]
    limit: str | None
    patch_grid: tuple[int, int, int]
    token_grid: tuple[int, int, int]
    tokens: int
    frames: int | None
    clamps: tuple[str, ...]
    filled: float | None


class ToolchainMedia(TypedDict):
    """What a toolchain's defaults make of one media."""

    name: str | None
    resized: tuple[int, int]
    frames: int | None
    tokens: int
    limit: str | None


class PlannedToolchain(TypedDict):
    """What one toolchain's defaults do with the file that is shown; but for the first three only where it takes it."""

    key: str
    says: str
    error: str | None
    prompt_tokens: NotRequired[int]
    context: NotRequired[int]
    media: NotRequired[list[ToolchainMedia]]
    letter: NotRequired[list[float]]


class SuggestedTokens(TypedDict):
    """A range of visual tokens that a source suggests for a purpose."""

    low: int
    high: int
    purpose: str
    source: str


class ShownMedia(TypedDict):
    """What a line of the table says of the file that is shown; "letter" is what becomes of a letter's sides."""

    resized: tuple[int, int] | None
    letter: list[float] | None
    limit: str | None
    filled: float | None


class PlannerFigures(TypedDict):
    """What all files together cost one model; names as in `qwenvl.plan.Plan`."""

    family: str
    parameters: int
    derived: bool
    patches: int
    visual_tokens: int
    template_tokens: int
    text_tokens: int | None
    prompt_tokens: int
    context: int
    train_length: int | None
    sentence: str
    share_of_context: float
    flops: Mapping[str, int]
    attention_bytes: Mapping[str, int]
    tokens: int  # of the media, their marks included
    positions: int  # of the media, their marks included
    prompt_positions: int
    kv_bytes: int
    kept_bytes: int
    weight_bytes: int
    total_bytes: int
    steps: tuple[tuple[str, str], ...]
    limits: tuple[str, ...]
    notes: tuple[str, ...]
    suggestions: tuple[str, ...]
    media: list[PlannedMedia]


class PlannerRow(PlannerFigures, ShownMedia):
    """One line of the table."""

    model: str


class RefusedRow(TypedDict):
    """A line of the table where a model takes these files not at all."""

    model: str
    error: str


class PlannerGroup(TypedDict):
    """The models under one pair of limits: see `plan_page`."""

    key: str
    min_pixels: int | None
    max_pixels: int | None
    rows: list[PlannerRow | RefusedRow]


class PlannerPage(TypedDict):
    """The whole table, and what stands beside it."""

    groups: list[PlannerGroup]
    toolchains: list[PlannedToolchain]
    suggested: list[SuggestedTokens]
    files: list[str]


class Crop(TypedDict):
    """A part of a picture as a model receives it: see `crop`."""

    crop: str
    box: list[float]
    arrive: list[int]
    region: list[float]
    resized: list[int]


class PlannerTable(TypedDict):
    """Every file by every model, as text."""

    csv: str
    json: str


class ConvertedPlaces(TypedDict):
    """Places of a picture in all three spaces, and as a model writes them; "sees" is the resized size."""

    original: tuple[float, ...]
    resized: tuple[float, ...]
    thousandths: tuple[float, ...]
    written: tuple[int, ...]
    size: tuple[int, int]
    sees: tuple[int, int]
