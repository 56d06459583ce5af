"""Writes a conversation as token ids by a folder's own chat template, and says where each token comes from.

What the template writes itself is section "template", its own system prompt too. Control tokens are taken from what it
writes, never from the words that it was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from qwenvl.errors import PromptError
from qwenvl.models.config import Qwen2VLConfig
from qwenvl.processing.geometry.media import Media
from qwenvl.processing.text.chat import PromptToken, PromptWriter, inside_tag, section_of, write_places
from qwenvl.processing.text.chat_template import Marks, render
from qwenvl.processing.text.messages import Message, Part
from qwenvl.processing.text.tokenizers import Tokenizer


@dataclass(frozen=True)
class TemplateChat:
    """Qwen2-VL asked by a template of the folder's own.

    Attributes:
        template: the text of it.
        number_media: what it is given as `add_vision_id`.
    """

    tokenizer: Tokenizer
    config: Qwen2VLConfig
    template: str
    number_media: bool = False

    def write(self, messages: Sequence[Message], media: Sequence[Media]) -> list[PromptToken]:
        """The prompt's tokens; `media` are those of the messages, in order.

        Raises:
            CheckpointError: the template is broken, or out of its bounds.
            PromptError: it refuses the conversation, or writes other places for media than there are.
        """
        said = [part.value for message in messages for part in message.parts if part.kind in ("text", "ref")]
        marks = Marks.unlike([self.template, *said])
        texts = _Texts(marks, tuple(self.tokenizer.specials))
        enclosed = [texts.message(message, section_of(message, message is messages[-1])) for message in messages]
        ways = [_changed(enclosed, change) for change in (marks.bare, str, marks.within_blanks)]
        as_plain, *marked = render(self.template, ways, self._variables())
        told = next((one for one in marked if marks.bare(one) == as_plain), None)
        return self._encoded(texts.found_in(as_plain) if told is None else told, texts, media)

    def _variables(self) -> dict[str, Any]:
        names = {"tools": None, "documents": None, "add_generation_prompt": True, "add_vision_id": self.number_media}
        controls = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
        return names | {name: token for name, token in controls.items() if token in self.tokenizer.specials}

    def _encoded(self, told: str, texts: _Texts, media: Sequence[Media]) -> list[PromptToken]:
        """The tokens of a rendered text whose parts stand between marks."""
        writer, dealt = PromptWriter(self.tokenizer), _Dealt(media)
        controls = re.compile("|".join(map(re.escape, sorted(self.tokenizer.specials, key=len, reverse=True))))
        for stretch, section in texts.stretches(told):
            place = 0
            for control in controls.finditer(stretch):
                writer.text(texts.said(stretch[place : control.start()]), section)
                self._control(writer, control[0], section, dealt)
                place = control.end()
            writer.text(texts.said(stretch[place:]), section)
        dealt.check_all()
        return writer.finish()

    def _control(self, writer: PromptWriter, name: str, section: str, dealt: _Dealt) -> None:
        kind = {self.config.image_token_id: "image", self.config.video_token_id: "video"}.get(
            self.tokenizer.special(name)
        )
        if kind is None:
            writer.special(name, section)
        else:
            write_places(writer, self.tokenizer.special(name), name, *dealt.next(kind))


class _Texts:
    """The texts of a conversation on their way through a template, told by number."""

    def __init__(self, marks: Marks, names: Sequence[str]) -> None:
        self._marks, self._names = marks, names
        self._texts: list[tuple[str, str]] = []  # guarded text, section

    def message(self, message: Message, section: str) -> dict[str, Any]:
        """A message as a template is given it, its texts guarded and enclosed."""
        if message.is_text:
            return {"role": message.role, "content": self._enclosed(message.parts[0].value, section)}
        return {"role": message.role, "content": [self._part(part, section) for part in message.parts]}

    def _part(self, part: Part, section: str) -> dict[str, Any]:
        if part.kind in ("image", "video"):
            return {"type": part.kind, part.kind: part.kind}
        if part.kind == "text":
            return {"type": "text", "text": self._enclosed(part.value, section)}
        name = {"ref": "object_ref", "box": "box"}[part.kind]
        inside = self._enclosed(inside_tag(part), section)
        return {"type": "text", "text": f"<|{name}_start|>{inside}<|{name}_end|>"}

    def _enclosed(self, text: str, section: str) -> str:
        guarded = self._marks.guarded(text, self._names)
        self._texts.append((guarded, section))
        return self._marks.enclosed(guarded, len(self._texts) - 1)

    def found_in(self, plain: str) -> str:
        """A text that was rendered without marks, since the template changes what it is given, with marks around what
        of the given texts is found in it, in order, and outside of control tokens."""
        controls = re.compile("|".join(map(re.escape, self._names)))
        searched = controls.sub(lambda found: "\0" * len(found[0]), plain)
        place, pieces = 0, list[str]()
        for number, (text, _) in enumerate(self._texts):
            core = text.strip()
            start = searched.find(core, place) if core else -1
            if start >= 0:
                pieces += [plain[place:start], self._marks.enclosed(core, number)]
                place = start + len(core)
        return "".join([*pieces, plain[place:]])

    def stretches(self, told: str) -> Iterator[tuple[str, str]]:
        """(text, section), cut where a given text begins and ends."""
        section = "template"
        for stretch in re.split(f"({self._marks.begin}.|{self._marks.end})", told, flags=re.DOTALL):
            if stretch.startswith(self._marks.begin):
                section = self._texts[ord(stretch[1]) - 0xF0000][1]
            elif stretch == self._marks.end:
                section = "template"
            elif stretch:
                yield stretch, section

    def said(self, text: str) -> str:
        """A text as it was given, without the guards."""
        return text.replace(self._marks.guard, "")


class _Dealt:
    """The media of a conversation, pictures and clips each in their order."""

    def __init__(self, media: Sequence[Media]) -> None:
        self._left = {
            kind: [(index, item) for index, item in enumerate(media) if item.kind == kind]
            for kind in ("image", "video")
        }

    def next(self, kind: str) -> tuple[int, Media]:
        """The next of a kind, with its index."""
        if not self._left[kind]:
            raise PromptError(f"The checkpoint's chat template writes more places for {_MANY[kind]} than were given.")
        return self._left[kind].pop(0)

    def check_all(self) -> None:
        """Refuse a template that left some out."""
        for kind, left in self._left.items():
            if left:
                raise PromptError(
                    f"The checkpoint's chat template writes no place for {len(left)} of the {_MANY[kind]}; ask without "
                    "them, or correct the template."
                )


_MANY = {"image": "pictures", "video": "clips"}


def _changed(value: Any, change: Any) -> Any:
    """A value of JSON with all its texts changed."""
    if isinstance(value, dict):
        return {name: _changed(one, change) for name, one in value.items()}
    if isinstance(value, list):
        return list(map(partial(_changed, change=change), value))
    return change(value) if isinstance(value, str) else value
