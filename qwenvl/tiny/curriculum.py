"""Schedules what a twin is taught and when, and prepares lessons ahead of training.

Knows scenes, questions and chances; no model, no loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from qwenvl.tiny.clips import random_clip
from qwenvl.tiny.lessons import Lesson, Pack, Teacher, pack
from qwenvl.tiny.questions import CLIP_TASKS, SCENE_TASKS, Question, ask_pictures
from qwenvl.tiny.scenes import TRAINED_WORDS, Print, random_page, random_scene, random_strip
from qwenvl.tiny.sheets import random_print_sheet, random_sheet
from qwenvl.tiny.world import TRAINED_FONTS

CHINESE = 0.1  # share of the questions
CLIP_WEIGHTS = {"direction": 1.0, "change": 1.5, "order": 1.5}
READING = {"reading": 1.0}
STRIP_WEIGHTS = {"colour": 2.0, "shape": 3.0, "existence": 0.5, "grounding": 0.5, "region": 0.5, "count": 0.3}
PAGE_WEIGHTS = {"small print": 4.0, "reading": 1.0}


@dataclass(frozen=True)
class Weights:
    """How much counts: answers, the helpers that name and box what is seen, and rows that are shown where to look."""

    answers: float
    seen: float
    looks: float


@dataclass(frozen=True)
class Menu:
    """What lessons are about: `kinds` of lessons by their shares; `tasks` weigh the questions of a scene of shapes."""

    kinds: Mapping[str, float]
    tasks: Mapping[str, float] = field(default_factory=dict)
    questions: int = 16  # of a scene; about other media fewer are asked; 0 asks none of any
    things: tuple[int, int] = (1, 4)
    sides: tuple[int, int] = (112, 320)
    cell: tuple[int, int] = (18, 64)  # pixels between the shapes of a sheet
    sheet: tuple[int, int] = (100, 170)  # sides of a sheet
    print_sizes: tuple[int, int] = (14, 44)  # of a sheet of print
    texts: Mapping[str, float] = field(default_factory=lambda: {"glyph": 1.0})  # kinds of text, printed
    ground: float = 1.0  # share of the visual tokens without anything on them that the language model is shown
    photos: tuple[str, ...] = ()


def draw_lesson(teacher: Teacher, menu: Menu, rng: np.random.Generator) -> Lesson:
    """One lesson."""
    chances = np.array(list(menu.kinds.values()))
    kind = str(rng.choice(list(menu.kinds), p=chances / chances.sum()))
    return LESSONS[kind](teacher, menu, rng)


def _sheet(teacher: Teacher, menu: Menu, rng: np.random.Generator) -> Lesson:
    """A picture full of shapes, about which nothing is asked."""
    return teacher.scenes([random_sheet(rng, menu.sheet, menu.cell)], [])


def _print_sheet(teacher: Teacher, menu: Menu, rng: np.random.Generator) -> Lesson:
    """A picture full of print, about which nothing is asked."""
    return teacher.scenes([random_print_sheet(rng, menu.sheet, menu.print_sizes, menu.texts)], [])


def _scene(teacher: Teacher, menu: Menu, rng: np.random.Generator) -> Lesson:
    """Shapes."""
    scene = random_scene(rng, things=menu.things, sides=menu.sides, photos=menu.photos)
    return teacher.scenes([scene], choose_questions(SCENE_TASKS, menu.tasks, scene, rng, menu.questions))


def _printed(teacher: Teacher, menu: Menu, rng: np.random.Generator) -> Lesson:
    """Large print, with a shape or two beside it."""
    large = rng.random() < 0.8
    prints = Print(menu.texts, TRAINED_WORDS, TRAINED_FONTS, *((28, 0.1) if large else (18, 0.0)))
    low, high = menu.sides
    scene = random_scene(
        rng, things=(0, 2), labels=(1, 3), sides=(low, min(280, high)), photos=menu.photos, prints=prints
    )
    asked = choose_questions(SCENE_TASKS, READING | {"caption": 0.1}, scene, rng, min(6, menu.questions))
    return teacher.scenes([scene], asked)


def _strip(teacher: Teacher, menu: Menu, rng: np.random.Generator) -> Lesson:
    """Many small shapes on a page much wider than high, or higher than wide."""
    scene = random_strip(rng)
    return teacher.scenes([scene], choose_questions(SCENE_TASKS, STRIP_WEIGHTS, scene, rng, min(12, menu.questions)))


def _page(teacher: Teacher, menu: Menu, rng: np.random.Generator) -> Lesson:
    """Small print."""
    page = random_page(rng, width=(336, 896), print_size=(12, 18), words=TRAINED_WORDS, fonts=TRAINED_FONTS)
    return teacher.scenes([page], choose_questions(SCENE_TASKS, PAGE_WEIGHTS, page, rng, min(8, menu.questions)))


def _pair(teacher: Teacher, menu: Menu, rng: np.random.Generator) -> Lesson:
    """Two pictures."""
    scenes = [random_scene(rng, things=(1, 3), sides=menu.sides) for _ in range(2)]
    asked = [ask_pictures(scenes, rng, chinese=CHINESE) for _ in range(min(8, menu.questions))]
    return teacher.scenes(scenes, list(dict.fromkeys(question for question in asked if question)))


def _clip(teacher: Teacher, menu: Menu, rng: np.random.Generator) -> Lesson:
    """A clip whose deeds fit one of its questions."""
    chances = np.array(list(CLIP_WEIGHTS.values()))
    task = str(rng.choice(list(CLIP_WEIGHTS), p=chances / chances.sum()))
    clip = random_clip(rng, sides=(84, 168), task=task)
    return teacher.clip(clip, choose_questions(CLIP_TASKS, CLIP_WEIGHTS, clip, rng, min(5, menu.questions)))


LESSONS: dict[str, Callable[[Teacher, Menu, np.random.Generator], Lesson]] = {
    "sheet": _sheet,
    "print sheet": _print_sheet,
    "scene": _scene,
    "print": _printed,
    "strip": _strip,
    "page": _page,
    "pair": _pair,
    "clip": _clip,
}


def choose_questions(
    tasks: Mapping[str, Any], weights: Mapping[str, float], subject: Any, rng: np.random.Generator, count: int
) -> list[Question]:
    """Different questions about one subject, tasks drawn by weight."""
    if not count:
        return []
    names = list(weights)
    chances = np.array(list(weights.values())) / sum(weights.values())
    asked: dict[Question, None] = {}
    for name in rng.choice(names, size=2 * count, p=chances):
        question = tasks[str(name)](subject, rng, "zh" if rng.random() < CHINESE else "en")
        if question is not None:
            asked[question] = None
        if len(asked) == count:
            break
    return list(asked)


class Shelf:
    """Lessons drawn lately, each taken `1 / (1 - again)` times on average: drawing costs nearly as much as reading."""

    def __init__(self, teacher: Teacher, rng: np.random.Generator, *, size: int = 300, again: float = 0.6) -> None:
        self.teacher, self.rng, self.size, self.again = teacher, rng, size, again
        self.lessons: dict[str, list[Lesson]] = {}

    def take(self, menu: Menu) -> Lesson:
        """A lesson from a menu, new or drawn before from the same one."""
        lessons = self.lessons.setdefault(repr(menu), [])
        if len(lessons) >= 20 and self.rng.random() < self.again:
            return lessons[self.rng.integers(len(lessons))]
        lesson = draw_lesson(self.teacher, menu, self.rng)
        if len(lessons) < self.size:
            lessons.append(lesson)
        else:
            lessons[self.rng.integers(self.size)] = lesson
        return lesson

    def fill(self, menu: Menu, budget: int) -> Pack:
        """Lessons up to a budget of tokens, visual ones included."""
        lessons: list[Lesson] = []
        room = budget
        while room > 0:
            lessons.append(self.take(menu))
            room -= lessons[-1].num_tokens
        return pack(lessons, ground=menu.ground, rng=self.rng)


@dataclass(frozen=True)
class TrainingPlan:
    """A training: how long, how much a step, and the menus by share of the time."""

    family: str
    minutes: float
    seed: int
    budget: int  # tokens of a step that asks questions, visual ones included
    seeing_budget: int  # tokens of a step that asks none
    seeing: float  # share of the time in which only the vision tower and the adapter learn
    settling: float = 0.0  # share of it, at the start, in which a vision tower that was trained before is left as it is
    muon: float = 0.02  # learning rate of hidden matrices
    adam: float = 2e-3  # learning rate of everything else
    decay: float = 0.01
    photos: tuple[str, ...] = ()  # picture files, crops of which lie behind a fifth of the later scenes

    def later(self, share: float) -> float:
        """The share of the time since questions are asked, 0 to 1."""
        return max(0.0, (share - self.seeing) / (1 - self.seeing))

    def is_asking(self, step: int, share: float) -> bool:
        """Whether a step asks; the others only look at crowds: every other one at first, then every fourth."""
        if share < self.seeing:
            return False
        if self.later(share) < HARDER:
            return step % 2 == 0
        return step % 4 != 3 or self.is_eye_fixed(share)

    def is_eye_fixed(self, share: float) -> bool:
        """Whether the vision tower learns nothing: while helpers settle, and, as in both papers, at the end."""
        return share < self.settling or self.later(share) >= FIXED


# Rates of a twin that goes on, beside those of one that begins. At .75 old rows sank in both; at a level .4 Qwen-VL's
# questions about colour and shape fell from .8 to .6, Qwen2-VL's stayed at .96.
GENTLER = {"qwen-vl": 0.25, "qwen2-vl": 0.4}
HARDER = 0.45  # share of the asking time after which pictures are larger, and print is words too
FIXED = 0.85  # share of it after which the vision tower is left as it is

BUDGETS = {
    "qwen-vl": {"budget": 3600, "seeing_budget": 2200},
    "qwen2-vl": {"budget": 2800, "seeing_budget": 1800},
}


def plan_for(
    family: str, *, minutes: float, seed: int, is_begun: bool = False, photos: tuple[str, ...] = ()
) -> TrainingPlan:
    """The plan that the recipe uses. Qwen-VL's tower wants small steps and a bound on its weights.

    Args:
        is_begun: the twin goes on from a checkpoint: its tower waits until the helpers have settled; smaller steps.
    """
    plan = TrainingPlan(family, minutes, seed, **BUDGETS[family], seeing=0.13, photos=photos)
    if family == "qwen-vl":
        plan = replace(plan, muon=0.01, decay=0.5)
    if not is_begun:
        return plan
    gentler = GENTLER[family]
    return replace(plan, seeing=0.0, settling=0.02, muon=gentler * plan.muon, adam=gentler * plan.adam)


def crowds(family: str, later: float = 0.0) -> Menu:
    """Pictures full of shapes and print, about which nothing is asked: the tower learns to name what lies where."""
    kinds = {"sheet": 0.2, "print sheet": 0.65, "strip": 0.06}
    if family == "qwen-vl":
        sizes = (32, 64) if later < HARDER else (28, 64)
        return Menu(kinds, questions=0, sheet=(200, 260), print_sizes=sizes, texts=SHEET_TEXTS)
    sizes = (24, 52) if later < HARDER else (20, 52)
    return Menu(kinds | {"clip": 0.12}, questions=0, print_sizes=sizes, texts=SHEET_TEXTS)


SHEET_TEXTS = {"glyph": 0.3, "number": 0.35, "letters": 0.35}
FIRST_TEXTS = {"glyph": 0.6, "number": 0.4}
ALL_TEXTS = {"glyph": 0.48, "number": 0.42, "word": 0.1}
FIRST_TASKS = {"colour": 1.5, "shape": 2.0, "existence": 1.5, "count": 2.4, "grounding": 1.5, "relation": 1.2}
ALL_TASKS = {"colour": 1.0, "shape": 1.2, "existence": 1.0, "count": 2.6, "grounding": 2.4, "relation": 1.6}
RARE_TASKS = {"region": 1.8, "caption": 1.2, "furthest": 0.3}


def menu_at(plan: TrainingPlan, share: float) -> Menu:
    """What questions are about after a share of the time: easier ones first."""
    first = plan.family == "qwen-vl"
    later = plan.later(share)
    kinds = {"scene": 0.34, "print": 0.3, "strip": 0.1, "pair": 0.12}
    if not first:
        kinds["clip"] = 0.16
    if later < HARDER:
        menu = Menu(kinds, FIRST_TASKS | RARE_TASKS, sides=(112, 224), texts=FIRST_TEXTS)
    else:
        kinds["page"] = 0.02
        menu = Menu(kinds, ALL_TASKS | RARE_TASKS, texts=ALL_TEXTS, photos=plan.photos)
    ground = 0.25 if first and later < 0.7 else 0.5 if not first and later < HARDER else 1.0
    return replace(menu, ground=ground)


def weights_at(plan: TrainingPlan, share: float) -> Weights:
    """How much counts after a share of the time: the helpers and the looks less and less."""
    later = plan.later(share)
    return Weights(1.0, max(0.4, 1.0 - later), max(0.15, 0.6 - 0.7 * later))
