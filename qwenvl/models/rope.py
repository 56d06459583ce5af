"""Computes rotary position embeddings in one, two and three dimensions, and position ids. Pure functions.

Knows positions, grids and angles; no weights, no model, no picture. A *rotation* is a pair (cos, sin), each
(..., tokens, head_dim), whose two halves are equal: channel i turns together with channel i + head_dim / 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from qwenvl.models.rope_scaling import RopeScaling

Rotation = tuple[Tensor, Tensor]
Grid = tuple[int, int, int]
PositionRule = Literal["paper", "transformers-5", "1-D"]


def inverse_frequencies(dim: int, theta: float, device: torch.device | str | None = None) -> Tensor:
    """theta^(-2j / dim) for j = 0 .. dim/2 - 1, (dim / 2,) float32."""
    return 1.0 / theta ** (torch.arange(0, dim, 2, device=device).float() / dim)


def stretch(inverse: Tensor, theta: float, scaling: RopeScaling | None) -> Tensor:
    """The frequencies (head_dim / 2,) of a model, stretched; None leaves them."""
    if scaling is None:
        return inverse
    if scaling.kind == "linear":
        return inverse / scaling.factor
    kept = 1 - _ramp(len(inverse), theta, scaling).to(inverse.device, inverse.dtype)
    return inverse / scaling.factor * (1 - kept) + inverse * kept


def _ramp(frequencies: int, theta: float, scaling: RopeScaling) -> Tensor:
    """0 for a frequency that stays, 1 for one that is stretched in full."""
    dim = 2 * frequencies
    low, high = (
        dim * math.log(scaling.original_context / (turns * 2 * math.pi)) / (2 * math.log(theta))
        for turns in (scaling.beta_fast, scaling.beta_slow)
    )
    if scaling.truncate:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, dim - 1)
    width = high - low if high != low else 0.001
    return ((torch.arange(frequencies, dtype=torch.float32) - low) / width).clamp(0, 1)


def wavelengths(dim: int, theta: float) -> Tensor:
    """How many positions each frequency takes to come round once, 2 pi / frequency: (dim / 2,) float64."""
    return 2 * math.pi * theta ** (torch.arange(0, dim, 2, dtype=torch.float64) / dim)


def rotation(angles: Tensor) -> Rotation:
    """Angles (..., tokens, head_dim / 2) to their rotation, both halves alike."""
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each channel pair (i, i + head_dim / 2) of x (..., tokens, head_dim)."""
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


# --- one dimension: Qwen-VL's language model ---


def rope_1d(positions: Tensor, head_dim: int, theta: float) -> Rotation:
    """Rotation of positions (..., tokens): (..., tokens, head_dim)."""
    return rotation(positions[..., None].float() * inverse_frequencies(head_dim, theta, positions.device))


def ntk_alpha(num_tokens: int, train_length: int) -> float:
    """How far dynamic NTK stretches for a prompt: 1 up to `train_length`, then 3, 7, 15 as it doubles."""
    return max(2.0 ** math.ceil(math.log2(num_tokens / train_length) + 1) - 1, 1.0)


def ntk_theta(theta: float, alpha: float, head_dim: int) -> float:
    """The rotary base that `alpha` turns `theta` into."""
    return theta * alpha ** (head_dim / (head_dim - 2))


def logn_scale(positions: Tensor, train_length: int) -> Tensor:
    """Factor of the query at each position: log of (position + 1) to the base `train_length`, at least 1. float32."""
    return (torch.log(positions.float() + 1) / math.log(train_length)).clamp(min=1.0)


# --- two dimensions: Qwen2-VL's vision tower ---


def patch_coordinates(grid: Grid, merge_size: int, device: torch.device | str | None = None) -> Tensor:
    """(row, column) of each patch of a (t, h, w) patch grid in the processor's order, (patches, 2).

    The processor lists patches block by block, so that the merge_size x merge_size patches of one visual token are
    neighbours; the coordinates repeat for every t.
    """
    t, h, w = grid
    cells = torch.cartesian_prod(torch.arange(h, device=device), torch.arange(w, device=device)).view(h, w, 2)
    blocks = cells.unflatten(0, (-1, merge_size)).unflatten(2, (-1, merge_size))
    return blocks.transpose(1, 2).reshape(h * w, 2).repeat(t, 1)


