"""Reads and checks the conversation as the user gives it: who says what, in which parts.

Knows no token and opens no picture. A message is `{"role": "system" | "user" | "assistant", "content": str or parts}`;
a part is one of::

    {"type": "text", "text": "What is this?"}
    {"type": "image", "image": path, file:// or data: URL, bytes, PIL image, or array (height, width, 3 or 4) of uint8}
    {"type": "video", "video": path of a clip, "fps" or "nframes": how many frames to take, "preset": whose rules}
    {"type": "video", "video": list of frames (each as a picture), "fps": frames a second, if known}
    {"type": "ref", "text": "the dog"}          # names a thing, in the model's own notation
    {"type": "box", "box": [x1, y1, x2, y2]}    # whole thousandths of the picture's width and height, 0..999

A picture, and a list of frames, may also say "min_pixels", "max_pixels", or "resized_height" and "resized_width" (see
`size_request.SizeRequest`); a clip's file those, "min_frames", "max_frames", "total_pixels", "video_start", "video_end"
and "pictures" (see `sampling.VideoOptions`), all as qwen-vl-utils counts them. A key that is none of these is refused.
`ref` and `box` parts are the only way to write their tags: in text they are plain words.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from qwenvl.errors import MediaError, PromptError, shown

Messages = Sequence[Mapping[str, Any]]

ROLES = ("system", "user", "assistant")
_VALUE_OF = {"text": "text", "image": "image", "video": "video", "ref": "text", "box": "box"}
_SIZE = ("min_pixels", "max_pixels", "resized_height", "resized_width")
_RATE = ("fps", "sample_fps", "raw_fps")
_FRAMES = ("nframes", "min_frames", "max_frames", "total_pixels", "video_start", "video_end", "preset", "pictures")
KEYS = {
    "text": ("type", "text"),
    "ref": ("type", "text"),
    "box": ("type", "box"),
    "image": ("type", "image", "image_url", *_SIZE, "number"),
    "video": ("type", "video", *_SIZE, *_RATE, *_FRAMES, "number"),
}
"""The keys that a part of each kind may have; `number` is that of a shortened conversation."""
ONLY_OF_FILES = _FRAMES
ONLY_OF_LISTS = ("sample_fps", "raw_fps")


@dataclass(frozen=True)
class Part:
    """One part of a message: its kind ("text", "image", "video", "ref", "box"), its value, and what else was given."""

    kind: str
    value: Any
    given: Mapping[str, Any]


@dataclass(frozen=True)
class Message:
    """One turn of one speaker; `is_text`: it was given as a text, and not as a list of parts."""

    role: str
    parts: tuple[Part, ...]
    is_text: bool = False


def read_messages(messages: Messages) -> tuple[Message, ...]:
    """Check a conversation and bring it to one form.

    Raises:
        PromptError: nothing is asked, or a role, part or order is none this knows; the sentence says which.
    """
    if isinstance(messages, str | Mapping) or not isinstance(messages, Sequence):
        raise PromptError('A conversation is a list of messages like {"role": "user", "content": "What is this?"}.')
    read = tuple(map(_read_message, messages))
    if not any(message.role == "user" for message in read):
        raise PromptError("The conversation has no question; add a user's message.")
    if sum(message.role == "system" for message in read) > 1:
        raise PromptError("The conversation has two system prompts; join them into one.")
    if any(message.role == "system" for message in read[1:]):
        raise PromptError("The system prompt comes first; move it to the beginning of the conversation.")
    if read[-1].role != "user":
        raise PromptError("The conversation ends with an answer; end it with the user's question.")
    if not _asks(read[-1]):
        raise PromptError("The question is empty; write what you want to know.")
    return read


def _read_message(message: Mapping[str, Any]) -> Message:
    role = message.get("role") if isinstance(message, Mapping) else None
    if role not in ROLES:
        raise PromptError(f"A message's role is 'system', 'user' or 'assistant', not {shown(role)}.")
    _check_keys("A message", message, ("role", "content"))
    content = message.get("content")
    if isinstance(content, str):
        return Message(role, (Part("text", content, {"type": "text", "text": content}),), is_text=True)
    if isinstance(content, Mapping) or not isinstance(content, Sequence):
        raise PromptError(f"The content of a message is text or a list of parts, not {type(content).__name__}.")
    return Message(role, tuple(map(read_part, content)))


def read_part(part: Mapping[str, Any]) -> Part:
    """Check one part of a message, and bring it to one form.

    Raises:
        PromptError: as `read_messages`.
    """
    part = _spelled_out(part)
    kind = part.get("type") if isinstance(part, Mapping) else None
    if not isinstance(kind, str) or kind not in _VALUE_OF:
        raise PromptError(f"A part's type is 'text', 'image', 'video', 'ref' or 'box', not {shown(kind)}.")
    check_part_keys(part)
    value = part.get(_VALUE_OF[kind])
    if value is None:
        raise PromptError(f"A part of type {shown(kind)} needs {_VALUE_OF[kind]!r}; add it or leave the part out.")
    if kind in ("text", "ref") and not isinstance(value, str):
        raise PromptError(f"The text of a {kind} part is a string, not {type(value).__name__}.")
    if kind == "box":
        _check_box(value)
    return Part(kind, value, part)


def _spelled_out(part: Any) -> Any:
    """A picture given as an `image_url`, a text or {"url": text}, as one given as an `image`."""
    if not isinstance(part, Mapping) or part.get("type") not in ("image", "image_url") or "image_url" not in part:
        return part
    url = part["image_url"]
    url = url.get("url") if isinstance(url, Mapping) else url
    rest = {name: value for name, value in part.items() if name != "image_url"}
    return {**rest, "type": "image", "image": part.get("image") if url is None else url}


def check_part_keys(part: Mapping[str, Any]) -> None:
    """Refuse a key that a part of its kind does not have.

    Raises:
        PromptError: it names the key and the nearest one there is.
        MediaError: a key of a clip's file with a list of frames, or the other way round.
    """
    kind = part["type"]
    known = KEYS[kind]
    if kind == "video" and not isinstance(part.get("video"), str | os.PathLike):
        stray = next((name for name in ONLY_OF_FILES if part.get(name) is not None), None)
        if stray is not None and isinstance(part.get("video"), list | tuple):
            raise MediaError(f"A list of frames is taken whole; leave {stray} out, or give the clip's file.")
    elif kind == "video" and (stray := next((name for name in ONLY_OF_LISTS if part.get(name) is not None), None)):
        raise MediaError(f"{stray} tells the rate of a list of frames; of a clip's file fps says how many to take.")
    _check_keys(f"A part of type {shown(kind)}", part, known)


def _check_keys(what: str, given: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            near = get_close_matches(str(name), known, n=1, cutoff=0.5)
            way = f"if {near[0]!r} is meant, write that" if near else f"it may have {', '.join(map(repr, known))}"
            raise PromptError(f"{what} has no key {str(name)[:60]!r}; {way}.")


def _check_box(box: Any) -> None:
    sound = isinstance(box, Sequence) and len(box) == 4 and all(type(edge) is int and 0 <= edge < 1000 for edge in box)
    if not sound or box[0] > box[2] or box[1] > box[3]:
        raise PromptError(
            "A box is [left, top, right, bottom], whole thousandths from 0 to 999 of the picture's sides, not "
            f"{shown(box)}."
        )


def _asks(message: Message) -> bool:
    """Whether there is something to answer: words, or media without any text part at all."""
    texts = [part.value for part in message.parts if part.kind in ("text", "ref")]
    if texts or not message.parts:
        return any(text.strip() for text in texts)
    return True
