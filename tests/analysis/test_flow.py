"""Curves of flow against decoders written out by hand, on random models of both families."""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch
from torch import Tensor

import qwenvl
from qwenvl.analysis.flow import PAIRS, REGION_PAIRS, Flow, flow_seconds, token_groups, usual_width
from qwenvl.errors import RunError
from qwenvl.inference.run import Run
from tests.support.eager import eager_logits, embeddings
from tests.support.goldens import assert_close
from tests.support.tiny import SPOKEN, TINY, mixed_run, mosaic, one_picture, tiny

LIMIT = 2e-5  # of logarithms of words' probabilities, sums over their tokens: up to 1.2e-5 apart, float32 against 64
REGION = [1, 2, 5]


@cache
def asked(name: str) -> Run:
    return tiny(name).run(one_picture(mosaic(8, 8)), answer=SPOKEN)


@pytest.fixture(params=TINY)
def run(request: pytest.FixtureRequest) -> Run:
    return asked(request.param)


def finished(run: Run, **settings: object) -> Flow:
    *_, last = run.flow(**settings)  # type: ignore[arg-type]
    return last


def words_by_hand(run: Run, logits: Tensor) -> Tensor:
    own = [math.log(float(logits[i - 1].softmax(-1)[t.id])) for i, t in enumerate(run.tokens) if t.in_answer]
    return torch.tensor([sum(own[i - run.answer_start] for i in word) for word in run.words], dtype=torch.float64)


@pytest.mark.parametrize("width", [1, 3])
def test_curves_are_those_of_passes_cut_by_hand(run: Run, width: int) -> None:
    found = finished(run, region=REGION, width=width)
    entered = embeddings(run, one_picture(mosaic(8, 8)))
    image = [i for i, token in enumerate(run.tokens) if token.kind == "image"]
    question = [i for i, token in enumerate(run.tokens) if token.section == "question"]
    groups = {"image": image, "question": question, "last": [run.answer_start - 1]}
    groups["region"] = [image[i] for i in REGION]
    assert found.pairs == PAIRS + REGION_PAIRS
    assert found.width == width
    assert found.finished
    assert_close(found.before.log(), words_by_hand(run, eager_logits(run, entered)[0]), LIMIT)
    for pair, curve in zip(found.pairs, found.after, strict=True):
        for middle in range(4):

            def cut(layer: int, scores: Tensor, middle: int = middle, pair: tuple[str, str] = pair) -> Tensor:
                if abs(layer - middle) <= width // 2:
                    for row in groups[pair[1]]:
                        scores[:, row, groups[pair[0]]] = -torch.inf
                return scores

            expected = words_by_hand(run, eager_logits(run, entered, scores=cut)[0])
            assert_close(curve[middle].log(), expected, LIMIT)
    assert found.change.abs().max() > 1e-3  # there is something to see
    assert torch.allclose(found.change, (found.after - found.before) / found.before)


def test_side_by_side_is_one_after_the_other(run: Run) -> None:
    each = [finished(run, batch=size) for size in (1, 5, 12)]
    for other in each[1:]:
        assert_close(other.after.log(), each[0].after.log(), LIMIT)
    steps = list(run.flow(batch=5))
    assert [step.done for step in steps] == [5, 10, 12]
    assert int(steps[0].after[..., 0].isfinite().sum()) == 5
    assert not steps[0].finished


def test_pictures_are_read_once(run: Run) -> None:
    read: list[int] = []
    handle = tiny(run.card.name).model.vision.register_forward_hook(lambda *_: read.append(1))
    try:
        finished(run, batch=2)
    finally:
        handle.remove()
    assert len(read) == 1


def test_a_cut_equals_an_edited_run_and_edits_are_carried(run: Run) -> None:
    keys = run.visual[0].tolist()
    cut = qwenvl.Knockout([run.answer_start - 1], keys, [1, 2, 3])
    found = finished(run, pairs=[("image", "last")], width=3)
    assert found.after[0, 2, 0] == pytest.approx(run.edited([cut]).probability(run.answer_start), rel=LIMIT)
    quiet = qwenvl.AblateHeads(0, [1], to="mean")
    under = finished(run.edited([quiet]), pairs=[("image", "last")], width=3)
    expected = run.edited([quiet, cut]).probability(run.answer_start)
    assert under.after[0, 2, 0] == pytest.approx(expected, rel=LIMIT)
    assert under.after[0, 2, 0] != pytest.approx(float(found.after[0, 2, 0]), rel=1e-3)


def test_one_media_of_several_is_a_group() -> None:
    run = mixed_run(TINY[1])
    groups = token_groups(run, media=2, region=[0, 3])
    assert groups["image"] == run.visual[2].tolist()
    assert groups["region"] == run.visual[2][[0, 3]].tolist()
    assert token_groups(run)["image"] == sorted(torch.cat([*run.visual.values()]).tolist())


@pytest.mark.parametrize(("layers", "width"), [(1, 1), (4, 1), (12, 3), (28, 7), (32, 9), (80, 21)])
def test_windows_grow_with_the_depth(layers: int, width: int) -> None:
    assert usual_width(layers) == width


def test_what_cannot_be_cut_is_one_sentence(run: Run) -> None:
    for settings, message in [
        ({"width": 2}, "A window of 2 layers has no middle"),
        ({"width": 99}, "Window of layers 99 does not exist"),
        ({"pairs": [("image", "moon")]}, "is no pair of groups"),
        ({"pairs": [("region", "last")]}, "no token of the group 'region'"),
        ({"pairs": [("image", "region")], "region": [0]}, "share tokens"),
        ({"region": [10**6]}, "Visual token 1000000 does not exist"),
        ({"media": 3}, "Media 3 does not exist"),
        ({"batch": "all"}, "Batch 'all' is not an index"),
    ]:
        with pytest.raises(RunError, match=message):
            finished(run, **settings)
    alone = Run(run.record, run.media, run.positions, run.kept)
    with pytest.raises(RunError, match="load the run with its pipeline"):
        finished(alone)
    assert flow_seconds(alone) == 0
    nothing = tiny(run.card.name).run(one_picture(), answer="")
    with pytest.raises(RunError, match="nothing was said"):
        finished(nothing)


def test_the_forecast_counts_every_pass(run: Run) -> None:
    one, three = flow_seconds(run, pairs=1), flow_seconds(run, pairs=3)
    assert three - one == pytest.approx(8 * run.parts["language"])
