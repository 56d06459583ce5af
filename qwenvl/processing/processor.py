"""Turns a conversation into what a model reads, and what the model answers into text.

Knows pictures, tokens and both chat formats; no model, no weights. `from_folder` reads a checkpoint's folder.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from qwenvl.errors import CheckpointError, MediaError, PromptError, Sentence
from qwenvl.models.config import Config, Qwen2VLConfig, QwenVLConfig
from qwenvl.processing.files.clips import ClipFile
from qwenvl.processing.files.decoded_clips import read_frames
from qwenvl.processing.files.frame_count import frames_that_fit
from qwenvl.processing.files.opened_media import open_part
from qwenvl.processing.files.progress import Progress
from qwenvl.processing.files.sampled_clips import plan_clip
from qwenvl.processing.geometry.media import Media, Seen, qwen2_vl_media, qwen_vl_media
from qwenvl.processing.geometry.pixel_limits import (
    PUBLISHED_MAX_PIXELS,
    PUBLISHED_MIN_PIXELS,
    holding,
    limits_folder,
    read_pixel_limits,
)
from qwenvl.processing.geometry.reconstruction import received
from qwenvl.processing.geometry.sampling import VideoOptions
from qwenvl.processing.text.answer_text import StreamDecoder, group_words
from qwenvl.processing.text.asked_again import as_json, without_unused
from qwenvl.processing.text.chat import PromptToken, Qwen2VLChat, QwenVLChat
from qwenvl.processing.text.chat_template import find_template, is_built_in, is_raw
from qwenvl.processing.text.grounding import TAGS, Answer, answer_parts
from qwenvl.processing.text.messages import Message, Messages, Part, read_messages
from qwenvl.processing.text.template_chat import TemplateChat
from qwenvl.processing.text.tokenizers import HubTokenizer, TiktokenTokenizer, Tokenizer
from qwenvl.published_files.generation_keys import GENERATION
from qwenvl.published_files.json_files import read_json_if_there
from qwenvl.published_files.keys import check_keys
from qwenvl.summaries import Summary

__all__ = ["Processor", "Prompt", "PromptToken", "Qwen2VLProcessor", "QwenVLProcessor", "StreamDecoder", "from_folder"]


@dataclass(frozen=True, eq=False, repr=False)
class Prompt(Summary):
    """One conversation as a model reads it.

    Attributes:
        tokens: one for each id.
        media: those of the prompt, in the order they were given.
        model_inputs: "input_ids" int64 (1, tokens); and where there are media, for Qwen-VL "images" float32
            (pictures, 3, side, side), for Qwen2-VL "pixel_values" float32 (patches, 1176) with "image_grid_thw" int64
            (images, 3), and "pixel_values_videos" with "video_grid_thw".
        text: the prompt as it reads, the slots of each picture written once.
        messages: the conversation as JSON can hold it: each media part gives its index in `media`. Turns that were
            left out are not in it.
        dropped: how many messages were left out because they lay beyond Qwen-VL's window.
    """

    tokens: tuple[PromptToken, ...]
    media: tuple[Media, ...]
    model_inputs: dict[str, Tensor] = field(repr=False)
    text: str
    messages: tuple[dict[str, Any], ...]
    dropped: int = 0

    @property
    def input_ids(self) -> list[int]:
        return [token.id for token in self.tokens]

    def summary(self) -> list[tuple[str, str]]:
        """Its text, media and counts."""
        visual = sum(token.media is not None for token in self.tokens)
        media = ", ".join(f"{each.kind} {each.size[0]} x {each.size[1]}" for each in self.media)
        tokens = f"{len(self.tokens):,}, {visual:,} of them visual"
        return [("text", self.text), ("tokens", tokens), ("media", media or "none"), ("dropped", str(self.dropped))]


class Processor(ABC):
    """What both families' processors share: from messages to a `Prompt`, from an answer's ids to text and boxes.

    Attributes:
        tokenizer: text to ids and back.
        context: tokens the model is published for; a longer prompt is refused.
        stop_ids: ids that end an answer.
    """

    tokenizer: Tokenizer
    config: Any  # each family's own
    context: int
    stop_ids: frozenset[int]
    _frames_are_pictures: bool  # whether the frames of a clip are counted as pictures
    _shorten: str  # what to do about a prompt that is too long

    def __call__(
        self,
        messages: Messages,
        *,
        min_pixels: int | None = None,
        max_pixels: int | None = None,
        progress: Progress | None = None,
    ) -> Prompt:
        """What the model reads of a conversation.

        Args:
            messages: see `qwenvl.processing.text.messages`.
            min_pixels, max_pixels: Qwen2-VL's limits of height times width of each resized picture or frame; None for
                the checkpoint's. The frames of a clip's file follow their preset, and `max_pixels` can only lower
                theirs. Qwen-VL, whose pictures all have one size, takes no notice of them.
            progress: told of the frames of clips as they are decoded; see `qwenvl.processing.files.progress`.

        Raises:
            PromptError: nothing is asked, the conversation is out of order, or longer than the context.
            MediaError: a picture or clip that cannot be read, or has a size that no model accepts.
        """
        read = read_messages(messages)
        parts = [part for message in read for part in message.parts if part.kind in ("image", "video")]
        media, clips = self._see_all(parts, min_pixels=min_pixels, max_pixels=max_pixels)
        tokens, dropped = self.write(read, media)
        if len(tokens) > self.context:
            way = self._shorten
            if len(clips) == 1:
                ((place, clip),) = clips.items()
                way = self._shorter_clip(read, parts[place].given, media, place, clip, max_pixels)
            raise PromptError(
                Sentence.of(
                    "The prompt has {tokens} tokens and the model reads at most {context}; {advice}.",
                    tokens=f"{len(tokens):,}",
                    context=f"{self.context:,}",
                    advice=way,
                )
            )
        tokens, used = without_unused(tokens)
        # clips are decoded only now that they are known to fit
        kept = [read_frames(clips[index], media[index], progress) if index in clips else media[index] for index in used]
        ids = torch.tensor([[token.id for token in tokens]], dtype=torch.int64)
        return Prompt(
            tokens=tuple(tokens),
            media=tuple(kept),
            model_inputs={"input_ids": ids, **self._pixels(kept)},
            text=self._readable(tokens),
            messages=tuple(as_json(read, kept, dropped)),
            dropped=dropped,
        )

    def _see_all(
        self, parts: Sequence[Part], *, min_pixels: int | None, max_pixels: int | None
    ) -> tuple[list[Media], dict[int, ClipFile]]:
        """Every media of a conversation, named and numbered, and by their index the clips whose frames are to come."""
        media, clips = list[Media](), dict[int, ClipFile]()
        numbers = {"image": 1, "video": 1}
        for part in parts:
            opened = open_part(part, 1 + sum(item.kind == part.kind for item in media))
            kind = "image" if self._frames_are_pictures else opened.kind
            number = part.given.get("number", numbers[kind])  # of a conversation whose first turns were left out
            if isinstance(opened, ClipFile):
                clips[len(media)] = opened
                options = VideoOptions.of(part.given).within(max_pixels)
                item = plan_clip(opened, self.config, options, number=number)
            elif isinstance(opened, Media):
                item = replace(self._as_it_was(opened), number=number)
            else:
                item = self._see(replace(opened, number=number), min_pixels=min_pixels, max_pixels=max_pixels)
            media.append(item)
            numbers[kind] = number + (item.patch_grid[0] if self._frames_are_pictures else 1)
        return media, clips

    def _shorter_clip(
        self,
        read: Sequence[Message],
        given: Mapping[str, Any],
        media: list[Media],
        place: int,
        clip: ClipFile,
        max_pixels: int | None,
    ) -> str:
        """What to say of a prompt with one clip that is too long: how many of its frames fit, tried."""
        name = "pictures" if self._frames_are_pictures else "nframes"

        def fits(options: VideoOptions) -> bool:
            other = plan_clip(clip, self.config, options.within(max_pixels), number=media[place].number)
            return len(self.write(read, [*media[:place], other, *media[place + 1 :]])[0]) <= self.context

        found = frames_that_fit(clip, self.config, VideoOptions.of(given), fits, max_pixels=max_pixels)
        if not found:
            return self._shorten
        return Sentence.of(
            "of {name} take {setting} or fewer", name=clip.name, setting=f"{name}={getattr(found, name)}"
        )

    def _as_it_was(self, media: Media) -> Media:
        """Media of an earlier run of this model."""
        if not media.frames or media.tokens_are_places == self._frames_are_pictures:
            raise MediaError(f"{media.name} was prepared for another model; give its file or its frames.")
        return media

    @abstractmethod
    def _see(self, seen: Seen, *, min_pixels: int | None, max_pixels: int | None) -> Media:
        """Sizes and grids of a media as this model sees it."""

    @abstractmethod
    def write(self, messages: Sequence[Message], media: Sequence[Media]) -> tuple[list[PromptToken], int]:
        """A prompt's tokens, from checked messages and the grids of their media alone.

        Returns:
            The tokens, and how many messages after the system prompt were left out.
        """

    @abstractmethod
    def _pixels(self, media: Sequence[Media]) -> dict[str, Tensor]:
        """The tensors of the media."""

    def _readable(self, tokens: Sequence[PromptToken]) -> str:
        """Text and tags, and of visual tokens what a slot spells or else a media's first placeholder."""
        shown = [
            token.text.encode() if token.kind in ("image", "video") else self.tokenizer.piece(token.id)
            for token in tokens
            if token.kind in ("text", "special") or len(token.text) == 1 or token.cell == (0, 0, 0)
        ]
        return b"".join(shown).decode("utf-8", "replace")

    # --- answers ---

    def token_text(self, id_: int) -> str:
        """What one token spells; U+FFFD where it holds a part of a character only."""
        return self.tokenizer.decode([id_])

    def token_texts(self, ids: Iterable[int]) -> list[str]:
        """`token_text` of each."""
        return [self.token_text(id_) for id_ in ids]

    def answer_piece(self, id_: int) -> bytes:
        """The bytes a token adds to an answer's text: of control tokens, only the tags of boxes and references do."""
        shown = not self.tokenizer.is_special(id_) or self.token_text(id_) in TAGS
        return self.tokenizer.piece(id_) if shown else b""

    def decode_answer(self, ids: Iterable[int]) -> str:
        """An answer's text: stops and other control tokens left out, tags of boxes and references spelled out."""
        return b"".join(map(self.answer_piece, ids)).decode("utf-8", "replace")

    def group_words(self, ids: Iterable[int]) -> list[list[int]]:
        """Indices of consecutive ids that a reader sees as one sign; see `answer_text.group_words`."""
        return group_words(self.tokenizer, ids)

    def answer_parts(self, answer: Answer) -> list[dict[str, Any]]:
        """An answer as parts for the history, boxes and references as such; see `grounding.answer_parts`."""
        return answer_parts(answer, tokenizer=self.tokenizer)

    def _check_vocabulary(self, config: Config, ids: Mapping[str, int]) -> None:
        for name, id_ in ids.items():
            if self.tokenizer.special(name) != id_:
                raise CheckpointError(
                    f"The tokenizer has {name} at {self.tokenizer.special(name)} and config.json at {id_}; "
                    "take both from the same checkpoint."
                )
        if self.tokenizer.vocab_size > config.language.vocab_size:
            raise CheckpointError(
                f"The tokenizer has {self.tokenizer.vocab_size:,} tokens and the model {config.language.vocab_size:,}; "
                "take both from the same checkpoint."
            )


