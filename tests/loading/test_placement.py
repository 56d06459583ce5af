"""Blocks on the CPU and on the disk: the same logits and traces as in one place. (Several GPUs need several GPUs.)"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import qwenvl
from qwenvl.errors import CheckpointError
from qwenvl.loading.hub import CHECKPOINTS
from qwenvl.loading.load import build_skeleton, load_model
from qwenvl.loading.placement import HOME, describe, plan_layout
from qwenvl.models.config import QWEN2_VL_2B
from tests.support.tiny import one_picture

TINY = ["tiny-qwen-vl", "tiny-qwen2-vl"]
GIB = 1 << 30


def loaded(name: str, **placed: Any) -> qwenvl.inference.pipeline.Pipeline:
    return qwenvl.load(name, device="cpu", dtype="float32", **placed)


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize(
    "device_map",
    [{"": "disk"}, {"vision": "disk", "language": "cpu"}, {"language.blocks.0": "disk"}, "auto"],
    ids=["all on disk", "tower on disk", "one block on disk", "auto"],
)
def test_a_model_says_the_same_wherever_its_blocks_lie(name: str, device_map: Any) -> None:
    whole, placed = loaded(name), loaded(name, device_map=device_map)
    ours, theirs = (pipeline.run(one_picture(), max_new_tokens=4) for pipeline in (whole, placed))
    assert theirs.answer == ours.answer
    assert theirs.kept.keys() == ours.kept.keys()
    assert all(torch.equal(theirs.kept[tap], ours.kept[tap]) for tap in ours.kept)


@pytest.mark.parametrize("name", TINY)
def test_what_lies_on_the_disk_takes_no_memory_between_two_questions(name: str) -> None:
    pipeline = loaded(name, device_map={"": "disk"})
    pipeline.run(one_picture(), max_new_tokens=2)
    for block, parameter in pipeline.model.named_parameters():
        assert parameter.is_meta == (".blocks." in block)
    assert pipeline.parameters == loaded(name).parameters


def test_bin_files_are_read_from_the_disk_too(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    for file in (CHECKPOINTS / "tiny-qwen2-vl").iterdir():
        if file.name != "model.safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    torch.save(load_file(CHECKPOINTS / "tiny-qwen2-vl" / "model.safetensors"), tmp_path / "pytorch_model.bin")
    placed = loaded(str(tmp_path), device_map={"": "disk"})
    assert placed.run(one_picture(), max_new_tokens=3).answer == (
        loaded("tiny-qwen2-vl").run(one_picture(), max_new_tokens=3).answer
    )


@pytest.mark.parametrize(
    ("device_map", "message"),
    [
        ("balanced", "no device_map 'balanced'"),
        ({"language.layers.0": "disk"}, "names 'language.layers.0', which is no module"),
        ({"vision": "cuda:99"}, "no device 'cuda:99' here"),
        ({"vision": "attic"}, "no device 'attic' here"),
    ],
)
def test_a_map_of_places_that_are_not_there_is_refused(device_map: Any, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        load_model(CHECKPOINTS / "tiny-qwen2-vl", device="cpu", device_map=device_map)


# --- the layout, for machines that are not here ---


def layout(budgets: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr("qwenvl.loading.placement._budgets", lambda *_: budgets)
    model = build_skeleton(QWEN2_VL_2B)
    device = torch.device(next(iter(budgets)))
    return plan_layout(model, "auto", None, device=device, dtype=torch.bfloat16)


def test_everything_goes_to_the_first_place_with_room(monkeypatch: pytest.MonkeyPatch) -> None:
    assert describe(layout({"cuda:0": 8 * GIB, "cpu": GIB}, monkeypatch)) == {"cuda:0": 28 + 32}


def test_the_decoder_comes_first_and_the_tower_takes_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    places = layout({"cuda:0": 3 * GIB, "cuda:1": 1 * GIB, "cpu": 100 << 20}, monkeypatch)
    found = describe(places)
    assert list(found)[:2] == ["cuda:0", "cuda:1"]
    assert {"cpu", "disk"} <= found.keys()
    assert places["language.blocks.0"] == places[HOME] == "cuda:0"
    assert {place for unit, place in places.items() if unit.startswith("language")} <= {"cuda:0", "cuda:1"}


def test_no_place_holds_more_than_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    budgets = {"cuda:0": 2 * GIB, "cuda:1": GIB, "cpu": 200 << 20}
    places = layout(budgets, monkeypatch)
    model = build_skeleton(QWEN2_VL_2B)
    held = dict.fromkeys((*budgets, "disk"), 0)
    for name, parameter in model.named_parameters():
        unit = ".".join(name.split(".")[:3]) if ".blocks." in name else HOME
        held[places[unit]] += 2 * parameter.numel()
    assert all(held[place] <= room for place, room in budgets.items())
    assert sum(held.values()) == 2 * 2_208_985_600
