"""Measures how well a checkpoint answers on scenes it has never seen.

Works on any checkpoint in the published layout, through the same pipeline that the page uses; answers are greedy. Every
row draws its own scenes from the seed, so a row does not depend on which other rows were asked for.
"""

from __future__ import annotations

import re
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qwenvl.inference.generate import generate
from qwenvl.inference.pipeline import Pipeline
from qwenvl.processing.text.grounding import find_boxes
from qwenvl.tiny.cases import ROWS, SIDES, SWEEPS, Case, difficulty, draw_cases, draw_sweep, of_scene
from qwenvl.tiny.questions import SCENE_TASKS, Region, spell
from qwenvl.tiny.scenes import random_scene
from qwenvl.tiny.world import COLOURS, SHAPES, Scene, Thing, footprint


@dataclass
class Row:
    """What one task came to."""

    right: int = 0
    asked: int = 0
    by_difficulty: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    ious: list[float] = field(default_factory=list)

    def add(self, right: bool, difficulty: str) -> None:
        """One answer."""
        self.right += right
        self.asked += 1
        counts = self.by_difficulty[difficulty]
        counts[0] += right
        counts[1] += 1

    def to_json(self) -> dict[str, Any]:
        """Shares and counts."""
        levels = {
            level: {"right": right / asked, "asked": asked} for level, (right, asked) in self.by_difficulty.items()
        }
        made: dict[str, Any] = {"right": self.right / max(self.asked, 1), "asked": self.asked, "by_difficulty": levels}
        return made | ({"mean_iou": float(np.mean(self.ious))} if self.ious else {})


# --- answers ---


def answer(pipeline: Pipeline, messages: Sequence[dict[str, Any]], max_new_tokens: int = 64) -> str:
    """What the checkpoint says, greedily."""
    prompt = pipeline.processor(messages)
    sampling = pipeline.sampling.changed(temperature=0.0, max_new_tokens=max_new_tokens)
    ids = generate(pipeline.model, prompt.model_inputs, sampling=sampling, stop_ids=pipeline.processor.stop_ids)
    return pipeline.processor.decode_answer(list(ids))


