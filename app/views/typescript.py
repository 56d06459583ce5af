"""Writes the types of all answers to the page as TypeScript: `python -m app.views.typescript`.

The Python types are the one source; `tests/app/views/test_typescript.py` holds the file to them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from app.asking.messages import AskingMessage, RunsMessage
from app.asking.pictures import Picture
from app.asking.posted import Choice
from app.costs.planner_answers import ConvertedPlaces, Crop, PlannedFile, PlannerPage, PlannerTable
from app.views import QUESTIONS
from app.views.figures import Figure
from app.views.payload import RunPayload
from qwenvl.errors import Sentence

FILE = Path(__file__).parents[1] / "static" / "core" / "payload.d.ts"
HEAD = """\
// The server's answers to the page, by the name of the question. Written by `python -m app.views.typescript` from the
// Python types in app/views: change them there.

export type Choice = number | "mean";

/** Plain, or with gaps: its English template and what fills them. `said` of i18n.js puts it into words. */
export type Sentence = string | { template: string; values: Record<string, Sentence | number | boolean | null> };
"""
PLAIN = {
    int: "number",
    float: "number",
    str: "string",
    bool: "boolean",
    NoneType: "null",
    object: "unknown",
    Sentence: "Sentence",
}

# What the page asks besides the views' questions.
OTHERS: dict[str, Any] = {
    "run": RunPayload,
    "example": dict[str, str],
    "figure": Figure,
    "planner_plan": PlannerPage,
    "planner_crop": Crop,
    "planner_picture": Picture,
    "planner_table": PlannerTable,
    "planner_convert": ConvertedPlaces,
}

# What comes to the page otherwise than as an answer.
ALSO: tuple[type, ...] = (PlannedFile, RunsMessage, AskingMessage)


def text() -> str:
    """The whole file."""
    answers = OTHERS | {name: _returned(question) for name, question in QUESTIONS.items()}
    found: dict[str, type] = {}
    for hint in [*answers.values(), *ALSO]:
        for one in _named(hint):
            if found.setdefault(one.__name__, one) is not one:
                raise TypeError(f"Two types of the page's answers are called {one.__name__}: rename one.")
    interfaces = [_interface(one.__name__, _first_line(one), _fields(one)) for one in found.values()]
    table = {name: (hint, False) for name, hint in answers.items()}
    last = _interface("Answers", "The answer to each question that the page asks, by the question's name.", table)
    return "\n".join([HEAD, *interfaces, last])


def _returned(question: Callable[..., Any]) -> Any:
    return get_type_hints(question)["return"]


def _is_named(hint: Any) -> bool:
    return is_typeddict(hint) or (isinstance(hint, type) and dataclasses.is_dataclass(hint))


def _named(hint: Any) -> Iterator[type]:
    """Every TypedDict and dataclass within a type, those it is made of first."""
    for inner in get_args(hint):
        yield from _named(inner)
    if _is_named(hint):
        for field, _ in _fields(hint).values():
            yield from _named(field)
        yield hint


def _fields(one: type) -> dict[str, tuple[Any, bool]]:
    """The type of each field, and whether it may be absent; of a dataclass those that `wire.plain` sends."""
    hints = get_type_hints(one, include_extras=True)
    if dataclasses.is_dataclass(one):
        hints = {field.name: hints[field.name] for field in dataclasses.fields(one)}
    return {
        name: (get_args(hint)[0], True) if get_origin(hint) is NotRequired else (hint, False)
        for name, hint in hints.items()
    }


def _interface(name: str, about: str, fields: Mapping[str, tuple[Any, bool]]) -> str:
    lines = [f"  {field}{'?' if optional else ''}: {_written(hint)};" for field, (hint, optional) in fields.items()]
    return "\n".join([f"/** {about} */", f"export interface {name} {{", *lines, "}", ""])


def _first_line(one: type) -> str:
    return (one.__doc__ or one.__name__).strip().splitlines()[0]


def _written(hint: Any) -> str:
    if hint == Choice:
        return "Choice"
    if hint in PLAIN:
        return PLAIN[hint]
    if _is_named(hint):
        return hint.__name__
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " | ".join(json.dumps(value) for value in inner)
    if origin in (Union, UnionType):
        return " | ".join(_written(one) for one in inner)
    if origin in (list, tuple):
        return _listed(inner)
    if origin in (dict, Mapping):
        return f"Record<string, {_written(inner[1])}>"
    raise TypeError(f"{hint} is no type that the page can be sent: give its shape.")


def _listed(inner: tuple[Any, ...]) -> str:
    kinds = list(dict.fromkeys(_written(one) for one in inner if one is not Ellipsis))
    one = " | ".join(kinds)
    return f"({one})[]" if " | " in one else f"{one}[]"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
