"""Describes models as frozen dataclasses without defaults, and the published sizes as complete literals.

Knows numbers only: no tensor, no file, no picture. A field means the same in both families and is counted in the units
of the architecture (tokens, patches, heads); `from_published` reads a `config.json` in any of its published spellings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qwenvl.errors import CheckpointError


class ConfigError(CheckpointError):
    """A `config.json` that does not describe one of the two families, or contradicts itself."""


@dataclass(frozen=True)
class QwenVLVisionConfig:
    """The fixed-resolution ViT of Qwen-VL (2308.12966, section 2.1)."""

    image_size: int  # pixels a side, after the squash
    patch_size: int
    dim: int
    num_blocks: int
    num_heads: int
    mlp_dim: int
    position_side: int  # the table of absolute positions is position_side x position_side, whatever the image size

    @property
    def grid_side(self) -> int:
        """Patches along one side of the squashed picture."""
        return self.image_size // self.patch_size


@dataclass(frozen=True)
class QwenVLAdapterConfig:
    """The position-aware cross-attention adapter."""

    num_queries: int
    num_heads: int

    @property
    def query_side(self) -> int:
        """Queries along one side of the grid their position code is made on."""
        return int(self.num_queries**0.5)


@dataclass(frozen=True)
class QwenVLLanguageConfig:
    """The Qwen-7B decoder."""

    vocab_size: int
    dim: int
    num_blocks: int
    num_heads: int
    head_dim: int
    mlp_dim: int  # inner width: half of the published `intermediate_size`
    norm_eps: float
    rope_theta: float
    train_length: int  # tokens seen in training: dynamic NTK and log-n scaling start beyond it
    context: int  # tokens the model is published for
    dynamic_ntk: bool
    logn: bool


@dataclass(frozen=True)
class QwenVLConfig:
    """All of Qwen-VL. `image_start_id` is `<img>`; `</img>` and `<imgpad>` are the next two ids."""

    vision: QwenVLVisionConfig
    adapter: QwenVLAdapterConfig
    language: QwenVLLanguageConfig
    image_start_id: int

    family = "qwen-vl"

    @property
    def image_end_id(self) -> int:
        return self.image_start_id + 1

    @property
    def image_pad_id(self) -> int:
        return self.image_start_id + 2

    @property
    def media_ids(self) -> tuple[int, ...]:
        """Ids that stand for a picture and cannot be said: an answer holds none."""
        return self.image_start_id, self.image_end_id, self.image_pad_id


@dataclass(frozen=True)
class Qwen2VLVisionConfig:
    """The any-resolution ViT of Qwen2-VL (2409.12191, section 2.1)."""

    patch_size: int
    temporal_patch_size: int
    merge_size: int
    dim: int
    num_blocks: int
    num_heads: int
    mlp_dim: int
    rope_theta: float


@dataclass(frozen=True)
class Qwen2VLLanguageConfig:
    """The Qwen2 decoder with M-RoPE."""

    vocab_size: int
    dim: int
    num_blocks: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    mlp_dim: int
    norm_eps: float
    rope_theta: float
    rope_sections: tuple[int, int, int]  # rotary frequencies that read the t, h and w id; they add up to head_dim / 2
    context: int
    tied: bool  # the language head is the embedding


@dataclass(frozen=True)
class Qwen2VLConfig:
    """All of Qwen2-VL."""

    vision: Qwen2VLVisionConfig
    language: Qwen2VLLanguageConfig
    vision_start_id: int
    vision_end_id: int
    image_token_id: int
    video_token_id: int

    family = "qwen2-vl"

    @property
    def media_ids(self) -> tuple[int, ...]:
        """Ids that stand for a visual token and cannot be said: an answer holds none."""
        return self.image_token_id, self.video_token_id


Config = QwenVLConfig | Qwen2VLConfig


QWEN_VL = QwenVLConfig(
    vision=QwenVLVisionConfig(
        image_size=448, patch_size=14, dim=1664, num_blocks=48, num_heads=16, mlp_dim=8192, position_side=16
    ),
    adapter=QwenVLAdapterConfig(num_queries=256, num_heads=32),
    language=QwenVLLanguageConfig(
        vocab_size=151936,
        dim=4096,
        num_blocks=32,
        num_heads=32,
        head_dim=128,
        mlp_dim=11008,
        norm_eps=1e-6,
        rope_theta=10000.0,
        train_length=2048,
        context=8192,
        dynamic_ntk=True,
        logn=True,
    ),
    image_start_id=151857,
)

_QWEN2_VL_VISION = Qwen2VLVisionConfig(
    patch_size=14,
    temporal_patch_size=2,
    merge_size=2,
    dim=1280,
    num_blocks=32,
    num_heads=16,
    mlp_dim=5120,
    rope_theta=10000.0,
)

QWEN2_VL_2B = Qwen2VLConfig(
    vision=_QWEN2_VL_VISION,
    language=Qwen2VLLanguageConfig(
        vocab_size=151936,
        dim=1536,
        num_blocks=28,
        num_heads=12,
        num_kv_heads=2,
        head_dim=128,
        mlp_dim=8960,
        norm_eps=1e-6,
        rope_theta=1000000.0,
        rope_sections=(16, 24, 24),
        context=32768,
        tied=True,
    ),
    vision_start_id=151652,
    vision_end_id=151653,
    image_token_id=151655,
    video_token_id=151656,
)

QWEN2_VL_7B = Qwen2VLConfig(
    vision=_QWEN2_VL_VISION,
    language=Qwen2VLLanguageConfig(
        vocab_size=152064,
        dim=3584,
        num_blocks=28,
        num_heads=28,
        num_kv_heads=4,
        head_dim=128,
        mlp_dim=18944,
        norm_eps=1e-6,
        rope_theta=1000000.0,
        rope_sections=(16, 24, 24),
        context=32768,
        tied=False,
    ),
    vision_start_id=151652,
    vision_end_id=151653,
    image_token_id=151655,
    video_token_id=151656,
)

# Derived dimensions: no published file of the 72B was at hand.
QWEN2_VL_72B = Qwen2VLConfig(
    vision=_QWEN2_VL_VISION,
    language=Qwen2VLLanguageConfig(
        vocab_size=152064,
        dim=8192,
        num_blocks=80,
        num_heads=64,
        num_kv_heads=8,
        head_dim=128,
        mlp_dim=29568,
        norm_eps=1e-6,
        rope_theta=1000000.0,
        rope_sections=(16, 24, 24),
        context=32768,
        tied=False,
    ),
    vision_start_id=151652,
    vision_end_id=151653,
    image_token_id=151655,
    video_token_id=151656,
)

PRESETS: dict[str, Config] = {
    "Qwen-VL": QWEN_VL,
    "Qwen-VL-Chat": QWEN_VL,
    "Qwen2-VL-2B": QWEN2_VL_2B,
    "Qwen2-VL-7B": QWEN2_VL_7B,
    "Qwen2-VL-72B": QWEN2_VL_72B,
}


def from_published(published: Mapping[str, Any]) -> Config:
    """Read a published `config.json`: flat, nested (`text_config`), or re-saved with parts left out.

    Args:
        published: the parsed file.

    Raises:
        ConfigError: another model family, a quantised checkpoint, or a field that is missing or contradicts another.
    """
    if "quantization_config" in published:
        method = published["quantization_config"].get("quant_method", "an unknown method")
        raise ConfigError(f"This checkpoint is quantised ({method}); load the unquantised one instead.")
    model_type = published.get("model_type")
    try:
        if model_type == "qwen" and "visual" in published:
            return _read_qwen_vl(published)
        if model_type == "qwen2_vl":
            return _read_qwen2_vl(published)
    except KeyError as missing:
        raise ConfigError(f"config.json has no {missing}, which a {model_type} model needs.") from None
    except (TypeError, AttributeError, ZeroDivisionError) as error:
        raise ConfigError(f"config.json holds a field of the wrong kind ({error}); download it again.") from None
    raise ConfigError(
        f"config.json describes model_type {model_type!r}; this reads 'qwen' with a visual part, and 'qwen2_vl'."
    )


def _read_qwen_vl(published: Mapping[str, Any]) -> QwenVLConfig:
    visual = published["visual"]
    dim, num_heads = published["hidden_size"], published["num_attention_heads"]
    head_dim = published.get("kv_channels", dim // num_heads)
    if head_dim * num_heads != dim:
        raise ConfigError(f"kv_channels {head_dim} x {num_heads} heads must give hidden_size {dim}.")
    if visual["output_dim"] != dim:
        raise ConfigError(f"visual.output_dim {visual['output_dim']} must equal hidden_size {dim}.")
    num_queries = visual.get("n_queries", 256)
    if int(num_queries**0.5) ** 2 != num_queries:
        raise ConfigError(f"visual.n_queries {num_queries} is not a square number.")
    if published.get("tie_word_embeddings", False):
        raise ConfigError("tie_word_embeddings is true; Qwen-VL has a language head of its own.")
    return QwenVLConfig(
        vision=QwenVLVisionConfig(
            image_size=visual["image_size"],
            patch_size=visual["patch_size"],
            dim=visual["width"],
            num_blocks=visual["layers"],
            num_heads=visual["heads"],
            mlp_dim=int(visual["width"] * visual["mlp_ratio"]),
            position_side=16,
        ),
        adapter=QwenVLAdapterConfig(num_queries=num_queries, num_heads=visual["output_dim"] // 128),
        language=QwenVLLanguageConfig(
            vocab_size=published["vocab_size"],
            dim=dim,
            num_blocks=published["num_hidden_layers"],
            num_heads=num_heads,
            head_dim=head_dim,
            mlp_dim=published["intermediate_size"] // 2,
            norm_eps=published["layer_norm_epsilon"],
            rope_theta=float(published.get("rotary_emb_base", 10000)),
            train_length=published["seq_length"],
            context=published.get("max_position_embeddings", 8192),
            dynamic_ntk=published.get("use_dynamic_ntk", True),
            logn=published.get("use_logn_attn", True),
        ),
        image_start_id=visual.get("image_start_id", 151857),
    )


def _read_qwen2_vl(published: Mapping[str, Any]) -> Qwen2VLConfig:
    text = {**published, **published.get("text_config", {})}
    rope = text.get("rope_parameters") or text.get("rope_scaling") or {}
    if "mrope_section" not in rope:
        raise ConfigError("config.json has no mrope_section, neither in rope_scaling nor in rope_parameters.")
    dim, num_heads = text["hidden_size"], text["num_attention_heads"]
    num_kv_heads = text.get("num_key_value_heads", num_heads)
    _check_multiple("hidden_size", dim, "num_attention_heads", num_heads)
    _check_multiple("num_attention_heads", num_heads, "num_key_value_heads", num_kv_heads)
    head_dim = text.get("head_dim") or dim // num_heads
    sections = tuple(rope["mrope_section"])
    if len(sections) != 3 or sum(sections) * 2 != head_dim:
        raise ConfigError(
            f"mrope_section {list(sections)} must be three numbers that add up to head_dim / 2 = {head_dim // 2}."
        )
    if text.get("use_sliding_window"):
        raise ConfigError(
            "use_sliding_window is true; no published Qwen2-VL uses a sliding window, and this reads none."
        )
    vision = published.get("vision_config", {})
    _check_vision_width(vision, dim)
    return Qwen2VLConfig(
        vision=Qwen2VLVisionConfig(
            patch_size=vision.get("patch_size", vision.get("spatial_patch_size", 14)),
            temporal_patch_size=vision.get("temporal_patch_size", 2),
            merge_size=vision.get("spatial_merge_size", 2),
            dim=vision.get("embed_dim", 1280),
            num_blocks=vision.get("depth", 32),
            num_heads=vision.get("num_heads", 16),
            mlp_dim=int(vision.get("embed_dim", 1280) * vision.get("mlp_ratio", 4)),
            rope_theta=float(vision.get("rope_parameters", {}).get("rope_theta", 10000.0)),
        ),
        language=Qwen2VLLanguageConfig(
            vocab_size=text["vocab_size"],
            dim=dim,
            num_blocks=text["num_hidden_layers"],
            num_heads=num_heads,
            num_kv_heads=num_kv_heads,
            head_dim=head_dim,
            mlp_dim=text["intermediate_size"],
            norm_eps=text["rms_norm_eps"],
            rope_theta=float(rope.get("rope_theta", text.get("rope_theta", 1000000.0))),
            rope_sections=sections,
            context=text.get("max_position_embeddings", 32768),
            tied=bool(published.get("tie_word_embeddings", text.get("tie_word_embeddings", False))),
        ),
        vision_start_id=published.get("vision_start_token_id", text.get("vision_start_token_id", 151652)),
        vision_end_id=published.get("vision_end_token_id", text.get("vision_end_token_id", 151653)),
        image_token_id=published.get("image_token_id", 151655),
        video_token_id=published.get("video_token_id", 151656),
    )


def _check_vision_width(vision: Mapping[str, Any], dim: int) -> None:
    """Where the tower says what width it hands on, it must be the language model's."""
    stated = vision.get("hidden_size")
    if stated is not None and "embed_dim" in vision and stated != dim:
        raise ConfigError(f"vision_config.hidden_size {stated} must equal the language model's hidden_size {dim}.")


def _check_multiple(name: str, whole: int, part_name: str, part: int) -> None:
    """Heads must share a width evenly, and queries their key heads."""
    if whole % part:
        raise ConfigError(f"{name} {whole} must be a multiple of {part_name} {part}.")
