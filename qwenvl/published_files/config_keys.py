"""Lists every key of a `config.json` of both families, as transformers 5.23 and Qwen-VL's code read it."""

from __future__ import annotations

from qwenvl.published_files.keys import HARMLESS, Table, between, fixed, flag, number, part, several, whole, words

WIDTH, BLOCKS, HEADS, IDS, CONTEXT = 65_536, 1_024, 1_024, 10_000_000, 100_000_000

# What transformers writes into any config, and what changes no number of a forward pass outside of training.
ANY: Table = {
    "model_type": words(),
    "architectures": several(words(), null=True),
    "quantization_config": part(null=True),
    "qwenvl": part(),  # how one of our tiny twins was made
    **dict.fromkeys(
        (
            *("transformers_version", "torch_dtype", "dtype", "auto_map", "name_or_path", "initializer_range"),
            *("use_cache", "attn_implementation", "attention_dropout", "attn_dropout_prob", "emb_dropout_prob"),
            *("bos_token_id", "pad_token_id", "sep_token_id", "unk_token_id", "decoder_start_token_id", "prefix"),
            *("output_attentions", "output_hidden_states", "return_dict", "torchscript", "use_bfloat16"),
            *("gradient_checkpointing", "pretraining_tp", "id2label", "label2id", "num_labels", "problem_type"),
            *("task_specific_params", "finetuning_task", "tokenizer_class", "tokenizer_type", "processor_class"),
            *("chunk_size_feed_forward", "pruned_heads", "tf_legacy_loss", "onnx_safe"),
            *("unsloth_fixed", "unsloth_version", "is_decoder", "keys_to_ignore_at_inference"),
        ),
        HARMLESS,
    ),
    "is_encoder_decoder": fixed(False, why="there is no encoder here"),
    "add_cross_attention": fixed(False, None, why="there is no cross-attention to a second model here"),
    "tie_encoder_decoder": fixed(False, why="there is no encoder here"),
    "compression_config": fixed(None, why="compressed weights are not read here"),
}

ROPE: Table = {
    "type": words(null=True),
    "rope_type": words(null=True),
    "mrope_section": several(whole(0, WIDTH)),
    "rope_theta": number(1, 1e30),
    "factor": between(1, 1e6),
    "original_max_position_embeddings": whole(1, CONTEXT),
    "attention_factor": number(0, 1e6, null=True),
    "beta_fast": number(0, 1e6, null=True),
    "beta_slow": number(0, 1e6, null=True),
    "mscale": number(0, 1e6, null=True),
    "mscale_all_dim": number(0, 1e6, null=True),
    "truncate": flag(),
    "partial_rotary_factor": fixed(1, 1.0, None, why="a rotation of a part of each head is not computed here"),
    "mrope_interleaved": fixed(False, None, why="interleaved frequencies are another model's (Qwen3-VL)"),
    # of kinds that are refused by their name
    **dict.fromkeys(("short_factor", "long_factor", "low_freq_factor", "high_freq_factor"), HARMLESS),
}

QWEN2_VL_TEXT: Table = {
    **ANY,
    "vocab_size": whole(1, IDS),
    "hidden_size": whole(1, WIDTH),
    "num_hidden_layers": whole(1, BLOCKS),
    "num_attention_heads": whole(1, HEADS),
    "num_key_value_heads": whole(1, HEADS, null=True),
    "head_dim": whole(1, WIDTH, null=True),
    "intermediate_size": whole(1, 1 << 20),
    "rms_norm_eps": number(0, 1),
    "rope_theta": number(1, 1e30),
    "rope_scaling": part(null=True),
    "rope_parameters": part(null=True),
    "max_position_embeddings": whole(1, CONTEXT),
    "original_max_position_embeddings": whole(1, CONTEXT),
    "use_sliding_window": flag(null=True),
    "sliding_window": whole(1, CONTEXT, null=True),
    "max_window_layers": whole(0, CONTEXT, null=True),
    "layer_types": several(words(), null=True),
    "tie_word_embeddings": flag(),
    "eos_token_id": several(whole(0, IDS), null=True, lone=True),
    "hidden_act": fixed("silu", why="no published Qwen2-VL has another activation"),
    "image_token_id": whole(0, IDS, null=True),
    "video_token_id": whole(0, IDS, null=True),
    "vision_start_token_id": whole(0, IDS, null=True),
    "vision_end_token_id": whole(0, IDS, null=True),
    "vision_token_id": HARMLESS,
}

