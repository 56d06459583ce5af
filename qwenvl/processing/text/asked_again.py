"""A conversation as a run keeps it: what was asked, so that it can be asked again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from qwenvl.processing.geometry.media import Media
from qwenvl.processing.text.chat import PromptToken
from qwenvl.processing.text.messages import KEYS, Message, Part


def without_unused(tokens: Sequence[PromptToken]) -> tuple[list[PromptToken], list[int]]:
    """Leave out the media of turns that were left out, and count the others anew; returns which those are."""
    used = sorted({token.media for token in tokens if token.media is not None})
    places = {index: place for place, index in enumerate(used)}
    return [token if token.media is None else replace(token, media=places[token.media]) for token in tokens], used


def as_json(messages: Sequence[Message], media: Sequence[Media], dropped: int) -> Iterator[dict[str, Any]]:
    """The messages without those left out, media parts by index.

    Of a shortened conversation they carry their numbers too, so that asked again they are numbered as they were.
    """
    indices = iter(range(len(media)))

    def plain(part: Part) -> dict[str, Any]:
        if part.kind not in ("image", "video"):
            return dict(part.given)
        index = next(indices)
        kind = media[index].kind  # a clip of one frame became a picture
        rest = {name: part.given[name] for name in KEYS[kind][2:] if part.given.get(name) is not None}
        number = {"number": media[index].number} if dropped else {}
        return {"type": kind, kind: index, **rest, **number}

    first = int(messages[0].role == "system")
    for message in (*messages[:first], *messages[first + dropped :]):
        content = message.parts[0].value if message.is_text else list(map(plain, message.parts))
        yield {"role": message.role, "content": content}
