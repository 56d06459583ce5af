"""Reads and checks the conversation as the user gives it: who says what, in which parts.

Knows no token and opens no picture. A message is `{"role": "system" | "user" | "assistant", "content": str or parts}`;
a part is one of::

    {"type": "text", "text": "What is this?"}
    {"type": "image", "image": path or PIL image}
    {"type": "video", "video": path of a clip, "fps" or "nframes": how many frames to take, "preset": whose rules}
    {"type": "video", "video": list of frames (paths or PIL images), "fps": frames a second, if known}
    {"type": "ref", "text": "the dog"}          # names a thing, in the model's own notation
    {"type": "box", "box": [x1, y1, x2, y2]}    # whole thousandths of the picture's width and height, 0..999

A clip's file may also say "min_pixels", "max_pixels", "total_pixels" and "pictures": see `sampling.VideoOptions`.
`ref` and `box` parts are the only way to write their tags: in text they are plain words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qwenvl.errors import PromptError

Messages = Sequence[Mapping[str, Any]]

ROLES = ("system", "user", "assistant")
_VALUE_OF = {"text": "text", "image": "image", "video": "video", "ref": "text", "box": "box"}


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
        raise PromptError(f"A message's role is 'system', 'user' or 'assistant', not {role!r}.")
    content = message.get("content")
    if isinstance(content, str):
        return Message(role, (Part("text", content, {"type": "text", "text": content}),), is_text=True)
    if isinstance(content, Mapping) or not isinstance(content, Sequence):
        raise PromptError(f"The content of a message is text or a list of parts, not {type(content).__name__}.")
    return Message(role, tuple(map(_read_part, content)))


def _read_part(part: Mapping[str, Any]) -> Part:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if kind not in _VALUE_OF:
        raise PromptError(f"A part's type is 'text', 'image', 'video', 'ref' or 'box', not {kind!r}.")
    value = part.get(_VALUE_OF[kind])
    if value is None:
        raise PromptError(f"A part of type {kind!r} needs {_VALUE_OF[kind]!r}; add it or leave the part out.")
    if kind in ("text", "ref") and not isinstance(value, str):
        raise PromptError(f"The text of a {kind} part is a string, not {type(value).__name__}.")
    if kind == "box":
        _check_box(value)
    return Part(kind, value, part)


def _check_box(box: Any) -> None:
    sound = isinstance(box, Sequence) and len(box) == 4 and all(type(edge) is int and 0 <= edge < 1000 for edge in box)
    if not sound or box[0] > box[2] or box[1] > box[3]:
        raise PromptError(
            f"A box is [left, top, right, bottom], whole thousandths from 0 to 999 of the picture's sides, not {box!r}."
        )


def _asks(message: Message) -> bool:
    """Whether there is something to answer: words, or media without any text part at all."""
    texts = [part.value for part in message.parts if part.kind in ("text", "ref")]
    if texts or not message.parts:
        return any(text.strip() for text in texts)
    return True
