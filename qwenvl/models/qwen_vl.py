"""Defines all of Qwen-VL (2308.12966), top to bottom: Vision, Adapter, Language, QwenVL.

Tensors in, tensors out. Knows no picture, no tokenizer, no file and no screen. Every picture is a square of fixed size
and becomes exactly `num_queries` visual tokens, at plain consecutive positions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qwenvl.models.config import QwenVLConfig, QwenVLLanguageConfig, QwenVLVisionConfig
from qwenvl.models.layers import Attend, BlockCache, KVCache, RMSNorm, left_pads, on_rows
from qwenvl.models.rope import Rotation, logn_scale, ntk_alpha, ntk_theta, rope_1d, rotate
from qwenvl.models.trace import Causal, Tap

NORM_EPS = 1e-6  # of the vision tower and the adapter; the published code fixes it


def resize_table(table: Tensor, side: int) -> Tensor:
    """A square table of positions (rows, dim) stretched to side x side rows, bicubic without antialias, in float32."""
    old_side = int(len(table) ** 0.5)
    if old_side == side:
        return table
    square = table.float().unflatten(0, (old_side, old_side)).permute(2, 0, 1)[None]
    square = F.interpolate(square, size=(side, side), mode="bicubic", align_corners=False)
    return square[0].flatten(1).T.to(table.dtype)


def position_code(side: int, dim: int) -> Tensor:
    """The adapter's 2-D sin-cos code: first half the column, second half the row; (side * side, dim) float32."""
    frequencies = 1.0 / 10000 ** (torch.arange(dim // 4, dtype=torch.float64) / (dim / 4))
    angles = torch.arange(side, dtype=torch.float64)[:, None] * frequencies
    code = torch.cat((angles.sin(), angles.cos()), dim=1)
    columns, rows = code.repeat(side, 1), code.repeat_interleave(side, dim=0)
    return torch.cat((columns, rows), dim=1).float()


class VisionMLP(nn.Module):
    """Two linear layers around GELU."""

    def __init__(self, dim: int, mlp_dim: int) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(dim, mlp_dim), nn.Linear(mlp_dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """(pictures, patches, dim) to the same."""
        return self.down(F.gelu(self.up(x)))


class VisionBlock(nn.Module):
    """Pre-norm block; every patch of a picture sees every other."""

    def __init__(self, config: QwenVLVisionConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.norm1 = nn.LayerNorm(config.dim, eps=NORM_EPS)
        self.qkv = nn.Linear(config.dim, 3 * config.dim)
        self.attend = Attend()
        self.out = nn.Linear(config.dim, config.dim)
        self.norm2 = nn.LayerNorm(config.dim, eps=NORM_EPS)
        self.mlp = VisionMLP(config.dim, config.mlp_dim)

    def forward(self, x: Tensor) -> Tensor:
        """(pictures, patches, dim) to the same."""
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))

    def attention(self, x: Tensor) -> Tensor:
        """(pictures, patches, dim) to the same. The checkpoint packs q, k and v head by head."""
        q, k, v = self.qkv(x).unflatten(-1, (self.num_heads, -1)).transpose(1, 2).chunk(3, dim=-1)
        return self.out(self.attend(q, k, v))


class Vision(nn.Module):
    """The fixed-resolution ViT with a table of absolute positions; no class token, no last norm (section 2.1)."""

    def __init__(self, config: QwenVLVisionConfig) -> None:
        super().__init__()
        self.patch_embed = nn.Conv2d(3, config.dim, config.patch_size, stride=config.patch_size, bias=False)
        self.positions = nn.Parameter(torch.zeros(config.position_side**2, config.dim))
        self.norm = nn.LayerNorm(config.dim, eps=NORM_EPS)
        self.blocks = nn.ModuleList(VisionBlock(config) for _ in range(config.num_blocks))

    def forward(self, images: Tensor) -> Tensor:
        """(pictures, 3, size, size) to (pictures, patches, dim), patches row by row."""
        x = self.patch_embed(images.to(self.patch_embed.weight.dtype))
        side = x.shape[-1]
        x = self.norm(x.flatten(2).transpose(1, 2) + resize_table(self.positions, side))
        for block in self.blocks:
            x = block(x)
        return x


class Adapter(nn.Module):
    """The position-aware adapter: learned queries read the patches by one cross-attention (section 2.1).

    Positions are added to queries and keys after their norms; values carry none.
    """

    def __init__(self, config: QwenVLConfig) -> None:
        super().__init__()
        dim, num_queries = config.language.dim, config.adapter.num_queries
        self.num_heads = config.adapter.num_heads
        self.query = nn.Parameter(torch.zeros(num_queries, dim))
        table = torch.zeros(num_queries, dim)  # on the meta device no code is computed: a second's worth of imports
        self.positions = nn.Parameter(
            table if table.is_meta else position_code(config.adapter.query_side, dim), requires_grad=False
        )
        same_width = config.vision.dim == dim
        self.widen = nn.Identity() if same_width else nn.Linear(config.vision.dim, dim, bias=False)
        self.norm_query = nn.LayerNorm(dim, eps=NORM_EPS)
        self.norm_patch = nn.LayerNorm(dim, eps=NORM_EPS)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.attend = Attend()
        self.out = nn.Linear(dim, dim)
        self.norm_out = nn.LayerNorm(dim, eps=NORM_EPS)
        self.projection = nn.Parameter(torch.zeros(dim, dim).fill_diagonal_(1))

    def forward(self, x: Tensor) -> Tensor:
        """(pictures, patches, vision dim) to (pictures, queries, dim)."""
        patches = self.norm_patch(self.widen(x))
        q, k, v = self.project(
            self.norm_query(self.query) + self.positions,
            patches + resize_table(self.positions, int(x.shape[1] ** 0.5)),
            patches,
        )
        mixed = self.attend(q.expand(len(x), -1, -1, -1), k, v)
        return self.norm_out(self.out(mixed)) @ self.projection

    def project(self, query: Tensor, key: Tensor, value: Tensor) -> list[Tensor]:
        """Each (..., rows, dim) through its third of the packed projection, to (pictures, heads, rows, head_dim)."""
        weights, biases = self.qkv.weight.chunk(3), self.qkv.bias.chunk(3)
        return [
            F.linear(part if part.dim() == 3 else part[None], weight, bias)
            .unflatten(-1, (self.num_heads, -1))
            .transpose(1, 2)
            for part, weight, bias in zip((query, key, value), weights, biases, strict=True)
        ]


class LanguageMLP(nn.Module):
    """down(up x * silu(gate x))."""

    def __init__(self, dim: int, mlp_dim: int) -> None:
        super().__init__()
        self.up = nn.Linear(dim, mlp_dim, bias=False)
        self.gate = nn.Linear(dim, mlp_dim, bias=False)
        self.down = nn.Linear(mlp_dim, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, dim) to the same."""
        return self.down(self.up(x) * F.silu(self.gate(x)))


class LanguageBlock(nn.Module):
    """Pre-norm decoder block. Queries beyond the trained length are sharpened by log-n."""

    def __init__(self, config: QwenVLLanguageConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.norm1 = RMSNorm(config.dim, config.norm_eps)
        self.qkv = nn.Linear(config.dim, 3 * config.dim)
        self.attend = Attend()
        self.out = nn.Linear(config.dim, config.dim, bias=False)
        self.norm2 = RMSNorm(config.dim, config.norm_eps)
        self.mlp = LanguageMLP(config.dim, config.mlp_dim)

    def forward(
        self, x: Tensor, rotation: Rotation, logn: Tensor | None, mask: Causal, cache: BlockCache | None
    ) -> Tensor:
        """(batch, tokens, dim) to the same; rotation (tokens, head_dim), logn (tokens, 1)."""
        x = x + self.attention(self.norm1(x), rotation, logn, mask, cache)
        return x + self.mlp(self.norm2(x))

    def attention(
        self, x: Tensor, rotation: Rotation, logn: Tensor | None, mask: Causal, cache: BlockCache | None
    ) -> Tensor:
        """(batch, tokens, dim) to the same. Rotary embedding is done in float32, whatever the dtype."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        q, k = (rotate(part.float(), *rotation).to(v.dtype) for part in (q, k))
        if logn is not None:
            q = q * logn.to(q.dtype)
        if cache is not None:
            k, v = cache.append(k, v)
        return self.out(self.attend(q, k, v, mask))


class Language(nn.Module):
    """The Qwen-7B decoder: 1-D rotary embedding, stretched by dynamic NTK for prompts beyond the trained length."""

    def __init__(self, config: QwenVLLanguageConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab_size, config.dim)
        self.positions = Tap()
        self.blocks = nn.ModuleList(LanguageBlock(config) for _ in range(config.num_blocks))
        self.norm = RMSNorm(config.dim, config.norm_eps)
        self.head = nn.Linear(config.dim, config.vocab_size, bias=False)

    def forward(
        self, x: Tensor, positions: Tensor, ntk_alpha: float, mask: Causal, cache: KVCache | None = None
    ) -> Tensor:
        """Embeddings (batch, tokens, dim) at positions (tokens,) to hidden states after the last norm."""
        positions = self.positions(positions)
        config = self.config
        rotation = rope_1d(positions, config.head_dim, ntk_theta(config.rope_theta, ntk_alpha, config.head_dim))
        logn = self.logn(positions, positions.shape[0] + (len(cache) if cache is not None else 0))
        for index, block in enumerate(self.blocks):
            x = block(x, rotation, logn, mask, cache.blocks[index] if cache is not None else None)
        return self.norm(x)

    def logn(self, positions: Tensor, num_tokens: int) -> Tensor | None:
        """Factors (tokens, 1), or None where no position of so many tokens is beyond the trained length."""
        if not self.config.logn or num_tokens <= self.config.train_length:
            return None
        return logn_scale(positions, self.config.train_length)[:, None]

    def logits(self, x: Tensor) -> Tensor:
        """(batch, tokens, dim) to (batch, tokens, vocab)."""
        return on_rows(self.head, x)


class QwenVL(nn.Module):
    """Vision, adapter and language joined: adapter queries take the slots between `<img>` and `</img>`."""

    def __init__(self, config: QwenVLConfig) -> None:
        super().__init__()
        self.config = config
        self.vision = Vision(config.vision)
        self.adapter = Adapter(config)
        self.language = Language(config.language)

    def forward(
        self,
        input_ids: Tensor,
        images: Tensor | None = None,
        attention_mask: Tensor | None = None,
        ntk_alpha: float | None = None,
        cache: KVCache | None = None,
        last: int | None = None,
    ) -> Tensor:
        """One pass over a prompt, or over the tokens that follow a cached one.

        Args:
            input_ids: int64 (batch, tokens).
            images: (pictures, 3, size, size), in the order of their `<img>` over the batch.
            attention_mask: (batch, tokens), 0 on left padding; without a cache only. Padding shifts positions, as
                published.
            ntk_alpha: the stretch of dynamic NTK; None takes the prompt's own. A replay of prompt and answer passes the
                prompt's, since a cached prompt keeps its stretch while it decodes.
            cache: what came before; this pass is appended to it.
            last: how many positions, from the end, get logits; None for all.

        Returns:
            Logits, (batch, tokens, vocab), or (batch, last, vocab).

        Raises:
            ValueError: pictures and slots do not match, or pictures follow after a cached prompt.
        """
        pads = left_pads(attention_mask) or (cache.pads if cache is not None else ())
        start = len(cache) if cache is not None else 0
        if start and images is not None:
            raise ValueError("Pictures enter with the prompt, not after a cached prompt.")
        x = self.language.embed(input_ids)
        if start == 0:
            x = self.splice(x, input_ids, images)
        if ntk_alpha is None:
            ntk_alpha = self.stretch(input_ids.shape[1], cache)
        if cache is not None:
            cache.ntk_alpha, cache.pads = ntk_alpha, pads
        positions = torch.arange(start, start + input_ids.shape[1], device=input_ids.device)
        x = self.language(x, positions, ntk_alpha, Causal(pads=pads), cache)
        return self.language.logits(x if last is None else x[:, -last:])

    def stretch(self, num_tokens: int, cache: KVCache | None = None) -> float:
        """The dynamic NTK alpha of a prompt of this length, or of the prompt that was cached."""
        if cache is not None and cache.ntk_alpha is not None:
            return cache.ntk_alpha
        language = self.config.language
        return ntk_alpha(num_tokens, language.train_length) if language.dynamic_ntk else 1.0

    def splice(self, x: Tensor, input_ids: Tensor, images: Tensor | None) -> Tensor:
        """Encode the pictures and put their queries into the slots of embeddings (batch, tokens, dim)."""
        starts = (input_ids == self.config.image_start_id).nonzero()
        ends = (input_ids == self.config.image_end_id).nonzero()
        num_queries, count = self.config.adapter.num_queries, 0 if images is None else len(images)
        if len(starts) != count:
            raise ValueError(f"input_ids has {len(starts)} <img> for {count} pictures.")
        if len(ends) != len(starts) or bool((ends - starts != ends.new_tensor([0, num_queries + 1])).any()):
            raise ValueError(f"Each <img> needs {num_queries} slots and then </img>.")
        if images is None:
            return x
        x = x.clone()
        for (row, start), queries in zip(starts.tolist(), self.adapter(self.vision(images)), strict=True):
            x[row, start + 1 : start + 1 + num_queries] = queries
        return x

    def tap_sizes(self, input_ids: Tensor, images: Tensor | None = None, **rest: object) -> dict[str, int]:
        """Bytes that each query and key tap will hold in a forward pass with these arguments and no cache."""
        element = self.language.embed.weight.element_size()
        config, count = self.config, 0 if images is None else len(images)
        patches = count * config.vision.grid_side**2
        sizes = dict.fromkeys(_taps("vision", self.vision.blocks), patches * config.vision.dim * element)
        sizes["adapter.attend.q"] = count * config.adapter.num_queries * config.language.dim * element
        sizes["adapter.attend.k"] = patches * config.language.dim * element
        tokens = input_ids.numel() * config.language.dim * element
        return sizes | dict.fromkeys(_taps("language", self.language.blocks), tokens)


def _taps(part: str, blocks: nn.ModuleList) -> list[str]:
    return [f"{part}.blocks.{index}.attend.{tap}" for index in range(len(blocks)) for tap in ("q", "k")]
