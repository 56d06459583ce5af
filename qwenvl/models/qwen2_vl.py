"""Defines all of Qwen2-VL (2409.12191), top to bottom: Vision, Adapter, Language, Qwen2VL.

Tensors in, tensors out. Knows no picture, no tokenizer, no file and no screen. Pictures and clips take one path: a
still is a clip of one temporal patch, and every media is a (t, h, w) grid in one packed sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qwenvl.models.config import Qwen2VLConfig, Qwen2VLLanguageConfig, Qwen2VLVisionConfig
from qwenvl.models.layers import Attend, BlockCache, KVCache, RMSNorm, left_pads, on_rows
from qwenvl.models.rope import (
    Grid,
    PositionRule,
    Rotation,
    multimodal_positions,
    patch_coordinates,
    rope_2d,
    rope_multimodal,
    rotate,
)
from qwenvl.models.trace import Causal, Mask, Segments, Tap

NORM_EPS = 1e-6  # of the vision tower and the adapter; the published code fixes it


class VisionMLP(nn.Module):
    """Two linear layers around quick GELU, x * sigmoid(1.702 x)."""

    def __init__(self, dim: int, mlp_dim: int) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(dim, mlp_dim), nn.Linear(mlp_dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """(patches, dim) to the same."""
        x = self.up(x)
        return self.down(x * torch.sigmoid(1.702 * x))


class VisionBlock(nn.Module):
    """Pre-norm block whose attention stays within a segment: one picture, or one temporal patch of a clip."""

    def __init__(self, config: Qwen2VLVisionConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.norm1 = nn.LayerNorm(config.dim, eps=NORM_EPS)
        self.qkv = nn.Linear(config.dim, 3 * config.dim)
        self.attend = Attend()
        self.out = nn.Linear(config.dim, config.dim)
        self.norm2 = nn.LayerNorm(config.dim, eps=NORM_EPS)
        self.mlp = VisionMLP(config.dim, config.mlp_dim)

    def forward(self, x: Tensor, rotation: Rotation, segments: Mask) -> Tensor:
        """(patches, dim) to the same; rotation (patches, head_dim)."""
        x = x + self.attention(self.norm1(x), rotation, segments)
        return x + self.mlp(self.norm2(x))

    def attention(self, x: Tensor, rotation: Rotation, segments: Mask) -> Tensor:
        """(patches, dim) to the same. Rotary embedding is done in float32, whatever the dtype."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.num_heads, -1)).permute(1, 2, 0, 3)
        q, k = (rotate(part.float(), *rotation).to(v.dtype) for part in (q, k))
        return self.out(self.attend(q[None], k[None], v[None], segments)[0])


class Vision(nn.Module):
    """The any-resolution ViT: 2-D rotary embedding, no position table, no class token (section 2.1)."""

    def __init__(self, config: Qwen2VLConfig) -> None:
        super().__init__()
        self.config = vision = config.vision
        tube = (vision.temporal_patch_size, vision.patch_size, vision.patch_size)
        self.patch_embed = nn.Conv3d(3, vision.dim, kernel_size=tube, stride=tube, bias=False)
        self.blocks = nn.ModuleList(VisionBlock(vision) for _ in range(vision.num_blocks))

    def forward(self, pixel_values: Tensor, grids: Sequence[Grid]) -> Tensor:
        """Packed patches (patches, channels * tube) of all media, and their (t, h, w) grids, to (patches, dim)."""
        weight = self.patch_embed.weight
        x = F.linear(
            pixel_values.to(weight.dtype), weight.flatten(1)
        )  # kernel = stride: the convolution is one product
        rotation, segments = self.rotation(grids), Segments(lengths=segment_lengths(grids))
        for block in self.blocks:
            x = block(x, rotation, segments)
        return x

    def rotation(self, grids: Sequence[Grid]) -> Rotation:
        """The 2-D rotation of every patch: (patches, head_dim) each."""
        head_dim, device = self.config.dim // self.config.num_heads, self.patch_embed.weight.device
        coordinates = torch.cat([patch_coordinates(grid, self.config.merge_size, device) for grid in grids])
        return rope_2d(coordinates, head_dim, self.config.rope_theta)


def segment_lengths(grids: Sequence[Grid]) -> tuple[int, ...]:
    """Patches of each temporal patch of each media: where attention ends."""
    return tuple(h * w for t, h, w in grids for _ in range(t))


class Adapter(nn.Module):
    """The patch merger: four neighbouring patches become one visual token. No attention, and no choice."""

    def __init__(self, config: Qwen2VLConfig) -> None:
        super().__init__()
        self.merged_dim = config.vision.dim * config.vision.merge_size**2
        self.norm = nn.LayerNorm(config.vision.dim, eps=NORM_EPS)
        self.up = nn.Linear(self.merged_dim, self.merged_dim)
        self.down = nn.Linear(self.merged_dim, config.language.dim)

    def forward(self, x: Tensor) -> Tensor:
        """(patches, vision dim) in the processor's order to (patches / 4, language dim)."""
        return self.down(F.gelu(self.up(self.norm(x).view(-1, self.merged_dim))))


