"""Interventions against forward passes made by hand: a dense mask, changed pixels, what trained models then say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

import qwenvl
from qwenvl.analysis.occlusion import readers, tokens_of
from qwenvl.analysis.regions import box_mask, cells_mask, paint
from qwenvl.analysis.rescoring import unchanged_score
from qwenvl.errors import RunError
from qwenvl.inference.pipeline import Pipeline
from qwenvl.inference.run import Run
from qwenvl.models import layers
from qwenvl.models.trace import Mask
from qwenvl.recorded.record import Alternative
from qwenvl.tiny.scenes import random_scene
from qwenvl.tiny.world import Scene, box_of, render
from tests.support.dense import dense_attention
from tests.support.goldens import assert_likeliest
from tests.support.tiny import SPOKEN, TINY, mixed_messages, mixed_run, one_picture, tiny

LOGIT_LIMIT = 4e-5  # passes of different shapes: 1e-6 apart, more or less on each processor


@pytest.fixture(params=TINY)
def run(request: pytest.FixtureRequest) -> Run:
    return mixed_run(request.param)


@contextmanager
def dense_language(hidden: list[tuple[list[int], list[int]]], only: set[int]) -> Iterator[None]:
    """Attention of the decoder written out in float64, with (queries, keys) taken away in the calls named by `only`."""
    given, calls = layers.attend, iter(range(1000))

    def attend(q: Tensor, k: Tensor, v: Tensor, mask: Mask | None) -> Tensor:
        if type(mask).__name__ != "Causal":
            return given(q, k, v, mask)
        seen = torch.ones(1, q.shape[2], k.shape[2]).tril().bool()
        if next(calls) in only:
            for queries, keys in hidden:
                seen[0, torch.tensor(queries)[:, None], torch.tensor(keys)] = False
        mixed = dense_attention(q, k, v, seen).float()
        return mixed.unflatten(-1, (q.shape[1], -1)).transpose(1, 2)

    layers.attend = attend
    try:
        yield
    finally:
        layers.attend = given


def answer_logits(run: Run, **inputs: Tensor) -> Tensor:
    """The logits of the answer's tokens, from the processor and the model alone."""
    pipeline = tiny(run.card.name)
    given = dict(pipeline.processor(mixed_messages()).model_inputs) | inputs
    said = torch.tensor([[token.id for token in run.tokens if token.in_answer]])
    with torch.no_grad():
        logits = pipeline.model(**given | {"input_ids": torch.cat((given["input_ids"], said), dim=1)})
    return logits[0, run.answer_start - 1 : -1]


def assert_alike(found: Sequence[Alternative], expected: Sequence[Alternative]) -> None:
    """The same likeliest tokens with the same probabilities, in passes that may round otherwise."""
    assert [one.probability for one in found] == pytest.approx([one.probability for one in expected], rel=1e-5)
    if all(one.probability > 1.0001 * other.probability for one, other in pairwise(expected)):
        assert [one.id for one in found] == [one.id for one in expected]


# --- hidden from attention ---


def test_hiding_nothing_changes_nothing(run: Run) -> None:
    index = run.answer_start + 3
    plain = unchanged_score(run)
    assert plain.probabilities == pytest.approx(run.record.probabilities, rel=1e-5)
    assert plain.log_probability == pytest.approx(sum(map(math.log, run.record.probabilities)), abs=1e-4)
    effects = [
        run.without(index, patches=[]),
        run.without(index, visual=[]),
        run.without(index, visual=[0], layers=[]),
        run.painted(index, np.zeros((84, 56), dtype=bool)),
    ]
    for effect in effects:
        assert effect.before == effect.after  # the same pass twice
        assert effect.change == 0
        assert effect.before == pytest.approx(run.probability(index), rel=1e-5)
        assert_alike(effect.likeliest, run.alternatives(index, 5))


@pytest.mark.parametrize("rows", ["answer", "text"])
def test_hiding_every_visual_token_equals_a_dense_mask_made_by_hand(run: Run, rows: str) -> None:
    media, index = 2, run.answer_start + 2
    visual = [place for place, token in enumerate(run.tokens) if token.media == media]
    first = run.answer_start - 1 if rows == "answer" else max(visual) + 1
    last = len(run.tokens) - 1 if rows == "answer" else len(run.tokens)
    only = {1}
    with dense_language([(list(range(first, last)), visual)], only):
        logits = answer_logits(run).double()
    effect = run.without(index, visual=range(len(visual)), media=media, layers=[1], rows=rows)
    place, id_ = index - run.answer_start, run.tokens[index].id
    assert effect.after == pytest.approx(float(logits.softmax(-1)[place, id_]), rel=1e-4)
    ids = [token.id for token in run.tokens if token.in_answer]
    assert effect.answer_after == pytest.approx(float(logits.log_softmax(-1)[range(len(ids)), ids].sum()), abs=1e-4)
    assert abs(effect.change) > 1e-3  # there is something to see
    assert effect.after != pytest.approx(effect.before, rel=1e-3)
    assert_likeliest([one.id for one in effect.likeliest], logits[place], LOGIT_LIMIT)
    assert effect.unit == ("query" if run.card.family == "qwen-vl" else "token")
    assert effect.hidden == tuple(range(len(visual)))


