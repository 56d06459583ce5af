"""Trains a twin, from scenes to a checkpoint's folder (`python -m qwenvl.tiny train FAMILY --out FOLDER`).

One step: a pack of lessons, the twin's own modules on it, the loss of its answers' tokens, and three helpers that only
training knows: heads that name what lies on a visual token, heads that tell its box, and a loss that shows the first
head of two language blocks where a question's subject lies (so a map that points is taught, not found).

What was measured on the runs whose checkpoints ship (CPU, float32, one core and one seed each, 98 processor minutes;
on fresh scenes, see their cards; below, Qwen-VL / Qwen2-VL, teacher-forced in training):

- Naming comes first. Of the tokens on shapes the tower names .28 / .47 rightly after 2 minutes, .84 / .83 after 5,
  .89 / .89 after 13, when the first questions are asked. Questions about shape: .70 / .70 after 17 minutes, .93 /
  .92 after 37, .98 / .97 at the end; about colour: .58 / .74, .91 / .93, .98 / .99.
- Heads that begin as looks at neighbours must stay so. In an earlier Qwen-VL, Muon at .02 let the residual stream
  grow from 1 to 45 and wash out the table of positions: every head ended up looking everywhere, and naming of shapes
  stood at .31 after 8 minutes. `hold_places`, a lower rate and a bound on the weights cured it.
- Relations stood at .42 / .28 while they were one question in twenty, and went to .75 / .70 in fifteen minutes as
  one in eight.
- Counting and boxes rise to the very end, with the learning rate: boxes with an IoU above .5 on 40 fresh scenes were
  .10 / .10 after 37 minutes, and .97 / .91 of 150 at the end.
- CUDA has not been tried.

What was measured since, going on from those two with small things, print, pairs and fitted clips in the mix (23 / 21
more minutes, the rates not yet fallen, no checkpoint of it ships; greedy on 60 fresh scenes a row; in brackets the
checkpoints that it began with):

- Qwen2-VL: small things .85 (.58), which picture .97 (.52), region .73 (.60), glyph .23 (.05), number .17 (.08),
  caption .42 (.42), direction .93 (.98), change .40 (.60), order .47 (.50); count .75 (.88), relation .75 (.98),
  grounding .32 (.95).
- Qwen-VL: small things .08 (.08), which picture .97 (.48), region .67 (.62), glyph .22 (.03), number .23 (.05); count
  .67 (.95), relation .73 (1.0), grounding .17 (1.0), caption .33 (.75).
- What high rates break (boxes, counts, relations) came, in the earlier runs, only with the fall of the rates.
- Which picture stood at chance until a helper told each visual token's picture; Qwen-VL's went to .9 within three
  minutes of that helper's loss falling under .02.
- Print of 24 to 52 pixels: the first character of a label is named on .46 of Qwen2-VL's tokens after 6 minutes, on .74
  after 21. With print of 12 to 48 pixels from minute 12 it fell back to .42: print stays large at first.
- Linear layers in bfloat16 cut forward and backward from .60 to .48 s (Qwen2-VL) and from .49 to .40 s a step.
"""

from __future__ import annotations

import json
import signal
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from qwenvl.loading.load import build, load_model, pick_device
from qwenvl.models.qwen_vl import QwenVL
from qwenvl.processing.processor import from_folder
from qwenvl.processing.text.tokenizers import Tokenizer
from qwenvl.published_files.published_config import from_published
from qwenvl.tiny.beginnings import begin_qwen2_vl, begin_qwen_vl, draw_weights, hold_places
from qwenvl.tiny.curriculum import Shelf, TrainingPlan, Weights, crowds, menu_at, plan_for, weights_at
from qwenvl.tiny.lessons import Teacher
from qwenvl.tiny.losses import Helpers, Report, Twin, loss_of
from qwenvl.tiny.optimiser import Muon, multiply_in_half
from qwenvl.tiny.publish import draw_curve, twin_config, write_card, write_checkpoint, write_words
from qwenvl.tiny.vocabulary import RANKS


