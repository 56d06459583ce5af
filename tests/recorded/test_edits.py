"""Edited runs against decoders written out by hand, for both families on random weights; and what an edit may name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import qwenvl
from qwenvl.errors import RunError
from qwenvl.inference.run import Run
from qwenvl.models import layers
from qwenvl.models.trace import Mask
from qwenvl.recorded.edits import Edit
from qwenvl.recorded.indices import check_index
from tests.support.eager import eager_logits, embeddings
from tests.support.goldens import assert_close
from tests.support.tiny import SPOKEN, TINY, mosaic, one_picture, tiny

LIMIT = 1e-5  # of probabilities and of rows
LOG_LIMIT = 1e-5  # of logarithms of probabilities of 1e-4 to 1e-2, which are logits
QUERIES, KEYS, HEADS = (-1, -3, -4), range(3, 60), (1, 3)  # queries are counted from the end here


def messages(*, turned: bool = False) -> list[dict[str, Any]]:
    picture = mosaic(20, 20)
    return one_picture(picture.rotate(180) if turned else picture)


@cache
def plain_run(name: str) -> Run:
    return tiny(name).run(messages(), answer=SPOKEN)


@pytest.fixture(params=TINY)
def run(request: pytest.FixtureRequest) -> Run:
    return plain_run(request.param)


@cache
def entered(name: str) -> Tensor:
    return embeddings(plain_run(name), messages())


def vector(run: Run) -> Tensor:
    return torch.randn(run.config.language.dim, generator=torch.Generator().manual_seed(3))


@cache
def other(name: str) -> Run:
    """Another picture of the same size, and the same words."""
    return tiny(name).run(messages(turned=True), answer=SPOKEN)


Changes = dict[str, Callable[[int, Tensor], Tensor]]


def last_rows(run: Run) -> list[int]:
    return [len(run.tokens) + query for query in QUERIES]


def knockout(run: Run) -> tuple[Edit, Changes]:
    def hide(layer: int, scores: Tensor) -> Tensor:
        for head, query in product(HEADS, last_rows(run)):
            if layer in (1, 2):
                scores[head, query, list(KEYS)] = -torch.inf
        return scores

    return qwenvl.Knockout(last_rows(run), KEYS, layers=(1, 2), heads=HEADS), {"scores": hide}


def scale(run: Run) -> tuple[Edit, Changes]:
    def multiply(layer: int, scores: Tensor) -> Tensor:
        if layer == 2:
            scores[1, :, list(KEYS)] += math.log(0.25)
        return scores

    return qwenvl.ScaleKeys([2], np.array(KEYS), 0.25, heads=[1]), {"scores": multiply}


def zero(run: Run) -> tuple[Edit, Changes]:
    def silence(layer: int, read: Tensor) -> Tensor:
        if layer == 1:
            read[list(HEADS)] = 0
        return read

    return qwenvl.AblateHeads(1, HEADS), {"heads": silence}


def mean(run: Run) -> tuple[Edit, Changes]:
    def level(layer: int, read: Tensor) -> Tensor:
        if layer == 1:
            read[list(HEADS)] = read[list(HEADS), : run.answer_start].mean(dim=1, keepdim=True)
        return read

    return qwenvl.AblateHeads(1, torch.tensor(HEADS), to="mean"), {"heads": level}


def add(run: Run) -> tuple[Edit, Changes]:
    def steer(layer: int, states: Tensor) -> Tensor:
        if layer == 2:
            states[last_rows(run)] += vector(run).double()
        return states

    return qwenvl.AddVector(2, last_rows(run), vector(run)), {"state": steer}


def patch(run: Run) -> tuple[Edit, Changes]:
    there: list[Tensor] = []
    eager_logits(run, patched_from(run.card.name), state=lambda _, x: there.append(x.clone()) or x)

    def exchange(layer: int, states: Tensor) -> Tensor:
        if layer == 1:
            states[list(KEYS)] = there[1][list(KEYS)]
        return states

    return qwenvl.PatchState(1, KEYS, other(run.card.name)), {"state": exchange}


BY_HAND = {each.__name__: each for each in (knockout, scale, zero, mean, add, patch)}
"""For each kind an edit, and what it does to a forward pass written out."""


def by_hand(run: Run, kind: str) -> tuple[Edit, Changes]:
    return BY_HAND[kind](run)


@cache
def patched_from(name: str) -> Tensor:
    """What enters the decoder in the other run."""
    return embeddings(other(name), messages(turned=True))


def said(run: Run, logits: Tensor) -> Tensor:
    """The probability of every answer token."""
    chances = logits.softmax(dim=-1)
    return torch.stack([chances[place - 1, run.tokens[place].id] for place in range(run.answer_start, len(run.tokens))])


def logs(run: Run) -> Tensor:
    return torch.tensor(run.record.probabilities, dtype=torch.float64).log()


def test_the_decoder_written_out_is_the_model(run: Run) -> None:
    logits, maps = eager_logits(run, entered(run.card.name))
    assert_close(logs(run), said(run, logits).log(), LOG_LIMIT)
    assert_close(run.attention("language", layer=3, query=len(run.tokens) - 1), maps[3][:, -1], LIMIT)


@pytest.mark.parametrize("kind", ["knockout", "scale", "zero", "mean", "add", "patch"])
def test_an_edited_run_equals_the_pass_edited_by_hand(run: Run, kind: str) -> None:
    edit, changes = by_hand(run, kind)
    logits, maps = eager_logits(run, entered(run.card.name), **changes)
    edited = run.edited([edit])
    expected = said(run, logits)
    assert_close(logs(edited), expected.log(), LOG_LIMIT)
    assert (expected.log() - logs(run)).abs().max() > 500 * LOG_LIMIT  # there is something to see
    for layer in range(run.num_layers("language")):
        for query in (len(run.tokens) - 1, len(run.tokens) - 3, 70):
            row = edited.attention("language", layer=layer, query=query)
            assert_close(row, maps[layer][:, query, : query + 1], LIMIT)
        assert_close(edited.column("language", key=10, layer=layer), maps[layer][:, 10:, 10], LIMIT)
        assert_close(edited.column("language", key=10, layer=layer, head=1), maps[layer][1, 10:, 10], LIMIT)
    lens = edited.logit_lens(k=1)
    assert_close(lens.said[-1], expected, LIMIT)


def test_edits_add_up_and_are_carried_into_without(run: Run) -> None:
    (first, changes), (second, more) = by_hand(run, "zero"), by_hand(run, "scale")
    visual = run.visual[0].tolist()
    rows = range(run.answer_start - 1, len(run.tokens) - 1)

    def hide(layer: int, scores: Tensor) -> Tensor:
        scores = more["scores"](layer, scores)
        if layer in (0, 1):
            for head in (0, 2):
                for row in rows:
                    scores[head, row, visual[:20]] = -torch.inf
        return scores

    edited = run.edited([first]).edited([second])
    assert edited.edits == run.edited([first, second]).edits
    logits, _ = eager_logits(run, entered(run.card.name), scores=hide, **changes)
    index = run.answer_start + 1
    effect = edited.without(index, visual=range(20), media=0, layers=range(2), heads=[0, 2])
    assert effect.before == pytest.approx(edited.probability(index), rel=1e-5)
    assert effect.after == pytest.approx(float(said(run, logits)[1]), rel=LOG_LIMIT)
    assert effect.after != pytest.approx(effect.before, rel=100 * LOG_LIMIT)
    assert edited.without(index, visual=range(20), media=0, heads=[]).change == 0


def test_rows_follow_the_formulas(run: Run) -> None:
    query, keys = len(run.tokens) - 1, list(range(5, 20))
    plain = run.attention("language", layer=0, query=query).double()  # what enters the first layer is never edited
    scaled = run.edited([qwenvl.ScaleKeys([0], keys, 3.0)]).attention("language", layer=0, query=query)
    weighed = plain.clone()
    weighed[:, keys] *= 3
    assert_close(scaled, weighed / weighed.sum(dim=-1, keepdim=True), LIMIT)
    cut = run.edited([qwenvl.Knockout([query], keys, [0], heads=[2])]).attention("language", layer=0, query=query)
    left = plain.clone()
    left[2, keys] = 0
    assert_close(cut, left / left.sum(dim=-1, keepdim=True), LIMIT)


@pytest.mark.parametrize("to", ["zero", "mean"])
def test_heads_of_the_towers_are_ablated(run: Run, to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sites = [("vision", 1), ("adapter", 0)] if run.card.family == "qwen-vl" else [("vision", 1)]
    for site, layer in sites:
        edited = run.edited([qwenvl.AblateHeads(layer, [0, 1], site=site, to=to)])
        with monkeypatch.context() as patch:
            patch.setattr(layers, "attend", dense_towers(site, layer, to))
            again = run.edited([])
        assert_close(logs(edited), logs(again), LOG_LIMIT)
        assert not torch.allclose(logs(edited), logs(run), atol=10 * LOG_LIMIT)


def dense_towers(site: str, layer: int, to: str) -> Callable[..., Tensor]:
    """Attention in which the heads 0 and 1 of one tower layer are written over: calls are counted in their order."""
    given, calls = layers.attend, iter(range(1000))

    def attend(q: Tensor, k: Tensor, v: Tensor, mask: Mask | None) -> Tensor:
        call, mixed = next(calls), given(q, k, v, mask).clone()
        adapter = q.shape[2] != k.shape[2] or (mask is None and call >= 1 and q.shape[-1] != v.shape[-1])
        towers = not adapter and type(mask).__name__ != "Causal"
        if (site == "adapter" and adapter) or (site == "vision" and towers and call == layer):
            for head in (0, 1):
                mixed[:, head] = 0 if to == "zero" else mixed[:, head].mean(dim=(0, 1))
        return mixed

    return attend


# --- an edited question is answered by the edited model ---


@pytest.mark.parametrize("kind", ["knockout", "scale", "zero", "mean", "add", "patch"])
def test_what_is_generated_under_an_edit_equals_its_replay(kind: str) -> None:
    for name in TINY:
        plain = plain_run(name)
        edit, _ = by_hand(plain, kind)
        if kind in ("knockout", "add"):
            rows = range(plain.answer_start - 1, plain.answer_start + 6)  # rows that may come, too
            edit = (
                qwenvl.Knockout(rows, KEYS, (1, 2), HEADS)
                if kind == "knockout"
                else qwenvl.AddVector(2, rows, vector(plain))
            )
        stream = tiny(name).stream(messages(), edit=[edit], max_new_tokens=6, temperature=0, repetition_penalty=1.0)
        assert "".join(stream) == stream.text
        run = stream.run
        assert [token.id for token in run.tokens[run.answer_start :]] == stream.ids
        assert all(edit.reach() < len(run.tokens) for edit in run.edits)
        logits = tiny(name).logits(run).index_fill(1, torch.tensor(run.config.media_ids), -torch.inf)
        for row, id_ in zip(logits, stream.ids, strict=True):  # cached steps said what the replay holds likeliest
            assert row[id_] >= row.max() - 1e-4
        unedited = tiny(name).logits(replace(run, record=replace(run.record, edits=())))
        assert (unedited - tiny(name).logits(run)).abs().max() > 0.01


def test_off_no_output_bit_changes(run: Run) -> None:
    again = run.edited([])
    assert again.record.probabilities == run.record.probabilities
    assert again.kept.keys() == run.kept.keys()
    assert all(torch.equal(again.kept[name], value) for name, value in run.kept.items())
    assert again.card.notes == run.card.notes
    name = run.card.name
    for _ in range(2):  # after an edit nothing of it is left
        model = tiny(name).model
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
        run.edited([by_hand(run, "zero")[0]])
    assert run.edited([]).record.probabilities == run.record.probabilities


# --- what is asked afterwards ---


def test_what_was_not_kept_is_replayed_under_the_edits(run: Run) -> None:
    edits = [by_hand(run, kind)[0] for kind in ("knockout", "mean", "add")]
    kept, replayed = run.edited(edits), run.edited(edits, keep="nothing")
    assert not replayed.kept
    asked = {"query": len(run.tokens) - 1, "layer": 3, "media": 0}
    assert_close(replayed.image_map(**asked), kept.image_map(**asked), LIMIT)
    assert not torch.allclose(replayed.image_map(**asked), run.image_map(**asked), atol=1e-4)
    assert_close(replayed.shares(70), kept.shares(70), LIMIT)


def test_a_neutral_question_is_asked_under_edits_of_what_it_shares(run: Run) -> None:
    media = run.visual[0].tolist()
    blind = run.edited([qwenvl.AddVector(0, media, 5 * vector(run))])
    query = run.answer_start - 1
    mine, plain = blind.map_against_neutral(query=query), run.map_against_neutral(query=query)
    assert mine.neutral_share != pytest.approx(plain.neutral_share, rel=1e-3)
    late = run.edited([qwenvl.Knockout([query], media)])
    with pytest.raises(RunError, match="Another question cannot be asked under this run's edits"):
        late.map_against_neutral(query=query)


def test_sinks_are_those_of_the_edited_rows() -> None:
    run = tiny(TINY[1]).run(one_picture(), answer="red " * 30)
    strong = run.edited([qwenvl.ScaleKeys([1], [4], 1e6)])
    assert 4 in strong.sinks(1)
    assert 4 not in run.sinks(1)


# --- what an edit may name ---


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (qwenvl.Knockout([10_000], [0]), "Token 10000 does not exist: this run has"),
        (qwenvl.Knockout([5], [-1]), "Token -1 does not exist"),
        (qwenvl.Knockout([5], ["cat"]), "Token 'cat' is not an index"),
        (qwenvl.Knockout([5], [0], [99]), "Language layer 99 does not exist: this model has"),
        (qwenvl.Knockout([5], [0], [0], [99]), "Language head 99 does not exist"),
        (qwenvl.ScaleKeys([0], [0], 0.0), "A factor of 0.0 cannot scale a weight"),
        (qwenvl.ScaleKeys([0], [0], float("nan")), "cannot scale a weight"),
        (qwenvl.ScaleKeys([0], [0], 10**400), "cannot scale a weight"),
        (qwenvl.AblateHeads(99, [0]), "Language layer 99 does not exist"),
        (qwenvl.AblateHeads(0, [0], site="ear"), "There is no site 'ear'"),
        (qwenvl.AblateHeads(0, [0], to="one"), "choose 'zero' or 'mean'"),
        (qwenvl.AddVector(0, [1], torch.zeros(3)), "The vector must hold finite numbers of shape"),
        (qwenvl.AddVector(0, [1], [float("inf")] * 96), "finite numbers"),
        (qwenvl.AddVector(0, [1], "cat"), "finite numbers"),
        (qwenvl.PatchState(0, [1], None), "States are patched from another run with its pipeline"),
        ("cat", "str is no edit; give one of Knockout"),
    ],
)
def test_an_edit_that_names_what_is_not_there_is_one_sentence(run: Run, edit: Any, message: str) -> None:
    with pytest.raises(RunError, match=message):
        run.edited([edit])
    with pytest.raises(RunError, match=message):
        tiny(run.card.name).run(one_picture(), edit=[edit], max_new_tokens=1)


def test_other_states_must_fit(run: Run) -> None:
    (name,) = set(TINY) - {run.card.name}
    with pytest.raises(RunError, match="do not fit this model"):
        run.edited([qwenvl.PatchState(0, [1], plain_run(name))])
    short = tiny(run.card.name).run([{"role": "user", "content": "What is this, and what is that?" * 20}], answer="red")
    with pytest.raises(RunError, match="tokens stand elsewhere"):
        run.edited([qwenvl.PatchState(0, [30], short)])
    with pytest.raises(RunError, match="65 edits are more than the 64"):
        run.edited([qwenvl.AblateHeads(0, [0])] * 65)
    with pytest.raises(Exception, match="Every key of query 0 is hidden"):
        run.edited([qwenvl.Knockout([0], [0])])


def test_the_index_check_is_the_librarys_one(run: Run) -> None:
    with pytest.raises(RunError) as mine:
        run.edited([qwenvl.Knockout([10_000], [0])])
    with pytest.raises(RunError) as theirs:
        check_index(10_000, len(run.tokens), "token")
    assert str(mine.value) == str(theirs.value)


def test_edits_of_numpy_and_torch_are_those_of_python(run: Run) -> None:
    one = run.edited([qwenvl.Knockout(np.array([90]), torch.arange(4), range(2), np.int64(1))]).edits
    assert one == run.edited([qwenvl.Knockout(90, (3, 2, 1, 0, 0), [1, 0], [1])]).edits
    assert one == (qwenvl.Knockout((90,), (0, 1, 2, 3), (0, 1), (1,)),)
    assert run.edited([qwenvl.Knockout([90], [0])]).edits[0].layers == tuple(range(run.num_layers("language")))
