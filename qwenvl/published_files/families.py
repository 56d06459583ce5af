"""Names other model families, so that a refusal says whose folder it is."""

from __future__ import annotations

from typing import Any

_FAMILIES = {
    "qwen": "Qwen without pictures",
    "qwen2": "Qwen2 without pictures",
    "qwen3": "Qwen3 without pictures",
    "qwen2_5_vl": "Qwen2.5-VL",
    "qwen2_5_omni": "Qwen2.5-Omni",
    "qwen3_vl": "Qwen3-VL",
    "qwen3_vl_moe": "Qwen3-VL",
    "qwen3_5": "Qwen3.5",
    "qwen3_omni_moe": "Qwen3-Omni",
    "qwen2_audio": "Qwen2-Audio",
    "llava": "LLaVA",
    "llava_llama": "LLaVA",
    "llava_mistral": "LLaVA",
    "llava_qwen": "LLaVA",
    "llava_qwen2": "LLaVA",
    "llava_next": "LLaVA-NeXT",
    "llava_next_video": "LLaVA-NeXT-Video",
    "llava_onevision": "LLaVA-OneVision",
    "video_llava": "Video-LLaVA",
    "vipllava": "ViP-LLaVA",
    "internvl": "InternVL",
    "internvl_chat": "InternVL",
    "internvl_vl": "InternVL",
    "internlmxcomposer2": "InternLM-XComposer",
    "minicpmv": "MiniCPM-V",
    "minicpmo": "MiniCPM-o",
    "idefics": "IDEFICS",
    "idefics2": "Idefics2",
    "idefics3": "Idefics3",
    "smolvlm": "SmolVLM",
    "paligemma": "PaliGemma",
    "gemma3": "Gemma 3",
    "mllama": "Llama 3.2 Vision",
    "llama": "Llama without pictures",
    "llama4": "Llama 4",
    "mistral": "Mistral without pictures",
    "mistral3": "Mistral 3",
    "pixtral": "Pixtral",
    "phi3_v": "Phi-3 Vision",
    "phi4mm": "Phi-4 Multimodal",
    "molmo": "Molmo",
    "deepseek_vl": "DeepSeek-VL",
    "deepseek_vl_v2": "DeepSeek-VL2",
    "glm4v": "GLM-4.1V",
    "chatglm": "ChatGLM",
    "kosmos-2": "Kosmos-2",
    "blip-2": "BLIP-2",
    "instructblip": "InstructBLIP",
    "clip": "CLIP",
}


def name_of_family(model_type: Any) -> str:
    """A family by the `model_type` of a config, which stands with it: "Qwen2.5-VL (model_type 'qwen2_5_vl')"."""
    if not isinstance(model_type, str):
        return f"no model that is known (model_type {model_type!r})"[:80]
    known = _FAMILIES.get(model_type) or _FAMILIES.get(model_type.lower())
    if known is None:
        known = next((_FAMILIES[start] for start in ("internvl", "llava") if model_type.lower().startswith(start)), "")
    return f"{known or 'another model'} (model_type {model_type[:60]!r})"
