"""Initialises a twin's weights so that training begins with edges, neighbours and places already seen.

Patch embeddings are principal components of patches; the heads of the first blocks of the vision tower look at
neighbouring patches; each of Qwen-VL's 256 queries looks at the patches of its own place. All may change in training.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.qwen_vl import QwenVL

# (rows, columns) that each head of a block looks away by; later blocks begin without.
OFFSETS = (
    ((0, 1), (0, -1), (1, 0), (-1, 0)),
    ((1, 1), (1, -1), (-1, 1), (-1, -1)),
    ((0, 2), (0, -2), (2, 0), (-2, 0)),
)
PLACE_FREQUENCIES = (2.0, 1.0, 0.5, 0.25)
PLACE_DIMS = 4 * len(PLACE_FREQUENCIES)
SHARPNESS = 6.0


def draw_weights(model: QwenVL | Qwen2VL) -> None:
    """Random weights; what adds to the residual stream begins at nothing."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.6 * module.in_features**-0.5)
            if name.endswith((".out", "mlp.down")) and "adapter" not in name:
                nn.init.zeros_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.7)
    if model.language.head is not None:
        nn.init.normal_(model.language.head.weight, std=0.02)


@torch.no_grad()
def principal_filters(patches: Tensor, count: int) -> Tensor:
    """Whitened principal components of patches (patches, values), as filters (count, values)."""
    centred = patches - patches.mean(dim=0)
    covariance = centred.T @ centred / len(patches)
    values, vectors = torch.linalg.eigh(covariance)
    values, vectors = values.flip(0)[:count], vectors.flip(1)[:, :count]
    return (vectors / (values + 0.01 * values[0]).sqrt()).T


