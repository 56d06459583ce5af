"""Checks what a run file holds, so that a wrong type in its record is found when it is opened and not when it is
looked at."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Literal, Union

from torch import Tensor

from qwenvl.models.config import Config, Qwen2VLConfig, QwenVLConfig
from qwenvl.processing.geometry.media import Media
from qwenvl.recorded.record import Record


def check_parts(record: Record, media: tuple[Media, ...], kept: Mapping[str, Tensor]) -> None:
    """Types, lengths and indices of everything.

    Raises:
        ValueError: whatever is not as a run has it.
    """
    for part in (replace(record, edits=()), *media):  # edits are checked as they are made, by their own indices
        _check_fields(part)
    _check_numbers(record.config)
    _check_media(media)
    _check_tokens(record, media)
    for name, tensor in kept.items():
        site, count = name.split(".")[0], _rows(name, record, media)
        if not tensor.is_floating_point() or tensor.dim() != 4 or 0 in tensor.shape:
            raise ValueError(f"{site} keeps no queries and keys of heads")
        if count is not None and tensor.shape[2] != count:
            raise ValueError(f"{site} keeps rows of another run")


def _rows(name: str, record: Record, media: tuple[Media, ...]) -> int | None:
    """How many rows a kept tensor of the language model or of Qwen2-VL's tower has; of pictures they differ."""
    if name.startswith("language."):
        return len(record.tokens)
    if name.startswith("vision.") and record.card.family == "qwen2-vl":
        return sum(item.num_patches for item in media)
    return None


_HINTS: dict[Any, dict[str, Any]] = {}  # of each dataclass, its fields' declared types


def _hints(kind: Any) -> dict[str, Any]:
    if kind not in _HINTS:
        _HINTS[kind] = typing.get_type_hints(kind)
    return _HINTS[kind]


def _check_fields(value: Any) -> None:
    hints = _hints(type(value))
    for field in fields(value):
        if field.name != "frames" and not _fits(getattr(value, field.name), hints[field.name]):
            raise ValueError(f"{field.name} is of the wrong kind")


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a kind that a field declares; dataclasses field by field."""
    kind: Any = hint
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in inner)
    if origin is Literal:
        return isinstance(value, str) and value in inner
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if len(inner) == 2 and inner[1] is Ellipsis:
            return all(_fits(one, inner[0]) for one in value)
        return len(value) == len(inner) and all(map(_fits, value, inner))
    if origin is not None:
        return isinstance(value, origin) and all(isinstance(key, str) for key in value)
    if hint is float:
        return type(value) in (int, float) and math.isfinite(value)
    if is_dataclass(hint):
        return isinstance(value, kind) and all(
            _fits(getattr(value, field.name), _hints(type(value))[field.name]) for field in fields(value)
        )
    return type(value) is hint if hint in (int, bool) else isinstance(value, kind)


def _check_numbers(config: Config) -> None:
    parts: list[Any] = [config.vision, config.language]
    parts += [config.adapter] if isinstance(config, QwenVLConfig) else []
    for part in parts:
        for name, value in vars(part).items():
            if type(value) in (int, float) and not 0 < value < 1 << 40:
                raise ValueError(f"{name} is out of its range")


def _check_media(media: tuple[Media, ...]) -> None:
    for item in media:
        sides = (*item.size, *item.resized, *item.patch_grid, *item.token_grid, item.number)
        if any(not 0 < side < 1 << 32 for side in sides) or not item.frames:
            raise ValueError("a media has no size")
        if any(patches % tokens for patches, tokens in zip(item.patch_grid, item.token_grid, strict=True)):
            raise ValueError("grids of patches and tokens that do not fit")
        if (sampling := item.sampling) is not None:
            if len(sampling.indices) != len(sampling.times) or sampling.total_frames < 1 or sampling.fps <= 0:
                raise ValueError("frames that were not taken")
            if not all(0 <= index < sampling.total_frames for index in sampling.indices):
                raise ValueError("frames that are not there")


def _check_tokens(record: Record, media: tuple[Media, ...]) -> None:
    tokens, said = len(record.tokens), sum(token.in_answer for token in record.tokens)
    for token in record.tokens:
        if token.media is not None and not 0 <= token.media < len(media):
            raise ValueError("a token of no media")
        if (token.media is None) != (token.cell is None):
            raise ValueError("a token with half a place")
    for index, item in enumerate(media):
        if sum(token.media == index for token in record.tokens) != item.num_tokens:
            raise ValueError("a media of other tokens")
    if isinstance(record.config, Qwen2VLConfig):
        _check_pads(record, media, record.config)
    if any(record.tokens[place].in_answer for place in range(tokens - said)):
        raise ValueError("an answer within the prompt")
    if len(record.likeliest) != said or len(record.probabilities) != said:
        raise ValueError("alternatives of another answer")
    if any(not word or not all(tokens - said <= token < tokens for token in word) for word in record.words):
        raise ValueError("words of other tokens")


def _check_pads(record: Record, media: tuple[Media, ...], config: Qwen2VLConfig) -> None:
    """Visual tokens of Qwen2-VL, and they alone, bear the id of their media's kind: positions are counted by it."""
    pads = {"image": config.image_token_id, "video": config.video_token_id}
    for token in record.tokens:
        expected = None if token.media is None else pads[media[token.media].kind]
        if (token.id if token.id in pads.values() else None) != expected:
            raise ValueError("a visual token of another id")
