"""Tiny random Qwen2-VL models of `transformers`, and prompts with media for them, to compare ours with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch import Tensor
from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

Grid = tuple[int, int, int]
VISION_START, VISION_END, IMAGE, VIDEO, FIRST_SPECIAL = 292, 293, 295, 296, 290

SHAPES: dict[str, dict[str, dict[str, Any]]] = {
    "tied, two queries a key": {
        "text": {"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": True},
        "vision": {"embed_dim": 32, "num_heads": 2, "mlp_ratio": 4, "depth": 2},
        "rope": {"mrope_section": [2, 3, 3]},
    },
    "untied, six queries a key": {
        "text": {"hidden_size": 72, "num_attention_heads": 6, "num_key_value_heads": 1, "rms_norm_eps": 1e-5},
        "vision": {"embed_dim": 48, "num_heads": 4, "mlp_ratio": 2, "depth": 3},
        "rope": {"mrope_section": [2, 2, 2]},
    },
    "a key for each query": {
        "text": {"hidden_size": 48, "num_attention_heads": 3, "num_key_value_heads": 3, "intermediate_size": 130},
        "vision": {"embed_dim": 64, "num_heads": 2, "mlp_ratio": 3, "depth": 1},
        "rope": {"mrope_section": [4, 2, 2], "rope_theta": 10000.0},
    },
}


def config_of(shape: str) -> Qwen2VLConfig:
    parts = SHAPES[shape]
    text = {"num_hidden_layers": 2, "intermediate_size": 96, "vocab_size": 300, "max_position_embeddings": 512}
    text |= {"tie_word_embeddings": False, "rms_norm_eps": 1e-6, "use_sliding_window": False}
    text |= {"bos_token_id": None, "eos_token_id": None} | parts["text"]
    text["rope_parameters"] = {"rope_type": "default", "rope_theta": 1e6} | parts["rope"]
    config = Qwen2VLConfig(
        text_config=text,
        vision_config={"hidden_size": text["hidden_size"]} | parts["vision"],
        tie_word_embeddings=text["tie_word_embeddings"],
        image_token_id=IMAGE,
        video_token_id=VIDEO,
        vision_start_token_id=VISION_START,
        vision_end_token_id=VISION_END,
    )
    config._attn_implementation = "eager"
    return config


@cache
def reference(shape: str) -> Qwen2VLForConditionalGeneration:
    """The model of a shape, its weights large enough that attention is far from uniform and every bias counts."""
    torch.manual_seed(len(shape))
    model = Qwen2VLForConditionalGeneration(config_of(shape)).eval().requires_grad_(False)
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            parameter.normal_(std=1.2 / math.sqrt(parameter[0].numel()))
        else:
            parameter.normal_(mean=float("bias" not in name), std=0.2)
    return model


@dataclass
class Prompt:
    """A row of a batch: numbers stand for that many text tokens, grids for a picture or a clip between its tags."""

    parts: Sequence[int | tuple[str, Grid]]
    ids: list[int] = field(init=False)

    def __post_init__(self) -> None:
        generator = torch.Generator().manual_seed(len(self.parts))
        self.ids = []
        for part in self.parts:
            if isinstance(part, int):
                self.ids += torch.randint(FIRST_SPECIAL, (part,), generator=generator).tolist()
            else:
                kind, grid = part
                token = IMAGE if kind == "image" else VIDEO
                self.ids += [VISION_START, *[token] * (math.prod(grid) // 4), VISION_END]

    def grids(self, kind: str) -> list[Grid]:
        return [part[1] for part in self.parts if not isinstance(part, int) and part[0] == kind]


PROMPTS: dict[str, list[Prompt]] = {
    "text": [Prompt([17])],
    "one picture": [Prompt([3, ("image", (1, 4, 6)), 5])],
    "two pictures of different sizes": [Prompt([2, ("image", (1, 6, 2)), ("image", (1, 4, 8)), 4])],
    "a clip": [Prompt([3, ("video", (3, 4, 6)), 5])],
    "a clip longer than wide": [Prompt([3, ("video", (6, 2, 4)), 5])],
    "all interleaved": [
        Prompt([2, ("image", (1, 4, 6)), 3, ("video", (5, 4, 2)), 1, ("image", (1, 2, 2)), ("video", (2, 2, 6)), 4])
    ],
    "a left-padded batch": [
        Prompt([1, ("image", (1, 4, 4)), 2]),
        Prompt([4, ("video", (2, 4, 4)), 3, ("image", (1, 2, 6)), 4]),
        Prompt([5]),
    ],
}


def inputs_of(prompts: Sequence[Prompt]) -> dict[str, Tensor]:
    """Keyword arguments of a forward pass, padded on the left, with random pixels."""
    longest = max(len(prompt.ids) for prompt in prompts)
    rows = [[0] * (longest - len(prompt.ids)) + prompt.ids for prompt in prompts]
    mask = [[0] * (longest - len(prompt.ids)) + [1] * len(prompt.ids) for prompt in prompts]
    inputs = {"input_ids": torch.tensor(rows), "attention_mask": torch.tensor(mask)}
    generator = torch.Generator().manual_seed(0)
    names = {"image": ("pixel_values", "image_grid_thw"), "video": ("pixel_values_videos", "video_grid_thw")}
    for kind, (pixels, grid_name) in names.items():
        grids = [grid for prompt in prompts for grid in prompt.grids(kind)]
        if grids:
            inputs[pixels] = torch.randn(sum(map(math.prod, grids)), 1176, generator=generator)
            inputs[grid_name] = torch.tensor(grids)
    return inputs


def token_types(ids: Tensor) -> Tensor:
    """What transformers 5 wants to know of each token: 0 text, 1 image, 2 video."""
    return (ids == IMAGE).long() + 2 * (ids == VIDEO).long()
