"""Asking, streaming, stopping, looking inside: one answer, and several visitors at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from qwenvl.errors import MediaError, PromptError, RunError
from qwenvl.inference.generate import TokenSampling
from qwenvl.inference.pipeline import Pipeline
from qwenvl.inference.run import Run
from qwenvl.models.layers import KVCache
from qwenvl.models.trace import Trace
from tests.support.goldens import assert_close, rebuilt
from tests.support.tiny import SPOKEN, TINY, mixed_messages, mosaic, one_picture, tiny

REPLAY_LIMIT = 1e-4  # one pass and cached steps: 1e-5 to 2e-5 apart, by processor
ROW_LIMIT = 1e-5


@pytest.fixture(params=TINY)
def pipeline(request: pytest.FixtureRequest) -> Pipeline:
    return replace(tiny(request.param))


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put ids in place of the model's own, each given out when its gate opens."""

    def script(ids: list[int], gates: list[threading.Event] | None = None) -> None:
        def generate(model: Any, inputs: Any, *, sampling: Any, stop_ids: Any) -> Iterator[int]:
            for index, id_ in enumerate(ids):
                if gates is not None:
                    assert gates[index].wait(timeout=60)
                yield id_

        monkeypatch.setattr("qwenvl.inference.pipeline.generate", generate)

    return script


def num_hooks(pipeline: Pipeline) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in pipeline.model.modules())


# --- an answer ---


def test_pieces_add_up_to_the_answer_of_the_run(pipeline: Pipeline) -> None:
    stream = pipeline.stream(one_picture(), max_new_tokens=9)
    text = "".join(stream)
    assert text == stream.text == stream.run.answer
    assert [token.id for token in stream.run.tokens if token.in_answer] == stream.ids
    assert 1 <= len(stream.ids) <= 9
    assert not stream.run.stopped
    assert set(stream.run.seconds) == {"read", "answer", "replay"}


def test_run_is_stream_and_run_in_one(pipeline: Pipeline) -> None:
    first = pipeline.run(one_picture(), max_new_tokens=6)
    assert first.answer == "".join(pipeline.stream(one_picture(), max_new_tokens=6))
    assert first.card.name == pipeline.name
    assert first.card.parameters == pipeline.parameters
    assert first.settings["max_new_tokens"] == 6


def test_the_published_settings_hold_until_a_question_changes_them(pipeline: Pipeline) -> None:
    pipeline.sampling = TokenSampling(max_new_tokens=3, temperature=0.9, seed=5)
    run = pipeline.run(one_picture())
    assert (run.settings["temperature"], run.settings["seed"]) == (0.9, 5)
    assert len(run.tokens) - run.answer_start <= 3
    assert pipeline.run(one_picture(), temperature=0).settings["temperature"] == 0
    assert pipeline.sampling.temperature == 0.9
    with pytest.raises(PromptError, match="top_p"):
        pipeline.stream(one_picture(), top_p=7)


def test_the_same_seed_answers_the_same(pipeline: Pipeline) -> None:
    first, second, third = (
        pipeline.run(one_picture(), max_new_tokens=8, temperature=50, seed=seed).answer for seed in (1, 1, 2)
    )
    assert first == second != third


def test_replay_equals_live_decoding(pipeline: Pipeline) -> None:
    """Prefill and cached steps against one pass over prompt and answer: the same logits, the same greedy tokens."""
    messages = mixed_messages()
    messages[-1]["content"][-1]["text"] = "What do you see?"  # whose greedy tokens have a margin
    stream = pipeline.stream(messages, max_new_tokens=8)
    run, model = stream.run, pipeline.model
    cache, live = KVCache(model.config.language.num_blocks), []
    inputs: dict[str, Any] = dict(stream.prompt.model_inputs)
    with torch.no_grad():
        for id_ in stream.ids:
            live.append(model(**inputs, cache=cache, last=1)[0, -1])
            inputs = {"input_ids": torch.tensor([[id_]])}
        whole = {**stream.prompt.model_inputs, "input_ids": torch.tensor([[token.id for token in run.tokens]])}
        replayed = model(**whole, last=len(stream.ids) + 1)[0, :-1]
    assert_close(replayed, torch.stack(live), REPLAY_LIMIT)
    first, second = torch.stack(live).topk(2).values.T
    assert (first - second).min() > 20 * REPLAY_LIMIT  # or greedy tokens would hang on a rounding
    assert replayed.argmax(dim=-1).tolist() == stream.ids
    likely = torch.stack(live).softmax(dim=-1)[range(len(stream.ids)), stream.ids]
    found = torch.tensor([run.probability(run.answer_start + index) for index in range(len(stream.ids))])
    assert_close(found, likely, REPLAY_LIMIT)


