"""Implements `plan`: what files would cost, without weights."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import Any

from qwenvl.cli.arguments import HELP, whole
from qwenvl.cli.output import as_json, check_destination, write_text
from qwenvl.errors import UserError
from qwenvl.plan import PUBLISHED, Plan, Table, files_of, in_bytes, name_of, percent, plan, plan_table, plan_toolchains
from qwenvl.plan.toolchains import Outcome
from qwenvl.plan.units import in_operations, in_size

SETTINGS = ("min_pixels", "max_pixels", "fps", "nframes", "text_tokens", "answer_tokens")
WORDS = ("text", "text_tokens")


def add(commands: Any) -> None:
    """Its arguments."""
    parser = commands.add_parser(
        "plan",
        help=HELP["plan"],
        description="Sizes, grids, tokens, positions, memory and operations of pictures and clips for published "
        "models or folders, without weights; each file by itself, or all in one question.",
    )
    parser.add_argument("files", nargs="+", help="pictures, clips, folders of them, or sizes such as 3840x2160")
    parser.add_argument("--of", nargs="+", default=list(PUBLISHED), metavar="MODEL", help="presets or folders")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--together", action="store_true", help="all files in one question, with the arithmetic")
    how.add_argument("--toolchains", action="store_true", help="what the defaults of each common tool would do")
    for name, words in (
        ("min-pixels", "Qwen2-VL: a smaller picture is enlarged to this"),
        ("max-pixels", "Qwen2-VL: a larger picture is shrunk to this"),
        ("nframes", "frames of a clip to take in all"),
        ("answer-tokens", "tokens of the answer to make room for"),
        ("text-tokens", "tokens of the question"),
    ):
        parser.add_argument(f"--{name}", type=whole, metavar="N", help=words)
    parser.add_argument("--fps", type=float, metavar="N", help="frames of a clip to take a second")
    parser.add_argument("--text", default="", help="the question; counted where a folder has its tokenizer")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="all figures as JSON")
    form.add_argument("--csv", action="store_true", help="one row per file and model as CSV")
    parser.add_argument("--into", metavar="FILE", help="write to this file instead")
    parser.set_defaults(act=act, wrong=parser.error)


def act(asked: argparse.Namespace) -> None:
    """Plan, and say it."""
    files = [_source(file) for file in asked.files]
    settings = {name: getattr(asked, name) for name in SETTINGS if getattr(asked, name) is not None}
    settings |= {"text": asked.text} if asked.text else {}
    _check(asked, settings)
    if asked.toolchains:
        write_text(_toolchains(files, asked, settings), asked.into)
    elif asked.together:
        plans = [plan(_every(files), model, **settings) for model in asked.of]
        told = as_json([one.to_json() for one in plans]) if asked.json else "\n\n".join(map(_in_full, plans))
        write_text(told, asked.into)
    else:
        table = plan_table(files, asked.of, **settings)
        write_text(table.to_csv() if asked.csv else str(table) if asked.json else _in_lines(table), asked.into)
        _tell_errors(table)


def _check(asked: argparse.Namespace, settings: dict[str, Any]) -> None:
    """What does not go together, before anything is opened."""
    if asked.csv and (asked.together or asked.toolchains):
        asked.wrong("--csv is one row per file and model: leave out --together and --toolchains")
    if asked.toolchains and (set_too := [name for name in settings if name not in WORDS]):
        options = ", ".join(f"--{name.replace('_', '-')}" for name in set_too)
        asked.wrong(f"--toolchains shows what defaults do: leave out {options}")
    check_destination(asked.into)


def _tell_errors(table: Table) -> None:
    """Raises `UserError` where some file has no figures, so that a script does not take the table for whole."""
    errors = {(row["file"], row["error"]) for row in table.rows if row["error"]}
    if not errors:
        return
    first = next(row["error"] for row in table.rows if row["error"])
    files = len({file for file, _ in errors})
    raise UserError(first if files == 1 else f"{files} files cannot be planned, the first because: {first}")


def _every(sources: list[Any]) -> list[Any]:
    return [file for source in sources for file in files_of(source)]


def _source(file: str) -> Any:
    """A size such as 3840x2160 or 640x360x48 frames where there is no file of that name."""
    sides = file.lower().replace("×", "x").split("x")
    if not os.path.exists(file) and len(sides) in (2, 3) and all(side.isdigit() for side in sides):
        return tuple(int(side) for side in sides)
    return file


def _in_full(one: Plan) -> str:
    lines = [one.sentence, "", *(f"  {label:<22}{value}" for label, value in one.steps)]
    return "\n".join([*lines, "", *(f"  {said}" for said in (*one.limits, *one.notes, *one.suggestions))])


HEAD = ("model", "resized to", "patches", "tokens", "prompt", "positions", "context", "KV cache", "operations", "limit")


def _in_lines(table: Table) -> str:
    lines: list[str] = []
    for file in dict.fromkeys(row["file"] for row in table.rows):
        rows = [row for row in table.rows if row["file"] == file]
        size = next((in_size((row["width"], row["height"])) for row in rows if not row["error"]), "")
        head = file if file.startswith(size) else f"{file}  {size}"
        lines += ["" if lines else None, head, *_columns(rows)]  # type: ignore[list-item]
        lines += [f"  {row['model'] or file}: {row['error']}" for row in rows if row["error"]]
    return "\n".join(line for line in lines if line is not None)


def _columns(rows: list[dict[str, Any]]) -> list[str]:
    cells = [HEAD, *(_cells(row) for row in rows if not row["error"])]
    if len(cells) == 1:
        return []
    widths = [max(len(line[at]) for line in cells) for at in range(len(HEAD))]
    return ["  " + _aligned(line, widths) for line in cells]


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    """The first and the last column to the left, numbers to the right."""
    texts = [text.rjust(width) for text, width in zip(line, widths, strict=True)]
    return "  ".join([line[0].ljust(widths[0]), *texts[1:-1], line[-1]])


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    operations = sum(row[f"flops_{part}"] for part in ("vision", "adapter", "language"))
    return (
        row["model"],
        in_size((row["resized_width"], row["resized_height"])),
        *(f"{row[name]:,}" for name in ("patches", "visual_tokens", "prompt_tokens", "positions")),
        percent(row["share_of_context"]),
        in_bytes(row["kv_cache_bytes"]),
        in_operations(operations),
        _limit(row),
    )


def _limit(row: dict[str, Any]) -> str:
    """What bit, as the page's Planner says it."""
    if row["share_of_context"] > 1:
        return "longer than the context"
    if row["max_pixels"] is None:
        return f"{in_size((row['resized_width'], row['resized_height']))}, always"
    return row["limit"] or "none"


def _toolchains(sources: list[Any], asked: argparse.Namespace, words: dict[str, Any]) -> str:
    """Each file by itself."""
    models = [name for name in asked.of if name not in ("Qwen-VL", "Qwen-VL-Chat")]
    model = models[0] if models else "Qwen2-VL-7B"
    outcomes = {}
    for place, file in enumerate(_every(sources), 1):
        outcomes[name_of(file, place)] = plan_toolchains(file, model, **words)
    if asked.json:
        return as_json([{"file": name, **one.to_json()} for name, all_ in outcomes.items() for one in all_])
    return "\n\n".join("\n".join([name, *map(_outcome, all_)]) for name, all_ in outcomes.items())


def _outcome(outcome: Outcome) -> str:
    return f"  {outcome.toolchain.says:<44}{outcome.plan.sentence if outcome.plan else outcome.error}"