def test_text_rows_are_all_later_ones_but_visual_tokens() -> None:
    run = mixed_run(TINY[1])
    visual = [place for place, token in enumerate(run.tokens) if token.media == 0]
    later = [p for p in range(max(visual) + 1, len(run.tokens)) if run.tokens[p].media is None]
    with dense_language([(later, visual)], {0, 1, 2, 3, 4, 5}):
        logits = answer_logits(run)
    effect = run.without(run.answer_start, visual=range(len(visual)), rows="text")
    expected = float(logits[0].softmax(-1)[run.tokens[run.answer_start].id])
    assert effect.after == pytest.approx(expected, rel=1e-4)


def test_patches_of_qwen2_vl_are_hidden_as_the_tokens_they_are_part_of() -> None:
    run = mixed_run(TINY[1])
    index, media = run.answer_start + 1, run.media[2]
    assert media.patch_grid == (1, 4, 10)
    assert tokens_of(media, [0, 1, 10, 13]) == (0, 1)
    assert all(tokens_of(media, media.token_patches(token)) == (token,) for token in range(media.num_tokens))
    assert run.without(index, patches=[0, 13], media=2) == run.without(index, visual=[0, 1], media=2)


def test_patches_of_qwen_vl_are_hidden_from_the_queries_of_their_own_picture() -> None:
    run = mixed_run(TINY[0])
    index, patches = run.answer_start + 1, [3, 4, 100]
    area = run.media[1].patch_grid[1] * run.media[1].patch_grid[2]
    effect = run.without(index, patches=[area + patch for patch in patches], media=1)  # the second frame of the clip
    model, given = tiny(TINY[0]).model, layers.attend

    def attend(q: Tensor, k: Tensor, v: Tensor, mask: Mask | None) -> Tensor:
        if k.shape[2] != area or q.shape[2] == area:
            return given(q, k, v, mask)
        seen = torch.ones(len(q), q.shape[2], k.shape[2], dtype=torch.bool)
        seen[2][:, patches] = False  # pictures of the batch: the first, three frames, the last
        return dense_attention(q, k, v, seen).float().unflatten(-1, (q.shape[1], -1)).transpose(1, 2)

    layers.attend = attend
    try:
        logits = answer_logits(run)
    finally:
        layers.attend = given
    assert model.config.adapter.num_queries != area
    expected = float(logits[1].softmax(-1)[run.tokens[index].id])
    assert effect.after == pytest.approx(expected, rel=1e-4)
    assert effect.unit == "patch"
    assert effect.hidden == tuple(area + patch for patch in patches)


def test_readers_are_the_fewest_queries_that_hold_half_of_the_reading() -> None:
    run, patches = mixed_run(TINY[0]), [5, 6, 40]
    weights = run.adapter_matrix(media=0)[:, patches].double().sum(dim=1)
    found = readers(run, patches)
    assert weights[list(found)].sum() >= weights.sum() / 2
    smallest = min(found, key=lambda query: float(weights[query]))
    assert weights[list(found)].sum() - weights[smallest] < weights.sum() / 2
    assert weights[list(found)].min() >= weights[[q for q in range(len(weights)) if q not in found]].max()
    assert readers(run, []) == ()
    with pytest.raises(RunError, match="no attention"):
        readers(mixed_run(TINY[1]), [0])


def test_what_cannot_be_hidden_is_one_sentence(run: Run) -> None:
    index = run.answer_start
    with pytest.raises(RunError, match="either patches or visual tokens"):
        run.without(index)
    with pytest.raises(RunError, match="Patch 99999 does not exist"):
        run.without(index, patches=[99999])
    with pytest.raises(RunError, match="Language layer 77 does not exist"):
        run.without(index, visual=[0], layers=[77])
    with pytest.raises(RunError, match="There are no rows 'all'"):
        run.without(index, visual=[0], rows="all")
    with pytest.raises(RunError, match="is not of the answer"):
        run.without(0, visual=[0])
    with pytest.raises(RunError, match="load the run with its pipeline"):
        replace(run, pipeline=None).without(index, visual=[0])
    if run.card.family == "qwen-vl":
        with pytest.raises(RunError, match="leave it at least one"):
            run.without(index, patches=range(run.media[0].num_patches))


