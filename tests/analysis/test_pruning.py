"""Hidden tokens against tokens that are really dropped, in decoders written out for both families."""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from qwenvl.analysis.pruning import pruned, token_scores
from qwenvl.errors import RunError
from qwenvl.inference.run import Run
from qwenvl.plan.flops import count_flops
from tests.support.dense import dense_rows
from tests.support.eager import angles, embeddings, projected, rms_norm, rotated
from tests.support.tiny import SPOKEN, TINY, mixed_run, mosaic, one_picture, tiny

LIMIT = 2e-5  # of logarithms of probabilities of six tokens


@cache
def asked(name: str) -> Run:
    return tiny(name).run(one_picture(mosaic(8, 8)), answer=SPOKEN)


@pytest.fixture(params=TINY)
def run(request: pytest.FixtureRequest) -> Run:
    return asked(request.param)


@torch.no_grad()
def really_dropped(run: Run, gone: set[int], after: int) -> Tensor:
    """Logits of the tokens that stay, each at its old position: what is gone is taken out of the very tensors."""
    language, x = tiny(run.card.name).model.language, embeddings(run, one_picture(mosaic(8, 8)))
    turn, stay = angles(run), torch.arange(len(run.tokens))
    for layer, block in enumerate(language.blocks):
        if layer == after + 1:
            left = [place for place in range(len(run.tokens)) if place not in gone]
            x, turn, stay = x[left], turn[left], stay[left]
        q, k, v = projected(block, rms_norm(x, block.norm1), run.card.family)
        q, k = rotated(q, turn), rotated(k, turn)
        seen = stay[:, None] >= stay
        weights = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).masked_fill(~seen, -torch.inf).softmax(-1)
        x = x + F.linear((weights @ v).transpose(0, 1).flatten(1), block.out.weight.double())
        normed = rms_norm(x, block.norm2)
        up, gate = F.linear(normed, block.mlp.up.weight.double()), F.linear(normed, block.mlp.gate.weight.double())
        x = x + F.linear(F.silu(gate) * up, block.mlp.down.weight.double())
    table = language.embed.weight if language.head is None else language.head.weight
    count = len(run.tokens) - run.answer_start
    return F.linear(rms_norm(x, language.norm), table.double())[-count - 1 : -1]


@pytest.mark.parametrize("ranking", ["row", "tower", "random"])
def test_hidden_is_dropped(run: Run, ranking: str) -> None:
    found = pruned(run, ranking=ranking, layer=1, shares=(0, 0.3, 1))  # type: ignore[arg-type]
    ids = [token.id for token in run.tokens if token.in_answer]
    for gone, probability, kept in zip(found.dropped, found.probabilities, found.kept, strict=True):
        logits = really_dropped(run, set(gone), 1)
        own = float(logits.log_softmax(-1)[range(len(ids)), ids].sum())
        assert math.log(probability) == pytest.approx(own, abs=LIMIT)
        assert kept == (logits.argmax(-1).tolist() == ids)
    assert math.log(found.probabilities[0]) == pytest.approx(sum(map(math.log, run.record.probabilities)), abs=LIMIT)
    assert abs(math.log(found.probabilities[2] / found.probabilities[0])) > 1e-2  # there is something to see
    assert [len(gone) for gone in found.dropped] == [0, round(0.3 * len(run.visual[0])), len(run.visual[0])]


def test_the_likeliest_answer_is_kept_while_nothing_is_dropped(run: Run) -> None:
    own = tiny(run.card.name).run(one_picture(mosaic(8, 8)), max_new_tokens=3, temperature=0, repetition_penalty=1.0)
    assert pruned(own, layer=0, shares=[0.0]).kept == (True,)
    assert pruned(run, layer=0, shares=[0.0]).kept == (False,)


def test_rows_rank_by_the_last_row_of_the_prompt(run: Run) -> None:
    row = run.attention("language", layer=2, query=run.answer_start - 1).mean(dim=0)
    (gone,) = pruned(run, layer=2, shares=[0.5]).dropped
    stay = set(run.visual[0].tolist()) - set(gone)
    assert max(float(row[place]) for place in gone) <= min(float(row[place]) for place in stay)


def test_qwen_vls_tower_ranks_through_the_adapter() -> None:
    run = asked(TINY[0])
    q, k = run.taps("vision", run.num_layers("vision") - 2)
    rows = dense_rows(q, k, torch.ones(1, q.shape[2], k.shape[2], dtype=torch.bool))
    received = rows[0].mean(dim=0).sum(dim=0)
    expected = run.adapter_matrix().double() @ received
    assert torch.allclose(token_scores(run, "tower", 0).double(), expected, rtol=1e-4)


def test_qwen2_vls_tower_ranks_by_four_patches_a_token() -> None:
    run, start = mixed_run(TINY[1]), 0
    scores, layer = token_scores(run, "tower", 0), run.num_layers("vision") - 2
    for index, media in enumerate(run.media):
        columns = [
            run.column("vision", key=patch, layer=layer, head="mean", media=index).sum()
            for patch in range(media.num_patches)
        ]
        expected = 4 * F.avg_pool2d(torch.stack(columns).view(media.patch_grid)[:, None], 2).flatten()
        assert torch.allclose(scores[start : start + media.num_tokens], expected, rtol=1e-4)
        start += media.num_tokens
    assert start == len(scores)


def test_random_is_seeded(run: Run) -> None:
    first, again, other = (pruned(run, ranking="random", layer=1, shares=[0.4], seed=seed) for seed in (1, 1, 2))
    assert first.dropped == again.dropped
    assert first.dropped != other.dropped


def test_what_is_saved_is_counted_layer_by_layer(run: Run) -> None:
    found, tokens = pruned(run, layer=1, shares=[0, 1]), len(run.tokens)
    whole, fewer = (count_flops(run.config, [], n)["language"] for n in (tokens, tokens - len(run.visual[0])))
    head = 2 * run.config.language.dim * run.config.language.vocab_size
    layer, smaller = (whole - head) / 4, (fewer - head) / 4
    assert found.saved == pytest.approx((0, 1 - (2 * layer + 2 * smaller + head) / whole))


def test_what_cannot_be_dropped_is_one_sentence(run: Run) -> None:
    for settings, message in [
        ({"layer": 3}, "Language layer 3 does not exist"),
        ({"layer": 0, "ranking": "luck"}, "There is no ranking 'luck'"),
        ({"layer": 0, "shares": [1.5]}, "Shares are 1 to 100 numbers from 0 to 1"),
        ({"layer": 0, "shares": []}, "Shares are 1 to 100"),
        ({"layer": 0, "ranking": "random", "seed": 0.5}, "is no whole number"),
    ]:
        with pytest.raises(RunError, match=message):
            run.pruned(**settings)  # type: ignore[arg-type]
    with pytest.raises(RunError, match="with its pipeline"):
        Run(run.record, run.media, run.positions, run.kept).pruned(layer=0)
    with pytest.raises(RunError, match="no picture"):
        tiny(run.card.name).run([{"role": "user", "content": "What?"}], answer="red").pruned(layer=0)
