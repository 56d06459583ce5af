"""Schedules what a twin is taught and when, and prepares lessons ahead of training.

Knows scenes, questions and chances; no model, no loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from qwenvl.tiny.clips import random_clip
from qwenvl.tiny.lessons import Lesson, Pack, Teacher, pack, random_sheet
from qwenvl.tiny.questions import CLIP_TASKS, SCENE_TASKS, Question, ask_pictures
from qwenvl.tiny.scenes import random_scene

CHINESE = 0.1  # share of the questions
CLIP_WEIGHTS = {"direction": 1.0, "change": 1.0, "order": 1.0}


@dataclass(frozen=True)
class Weights:
    """How much counts: answers, the helpers that name and box what is seen, and rows that are shown where to look."""

    answers: float
    seen: float
    looks: float


@dataclass(frozen=True)
class Menu:
    """What lessons are about. `tasks` weigh the questions of a still; shares are of lessons."""

    tasks: Mapping[str, float]
    questions: int
    things: tuple[int, int]
    sides: tuple[int, int]
    printed: float  # stills with a word or number
    clips: float
    pairs: float  # two pictures
    sheets: float = 0.0  # sheets full of shapes, about which nothing is asked
    cell: tuple[int, int] = (30, 64)  # pixels between the shapes of a sheet
    ground: float = 1.0  # share of the visual tokens without anything on them that the language model is shown
    photos: tuple[str, ...] = ()


def draw_lesson(teacher: Teacher, menu: Menu, rng: np.random.Generator) -> Lesson:
    """One lesson."""
    if rng.random() < menu.sheets:
        return teacher.scenes([random_sheet(rng, menu.sides, menu.cell)], [])
    lot = rng.random()
    if lot < menu.clips:
        clip = random_clip(rng, sides=(84, min(168, menu.sides[1])))
        return teacher.clip(clip, choose_questions(CLIP_TASKS, CLIP_WEIGHTS, clip, rng, min(6, menu.questions)))
    if lot < menu.clips + menu.pairs:
        scenes = [random_scene(rng, things=(1, 3), sides=menu.sides) for _ in range(2)]
        asked = [ask_pictures(scenes, rng, chinese=CHINESE) for _ in range(4)]
        return teacher.scenes(scenes, list(dict.fromkeys(question for question in asked if question)))
    labels = (1, 2) if rng.random() < menu.printed else (0, 0)
    scene = random_scene(rng, things=menu.things, labels=labels, sides=menu.sides, photos=menu.photos)
    return teacher.scenes([scene], choose_questions(SCENE_TASKS, menu.tasks, scene, rng, menu.questions))


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
class Plan:
    """A training: how long, how much a step, and the menus by share of the time."""

    family: str
    minutes: float
    seed: int
    budget: int  # tokens of a step that asks questions, visual ones included
    seeing_budget: int  # tokens of a step that asks none
    seeing: float  # share of the time in which only the vision tower and the adapter learn
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
        """Whether the vision tower learns no more, as in both papers' last stage."""
        return self.later(share) >= FIXED


HARDER = 0.3  # share of the asking time after which all tasks are asked, of larger pictures
FIXED = 0.8  # share of it after which the vision tower is left as it is

BUDGETS = {
    "qwen-vl": {"budget": 3600, "seeing_budget": 2200},
    "qwen2-vl": {"budget": 2800, "seeing_budget": 900},
}


def plan_for(family: str, *, minutes: float, seed: int, seeing: float = 0.13, photos: tuple[str, ...] = ()) -> Plan:
    """The plan that the recipe uses. Qwen-VL's tower wants small steps and a bound on its weights."""
    if family == "qwen-vl":
        return Plan(family, minutes, seed, **BUDGETS[family], seeing=seeing, photos=photos, muon=0.01, decay=0.5)
    return Plan(family, minutes, seed, **BUDGETS[family], seeing=seeing, photos=photos)


def crowds(family: str) -> Menu:
    """Pictures full of shapes, about which nothing is asked: the vision tower learns to name what lies where."""
    first = family == "qwen-vl"
    menu = Menu(
        {}, 0, (3, 6), (200, 260) if first else (100, 170), printed=0.6, clips=0.0 if first else 0.15, pairs=0.0
    )
    return replace(menu, sheets=0.75, cell=(26, 60) if first else (26, 64))


def menu_at(plan: Plan, share: float) -> Menu:
    """What questions are about after a share of the time: easy ones first."""
    first = plan.family == "qwen-vl"
    tasks = {"colour": 2.0, "shape": 3.0, "existence": 1.5, "count": 1.5, "grounding": 0.5, "relation": 0.4}
    menu = Menu(tasks, 16, (1, 4), (112, 224), printed=0.0, clips=0.0 if first else 0.15, pairs=0.0)
    if plan.later(share) >= HARDER:
        tasks = {"colour": 1.2, "shape": 1.6, "existence": 1.0, "count": 2.4, "grounding": 2.4, "relation": 1.6}
        tasks |= {"region": 0.3, "caption": 0.3, "furthest": 0.4, "reading": 1.0}
        clips = 0.0 if first else 0.25
        menu = replace(menu, tasks=tasks, sides=(112, 320), printed=0.2, clips=clips, pairs=0.02, photos=plan.photos)
    return replace(menu, ground=0.15) if first and plan.later(share) < 0.7 else menu


def weights_at(plan: Plan, share: float) -> Weights:
    """How much counts after a share of the time: the helpers and the looks less and less."""
    later = plan.later(share)
    return Weights(1.0, max(0.4, 1.0 - later), max(0.1, 0.6 - 0.8 * later))
