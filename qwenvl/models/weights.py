"""Translates published tensor names to ours and back, and puts tensors into a model, strictly.

Knows names and shapes; reads no config and builds no model. `{}` in a table stands for the number of a block.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import product

import torch
from torch import Tensor

from qwenvl.errors import CheckpointError
from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.qwen_vl import QwenVL

QWEN_VL_NAMES = {
    "transformer.wte": "language.embed",
    "transformer.h.{}.ln_1": "language.blocks.{}.norm1",
    "transformer.h.{}.attn.c_attn": "language.blocks.{}.qkv",
    "transformer.h.{}.attn.c_proj": "language.blocks.{}.out",
    "transformer.h.{}.ln_2": "language.blocks.{}.norm2",
    "transformer.h.{}.mlp.w1": "language.blocks.{}.mlp.up",
    "transformer.h.{}.mlp.w2": "language.blocks.{}.mlp.gate",
    "transformer.h.{}.mlp.c_proj": "language.blocks.{}.mlp.down",
    "transformer.ln_f": "language.norm",
    "lm_head": "language.head",
    "transformer.visual.conv1": "vision.patch_embed",
    "transformer.visual.positional_embedding": "vision.positions",
    "transformer.visual.ln_pre": "vision.norm",
    "transformer.visual.transformer.resblocks.{}.ln_1": "vision.blocks.{}.norm1",
    "transformer.visual.transformer.resblocks.{}.attn.in_proj": "vision.blocks.{}.qkv",
    "transformer.visual.transformer.resblocks.{}.attn.out_proj": "vision.blocks.{}.out",
    "transformer.visual.transformer.resblocks.{}.ln_2": "vision.blocks.{}.norm2",
    "transformer.visual.transformer.resblocks.{}.mlp.c_fc": "vision.blocks.{}.mlp.up",
    "transformer.visual.transformer.resblocks.{}.mlp.c_proj": "vision.blocks.{}.mlp.down",
    "transformer.visual.attn_pool.query": "adapter.query",
    "transformer.visual.attn_pool.pos_embed": "adapter.positions",
    "transformer.visual.attn_pool.kv_proj": "adapter.widen",
    "transformer.visual.attn_pool.ln_q": "adapter.norm_query",
    "transformer.visual.attn_pool.ln_kv": "adapter.norm_patch",
    "transformer.visual.attn_pool.attn.in_proj_weight": "adapter.qkv.weight",
    "transformer.visual.attn_pool.attn.in_proj_bias": "adapter.qkv.bias",
    "transformer.visual.attn_pool.attn.out_proj": "adapter.out",
    "transformer.visual.ln_post": "adapter.norm_out",
    "transformer.visual.proj": "adapter.projection",
}

QWEN2_VL_NAMES = {
    "visual.patch_embed.proj": "vision.patch_embed",
    "visual.blocks.{}.norm1": "vision.blocks.{}.norm1",
    "visual.blocks.{}.attn.qkv": "vision.blocks.{}.qkv",
    "visual.blocks.{}.attn.proj": "vision.blocks.{}.out",
    "visual.blocks.{}.norm2": "vision.blocks.{}.norm2",
    "visual.blocks.{}.mlp.fc1": "vision.blocks.{}.mlp.up",
    "visual.blocks.{}.mlp.fc2": "vision.blocks.{}.mlp.down",
    "visual.merger.ln_q": "adapter.norm",
    "visual.merger.mlp.0": "adapter.up",
    "visual.merger.mlp.2": "adapter.down",
    "model.embed_tokens": "language.embed",
    "model.layers.{}.input_layernorm": "language.blocks.{}.norm1",
    "model.layers.{}.self_attn.q_proj": "language.blocks.{}.query",
    "model.layers.{}.self_attn.k_proj": "language.blocks.{}.key",
    "model.layers.{}.self_attn.v_proj": "language.blocks.{}.value",
    "model.layers.{}.self_attn.o_proj": "language.blocks.{}.out",
    "model.layers.{}.post_attention_layernorm": "language.blocks.{}.norm2",
    "model.layers.{}.mlp.gate_proj": "language.blocks.{}.mlp.gate",
    "model.layers.{}.mlp.up_proj": "language.blocks.{}.mlp.up",
    "model.layers.{}.mlp.down_proj": "language.blocks.{}.mlp.down",
    "model.norm": "language.norm",
    "lm_head": "language.head",
}

NAMES = {"qwen-vl": QWEN_VL_NAMES, "qwen2-vl": QWEN2_VL_NAMES}

# Buffers that some versions saved and nobody needs: they follow from the config.
COMPUTED = re.compile(r"(^|\.)(rotary_pos_emb|rotary_emb)\.inv_freq$")


def renamed(name: str, table: Mapping[str, str]) -> str | None:
    """`name` through a table; a row names a whole tensor, or a module whose `.weight` and `.bias` go along."""
    for (old, new), tail in product(table.items(), ("", ".weight", ".bias")):
        match = re.fullmatch(re.escape(old).replace(r"\{\}", r"(\d+)") + re.escape(tail), name)
        if match:
            return new.format(*match.groups()) + tail
    return None


def our_name(published: str, family: str) -> str | None:
    """Our name of a published tensor: legacy or new spelling, None where there is none."""
    if family == "qwen2-vl":
        published = published.removeprefix("model.") if published.startswith("model.visual.") else published
        published = re.sub(r"^model\.language_model\.", "model.", published)
    return renamed(published, NAMES[family])


def published_name(ours: str, family: str) -> str:
    """The published name of one of our tensors.

    Raises:
        KeyError: no such tensor.
    """
    name = renamed(ours, {new: old for old, new in NAMES[family].items()})
    if name is None:
        raise KeyError(ours)
    return name


def published_state(model: QwenVL | Qwen2VL) -> dict[str, Tensor]:
    """The tensors of a model under their published names, as a checkpoint of it would hold them."""
    family = model.config.family
    return {published_name(name, family): tensor for name, tensor in model.state_dict().items()}


def our_tensors(published: Iterable[tuple[str, Tensor]], family: str, *, tied: bool) -> Iterator[tuple[str, Tensor]]:
    """Rename a checkpoint's tensors one by one.

    Raises:
        CheckpointError: a name that the family does not have.
    """
    for name, tensor in published:
        if COMPUTED.search(name):
            continue
        ours = our_name(name, family)
        if ours is None:
            raise CheckpointError(f"The checkpoint holds {name!r}, which a {family} model does not have.")
        if not (tied and ours == "language.head.weight"):
            yield ours, tensor


def settle_tie(tensors: dict[str, Tensor]) -> bool:
    """Whether the embedding serves as the language head of a Qwen2-VL whose config says so, as transformers decides:
    not where the checkpoint holds another head. Takes away the head where it is the same; one alone serves as both.

    Args:
        tensors: by our names; changed in place.
    """
    head, embedding = tensors.get("language.head.weight"), tensors.get("language.embed.weight")
    if head is None:
        return True
    if embedding is not None and not torch.equal(head, embedding):
        return False
    tensors["language.embed.weight"] = tensors.pop("language.head.weight")
    return True


def check_tensors(model: QwenVL | Qwen2VL, tensors: Mapping[str, Tensor]) -> None:
    """Every tensor of the model there, of its shape, and no other.

    Raises:
        CheckpointError: names the first tensor, under its published name, that is missing, unknown or misshapen.
    """
    family, expected = model.config.family, model.state_dict()
    for name, parameter in expected.items():
        if name not in tensors:
            raise CheckpointError(f"The checkpoint lacks {published_name(name, family)!r}.")
        if tensors[name].shape != parameter.shape:
            found, wanted = tuple(tensors[name].shape), tuple(parameter.shape)
            raise CheckpointError(
                f"{published_name(name, family)!r} has shape {found} in the checkpoint; config.json asks for {wanted}."
            )
    for name in tensors:
        if name not in expected:
            raise CheckpointError(
                f"The checkpoint holds {published_name(name, family)!r}, for which config.json has no place."
            )
