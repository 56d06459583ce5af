"""What media cost before anything is asked: sizes, grids, tokens, positions, memory. Arithmetic, no weights.

Every figure follows from a config and the sizes of the media; the steps are written out, so that a reader can check
them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from qwenvl.config import PRESETS, QWEN2_VL_72B, Config, Qwen2VLConfig, QwenVLConfig, from_published
from qwenvl.errors import CheckpointError
from qwenvl.processing.clips import ClipFile
from qwenvl.processing.media import Media, Seen, qwen2_vl_media, qwen_vl_media
from qwenvl.processing.messages import Message, Part
from qwenvl.processing.opening import Source, as_list, measure
from qwenvl.processing.processor import (
    PUBLISHED_MAX_PIXELS,
    PUBLISHED_MIN_PIXELS,
    Processor,
    from_folder,
    read_pixel_limits,
)
from qwenvl.processing.sampling import VideoOptions
from qwenvl.processing.tokenizers import normalise, read_json
from qwenvl.processing.videos import plan_clip, sampling_steps

CHECKPOINTS = Path(__file__).parent / "checkpoints"
_TOKENIZER_FILES = ("qwen.tiktoken", "tokenizer.json", "vocab.json")

# Of a published chat model: system message 11, the user's turn 3 + 2 around its content, opening of the answer 3.
_TEMPLATE_TOKENS = 19
# "Picture", blank, colon, blank, line break; the number between them is a token a digit.
_PICTURE_LINE_TOKENS = 5


@dataclass(frozen=True)
class Plan:
    """What some media, and a text with them, cost one model.

    Attributes:
        name: preset or folder.
        media: sizes and grids, without pixels; `limit` of each says which pixel limit decided its size.
        min_pixels, max_pixels: the limits used; None for Qwen-VL, which has none.
        patches, visual_tokens: of all media together.
        template_tokens: roles, the default system prompt, and the tags and labels of the media.
        text_tokens: of the text; None where no tokenizer is at hand, and then not part of `prompt_tokens` either.
        prompt_tokens: visual, template and text tokens together.
        positions: ids that the prompt takes up; Qwen2-VL spends on a media only the longest side of its token grid.
        context: tokens the model is published for.
        parameters: of the whole model, exactly; `derived` says that its dimensions are not from a published file.
        bytes_per_value: of weights, cache and trace.
        weight_bytes, kv_cache_bytes: memory for the parameters, and for keys and values of the prompt.
        trace_bytes: site -> what a run that keeps all queries and keys of the prompt takes.
        steps: the arithmetic, (label, value) line by line.
        sentence: the answer to "what will it cost, and which limit bites?".
    """

    name: str
    family: str
    media: tuple[Media, ...]
    min_pixels: int | None
    max_pixels: int | None
    patches: int
    visual_tokens: int
    template_tokens: int
    text_tokens: int | None
    prompt_tokens: int
    positions: int
    context: int
    parameters: int
    derived: bool
    bytes_per_value: int
    weight_bytes: int
    kv_cache_bytes: int
    trace_bytes: dict[str, int]
    steps: tuple[tuple[str, str], ...] = ()
    sentence: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of the media, a sentence each: a clip over its budget, or read as a still."""
        return tuple(item.note for item in self.media if item.note)

    @property
    def share_of_context(self) -> float:
        """Prompt tokens over context; above 1 the prompt is refused."""
        return self.prompt_tokens / self.context

    def to_json(self) -> dict[str, Any]:
        """All of it as plain lists, strings and numbers."""
        media = [item.to_json() for item in self.media]
        return {**asdict(replace(self, media=())), "media": media, "share_of_context": self.share_of_context}


def plan(
    media: Source | Sequence[Source],
    preset_or_folder: str | os.PathLike[str],
    *,
    min_pixels: int | None = None,
    max_pixels: int | None = None,
    text: str = "",
    bytes_per_value: int = 2,
    preset: str = "Qwen2-VL",
    fps: float | None = None,
    nframes: int | None = None,
    total_pixels: int | None = None,
    pictures: int | None = None,
) -> Plan:
    """What media cost, without weights.

    Args:
        media: one or a list of: path of a picture or clip, PIL image, (width, height), (width, height, frames) for a
            clip given as its frames, or a part of a message ({"type": "video", "video": path, "fps": 1}). Of an
            animated picture alone the first frame is meant; in a video part, all.
        preset_or_folder: a preset ("Qwen-VL", "Qwen-VL-Chat", "Qwen2-VL-2B", "-7B", "-72B", in any case), one of our
            tiny checkpoints by name, or a folder in the published layout, which needs no weights.
        min_pixels, max_pixels: Qwen2-VL's limits of height times width; None for the checkpoint's or published ones.
        text: of the question. Counted exactly where the folder has its tokenizer; presets have none, so that text is
            left out there and an upper limit of its tokens is given, its bytes. The template's tokens are exact.
        bytes_per_value: 2 for bfloat16, 4 for float32.
        preset, fps, nframes, total_pixels, pictures: of the clips; see `processing.sampling.VideoOptions`. A part's own
            come first, and `max_pixels` can only lower what a preset allows a frame.

    Raises:
        CheckpointError: no such preset or folder, or a folder that cannot be read.
        MediaError: a picture that cannot be read, or a size or limit that no model accepts.
    """
    model = _find(preset_or_folder)
    limits = (
        model.min_pixels if min_pixels is None else min_pixels,
        model.max_pixels if max_pixels is None else max_pixels,
    )
    given = {"preset": preset, "fps": fps, "nframes": nframes, "total_pixels": total_pixels, "pictures": pictures}
    planned = _place_all(as_list(media), model.config, limits, VideoOptions.of(given), max_pixels)
    result = _cost(model, tuple(planned), limits, text, bytes_per_value)
    return replace(result, steps=tuple(_steps(result, model.config, text)), sentence=_sentence(result, text))