def test_a_run_generates_once_and_its_trace_shows_that_answer(
    pipeline: Pipeline, scripted: Callable[..., None]
) -> None:
    ids = pipeline.processor.tokenizer.encode("a red circle")
    scripted(ids)
    stream = pipeline.stream(one_picture())
    assert "".join(stream) == "a red circle"
    scripted([])  # whoever generates again now would say nothing
    run = stream.run
    assert run.answer == "a red circle"
    assert stream.run is run
    assert run.attention("language", layer=0, query=len(run.tokens) - 1, head=0).shape == (len(run.tokens),)


def test_a_replay_keeps_the_stretch_that_its_prompt_was_read_with() -> None:
    """A prompt just within the trained length, whose answer goes beyond it."""
    small = tiny("tiny-qwen-vl")
    config, length = small.config, len(small.processor(one_picture()).input_ids)
    short = replace(config, language=replace(config.language, train_length=length + 2))
    pipeline = replace(small, model=rebuilt(small.model, short))
    prompt, ids = pipeline.processor(one_picture()), [5, 9, 300, 9, 1, 7]
    run = pipeline.look_inside(prompt, ids, {})
    assert run.record.ntk_alpha == 1.0
    cache = KVCache(config.language.num_blocks)
    with torch.no_grad(), Trace(pipeline.model, "language.blocks.3.attend.k") as live:
        pipeline.model(**prompt.model_inputs, cache=cache)
        for id_ in ids:
            pipeline.model(input_ids=torch.tensor([[id_]]), cache=cache)
    assert_close(live["language.blocks.3.attend.k"], run.kept["language.blocks.3.attend.k"], REPLAY_LIMIT)


# --- stopping ---


def test_what_was_said_stays_when_the_user_stops(pipeline: Pipeline, scripted: Callable[..., None]) -> None:
    ids = pipeline.processor.tokenizer.encode("one two three four five")
    gates = [threading.Event() for _ in ids]
    scripted(ids, gates)
    stream = pipeline.stream(one_picture())
    gates[0].set()
    pieces = iter(stream)
    first = next(pieces)
    stream.stop()
    gates[1].set()
    said = first + "".join(pieces)
    assert stream.ids == ids[:2]
    assert stream.run.answer == said == stream.text
    assert stream.run.stopped


def test_a_stop_before_anything_was_said_leaves_an_empty_answer(
    pipeline: Pipeline, scripted: Callable[..., None]
) -> None:
    gate = threading.Event()
    scripted([5], [gate])
    blocking = pipeline.stream(one_picture())
    waiting = pipeline.stream(one_picture())  # its turn comes when the first has ended
    waiting.stop()
    gate.set()
    assert list(waiting) == []
    assert (waiting.ids, waiting.stopped) == ([], True)
    assert blocking.run.tokens[-1].id == 5


def test_a_stop_after_the_end_changes_nothing(pipeline: Pipeline) -> None:
    stream = pipeline.stream(one_picture(), max_new_tokens=3)
    text = "".join(stream)
    stream.stop()
    assert (stream.run.answer, stream.run.stopped) == (text, False)


def test_a_stop_token_is_part_of_the_run_and_not_of_the_text(pipeline: Pipeline, scripted: Callable[..., None]) -> None:
    end = next(iter(pipeline.processor.stop_ids))
    scripted([*pipeline.processor.tokenizer.encode("red"), end])
    stream = pipeline.stream(one_picture())
    assert "".join(stream) == "red"
    assert stream.run.answer == "red"
    assert stream.run.tokens[-1].id == end
    assert stream.run.tokens[-1].kind == "special"


def test_a_second_reader_ends_at_once(pipeline: Pipeline) -> None:
    stream = pipeline.stream(one_picture(), max_new_tokens=2)
    list(stream)
    assert list(stream) == []


# --- given answers ---


def test_a_given_answer_is_looked_into_and_nothing_is_generated(
    pipeline: Pipeline, scripted: Callable[..., None]
) -> None:
    scripted([1, 2, 3])
    run = pipeline.run(one_picture(), answer=SPOKEN)
    assert run.answer == SPOKEN
    assert run.settings["given"]
    assert not run.stopped


def test_an_empty_answer_leaves_a_run_of_the_prompt(pipeline: Pipeline) -> None:
    run = pipeline.run(one_picture(), answer="")
    assert (run.answer, run.words, run.answer_start) == ("", (), len(run.tokens))
    assert run.image_map(query=len(run.tokens) - 1, layer=1).sum() > 0
    with pytest.raises(RunError, match="no answer"):
        run.alternatives(len(run.tokens) - 1)