@torch.no_grad()
def begin_qwen2_vl(model: Qwen2VL, pixels: Tensor) -> None:
    """Set up the vision tower of Qwen2-VL from some `pixel_values` (patches, 1176) of stills."""
    weight = model.vision.patch_embed.weight
    dim, moving = len(weight), len(weight) // 4
    still = pixels.unflatten(1, (3, 2, -1))[:, :, 0].flatten(1)
    filters = principal_filters(still, dim - moving).unflatten(1, (3, 14, 14))
    weight[: dim - moving] = filters[:, :, None].expand(-1, -1, 2, -1, -1) / 2
    weight[dim - moving :, :, 0], weight[dim - moving :, :, 1] = -filters[:moving], filters[:moving]
    head_dim = dim // model.config.vision.num_heads
    frequencies = 1 / 10000 ** (torch.arange(0, head_dim // 2, 2).float() / (head_dim // 2))
    strength = torch.where(frequencies > 0.3, 4.7, 0.0)
    blocks: Any = model.vision.blocks
    for block, offsets in zip(blocks, OFFSETS, strict=False):
        q, k = block.qkv.bias[: 2 * dim].view(2, -1, head_dim)
        for head, (down, right) in enumerate(offsets):
            angles = torch.cat((frequencies * down, frequencies * right))
            size = strength.repeat(2)
            q[head] = torch.cat((size, torch.zeros_like(size)))
            k[head] = torch.cat((size * angles.cos(), -size * angles.sin()))
    nn.init.normal_(model.adapter.down.weight, std=2.0 * model.adapter.merged_dim**-0.5)


def place_code(side: int) -> Tensor:
    """Sines and cosines of row and column, (side * side, PLACE_DIMS)."""
    places = torch.arange(side).float()
    angles = places[:, None] * torch.tensor(PLACE_FREQUENCIES)
    code = torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)
    return torch.cat((code.repeat_interleave(side, dim=0), code.repeat(side, 1)), dim=1)


def shift_code(down: float, right: float) -> Tensor:
    """The matrix that turns the code of a place into that of the place (down, right) before it."""
    turn = torch.zeros(PLACE_DIMS, PLACE_DIMS)
    for index, (step, frequency) in enumerate((s, f) for s in (down, right) for f in PLACE_FREQUENCIES):
        cos, sin = math.cos(frequency * step), math.sin(frequency * step)
        turn[2 * index : 2 * index + 2, 2 * index : 2 * index + 2] = torch.tensor([[cos, -sin], [sin, cos]])
    return turn


@torch.no_grad()
def begin_qwen_vl(model: QwenVL, images: Tensor) -> None:
    """Set up the vision tower and the adapter of Qwen-VL from some images (pictures, 3, side, side)."""
    vision, dim = model.vision, model.config.vision.dim
    patches = images.unfold(2, 14, 14).unfold(3, 14, 14).permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(0, 2)
    weight = vision.patch_embed.weight
    weight.zero_()
    weight[PLACE_DIMS:] = principal_filters(patches, dim - PLACE_DIMS).unflatten(1, (3, 14, 14))
    vision.positions.zero_()
    vision.positions[:, :PLACE_DIMS] = 1.5 * place_code(model.config.vision.position_side)
    hold_places(model)
    _begin_adapter(model, images)


@torch.no_grad()
def hold_places(model: QwenVL) -> None:
    """Keep Qwen-VL's vision tower local: nothing writes over the code of a place, and heads go on looking beside it.

    An absolute table gives no head a lasting sense of "the patch to the left"; without this, training loses it.
    """
    blocks: Any = model.vision.blocks
    head_dim = model.config.vision.dim // model.config.vision.num_heads
    for block in blocks:
        for layer in (block.out, block.mlp.down):
            layer.weight[:PLACE_DIMS], layer.bias[:PLACE_DIMS] = 0, 0
    for block, offsets in zip(blocks, OFFSETS, strict=False):
        for head, (down, right) in enumerate(offsets):
            rows = slice(head * 3 * head_dim, head * 3 * head_dim + 2 * head_dim)
            q, k = block.qkv.weight[rows].split(head_dim)
            q[:PLACE_DIMS], k[:PLACE_DIMS] = 0, 0
            q[:PLACE_DIMS, :PLACE_DIMS] = SHARPNESS * torch.eye(PLACE_DIMS)
            k[:PLACE_DIMS, :PLACE_DIMS] = SHARPNESS * shift_code(down, right)
            block.qkv.bias[rows].unflatten(0, (2, head_dim))[:, :PLACE_DIMS] = 0


def _begin_adapter(model: QwenVL, images: Tensor) -> None:
    """Queries and keys fitted by least squares to name row and column; values pass on what they are given."""
    adapter, dim = model.adapter, model.config.language.dim
    side = model.config.adapter.query_side
    nn.init.normal_(adapter.query, std=0.02)
    keys = adapter.norm_patch(adapter.widen(model.vision(images))) + adapter.positions
    queries = adapter.norm_query(adapter.query) + adapter.positions
    eye = torch.eye(side)
    target = torch.cat((eye.repeat_interleave(side, dim=0), eye.repeat(side, 1)), dim=1) - 1 / side
    weights, biases = adapter.qkv.weight, adapter.qkv.bias
    head_dim = dim // adapter.num_heads
    sharp = (30 * head_dim**0.5) ** 0.5
    for head in range(adapter.num_heads):
        for start, rows, wanted in (
            (0, queries, target),
            (dim, keys.flatten(0, 1), target.repeat(len(images), 1)),
        ):
            place = slice(start + head * head_dim, start + head * head_dim + 2 * side)
            weights[start + head * head_dim : start + (head + 1) * head_dim] = 0
            weights[place] = sharp * ridge(rows, wanted).T
            biases[place] = 0
    nn.init.orthogonal_(weights[2 * dim :])
    adapter.out.weight.copy_(weights[2 * dim :].T)


def ridge(rows: Tensor, wanted: Tensor, strength: float = 1e-3) -> Tensor:
    """The matrix (columns, targets) that maps rows to what is wanted."""
    gram = rows.T @ rows / len(rows)
    return torch.linalg.solve(gram + strength * torch.eye(len(gram)), rows.T @ wanted / len(rows))
