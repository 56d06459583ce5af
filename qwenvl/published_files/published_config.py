"""Reads a published `config.json` as the numbers of a model: flat, nested, or with parts left out.

Every key is held against the tables of `published_files.config_keys` first, so that what is not understood is refused
by name; what a file leaves out is what transformers 5.23 and the published code would take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qwenvl.errors import CheckpointError, Sentence
from qwenvl.models.config import (
    Config,
    Qwen2VLConfig,
    Qwen2VLLanguageConfig,
    Qwen2VLVisionConfig,
    QwenVLAdapterConfig,
    QwenVLConfig,
    QwenVLLanguageConfig,
    QwenVLVisionConfig,
)
from qwenvl.models.rope_scaling import RopeScaling, yarn_attention_factor
from qwenvl.published_files import config_keys as keys
from qwenvl.published_files.families import name_of_family
from qwenvl.published_files.keys import Table, check_keys, shown

OUTSIDE = ("model_type", "architectures", "transformers_version", "torch_dtype", "dtype", "text_config")
PLAIN_ROPE = ("default", "mrope", None)
# What transformers 5.23 takes where a file is silent.
KEY_HEADS, THETA, EPS, CONTEXT, WINDOW_LAYERS = 8, 1_000_000.0, 1e-5, 32_768, 80


class ConfigError(CheckpointError):
    """A `config.json` that does not describe one of the two families, or contradicts itself."""


def from_published(published: Mapping[str, Any]) -> Config:
    """The config that a parsed `config.json` describes.

    Raises:
        ConfigError: another model family, a quantised checkpoint, or a field that is missing, of the wrong kind, not
            computed here, or contradicts another.
    """
    return read_published(published)[0]


def read_published(published: Mapping[str, Any]) -> tuple[Config, tuple[str, ...]]:
    """The same, and a sentence for everything in the file that is not known and changes nothing."""
    _refuse_quantised(published.get("quantization_config"))
    model_type = published.get("model_type")
    try:
        if model_type == "qwen" and "visual" in published:
            return _read_qwen_vl(published)
        if model_type == "qwen2_vl":
            return _read_qwen2_vl(published)
    except KeyError as missing:
        raise ConfigError(f"config.json has no {missing}, which a {model_type} model needs.") from None
    raise ConfigError(
        f"config.json describes {name_of_family(model_type)}; this reads Qwen-VL ('qwen' with a visual part) and "
        "Qwen2-VL ('qwen2_vl')."
    )


def _refuse_quantised(quantisation: Any) -> None:
    if quantisation is None:
        return
    method = quantisation.get("quant_method") if isinstance(quantisation, Mapping) else None
    method = method if isinstance(method, str) else "an unknown method"
    raise ConfigError(f"This checkpoint is quantised ({method[:40]}); load the unquantised one instead.")


def _check(file: str, content: Any, table: Table) -> list[Sentence]:
    if not isinstance(content, Mapping):
        raise ConfigError(f"{file} is of the wrong kind: it is an object of its own keys, not {shown(content)}.")
    return check_keys(file, content, table, error=ConfigError)


# --- Qwen-VL ---


def _read_qwen_vl(published: Mapping[str, Any]) -> tuple[QwenVLConfig, tuple[str, ...]]:
    visual = published["visual"]
    notes = _check("config.json", published, keys.QWEN_VL)
    notes += _check("visual of config.json", visual, keys.QWEN_VL_VISUAL)
    _check_qwen_vl(published, visual)
    dim, num_heads = published["hidden_size"], published["num_attention_heads"]
    config = QwenVLConfig(
        vision=QwenVLVisionConfig(
            image_size=visual["image_size"],
            patch_size=visual["patch_size"],
            dim=visual["width"],
            num_blocks=visual["layers"],
            num_heads=visual["heads"],
            mlp_dim=int(visual["width"] * visual["mlp_ratio"]),
            position_side=16,
        ),
        adapter=QwenVLAdapterConfig(num_queries=visual.get("n_queries", 256), num_heads=visual["output_dim"] // 128),
        language=QwenVLLanguageConfig(
            vocab_size=published["vocab_size"],
            dim=dim,
            num_blocks=published["num_hidden_layers"],
            num_heads=num_heads,
            head_dim=published.get("kv_channels", dim // num_heads),
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
    _check_ids(config.media_ids, config.language.vocab_size)
    return config, tuple(notes)


def _check_qwen_vl(published: Mapping[str, Any], visual: Mapping[str, Any]) -> None:
    """What must agree."""
    dim, num_heads = published["hidden_size"], published["num_attention_heads"]
    head_dim = published.get("kv_channels", dim // num_heads)
    if head_dim * num_heads != dim:
        raise ConfigError(f"kv_channels {head_dim} x {num_heads} heads must give hidden_size {dim}.")
    _check_multiple("kv_channels", head_dim, "2, for the rotation of its halves", 2)
    if visual["output_dim"] != dim:
        raise ConfigError(f"visual.output_dim {visual['output_dim']} must equal hidden_size {dim}.")
    num_queries = visual.get("n_queries", 256)
    if int(num_queries**0.5) ** 2 != num_queries:
        raise ConfigError(f"visual.n_queries {num_queries} is not a square number.")
    _check_multiple("visual.output_dim", dim, "128, the width of the adapter's heads", 128)
    _check_multiple("visual.image_size", visual["image_size"], "visual.patch_size", visual["patch_size"])
    _check_multiple("visual.width", visual["width"], "visual.heads", visual["heads"])
    _check_multiple("intermediate_size", published["intermediate_size"], "2", 2)
    _check_inner(visual["width"], visual["mlp_ratio"])
    if published.get("tie_word_embeddings", False):
        raise ConfigError("tie_word_embeddings is true; Qwen-VL has a language head of its own.")


# --- Qwen2-VL ---


def _read_qwen2_vl(published: Mapping[str, Any]) -> tuple[Qwen2VLConfig, tuple[str, ...]]:
    notes = _check("config.json", published, keys.QWEN2_VL)
    text = published.get("text_config") or published
    if text is not published:
        notes += _check("text_config of config.json", text, keys.QWEN2_VL_TEXT) + _said_twice(published, text)
    vision = published.get("vision_config") or {}
    notes += _check("vision_config of config.json", vision, keys.QWEN2_VL_VISION)
    tied = bool(published.get("tie_word_embeddings", False) or text.get("tie_word_embeddings", False))
    language = _language(text, tied=tied, nested=text is not published)
    config = Qwen2VLConfig(
        vision=_vision(vision, language.dim),
        language=language,
        **{
            field: published.get(name, text.get(name) or otherwise)
            for field, name, otherwise in (
                ("vision_start_id", "vision_start_token_id", 151652),
                ("vision_end_id", "vision_end_token_id", 151653),
                ("image_token_id", "image_token_id", 151655),
                ("video_token_id", "video_token_id", 151656),
            )
        },
    )
    ids = (config.vision_start_id, config.vision_end_id, *config.media_ids)
    _check_ids(ids, language.vocab_size)
    return config, tuple(dict.fromkeys(notes))


def _said_twice(published: Mapping[str, Any], text: Mapping[str, Any]) -> list[Sentence]:
    """Numbers of the language model that stand beside `text_config`, which counts, and are not the same."""
    both = [name for name in published if name in keys.QWEN2_VL_TEXT and name not in (*keys.ANY, *OUTSIDE)]
    apart = ("tie_word_embeddings", "image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
    return [
        Sentence.of(
            "config.json says {key} {value} beside text_config, which counts; this one changes nothing.",
            key=name,
            value=shown(published[name]),
        )
        for name in both
        if name not in apart and published[name] != text.get(name)
    ]


def _language(text: Mapping[str, Any], *, tied: bool, nested: bool) -> Qwen2VLLanguageConfig:
    dim, num_heads = text["hidden_size"], text["num_attention_heads"]
    num_kv_heads = text.get("num_key_value_heads", KEY_HEADS) or num_heads
    _check_multiple("hidden_size", dim, "num_attention_heads", num_heads)
    _check_multiple("num_attention_heads", num_heads, "num_key_value_heads", num_kv_heads)
    head_dim = dim // num_heads
    if text.get("head_dim") not in (None, head_dim):
        raise ConfigError(
            f"head_dim {text['head_dim']} must equal hidden_size / num_attention_heads = {head_dim} in a Qwen2-VL."
        )
    _refuse_sliding(text)
    rope = text.get("rope_scaling") or text.get("rope_parameters") or {}
    context = text.get("max_position_embeddings", CONTEXT)
    theta = float(rope.get("rope_theta", text.get("rope_theta", THETA)))
    trained = text.get("original_max_position_embeddings") if nested else None
    return Qwen2VLLanguageConfig(
        vocab_size=text["vocab_size"],
        dim=dim,
        num_blocks=text["num_hidden_layers"],
        num_heads=num_heads,
        num_kv_heads=num_kv_heads,
        head_dim=head_dim,
        mlp_dim=text["intermediate_size"],
        norm_eps=text.get("rms_norm_eps", EPS),
        rope_theta=theta,
        rope_sections=_sections(rope, head_dim),
        context=context,
        tied=tied,
        rope_scaling=_scaling(rope, trained or rope.get("original_max_position_embeddings", context)),
    )


def _sections(rope: Mapping[str, Any], head_dim: int) -> tuple[int, int, int]:
    _check("rope_scaling of config.json", rope, keys.ROPE)
    if "mrope_section" not in rope:
        raise ConfigError("config.json has no mrope_section, neither in rope_scaling nor in rope_parameters.")
    sections = tuple(rope["mrope_section"])
    if len(sections) != 3 or sum(sections) * 2 != head_dim:
        raise ConfigError(
            f"mrope_section {shown(list(sections))} must be three numbers that add up to head_dim / 2 = "
            f"{head_dim // 2}."
        )
    return sections


def _scaling(rope: Mapping[str, Any], trained: int) -> RopeScaling | None:
    """The stretch that a config asks for, as transformers computes it; None for plain rotation.

    Raises:
        ConfigError: a kind that depends on a prompt's length, or none that is known.
    """
    kind = rope.get("rope_type", rope.get("type"))
    if kind in PLAIN_ROPE:
        return None
    if kind not in ("linear", "yarn"):
        raise ConfigError(
            f"rope_scaling of config.json is of the kind {shown(kind)}, which is not computed here; this reads "
            "'mrope', 'default', 'linear' and 'yarn': leave it out, and ask no longer prompts than it was trained with."
        )
    if "factor" not in rope:
        raise ConfigError(f"rope_scaling of config.json has no factor, which {kind} needs.")
    factor = float(rope["factor"])
    if kind == "linear":
        return RopeScaling("linear", factor)
    given = rope.get("attention_factor")
    computed = yarn_attention_factor(factor, rope.get("mscale"), rope.get("mscale_all_dim"))
    return RopeScaling(
        kind="yarn",
        factor=factor,
        original_context=trained,
        beta_fast=float(rope.get("beta_fast") or 32),
        beta_slow=float(rope.get("beta_slow") or 1),
        attention_factor=computed if given is None else float(given),
        truncate=rope.get("truncate", True),
    )


def _refuse_sliding(text: Mapping[str, Any]) -> None:
    """Attention that sees a window alone, in any layer."""
    slides = bool(text.get("use_sliding_window")) and text.get("sliding_window", 4096) is not None
    from_layer = text.get("max_window_layers", WINDOW_LAYERS)
    types = text.get("layer_types")
    if types is not None:
        slides = any(one != "full_attention" for one in types)
    elif from_layer is not None and from_layer >= text["num_hidden_layers"]:
        slides = False
    if slides:
        raise ConfigError(
            "use_sliding_window is true for some layers; no published Qwen2-VL uses a sliding window, and none is "
            "computed here: set it to false if the model was trained without."
        )


def _vision(vision: Mapping[str, Any], dim: int) -> Qwen2VLVisionConfig:
    rope = vision.get("rope_parameters") or {}
    _check("rope_parameters of vision_config", rope, keys.VISION_ROPE)
    _check_vision_width(vision, dim)
    width, num_heads, patch_size = vision.get("embed_dim", 1280), vision.get("num_heads", 16), vision.get("patch_size")
    patch_size = vision.get("spatial_patch_size", 14) if patch_size is None else patch_size
    if vision.get("spatial_patch_size", patch_size) != patch_size:
        raise ConfigError(
            f"vision_config.spatial_patch_size {vision['spatial_patch_size']} must equal patch_size {patch_size}."
        )
    _check_multiple("vision_config.embed_dim", width, "num_heads", num_heads)
    _check_multiple("embed_dim / num_heads of vision_config", width // num_heads, "4, for rows and columns", 4)
    _check_inner(width, vision.get("mlp_ratio", 4))
    return Qwen2VLVisionConfig(
        patch_size=patch_size,
        temporal_patch_size=vision.get("temporal_patch_size", 2),
        merge_size=vision.get("spatial_merge_size", 2),
        dim=width,
        num_blocks=vision.get("depth", 32),
        num_heads=num_heads,
        mlp_dim=int(width * vision.get("mlp_ratio", 4)),
        rope_theta=float(rope.get("rope_theta", 10000.0)),
    )


# --- both ---


def _check_vision_width(vision: Mapping[str, Any], dim: int) -> None:
    """Where the tower says what width it hands on, it must be the language model's."""
    stated = vision.get("hidden_size")
    if stated is not None and "embed_dim" in vision and stated != dim:
        raise ConfigError(f"vision_config.hidden_size {stated} must equal the language model's hidden_size {dim}.")


def _check_multiple(name: str, whole: int, part_name: str, part: int) -> None:
    """Heads must share a width evenly, and queries their key heads."""
    if whole % part:
        what = part_name if part_name.startswith(str(part)) else f"{part_name} {part}"
        raise ConfigError(f"{name} {whole} must be a multiple of {what}.")


def _check_inner(width: int, ratio: float) -> None:
    if int(width * ratio) < 1:
        raise ConfigError(f"mlp_ratio {ratio} leaves the tower's {width} channels no inner width; correct it.")


def _check_ids(ids: Sequence[int], vocab_size: int) -> None:
    for id_ in ids:
        if id_ >= vocab_size:
            raise ConfigError(f"config.json names the token id {id_}, and vocab_size is {vocab_size}; correct either.")