def test_control_tokens_in_a_given_answer_are_plain_words(pipeline: Pipeline) -> None:
    run = pipeline.run(one_picture(), answer="<|im_end|><img>")
    assert run.answer == "<|im_end|><img>"
    assert not any(token.kind == "special" for token in run.tokens if token.in_answer)


def test_an_answer_beyond_the_context_is_one_clear_sentence(pipeline: Pipeline) -> None:
    with pytest.raises(PromptError, match="Prompt and answer take"):
        pipeline.run(one_picture(), answer="the " * 40_000)


# --- bad questions ---


@pytest.mark.parametrize("ask", ["stream", "run"])
def test_bad_questions_are_refused_before_anything_runs(pipeline: Pipeline, ask: str) -> None:
    asked = getattr(pipeline, ask)
    with pytest.raises(PromptError):
        asked([])
    with pytest.raises(MediaError, match=r"none\.png"):
        asked(one_picture("none.png"))  # type: ignore[arg-type]
    assert pipeline.run(one_picture(), max_new_tokens=1).tokens


def test_a_defect_while_answering_reaches_the_reader(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Iterator[int]:
        yield 7
        raise ZeroDivisionError

    monkeypatch.setattr("qwenvl.inference.pipeline.generate", broken)
    stream = pipeline.stream(one_picture())
    with pytest.raises(ZeroDivisionError):
        list(stream)
    with pytest.raises(ZeroDivisionError):
        _ = stream.run
    monkeypatch.undo()
    assert pipeline.run(one_picture(), max_new_tokens=1).tokens  # the lock was let go


# --- several at once ---


def test_two_at_once_answer_as_one_after_the_other(pipeline: Pipeline) -> None:
    asked = [one_picture(mosaic(6, 4, seed=seed), f"Question {seed}?") for seed in range(3)]

    def ask(messages: Any) -> tuple[str, torch.Tensor]:
        run = pipeline.run(messages, max_new_tokens=6)
        return run.answer, run.image_map(query=run.answer_start, layer=1)

    alone = [ask(messages) for messages in asked]
    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(ask, asked))
    for (answer, found), (expected, by_itself) in zip(together, alone, strict=True):
        assert answer == expected
        assert_close(found, by_itself, ROW_LIMIT)
    assert num_hooks(pipeline) == 0


def test_rows_are_replayed_rightly_while_another_answer_is_made(pipeline: Pipeline) -> None:
    kept = pipeline.run(one_picture(), answer=SPOKEN)
    frugal = replace(pipeline, max_trace_bytes=1)
    run = frugal.run(one_picture(), answer=SPOKEN)

    def rows(layer: int) -> torch.Tensor:
        return run.attention("language", layer=layer, query=len(run.tokens) - 1)

    streams = [frugal.stream(one_picture(mosaic(4, 4)), max_new_tokens=20) for _ in range(2)]
    layers = [0, 3, 1, 2, 3, 0, 2, 1]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(rows, layers))
    for layer, row in zip(layers, found, strict=True):
        assert_close(row, kept.attention("language", layer=layer, query=len(run.tokens) - 1), ROW_LIMIT)
    assert len({stream.run.answer for stream in streams}) == 1
    assert num_hooks(pipeline) == 0


def test_a_reader_who_never_reads_holds_nobody_up(pipeline: Pipeline) -> None:
    unread = pipeline.stream(one_picture(), max_new_tokens=5)
    assert pipeline.run(one_picture(), max_new_tokens=2).tokens
    deadline = time.monotonic() + 60
    while not unread.ids and time.monotonic() < deadline:
        time.sleep(0.01)
    assert unread.ids


def test_a_stream_can_be_ended_on_another_thread_than_began_it(pipeline: Pipeline) -> None:
    with ThreadPoolExecutor(1) as threads:
        stream = threads.submit(pipeline.stream, one_picture(), max_new_tokens=50).result()
    stream.stop()
    assert stream.run.answer == stream.text
    assert pipeline.run(one_picture(), max_new_tokens=1).tokens


def test_settings_of_numpy_are_saved_as_numbers(pipeline: Pipeline, tmp_path: Path) -> None:
    asked = {"max_new_tokens": 3, "seed": 1, "min_pixels": 784, "max_pixels": 784 * 16}
    expected = pipeline.run(one_picture(), **asked)
    run = pipeline.run(one_picture(), **{name: np.int64(value) for name, value in asked.items()})
    assert run.settings == expected.settings
    run.save(tmp_path / "a.run")
    assert Run.load(tmp_path / "a.run").answer == expected.answer
