"""What Answer asks of the server: the library's own figures, and sentences for what cannot be asked."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from app.serving.api import server_functions
from app.serving.session import Session
from qwenvl.analysis.map_agreement import agreement
from qwenvl.analysis.row_statistics import own_map
from tests.support.kept import keep
from tests.support.sentences import english

Ask = Callable[..., dict[str, Any]]


def unpacked(value: dict[str, Any]) -> Tensor:
    array = np.frombuffer(base64.b64decode(value["f32"]), dtype="<f4").reshape(value["shape"])
    return torch.from_numpy(array.copy())


@pytest.fixture(scope="module")
def ids(tiny_session: Session, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    path = tmp_path_factory.mktemp("answer") / "noise.png"
    Image.effect_noise((150, 100), 70).convert("RGB").save(path)
    return keep(tiny_session, {"A": "the cat and the dog", "B": "the cat and the dog"}, [path])


@pytest.fixture(scope="module")
def ask(tiny_session: Session) -> Ask:
    functions = {one.__name__: one for one in server_functions(tiny_session)}
    return lambda name, **asked: functions[name](asked)


@pytest.fixture(params=["A", "B"])
def run_id(request: pytest.FixtureRequest, ids: dict[str, str]) -> str:
    return ids[request.param]


def test_maps_ahead_are_the_maps_asked_for_one_by_one(run_id: str, ask: Ask, tiny_session: Session) -> None:
    run = tiny_session.store.get(run_id).run
    queries = [word[0] for word in run.words]
    chosen = {"run": run_id, "why": True, "layer": 1, "head": 2, "media": 0, "adapter_head": "mean", "mode": "raw"}
    each = [*({"query": query} for query in queries), {"query": queries[2], "layer": "mean", "head": 0}]
    ahead = ask("maps_ahead", each=each, **chosen)
    assert ahead["maps"] == [ask("map", **{**chosen, "also": [], **one}) for one in each]
    assert ahead["queries"] == queries
    assert ahead["shares"] == [ask("shares", run=run_id, why=True, query=query) for query in queries]


def test_several_rows_are_their_mean(run_id: str, ask: Ask, tiny_session: Session) -> None:
    run = tiny_session.store.get(run_id).run
    first = run.answer_start
    chosen = {"layer": 1, "head": 0, "media": 0}
    found = ask("map", run=run_id, query=first + 2, also=[first, first + 2, first + 3], why=True, **chosen)
    assert found["rows"] == [first + 1, first - 1, first + 2]
    maps = [run.image_map(query=row, **chosen) for row in found["rows"]]
    torch.testing.assert_close(unpacked(found["values"]), torch.stack(maps).mean(dim=0).flatten(), atol=1e-7, rtol=0)
    assert float(unpacked(found["keys"]).double().sum()) == pytest.approx(1, abs=1e-6)
    assert sum(found["sections"].values()) == pytest.approx(1, abs=1e-6)


def test_what_sinks_take_is_told_part_by_part(
    ids: dict[str, str], ask: Ask, tiny_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tiny_session.store.get(ids["B"]).run
    row, layer, head = run.answer_start - 1, 1, 2
    mask = torch.zeros(len(run.tokens), dtype=torch.bool)
    mask[[0, 3, int(run.visual[0][4]), len(mask) - 1]] = True
    monkeypatch.setattr(run, "_remembered", {("sinks", layer): mask})
    found = ask("map", run=ids["B"], query=row, layer=layer, head=head, media=0, mode="sinks")
    attention = run.attention("language", layer=layer, query=row, head=head)
    sinks = [key for key in run.sinks(layer) if key <= row]
    assert found["removed"] == pytest.approx(float(attention[sinks].sum()), abs=1e-6)
    assert sum(found["sinks"].values()) == pytest.approx(found["removed"], abs=1e-6)
    assert found["sink_keys"] == sinks
    for section, share in found["sinks"].items():
        assert share <= found["sections"][section] + 1e-9


def test_a_map_against_a_neutral_question_is_signed(run_id: str, ask: Ask, tiny_session: Session) -> None:
    run = tiny_session.store.get(run_id).run
    row = run.answer_start + 1
    found = ask("map", run=run_id, query=row, layer=2, head="mean", media=0, mode="neutral")
    expected = run.map_against_neutral(query=row, layer=2, head="mean")
    assert torch.equal(unpacked(found["values"]), expected.values.flatten())
    cells = expected.values if "adapter" in run.sites else expected.weights
    assert found["max"] == float(cells.abs().max())
    assert found["neutral_question"] == "Describe the image."
    assert found["share"] == pytest.approx(expected.share, abs=1e-6)
    assert all(cells.flatten()[cell] > 0 for cell in found["half"])


def test_statistics_are_the_runs_own(run_id: str, ask: Ask, tiny_session: Session) -> None:
    run = tiny_session.store.get(run_id).run
    found = ask("statistics", run=run_id, query=run.answer_start, why=True, media=0)
    expected = run.statistics(run.answer_start - 1)
    for name in ("share", "entropy", "distance", "sinks"):
        assert torch.equal(unpacked(found[name]), getattr(expected, name))
    assert found["even_entropy"] == expected.even_entropy


def test_readers_of_every_patch(ids: dict[str, str], ask: Ask, tiny_session: Session) -> None:
    run = tiny_session.store.get(ids["A"]).run
    found = ask("patch_readers", run=ids["A"], media=0, head=0)
    matrix = run.adapter_matrix(media=0, head=0)
    for patch in (0, 77, 255):
        best = matrix[:, patch].topk(5)
        assert unpacked(found["queries"])[patch].tolist() == best.indices.tolist()
        assert torch.equal(unpacked(found["weights"])[patch], best.values)


def test_who_reads_a_token_and_who_reads_cells(run_id: str, ask: Ask, tiny_session: Session) -> None:
    run = tiny_session.store.get(run_id).run
    found = ask("reading", run=run_id, query=4, layer=1, head=2, media=0)
    values = unpacked(found["values"])
    assert torch.equal(values[4:], run.column("language", key=4, layer=1, head=2))
    assert found["strongest"] == [row for row in values.argsort(descending=True).tolist() if row != 4][:6]
    cells = ask("reading", run=run_id, cells=[3, 5], layer=1, head=2, media=0)
    row = len(run.tokens) - 1
    expected = own_map(run, query=row, layer=1, head=2).flatten()[[3, 5]].sum()
    assert float(unpacked(cells["values"])[row]) == pytest.approx(float(expected), abs=1e-6)


def test_agreement_is_the_librarys(ids: dict[str, str], ask: Ask, tiny_session: Session) -> None:
    runs = {letter: tiny_session.store.get(ids[letter]).run for letter in "AB"}
    row = {letter: run.answer_start + 1 for letter, run in runs.items()}
    one, two = ({"run": ids[letter], "query": row[letter], "layer": 1, "head": 0, "media": 0} for letter in "AB")
    found = ask("agreement", one=one, two=two)
    maps = [own_map(runs[letter], query=row[letter], layer=1, head=0) for letter in "AB"]
    expected = agreement(*maps, (150, 100))
    assert expected is not None
    assert (found["iou"], found["js_distance"]) == (expected.iou, expected.js_distance)
    torch.testing.assert_close(unpacked(found["difference"]), expected.difference.float())
    assert ask("agreement", one={**one, "query": 0}, two=two)["iou"] is None


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("map", {"query": 5, "media": 0, "mode": "best"}),
    ("map", {"query": 5, "media": 0, "also": "5"}),
    ("map", {"query": 5, "media": 0, "also": [1] * 65}),
    ("map", {"query": 5, "media": 0, "also": [None]}),
    ("maps_ahead", {"each": [], "media": 0}),
    ("maps_ahead", {"each": [{"query": 3}] * 65, "media": 0}),
    ("maps_ahead", {"each": {"query": 1}, "media": 0}),
    ("maps_ahead", {"each": [3], "media": 0}),
    ("maps_ahead", {"each": [{"query": 3, "layer": 99}], "media": 0}),
    ("maps_ahead", {"each": [{}], "media": 0}),
    ("reading", {"query": True, "media": 0}),
    ("reading", {"cells": [], "media": 0}),
    ("reading", {"cells": [99999], "media": 0}),
    ("reading", {"cells": ["0"], "media": 0}),
    ("reading", {"cells": [0] * 65_537, "media": 0}),
    ("statistics", {"query": -1, "media": 0}),
    ("statistics", {"query": 1, "media": 1}),
    ("patch_readers", {"media": 7, "head": 0}),
    ("agreement", {}),
    ("agreement", {"one": [], "two": {}}),
]


@pytest.mark.parametrize(("name", "asked"), WRONG, ids=str)
def test_what_cannot_be_asked_is_one_sentence(
    name: str, asked: dict[str, Any], ids: dict[str, str], ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask(name, **{"run": ids["A"], **asked})
    assert list(answer) == ["error"]
    assert english(answer["error"]).endswith(".")
    assert not caplog.records  # a sentence of ours, no mishap


def test_qwen2_vl_has_no_readers(ids: dict[str, str], ask: Ask) -> None:
    assert "Qwen-VL column" in ask("patch_readers", run=ids["B"], media=0, head=0)["error"]


def test_a_run_that_is_gone_says_so(ask: Ask) -> None:
    for name in ("maps_ahead", "statistics", "patch_readers", "reading", "agreement"):
        assert "no longer kept" in ask(name, run="gone", one={"run": "gone"}, two={}).get("error", "")