def _cost(model: _Model, media: tuple[Media, ...], limits: tuple[int, int], text: str, size: int) -> Plan:
    """All figures, no words yet; `size` in bytes a value."""
    config, has_limits = model.config, isinstance(model.config, Qwen2VLConfig)
    template_tokens, text_tokens = _count_words(model, media, text)
    visual_tokens = sum(item.num_tokens for item in media)
    tokens = visual_tokens + template_tokens + (text_tokens or 0)
    parameters = sum(parameters_by_part(config).values())
    return Plan(
        name=model.name,
        family=config.family,
        media=media,
        min_pixels=limits[0] if has_limits else None,
        max_pixels=limits[1] if has_limits else None,
        patches=sum(item.num_patches for item in media),
        visual_tokens=visual_tokens,
        template_tokens=template_tokens,
        text_tokens=text_tokens,
        prompt_tokens=tokens,
        positions=tokens - sum(map(_saved_positions, media)),
        context=config.language.context,
        parameters=parameters,
        derived=config is QWEN2_VL_72B,
        bytes_per_value=size,
        weight_bytes=parameters * size,
        kv_cache_bytes=2 * tokens * config.language.num_blocks * _key_heads(config) * config.language.head_dim * size,
        trace_bytes=_trace_bytes(config, media, tokens, size),
    )


# --- the model ---


@dataclass(frozen=True)
class _Model:
    name: str
    config: Config
    min_pixels: int
    max_pixels: int
    processor: Processor | None


def _find(preset_or_folder: str | os.PathLike[str]) -> _Model:
    given = os.fspath(preset_or_folder)
    short = given.rstrip("/").rsplit("/", 1)[-1].lower().removesuffix("-instruct")
    for name, config in PRESETS.items():
        if short == name.lower() and not Path(given, "config.json").exists():
            return _Model(name, config, PUBLISHED_MIN_PIXELS, PUBLISHED_MAX_PIXELS, None)
    for folder in (Path(given), CHECKPOINTS / given.lower()):
        if (folder / "config.json").exists():
            return _read_folder(folder)
    raise CheckpointError(
        f"There is no preset {given!r} and no folder with a config.json there; the presets are {', '.join(PRESETS)}."
    )


def _read_folder(folder: Path) -> _Model:
    config = from_published(read_json(folder / "config.json"))
    has_tokenizer = any((folder / name).exists() for name in _TOKENIZER_FILES)
    limits = (PUBLISHED_MIN_PIXELS, PUBLISHED_MAX_PIXELS)
    if isinstance(config, Qwen2VLConfig):
        limits = read_pixel_limits(folder, config)
    return _Model(folder.resolve().name, config, *limits, from_folder(folder, config) if has_tokenizer else None)


def parameters_by_part(config: Config) -> dict[str, int]:
    """Parameters of "vision", "adapter" and "language", in closed form; together the published checkpoints', exactly.

    Qwen-VL's adapter is counted with the norm and the projection after it, and with its frozen position code.
    """
    if isinstance(config, QwenVLConfig):
        return {
            "vision": _count_qwen_vl_vision(config),
            "adapter": _count_qwen_vl_adapter(config),
            "language": _count_qwen_vl_language(config),
        }
    vision, hidden = config.vision, config.language.dim
    dim, merged = vision.dim, vision.dim * vision.merge_size**2
    block = 2 * dim + 2 * dim + _linear(dim, 3 * dim) + _linear(dim, dim)
    block += _linear(dim, vision.mlp_dim) + _linear(vision.mlp_dim, dim)
    patch = 3 * vision.temporal_patch_size * vision.patch_size**2
    return {
        "vision": patch * dim + vision.num_blocks * block,
        "adapter": 2 * dim + _linear(merged, merged) + _linear(merged, hidden),
        "language": _count_qwen2_vl_language(config),
    }


