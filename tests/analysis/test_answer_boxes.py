"""Boxes of given answers, in both notations: the numbers, the tokens that write them, and every way to be wrong."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import qwenvl
from qwenvl.analysis.answer_boxes import overlap
from qwenvl.errors import RunError
from qwenvl.inference.run import Run
from qwenvl.processing.text.grounding import find_boxes
from qwenvl.tiny.gallery import SHAPES_SCENE
from qwenvl.tiny.world import box_of, render
from tests.support.tiny import TINY, mixed_messages, one_picture, tiny

TAGS = {
    "tiny-qwen-vl": ("<ref>", "</ref>", "<box>", "</box>"),
    "tiny-qwen2-vl": ("<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>"),
}


def told(name: str, answer: str, messages: list[dict[str, Any]] | None = None) -> Run:
    """A run of this answer, "[" to "}" standing for the four tags of its notation, as control tokens."""
    pipeline, signs = tiny(name), dict(zip("[]{}", TAGS[name], strict=True))
    ids, tokenizer = list[int](), pipeline.processor.tokenizer
    for part in re.split(r"([\[\]{}]|</?quad>)", answer):
        tag = signs.get(part, part)
        ids += [tokenizer.special(tag)] if tag[:1] == "<" else tokenizer.encode(part)
    prompt = pipeline.processor(messages or one_picture(Image.new("RGB", (200, 100))))
    return pipeline.look_inside(prompt, ids, {})


@pytest.mark.parametrize("name", TINY)
def test_numbers_tokens_and_phrase_of_a_sound_box(name: str) -> None:
    run = told(name, "it is [the red star]{(120,310),(480,905)} here")
    (found,) = run.boxes()
    assert (found.phrase, found.written, found.problem, found.media) == ("the red star", (120, 310, 480, 905), None, 0)
    assert found.box == (24.0, 31.0, 96.0, 90.5)
    spelled = ["".join(run.tokens[index].text for index in tokens) for tokens in found.coordinates]
    assert spelled == ["120", "310", "480", "905"]
    assert all(set(tokens) <= set(found.tokens) for tokens in found.coordinates)
    whole = "".join(run.tokens[index].text for index in found.tokens)
    assert whole == f"{TAGS[name][2]}(120,310),(480,905){TAGS[name][3]}"
    (same,) = find_boxes(run.answer, run.media)
    assert (same.box, same.written, same.phrase) == (found.box, found.written, found.phrase)


@pytest.mark.parametrize("name", TINY)
def test_several_boxes_share_a_phrase_until_other_words_come(name: str) -> None:
    run = told(name, "[stars]{(1,2),(3,4)}, {(5,6),(7,8)} and {(9,9),(9,9)}")
    assert [(box.phrase, box.written) for box in run.boxes()] == [
        ("stars", (1, 2, 3, 4)),
        ("stars", (5, 6, 7, 8)),
        (None, (9, 9, 9, 9)),
    ]


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize(
    ("text", "problem", "box"),
    [
        ("{(480,310),(120,905)}", "Its right edge, 120, is left of its left edge, 480", (24.0, 31.0, 96.0, 90.5)),
        ("{(1,905),(20,31)}", "Its bottom edge, 31, is above its top edge, 905", (0.2, 3.1, 4.0, 90.5)),
        ("{(0,0),(1204,500)}", "Its right edge, 1204, is outside 0 to 1000", (0.0, 0.0, 200.0, 50.0)),
        ("{(-3,0),(10,500)}", "Its left edge, -3, is outside 0 to 1000", (0.0, 0.0, 2.0, 50.0)),
        ("{(1,2),(3}", "“(1,2),(3” is not two corners.", None),
        ("{the star}", "“the star” is not two corners.", None),
        ("{(1,2),(3,", "“(1,2),(3,” is not two corners, and the answer ends inside it.", None),
        ("{(1,2),(3,4)", "The answer ends before the box is closed.", (0.2, 0.2, 0.6, 0.4)),
    ],
)
def test_what_is_wrong_is_said_and_not_hidden(name: str, text: str, problem: str, box: tuple[float, ...]) -> None:
    (found,) = told(name, f"[star]{text}").boxes()
    assert found.phrase == "star"
    assert found.problem is not None
    assert found.problem.startswith(problem)
    assert found.box == (None if box is None else pytest.approx(box))


@pytest.mark.parametrize("name", TINY)
def test_an_answer_without_a_box_has_none(name: str) -> None:
    assert told(name, "a red star (1,2),(3,4)").boxes() == []


def test_boxes_lie_on_the_latest_picture_or_the_one_that_is_named() -> None:
    run = told(TINY[0], "{(0,0),(500,500)}", mixed_messages())
    assert run.boxes()[0].box == (0, 0, 70, 28)
    assert run.boxes(media=0)[0].box == (0, 0, 28, 42)
    with pytest.raises(RunError, match="Media 9 does not exist"):
        run.boxes(media=9)


def test_without_a_picture_or_a_pipeline_the_numbers_are_still_read() -> None:
    run = told(TINY[1], "{(0,0),(500,500)}", [{"role": "user", "content": "Where?"}])
    (found,) = run.boxes()
    assert (found.written, found.box, found.media) == ((0, 0, 500, 500), None, None)
    assert found.problem == "The question has no picture to draw it on."
    assert replace(run, pipeline=None).boxes() == [found]


def test_a_quadrilateral_is_named_as_such() -> None:
    (found,) = told(TINY[0], "<quad>(1,1),(2,2),(3,3),(4,4)</quad>").boxes()
    assert found.problem == "“(1,1),(2,2),(3,3),(4,4)” is a quadrilateral: only boxes are drawn."


def test_overlap_counts_pixels() -> None:
    generator = np.random.default_rng(1)
    for _ in range(20):
        corners = generator.integers(0, 30, (2, 2))
        boxes = [(*corner, *(corner + generator.integers(0, 30, 2))) for corner in corners]
        painted = np.zeros((2, 60, 60), dtype=bool)
        for canvas, (left, top, right, bottom) in zip(painted, boxes, strict=True):
            canvas[top:bottom, left:right] = True
        union = (painted[0] | painted[1]).sum()
        expected = (painted[0] & painted[1]).sum() / union if union else 0.0
        assert overlap(*boxes) == pytest.approx(expected)
    assert overlap((10, 10, 5, 20), (0, 0, 30, 30)) == 0  # no box at all


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_the_trained_models_draw_a_box_over_the_shape(name: str) -> None:
    pipeline = qwenvl.load(name, dtype="float32", device="cpu")
    run = pipeline.run(one_picture(render(SHAPES_SCENE), "Where is the yellow cross?"), max_pixels=448 * 448)
    (found,) = run.boxes()
    assert found.problem is None
    assert found.box is not None
    assert overlap(found.box, box_of(SHAPES_SCENE.things[0], SHAPES_SCENE.size)) > 0.3
