"""TokenSampling and decoding against transformers' own, and the ends an answer can come to."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import GenerationConfig
from transformers.generation.logits_process import (
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from qwenvl.errors import PromptError
from qwenvl.inference.generate import (
    SamplingSettings,
    TokenSampling,
    generate,
    keep_min_p,
    keep_top_k,
    keep_top_p,
    keep_typical,
    next_token,
    penalise_repetition,
    repeated_ngram_ends,
)
from qwenvl.loading.load import build
from qwenvl.models.weights import our_tensors
from qwenvl.published_files.published_config import from_published
from tests.support.goldens import assert_close, qwen2_vl_case, qwen_vl_golden, rebuilt
from tests.support.reference import PROMPTS, SHAPES, inputs_of, reference, token_types

VOCABULARY = 200
SEEN = torch.tensor([3, 7, 7, 11, 150])


def random_logits(seed: int) -> Tensor:
    """A few likely tokens, a long tail, and ties."""
    logits = 3 * torch.randn(VOCABULARY, generator=torch.Generator().manual_seed(seed))
    logits[50:60] = logits[50]
    return logits


def same(ours: Tensor, theirs: Tensor) -> None:
    assert torch.equal(ours.isinf(), theirs[0].isinf())
    assert_close(ours[ours.isfinite()], theirs[0][ours.isfinite()], 1e-6)


# --- how a token is drawn ---


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("penalty", [1.0, 1.05, 1.3, 0.7])
def test_repetition_penalty_equals_transformers(seed: int, penalty: float) -> None:
    logits = random_logits(seed)
    same(
        penalise_repetition(logits, SEEN, penalty), RepetitionPenaltyLogitsProcessor(penalty)(SEEN[None], logits[None])
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("k", [1, 2, 20, VOCABULARY, VOCABULARY + 5])
def test_top_k_equals_transformers(seed: int, k: int) -> None:
    logits = random_logits(seed)
    same(keep_top_k(logits, k), TopKLogitsWarper(k)(SEEN[None], logits[None]))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("p", [1e-9, 0.001, 0.3, 0.8, 0.999, 1.0])
def test_top_p_equals_transformers(seed: int, p: float) -> None:
    logits = random_logits(seed)
    same(keep_top_p(logits, p), TopPLogitsWarper(p)(SEEN[None], logits[None]) if p < 1 else logits[None])


@pytest.mark.parametrize("seed", range(20))
def test_a_drawn_token_is_the_one_transformers_chain_would_draw(seed: int) -> None:
    sampling = TokenSampling(temperature=0.6, top_k=30, top_p=0.9, repetition_penalty=1.2)
    logits = random_logits(seed)
    scores = logits[None]
    for step in (
        RepetitionPenaltyLogitsProcessor(1.2),
        TemperatureLogitsWarper(0.6),
        TopKLogitsWarper(30),
        TopPLogitsWarper(0.9),
    ):
        scores = step(SEEN[None], scores)
    drawn = torch.multinomial(scores[0].softmax(dim=-1), 1, generator=torch.Generator().manual_seed(seed))
    assert next_token(logits, SEEN, sampling, torch.Generator().manual_seed(seed)) == int(drawn)


def test_zero_temperature_takes_the_likeliest_after_the_penalty() -> None:
    logits = torch.tensor([1.0, 3.0, 2.9, -5.0])
    generator = torch.Generator()
    assert next_token(logits, torch.tensor([0]), TokenSampling(), generator) == 1
    assert next_token(logits, torch.tensor([1]), TokenSampling(repetition_penalty=1.1), generator) == 2


def test_the_published_settings_of_qwen2_vl_are_as_good_as_greedy() -> None:
    sampling = TokenSampling(temperature=0.01, top_k=1, top_p=0.001)
    for seed in range(5):
        logits = random_logits(seed)
        assert next_token(logits, SEEN, sampling, torch.Generator()) == int(logits.argmax())


# --- settings ---


def test_published_generation_configs_are_read() -> None:
    chat = {"do_sample": True, "top_p": 0.3, "top_k": 0, "max_new_tokens": 512, "eos_token_id": 151643}
    assert TokenSampling.from_published(chat) == TokenSampling(512, temperature=1.0, top_k=0, top_p=0.3)
    small = {"do_sample": True, "temperature": 0.1, "top_p": 0.001, "top_k": 1, "repetition_penalty": 1.05}
    assert TokenSampling.from_published(small) == TokenSampling(512, 0.1, 1, 0.001, 1.05)
    assert TokenSampling.from_published({"temperature": 0.7}).temperature == 0
    assert TokenSampling.from_published({"do_sample": False, "temperature": 0.7}) == TokenSampling(top_k=50)


@pytest.mark.parametrize(
    "setting",
    [
        {"max_new_tokens": 0},
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"temperature": 1e9},
        {"top_k": -1},
        {"top_p": 0.0},
        {"top_p": 1.5},
        {"repetition_penalty": 0},
        {"seed": -1},
    ],
)
def test_a_setting_out_of_range_is_named(setting: dict[str, Any]) -> None:
    (name,) = setting
    with pytest.raises(PromptError, match=f"^{name} is .*; it must be"):
        TokenSampling(**setting)


def test_settings_left_open_stay_as_they_were() -> None:
    assert TokenSampling(top_p=0.3).changed(top_p=None, seed=4) == TokenSampling(top_p=0.3, seed=4)
    with pytest.raises(PromptError, match="top_p"):
        TokenSampling().changed(top_p=2)


# --- decoding ---


def said(model: Any, inputs: dict[str, Tensor], stop_ids: Any = (), **settings: Any) -> list[int]:
    return list(generate(model, inputs, sampling=TokenSampling(**settings), stop_ids=stop_ids))


def image_prompt() -> tuple[Any, dict[str, Tensor]]:
    case = qwen2_vl_case("dev-b", "image")
    return case.model, case.inputs


def qwen_vl_prompt() -> tuple[Any, dict[str, Tensor]]:
    golden = qwen_vl_golden("dev-a")
    return golden.model, {"input_ids": golden.io["gen.input_ids"], "images": golden.images()}


@pytest.fixture(params=[qwen_vl_prompt, image_prompt], ids=["qwen-vl", "qwen2-vl"])
def asked(request: pytest.FixtureRequest) -> tuple[Any, dict[str, Tensor]]:
    return request.param()


def test_greedy_answers_are_the_goldens() -> None:
    case, golden = qwen2_vl_case("dev-b", "image"), qwen_vl_golden("dev-a")
    assert said(*image_prompt(), max_new_tokens=8) == case.meta["greedy"][0]
    assert said(*qwen_vl_prompt(), max_new_tokens=8) == golden.meta["gen"]["gen"]["new_tokens"]


def ours_of(shape: str) -> Any:
    """Our model with the reference's weights, without going through a folder."""
    theirs = reference(shape)
    model = build(from_published(theirs.config.to_dict()))
    tied = theirs.config.tie_word_embeddings
    model.load_state_dict(dict(our_tensors(theirs.state_dict().items(), "qwen2-vl", tied=tied)))
    return model.eval().requires_grad_(False)


