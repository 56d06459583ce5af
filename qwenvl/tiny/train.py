"""Training of a twin, from scenes to a checkpoint's folder: `python -m qwenvl.tiny train FAMILY --out FOLDER`.

One step: a pack of lessons, the twin's own modules on it, the loss of its answers' tokens, and three helpers that only
training knows: heads that name what lies on a visual token, boxes, and rows of attention that are shown their subject.
"""

from __future__ import annotations

import json
import math
import signal
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qwenvl.config import from_published
from qwenvl.load import build, load_model, pick_device
from qwenvl.processing.processor import from_folder
from qwenvl.qwen2_vl import Qwen2VL
from qwenvl.qwen_vl import QwenVL
from qwenvl.rope import rope_1d, rope_multimodal, rotate
from qwenvl.tiny.beginnings import begin_qwen2_vl, begin_qwen_vl, draw_weights, hold_places
from qwenvl.tiny.clips import random_clip
from qwenvl.tiny.lessons import CLASSES, Lesson, Pack, Segment, Teacher, pack, random_sheet
from qwenvl.tiny.optimiser import Muon
from qwenvl.tiny.publish import draw_curve, twin_config, write_card, write_checkpoint, write_words
from qwenvl.tiny.questions import CLIP_TASKS, SCENE_TASKS, Question, ask_pictures
from qwenvl.tiny.scenes import random_scene

Twin = QwenVL | Qwen2VL

LOOKS_AT = {"name": 1, "answer": 2}  # the block whose first head is shown where a question's subject lies
PLACES_AFTER = 1  # the block after which visual tokens tell their owner's box


class Helpers(nn.Module):
    """Heads that training needs and the checkpoint does not hold."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.seen = nn.ModuleDict({name: nn.Linear(dim, count) for name, count in CLASSES.items()})
        self.edges = nn.Linear(dim, 4)  # from visual tokens as the language model gets them
        self.places = nn.Linear(dim, 4)  # from visual tokens inside the language model


# --- the twin on a pack ---


def see(model: Twin, batch: Pack) -> Tensor:
    """Visual tokens (visual tokens, dim) of all media in a pack."""
    if isinstance(model, QwenVL):
        return model.adapter(model.vision(batch.pixels)).flatten(0, 1)
    return model.adapter(model.vision(batch.pixels, batch.grids))


@dataclass
class Reading:
    """What comes out of the language model: hidden states, inner ones, and the loss of rows that look elsewhere."""

    hidden: Tensor
    inner: Tensor
    look_loss: Tensor


def read(model: Twin, batch: Pack, visual: Tensor) -> Reading:
    """The language model on a pack: linear layers on all tokens at once, attention lesson by lesson."""
    language, config = model.language, model.config.language
    x = language.embed(batch.ids)
    x = x.masked_scatter(batch.visual[:, None], visual[batch.kept])
    if isinstance(model, QwenVL):
        rotation = rope_1d(batch.positions[0], config.head_dim, config.rope_theta)
    else:
        rotation = rope_multimodal(batch.positions[:, None], config.head_dim, config.rope_theta, config.rope_sections)
        rotation = (rotation[0][0], rotation[1][0])
    inner, look_losses = x, []
    lengths = [segment.end - segment.start for segment in batch.segments]
    places = [batch.visual[segment.start : segment.tails_start].nonzero()[:, 0] for segment in batch.segments]
    for index, block in enumerate(language.blocks):
        q, k, v = (part.split(lengths, dim=1) for part in heads_of(block, block.norm1(x), rotation))
        mixed = [attend_segment(*parts) for parts in zip(q, k, v, batch.segments, strict=True)]
        for parts in zip(q, k, batch.segments, places, batch.looks, strict=True):
            look_losses += look_loss(*parts, kinds=[kind for kind, at in LOOKS_AT.items() if at == index])
        mixed = torch.cat(mixed)
        x = x + block.out(mixed)
        x = x + block.mlp(block.norm2(x))
        if index == PLACES_AFTER:
            inner = x
    loss = torch.cat(look_losses).mean() if look_losses else x.new_zeros(())
    return Reading(language.norm(x), inner, loss)


def heads_of(block: nn.Module, x: Tensor, rotation: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values (heads, tokens, head_dim), turned by their positions."""
    if hasattr(block, "qkv"):
        q, k, v = block.qkv(x).unflatten(-1, (3, block.num_heads, -1)).permute(1, 2, 0, 3)
    else:
        q, k, v = (
            part(x).unflatten(-1, (-1, block.head_dim)).transpose(0, 1)
            for part in (block.query, block.key, block.value)
        )
    return rotate(q, *rotation), rotate(k, *rotation), v


