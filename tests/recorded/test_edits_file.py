"""Edits in a run file: the same edits again, replayed, and nothing else taken for them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import qwenvl
from qwenvl.errors import RunError
from qwenvl.inference.run import Run
from qwenvl.recorded.edits_file import edits_from_parts, edits_to_parts
from tests.support.goldens import assert_close
from tests.support.mutations import changed
from tests.support.tiny import TINY, mosaic, one_picture, tiny


def edited(name: str, **settings: Any) -> Run:
    plain = tiny(name).run(one_picture(), answer="the red one")
    other = tiny(name).run(one_picture(mosaic(6, 4, seed=5)), answer="the red one")
    edits = [
        qwenvl.Knockout([10, 12], [3, 4], [1], heads=[0]),
        qwenvl.ScaleKeys([2, 3], [5], 0.5),
        qwenvl.AblateHeads(1, [2], to="mean"),
        qwenvl.AddVector(0, [7, 8], torch.arange(plain.config.language.dim) / 100),
        qwenvl.PatchState(2, [3, 4, 5], other),
    ]
    return plain.edited(edits, **settings)


@pytest.fixture(params=TINY)
def run(request: pytest.FixtureRequest) -> Run:
    return edited(request.param)


def test_a_saved_edited_run_is_the_same_run_and_is_replayed_as_such(run: Run, tmp_path: Path) -> None:
    edited(run.card.name, keep="nothing").save(tmp_path / "cat.run")
    again = Run.load(tmp_path / "cat.run", tiny(run.card.name))
    assert again.edits == run.edits
    assert again.card.notes == run.card.notes
    for layer in range(4):
        asked = {"layer": layer, "query": 12}
        assert_close(again.attention("language", **asked), run.attention("language", **asked), 1e-5)
    assert again.edited([]).record.probabilities == run.record.probabilities


def test_what_edits_weigh_is_bounded_by_what_they_name(run: Run) -> None:
    _, tensors = edits_to_parts(run.edits)
    dim = run.config.language.dim
    assert {name: tuple(value.shape) for name, value in tensors.items()} == {"edit.3": (dim,), "edit.4": (3, dim)}


def test_only_a_run_with_edits_is_of_the_later_version(run: Run, tmp_path: Path) -> None:
    run.save(tmp_path / "edited.run")
    tiny(run.card.name).run(one_picture(), answer="red").save(tmp_path / "plain.run")
    versions = []
    for name in ("plain.run", "edited.run"):
        with safe_open(tmp_path / name, "pt") as file:
            versions.append(file.metadata()["version"])
    assert versions == ["1", "2"]


BROKEN: dict[str, Any] = {
    "a token that is not there": lambda edits: edits[0].update(queries=[100_000]),
    "a token that is none": lambda edits: edits[0].update(keys=["cat"]),
    "a layer that is not there": lambda edits: edits[2].update(layer=10**9),
    "a head that is not there": lambda edits: edits[2].update(heads=[4]),
    "a factor that is no number": lambda edits: edits[1].update(factor="much"),
    "a kind that is none": lambda edits: edits[1].update(kind="Explode"),
    "a field more": lambda edits: edits[1].update(path="/etc/passwd"),
    "a field less": lambda edits: edits[1].pop("keys"),
    "another's tensor": lambda edits: edits.reverse(),
    "states of other tokens": lambda edits: edits[4].update(tokens=[3]),
    "a source without end": lambda edits: edits[4].update(source="x" * 10_000),
    "too many": lambda edits: edits.extend([edits[2]] * 100),
    "no edit": lambda edits: edits.append(7),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_file_with_edits_that_cannot_be_is_damaged(how: str, tmp_path: Path) -> None:
    path = tmp_path / "cat.run"
    edited(TINY[1]).save(path)
    rewrite(path, BROKEN[how])
    with pytest.raises(RunError, match="damaged"):
        Run.load(path)


def test_edits_that_are_a_list_of_none_are_none(tmp_path: Path) -> None:
    edited(TINY[1]).save(tmp_path / "cat.run")
    rewrite(tmp_path / "cat.run", lambda edits: edits.clear())
    assert Run.load(tmp_path / "cat.run").edits == ()


def rewrite(path: Path, change: Any) -> None:
    with safe_open(path, "pt") as file:
        header = dict(file.metadata())
    content = json.loads(header["content"])
    change(content["record"]["edits"])
    save_file(load_file(path), path, header | {"content": json.dumps(content)})


def test_whatever_stands_where_edits_stood_is_read_or_refused() -> None:
    run, draw = edited(TINY[1]), random.Random(0)
    content, tensors = edits_to_parts(run.edits)
    content = json.loads(json.dumps(content))
    assert edits_from_parts(content, tensors, run.record) == run.edits
    refused = 0
    for _ in range(400):
        try:
            edits_from_parts(changed(content, draw), tensors, run.record)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError):
            refused += 1
    assert refused > 200
