"""Renders a chat template in Jinja's sandbox as a program of its own, within bounds of memory and time.

It reads one JSON object on standard input, writes one on standard output, and imports nothing of this library.

A template comes with a checkpoint, so it is somebody else's code: two nested loops or one doubled text would hold up,
or fill, the process that runs it.
"""

from __future__ import annotations

import datetime
import json
import sys
from typing import Any, NoReturn


def main() -> None:
    """Render every conversation given; an error is told as {"error": its kind, "says": its words}."""
    asked = json.load(sys.stdin)
    bound(asked["memory"], asked["seconds"])
    sys.path[:] = asked["path"]
    told: dict[str, Any]
    try:
        told = {"texts": render(asked["template"], asked["conversations"], asked["variables"])}
    except MemoryError:
        told = {"error": "size", "says": ""}
    except RecursionError:
        told = {"error": "template", "says": "it is nested too deep"}
    except Exception as error:  # whatever a template can do wrong; what it says is passed on
        kind = "refused" if isinstance(error, Refused) else "template"
        told = {"error": kind, "says": f"{error}"[:400]}
    if sum(map(len, told.get("texts", []))) > asked["characters"]:
        told = {"error": "size", "says": ""}
    json.dump(told, sys.stdout)


class Refused(Exception):
    """What a template raises itself: it does not take this conversation."""


def bound(memory: int, seconds: int) -> None:
    """Limits of this process, where the system has such."""
    try:
        import resource
    except ImportError:  # Windows: whoever started this ends it in time
        return
    for limit, value in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds)):
        try:
            resource.setrlimit(limit, (value, value))
        except (ValueError, OSError):
            continue


def render(template: str, conversations: list[Any], variables: dict[str, Any]) -> list[str]:
    """The texts of some conversations, with the functions and filters that transformers gives a template."""
    from jinja2 import nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """The mark around what an assistant says, which is for training: its content stands as it is."""

        tags = {"generation"}  # noqa: RUF012 - as Jinja declares it

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.ScopedEvalContextModifier(body, lineno=line, options=[])

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, Generation]
    )
    environment.filters["tojson"] = as_json
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = lambda form: datetime.datetime.now().strftime(form)
    compiled = environment.from_string(template)
    return [compiled.render(messages=messages, **variables) for messages in conversations]


def as_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, **more: Any) -> str:
    """JSON that escapes no sign of HTML, as transformers writes it."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, **more)


def refuse(words: str) -> NoReturn:
    """What templates call `raise_exception`."""
    raise Refused(words)


if __name__ == "__main__":
    main()
