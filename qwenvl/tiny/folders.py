"""Writes the JSON files of the tiny checkpoints, spelled as the published ones are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

QWEN_VL_TOKENIZER = {"model_max_length": 8192, "tokenizer_class": "QWenTokenizer"}

QWEN2_VL_PREPROCESSOR = {
    "min_pixels": 3136,
    "max_pixels": 12845056,
    "patch_size": 14,
    "temporal_patch_size": 2,
    "merge_size": 2,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "image_processor_type": "Qwen2VLImageProcessor",
    "processor_class": "Qwen2VLProcessor",
}

# ChatML. The default system prompt stands in where none is given; media stand where they were given, numbered if asked.
QWEN2_VL_CHAT_TEMPLATE = """\
{%- set seen = namespace(image=0, video=0) -%}
{%- if messages[0]['role'] != 'system' -%}
{{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' -}}
{%- if message['content'] is string -%}
{{- message['content'] -}}
{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] in ('image', 'image_url') or 'image' in part or 'image_url' in part -%}
{%- set seen.image = seen.image + 1 -%}
{{- ('Picture ' ~ seen.image ~ ': ' if add_vision_id else '') + '<|vision_start|><|image_pad|><|vision_end|>' -}}
{%- elif part['type'] == 'video' or 'video' in part -%}
{%- set seen.video = seen.video + 1 -%}
{{- ('Video ' ~ seen.video ~ ': ' if add_vision_id else '') + '<|vision_start|><|video_pad|><|vision_end|>' -}}
{%- elif 'text' in part -%}
{{- part['text'] -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}"""


def qwen_vl_config(ids: Mapping[str, int]) -> dict[str, Any]:
    """`config.json` of tiny-qwen-vl. `ids` are those of the control tokens."""
    return {
        "architectures": ["QWenLMHeadModel"],
        "model_type": "qwen",
        "vocab_size": 2304,
        "hidden_size": 256,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "kv_channels": 64,
        "intermediate_size": 1024,
        "layer_norm_epsilon": 1e-06,
        "no_bias": True,
        "rotary_emb_base": 10000,
        "rotary_pct": 1.0,
        "seq_length": 2048,
        "max_position_embeddings": 8192,
        "use_dynamic_ntk": True,
        "use_logn_attn": True,
        "use_flash_attn": False,
        "scale_attn_weights": True,
        "attn_dropout_prob": 0.0,
        "emb_dropout_prob": 0.0,
        "initializer_range": 0.02,
        "tie_word_embeddings": False,
        "tokenizer_type": "QWenTokenizer",
        "torch_dtype": "float16",
        "use_cache": True,
        "bf16": False,
        "fp16": False,
        "fp32": False,
        "visual": {
            "image_size": 448,
            "patch_size": 14,
            "width": 128,
            "layers": 4,
            "heads": 4,
            "mlp_ratio": 4,
            "output_dim": 256,
            "image_start_id": ids["<img>"],
        },
    }


def qwen_vl_generation(ids: Mapping[str, int]) -> dict[str, Any]:
    """`generation_config.json` of tiny-qwen-vl: greedy."""
    return {
        "chat_format": "chatml",
        "do_sample": False,
        "eos_token_id": [ids["<|im_end|>"], ids["<|endoftext|>"]],
        "pad_token_id": ids["<|endoftext|>"],
        "max_new_tokens": 24,
        "max_window_size": 6144,
    }


def qwen2_vl_config(ids: Mapping[str, int]) -> dict[str, Any]:
    """`config.json` of tiny-qwen2-vl, flat as on the hub."""
    return {
        "architectures": ["Qwen2VLForConditionalGeneration"],
        "model_type": "qwen2_vl",
        "attention_dropout": 0.0,
        "bos_token_id": ids["<|endoftext|>"],
        "eos_token_id": ids["<|im_end|>"],
        "pad_token_id": ids["<|endoftext|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
        "vision_token_id": ids["<|vision_pad|>"],
        "image_token_id": ids["<|image_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
        "hidden_act": "silu",
        "hidden_size": 256,
        "initializer_range": 0.02,
        "intermediate_size": 512,
        "max_position_embeddings": 32768,
        "max_window_layers": 4,
        "num_attention_heads": 4,
        "num_hidden_layers": 4,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-06,
        "rope_theta": 1000000.0,
        "rope_scaling": {"type": "mrope", "mrope_section": [8, 12, 12]},
        "sliding_window": 32768,
        "tie_word_embeddings": True,
        "torch_dtype": "float16",
        "use_cache": True,
        "use_sliding_window": False,
        "vision_config": {
            "depth": 4,
            "embed_dim": 128,
            "hidden_size": 256,
            "in_chans": 3,
            "mlp_ratio": 4,
            "num_heads": 4,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "spatial_patch_size": 14,
            "temporal_patch_size": 2,
        },
        "vocab_size": 2112,
    }


def qwen2_vl_generation(ids: Mapping[str, int]) -> dict[str, Any]:
    """`generation_config.json` of tiny-qwen2-vl: greedy."""
    return {
        "bos_token_id": ids["<|endoftext|>"],
        "do_sample": False,
        "eos_token_id": [ids["<|im_end|>"], ids["<|endoftext|>"]],
        "pad_token_id": ids["<|endoftext|>"],
        "max_new_tokens": 24,
    }


def qwen2_vl_tokenizer(added_tokens: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`tokenizer_config.json` of tiny-qwen2-vl. `added_tokens` are the control tokens by id."""
    names = [str(token["content"]) for token in added_tokens.values()]
    return {
        "add_prefix_space": False,
        "added_tokens_decoder": dict(added_tokens),
        "additional_special_tokens": names[1:],
        "bos_token": None,
        "chat_template": QWEN2_VL_CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": "<|im_end|>",
        "errors": "replace",
        "model_max_length": 32768,
        "pad_token": "<|endoftext|>",
        "split_special_tokens": False,
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": None,
    }
