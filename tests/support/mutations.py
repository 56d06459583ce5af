"""Makes broken files of whole ones, the same in every run: values of JSON changed, bytes cut, flipped or filled."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 10**9, 10**18, -(10**18), 1.5, 1e308, "", "x", "3", "\udce9", "../../etc/passwd"),
    *([], [1], [[]], [None], {}, {"a": 1}, "x" * 70_000, list(range(5000))),
)


def places_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value; of long lists the first alone."""
    yield path
    if isinstance(value, dict):
        for name, inner in list(value.items())[:400]:
            yield from places_of(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value[:3]):
            yield from places_of(inner, (*path, index))


def changed(content: Any, draw: random.Random) -> Any:
    """One or two places with another value, without it, or with a stranger beside it."""
    content = copy.deepcopy(content)
    for _ in range(draw.choice((1, 1, 2))):
        *parents, last = draw.choice([path for path in places_of(content) if path] or [()]) or ("",)
        parent = content
        for step in parents:
            parent = parent[step]
        if isinstance(parent, dict | list) and (not isinstance(parent, list) or len(parent) > (last or 0)):
            _change(parent, last, draw)
    return content


def _change(parent: Any, last: Any, draw: random.Random) -> None:
    how = draw.random()
    if how < 0.15:
        del parent[last]
    elif how < 0.25 and isinstance(parent, dict):
        parent[draw.choice(["strange", f"{last}_", "__class__", "layers"])] = copy.deepcopy(draw.choice(VALUES))
    else:
        parent[last] = copy.deepcopy(draw.choice(VALUES))


def damaged(content: bytes, draw: random.Random) -> bytes:
    """Cut short, bytes flipped, a stretch filled, doubled or taken out, or something else altogether."""
    if not content:
        return b"x"
    start, length = draw.randrange(len(content)), draw.randint(1, max(1, len(content) // 3))
    ways = (
        lambda: content[:start],
        lambda: flipped(content, draw),
        lambda: content[:start] + bytes(length) + content[start + length :],
        lambda: content[:start] + draw.randbytes(min(length, 5000)) + content[start + length :],
        lambda: content[:start] + content[start + length :],
        lambda: content[:start] + content[max(0, start - length) : start] + content[start:],
        lambda: draw.choice((b"", b"\0" * 100, b"{", b"[" * 60_000, b"<html>404</html>", draw.randbytes(300))),
        lambda: content + draw.randbytes(50),
    )
    return draw.choice(ways)()


def flipped(content: bytes, draw: random.Random) -> bytes:
    """A few bytes changed, most of them near the beginning, where headers are."""
    held = bytearray(content)
    for _ in range(draw.randint(1, 12)):
        end = len(held) if draw.random() < 0.4 else min(len(held), 200)
        held[draw.randrange(end)] = draw.randrange(256)
    return bytes(held)


def as_json(content: Any) -> bytes:
    """A JSON value as a file may hold it; half of a pair of surrogates as an escape."""
    return json.dumps(content).encode()
