"""Computes a run's position ids under other rules, its rotary frequencies, and what media cost in ids."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, cat, tensor

from qwenvl.models.config import Config, QwenVLConfig
from qwenvl.models.rope import (
    PositionRule,
    decoding_positions,
    multimodal_positions,
    ntk_theta,
    overtaken,
    stretch,
    wavelengths,
)
from qwenvl.processing.geometry.media import Media, Seen, qwen2_vl_media, qwen_vl_media
from qwenvl.processing.processor import PUBLISHED_MAX_PIXELS, PUBLISHED_MIN_PIXELS
from qwenvl.recorded.rows import RunRows

RULES: tuple[PositionRule, ...] = ("paper", "transformers-5", "1-D")


def positions_by_rule(run: RunRows, rule: PositionRule) -> Tensor:
    """The ids this run's tokens would have had under a rule: int64 (3, tokens).

    "paper" gives `run.positions`; "transformers-5" the ids of its `generate()`, whose answer goes on from the last
    token of the prompt. Of Qwen-VL every rule gives the run's own: it has one id a token. See
    `rope.multimodal_positions`.
    """
    config = run.config
    if isinstance(config, QwenVLConfig):
        return run.positions
    grids = {kind: [item.patch_grid for item in run.media if item.kind == kind] for kind in ("image", "video")}
    prompt = multimodal_positions(
        tensor([[token.id for token in run.tokens[: run.answer_start]]]),
        grids["image"],
        grids["video"],
        image_token_id=config.image_token_id,
        video_token_id=config.video_token_id,
        merge_size=config.vision.merge_size,
        rule=rule,
    )[:, 0]
    return cat((prompt, decoding_positions(prompt, len(run.tokens) - prompt.shape[1], rule)), dim=1)


def overlaps(run: RunRows, positions: Tensor) -> Tensor:
    """Which ids an earlier media of the run has already reached, bool (3, tokens); see `rope.overtaken`."""
    return overtaken(positions, [token.media for token in run.tokens])


@dataclass(frozen=True, eq=False)
class Frequencies:
    """The frequencies of a language model's rotary embedding, the fastest first.

    Attributes:
        wavelengths: positions that each takes to come round once, (head_dim / 2,) float64.
        sections: how many in turn read t, h and w; () where all read the one id.
        theta: the base in force, after dynamic NTK.
        alpha: how far dynamic NTK stretched it; 1 where it did not.
    """

    wavelengths: Tensor
    sections: tuple[int, ...]
    theta: float
    alpha: float


def frequencies(config: Config, ntk_alpha: float | None = None) -> Frequencies:
    """The rotary frequencies of a model, those of a prompt that dynamic NTK stretched by `ntk_alpha` (Qwen-VL)."""
    language, alpha = config.language, ntk_alpha or 1.0
    if isinstance(config, QwenVLConfig):
        theta = ntk_theta(language.rope_theta, alpha, language.head_dim)
        return Frequencies(wavelengths(language.head_dim, theta), (), theta, alpha)
    sections, waves = tuple(config.language.rope_sections), wavelengths(language.head_dim, language.rope_theta)
    if config.language.rope_scaling is not None:
        waves = 2 * math.pi / stretch(2 * math.pi / waves, language.rope_theta, config.language.rope_scaling)
    return Frequencies(waves, sections, language.rope_theta, 1.0)


@dataclass(frozen=True)
class PositionCost:
    """Tokens that a media takes with the marks around it, and how many ids they spend on the axis that spends most."""

    tokens: int
    ids: int


def position_cost(media: Media) -> PositionCost:
    """What a media costs: Qwen-VL spends one id per token, Qwen2-VL the longest side of the token grid and two."""
    if not media.tokens_are_places:
        return PositionCost(*[media.num_tokens + 2 * media.patch_grid[0]] * 2)
    return PositionCost(media.num_tokens + 2, max(media.token_grid) + 2)


def cost_of_size(config: Config, size: Sequence[int], frames: int = 1) -> PositionCost:
    """What a picture of a size, or a clip of so many frames given one by one, costs under the published pixel limits.

    Args:
        size: (width, height) of the original.
    """
    seen = Seen("video" if frames > 1 else "image", "", (size[0], size[1]), frames)
    if isinstance(config, QwenVLConfig):
        return position_cost(qwen_vl_media(seen, config))
    limits = {"min_pixels": PUBLISHED_MIN_PIXELS, "max_pixels": PUBLISHED_MAX_PIXELS}
    return position_cost(qwen2_vl_media(seen, config, **limits))