@torch.no_grad()
def move_words(model: Twin, old: Tokenizer, new: Tokenizer) -> None:
    """Give each token of a vocabulary the embedding it had in another; a new one begins as its parts did.

    A new token reads as the mean of its parts, and is said where its first part was said.
    """
    known = {old.piece(id_): id_ for id_ in range(RANKS)}
    parts = []
    for piece in (new.piece(id_) for id_ in range(RANKS)):
        text = piece.decode(errors="ignore")
        is_whole = text.encode() == piece
        single = [known[bytes([byte])] for byte in piece]
        parts.append([known[piece]] if piece in known else old.encode(text) if is_whole else single)
    embed, head = model.language.embed.weight, model.language.head
    embed[:RANKS] = torch.stack([embed[part].mean(dim=0) for part in parts])
    if head is not None:
        head.weight[:RANKS] = head.weight[[part[0] for part in parts]]


HIDDEN = tuple(f"adapter.{part}.weight" for part in ("qkv", "out", "up", "down", "widen"))
WARM_UP = 60  # steps
FALL = 0.4  # share of the time in which learning rates fall to nothing, at the end
TELL_EVERY = 25  # steps
SAVE_EVERY = 120  # seconds


class Tally:
    """Reports of some steps, summed up into one row of the log."""

    def __init__(self) -> None:
        self.sums: defaultdict[str, float] = defaultdict(float)
        self.counts: defaultdict[str, int] = defaultdict(int)

    def add(self, report: Report) -> None:
        """One step."""
        for name, value in [*report.figures.items(), *report.answers]:
            self.sums[name] += value
            self.counts[name] += 1

    def row(self) -> dict[str, float]:
        """The mean of each loss, and of each task the share of questions that were answered."""
        return {name: round(total / self.counts[name], 3) for name, total in self.sums.items()}


