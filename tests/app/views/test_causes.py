"""What Causes asks of the server: the library's own numbers, curves that can be stopped, sentences for the rest."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.serving.api import server_functions
from app.serving.session import Session
from qwenvl.analysis.occlusion import readers
from qwenvl.analysis.regions import box_mask, cells_in, paint
from tests.support.kept import keep
from tests.support.sentences import english

BOX = {"kind": "box", "box": [100, 200, 600, 700]}
PLAIN = {"media": 0, "tool": "block", "place": BOX, "rows": "answer", "through": "adapter"}


def picture_of(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))


@pytest.fixture(scope="module")
def ids(tiny_session: Session, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    path = tmp_path_factory.mktemp("causes") / "noise.png"
    Image.effect_noise((150, 100), 70).convert("RGB").save(path)
    return keep(tiny_session, {"A": "a red cat", "B": "a red cat"}, [path])


@pytest.fixture
def ask(tiny_session: Session) -> Callable[..., dict[str, Any]]:
    functions = {one.__name__: one for one in server_functions(tiny_session)}
    return lambda name, **asked: functions[name](asked)


def test_blocking_a_region_is_the_librarys_own_answer(
    ids: dict[str, str], ask: Callable[..., Any], tiny_session: Session
) -> None:
    for letter, run_id in ids.items():
        run = tiny_session.store.get(run_id).run
        media, index = run.media[0], run.answer_start + 1
        grid = media.patch_grid if letter == "A" else media.token_grid
        cells = cells_in(box_mask((150, 100), (15, 20, 90, 70)), grid)
        told = ask("causes", run=run_id, query=index, **PLAIN, layers=[1, 2])
        if letter == "A":
            effect = run.without(index, patches=cells)
            through = ask("causes", run=run_id, query=index, **{**PLAIN, "through": "queries"}, layers=[1, 2])
            other = run.without(index, visual=readers(run, cells), layers=[1, 2])
            assert (through["after"], through["unit"]) == (other.after, "query")
        else:
            effect = run.without(index, visual=cells, layers=[1, 2])
        assert told["cells"] == cells == told["hidden"]
        assert (told["before"], told["after"]) == (effect.before, effect.after)
        assert (told["answer_before"], told["answer_after"]) == (effect.answer_before, effect.answer_after)
        assert [one["id"] for one in told["likeliest"]] == [one.id for one in effect.likeliest]


def test_painting_shows_the_very_picture_the_model_got(
    ids: dict[str, str], ask: Callable[..., Any], tiny_session: Session
) -> None:
    stroke = np.zeros((64, 64), dtype=bool)
    stroke[10:30, 20:25] = True
    edges = np.flatnonzero(np.diff(stroke.ravel().astype(int))) + 1
    runs = np.diff([0, *edges, 64 * 64])
    text = "b" + ".".join(np.base_repr(length, 36).lower() for length in runs)
    mask = stroke[(np.arange(100) + 0.5).astype(int) * 64 // 100][:, (np.arange(150) + 0.5).astype(int) * 64 // 150]
    for run_id in ids.values():
        run = tiny_session.store.get(run_id).run
        media, index = run.media[0], run.answer_start + 1
        region = {"kind": "brush", "mask": text}
        told = ask("causes", run=run_id, query=index, media=0, tool="paint", place=region, fill="black")
        effect = run.painted(index, mask, fill="black")
        assert told["pixels"] == effect.pixels == mask.sum()
        assert told["after"] == effect.after
        changed = paint(media.frames[0], mask, "black")
        np.testing.assert_array_equal(picture_of(told["picture"]), np.asarray(changed))
        received = changed.resize(media.resized, Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(picture_of(told["received"]), np.asarray(received))


def test_half_of_the_map_is_the_fewest_cells_of_the_chosen_head(
    ids: dict[str, str], ask: Callable[..., Any], tiny_session: Session
) -> None:
    for letter, run_id in ids.items():
        run = tiny_session.store.get(run_id).run
        index = run.answer_start + 2
        told = ask("causes", run=run_id, query=index, **{**PLAIN, "place": {"kind": "half"}}, layer=1, head=0)
        at = {"query": index - 1, "layer": 1, "head": 0}
        values = (run.image_map(**at) if letter == "A" else run.token_weights(**at)).flatten().double()
        chosen = values[told["cells"]]
        assert chosen.sum() >= values.sum() / 2
        assert chosen.sum() - chosen.min() < values.sum() / 2


def test_curves_come_step_by_step_and_can_be_stopped(
    ids: dict[str, str], ask: Callable[..., Any], tiny_session: Session
) -> None:
    run_id = ids["B"]
    run = tiny_session.store.get(run_id).run
    index = run.answer_start + 1
    asked = {"run": run_id, "query": index, "media": 0, "layer": 1, "head": "mean", "fill": "mean"}
    assert ask("causes_curves", run=run_id, do="look") == {"state": "none"}
    told = ask("causes_curves", do="start", **asked)
    for _ in range(6_000):  # two minutes, for a busy machine
        if told["state"] == "done":
            break
        assert told["state"] == "running"
        time.sleep(0.02)
        told = ask("causes_curves", run=run_id, do="look")
    *_, last = run.deletion_curves(index, layer=1, steps=10, seeds=5)
    assert told["deletion"]["map"]["y"] == list(last.falling.probability)
    assert told["insertion"]["map"]["y"] == list(last.insertion.probability)
    assert told["insertion"]["map"]["area"] == pytest.approx(last.insertion.area)
    assert told["deletion"]["random"]["areas"] == [curve.area for curve in last.random]
    assert told["deletion"]["random"]["mean"][3] == pytest.approx(np.mean([c.probability[3] for c in last.random]))
    assert told["seeds"] == 5
    assert ask("causes_curves", do="start", **asked)["state"] == "done"  # not computed again
    ask("causes_curves", do="start", **{**asked, "fill": "black"})
    told = ask("causes_curves", run=run_id, do="stop")
    assert told["state"] == "stopped"


@pytest.mark.parametrize(
    "asked",
    [
        {"query": 0},
        {"query": True},
        {"tool": "erase"},
        {"place": None},
        {"place": {"kind": "box", "box": [0, 0, 2000, 10]}},
        {"place": {"kind": "box", "box": "all"}},
        {"place": {"kind": "box", "box": [500, 500, 500, 600]}},
        {"place": {"kind": "brush", "mask": "b1.2"}},
        {"place": {"kind": "brush", "mask": "b" + "1." * 9000}},
        {"layers": [3, 1]},
        {"layers": [0, 99]},
        {"rows": "some"},
        {"media": 3},
        {"tool": "paint", "fill": "pink"},
    ],
)
def test_what_cannot_be_asked_is_one_sentence(
    asked: dict[str, Any], ids: dict[str, str], ask: Callable[..., Any], tiny_session: Session
) -> None:
    index = tiny_session.store.get(ids["B"]).run.answer_start
    told = ask("causes", **{"run": ids["B"], "query": index, **PLAIN, **asked})
    assert list(told) == ["error"]
    said = english(told["error"])
    assert len(said) < 120
    assert ":" in said or "four whole numbers" in said
