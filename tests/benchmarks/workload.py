"""One Qwen2-VL at the 2B's widths and reduced depth, ours and transformers' on the same weights, and one prompt.

A benchmark's variants are forward passes over that prompt; what each keeps of its attention is what sets them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface
from transformers import Qwen2VLConfig as TheirConfig
from transformers import Qwen2VLForConditionalGeneration as Theirs
from transformers.models.qwen2_vl.modeling_qwen2_vl import eager_attention_forward

from qwenvl.models.config import QWEN2_VL_2B, Qwen2VLConfig
from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.trace import Trace
from qwenvl.models.weights import published_state

VISION_START, VISION_END, IMAGE, VIDEO = range(1000, 1004)
TEXT_TOKENS = 32  # around the picture
EVERYTHING = ("vision.blocks.*.attend.*", "language.blocks.*.attend.*")

Forward = Callable[[], Any]


def reduced(num_blocks: int) -> Qwen2VLConfig:
    """The 2B's widths, with few blocks in either stack and a small vocabulary."""
    return Qwen2VLConfig(
        vision=replace(QWEN2_VL_2B.vision, num_blocks=num_blocks),
        language=replace(QWEN2_VL_2B.language, num_blocks=num_blocks, vocab_size=1024),
        vision_start_id=VISION_START,
        vision_end_id=VISION_END,
        image_token_id=IMAGE,
        video_token_id=VIDEO,
    )


def build_ours(config: Qwen2VLConfig) -> Qwen2VL:
    """Our model on seeded random weights, float32 on the CPU."""
    torch.manual_seed(0)
    model = Qwen2VL(config)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.02)
    return model.requires_grad_(False).eval()


def build_theirs(ours: Qwen2VL, attention: str) -> Theirs:
    """transformers' model on the very tensors of ours: nothing is held twice."""
    config = ours.config
    with torch.device("meta"):
        model = Theirs._from_config(_their_config(config), attn_implementation=attention)
    state = {_their_name(name): tensor for name, tensor in published_state(ours).items()}
    missing, unexpected = model.load_state_dict(state, strict=False, assign=True)
    assert (missing, unexpected) == (["lm_head.weight"], [])
    model.tie_weights()
    _restore_frequencies(model, config)
    return model.requires_grad_(False).eval()


def _their_config(config: Qwen2VLConfig) -> TheirConfig:
    vision, language = config.vision, config.language
    return TheirConfig(
        vision_config={"depth": vision.num_blocks, "hidden_size": language.dim},
        text_config={
            "vocab_size": language.vocab_size,
            "hidden_size": language.dim,
            "num_hidden_layers": language.num_blocks,
            "num_attention_heads": language.num_heads,
            "num_key_value_heads": language.num_kv_heads,
            "intermediate_size": language.mlp_dim,
            "rms_norm_eps": language.norm_eps,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": language.rope_theta,
                "mrope_section": list(language.rope_sections),
            },
            "tie_word_embeddings": True,
            "bos_token_id": None,
            "eos_token_id": None,
        },
        tie_word_embeddings=True,
        vision_start_token_id=VISION_START,
        vision_end_token_id=VISION_END,
        image_token_id=IMAGE,
        video_token_id=VIDEO,
    )


def _their_name(published: str) -> str:
    if published.startswith("visual."):
        return f"model.{published}"
    return published.replace("model.", "model.language_model.", 1)


def _restore_frequencies(model: Theirs, config: Qwen2VLConfig) -> None:
    """A model built on the meta device has no numbers in its buffers; these are the rotary frequencies."""
    vision, language = config.vision, config.language
    quarter = vision.dim // vision.num_heads // 2
    tower = model.model.visual.rotary_pos_emb
    tower.inv_freq = 1.0 / vision.rope_theta ** (torch.arange(0, quarter, 2, dtype=torch.float) / quarter)
    rotary = model.model.language_model.rotary_emb
    frequencies = torch.arange(0, language.head_dim, 2, dtype=torch.float) / language.head_dim
    rotary.inv_freq = rotary.original_inv_freq = 1.0 / language.rope_theta**frequencies


def make_prompt(visual_tokens: int) -> dict[str, Tensor]:
    """One square picture of so many visual tokens (a square number) between two pieces of text."""
    side = 2 * int(visual_tokens**0.5)
    text = torch.arange(TEXT_TOKENS)
    half = TEXT_TOKENS // 2
    picture = torch.tensor([VISION_START, *[IMAGE] * visual_tokens, VISION_END])
    random = torch.Generator().manual_seed(0)
    return {
        "input_ids": torch.cat([text[:half], picture, text[half:]])[None],
        "pixel_values": torch.randn(side * side, 1176, generator=random),
        "image_grid_thw": torch.tensor([[1, side, side]]),
    }


# --- the variants ---


def ours_untraced(ours: Qwen2VL, prompt: dict[str, Tensor]) -> Forward:
    """Our forward pass, nothing kept."""
    return lambda: ours(**prompt, last=1)


def ours_traced(ours: Qwen2VL, prompt: dict[str, Tensor]) -> Forward:
    """Our forward pass with the queries and keys of every layer of both stacks kept."""

    def forward() -> tuple[Tensor, Trace]:
        with Trace(ours, *EVERYTHING) as trace:
            return ours(**prompt, last=1), trace

    return forward


def theirs_fused(ours: Qwen2VL, prompt: dict[str, Tensor]) -> Forward:
    """transformers with its fused attention: it keeps nothing."""
    return _their_forward(build_theirs(ours, "sdpa"), prompt)


def theirs_language_maps(ours: Qwen2VL, prompt: dict[str, Tensor]) -> Forward:
    """transformers, eager with output_attentions: every map of the language model; it never returns the tower's."""
    return _their_forward(build_theirs(ours, "eager"), prompt, output_attentions=True)


def theirs_all_maps(ours: Qwen2VL, prompt: dict[str, Tensor]) -> Forward:
    """transformers, eager, with every map of both stacks kept."""
    maps: list[Tensor] = []

    def keep(*arguments: Any, **keywords: Any) -> tuple[Tensor, Tensor]:
        output, weights = eager_attention_forward(*arguments, **keywords)
        maps.append(weights)
        return output, weights

    AttentionInterface.register("eager_kept", keep)
    model = build_theirs(ours, "eager")
    model.model.visual.config._attn_implementation = "eager_kept"
    forward = _their_forward(model, prompt, output_attentions=True)

    def forward_and_keep() -> tuple[Any, list[Tensor]]:
        maps.clear()
        return forward(), maps

    return forward_and_keep


def _their_forward(model: Theirs, prompt: dict[str, Tensor], **options: Any) -> Forward:
    kinds = (prompt["input_ids"] == IMAGE).int()
    return lambda: model(**prompt, mm_token_type_ids=kinds, use_cache=False, logits_to_keep=1, **options)


VARIANTS: dict[str, Callable[[Qwen2VL, dict[str, Tensor]], Forward]] = {
    "ours": ours_untraced,
    "ours, everything kept": ours_traced,
    "transformers sdpa": theirs_fused,
    "transformers eager, output_attentions": theirs_language_maps,
    "transformers eager, every map kept": theirs_all_maps,
}