class LanguageMLP(nn.Module):
    """down(silu(gate x) * up x)."""

    def __init__(self, dim: int, mlp_dim: int) -> None:
        super().__init__()
        self.gate = nn.Linear(dim, mlp_dim, bias=False)
        self.up = nn.Linear(dim, mlp_dim, bias=False)
        self.down = nn.Linear(mlp_dim, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, dim) to the same."""
        return self.down(F.silu(self.gate(x)) * self.up(x))


class LanguageBlock(nn.Module):
    """Pre-norm decoder block with grouped key heads."""

    def __init__(self, config: Qwen2VLLanguageConfig) -> None:
        super().__init__()
        self.head_dim = config.head_dim
        self.norm1 = RMSNorm(config.dim, config.norm_eps)
        self.query = nn.Linear(config.dim, config.num_heads * config.head_dim)
        self.key = nn.Linear(config.dim, config.num_kv_heads * config.head_dim)
        self.value = nn.Linear(config.dim, config.num_kv_heads * config.head_dim)
        self.attend = Attend()
        self.out = nn.Linear(config.num_heads * config.head_dim, config.dim, bias=False)
        self.norm2 = RMSNorm(config.dim, config.norm_eps)
        self.mlp = LanguageMLP(config.dim, config.mlp_dim)

    def forward(self, x: Tensor, rotation: Rotation, mask: Causal, cache: BlockCache | None) -> Tensor:
        """(batch, tokens, dim) to the same; rotation (batch, tokens, head_dim)."""
        x = x + self.attention(self.norm1(x), rotation, mask, cache)
        return x + self.mlp(self.norm2(x))

    def attention(self, x: Tensor, rotation: Rotation, mask: Causal, cache: BlockCache | None) -> Tensor:
        """(batch, tokens, dim) to the same."""
        q, k, v = (
            part(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        cos, sin = (part[:, None].to(x.dtype) for part in rotation)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if cache is not None:
            k, v = cache.append(k, v)
        return self.out(self.attend(q, k, v, mask))


class Language(nn.Module):
    """The Qwen2 decoder with M-RoPE."""

    def __init__(self, config: Qwen2VLLanguageConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab_size, config.dim)
        self.positions = Tap()
        self.blocks = nn.ModuleList(LanguageBlock(config) for _ in range(config.num_blocks))
        self.norm = RMSNorm(config.dim, config.norm_eps)
        self.head = None if config.tied else nn.Linear(config.dim, config.vocab_size, bias=False)

    def forward(self, x: Tensor, positions: Tensor, mask: Causal, cache: KVCache | None = None) -> Tensor:
        """Embeddings (batch, tokens, dim) at positions (3, batch, tokens) to hidden states after the last norm."""
        positions = self.positions(positions)
        config = self.config
        rotation = rope_multimodal(
            positions, config.head_dim, config.rope_theta, config.rope_sections, config.rope_scaling
        )
        for index, block in enumerate(self.blocks):
            x = block(x, rotation, mask, cache.blocks[index] if cache is not None else None)
        return self.norm(x)

    def logits(self, x: Tensor) -> Tensor:
        """(batch, tokens, dim) to (batch, tokens, vocab)."""
        return on_rows(partial(F.linear, weight=self.embed.weight) if self.head is None else self.head, x)


class Qwen2VL(nn.Module):
    """Vision, adapter and language joined: visual tokens take the places of `<|image_pad|>` and `<|video_pad|>`."""

    def __init__(self, config: Qwen2VLConfig) -> None:
        super().__init__()
        self.config = config
        self.vision = Vision(config)
        self.adapter = Adapter(config)
        self.language = Language(config.language)

    def forward(
        self,
        input_ids: Tensor,
        pixel_values: Tensor | None = None,
        image_grid_thw: Tensor | None = None,
        pixel_values_videos: Tensor | None = None,
        video_grid_thw: Tensor | None = None,
        attention_mask: Tensor | None = None,
        positions: Tensor | None = None,
        cache: KVCache | None = None,
        last: int | None = None,
    ) -> Tensor:
        """One pass over a prompt, or over the tokens that follow a cached one.

        Args:
            input_ids: int64 (batch, tokens).
            pixel_values, pixel_values_videos: packed patches (patches, 1176) of all pictures, of all clips.
            image_grid_thw, video_grid_thw: int64 (media, 3), in patches, in the order of their tokens over the batch.
            attention_mask: (batch, tokens), 0 on left padding; without a cache only.
            positions: int64 (3, batch, tokens); None follows the paper's rule, and after a cached prompt goes on from
                the largest id in it.
            cache: what came before; this pass is appended to it.
            last: how many positions, from the end, get logits; None for all.

        Returns:
            Logits, (batch, tokens, vocab), or (batch, last, vocab).

        Raises:
            ValueError: visual tokens and features do not match, or media follow after a cached prompt.
        """
        image_grids, video_grids = as_grids(image_grid_thw), as_grids(video_grid_thw)
        start = len(cache) if cache is not None else 0
        if start and (image_grids or video_grids):
            raise ValueError("Pictures and clips enter with the prompt, not after a cached prompt.")
        pads = left_pads(attention_mask) or (cache.pads if cache is not None else ())
        if positions is None:
            positions = self.next_positions(input_ids, image_grids, video_grids, attention_mask, cache)
        if cache is not None and not start:
            cache.position_offset = positions.amax(dim=(0, 2))[:, None] + 1 - input_ids.shape[1]
            cache.pads = pads
        x = self.language.embed(input_ids)
        if image_grids or video_grids:
            patches = [part for part in (pixel_values, pixel_values_videos) if part is not None]
            visual = self.adapter(self.vision(torch.cat(patches), image_grids + video_grids))
            x = self.splice(x, input_ids, visual, num_image_tokens=self.count_tokens(image_grids))
        elif not start:
            x = self.splice(x, input_ids, x.new_zeros(0, x.shape[-1]), num_image_tokens=0)  # no place without its media
        x = self.language(x, positions, Causal(pads=pads), cache)
        return self.language.logits(x if last is None else x[:, -last:])

    def next_positions(
        self,
        input_ids: Tensor,
        image_grids: Sequence[Grid] = (),
        video_grids: Sequence[Grid] = (),
        attention_mask: Tensor | None = None,
        cache: KVCache | None = None,
        rule: PositionRule = "paper",
    ) -> Tensor:
        """The (t, h, w) ids of these tokens, (3, batch, tokens); after a cached prompt they go on from its largest."""
        if cache is not None and cache.position_offset is not None:
            new = torch.arange(len(cache), len(cache) + input_ids.shape[1], device=input_ids.device)
            return (new + cache.position_offset).expand(3, -1, -1)
        return multimodal_positions(
            input_ids,
            image_grids,
            video_grids,
            image_token_id=self.config.image_token_id,
            video_token_id=self.config.video_token_id,
            merge_size=self.config.vision.merge_size,
            attention_mask=attention_mask,
            rule=rule,
        )

    def splice(self, x: Tensor, input_ids: Tensor, visual: Tensor, num_image_tokens: int) -> Tensor:
        """Put visual tokens (visual tokens, dim), pictures first, into embeddings (batch, tokens, dim)."""
        parts = visual.split([num_image_tokens, len(visual) - num_image_tokens])
        for token_id, part in zip((self.config.image_token_id, self.config.video_token_id), parts, strict=True):
            places = input_ids == token_id
            if int(places.sum()) != len(part):
                raise ValueError(
                    f"input_ids has {int(places.sum())} places for the {len(part)} visual tokens of its media."
                )
            x = x.masked_scatter(places[..., None], part.to(x.dtype))
        return x

    def count_tokens(self, grids: Sequence[Grid]) -> int:
        """Visual tokens of these patch grids."""
        return sum(t * h * w for t, h, w in grids) // self.config.vision.merge_size**2

    def tap_sizes(
        self,
        input_ids: Tensor,
        pixel_values: Tensor | None = None,
        image_grid_thw: Tensor | None = None,
        pixel_values_videos: Tensor | None = None,
        video_grid_thw: Tensor | None = None,
        **rest: object,
    ) -> dict[str, int]:
        """Bytes that each query and key tap will hold in a forward pass with these arguments and no cache."""
        element = self.language.embed.weight.element_size()
        patches = sum(len(part) for part in (pixel_values, pixel_values_videos) if part is not None)
        sizes = dict.fromkeys(_taps("vision", self.vision.blocks), patches * self.config.vision.dim * element)
        language = self.config.language
        for index in range(len(self.language.blocks)):
            for tap, heads in (("q", language.num_heads), ("k", language.num_kv_heads)):
                name = f"language.blocks.{index}.attend.{tap}"
                sizes[name] = input_ids.numel() * heads * language.head_dim * element
        return sizes


def _taps(part: str, blocks: nn.ModuleList) -> list[str]:
    return [f"{part}.blocks.{index}.attend.{tap}" for index in range(len(blocks)) for tap in ("q", "k")]


def as_grids(grid_thw: Tensor | None) -> list[Grid]:
    """int64 (media, 3) to a list of (t, h, w)."""
    return [] if grid_thw is None else [(t, h, w) for t, h, w in grid_thw.tolist()]