@pytest.mark.parametrize("penalty", [1.0, 1.4])
@pytest.mark.parametrize("prompt", ["text", "one picture", "two pictures of different sizes", "a clip"])
def test_greedy_answers_equal_those_of_transformers_generate(prompt: str, penalty: float) -> None:
    shape = next(iter(SHAPES))
    inputs = inputs_of(PROMPTS[prompt])
    theirs = reference(shape)
    answer = theirs.generate(
        **inputs,
        mm_token_type_ids=token_types(inputs["input_ids"]),
        generation_config=GenerationConfig(
            max_new_tokens=12, min_new_tokens=12, do_sample=False, repetition_penalty=penalty, pad_token_id=0
        ),
    )
    assert said(ours_of(shape), inputs, max_new_tokens=12, repetition_penalty=penalty) == answer[0, -12:].tolist()


def test_the_same_seed_says_the_same_and_another_something_else(asked: tuple[Any, dict[str, Tensor]]) -> None:
    first = said(*asked, max_new_tokens=12, temperature=1.5, seed=3)
    assert said(*asked, max_new_tokens=12, temperature=1.5, seed=3) == first
    assert said(*asked, max_new_tokens=12, temperature=1.5, seed=4) != first


def test_drawing_leaves_the_global_generator_alone(asked: tuple[Any, dict[str, Tensor]]) -> None:
    before = torch.get_rng_state()
    said(*asked, max_new_tokens=4, temperature=1.0)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_stop_id_ends_the_answer_and_is_its_last_id(asked: tuple[Any, dict[str, Tensor]]) -> None:
    free = said(*asked, max_new_tokens=8)
    stop = free[4]
    assert said(*asked, stop_ids={stop}, max_new_tokens=8) == free[: free.index(stop) + 1]
    assert said(*asked, stop_ids={free[0]}, max_new_tokens=8) == free[:1]


def test_an_answer_never_grows_beyond_the_context(asked: tuple[Any, dict[str, Tensor]]) -> None:
    model, inputs = asked
    length, config = inputs["input_ids"].shape[1], asked[0].config
    for room in (0, 3):
        short = rebuilt(model, replace(config, language=replace(config.language, context=length + room)))
        assert len(said(short, inputs, max_new_tokens=50)) == room


def test_closing_the_iterator_stops(asked: tuple[Any, dict[str, Tensor]]) -> None:
    model, inputs = asked
    passes: list[int] = []
    handle = model.register_forward_pre_hook(lambda *_: passes.append(1))
    try:
        stream = generate(model, inputs, sampling=TokenSampling(max_new_tokens=50))
        assert len(list(islice(stream, 3))) == 3
        stream.close()
        assert len(passes) == 3
    finally:
        handle.remove()


