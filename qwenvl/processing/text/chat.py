"""Writes a conversation as token ids in both families' chat formats, and says where each token comes from.

Knows tokens, messages and the grids of media; no pixel. Words, roles and line breaks of a format are section "template"
(its built-in system prompt too); a control token is always written here, never found in text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from qwenvl.errors import PromptError
from qwenvl.models.config import Qwen2VLConfig, QwenVLConfig
from qwenvl.processing.geometry.media import Media
from qwenvl.processing.geometry.pictures import Grid
from qwenvl.processing.text.messages import Message, Part
from qwenvl.processing.text.tokenizers import Tokenizer, normalise

Dealt = Iterator[tuple[int, Media]]  # the media of a conversation with their indices, dealt out in order

DEFAULT_SYSTEM = "You are a helpful assistant."


@dataclass(frozen=True)
class PromptToken:
    """One token of a prompt.

    Attributes:
        text: what it spells; U+FFFD where it holds a part of a character only.
        kind: "text", "special", or "image" and "video" for visual tokens.
        media: which media a visual token belongs to, an index into `Prompt.media`; None for others.
        cell: its (t, row, column) on that media's token grid; in Qwen-VL (frame, query // 16, query % 16).
        section: "template", "system", "history", "question", or "image" for visual tokens of either kind.
    """

    id: int
    text: str
    kind: str
    media: int | None
    cell: Grid | None
    section: str


class PromptWriter:
    """Collects a prompt. Text pieces that touch are encoded as one string, as the published tokenizers see them."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._tokens: list[PromptToken] = []
        self._pending: list[tuple[str, str]] = []  # (text, section) not yet encoded

    def text(self, text: str, section: str = "template") -> None:
        """Add plain text."""
        self._pending.append((text, section))

    def special(self, name: str, section: str = "template") -> None:
        """Add a control token by its name."""
        self.cut()
        self._tokens.append(PromptToken(self._tokenizer.special(name), name, "special", None, None, section))

    def visual(self, tokens: Iterable[PromptToken]) -> None:
        """Add visual tokens."""
        self.cut()
        self._tokens += tokens

    def cut(self) -> None:
        """End a stretch of text here: what comes next is encoded apart."""
        joined = normalise("".join(text for text, _ in self._pending))
        ids = self._tokenizer.encode(joined)
        pieces = [self._tokenizer.piece(id_) for id_ in ids]
        sections = self._sections([len(piece) for piece in pieces])
        self._tokens += [
            PromptToken(id_, piece.decode("utf-8", "replace"), "text", None, None, section)
            for id_, piece, section in zip(ids, pieces, sections, strict=True)
        ]
        self._pending = []

    def finish(self) -> list[PromptToken]:
        """All tokens in order."""
        self.cut()
        return self._tokens

    def _sections(self, lengths: Sequence[int]) -> Iterator[str]:
        """The section each token ends in, from its length in bytes."""
        texts = accumulate(text for text, _ in self._pending)
        ends = [
            (len(normalise(text).encode()), section) for text, (_, section) in zip(texts, self._pending, strict=True)
        ]
        for token_end in accumulate(lengths):
            yield next((section for end, section in ends if token_end <= end), ends[-1][1])


def section_of(message: Message, is_question: bool) -> str:
    """The section of what a message says."""
    if message.role == "system":
        return "system"
    return "question" if is_question else "history"


# --- Qwen2-VL ---


@dataclass(frozen=True)
class Qwen2VLChat:
    """Qwen2-VL's chat format (2409.12191, section 2.2.1).

    Attributes:
        raw: a base model's prompt: the content of one user's message and nothing else.
        number_media: write "Picture 1: " before each picture and "Video 1: " before each clip (published as
            `add_vision_id`), counted over the whole conversation.
    """

    tokenizer: Tokenizer
    config: Qwen2VLConfig
    raw: bool = False
    number_media: bool = False

    def write(self, messages: Sequence[Message], media: Sequence[Media]) -> list[PromptToken]:
        """The prompt's tokens; `media` are those of the messages, in order."""
        writer, dealt = PromptWriter(self.tokenizer), iter(enumerate(media))
        if self.raw:
            self._content(writer, _only_message(messages), "question", dealt)
            return writer.finish()
        if messages[0].role != "system":
            self._open(writer, "system")
            writer.text(DEFAULT_SYSTEM)
            self._close(writer)
        for message in messages:
            self._open(writer, message.role)
            self._content(writer, message, section_of(message, message is messages[-1]), dealt)
            self._close(writer)
        self._open(writer, "assistant")
        return writer.finish()

    def _open(self, writer: PromptWriter, role: str) -> None:
        writer.special("<|im_start|>")
        writer.text(f"{role}\n")

    def _close(self, writer: PromptWriter) -> None:
        writer.special("<|im_end|>")
        writer.text("\n")

    def _content(self, writer: PromptWriter, message: Message, section: str, dealt: Dealt) -> None:
        for part in message.parts:
            if part.kind == "text":
                writer.text(part.value, section)
            elif part.kind in ("image", "video"):
                self._media(writer, *next(dealt))
            else:
                name = {"ref": "object_ref", "box": "box"}[part.kind]
                writer.special(f"<|{name}_start|>", section)
                writer.text(inside_tag(part), section)
                writer.special(f"<|{name}_end|>", section)

    def _media(self, writer: PromptWriter, index: int, media: Media) -> None:
        if self.number_media:
            writer.text(f"{'Picture' if media.kind == 'image' else 'Video'} {media.number}: ")
        name, id_ = {
            "image": ("<|image_pad|>", self.config.image_token_id),
            "video": ("<|video_pad|>", self.config.video_token_id),
        }[media.kind]
        writer.special("<|vision_start|>")
        write_places(writer, id_, name, index, media)
        writer.special("<|vision_end|>")