class Training:
    """A twin being trained, and everything that it takes to go on after a kill.

    Args:
        out: the folder of the checkpoint; beside it lies `<out>.training.pt`, from which `resume` goes on.
        start: a checkpoint's folder whose weights to begin with; the optimisers are fresh.
    """

    def __init__(self, plan: TrainingPlan, out: Path, *, start: Path | None = None, device: str = "cpu") -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.out, self.device = plan, out, torch.device(device)
        self.begun = _begun_after(start) if start is not None else {}
        self.config = from_published(twin_config(plan.family))
        write_words(plan.family, out)
        self.rng = np.random.default_rng(plan.seed)
        self.shelf = Shelf(Teacher(from_folder(out, self.config)), self.rng)
        self.model = self._begin(start).to(self.device)
        if self.device.type == "cpu":
            multiply_in_half(self.model)
        self.helpers = Helpers(self.config.language.dim).to(self.device)
        self.step, self.seconds, self.stopped = 0, 0.0, False
        self.history: list[dict[str, float]] = []
        self._set_optimisers()

    def _begin(self, start: Path | None) -> Twin:
        if start is not None:
            model = load_model(start, dtype=torch.float32, device="cpu").train().requires_grad_(True)
            move_words(model, from_folder(start, self.config).tokenizer, self.shelf.teacher.tokenizer)
            return model
        model = build(self.config)
        draw_weights(model)
        menu = crowds(self.plan.family)
        menu = replace(menu, kinds={kind: share for kind, share in menu.kinds.items() if kind != "clip"})
        sample = Shelf(self.shelf.teacher, np.random.default_rng(self.plan.seed)).fill(menu, self.plan.seeing_budget)
        begin = begin_qwen_vl if isinstance(model, QwenVL) else begin_qwen2_vl
        begin(model, sample.pixels)  # type: ignore[arg-type]
        return model

    def _set_optimisers(self) -> None:
        hidden: list[nn.Parameter] = []
        filters: list[nn.Parameter] = []
        rest = list(self.helpers.parameters())
        for name, parameter in self.model.named_parameters():
            if name == "adapter.positions":
                parameter.requires_grad_(False)  # a code, not learnt
            elif (parameter.dim() == 2 and ".blocks." in name) or name in HIDDEN:
                hidden.append(parameter)
            else:
                (filters if "patch_embed" in name else rest).append(parameter)
        groups: list[dict[str, Any]] = [
            {"params": rest},
            {"params": filters, "lr": self.plan.adam / 10},
        ]  # filters begin where they are good
        self.optimisers = [
            Muon(hidden, lr=self.plan.muon, weight_decay=self.plan.decay),
            torch.optim.AdamW(groups, lr=self.plan.adam, betas=(0.9, 0.98), weight_decay=0.0),
        ]
        self.rates = [[group["lr"] for group in optimiser.param_groups] for optimiser in self.optimisers]

    @property
    def share(self) -> float:
        """How much of its time has passed, 0 to 1."""
        return min(1.0, self.seconds / 60 / self.plan.minutes)

    def run(self) -> None:
        """Train to the end. Told to stop (`stop`, which the command ties to SIGTERM), it saves and returns."""
        saved, tally = time.monotonic(), Tally()
        while self.share < 1 and not self.stopped:
            started = time.process_time()
            tally.add(self.advance())
            self.seconds += (
                time.process_time() - started
            )  # of one core: on a busy machine training takes longer, not less
            if self.step % TELL_EVERY == 0:
                self._tell(tally.row())
                tally = Tally()
            if time.monotonic() - saved > SAVE_EVERY:
                self.save()
                saved = time.monotonic()
        self.save()

    def stop(self) -> None:
        """End after the step that is going on."""
        self.stopped = True

    def advance(self) -> Report:
        """One step."""
        if self.plan.is_asking(self.step, self.share):
            menu, budget, weights = menu_at(self.plan, self.share), self.plan.budget, weights_at(self.plan, self.share)
        else:
            menu = crowds(self.plan.family, self.plan.later(self.share))
            budget, weights = self.plan.seeing_budget, Weights(0.0, 1.0, 0.0)
        batch = self.shelf.fill(menu, budget).to(self.device)
        self.model.vision.requires_grad_(not self.plan.is_eye_fixed(self.share))
        with torch.autocast("cuda", torch.bfloat16, enabled=self.device.type == "cuda"):
            loss, report = loss_of(self.model, self.helpers, batch, weights)
        self._set_rates()
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in self.model.parameters() if p.grad is not None], 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        if isinstance(self.model, QwenVL):
            hold_places(self.model)
        self.step += 1
        return report

    def _set_rates(self) -> None:
        """A short rise, a long level, a straight fall: a training goes on best from what was saved before the fall."""
        factor = min(1.0, (self.step + 1) / WARM_UP, (1 - self.share) / FALL)
        for optimiser, rates in zip(self.optimisers, self.rates, strict=True):
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * factor

    def _tell(self, row: Mapping[str, float]) -> None:
        self.history.append({"step": self.step, "minutes": round(self.seconds / 60, 2), **row})
        print(json.dumps(self.history[-1]), flush=True)

    @property
    def state_file(self) -> Path:
        return self.out.with_name(f"{self.out.name}.training.pt")

    def save(self) -> None:
        """Everything but the shelf, which fills anew, into one file, replaced in one move."""
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
        state = torch.load(self.state_file, weights_only=True, map_location=self.device)
        self.model.load_state_dict(state["model"])
        self.helpers.load_state_dict(state["helpers"])
        for optimiser, held in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(held)
        self.rng.bit_generator.state = state["rng"]
        self.step, self.seconds, self.history = state["step"], state["seconds"], state["history"]
        return True

    def publish(self) -> None:
        """Write the checkpoint, its curve and its card."""
        about = {"seed": self.plan.seed, "steps": self.step, "minutes": round(self.seconds / 60, 1), **self.begun}
        write_checkpoint(self.model, self.plan.family, self.out, about)
        draw_curve(self.history, self.out / "curve.png")
        write_card(self.out)


def _begun_after(start: Path) -> dict[str, float]:
    """The processor minutes that a checkpoint had been trained for, all beginnings included."""
    about = json.loads((start / "config.json").read_text(encoding="utf-8"))["qwenvl"]
    return {"begun_after": round(about["minutes"] + about.get("begun_after", 0.0), 1)}


def train(
    family: str,
    out: Path,
    *,
    minutes: float,
    seed: int = 0,
    start: Path | None = None,
    photos: Sequence[str] = (),
    device: str = "auto",
) -> None:
    """Train a twin and write its checkpoint into `out`; goes on where an earlier call was stopped.

    Args:
        family: "qwen-vl" or "qwen2-vl".
        minutes: of processor time, over which the learning rates fall to nothing.
        start: a checkpoint's folder to begin with, with fresh optimisers and no time for seeing alone.
        photos: picture files, crops of which lie behind some of the scenes.
        device: "auto", "cpu" or "cuda"; bfloat16 on CUDA.
    """
    plan = plan_for(family, minutes=minutes, seed=seed, photos=tuple(photos), is_begun=start is not None)
    training = Training(plan, out, start=start, device=str(pick_device(device)))
    training.resume()
    signal.signal(signal.SIGTERM, lambda number, frame: training.stop())
    training.run()
    training.publish()
