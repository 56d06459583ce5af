"""Qwen-VL's language model begun as Qwen2-VL's, so that only its eyes are new: the paper begins with a trained one too.

The two speak the same text ids; control tokens go by what they mean. A shared key head becomes one for each query head.
What differs for good is where visual tokens stand (plain ids, not rows and columns); training makes up for it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from qwenvl.qwen2_vl import LanguageBlock as SecondBlock
from qwenvl.qwen2_vl import Qwen2VL
from qwenvl.qwen_vl import LanguageBlock as FirstBlock
from qwenvl.qwen_vl import QwenVL
from qwenvl.tiny.vocabulary import RANKS, special_ids

SAME_MEANING = {
    "<|endoftext|>": "<|endoftext|>",
    "<|im_start|>": "<|im_start|>",
    "<|im_end|>": "<|im_end|>",
    "<ref>": "<|object_ref_start|>",
    "</ref>": "<|object_ref_end|>",
    "<box>": "<|box_start|>",
    "</box>": "<|box_end|>",
    "<img>": "<|vision_start|>",
    "</img>": "<|vision_end|>",
}


@torch.no_grad()
def inherit_language(model: QwenVL, other: Qwen2VL) -> None:
    """Copy the decoder of `other`, an untied Qwen2-VL of the same width, depth and heads, into `model`."""
    first, second = special_ids("qwen-vl"), special_ids("qwen2-vl")
    ours = [*range(RANKS), *(first[name] for name in SAME_MEANING)]
    theirs = [*range(RANKS), *(second[name] for name in SAME_MEANING.values())]
    assert other.language.head is not None
    model.language.embed.weight[ours] = other.language.embed.weight[theirs]
    model.language.head.weight[ours] = other.language.head.weight[theirs]
    model.language.norm.load_state_dict(other.language.norm.state_dict())
    for block, source in zip(model.language.blocks, other.language.blocks, strict=True):
        _inherit_block(block, source)  # type: ignore[arg-type]


def _inherit_block(block: FirstBlock, source: SecondBlock) -> None:
    for name in ("norm1", "norm2", "out", "mlp"):
        getattr(block, name).load_state_dict(getattr(source, name).state_dict())
    for kind in ("weight", "bias"):
        q, k, v = (
            getattr(part, kind).unflatten(0, (-1, source.head_dim)) for part in (source.query, source.key, source.value)
        )
        times = len(q) // len(k)
        heads = torch.cat((q, k.repeat_interleave(times, dim=0), v.repeat_interleave(times, dim=0)))
        getattr(block.qkv, kind).copy_(heads.flatten(0, 1))


@torch.no_grad()
def align_adapter(model: QwenVL, ours: Tensor, theirs: Tensor, strength: float = 1e-2) -> float:
    """Turn the adapter's last projection so that its tokens say what another tower's tokens say.

    Args:
        ours: what the adapter gives now, (tokens, dim).
        theirs: what the other tower gives for the same places, (tokens, dim).

    Returns:
        The share of the variance of `theirs` that is met.
    """
    gram = ours.T @ ours / len(ours)
    turn = torch.linalg.solve(
        gram + strength * gram.trace() / len(gram) * torch.eye(len(gram)), ours.T @ theirs / len(ours)
    )
    model.adapter.projection.copy_(model.adapter.projection @ turn)
    rest = theirs - ours @ turn
    return 1 - float(rest.square().sum() / (theirs - theirs.mean(dim=0)).square().sum())
