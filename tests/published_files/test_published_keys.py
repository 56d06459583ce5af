"""Every key of the published files is used, known to change nothing, or refused by name."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from qwenvl.errors import CheckpointError
from qwenvl.published_files import config_keys
from qwenvl.published_files.generation_keys import GENERATION
from qwenvl.published_files.keys import Table, check_keys, shown, verdict
from qwenvl.published_files.preprocessor_keys import PREPROCESSOR
from qwenvl.published_files.published_config import from_published, read_published
from qwenvl.published_files.tokenizer_keys import ADDED_TOKEN, TOKENIZER_CONFIG
from tests.support.goldens import GOLDENS

PUBLISHED: dict[str, dict[str, Any]] = json.loads((GOLDENS / "published_configs.json").read_text())
READ = [name for name in PUBLISHED if not name.startswith(("Qwen2.5", "Qwen3", "Qwen-VL-Chat-Int4"))]
PARTS: dict[tuple[str, str], Table] = {
    ("qwen", "visual"): config_keys.QWEN_VL_VISUAL,
    ("qwen2_vl", "vision_config"): config_keys.QWEN2_VL_VISION,
    ("qwen2_vl", "rope_scaling"): config_keys.ROPE,
}
TABLES = {
    "preprocessor_config.json": PREPROCESSOR,
    "generation_config.json": GENERATION,
    "tokenizer_config.json": TOKENIZER_CONFIG,
}


def keys_of(folder: str) -> Iterator[tuple[str, str, Any, Table]]:
    """(where, key, value, table) of every key of a folder's files that are read."""
    files = PUBLISHED[folder]
    family = files["config.json"]["model_type"]
    main = {"qwen": config_keys.QWEN_VL, "qwen2_vl": config_keys.QWEN2_VL}[family]
    for name, value in files["config.json"].items():
        yield "config.json", name, value, main
        if (family, name) in PARTS:
            yield from ((name, inner, one, PARTS[family, name]) for inner, one in value.items())
    for file, table in TABLES.items():
        for name, value in files.get(file, {}).items():
            yield file, name, value, table
            if name == "added_tokens_decoder":
                yield from (
                    ("added token", key, one, ADDED_TOKEN) for token in value.values() for key, one in token.items()
                )


@pytest.mark.parametrize("folder", READ)
def test_every_key_of_a_published_folder_is_used_or_harmless(folder: str) -> None:
    found = Counter()
    for where, name, value, table in keys_of(folder):
        what = verdict(name, value, table)
        assert what in ("used", "harmless"), f"{where}: {name}"
        found[what] += 1
    assert found["used"] > 10
    assert read_published(PUBLISHED[folder]["config.json"])[1] == ()


def test_what_a_published_config_says_is_what_is_read() -> None:
    for folder in READ:
        config, file = from_published(PUBLISHED[folder]["config.json"]), PUBLISHED[folder]["config.json"]
        assert config.language.dim == file["hidden_size"]
        assert config.language.num_blocks == file["num_hidden_layers"]
        assert config.language.context == file["max_position_embeddings"]


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("Qwen2.5-VL-7B_copy", "describes Qwen2.5-VL"),
        ("Qwen3-VL-8B-Embedding_copy", "describes Qwen3-VL"),
        ("Qwen-VL-Chat-Int4", "quantised"),
    ],
)
def test_published_folders_of_others_are_refused_by_their_name(folder: str, words: str) -> None:
    with pytest.raises(CheckpointError, match=words):
        from_published(PUBLISHED[folder]["config.json"])


@pytest.mark.parametrize(
    ("model_type", "name"),
    [
        ("llava", "LLaVA"),
        ("llava_next", "LLaVA-NeXT"),
        ("llava_phi", "LLaVA"),
        ("internvl_chat", "InternVL"),
        ("internvl", "InternVL"),
        ("qwen2_5_omni", "Qwen2.5-Omni"),
        ("qwen2", "Qwen2 without pictures"),
        ("made_up", "another model"),
        (7, "no model that is known"),
    ],
)
def test_other_families_are_named(model_type: Any, name: str) -> None:
    with pytest.raises(CheckpointError, match=f"describes {name}") as refusal:
        from_published({"model_type": model_type})
    assert "this reads Qwen-VL" in str(refusal.value)


# --- a key outside of the tables, and values out of range ---


def test_a_key_that_is_not_known_is_told_with_its_nearest() -> None:
    file = PUBLISHED["Qwen2-VL-2B-base"]["config.json"] | {"rms_norm_epsilon": 1e-3, "_remark": "mine"}
    notes = read_published(file)[1]
    assert len(notes) == 1
    assert "'rms_norm_epsilon'" in notes[0]
    assert "rms_norm_eps " in notes[0]


WRONG = (None, "28", [28], {"a": 1}, -1, 0, 10**9, 10**18, 10**400, 2.5, True, float("inf"))


@pytest.mark.parametrize("folder", ["Qwen2-VL-2B-base", "Qwen-VL-Chat"])
def test_a_number_out_of_its_kind_or_range_is_refused_with_its_field(folder: str) -> None:
    """Every number of both configs: null, texts, lists, 0, -1, a thousand million, and beyond."""
    file = PUBLISHED[folder]["config.json"]
    table = config_keys.QWEN2_VL if "vision_config" in file else config_keys.QWEN_VL
    counted = 0
    for name, value in file.items():
        if type(value) not in (int, float) or table[name].meaning != "used":
            continue
        for wrong in WRONG:
            if table[name].fine(wrong):
                continue
            with pytest.raises(CheckpointError, match=name) as refusal:
                from_published({**file, name: wrong})
            assert len(str(refusal.value)) < 300
            counted += 1
    assert counted > 80


def test_values_are_shown_at_a_bearable_length() -> None:
    assert len(shown("x" * 10_000)) <= 40
    assert len(shown(10**5000)) < 60
    assert shown(None) == "null"
    assert shown(True) == "true"


def test_a_fixed_key_names_what_is_not_done() -> None:
    with pytest.raises(CheckpointError, match=r"num_beams 4, and an answer is one chain .* this reads num_beams 1"):
        check_keys("generation_config.json", {"num_beams": 4}, GENERATION)
    assert check_keys("generation_config.json", {"num_beams": 1, "temperature": None}, GENERATION) == []
