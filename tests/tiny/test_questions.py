"""Every answer is checked against what was drawn, or against the scene by another way than it was made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from qwenvl.tiny.clips import Clip, random_clip, render_clip
from qwenvl.tiny.phrases import CHINESE, PHRASES
from qwenvl.tiny.questions import (
    CLIP_TASKS,
    SCENE_TASKS,
    Question,
    Region,
    ask_pictures,
    content,
    describe,
    spell,
)
from qwenvl.tiny.scenes import held_out, random_page, random_scene
from qwenvl.tiny.world import COLOURS, SHAPES, Scene, footprint, render

ENGLISH = {chinese: english for english, chinese in CHINESE.items()}


def scenes(count: int, seed: int) -> Iterator[Scene]:
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield random_scene(rng, things=(1, 5), labels=(0, 2), sides=(150, 300))


def asked(task: str, count: int = 120, seed: int = 0, *, chinese: float = 0.3) -> list[tuple[Scene, Question]]:
    """Questions of one task about many scenes."""
    found = [(scene, question) for scene, question in everything_asked(count, seed, chinese) if question.task == task]
    assert len(found) > 15
    return found


@cache
def everything_asked(count: int, seed: int, chinese: float) -> list[tuple[Scene, Question]]:
    rng = np.random.default_rng(seed + 1)
    return [(scene, q) for scene in scenes(count, seed) for q in ask(SCENE_TASKS, scene, rng, 11, chinese=chinese)]


def ask(
    tasks: dict[str, Callable[..., Question | None]], subject: Any, rng: np.random.Generator, count: int, chinese: float
) -> list[Question]:
    """Up to `count` questions about a scene or clip, of different tasks first; `chinese` is the share in Chinese."""
    asked: list[Question] = []
    names = list(tasks)
    for turn in range(3 * count):
        if turn % len(names) == 0:
            rng.shuffle(names)
        language = "zh" if rng.random() < chinese else "en"
        question = tasks[names[turn % len(names)]](subject, rng, language)
        if question is not None and question not in asked:
            asked.append(question)
        if len(asked) == count:
            break
    return asked


def said(question: Question) -> str:
    """The answer in English."""
    answer = "".join(part for part in question.answer if isinstance(part, str))
    return ENGLISH.get(answer, answer)


def words_in(text: str, names: dict[str, object] | list[str]) -> list[str]:
    """Which of the world's names a text holds, in either language, in order."""
    english = re.sub("|".join(sorted(ENGLISH, key=len, reverse=True)), lambda hit: f" {ENGLISH[hit[0]]} ", text)
    return [word for word in re.findall(r"[a-z]+", english) if word in names]


def nearest_colour(rgb: np.ndarray) -> str:
    return min(COLOURS, key=lambda name: float(np.abs(rgb - np.array(COLOURS[name])).sum()))


def test_a_colour_is_the_colour_of_the_pixels() -> None:
    for scene, question in asked("colour"):
        (index,) = question.subjects
        mine = np.asarray(render(scene))[footprint(scene) == index + 1]
        assert said(question) == nearest_colour(np.median(mine, axis=0))
        assert words_in(question.asked[0], SHAPES) == [scene.things[index].shape]


def test_a_shape_is_that_of_the_only_object_of_the_colour() -> None:
    for scene, question in asked("shape"):
        (colour,) = words_in(question.asked[0], COLOURS)
        assert [thing.shape for thing in scene.things if thing.colour == colour] == [said(question)]


def test_counts_are_right_and_some_are_zero() -> None:
    counts = set()
    for scene, question in asked("count"):
        kinds = words_in(question.asked[0], [*COLOURS, *SHAPES])
        things = [thing for thing in scene.things if not kinds or kinds[0] in (thing.colour, thing.shape)]
        assert said(question) == str(len(things)) == str(len(question.subjects))
        counts.add(len(things))
    assert counts >= {0, 1, 2, 3, 4}