def rope_2d(coordinates: Tensor, head_dim: int, theta: float) -> Rotation:
    """Rotation of (row, column) coordinates (patches, 2): the first half of the frequencies reads the row.

    Returns:
        cos and sin, (patches, head_dim), float32.
    """
    inverse = inverse_frequencies(head_dim // 2, theta, coordinates.device)
    return rotation((coordinates[..., None].float() * inverse).flatten(-2))


# --- three dimensions: Qwen2-VL's language model, M-RoPE ---


def rope_multimodal(
    positions: Tensor, head_dim: int, theta: float, sections: Sequence[int], scaling: RopeScaling | None = None
) -> Rotation:
    """Rotation of (t, h, w) ids (3, batch, tokens): the frequencies are dealt out in three consecutive runs.

    2409.12191, section 2.1 (M-RoPE). With three equal ids this is exactly `rope_1d`.

    Args:
        positions: int64 (3, batch, tokens).
        sections: how many of the head_dim / 2 frequencies read t, h and w.
        scaling: how the frequencies are stretched, see `rope_scaling`; None: not at all.

    Returns:
        cos and sin, (batch, tokens, head_dim), float32.
    """
    ids = torch.cat([axis.expand(count, -1, -1) for axis, count in zip(positions.float(), sections, strict=True)])
    frequencies = stretch(inverse_frequencies(head_dim, theta, positions.device), theta, scaling)
    cos, sin = rotation(ids.movedim(0, -1) * frequencies)
    return (cos, sin) if scaling is None else (cos * scaling.attention_factor, sin * scaling.attention_factor)


def multimodal_positions(
    input_ids: Tensor,
    image_grids: Sequence[Grid] = (),
    video_grids: Sequence[Grid] = (),
    *,
    image_token_id: int,
    video_token_id: int,
    merge_size: int = 2,
    attention_mask: Tensor | None = None,
    rule: PositionRule = "paper",
) -> Tensor:
    """The (t, h, w) ids of every token (2409.12191, section 2.1 and figure 3).

    A text token has the same id on the three axes. Visual token (a, y, x) of a media that starts at s has ids
    (s + a, s + y, s + x). The token after it continues from the largest id so far plus one ("paper"); transformers 5
    continues from s + max(h, w), which a long clip's own t ids overtake. "1-D" is what neither does: every token, of
    media too, takes the next id on all three axes.

    Args:
        input_ids: (batch, tokens).
        image_grids, video_grids: patch grids (t, h, w) in the order of their tokens over the whole batch.
        attention_mask: (batch, tokens), 0 where a row is left-padded; padded slots get id 0.

    Returns:
        int64 (3, batch, tokens).

    Raises:
        ValueError: the visual tokens do not match the grids.
    """
    grids = {image_token_id: iter(image_grids), video_token_id: iter(video_grids)}
    positions = torch.zeros(3, *input_ids.shape, dtype=torch.int64)
    mask = torch.ones_like(input_ids, dtype=torch.bool) if attention_mask is None else attention_mask.bool()
    for row, (ids, real) in enumerate(zip(input_ids.cpu(), mask.cpu(), strict=True)):
        positions[:, row, real] = _row_positions(ids[real].tolist(), grids, merge_size, rule)
    if any(next(rest, None) is not None for rest in grids.values()):
        raise ValueError("There are more media than places for them in input_ids.")
    return positions.to(input_ids.device)


def _row_positions(ids: list[int], grids: dict[int, Iterator[Grid]], merge_size: int, rule: PositionRule) -> Tensor:
    pieces: list[Tensor] = []
    start = index = 0
    while index < len(ids):
        if ids[index] in grids:
            piece, step = _media_positions(ids, index, grids[ids[index]], merge_size, rule)
        else:
            step = next((end for end in range(index, len(ids)) if ids[end] in grids), len(ids)) - index
            piece = torch.arange(step).expand(3, step)
        pieces.append(piece + start)
        start += step
        index += piece.shape[1]
    return torch.cat(pieces, dim=1) if pieces else torch.zeros(3, 0, dtype=torch.int64)


def _media_positions(
    ids: list[int], index: int, grids: Iterator[Grid], merge_size: int, rule: PositionRule
) -> tuple[Tensor, int]:
    grid = next(grids, None)
    if grid is None:
        raise ValueError("input_ids has visual tokens for more media than were given.")
    t, h, w = int(grid[0]), int(grid[1]) // merge_size, int(grid[2]) // merge_size
    if ids[index : index + t * h * w] != [ids[index]] * (t * h * w):
        raise ValueError(f"A media of {t} x {h} x {w} visual tokens does not fit the place input_ids has for it.")
    if rule == "1-D":
        return torch.arange(t * h * w).expand(3, -1), t * h * w
    cells = torch.cartesian_prod(torch.arange(t), torch.arange(h), torch.arange(w)).view(-1, 3).T
    return cells, max(t, h, w) if rule == "paper" else max(h, w)


def decoding_positions(prompt: Tensor, count: int, rule: PositionRule = "paper") -> Tensor:
    """The ids of tokens said after a prompt.

    All three go on from the largest id plus one, but where `generate()` of transformers 5 says them: it goes on from
    the last token's id plus one, which a long clip's t ids may have overtaken. (A loop written by hand around its
    forward pass goes on from the largest too.)

    Args:
        prompt: ids of the prompt's tokens, (3, tokens).

    Returns:
        int64 (3, count).
    """
    if rule == "transformers-5" and prompt.numel():
        return prompt[:, -1:] + torch.arange(1, count + 1)
    start = int(prompt.max()) + 1 if prompt.numel() else 0
    return torch.arange(start, start + count).expand(3, -1)


def overtaken(positions: Tensor, media: Sequence[int | None]) -> Tensor:
    """Where an earlier media already holds an id as large on the same axis: bool (3, tokens).

    By the paper's rule nowhere. A rotary product sees differences of ids, so such a token stands before, not after, a
    part of that media.

    Args:
        positions: (3, tokens).
        media: of each token, which media it belongs to, or None; those of a media stand together.
    """
    found = torch.zeros_like(positions, dtype=torch.bool)
    reached = positions.new_full((3, 1), -1)
    edges = [0, *(place for place in range(1, len(media)) if media[place] != media[place - 1]), len(media)]
    for start, end in pairwise(edges):
        span = positions[:, start:end]
        found[:, start:end] = span <= reached
        if end > start and media[start] is not None:
            reached = torch.maximum(reached, span.amax(dim=1, keepdim=True))
    return found
