"""Describes models as frozen dataclasses without defaults, and the published sizes as complete literals.

Knows numbers only: no tensor, no file, no picture. A field means the same in both families and is counted in the units
of the architecture (tokens, patches, heads); `published_config` reads a `config.json` in any of its spellings.
"""

from __future__ import annotations

from dataclasses import dataclass

from qwenvl.models.rope_scaling import RopeScaling


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
    rope_scaling: RopeScaling | None = None  # how the frequencies are stretched; of no published size


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