class QwenVLProcessor(Processor):
    """Conversations for Qwen-VL."""

    _frames_are_pictures = True
    _shorten = "ask less, or about fewer pictures; of a clip take fewer with pictures="

    def __init__(
        self,
        tokenizer: Tokenizer,
        config: QwenVLConfig,
        *,
        raw: bool = False,
        window: int = 6144,
        stop_ids: Iterable[int] = (),
    ) -> None:
        """
        Args:
            raw: a base model, which has no chat format.
            window: tokens of history a chat model is shown; see `QwenVLChat`.
            stop_ids: that end an answer besides the three of the format.

        Raises:
            CheckpointError: the tokenizer is not this model's.
        """
        self.tokenizer, self.config, self.context = tokenizer, config, config.language.context
        first = config.image_start_id
        self._check_vocabulary(config, {"<img>": first, "</img>": first + 1, "<imgpad>": first + 2})
        self._chat = QwenVLChat(tokenizer, config, raw=raw, window=window)
        own = map(tokenizer.special, ("<|endoftext|>", "<|im_end|>", "<|im_start|>"))
        self.stop_ids = frozenset(own) | frozenset(stop_ids)

    @classmethod
    def from_folder(cls, folder: str | Path, config: QwenVLConfig, *, base: Path | None = None) -> QwenVLProcessor:
        """Read `qwen.tiktoken`, and the chat format of `generation_config.json`.

        Raises:
            CheckpointError: a file is missing or damaged, or not this model's.
        """
        folder = Path(folder)
        generation_folder = holding(folder, base, "generation_config.json")
        generation = read_json_if_there(generation_folder / "generation_config.json")
        check_keys("generation_config.json", generation, GENERATION)
        return cls(
            TiktokenTokenizer.from_file(holding(folder, base, "qwen.tiktoken") / "qwen.tiktoken"),
            config,
            raw=generation.get("chat_format", "chatml") == "raw",
            window=generation.get("max_window_size", 6144),
            stop_ids=_stop_ids(generation, {}),
        )

    def _see(self, seen: Seen, *, min_pixels: int | None, max_pixels: int | None) -> Media:
        return qwen_vl_media(seen, self.config)

    def write(self, messages: Sequence[Message], media: Sequence[Media]) -> tuple[list[PromptToken], int]:
        return self._chat.write(messages, media)

    def _pixels(self, media: Sequence[Media]) -> dict[str, Tensor]:
        images = [received(item, self.config) for item in media]
        return {"images": torch.cat(images)} if images else {}