def attend_segment(q: Tensor, k: Tensor, v: Tensor, segment: Segment) -> Tensor:
    """Attention within one lesson: its prefix causally, then its tails by what they see. (tokens, heads * head_dim)."""
    lengths = [segment.tails_start - segment.start, segment.end - segment.tails_start]
    if q.shape[0] != k.shape[0]:
        k, v = (part.repeat_interleave(q.shape[0] // k.shape[0], dim=0) for part in (k, v))
    prefix, tails = q[None].split(lengths, dim=2)
    first_k, first_v = (part[None, :, : lengths[0]] for part in (k, v))
    first = F.scaled_dot_product_attention(prefix, first_k, first_v, is_causal=True)
    rest = F.scaled_dot_product_attention(tails, k[None], v[None], attn_mask=segment.sees)
    return torch.cat((first, rest), dim=2)[0].transpose(0, 1).flatten(1)


def look_loss(
    q: Tensor,
    k: Tensor,
    segment: Segment,
    places: Tensor,
    looks: Sequence[tuple[str, int, Tensor]],
    kinds: Sequence[str],
) -> list[Tensor]:
    """-log of the share of the first head's rows that falls on their subjects; (rows,). `places` are visual tokens."""
    looks = [look for look in looks if look[0] in kinds]
    if not looks:
        return []
    rows = torch.tensor([row for _, row, _ in looks])
    scores = q[0, rows] @ k[0].T * q.shape[-1] ** -0.5
    scores = scores.masked_fill(~segment.sees[rows - (segment.tails_start - segment.start)], -math.inf)
    subjects = torch.stack([subject for _, _, subject in looks])
    on_subject = scores[:, places].masked_fill(~subjects, -math.inf).logsumexp(dim=1)
    return [scores.logsumexp(dim=1) - on_subject]


# --- losses ---


@dataclass(frozen=True)
class Weights:
    """How much the helpers count beside the answers."""

    answers: float
    seen: float
    looks: float


def seen_loss(helpers: Helpers, visual: Tensor, batch: Pack) -> tuple[Tensor, dict[str, float]]:
    """Loss of naming what lies on each visual token; tokens with nothing on them count a fifth."""
    losses, shares = [], {}
    owned = batch.labels["shape"] > 0
    for name, head in helpers.seen.items():
        scores, label = head(visual), batch.labels[name]
        weight = torch.full((scores.shape[1],), 1.0)
        weight[0] = 0.2
        relevant = owned if name == "word" else torch.ones_like(owned)
        if bool(relevant.any()):
            losses.append(F.cross_entropy(scores[relevant], label[relevant], weight=weight))
        named = label > 0
        if bool(named.any()):
            shares[f"see {name}"] = float((scores.argmax(dim=1) == label)[named].float().mean())
    return torch.stack(losses).sum(), shares


def box_loss(head: nn.Linear, visual: Tensor, owned: Tensor, boxes: Tensor) -> Tensor:
    """Mean distance of the edges that tokens tell from those of what lies on them, in shares of the picture."""
    if not bool(owned.any()):
        return visual.new_zeros(())
    return 5 * (head(visual[owned]) + 0.5 - boxes[owned]).abs().mean()


def loss_of(model: Twin, helpers: Helpers, batch: Pack, weights: Weights) -> tuple[Tensor, dict[str, float]]:
    """The loss of a pack, and what to print about it."""
    visual = see(model, batch)
    named, report = seen_loss(helpers, visual, batch)
    owned = batch.labels["shape"] > 0
    edges = box_loss(helpers.edges, visual, owned, batch.boxes)
    total = weights.seen * (named + edges)
    report |= {"seen": named.item(), "edges": edges.item()}
    if weights.answers:
        reading = read(model, batch, visual)
        scores = model.language.logits(reading.hidden[batch.rows])
        answers = F.cross_entropy(scores, batch.targets)
        places = box_loss(helpers.places, reading.inner[batch.visual], owned[batch.kept], batch.boxes[batch.kept])
        total = total + weights.answers * answers + weights.seen * places + weights.looks * reading.look_loss
        report |= {"answers": answers.item(), "looks": reading.look_loss.item(), "places": places.item()}
        right = scores.argmax(dim=1) == batch.targets
        for task, start, end in batch.questions:
            report.setdefault(f"n {task}", 0)
            report[f"n {task}"] += 1
            report[f"ok {task}"] = report.get(f"ok {task}", 0) + float(right[start:end].all())
    return total, report


# --- lessons without end ---


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
        sides = (84, max(100, min(168, menu.sides[1])))
        clip = random_clip(rng, sides=sides)
        return teacher.clip(clip, choose_questions(CLIP_TASKS, {"direction": 1, "change": 1, "order": 1}, clip, rng, 6))
    if lot < menu.clips + menu.pairs:
        scenes = [random_scene(rng, things=(1, 3), sides=menu.sides) for _ in range(2)]
        asked = [ask_pictures(scenes, rng, chinese=0.1) for _ in range(4)]
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
        question = tasks[str(name)](subject, rng, "zh" if rng.random() < 0.1 else "en")
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
        if len(lessons) >= 20 and self.rng.random() < (self.again if menu.questions else 0.0):
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


# --- the run ---


@dataclass(frozen=True)
class Plan:
    """A training: how long, how much a step, and the menus by share of the time."""

    family: str
    minutes: float
    seed: int
    budget: int
    seeing_budget: int
    seeing: float  # share of the time in which only the vision tower and the adapter learn
    crowds: int = 3  # of four steps, how many ask questions once the first share is over
    muon: float = 0.02
    adam: float = 2e-3
    decay: float = 0.01


def menu_at(plan: Plan, share: float) -> tuple[Menu, Weights]:
    """What is taught after a share of the time: first to see, in crowds; then to answer, easy questions first."""
    first = plan.family == "qwen-vl"
    clips = 0.0 if first else 0.15
    if share < plan.seeing:
        crowd = Menu({}, 0, (3, 6), (200, 260) if first else (100, 170), printed=0.6, clips=clips, pairs=0.0)
        return replace(crowd, sheets=0.75, cell=(26, 60) if first else (26, 64)), Weights(0.0, 1.0, 0.0)
    later = (share - plan.seeing) / (1 - plan.seeing)
    weights = Weights(1.0, max(0.6, 1.0 - later), max(0.0, 0.6 - 0.8 * later))
    tasks = {"colour": 2.0, "shape": 3.0, "existence": 1.5, "count": 1.5, "grounding": 0.5, "relation": 0.4}
    menu = Menu(tasks, 16, (1, 4), (112, 224), printed=0.0, clips=clips, pairs=0.0)
    if later > 0.4:
        tasks = tasks | {"region": 0.2, "caption": 0.3, "furthest": 0.2, "reading": 0.4}
        clips = 0.0 if first else 0.2
        menu = replace(menu, tasks=tasks, sides=(112, 280), printed=0.15, clips=clips, pairs=0.02)
    return (replace(menu, ground=0.15) if first and later < 0.7 else menu), weights


class Training:
    """A twin being trained, and everything that it takes to go on after a kill.

    `out` is the folder of the checkpoint; beside it lies `<out>.training.pt`, from which `resume` goes on.
    """

    def __init__(self, plan: Plan, out: Path, *, start: Path | None = None, device: str = "cpu") -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.out, self.device = plan, out, torch.device(device)
        self.config = from_published(twin_config(plan.family))
        write_words(plan.family, out)
        self.teacher = Teacher(from_folder(out, self.config))
        self.model, self.helpers = build(self.config), Helpers(self.config.language.dim)
        self.rng = np.random.default_rng(plan.seed)
        self.shelf = Shelf(self.teacher, self.rng)
        self.step, self.seconds = 0, 0.0
        self.history: list[dict[str, float]] = []
        self._begin(start)
        self.model.to(self.device)
        self.helpers.to(self.device)
        self._set_optimisers()

    def _begin(self, start: Path | None) -> None:
        draw_weights(self.model)
        if start is not None:
            self.model.load_state_dict(load_model(start, dtype=torch.float32, device="cpu").state_dict())
            return
        menu, _ = menu_at(self.plan, 0.0)
        sample = Shelf(self.teacher, np.random.default_rng(1)).fill(replace(menu, clips=0.0, pairs=0.0), 4000)
        begin = begin_qwen_vl if isinstance(self.model, QwenVL) else begin_qwen2_vl
        begin(self.model, sample.pixels)  # type: ignore[arg-type]

    def _set_optimisers(self) -> None:
        hidden, filters, rest = [], [], []
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                matrix = (parameter.dim() == 2 and ".blocks." in name) or name in HIDDEN
                (hidden if matrix else filters if "patch_embed" in name else rest).append(parameter)
        rest += list(self.helpers.parameters())
        groups = [{"params": rest}, {"params": filters, "lr": self.plan.adam / 10}]  # filters begin where they are good
        self.optimisers = [
            Muon(hidden, lr=self.plan.muon, weight_decay=self.plan.decay),
            torch.optim.AdamW(groups, lr=self.plan.adam, betas=(0.9, 0.98), weight_decay=0.0),
        ]
        self.rates = [[group["lr"] for group in optimiser.param_groups] for optimiser in self.optimisers]

    @property
    def share(self) -> float:
        return min(1.0, self.seconds / 60 / self.plan.minutes)

    def run(self, until: float = math.inf) -> None:
        """Train to the end, or for `until` seconds. Asked to end by the system, it saves first."""
        stopped: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
        saved = began = self.began = time.time()
        report: dict[str, float] = defaultdict(float)
        while self.share < 1 and time.time() - began < until and not stopped:
            start = time.process_time()
            self._add(report, self.advance())
            self.seconds += time.process_time() - start  # of one core: a busy machine trains longer, not less
            if self.step % 25 == 0:
                self._tell(report)
                report = defaultdict(float)
            if time.time() - saved > 120:
                self.save()
                saved = time.time()
        self.save()

    def advance(self) -> dict[str, float]:
        """One step; what to print about it."""
        menu, weights = menu_at(self.plan, self.share)
        budget = self.plan.budget if weights.answers else self.plan.seeing_budget
        if weights.answers and self.step % 4 >= self.plan.crowds:  # eyes go on learning from crowds
            menu, weights, budget = menu_at(self.plan, 0.0)[0], Weights(0.0, weights.seen, 0.0), self.plan.seeing_budget
        batch = self.shelf.fill(menu, budget).to(self.device)
        with torch.autocast("cuda", torch.bfloat16, enabled=self.device.type == "cuda"):
            loss, report = loss_of(self.model, self.helpers, batch, weights)
        factor = min(1.0, (self.step + 1) / 60) * 0.5 * (1 + math.cos(math.pi * self.share)) + 0.01
        for optimiser, rates in zip(self.optimisers, self.rates, strict=True):
            optimiser.zero_grad(set_to_none=True)
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * factor
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in self.model.parameters() if p.grad is not None], 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        if isinstance(self.model, QwenVL):
            hold_places(self.model)
        self.step += 1
        return report | {"loss": loss.item(), "lessons": len(batch.segments)}

    def _add(self, report: dict[str, float], new: Mapping[str, float]) -> None:
        for name, value in new.items():
            report[name] += value
            report[f"# {name}"] += 1

    def _tell(self, report: Mapping[str, float]) -> None:
        row: dict[str, float] = {
            "step": self.step,
            "minutes": round(self.seconds / 60, 2),
            "wall": round((time.time() - self.began) / 60, 2),
        }
        for name, value in report.items():
            if name.startswith("ok "):
                row[name[3:]] = round(value / report[f"n {name[3:]}"], 3)
            elif name == "lessons":
                row[name] = value
            elif not name.startswith(("#", "n ")):
                row[name] = round(value / report[f"# {name}"], 3)
        self.history.append(row)
        print(json.dumps(row), flush=True)

    @property
    def state_file(self) -> Path:
        return self.out.with_name(f"{self.out.name}.training.pt")

    def save(self) -> None:
        """Everything, into one file, replaced in one move."""
        state = {
            "model": self.model.state_dict(),
            "helpers": self.helpers.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "rng": self.rng.bit_generator.state,
            "step": self.step,
            "seconds": self.seconds,
            "history": self.history,
        }
        unfinished = self.state_file.with_suffix(".tmp")
        torch.save(state, unfinished)
        unfinished.replace(self.state_file)

    def resume(self) -> bool:
        """Go on from what was saved, if anything was."""
        if not self.state_file.exists():
            return False
        state = torch.load(self.state_file, weights_only=False, map_location=self.device)
        self.model.load_state_dict(state["model"])
        self.helpers.load_state_dict(state["helpers"])
        for optimiser, held in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(held)
        self.rng.bit_generator.state = state["rng"]
        self.step, self.seconds, self.history = state["step"], state["seconds"], state["history"]
        return True

    def publish(self) -> None:
        """Write the checkpoint, its curve and its card."""
        about = {"seed": self.plan.seed, "steps": self.step, "minutes": round(self.seconds / 60, 1)}
        write_checkpoint(self.model, self.plan.family, self.out, about)
        draw_curve(self.history, self.out / "curve.png")
        write_card(self.out)


def train(
    family: str,
    out: Path,
    *,
    minutes: float,
    seed: int = 0,
    start: Path | None = None,
    device: str = "auto",
) -> None:
    """Train a twin and write its checkpoint into `out`; goes on where an earlier call was stopped.

    Args:
        family: "qwen-vl" or "qwen2-vl".
        minutes: of processor time, over which the learning rates fall to nothing.
        start: a checkpoint's folder to begin with, with fresh optimisers and no time for seeing alone.
        device: "auto", "cpu" or "cuda"; bfloat16 on CUDA.
    """
    seeing = 0.0 if start is not None else 0.2
    plan = Plan(family, minutes, seed, **BUDGETS[family], seeing=seeing)
    training = Training(plan, out, start=start, device=str(pick_device(device)))
    training.resume()
    training.run()
    if training.share >= 1:
        training.publish()


BUDGETS = {
    "qwen-vl": {"budget": 3600, "seeing_budget": 2200},
    "qwen2-vl": {"budget": 2800, "seeing_budget": 900},
}

HIDDEN = (
    "adapter.qkv.weight",
    "adapter.out.weight",
    "adapter.up.weight",
    "adapter.down.weight",
    "adapter.widen.weight",
)
