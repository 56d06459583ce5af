"""Every key of an `adapter_config.json`, as peft reads it."""

from __future__ import annotations

import re
from typing import Any

from qwenvl.published_files.keys import (
    HARMLESS,
    Key,
    Table,
    fixed,
    flag,
    is_number,
    number,
    part,
    several,
    whole,
    words,
)

_OTHER = "only the plain sum of B·A is added here: merge the adapter into its base model first"


_NAME = re.compile(r"\^?[\w.]{1,200}")


def _rank_table(value: Any) -> bool:
    """Numbers by names of modules; a pattern of more than a name is not run."""
    return value is None or (
        isinstance(value, dict)
        and all(_NAME.fullmatch(name) is not None and is_number(one) and one > 0 for name, one in value.items())
    )


def _plain_start(value: Any) -> bool:
    """Ways to begin that leave the base model as it is; others (PiSSA, OLoRA, CorDA, LoftQ, EVA) change it."""
    return value in (True, False, None, "gaussian", "orthogonal")


ADAPTER: Table = {
    "peft_type": fixed("LORA", why="another kind of adapter is not added here: merge it into its base model first"),
    "base_model_name_or_path": words(null=True),
    "r": whole(1, 1 << 16),
    "lora_alpha": number(0, 1e6),
    "use_rslora": flag(),
    "rank_pattern": Key("used", _rank_table, "an object of ranks by the name of a module"),
    "alpha_pattern": Key("used", _rank_table, "an object of alphas by the name of a module"),
    "modules_to_save": several(words(), null=True),
    "target_modules": HARMLESS,  # the tensors say which
    "fan_in_fan_out": fixed(False, None, why=_OTHER),
    "bias": fixed("none", None, why=_OTHER),
    "use_dora": fixed(False, None, why=_OTHER),
    "use_qalora": fixed(False, None, why=_OTHER),
    "use_bdlora": fixed(None, False, why=_OTHER),
    "lora_bias": fixed(False, None, why=_OTHER),
    "layer_replication": fixed(None, why="layers are not repeated here: merge the adapter into its base model first"),
    "target_parameters": fixed(None, [], why=_OTHER),
    "trainable_token_indices": fixed(None, why=_OTHER),
    "alora_invocation_tokens": fixed(None, why=_OTHER),
    "arrow_config": fixed(None, why=_OTHER),
    "kasa_config": fixed(None, why=_OTHER),
    "velora_config": fixed(None, why=_OTHER),
    "monteclora_config": fixed(None, why=_OTHER),
    "init_lora_weights": Key(
        "fixed", _plain_start, "true, false or 'gaussian'", "another start changes the base model"
    ),
    "auto_mapping": part(null=True),
    **dict.fromkeys(
        (
            *("task_type", "peft_version", "revision", "inference_mode", "lora_dropout", "exclude_modules"),
            *("layers_to_transform", "layers_pattern", "megatron_config", "megatron_core", "loftq_config"),
            *("eva_config", "corda_config", "lora_ga_config", "runtime_config", "ensure_weight_tying"),
            *("qalora_group_size", "adapter_name", "parent_library", "pool_config"),
        ),
        HARMLESS,
    ),
}
