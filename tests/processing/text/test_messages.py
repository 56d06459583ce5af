"""Conversations that cannot be asked: one sentence each."""

from __future__ import annotations

from typing import Any

import pytest

from qwenvl.errors import PromptError
from qwenvl.processing.text.messages import read_messages

ASK = {"role": "user", "content": "What is this?"}


def user(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


REFUSED: dict[str, tuple[Any, str]] = {
    "nothing": ([], "has no question"),
    "no user": ([{"role": "system", "content": "Be brief."}], "has no question"),
    "one message bare": (ASK, "is a list of messages"),
    "text bare": ("What is this?", "is a list of messages"),
    "no list": (7, "is a list of messages"),
    "two systems": (
        [{"role": "system", "content": "a"}, {"role": "system", "content": "b"}, ASK],
        "two system prompts",
    ),
    "late system": ([ASK, {"role": "system", "content": "a"}, ASK], "comes first"),
    "answer last": ([ASK, {"role": "assistant", "content": "A cat."}], "ends with an answer"),
    "unknown role": ([{"role": "tool", "content": "a"}], "'user' or 'assistant', not 'tool'"),
    "no role": ([{"content": "a"}], "not None"),
    "no message": (["hello"], "not None"),
    "no content": ([{"role": "user"}], "not NoneType"),
    "content is a part": ([{"role": "user", "content": {"type": "text", "text": "a"}}], "not dict"),
    "empty": ([{"role": "user", "content": ""}], "question is empty"),
    "blank": ([{"role": "user", "content": " \n\t　"}], "question is empty"),
    "no parts": (user(), "question is empty"),
    "media and blank": (user({"type": "image", "image": "a.png"}, {"type": "text", "text": " "}), "question is empty"),
    "unknown part": (user({"type": "audio", "audio": "a.wav"}), "not 'audio'"),
    "part without type": (user({"text": "a"}), "not None"),
    "part is text": ([{"role": "user", "content": ["a"]}], "not None"),
    "part without value": (user({"type": "image"}), "needs 'image'"),
    "text is no text": (user({"type": "text", "text": 5}), "is a string, not int"),
    "box of three": (user({"type": "box", "box": [1, 2, 3]}), r"not \[1, 2, 3\]"),
    "box of floats": (user({"type": "box", "box": [0.1, 0.2, 0.3, 0.4]}), "whole thousandths"),
    "box too far": (user({"type": "box", "box": [0, 0, 1000, 5]}), "from 0 to 999"),
    "box reversed": (user({"type": "box", "box": [9, 0, 3, 5]}), "left, top, right, bottom"),
    "box of truth": (user({"type": "box", "box": [True, 0, 3, 5]}), "whole thousandths"),
    "box of text": (user({"type": "box", "box": "1234"}), "whole thousandths"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_asked_is_refused_in_one_sentence(case: str) -> None:
    messages, words = REFUSED[case]
    with pytest.raises(PromptError, match=words) as caught:
        read_messages(messages)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        "hi",
        [{"type": "image", "image": "a.png"}],
        [{"type": "image", "image": "a.png"}, {"type": "ref", "text": "the dog"}],
        [{"type": "text", "text": ""}, {"type": "text", "text": "hi"}],
        [{"type": "box", "box": [0, 0, 999, 999]}, {"type": "text", "text": "what is here?"}],
    ],
)
def test_what_can_be_asked_is_read(content: Any) -> None:
    (message,) = read_messages([{"role": "user", "content": content}])
    assert message.role == "user"
    assert len(message.parts) == (1 if isinstance(content, str) else len(content))


def test_an_empty_turn_of_the_history_does_not_matter() -> None:
    read = read_messages([{"role": "user", "content": ""}, {"role": "assistant", "content": ""}, ASK])
    assert [message.role for message in read] == ["user", "assistant", "user"]