def test_existence_is_true_balanced_and_never_names_a_held_out_pair_in_training() -> None:
    answers = []
    for scene, question in asked("existence"):
        (colour,), (shape,) = words_in(question.asked[0], COLOURS), words_in(question.asked[0], SHAPES)
        assert said(question) == ("yes" if (colour, shape) in {(t.colour, t.shape) for t in scene.things} else "no")
        assert not held_out(colour, shape)
        answers.append(said(question))
    assert 0.35 < answers.count("yes") / len(answers) < 0.65


def test_relations_hold_by_a_clear_margin() -> None:
    for scene, question in asked("relation", 300):
        boxes = footprint(scene)
        places = [np.argwhere(boxes == index + 1).mean(axis=0)[::-1] for index in range(len(scene.things))]
        if len(question.subjects) == 1:
            side = "left" if re.search("left|左", question.asked[0]) else "right"
            order = sorted(range(len(places)), key=lambda index: float(places[index][0]), reverse=side == "right")
            assert question.subjects == (order[0],)
            continue
        across, along = places[question.subjects[0]] - places[question.subjects[1]]
        truth = {"left": across < 0, "right": across > 0, "above": along < 0, "below": along > 0}
        assert truth[said(question)]
        assert (abs(across) > abs(along)) == (said(question) in ("left", "right"))


def test_what_is_read_is_what_is_printed() -> None:
    kinds = {"glyph": r"[0-9a-z]", "number": r"[0-9]{2,}", "word": r"[a-z]{2,}"}
    read = [*asked("number"), *asked("word"), *asked("glyph", 400)]
    for scene, question in read:
        (index,) = question.subjects
        assert re.fullmatch(kinds[question.task], said(question))
        label = scene.items[index]
        assert question.answer == (label.text,)
        colours = words_in(question.asked[0], COLOURS)
        assert len(scene.labels) == 1 or colours == [label.colour]


def test_small_print_is_the_number_on_the_same_line_right_of_the_word() -> None:
    rng = np.random.default_rng(3)
    tasks = set()
    for _ in range(20):
        page = random_page(rng)
        for question in ask(SCENE_TASKS, page, rng, 2, chinese=0.0):
            tasks.add(question.task)
            (index,) = question.subjects
            label = page.labels[index]
            assert question.answer == (label.text,)
            if question.task == "word":
                assert label.size == max(other.size for other in page.labels)
                continue
            (word,) = (other for other in page.labels if re.search(rf"\b{other.text}\b", question.asked[0]))
            right = [o for o in page.labels if o.corner[1] == word.corner[1] and o.corner[0] > word.corner[0]]
            assert min(right, key=lambda other: other.corner[0]) == label
    assert tasks == {"word", "small print"}


def test_a_box_is_where_the_pixels_are_in_thousandths() -> None:
    for scene, question in asked("grounding"):
        (region,) = question.answer
        assert isinstance(region, Region)
        thing = scene.things[question.subjects[0]]
        alone, empty = (replace(scene, things=things, labels=()) for things in ((thing,), ()))
        rows, columns = np.nonzero((np.asarray(render(alone)) != np.asarray(render(empty))).any(axis=2))
        drawn = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        for edge, truth, side in zip(region.box, drawn, (*scene.size, *scene.size), strict=True):
            assert 0 <= edge <= 999
            assert abs(edge * side / 1000 - truth) <= side / 1000
        assert words_in(region.phrase, [*COLOURS, *SHAPES]) == [thing.colour, thing.shape]


def test_a_caption_names_everything_once() -> None:
    for scene, question in asked("caption"):
        text = said(question)
        if question.language == "zh":
            text = text.split("上有", 1)[1] + text.split("上有", 1)[0]
        things = list(zip(words_in(text, list(COLOURS)), words_in(text, list(SHAPES)), strict=False))
        assert things == [(t.colour, t.shape) for t in sorted(scene.things, key=lambda thing: thing.centre[0])]
        assert all(label.text in text for label in scene.labels)
        assert (CHINESE if question.language == "zh" else dict(zip(CHINESE, CHINESE, strict=True)))[
            scene.ground.colour
        ] in text