def test_what_stands_for_media_is_never_said(asked: tuple[Any, dict[str, Tensor]]) -> None:
    model, inputs = asked
    favourite = model.config.media_ids[-1]
    handle = model.register_forward_hook(
        lambda _module, _inputs, logits: logits.index_fill(-1, torch.tensor([favourite]), 100.0)
    )
    try:
        assert not set(said(model, inputs, max_new_tokens=4)) & set(model.config.media_ids)
    finally:
        handle.remove()


# --- the keys of a generation_config.json that choose tokens ---


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6])
def test_ngrams_that_may_not_repeat_equal_transformers(size: int) -> None:
    seen = torch.tensor([5, 6, 7, 5, 6, 8, 5, 6])[: 8 if size < 6 else 4]
    logits = random_logits(0)
    banned = repeated_ngram_ends(seen, size)
    ours = logits.index_fill(0, torch.tensor(banned, dtype=torch.int64), -torch.inf)
    same(ours, NoRepeatNGramLogitsProcessor(size)(seen[None], logits[None].clone()))
    assert bool(banned) == (size <= 3)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("p", [0.01, 0.3, 1.0])
def test_min_p_equals_transformers(seed: int, p: float) -> None:
    logits = random_logits(seed)
    same(keep_min_p(logits, p), MinPLogitsWarper(p)(SEEN[None], logits[None]))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("p", [0.05, 0.3, 0.9])
def test_typical_p_equals_transformers(seed: int, p: float) -> None:
    logits = random_logits(seed)
    same(keep_typical(logits, p), TypicalLogitsWarper(p)(SEEN[None], logits[None]))


CHOOSING: dict[str, dict[str, Any]] = {
    "no_repeat_ngram_size": {"no_repeat_ngram_size": 1},
    "min_new_tokens": {"min_new_tokens": 6, "eos_token_id": list(range(0, 300, 2))},
    "min_length": {"min_length": 30, "eos_token_id": list(range(0, 300, 2))},
    "max_length": {"max_length": 27},
    "suppress_tokens": {"suppress_tokens": list(range(0, 300, 3))},
    "begin_suppress_tokens": {"begin_suppress_tokens": list(range(0, 300, 2))},
    "repetition_penalty": {"repetition_penalty": 1.8},
}


@pytest.mark.parametrize("name", CHOOSING)
def test_each_key_changes_an_answer_as_in_transformers(name: str) -> None:
    """Greedy answers of random weights to a prompt of 20 tokens, with the key and without."""
    shape, settings = "untied, six queries a key", {"do_sample": False, **CHOOSING[name]}
    theirs, model = reference(shape), ours_of(shape)
    ids = torch.randint(0, 280, (1, 20), generator=torch.Generator().manual_seed(11))
    stops = settings.get("eos_token_id", [])
    length = {} if name == "max_length" else {"max_new_tokens": 12}
    sampling = TokenSampling.from_published(settings | length)
    ours = list(generate(model, {"input_ids": ids}, sampling=sampling, stop_ids=stops))
    asked = GenerationConfig(**{"eos_token_id": None, **settings, **length, "pad_token_id": 0})
    asked.suppress_tokens = [*(asked.suppress_tokens or []), *model.config.media_ids]  # which we never say
    assert ours == theirs.generate(ids, attention_mask=torch.ones_like(ids), generation_config=asked)[0, 20:].tolist()
    plain = generate(model, {"input_ids": ids}, sampling=TokenSampling(12), stop_ids=stops)
    assert ours != list(plain)


def test_where_a_file_is_silent_the_fifty_likeliest_are_drawn_from() -> None:
    assert TokenSampling.from_published({"do_sample": True}) == TokenSampling(temperature=1.0, top_k=50)
    assert TokenSampling.from_published({"do_sample": True, "top_k": None}).top_k == 50
    assert TokenSampling.from_published({"do_sample": True, "top_k": 0}).top_k == 0
    assert GenerationConfig()._get_default_generation_params()["top_k"] == 50


def test_a_number_of_new_tokens_counts_before_a_whole_length() -> None:
    both = TokenSampling.from_published({"max_length": 10, "max_new_tokens": 40})
    assert (both.max_new_tokens, both.max_length) == (40, None)
    alone = TokenSampling.from_published({"max_length": 10})
    assert alone.max_length == 10
    assert alone.changed(max_new_tokens=7).max_length is None
    assert alone.changed(temperature=1.0).max_length == 10


def test_every_field_of_the_sampling_can_be_set() -> None:
    assert SamplingSettings.__annotations__.keys() == TokenSampling.__dataclass_fields__.keys()
