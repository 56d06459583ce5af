"""The lens against the model's own logits, and states kept by hooks of our own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from qwenvl.analysis.logit_lens import lens_seconds, logit_lens, norms_by_kind, word_probabilities
from qwenvl.errors import RunError
from tests.plan.test_flops import count_forward
from tests.support.goldens import assert_close
from tests.support.tiny import SPOKEN, TINY, mixed_run, one_picture, tiny

ROW_LIMIT = 1e-5


@pytest.mark.parametrize("name", TINY)
def test_the_last_layers_lens_is_what_the_model_says(name: str) -> None:
    run = mixed_run(name)
    lens = logit_lens(run)
    assert lens.ids.shape == (run.num_layers("language"), len(run.tokens), 5)
    for place, index in enumerate(range(run.answer_start, len(run.tokens))):
        likeliest = run.alternatives(index)
        wanted = torch.tensor([one.probability for one in likeliest])
        assert_close(lens.probabilities[-1, index - 1], wanted, ROW_LIMIT)
        chances = {one.id: one.probability for one in run.alternatives(index, 10)}  # of two alike either may come first
        named = torch.tensor([chances[id_] for id_ in lens.ids[-1, index - 1].tolist()])
        assert_close(named, wanted, ROW_LIMIT)
        assert float(lens.said[-1, place]) == pytest.approx(run.probability(index), abs=ROW_LIMIT)


@pytest.mark.parametrize("name", TINY)
def test_an_early_layer_is_its_state_through_the_last_norm_and_the_head(name: str) -> None:
    run = tiny(name).run(one_picture(), answer=SPOKEN)
    model, states = tiny(name).model, []

    def keep(module: Any, arguments: Any, output: torch.Tensor) -> None:
        states.append(output[0])

    handle = model.language.blocks[1].register_forward_hook(keep)
    inputs = dict(tiny(name).processor(one_picture()).model_inputs)
    said = torch.tensor([[token.id for token in run.tokens if token.in_answer]])
    with torch.no_grad():
        model(**inputs | {"input_ids": torch.cat((inputs["input_ids"], said), dim=1)})
        handle.remove()
        shares = model.language.logits(model.language.norm(states[0])).softmax(dim=-1)
    lens = logit_lens(run, k=3)
    assert_close(lens.probabilities[1], shares.topk(3, dim=-1).values, ROW_LIMIT)
    assert_close(lens.norms[1], states[0].norm(dim=-1), 1e-4)
    expected = torch.stack([shares[run.answer_start + i - 1, id_] for i, id_ in enumerate(said[0])])
    assert_close(lens.said[1], expected, ROW_LIMIT)


def test_a_small_budget_replays_block_by_block_to_the_same_lens() -> None:
    run = tiny(TINY[1]).run(one_picture(), answer=SPOKEN)
    frugal = replace(run, pipeline=replace(tiny(TINY[1]), max_trace_bytes=1))
    one, other = logit_lens(frugal), logit_lens(run)
    assert_close(one.probabilities, other.probabilities, ROW_LIMIT)
    assert (one.ids == other.ids).float().mean() > 0.99  # of two alike either may come first


@pytest.mark.parametrize("name", TINY)
def test_what_it_takes_is_a_replay_and_a_head_for_every_token_and_layer(name: str) -> None:
    run = tiny(name).run(one_picture(), answer=SPOKEN)
    language, said = tiny(name).model.language, torch.tensor([[token.id for token in run.tokens if token.in_answer]])
    inputs = dict(tiny(name).processor(one_picture()).model_inputs)
    inputs |= {"input_ids": torch.cat((inputs["input_ids"], said), dim=1)}
    replay = count_forward(tiny(name).model, **inputs)
    with FlopCounterMode(display=False) as head:
        language.logits(torch.zeros(len(run.tokens), language.config.dim))
    share = run.num_layers("language") * head.get_total_flops() / sum(replay.values())
    timed = replace(run, record=replace(run.record, seconds={"replay": 3.0}))
    assert lens_seconds(timed) == pytest.approx(3 * (1 + share), rel=1e-3)
    frugal = replace(timed, pipeline=replace(tiny(name), max_trace_bytes=1))
    assert lens_seconds(frugal) == pytest.approx(3 * (run.num_layers("language") + share), rel=1e-3)
    untimed = replace(run, record=replace(run.record, seconds={}))
    assert lens_seconds(replace(timed, pipeline=None)) == lens_seconds(untimed) == 0


def test_without_a_pipeline_it_says_what_is_missing() -> None:
    run = replace(tiny(TINY[0]).run(one_picture(), answer=SPOKEN), pipeline=None)
    with pytest.raises(RunError, match="pipeline"):
        logit_lens(run)


@pytest.mark.parametrize("name", TINY)
def test_one_word_at_every_token_and_layer_is_its_column_of_the_whole_softmax(name: str) -> None:
    run = mixed_run(name)
    model, states = tiny(name).model, []
    handles = [
        block.register_forward_hook(lambda module, inputs, output: states.append(output[0]))
        for block in model.language.blocks
    ]
    tiny(name).replay(run, ["language.positions"])
    for handle in handles:
        handle.remove()
    word = run.tokens[run.answer_start].id
    with torch.no_grad():
        every = torch.stack([model.language.logits(model.language.norm(state)).softmax(dim=-1) for state in states])
    found = run.word_probabilities(word, lens=run.logit_lens())
    assert found.shape == (run.num_layers("language"), len(run.tokens))
    assert_close(found, every[:, :, word], ROW_LIMIT)
    assert_close(word_probabilities(run, word), found, ROW_LIMIT)
    at = run.visual[0]
    assert_close(found[-1, at], every[-1, at, word], ROW_LIMIT)


def test_a_word_that_is_not_in_the_vocabulary_is_refused() -> None:
    run = mixed_run(TINY[0])
    with pytest.raises(RunError, match=r"Word .* does not exist: the model's vocabulary has"):
        run.word_probabilities(run.config.language.vocab_size)


@pytest.mark.parametrize("name", TINY)
def test_norms_by_kind_are_medians_over_the_tokens_of_a_kind(name: str) -> None:
    run = mixed_run(name)
    lens = run.logit_lens(k=1)
    found = norms_by_kind(run, lens)
    image = sorted(float(lens.norms[2, index]) for index, token in enumerate(run.tokens) if token.media is not None)
    assert float(found["image"][2]) == image[(len(image) - 1) // 2]
    answer = sorted(lens.norms[0, run.answer_start :].tolist())
    assert float(found["answer"][0]) == answer[(len(answer) - 1) // 2]
    assert set(found) == {"text", "image", "answer"}