def test_one_picture_of_several_holds_the_thing() -> None:
    rng = np.random.default_rng(6)
    for _ in range(40):
        pictures = [random_scene(rng, things=(1, 3)) for _ in range(3)]
        question = ask_pictures(pictures, rng, chinese=0.3)
        if question is None:
            continue
        pair = (*words_in(question.asked[0], COLOURS), *words_in(question.asked[0], SHAPES))
        holds = [any((t.colour, t.shape) == pair for t in picture.things) for picture in pictures]
        assert sum(holds) == 1
        assert str(holds.index(True) + 1) in question.answer[0]


def test_clips_are_answered_by_their_frames() -> None:
    rng = np.random.default_rng(7)
    met = set()
    for _ in range(100):
        clip = random_clip(rng, actors=(1, 2))
        for question in ask(CLIP_TASKS, clip, rng, 3, chinese=0.2):
            met.add(question.task)
            if question.task == "order":
                names = [(clip.actors[i].thing.colour, clip.actors[i].thing.shape) for i in question.subjects]
                times = [first_change(clip, index) for index in question.subjects]
                text = question.answer[0]
                assert (*words_in(text, COLOURS), *words_in(text, SHAPES)) == names[int(np.argmin(times))]
            if question.task == "direction":
                assert clip.actors[question.subjects[0]].direction in (
                    said(question),
                    *words_in(said(question), CHINESE),
                )
    assert met == set(CLIP_TASKS)


def first_change(clip: Clip, index: int) -> int:
    """The first frame in which an actor, alone on the stage, looks different."""
    alone = Clip(clip.size, clip.ground, (clip.actors[index],), clip.frames)
    frames = [np.asarray(frame) for frame in render_clip(alone)]
    return next(frame for frame in range(1, clip.frames) if (frames[frame] != frames[frame - 1]).any())


def test_questions_come_in_both_languages_and_in_many_words() -> None:
    english = {question.asked[0] for _, question in asked("count", chinese=0.0)}
    assert not any(re.search("[一-鿿]", text) for text in english)
    assert len({re.sub("|".join([*COLOURS, *SHAPES]), "x", text) for text in english}) >= 6
    chinese = [question for _, question in asked("colour", 40, chinese=1.0)]
    assert all(re.search("[一-鿿]", question.asked[0]) for question in chinese)
    assert all(set(ways) == {"en", "zh"} for ways in PHRASES.values())
    assert set(SCENE_TASKS) >= {"colour", "shape", "count", "existence", "relation", "reading", "grounding", "caption"}


@pytest.mark.parametrize(
    ("family", "spelled"),
    [
        ("qwen-vl", "<ref>red star</ref><box>(1,20),(300,999)</box>"),
        (
            "qwen2-vl",
            "<|object_ref_start|>red star<|object_ref_end|><|box_start|>(1,20),(300,999)<|box_end|>",
        ),
    ],
)
def test_boxes_are_spelled_in_each_familys_notation(family: str, spelled: str) -> None:
    region = Region("red star", (1, 20, 300, 999))
    assert spell((region,), family) == spelled
    assert content(("here: ", region)) == [
        {"type": "text", "text": "here: "},
        {"type": "ref", "text": "red star"},
        {"type": "box", "box": [1, 20, 300, 999]},
    ]


def test_the_gallerys_caption_reads_well() -> None:
    from qwenvl.tiny.gallery import SHAPES_SCENE

    english = "a purple triangle, a yellow cross and a green diamond on a cyan background."
    assert describe(SHAPES_SCENE) == english
    assert describe(SHAPES_SCENE, "zh") == "青色背景上有一个紫色三角形、一个黄色十字和一个绿色菱形。"
