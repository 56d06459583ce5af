"""Finds a folder's chat template: a published one, or one rendered by a bounded process of its own.

A template is code of whoever made the checkpoint. It is given words that it cannot take for control tokens: each place
of a user's words that reads like one gets an unseen mark, which is taken out again when the prompt is encoded.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from qwenvl.errors import CheckpointError, PromptError
from qwenvl.published_files.json_files import SMALL, VOCABULARY, read_json_if_there, read_text

SECONDS, MEMORY, CHARACTERS = 3, 512 << 20, 4_000_000
_PROGRAM = Path(__file__).with_name("render_template.py")

# Templates that write what `chat.Qwen2VLChat` writes, held to it by test: the published one of the instructed models
# and that of our tiny twin, by the SHA-256 of their text.
BUILT_IN = frozenset(
    {
        "a0bc6f6fc7a29a80017a433e8f03a1cc1236e838a944a2d034295a60c4f2fddb",
        "cacaadfeb449cdeb8fc07b18f702e63806c3d00caa5f31016648695c4b5d3586",
    }
)


def find_template(folder: Path) -> str:
    """The template of a folder in the order in which transformers looks for it; "" if it has none.

    Raises:
        CheckpointError: a file that cannot be read, or several templates none of which is the default.
    """
    written = folder / "chat_template.jinja"
    if written.exists():
        return read_text(written, limit=SMALL)
    for name, limit in (("chat_template.json", SMALL), ("tokenizer_config.json", VOCABULARY)):
        template = read_json_if_there(folder / name, limit=limit).get("chat_template")
        if isinstance(template, list):
            template = _default_of(name, template)
        if template is not None and not isinstance(template, str):
            raise CheckpointError(f"{name} of {folder.name} says chat_template {template!r}"[:120] + "; it is a text.")
        if template:
            return template
    return ""


def _default_of(file: str, templates: Sequence[Any]) -> str:
    for one in templates:
        if isinstance(one, dict) and one.get("name") == "default" and isinstance(one.get("template"), str):
            return one["template"]
    raise CheckpointError(f"{file} lists chat templates and none named 'default'; name the one to ask by so.")


def is_built_in(template: str) -> bool:
    """Whether a template is known to write the format that is built in; so is none at all."""
    return not template or hashlib.sha256(template.encode()).hexdigest() in BUILT_IN


def is_raw(template: str) -> bool:
    """Whether a template is that of a base model, which writes no roles: one message's content and nothing else."""
    return bool(template) and "role" not in template and "<|im_start|>" not in template


def render(template: str, conversations: Sequence[Any], variables: Mapping[str, Any]) -> list[str]:
    """What a template makes of conversations.

    Raises:
        CheckpointError: the template is broken, takes too long or makes too much.
        PromptError: it refuses the conversation; the sentence has its words.
    """
    return list(_render_once(template, json.dumps(list(conversations)), json.dumps(dict(variables))))


@lru_cache(maxsize=256)
def _render_once(template: str, conversations: str, variables: str) -> tuple[str, ...]:
    """Of the same question asked again, as when a slider moves, the same text."""
    asked = {
        **{"template": template, "conversations": json.loads(conversations), "variables": json.loads(variables)},
        **{"memory": MEMORY, "seconds": SECONDS, "characters": CHARACTERS, "path": sys.path},
    }
    environment = {
        name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "TZ", "LD_LIBRARY_PATH")
    }
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_PROGRAM)],
            input=json.dumps(asked).encode(),
            capture_output=True,
            timeout=8 * SECONDS,  # of the clock, on a busy machine; a loop ends by the time it computes
            env=environment,
            check=False,
        )
        told = json.loads(done.stdout) if done.returncode == 0 else {"error": "time" if done.returncode < 0 else "size"}
    except subprocess.TimeoutExpired:
        told = {"error": "time"}
    except (OSError, ValueError):
        told = {"error": "template", "says": "its program could not be run here"}
    if "error" in told:
        _raise(told["error"], " ".join(str(told.get("says", "")).split()))
    return tuple(told["texts"])


def _raise(kind: str, says: str) -> None:
    if kind == "refused":
        raise PromptError(f"The checkpoint's chat template refuses this conversation: {says}")
    reasons = {
        "time": f"takes longer than {SECONDS} seconds",
        "size": "makes more text or takes more memory than a prompt may",
        "template": f"cannot be rendered ({says})",
    }
    raise CheckpointError(
        f"The chat template of the checkpoint {reasons[kind]}; correct chat_template, or take the base model's."
    )


# --- words that a template cannot take for control ---


@dataclass(frozen=True)
class Marks:
    """Three characters for private use that occur in no text of a conversation: `guard` breaks what reads like a
    control token, `begin` (with a number's character) and `end` enclose a text."""

    guard: str
    begin: str
    end: str

    @classmethod
    def unlike(cls, texts: Iterable[str]) -> Marks:
        """Such as stand in none of these."""
        taken = set("".join(texts))
        free = (chr(code) for code in range(0xE000, 0xF8FF) if chr(code) not in taken)
        try:
            return cls(next(free), next(free), next(free))
        except StopIteration:
            raise PromptError("The conversation holds every character for private use; leave some out.") from None

    def guarded(self, text: str, names: Iterable[str]) -> str:
        """A text in which no name of a control token stands, nor a beginning or an end that others could complete."""
        for name in names:
            text = text.replace(name, f"{name[0]}{self.guard}{name[1:]}")
            for length in range(len(name) - 1, 0, -1):
                if text.endswith(name[:length]):
                    text = f"{text[: len(text) - length + 1]}{self.guard}{text[len(text) - length + 1 :]}"
                if text.startswith(name[-length:]):
                    text = f"{text[: length - 1]}{self.guard}{text[length - 1 :]}"
        return text

    def enclosed(self, text: str, number: int) -> str:
        """A text between its marks."""
        return f"{self.begin}{chr(0xF0000 + number)}{text}{self.end}"

    def within_blanks(self, text: str) -> str:
        """The same with the blanks at both ends of each enclosed text outside of its marks, where a template that
        trims finds them."""
        return re.sub(f"({self.begin}.)(\\s*)(.*?)(\\s*)({self.end})", r"\2\1\3\5\4", text, flags=re.DOTALL)

    def bare(self, text: str) -> str:
        """A text without these marks around it; guards stay."""
        return re.sub(f"{self.begin}.|{self.end}", "", text, flags=re.DOTALL)
