"""The decoders of both families written out from their weights, layer by layer, in float64, with places to intervene.

Not a line of the library's forward pass: attention is a softmax of an explicit matrix, rotary embedding is sines and
cosines of the ids. Visual tokens are taken as they enter the decoder. What a test changes, it changes here by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from qwenvl.inference.run import Run
from tests.support.tiny import tiny

Scores = Callable[[int, Tensor], Tensor]  # of a layer (heads, queries, keys), to the same
Heads = Callable[[int, Tensor], Tensor]  # what heads read in a layer (heads, tokens, head_dim), to the same
State = Callable[[int, Tensor], Tensor]  # after a layer (tokens, dim), to the same


def unchanged(layer: int, value: Tensor) -> Tensor:
    return value


def embeddings(run: Run, messages: Any) -> Tensor:
    """What enters the decoder, (tokens, dim): read off the plain model."""
    pipeline, seen = tiny(run.card.name), list[Tensor]()
    inputs = dict(pipeline.processor(messages).model_inputs)
    inputs["input_ids"] = torch.tensor([[token.id for token in run.tokens]])
    handle = pipeline.model.language.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.no_grad():
        pipeline.model(**inputs)
    handle.remove()
    return seen[0][0].double()


def rms_norm(x: Tensor, module: Any) -> Tensor:
    return module.weight.double() * x / (x.square().mean(-1, keepdim=True) + module.eps).sqrt()


def angles(run: Run) -> Tensor:
    """The angle of every token and pair of dimensions, (tokens, head_dim / 2), from the paper's ids."""
    language = run.config.language
    pairs = language.head_dim // 2
    speeds = language.rope_theta ** (-torch.arange(pairs, dtype=torch.float64) / pairs)
    axis = torch.zeros(pairs, dtype=torch.int64)
    if run.card.family == "qwen2-vl":
        axis = torch.repeat_interleave(torch.arange(3), torch.tensor(language.rope_sections))
    return run.positions[axis].T.double() * speeds


def rotated(x: Tensor, turn: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    cos, sin = turn.cos(), turn.sin()
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


def projected(block: Any, x: Tensor, family: str) -> list[Tensor]:
    """Queries, keys and values, (heads, tokens, head_dim) each."""
    if family == "qwen-vl":
        whole = F.linear(x, block.qkv.weight.double(), block.qkv.bias.double())
        return [part.unflatten(-1, (block.num_heads, -1)).transpose(0, 1) for part in whole.chunk(3, dim=-1)]
    parts = [F.linear(x, one.weight.double(), one.bias.double()) for one in (block.query, block.key, block.value)]
    split = [part.unflatten(-1, (-1, block.head_dim)).transpose(0, 1) for part in parts]
    return [split[0], *(part.repeat_interleave(len(split[0]) // len(part), dim=0) for part in split[1:])]


@torch.no_grad()
def eager_logits(
    run: Run, x: Tensor, *, scores: Scores = unchanged, heads: Heads = unchanged, state: State = unchanged
) -> tuple[Tensor, list[Tensor]]:
    """The logits of every token, (tokens, vocab), and the attention of every layer, (heads, queries, keys)."""
    language, maps = tiny(run.card.name).model.language, []
    turn, count = angles(run), len(x)
    seen = torch.ones(count, count).tril().bool()
    for layer, block in enumerate(language.blocks):
        q, k, v = projected(block, rms_norm(x, block.norm1), run.card.family)
        q, k = rotated(q, turn), rotated(k, turn)
        raw = scores(layer, (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).masked_fill(~seen, -torch.inf))
        maps.append(raw.softmax(dim=-1))
        read = heads(layer, maps[-1] @ v)
        x = x + F.linear(read.transpose(0, 1).flatten(1), block.out.weight.double())
        normed = rms_norm(x, block.norm2)
        up, gate = F.linear(normed, block.mlp.up.weight.double()), F.linear(normed, block.mlp.gate.weight.double())
        x = state(layer, x + F.linear(F.silu(gate) * up, block.mlp.down.weight.double()))
    table = language.embed.weight if language.head is None else language.head.weight
    return F.linear(rms_norm(x, language.norm), table.double()), maps
