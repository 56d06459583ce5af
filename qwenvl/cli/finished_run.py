"""Turns a question on the command line into a finished run, for `ask`, `trace` and `compare`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qwenvl.cli.arguments import whole
from qwenvl.cli.output import Progress
from qwenvl.inference.pipeline import Stream
from qwenvl.inference.run import Run
from qwenvl.loading.load import load
from qwenvl.processing.files.picture_files import is_picture
from qwenvl.recorded.kept_layers import Keep

DEFAULT_MODEL = "tiny-qwen2-vl"
DTYPES = ("auto", "bfloat16", "float32", "float16")


def add_question(parser: argparse.ArgumentParser) -> None:
    """The words of a question and what it is about."""
    parser.add_argument("question", help="what to ask, in quotation marks")
    parser.add_argument("--about", nargs="+", default=[], metavar="FILE", help="pictures and clips, in order")
    parser.add_argument("--system", default="", help="system prompt; the model's own if left out")
    parser.add_argument(
        "--max-new-tokens", type=whole, default=64, metavar="N", help="length of an answer at most (64)"
    )
    parser.add_argument("--temperature", type=float, default=0.0, metavar="T", help="0 takes the likeliest token (0)")
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="of the random choices (0)")
    parser.add_argument("--min-pixels", type=whole, metavar="N", help="Qwen2-VL: a smaller picture is enlarged to this")
    parser.add_argument("--max-pixels", type=whole, metavar="N", help="Qwen2-VL: a larger picture is shrunk to this")
    parser.add_argument("--fps", type=float, metavar="N", help="frames of a clip to take a second")
    parser.add_argument("--nframes", type=whole, metavar="N", help="frames of a clip to take in all")
    parser.add_argument("--device", default="auto", help="cuda, mps, cpu, or the best there is (auto)")
    parser.add_argument("--dtype", default="auto", choices=DTYPES, help="of the weights; what suits the device (auto)")


def messages_of(asked: argparse.Namespace) -> list[dict[str, Any]]:
    """The conversation: pictures as such, other files as clips."""
    content = [part_of(path, asked) for path in asked.about]
    system = [{"role": "system", "content": legible(asked.system)}] if asked.system.strip() else []
    return [*system, {"role": "user", "content": [*content, {"type": "text", "text": legible(asked.question)}]}]


def legible(text: str) -> str:
    """An argument of the command line, bytes of it that are no UTF-8 as U+FFFD."""
    return os.fsencode(text).decode("utf-8", "replace")


def part_of(path: str, asked: argparse.Namespace) -> dict[str, Any]:
    """A file as a part of a message."""
    if not os.path.isfile(path) or is_picture(Path(path)):
        return {"type": "image", "image": path}
    frames = {name: getattr(asked, name) for name in ("fps", "nframes") if getattr(asked, name) is not None}
    return {"type": "video", "video": path, **frames}


def answer(
    asked: argparse.Namespace,
    model: str,
    progress: Progress,
    told: Callable[[str], Any] = lambda piece: None,
    *,
    keep: Keep = "all",
    most: int | None = None,
) -> Stream:
    """Ask one model; `told` hears the answer piece by piece. Interrupted, the model stops too.

    Args:
        keep: what its run will keep, see `qwenvl.recorded.kept_layers.Keep`.
        most: bytes that it may keep; None for the library's own limit.
    """
    progress.say(f"loading {model}")
    pipeline = load(model, device=asked.device, dtype=asked.dtype, tell=_downloading(progress, model))
    for note in pipeline.notes:
        progress.say(note)
    pipeline.max_trace_bytes = pipeline.max_trace_bytes if most is None else most
    stream = pipeline.stream(
        messages_of(asked),
        min_pixels=asked.min_pixels,
        max_pixels=asked.max_pixels,
        progress=progress.steps(),
        keep=keep,
        **{name: getattr(asked, name) for name in ("max_new_tokens", "temperature", "seed")},
    )
    try:
        for piece in stream:
            progress.end()
            told(piece)
    finally:
        stream.stop()
        progress.end()
    return stream


def look_inside(stream: Stream, progress: Progress) -> Run:
    """The run of a finished answer."""
    progress.say("replaying the answer, traced")
    try:
        return stream.run
    finally:
        progress.end()


def _downloading(progress: Progress, model: str) -> Callable[[int, int], None]:
    def tell(here: int, whole: int) -> None:
        progress.say(f"downloading {model}, {here / 2**30:.2f} of {whole / 2**30:.2f} GiB", often=True)

    return tell


def names_of(runs: Sequence[Run]) -> list[str]:
    """Names to tell runs by: the models', with a number where one is asked twice."""
    given = [run.card.name for run in runs]
    return [f"{name} ({at})" if given.count(name) > 1 else name for at, name in enumerate(given, 1)]
