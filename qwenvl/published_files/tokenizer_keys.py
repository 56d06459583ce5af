"""Lists every key of a `tokenizer_config.json` and of a byte-level `tokenizer.json`."""

from __future__ import annotations

from typing import Any

from qwenvl.published_files.config_keys import IDS
from qwenvl.published_files.keys import HARMLESS, Key, Table, fixed, flag, part, several, whole, words

_NOT_ADDED = "no token is put before or after a text here"
_NOT_BYTES = "the vocabulary is not one of bytes, as Qwen2-VL's is"

TOKENIZER_CONFIG: Table = {
    "added_tokens_decoder": part(null=True),
    "chat_template": Key(
        "used", lambda value: value is None or isinstance(value, str | list), "a text, or a list of named ones"
    ),
    "eos_token": Key("used"),
    "bos_token": Key("used"),
    "pad_token": Key("used"),
    "unk_token": Key("used"),
    "additional_special_tokens": Key("used"),
    "extra_special_tokens": Key("used"),
    "add_prefix_space": fixed(False, None, why="a text gets no blank before it here"),
    "add_bos_token": fixed(False, None, why=_NOT_ADDED),
    "add_eos_token": fixed(False, None, why=_NOT_ADDED),
    "clean_up_tokenization_spaces": fixed(False, None, why="the blanks of an answer stand as they were said here"),
    "errors": fixed("replace", None, why="broken characters are replaced here"),
    "do_lower_case": fixed(False, None, why="texts keep their capitals here"),
    **dict.fromkeys(
        (
            *("model_max_length", "max_length", "padding_side", "truncation_side", "padding", "truncation"),
            *("pad_to_multiple_of", "stride", "max_pixels", "min_pixels", "split_special_tokens"),
            *("tokenizer_class", "processor_class", "auto_map", "name_or_path", "use_fast", "legacy"),
            *("model_input_names", "special_tokens_map_file", "tokenizer_file", "vocab_file", "merges_file"),
            *("is_local", "backend", "image_token", "video_token", "vision_bos_token", "vision_eos_token"),
            *("model_specific_special_tokens", "local_files_only", "tokenizer_type", "return_tensors"),
            *("truncation_strategy", "extra_ids", "trust_remote_code", "unsloth_version"),
        ),
        HARMLESS,
    ),
}

ADDED_TOKEN: Table = {
    "id": whole(0, IDS),
    "content": words(),
    "special": flag(),
    "single_word": flag(),
    "lstrip": flag(),
    "rstrip": flag(),
    "normalized": flag(),
    "__type": HARMLESS,
}

TOKENIZER: Table = {
    "version": HARMLESS,
    "truncation": HARMLESS,  # of training; a prompt that is too long is refused, never cut
    "padding": HARMLESS,
    "added_tokens": several(part(), null=True),
    "normalizer": Key("used"),
    "pre_tokenizer": Key("used"),
    "post_processor": Key("used"),
    "decoder": Key("used"),
    "model": part(),
}

MODEL: Table = {
    "type": fixed("BPE", why=_NOT_BYTES),
    "vocab": part(),
    "merges": Key("used", lambda value: isinstance(value, list), "a list of merges"),
    "ignore_merges": flag(null=True),
    "dropout": fixed(None, 0, 0.0, why="merges are not left out at random here"),
    "unk_token": HARMLESS,
    "fuse_unk": HARMLESS,
    "continuing_subword_prefix": fixed(None, "", why=_NOT_BYTES),
    "end_of_word_suffix": fixed(None, "", why=_NOT_BYTES),
    "byte_fallback": fixed(False, None, why=_NOT_BYTES),
}


def _adds_nothing(value: Any) -> bool:
    """Whether a post-processor leaves the ids of a text as they are."""
    if value is None or not isinstance(value, dict):
        return value is None
    if value.get("type") == "TemplateProcessing":
        single = value.get("single")
        return isinstance(single, list) and all(isinstance(one, dict) and list(one) == ["Sequence"] for one in single)
    if value.get("type") == "Sequence":
        parts = value.get("processors")
        return isinstance(parts, list) and all(map(_adds_nothing, parts))
    return value.get("type") == "ByteLevel"


POST_PROCESSOR = Key("fixed", _adds_nothing, "that adds nothing", _NOT_ADDED)