QWEN2_VL: Table = {
    **QWEN2_VL_TEXT,
    "image_token_id": whole(0, IDS),
    "video_token_id": whole(0, IDS),
    "vision_start_token_id": whole(0, IDS),
    "vision_end_token_id": whole(0, IDS),
    "vision_config": part(null=True),
    "text_config": part(null=True),
}

QWEN2_VL_VISION: Table = {
    **ANY,
    "depth": whole(1, BLOCKS),
    "embed_dim": whole(1, WIDTH),
    "hidden_size": whole(1, WIDTH),
    "num_heads": whole(1, HEADS),
    "mlp_ratio": number(0, 64),
    "patch_size": whole(1, 256),
    "spatial_patch_size": whole(1, 256),
    "temporal_patch_size": whole(1, 16),
    "spatial_merge_size": whole(1, 16),
    "in_chans": fixed(3, why="pictures have three colours here"),
    "in_channels": fixed(3, why="pictures have three colours here"),
    "hidden_act": fixed("quick_gelu", why="no published Qwen2-VL has another activation"),
    "rope_parameters": part(null=True),
}

VISION_ROPE: Table = {
    "rope_type": fixed("axial", "default", None, why="the tower's rotation is of rows and columns"),
    "type": fixed("axial", "default", None, why="the tower's rotation is of rows and columns"),
    "rope_theta": number(1, 1e30),
}

QWEN_VL: Table = {
    **ANY,
    "vocab_size": whole(1, IDS),
    "hidden_size": whole(1, WIDTH),
    "num_hidden_layers": whole(1, BLOCKS),
    "num_attention_heads": whole(1, HEADS),
    "kv_channels": whole(1, WIDTH),
    "intermediate_size": whole(2, 1 << 21),
    "layer_norm_epsilon": number(0, 1),
    "rotary_emb_base": number(1, 1e30),
    "seq_length": whole(2, CONTEXT),
    "max_position_embeddings": whole(1, CONTEXT),
    "use_dynamic_ntk": flag(),
    "use_logn_attn": flag(),
    "tie_word_embeddings": flag(),
    "eos_token_id": several(whole(0, IDS), null=True, lone=True),
    "visual": part(),
    "rotary_pct": fixed(1.0, 1, why="a rotation of a part of each head is not computed here"),
    "no_bias": fixed(True, why="biases of the decoder's layers are not read here"),
    "scale_attn_weights": fixed(True, why="attention without its scale is not computed here"),
    "hidden_act": fixed("silu", why="no published Qwen-VL has another activation"),
    "use_cache_quantization": fixed(False, why="a quantised cache is not computed here"),
    **dict.fromkeys(
        ("bf16", "fp16", "fp32", "use_flash_attn", "use_cache_kernel", "softmax_in_fp32"),  # speed and precision
        HARMLESS,
    ),
}

QWEN_VL_VISUAL: Table = {
    "image_size": whole(1, 16_384),
    "patch_size": whole(1, 1_024),
    "width": whole(1, WIDTH),
    "layers": whole(1, BLOCKS),
    "heads": whole(1, HEADS),
    "mlp_ratio": number(0, 64),
    "output_dim": whole(1, WIDTH),
    "n_queries": whole(1, WIDTH),
    "image_start_id": whole(0, IDS),
}
