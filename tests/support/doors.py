"""What the mutation corpora knock at: each reads one broken thing as a user would."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import qwenvl
from qwenvl.analysis.position_rules import RULES, overlaps, positions_by_rule
from qwenvl.inference.pipeline import Pipeline
from qwenvl.inference.report import run_report
from qwenvl.loading.hub import CHECKPOINTS
from qwenvl.plan import plan_table


def ask_folder(folder: Path) -> None:
    """Load a folder, and ask it; plan for it too."""
    errors = []
    for door in (_asked, _planned):
        try:
            door(folder)
        except qwenvl.UserError as error:
            errors.append(error)
    if errors:
        raise errors[0]


def _asked(folder: Path) -> None:
    pipeline = qwenvl.load(folder, dtype="float32", device="cpu")
    pipeline.run([{"role": "user", "content": "What is this?"}], max_new_tokens=2)


def _planned(folder: Path) -> None:
    qwenvl.plan((224, 224), folder, text="What is this?")


def open_run(path: Path) -> None:
    """Open a run file and look at everything in it that the page looks at first."""
    run = qwenvl.Run.load(path)
    for site in run.sites:
        for layer in range(run.num_layers(site)):
            run.attention(site, query=0, layer=None if site == "adapter" else layer)
    for index, media in enumerate(run.media):
        media.patch_box(0)
        run.image_map(query=run.answer_start, layer=0, media=index)
    run_report(run, words=True)
    for rule in RULES:
        overlaps(run, positions_by_rule(run, rule))


@cache
def _model(name: str) -> Pipeline:
    return qwenvl.load(CHECKPOINTS / name, dtype="float32", device="cpu")


def see_media(path: Path) -> None:
    """Plan for a file, and bring it before both models as a picture and as a clip."""
    errors = []
    for kind in ("image", "video"):
        for name in ("tiny-qwen-vl", "tiny-qwen2-vl"):
            part = {"type": kind, kind: str(path)}
            try:
                _model(name).processor([{"role": "user", "content": [part, {"type": "text", "text": "?"}]}])
            except qwenvl.UserError as error:
                errors.append(error)
    plan_table([path], ["tiny-qwen2-vl"])
    if len(errors) == 4:
        raise errors[0]