# --- painted over ---


def test_a_painted_picture_is_the_changed_picture_asked_anew() -> None:
    for name in TINY:
        messages, mask = one_picture(), box_mask((56, 84), (0, 14, 30, 50))
        run = tiny(name).run(messages, answer=SPOKEN)
        changed = paint(messages[0]["content"][0]["image"], mask, "black")
        anew = tiny(name).run(one_picture(changed), answer=SPOKEN)
        effect = run.painted(run.answer_start + 1, mask, fill="black")
        assert effect.after == pytest.approx(anew.probability(anew.answer_start + 1), rel=1e-5)
        assert_alike(effect.likeliest, anew.alternatives(anew.answer_start + 1, 5))
        assert effect.pixels == 30 * 36
        assert effect.pictures[0].tobytes() == changed.tobytes()
        assert effect.after != pytest.approx(effect.before, rel=1e-3)


def test_a_clip_is_painted_in_the_frames_of_its_temporal_cells(run: Run) -> None:
    media, index = run.media[1], run.answer_start
    t = media.patch_grid[0]
    mask = np.zeros((t, media.size[1], media.size[0]), dtype=bool)
    mask[-1] = True
    frames = run.painted(index, mask, media=1).pictures
    unchanged = [frame.tobytes() == was.tobytes() for frame, was in zip(frames, media.frames, strict=True)]
    assert unchanged == [True, True, False]  # two frames make a temporal patch of Qwen2-VL, the third is alone
    with pytest.raises(RunError, match=r"A mask of .* is bool \(56, 112\)"):
        run.painted(index, mask[:, :5], media=1)


# --- on trained weights, a drawn scene ---


def scenes(count: int) -> Iterator[tuple[Scene, int]]:
    """Scenes of two or three shapes with the shape of one colour in question, large enough to be painted elsewhere."""
    generator = np.random.default_rng(5)
    while count:
        scene = random_scene(generator, things=(2, 3), sides=(280, 448))
        for place, thing in enumerate(scene.things):
            if [other.colour for other in scene.things].count(thing.colour) == 1 and thing.size > 70:
                count -= 1
                yield scene, place
                break


def elsewhere(scene: Scene, place: int, generator: np.random.Generator) -> np.ndarray | None:
    """A rectangle as large as that of the shape, nowhere over a shape."""
    left, top, right, bottom = box_of(scene.things[place], scene.size)
    for _ in range(200):
        x = int(generator.integers(0, scene.size[0] - (right - left) + 1))
        y = int(generator.integers(0, scene.size[1] - (bottom - top) + 1))
        mask = box_mask(scene.size, (x, y, x + right - left, y + bottom - top))
        if not any((mask & box_mask(scene.size, box_of(thing, scene.size))).any() for thing in scene.things):
            return mask
    return None


def falls(pipeline: Pipeline, count: int) -> list[tuple[float, float]]:
    """How far the word's probability falls with the shape in question painted away, and with as large a place else."""
    generator, found = np.random.default_rng(0), list[tuple[float, float]]()
    for scene, place in scenes(count):
        other = elsewhere(scene, place, generator)
        if other is None:
            continue
        thing = scene.things[place]
        messages = one_picture(render(scene), f"What shape is the {thing.colour} object?")
        run = pipeline.run(messages, answer=thing.shape, max_pixels=448 * 448)
        own = box_mask(scene.size, box_of(thing, scene.size))
        effects = [run.painted(run.answer_start, mask) for mask in (own, other)]
        found.append((effects[0].before - effects[0].after, effects[1].before - effects[1].after))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_painting_the_shape_in_question_matters_more_than_painting_elsewhere(name: str) -> None:
    found = torch.tensor(falls(qwenvl.load(name, dtype="float32", device="cpu"), 16))
    assert len(found) >= 8
    own, other = found.mean(dim=0).tolist()
    assert own > 0.3, f"own {own:.2f}, elsewhere {other:.2f}"
    assert own > 3 * max(other, 0.05)
    assert (found[:, 0] > found[:, 1]).double().mean() >= 0.8


def test_masks_of_cells_and_boxes_agree_on_a_run(run: Run) -> None:
    media = run.media[0]
    box = media.patch_box(0)
    assert np.array_equal(cells_mask(media.size, media.patch_grid, [0])[0], box_mask(media.size, box))