def _linear(inputs: int, outputs: int) -> int:
    """Weights and biases."""
    return inputs * outputs + outputs


def _count_qwen_vl_vision(config: QwenVLConfig) -> int:
    vision = config.vision
    dim = vision.dim
    block = 2 * dim + 2 * dim + _linear(dim, 3 * dim) + _linear(dim, dim)
    block += _linear(dim, vision.mlp_dim) + _linear(vision.mlp_dim, dim)
    return 3 * vision.patch_size**2 * dim + vision.position_side**2 * dim + 2 * dim + vision.num_blocks * block


def _count_qwen_vl_adapter(config: QwenVLConfig) -> int:
    dim, inputs = config.language.dim, config.vision.dim
    attention = _linear(dim, 3 * dim) + _linear(dim, dim)
    project_in = 0 if inputs == dim else inputs * dim
    norms = 3 * 2 * dim
    return 2 * config.adapter.num_queries * dim + project_in + attention + norms + dim * dim


def _count_qwen_vl_language(config: QwenVLConfig) -> int:
    language = config.language
    dim = language.dim
    block = 2 * dim + _linear(dim, 3 * dim) + dim * dim + 3 * dim * language.mlp_dim
    return 2 * language.vocab_size * dim + language.num_blocks * block + dim


def _count_qwen2_vl_language(config: Qwen2VLConfig) -> int:
    language = config.language
    dim = language.dim
    queries, keys = language.num_heads * language.head_dim, language.num_kv_heads * language.head_dim
    block = 2 * dim + _linear(dim, queries) + 2 * _linear(dim, keys) + queries * dim + 3 * dim * language.mlp_dim
    embeddings = 1 if language.tied else 2
    return embeddings * language.vocab_size * dim + language.num_blocks * block + dim


# --- the media ---


def _place_all(
    sources: Sequence[Source], config: Config, limits: tuple[int, int], options: VideoOptions, max_pixels: int | None
) -> list[Media]:
    """Every media as the model sees it, named and numbered."""
    placed: list[Media] = []
    for place, source in enumerate(sources, 1):
        number = 1 + sum(item.patch_grid[0] for item in placed)
        seen, own = measure(source, place, options)
        if isinstance(seen, ClipFile):
            placed.append(plan_clip(seen, config, own.within(max_pixels), number=number))
        else:
            placed.append(_place(replace(seen, number=number), config, *limits))
    return placed


def _place(seen: Seen, config: Config, min_pixels: int, max_pixels: int) -> Media:
    if isinstance(config, QwenVLConfig):
        return qwen_vl_media(seen, config)
    return qwen2_vl_media(seen, config, min_pixels=min_pixels, max_pixels=max_pixels)


# --- tokens, positions, memory ---


def _count_words(model: _Model, media: Sequence[Media], text: str) -> tuple[int, int | None]:
    """(template tokens, text tokens or None)."""
    if model.processor is None:
        return _TEMPLATE_TOKENS + sum(_label_tokens(item) for item in media), None if text else 0
    parts = [Part(item.kind, None, {}) for item in media]
    if text:
        parts.append(Part("text", text, {}))
    tokens, _ = model.processor.write([Message("user", tuple(parts))], media)
    sections = [token.section for token in tokens]
    return sections.count("template"), sections.count("question")


def _label_tokens(media: Media) -> int:
    """The two tags around a media, and in Qwen-VL the line "Picture N: " of each frame: a digit is a token."""
    if media.tokens_are_places:
        return 2
    numbers = range(media.number, media.number + media.patch_grid[0])
    return sum(2 + _PICTURE_LINE_TOKENS + len(str(number)) for number in numbers)


def _key_heads(config: Config) -> int:
    return config.language.num_heads if isinstance(config, QwenVLConfig) else config.language.num_kv_heads


def _saved_positions(media: Media) -> int:
    """Tokens of a media that take no position of their own: in Qwen2-VL all but the longest side of the token grid."""
    return media.num_tokens - max(media.token_grid) if media.tokens_are_places else 0


def _trace_bytes(config: Config, media: Sequence[Media], tokens: int, size: int) -> dict[str, int]:
    """Queries and keys of all layers and heads, by site. Qwen2-VL's adapter has no attention."""
    language, patches = config.language, sum(item.num_patches for item in media)
    heads = language.num_heads + _key_heads(config)
    trace = {"vision": 2 * patches * config.vision.num_blocks * config.vision.dim * size}
    if isinstance(config, QwenVLConfig):
        queries = sum(item.num_tokens for item in media)
        trace["adapter"] = (queries + patches) * language.dim * size
    return trace | {"language": tokens * language.num_blocks * heads * language.head_dim * size}


# --- in words ---