def write_places(writer: PromptWriter, id_: int, name: str, index: int, media: Media) -> None:
    """The placeholders of a media of Qwen2-VL, one each visual token."""
    cells = map(media.token_cell, range(media.num_tokens))
    writer.visual(PromptToken(id_, name, media.kind, index, cell, "image") for cell in cells)


# --- Qwen-VL ---


@dataclass(frozen=True)
class QwenVLChat:
    """Qwen-VL's chat format: ChatML, every picture introduced by a "Picture N: " line.

    A clip is its frames, each a picture. The slots of picture N spell `picture-N` as raw bytes (published: the file's
    path); the adapter's output replaces their embeddings, so what they spell changes no logit.

    Attributes:
        raw: a base model's prompt: the content of one user's message, pictures without the line.
        window: older turns are left out, whole, from where system prompt and later turns would reach this many tokens;
            the question itself is not counted (published as `max_window_size`).
    """

    tokenizer: Tokenizer
    config: QwenVLConfig
    raw: bool = False
    window: int = 6144

    def write(self, messages: Sequence[Message], media: Sequence[Media]) -> tuple[list[PromptToken], int]:
        """The prompt's tokens, and how many of the first messages after the system prompt were left out."""
        dealt = iter(enumerate(media))
        if self.raw:
            writer = PromptWriter(self.tokenizer)
            self._content(writer, _only_message(messages), "question", dealt)
            return writer.finish(), 0
        if messages[0].role != "system":
            given = Part("text", DEFAULT_SYSTEM, {})
            system, messages = self._said(Message("system", (given,)), "template", dealt), messages
        else:
            system, messages = self._said(messages[0], "system", dealt), messages[1:]
        *history, question = [
            self._said(message, section_of(message, message is messages[-1]), dealt) for message in messages
        ]
        turns = list(_turns([message.role for message in messages[:-1]], history))
        kept = self._newest(turns, self.window - len(system))
        dropped = sum(count for count, _ in turns[: len(turns) - kept])
        recent = [token for _, tokens in turns[len(turns) - kept :] for token in tokens]
        return [*system, *recent, *question, *self._opening()], dropped

    def _newest(self, turns: Sequence[tuple[int, list[PromptToken]]], room: int) -> int:
        """How many of the last turns fit."""
        sizes = accumulate(len(tokens) for _, tokens in reversed(turns))
        return sum(size < room for size in sizes)

    def _said(self, message: Message, section: str, dealt: Dealt) -> list[PromptToken]:
        """One message; role and content are encoded apart. All but the system's begin with a line break."""
        writer = PromptWriter(self.tokenizer)
        if message.role != "system":
            writer.text("\n")
        writer.special("<|im_start|>")
        writer.text(f"{message.role}\n")
        writer.cut()
        self._content(writer, message, section, dealt)
        writer.special("<|im_end|>")
        return writer.finish()

    def _opening(self) -> list[PromptToken]:
        """What the answer is written after."""
        writer = PromptWriter(self.tokenizer)
        writer.text("\n")
        writer.special("<|im_start|>")
        writer.text("assistant\n")
        return writer.finish()

    def _content(self, writer: PromptWriter, message: Message, section: str, dealt: Dealt) -> None:
        for part in message.parts:
            if part.kind == "text":
                writer.text(part.value, section)
            elif part.kind in ("image", "video"):
                self._media(writer, *next(dealt))
            else:
                writer.special(f"<{part.kind}>", section)
                writer.text(inside_tag(part), section)
                writer.special(f"</{part.kind}>", section)

    def _media(self, writer: PromptWriter, index: int, media: Media) -> None:
        for frame in range(media.patch_grid[0]):
            if not self.raw:
                writer.text(f"Picture {media.number + frame}: ")
            writer.special("<img>")
            writer.visual(self._slots(index, media, frame, f"picture-{media.number + frame}"))
            writer.special("</img>")
            if not self.raw:
                writer.text("\n")

    def _slots(self, index: int, media: Media, frame: int, name: str) -> Iterator[PromptToken]:
        queries = self.config.adapter.num_queries
        for query in range(queries):
            spelled = name[query : query + 1]
            id_ = ord(spelled) if spelled else self.config.image_pad_id
            cell = media.token_cell(frame * queries + query)
            yield PromptToken(id_, spelled or "<imgpad>", media.kind, index, cell, "image")


# --- both ---


def _only_message(messages: Sequence[Message]) -> Message:
    if len(messages) > 1:
        raise PromptError(
            "A base model has no chat format; give it one user's message, without system prompt or history."
        )
    return messages[0]


def inside_tag(part: Part) -> str:
    """What stands between the tags of a reference or a box."""
    if part.kind == "ref":
        return part.value
    left, top, right, bottom = part.value
    return f"({left},{top}),({right},{bottom})"


def _turns(roles: Sequence[str], messages: Sequence[list[PromptToken]]) -> Iterator[tuple[int, list[PromptToken]]]:
    """Messages gathered into turns: a user's message with what answered it. Yields (messages, tokens) of each."""
    starts = [index for index, role in enumerate(roles) if role == "user" or index == 0]
    for start, end in zip(starts, [*starts[1:], len(roles)], strict=False):
        yield end - start, [token for message in messages[start:end] for token in message]
