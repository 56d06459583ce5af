"""Implements `compare`: one question to two models, and one report."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from qwenvl.cli import app_bridge
from qwenvl.cli.arguments import HELP
from qwenvl.cli.cost_check import look_ahead
from qwenvl.cli.finished_run import add_question, answer, look_inside, messages_of, names_of
from qwenvl.cli.output import Progress, as_json, check_destination, whole_file, write_text
from qwenvl.inference.report import compare_report
from qwenvl.inference.run import Run
from qwenvl.plan import percent

MODELS = ["tiny-qwen-vl", "tiny-qwen2-vl"]


def add(commands: Any) -> None:
    """Its arguments."""
    parser = commands.add_parser(
        "compare",
        help=HELP["compare"],
        description="Ask two models the same question about the same files, and report both: as words, JSON, the "
        "answers' maps for print, or one HTML page to look around in.",
    )
    add_question(parser)
    parser.add_argument("--of", nargs=2, default=MODELS, metavar="MODEL", help=f"two models ({' '.join(MODELS)})")
    parser.add_argument("--into", metavar="FILE", help="its suffix says what: .html, .svg, .pdf, .json or words")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.set_defaults(act=act)


def act(asked: argparse.Namespace) -> None:
    """Ask both, one after the other, and report."""
    progress = Progress(asked.quiet)
    check_destination(asked.into)
    look_ahead(asked, asked.of, messages_of(asked), progress)
    runs = [look_inside(answer(asked, model, progress), progress) for model in asked.of]
    suffix = Path(asked.into).suffix.lower() if asked.into else ""
    report = compare_report(asked.question, dict(zip(names_of(runs), runs, strict=True)))
    if suffix in app_bridge.SUFFIXES:
        _draw(runs, asked.into, suffix)
        print(as_json(report) if asked.json else in_words(report))
        return
    write_text(as_json(report) if asked.json or suffix == ".json" else in_words(report), asked.into)


def _draw(runs: list[Run], into: str, suffix: str) -> None:
    content = app_bridge.draw(runs, suffix, view="answer", choice={})
    with whole_file(into) as path:
        path.write_bytes(content)


def in_words(report: dict[str, Any]) -> str:
    """Both models, line by line."""
    lines = [report["question"]]
    for name, told in report["models"].items():
        lines += ["", f"{name}: {told['answer']}", f"  {_cost(told)}"]
        lines += [
            f"  {word['text'].strip() or word['text']!r:<16}{percent(word['share']):>8} of its row on the media, "
            f"probability {percent(word['probable'])}"
            for word in told["words"]
        ]
    return "\n".join(lines)


def _cost(told: dict[str, Any]) -> str:
    return (
        f"{told['patches']:,} patches, {told['visual_tokens']:,} visual tokens, {told['prompt_tokens']:,} in the "
        f"prompt, largest position {told['largest_position']:,}"
    )