def _steps(result: Plan, config: Config, text: str) -> Iterator[tuple[str, str]]:
    for item in result.media:
        yield from _media_steps(item, result)
    yield from _prompt_steps(result, config, text)


def _media_steps(item: Media, result: Plan) -> Iterator[tuple[str, str]]:
    time, rows, columns = item.patch_grid
    frames = f"{time} × " if item.kind == "video" else ""
    grid = f"{frames}{rows} × {columns} = {item.num_patches:,}"
    yield item.name, f"{_size(item.size)} pixels"
    yield from sampling_steps(item)
    if not item.tokens_are_places:
        yield "squashed", f"{_size(item.resized)}, whatever its shape"
        yield "patches", f"{grid} of 14 × 14 pixels"
        yield (
            "visual tokens",
            f"{frames}{item.token_grid[1] * item.token_grid[2]} queries = {item.num_tokens:,}, always",
        )
        return
    why = "sides rounded to multiples of 28"
    if item.limit:
        limits = item.sampling or result
        limit = {"min_pixels": limits.min_pixels, "max_pixels": limits.max_pixels}[item.limit]
        why = f"{'grown to' if item.limit == 'min_pixels' else 'shrunk to'} {item.limit} {limit:,}"
    yield "resized", f"{_size(item.resized)}, {why}"
    yield "patches", f"{grid} of 14 × 14 pixels{' × 2 frames' if item.kind == 'video' else ''}"
    yield "visual tokens", f"{item.num_patches:,} / 4 = {item.num_tokens:,}"


def _prompt_steps(result: Plan, config: Config, text: str) -> Iterator[tuple[str, str]]:
    tokens, language, size = result.prompt_tokens, config.language, result.bytes_per_value
    words = f" + {result.text_tokens:,} text" if result.text_tokens else ""
    prompt = f"{result.visual_tokens:,} visual + {result.template_tokens:,} template{words} = {tokens:,} tokens"
    yield "prompt", prompt + (f"; the text adds at most {_most(text):,}" if result.text_tokens is None else "")
    yield "positions", _positions(result)
    yield "context", f"{tokens:,} of {result.context:,} = {percent(result.share_of_context)}"
    derived = " (from derived dimensions)" if result.derived else ""
    yield "weights", f"{result.parameters:,} parameters × {size} bytes = {in_bytes(result.weight_bytes)}{derived}"
    heads = _key_heads(config)
    factors = (
        f"2 × {tokens:,} tokens × {language.num_blocks} layers × {heads} heads × {language.head_dim} × {size} bytes"
    )
    yield "keys and values", f"{factors} = {in_bytes(result.kv_cache_bytes)}"
    kept = " + ".join(f"{site} {in_bytes(size)}" for site, size in result.trace_bytes.items())
    yield "all queries and keys", f"{kept} = {in_bytes(sum(result.trace_bytes.values()))}"


def _positions(result: Plan) -> str:
    if result.family == "qwen-vl":
        return f"{result.positions:,}, one for each token"
    longest = "".join(f" + {max(item.token_grid):,}" for item in result.media)
    return f"{result.prompt_tokens:,} - {result.visual_tokens:,} visual{longest} longest side = {result.positions:,}"


def _sentence(result: Plan, text: str) -> str:
    what = result.media[0].name if len(result.media) == 1 else f"{len(result.media)} media"
    unknown = f" and at most {_most(text):,} of text" if result.text_tokens is None else ""
    share = percent(result.share_of_context)
    fits = f"{share} of the context of {result.context:,}"
    if result.prompt_tokens > result.context:
        fits = f"more than the context of {result.context:,}"
    return (
        f"{result.name}: {what}, {result.visual_tokens:,} visual tokens, "
        f"{result.prompt_tokens:,} in the prompt{unknown}, {fits}; {_limits(result)}."
        + "".join(f" {note}" for note in result.notes)
    )


def _limits(result: Plan) -> str:
    bitten = [item for item in result.media if item.limit]
    if result.family == "qwen-vl":
        return "every picture costs the same"
    if not bitten:
        return "no pixel limit bites"
    return " and ".join(f"{item.limit} brings {item.name} to {_size(item.resized)}" for item in bitten)


def _most(text: str) -> int:
    """More tokens than this a text cannot have: every token holds at least one of its bytes."""
    return len(normalise(text).encode())


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]:,} × {size[1]:,}"


def percent(share: float) -> str:
    """A share in words: one decimal, two below 2 %."""
    return f"{share:.2%}".replace("%", " %") if share < 0.02 else f"{share:.1%}".replace("%", " %")


def in_bytes(count: int) -> str:
    """A number of bytes in KiB, MiB or GiB."""
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20)):
        if count >= size:
            return f"{count / size:,.2f} {unit}"
    return f"{count / 1024:,.1f} KiB"
