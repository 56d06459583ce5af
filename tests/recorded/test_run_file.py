"""A run in one file: the same run again, and nothing else taken for one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from qwenvl.errors import RunError
from qwenvl.inference.pipeline import Pipeline
from qwenvl.inference.run import Run
from tests.support.goldens import assert_close
from tests.support.tiny import SPOKEN, TINY, mixed_messages, mixed_run, mosaic, one_picture, tiny


@pytest.fixture(params=TINY)
def run(request: pytest.FixtureRequest) -> Run:
    return mixed_run(request.param)


@pytest.fixture(params=TINY)
def frugal(request: pytest.FixtureRequest) -> Pipeline:
    """A pipeline whose runs keep nothing."""
    return replace(tiny(request.param), max_trace_bytes=1)


@pytest.fixture
def saved(run: Run, tmp_path: Path) -> Path:
    run.save(tmp_path / "cat.run")
    return tmp_path / "cat.run"


def test_a_saved_run_is_the_same_run(run: Run, saved: Path) -> None:
    again = Run.load(saved)
    assert again.record == run.record
    assert again.media == run.media
    assert torch.equal(again.positions, run.positions)
    assert again.kept.keys() == run.kept.keys()
    assert all(torch.equal(again.kept[name], value) for name, value in run.kept.items())
    for media, original in zip(again.media, run.media, strict=True):
        assert [frame.tobytes() for frame in media.frames] == [frame.tobytes() for frame in original.frames]
    query = run.answer_start
    assert torch.equal(again.image_map(query=query, media=1), run.image_map(query=query, media=1))
    assert again.alternatives(query) == run.alternatives(query)
    assert not list(saved.parent.glob("*.part"))


def test_a_run_file_names_no_folder_of_the_machine(tmp_path: Path) -> None:
    folder = tmp_path / "private folder"
    folder.mkdir()
    mosaic(4, 4).save(folder / "cat.png")
    run = tiny("tiny-qwen2-vl").run(one_picture(folder / "cat.png"), answer="red")  # type: ignore[arg-type]
    run.save(tmp_path / "cat.run")
    assert b"private folder" not in (tmp_path / "cat.run").read_bytes()


def test_what_was_not_kept_needs_the_pipeline_and_says_so(frugal: Pipeline, tmp_path: Path) -> None:
    frugal.run(mixed_messages(), answer=SPOKEN).save(tmp_path / "cat.run")
    alone = Run.load(tmp_path / "cat.run")
    with pytest.raises(RunError, match=r"language\.blocks\.1 was not kept.*with its pipeline"):
        alone.attention("language", layer=1, query=3)
    together, kept = Run.load(tmp_path / "cat.run", frugal), mixed_run(frugal.name)
    asked = {"query": kept.answer_start, "layer": 2, "media": 1}
    assert_close(together.image_map(**asked), kept.image_map(**asked), 1e-5)


def test_another_models_pipeline_is_refused(saved: Path, run: Run) -> None:
    (other,) = set(TINY) - {run.card.name}
    with pytest.raises(RunError, match=f"made by {run.card.name}, not by {other}"):
        Run.load(saved, tiny(other))


@pytest.mark.parametrize("keep", [0, 0.0001, 0.01, 0.5, 0.99])
def test_a_run_file_cut_short_is_damaged(saved: Path, keep: float) -> None:
    content = saved.read_bytes()
    saved.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(RunError, match=r"cat\.run is damaged"):
        Run.load(saved)


def rewritten(path: Path, *, without: str | None = None, tensors: Any = None, **metadata: str) -> None:
    with safe_open(path, "pt") as file:
        header = dict(file.metadata()) | metadata
    found = load_file(path) | (tensors or {})
    if without is not None:
        header.pop(without, None)
        found.pop(without, None)
    save_file(found, path, header)


def test_a_file_of_another_kind_or_version_is_refused(saved: Path, tmp_path: Path) -> None:
    rewritten(saved, version="3")
    with pytest.raises(RunError, match="version 3 of the run format; this reads versions up to 2"):
        Run.load(saved)
    save_file({"a": torch.zeros(1)}, tmp_path / "weights.safetensors")
    with pytest.raises(RunError, match=r"weights\.safetensors is a safetensors file but not a run"):
        Run.load(tmp_path / "weights.safetensors")
    (tmp_path / "notes.txt").write_text("hello " * 100, encoding="utf-8")
    with pytest.raises(RunError, match=r"notes\.txt is damaged or not a run file"):
        Run.load(tmp_path / "notes.txt")
    for name in ("none.run", "."):
        with pytest.raises(RunError, match="no run file"):
            Run.load(tmp_path / name)


def test_a_run_file_with_parts_changed_is_damaged(run: Run, tmp_path: Path) -> None:
    content = {"record": {}, "media": [], "frames": []}
    changes: list[dict[str, Any]] = [
        {"content": "{"},
        {"content": "[]"},
        {"content": json.dumps(content)},
        {"without": "content"},
        {"without": "positions"},
        {"without": "media.0.0"},
        {"without": "media.1.2"},
        {"without": "kept.language.blocks.1.attend.k"},
        {"tensors": {"positions": torch.zeros(3, 2, dtype=torch.int64)}},
        {"tensors": {"media.0.0": torch.zeros(9, dtype=torch.uint8)}},
    ]
    for change in changes:
        run.save(tmp_path / "cat.run")
        rewritten(tmp_path / "cat.run", **change)
        with pytest.raises(RunError, match="damaged"):
            Run.load(tmp_path / "cat.run")


def test_a_place_that_cannot_be_written_is_one_clear_sentence(run: Run, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"cat\.run cannot be written"):
        run.save(tmp_path / "nowhere" / "cat.run")
