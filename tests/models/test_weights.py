"""Published tensor names to ours and back, and the refusal of what is missing, unknown or misshapen."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from qwenvl.errors import CheckpointError
from qwenvl.loading.load import build_skeleton
from qwenvl.models.config import PRESETS
from qwenvl.models.weights import NAMES, check_tensors, our_name, our_tensors, published_name, published_state
from tests.support.goldens import GOLDENS, qwen2_vl_golden, qwen_vl_golden, read_json

FACTS = read_json(GOLDENS / "published_names.json")


@cache
def on_meta(preset: str) -> nn.Module:
    return build_skeleton(PRESETS[preset])


def published_names(preset: str) -> list[str]:
    model = on_meta(preset)
    return sorted(published_name(name, model.config.family) for name in model.state_dict())


# --- names ---


@pytest.mark.parametrize("preset", FACTS)
def test_our_names_are_the_published_index_files_names(preset: str) -> None:
    names, facts = published_names(preset), FACTS[preset]
    assert len(names) == facts["tensors"]
    patterns = Counter(re.sub(r"(\.h|\.resblocks|blocks|layers)\.\d+\.", r"\1.{}.", name) for name in names)
    assert patterns == facts["patterns"]
    assert hashlib.sha256("\n".join(names).encode()).hexdigest() == facts["sha256"]


@pytest.mark.parametrize("preset", FACTS)
def test_our_tensors_in_half_precision_weigh_what_the_index_says(preset: str) -> None:
    assert 2 * sum(tensor.numel() for tensor in on_meta(preset).state_dict().values()) == FACTS[preset]["total_size"]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_name_goes_to_its_published_one_and_back(preset: str) -> None:
    model = on_meta(preset)
    family, names = model.config.family, list(model.state_dict())
    there = [published_name(name, family) for name in names]
    assert [our_name(name, family) for name in there] == names
    assert len(set(there)) == len(names)


@pytest.mark.parametrize("family", NAMES)
def test_no_two_rows_of_a_table_meet(family: str) -> None:
    assert len(set(NAMES[family].values())) == len(NAMES[family])


def test_new_names_of_qwen2_vl_are_the_legacy_ones_with_two_more_parts() -> None:
    family = "qwen2-vl"
    for name in published_names("Qwen2-VL-7B"):
        new = f"model.{name}" if name.startswith("visual.") else re.sub(r"^model\.", "model.language_model.", name)
        assert our_name(new, family) == our_name(name, family) is not None


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("transformer.h.0.attn.c_attn.weights", "qwen-vl"),
        ("transformer.h.x.ln_1.weight", "qwen-vl"),
        ("visual.merger.ln_q.weight", "qwen-vl"),
        ("transformer.wte.weight", "qwen2-vl"),
        ("model.visual.model.visual.blocks.0.norm1.weight", "qwen2-vl"),
        ("model.layers.0.self_attn.q_proj.qweight", "qwen2-vl"),
        ("", "qwen2-vl"),
    ],
)
def test_other_names_are_nobodys(name: str, family: str) -> None:
    assert our_name(name, family) is None


def test_a_name_of_ours_that_is_none_has_no_published_one() -> None:
    with pytest.raises(KeyError, match=r"vision\.blocks\.0\.attend\.q"):
        published_name("vision.blocks.0.attend.q", "qwen2-vl")


def test_the_state_goes_out_under_published_names_as_it_is() -> None:
    model = qwen_vl_golden("dev-a").model
    state = published_state(model)
    assert len(state) == len(model.state_dict())
    assert torch.equal(state["transformer.visual.proj"], model.adapter.projection)
    assert "lm_head.weight" not in published_state(qwen2_vl_golden("dev-a")[0])
    assert "lm_head.weight" in published_state(qwen2_vl_golden("dev-b")[0])


# --- strictness ---


@pytest.fixture(params=["qwen-vl", "qwen2-vl"])
def model(request: pytest.FixtureRequest) -> Any:
    return qwen_vl_golden("dev-a").model if request.param == "qwen-vl" else qwen2_vl_golden("dev-a")[0]


def changed(model: Any, **tensors: Tensor | None) -> dict[str, Tensor]:
    state = dict(model.state_dict())
    for name, tensor in tensors.items():
        state[name] = tensor
        if tensor is None:
            del state[name]
    return state


def test_a_whole_checkpoint_passes(model: Any) -> None:
    check_tensors(model, model.state_dict())


def test_each_missing_tensor_is_named(model: Any) -> None:
    for name in model.state_dict():
        with pytest.raises(CheckpointError, match=f"lacks '{re.escape(published_name(name, model.config.family))}'"):
            check_tensors(model, changed(model, **{name: None}))


def test_a_misshapen_tensor_is_named_with_both_shapes(model: Any) -> None:
    name = "vision.blocks.1.qkv.weight"
    rows, columns = model.state_dict()[name].shape
    message = rf"(in_proj|attn\.qkv).*\({columns}, {rows}\).*\({rows}, {columns}\)"
    with pytest.raises(CheckpointError, match=message):
        check_tensors(model, changed(model, **{name: torch.zeros(columns, rows)}))


def test_a_tensor_the_config_has_no_place_for_is_named(model: Any) -> None:
    name = "language.blocks.17.norm1.weight"
    published = published_name(name, model.config.family)
    with pytest.raises(CheckpointError, match=f"holds '{published}', for which config.json has no place"):
        check_tensors(model, changed(model, **{name: torch.zeros(4)}))


@pytest.mark.parametrize("family", NAMES)
def test_an_unknown_name_is_named(family: str) -> None:
    with pytest.raises(CheckpointError, match=f"holds 'other.weight', which a {family} model does not have"):
        list(our_tensors([("other.weight", torch.zeros(1))], family, tied=False))


def test_saved_frequencies_are_passed_over() -> None:
    names = ["model.layers.0.self_attn.rotary_emb.inv_freq", "visual.rotary_pos_emb.inv_freq"]
    assert list(our_tensors([(name, torch.zeros(1)) for name in names], "qwen2-vl", tied=False)) == []


@pytest.mark.parametrize("tied", [True, False])
def test_a_head_saved_beside_its_tied_embedding_is_passed_over(tied: bool) -> None:
    found = [name for name, _ in our_tensors([("lm_head.weight", torch.zeros(1))], "qwen2-vl", tied=tied)]
    assert found == ([] if tied else ["language.head.weight"])
