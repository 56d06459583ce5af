"""Lists every key of a `generation_config.json`, as transformers 5.23 and Qwen-VL's `chat` read it."""

from __future__ import annotations

from typing import Any

from qwenvl.published_files.config_keys import CONTEXT, IDS
from qwenvl.published_files.keys import (
    HARMLESS,
    Key,
    Table,
    between,
    fixed,
    flag,
    number,
    several,
    whole,
    words,
)

_BEAMS = "an answer is one chain of tokens here, without beams"
_ENCODER = "there is no encoder here"
_NOT_DONE = "this way of choosing tokens is not computed here"


def _plain_cache(value: Any) -> bool:
    return value is None or (isinstance(value, str) and "quant" not in value)


GENERATION: Table = {
    "do_sample": flag(null=True),
    "temperature": between(0, 100, null=True),
    "top_k": whole(0, IDS, null=True),
    "top_p": number(0, 1, null=True),
    "min_p": between(0, 1, null=True),
    "typical_p": number(0, 1, null=True),
    "repetition_penalty": number(0, 100, null=True),
    "no_repeat_ngram_size": whole(0, CONTEXT, null=True),
    "max_new_tokens": whole(1, CONTEXT, null=True),
    "max_length": whole(1, CONTEXT, null=True),
    "min_new_tokens": whole(0, CONTEXT, null=True),
    "min_length": whole(0, CONTEXT, null=True),
    "suppress_tokens": several(whole(0, IDS), null=True),
    "begin_suppress_tokens": several(whole(0, IDS), null=True),
    "eos_token_id": several(whole(0, IDS), null=True, lone=True),
    "chat_format": words(),
    "max_window_size": whole(1, CONTEXT),
    "num_beams": fixed(1, None, why=_BEAMS),
    "num_beam_groups": fixed(1, None, why=_BEAMS),
    "diversity_penalty": fixed(0, 0.0, None, why=_BEAMS),
    "constraints": fixed(None, why=_BEAMS),
    "force_words_ids": fixed(None, why=_BEAMS),
    "num_return_sequences": fixed(1, None, why="one answer is made here"),
    "penalty_alpha": fixed(None, 0, 0.0, why=_NOT_DONE),
    "dola_layers": fixed(None, why=_NOT_DONE),
    "top_h": fixed(None, why=_NOT_DONE),
    "epsilon_cutoff": fixed(0, 0.0, None, why=_NOT_DONE),
    "eta_cutoff": fixed(0, 0.0, None, why=_NOT_DONE),
    "guidance_scale": fixed(1, 1.0, None, why=_NOT_DONE),
    "sequence_bias": fixed(None, why=_NOT_DONE),
    "bad_words_ids": fixed(None, [], why="forbidden sequences are not computed here; single ids go in suppress_tokens"),
    "stop_words_ids": fixed(None, [], why="stop words of one's own are not computed here"),
    "stop_strings": fixed(None, [], why="stop words of one's own are not computed here"),
    "forced_bos_token_id": fixed(None, why=_NOT_DONE),
    "forced_eos_token_id": fixed(None, why=_NOT_DONE),
    "exponential_decay_length_penalty": fixed(None, why=_NOT_DONE),
    "watermarking_config": fixed(None, why="answers carry no watermark here"),
    "token_healing": fixed(False, None, why=_NOT_DONE),
    "max_time": fixed(None, why="an answer is ended by its tokens here, not by the clock"),
    "encoder_repetition_penalty": fixed(1, 1.0, None, why=_ENCODER),
    "encoder_no_repeat_ngram_size": fixed(0, None, why=_ENCODER),
    "decoder_start_token_id": fixed(None, why=_ENCODER),
    "cache_implementation": Key("fixed", _plain_cache, "of an exact cache", "a quantised cache is not computed here"),
    # of beams, of speed, of what `generate` returns: no token is another for them
    **dict.fromkeys(
        (
            *("bos_token_id", "pad_token_id", "transformers_version", "use_cache", "cache_config", "max_cache_len"),
            *("early_stopping", "length_penalty", "renormalize_logits", "remove_invalid_values", "low_memory"),
            *("output_scores", "output_logits", "output_attentions", "output_hidden_states"),
            *("return_dict_in_generate", "return_legacy_cache", "is_assistant", "num_assistant_tokens"),
            *("num_assistant_tokens_schedule", "assistant_confidence_threshold", "assistant_lookbehind"),
            *("target_lookbehind", "assistant_early_exit", "assistant_ensemble_weight", "speculation_type"),
            *("prompt_lookup_num_tokens", "max_matching_ngram_size", "compile_config", "disable_compile"),
            *("prefill_chunk_size", "continuous_batching_config", "generation_kwargs", "trust_remote_code"),
        ),
        HARMLESS,
    ),
}