def iou(first: Sequence[float], second: Sequence[float]) -> float:
    """Area of two boxes' overlap over that of their union."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    overlap = max(width, 0) * max(height, 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return overlap / max(areas - overlap, 1e-9)


def names_in(caption: str) -> Counter[tuple[str, str]]:
    """The things that an English caption names, each as often as it does, in whatever order."""
    names = re.findall(rf"\b({'|'.join(COLOURS)}) ({'|'.join(SHAPES)})\b", caption)
    return Counter((colour, shape) for colour, shape in names)


def judge(pipeline: Pipeline, case: Case, said: str, row: Row) -> bool:
    """Whether an answer is right: a box by its overlap, a caption by the things it names, the rest word for word."""
    region = case.question.answer[0]
    if case.question.task == "caption":
        return names_in(said) == Counter((thing.colour, thing.shape) for thing in case.scenes[0].things)
    if not isinstance(region, Region):
        return said.strip() == spell(case.question.answer, pipeline.family)
    media = pipeline.processor(case.messages()).media
    boxes = find_boxes(said, media)
    width, height = media[0].size
    wanted = [edge * side / 1000 for edge, side in zip(region.box, (width, height, width, height), strict=True)]
    row.ious.append(iou(boxes[0].box, wanted) if boxes else 0.0)
    return row.ious[-1] > 0.5


def evaluate(pipeline: Pipeline, *, seed: int, scenes: int, rows: Sequence[str] | None = None) -> dict[str, Any]:
    """Exact match by row, and the pointing figures.

    Args:
        seed: of the scenes.
        scenes: how many for each row; pointing takes a fifth, at least 20, to choose its head, and as many to measure.
        rows: some of `ROWS` or "pointing"; None for all.

    Returns:
        {"rows": {name: {"right", "asked", "by_difficulty"}}, "pointing": {...}, "seconds_an_answer": ...}.
    """
    wanted = [*ROWS, "pointing"] if rows is None else list(rows)
    made: dict[str, Any] = {"checkpoint": pipeline.name, "seed": seed, "scenes": scenes, "rows": {}}
    seconds: list[float] = []
    for name in (name for name in wanted if name in ROWS):
        made["rows"][name] = ask(pipeline, draw_cases(name, seed, scenes), seconds).to_json()
    made["seconds_an_answer"] = float(np.median(seconds)) if seconds else None
    if "pointing" in wanted:
        made["pointing"] = pointing(pipeline, seed=seed, scenes=max(20, scenes // 5))
    return made


def ask(pipeline: Pipeline, cases: Iterable[Case], seconds: list[float]) -> Row:
    """What some cases come to; the time of each answer is added to `seconds`."""
    row = Row()
    for case in cases:
        started = time.perf_counter()
        said = answer(pipeline, case.messages())
        seconds.append(time.perf_counter() - started)
        row.add(judge(pipeline, case, said, row), difficulty(case))
    return row


def by_size(pipeline: Pipeline, *, seed: int, scenes: int) -> dict[str, Any]:
    """Accuracy on wide and tall pages by the size of the asked thing and of the page: {curve: {size: share}}."""
    return {
        sweep: {value: ask(pipeline, draw_sweep(sweep, value, seed, scenes), []).to_json()["right"] for value in values}
        for sweep, values in SWEEPS.items()
    }


# --- pointing ---


def pointing(pipeline: Pipeline, *, seed: int, scenes: int) -> dict[str, Any]:
    """How much of a row of attention falls on the asked thing, over the share of the picture that it covers.

    The head (layer, head, and which row: that of the word that names the thing, or the one that predicts the answer) is
    chosen on `scenes` scenes and measured on as many others.
    """
    chosen = list(_measures(pipeline, seed + 1_000_003, scenes))
    tested = list(_measures(pipeline, seed, scenes))
    made: dict[str, Any] = {}
    for task in ("colour", "shape"):
        learn = np.stack([measure for name, measure in chosen if name == task])
        test = np.stack([measure for name, measure in tested if name == task])
        target = learn[..., 0].mean(axis=0)  # (rows, layers, heads)
        row, layer, head = (int(index) for index in np.unravel_index(target.argmax(), target.shape))
        measured = test[:, row, layer, head]
        made[task] = {
            "row": ("name", "answer")[row],
            "layer": layer,
            "head": head,
            "target": float(measured[:, 0].mean()),
            "distractor": float(measured[:, 1].mean()),
            "on_picture": float(measured[:, 2].mean()),
            "peak_on_target": float(measured[:, 3].mean()),
            "mean_of_heads": float(test[..., 0].mean()),
            "scenes": len(test),
        }
    return made


def _measures(pipeline: Pipeline, seed: int, scenes: int) -> Iterator[tuple[str, np.ndarray]]:
    """The task of each case and its figures, (rows, layers, heads, 4): target, distractor, on the picture, peak."""
    for task in ("colour", "shape"):
        rng = np.random.default_rng([seed, zlib.crc32(task.encode())])
        count = 0
        while count < scenes:
            scene = random_scene(rng, things=(2, 4), sides=SIDES)
            question = SCENE_TASKS[task](scene, rng, "en")
            if len(scene.things) < 2 or question is None:
                continue
            case = of_scene(scene, question)
            assert case is not None
            yield task, _measure(pipeline, case)
            count += 1


def _measure(pipeline: Pipeline, case: Case) -> np.ndarray:
    scene, (subject,) = case.scenes[0], case.question.subjects
    thing = scene.things[subject]
    run = pipeline.run(case.messages(), max_new_tokens=4)
    covers = _shares_of_patches(scene, run.media[0].patch_grid[1:])
    figures = []
    for query in (_name_row(run, thing), run.answer_start - 1):
        for layer in range(run.num_layers("language")):
            for head in range(run.num_heads("language")):
                weights = run.image_map(query=query, layer=layer, head=head)[0].numpy()
                figures.append(_figures(weights, covers, subject))
    return np.array(figures).reshape(2, run.num_layers("language"), run.num_heads("language"), 4)


def _shares_of_patches(scene: Scene, grid: tuple[int, int]) -> np.ndarray:
    """Of each patch, how much each thing covers: (things, rows, columns)."""
    from PIL import Image

    owned = footprint(scene)
    masks = [Image.fromarray((owned == index + 1).astype(np.float32)) for index in range(len(scene.things))]
    return np.stack([np.asarray(mask.resize((grid[1], grid[0]), Image.Resampling.BOX)) for mask in masks])


def _figures(weights: np.ndarray, covers: np.ndarray, subject: int) -> tuple[float, float, float, float]:
    """Weight on the patches a thing touches, over their share of the picture, for the subject and for the others."""
    touched = covers > 0.05
    ratios = [float(weights[mask].sum() / mask.mean()) if mask.any() else 0.0 for mask in touched]
    others = [ratio for index, ratio in enumerate(ratios) if index != subject]
    peak = bool(touched[subject].flat[int(weights.argmax())])
    return ratios[subject], float(np.mean(others)), float(weights.sum()), float(peak)


def _name_row(run: Any, thing: Thing) -> int:
    """The last token of the question that spells a part of the thing's colour or shape."""
    question = [index for index, token in enumerate(run.tokens) if token.section == "question"]
    names = [index for index in question if run.tokens[index].text.strip() in (thing.colour, thing.shape)]
    return (names or question)[-1]