class Qwen2VLProcessor(Processor):
    """Conversations for Qwen2-VL."""

    _frames_are_pictures = False
    _shorten = "ask less, or lower max_pixels, or of a clip total_pixels or nframes"

    def __init__(
        self,
        tokenizer: Tokenizer,
        config: Qwen2VLConfig,
        *,
        min_pixels: int = PUBLISHED_MIN_PIXELS,
        max_pixels: int = PUBLISHED_MAX_PIXELS,
        raw: bool = False,
        number_media: bool = False,
        template: str = "",
        stop_ids: Iterable[int] = (),
    ) -> None:
        """
        Args:
            min_pixels, max_pixels: of a resized picture, where a question sets none of its own.
            raw: a base model, which has no chat format.
            number_media: introduce pictures and clips by number; see `Qwen2VLChat`.
            template: a chat template other than the published one; see `TemplateChat`.
            stop_ids: that end an answer; none: the two of the published format.

        Raises:
            CheckpointError: the tokenizer is not this model's.
        """
        self.tokenizer, self.config, self.context = tokenizer, config, config.language.context
        self.min_pixels, self.max_pixels = min_pixels, max_pixels
        ids = {
            "<|vision_start|>": config.vision_start_id,
            "<|vision_end|>": config.vision_end_id,
            "<|image_pad|>": config.image_token_id,
            "<|video_pad|>": config.video_token_id,
        }
        self._check_vocabulary(config, ids)
        self._chat: Qwen2VLChat | TemplateChat = Qwen2VLChat(tokenizer, config, raw=raw, number_media=number_media)
        if template:
            self._chat = TemplateChat(tokenizer, config, template, number_media=number_media)
        self.stop_ids = frozenset(stop_ids) or frozenset(map(tokenizer.special, ("<|endoftext|>", "<|im_end|>")))

    @classmethod
    def from_folder(cls, folder: str | Path, config: Qwen2VLConfig, *, base: Path | None = None) -> Qwen2VLProcessor:
        """Read the tokenizer, the pixel limits (absent: the published ones) and whether there is a chat format.

        Raises:
            CheckpointError: a file is missing or damaged, or not this model's.
        """
        folder = Path(folder)
        min_pixels, max_pixels = read_pixel_limits(limits_folder(folder, base), config)
        template = find_template(folder) or (find_template(base) if base is not None else "")
        generation_folder = holding(folder, base, "generation_config.json")
        generation = read_json_if_there(generation_folder / "generation_config.json")
        check_keys("generation_config.json", generation, GENERATION)
        processor = cls(
            HubTokenizer.from_folder(holding(folder, base, "tokenizer.json", "vocab.json")),
            config,
            min_pixels=min_pixels,
            max_pixels=max_pixels,
            raw=is_raw(template),
            template="" if is_built_in(template) or is_raw(template) else template,
            stop_ids=_stop_ids(generation, read_json_if_there((base or folder) / "config.json")),
        )
        processor.write([Message("user", (Part("text", "?", {}),))], [])  # a broken template is known at once
        return processor

    def _see(self, seen: Seen, *, min_pixels: int | None, max_pixels: int | None) -> Media:
        return qwen2_vl_media(
            seen,
            self.config,
            min_pixels=self.min_pixels if min_pixels is None else min_pixels,
            max_pixels=self.max_pixels if max_pixels is None else max_pixels,
        )

    def write(self, messages: Sequence[Message], media: Sequence[Media]) -> tuple[list[PromptToken], int]:
        return self._chat.write(messages, media), 0

    def _pixels(self, media: Sequence[Media]) -> dict[str, Tensor]:
        images = self._packed([item for item in media if item.kind == "image"])
        videos = self._packed([item for item in media if item.kind == "video"])
        named = dict(zip(("pixel_values", "image_grid_thw"), images, strict=False))
        return named | dict(zip(("pixel_values_videos", "video_grid_thw"), videos, strict=False))

    def _packed(self, media: Sequence[Media]) -> tuple[Tensor, ...]:
        """All patches one after another, and the grids; () where there are no media."""
        if not media:
            return ()
        patches = torch.cat([received(item, self.config) for item in media])
        return patches, torch.tensor([item.patch_grid for item in media])


def from_folder(folder: str | Path, config: Config, *, base: Path | None = None) -> Processor:
    """The processor of a checkpoint in the published layout.

    Args:
        base: where to find what the folder lacks: of an adapter its base model's.

    Raises:
        CheckpointError: a file is missing or damaged, or not this model's.
    """
    if isinstance(config, QwenVLConfig):
        return QwenVLProcessor.from_folder(folder, config, base=base)
    return Qwen2VLProcessor.from_folder(folder, config, base=base)


def _stop_ids(generation: Mapping[str, Any], published: Mapping[str, Any]) -> frozenset[int]:
    """The ids that end an answer by a folder's generation_config.json, or else its config.json; none where it says
    nothing."""
    given = generation.get("eos_token_id")
    given = published.get("eos_token_id") if given is None and not generation else given
    return frozenset([given] if isinstance(given, int) else given or ())
