"""Lists the steps from a file to an answer as one run took them: shapes, counts, parameters and times.

Everything is read off the run and its config; nothing is computed anew. The steps of both families have the same names
in the same order, so that they can be laid side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qwenvl.errors import Sentence
from qwenvl.models.config import Qwen2VLConfig, QwenVLConfig
from qwenvl.plan.parameters import parameters_by_part
from qwenvl.processing.geometry.media import Media
from qwenvl.recorded.rows import RunRows

STAGES = ("file", "resize", "patches", "vision", "adapter", "prompt", "language", "answer")


@dataclass(frozen=True)
class Stage:
    """One step.

    Attributes:
        name: one of `STAGES`.
        title: what this family does here.
        words: more of it, a phrase each.
        shape: of what comes out; () where it is no single array, or nothing passed.
        axes: what each number of the shape counts.
        parameters: learned numbers used here, in closed form from the config; None where nothing is learned. Over all
            stages they add up to the model's.
        seconds: how long it took, None where it was not timed by itself.
    """

    name: str
    title: str
    words: tuple[str, ...]
    shape: tuple[int, ...] = ()
    axes: tuple[str, ...] = ()
    parameters: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Change:
    """What Qwen2-VL did to a step of Qwen-VL.

    Attributes:
        mark: "kept", "replaced" or "new".
        words: one sentence.
        source: where it is written.
    """

    mark: str
    words: str
    source: str


_ARCHITECTURE = "arXiv 2409.12191, section 2.1"
CHANGES = {
    "file": Change("new", "Clips too; to Qwen-VL they are pictures.", _ARCHITECTURE),
    "resize": Change("replaced", "A fixed square gave way to the own shape.", _ARCHITECTURE),
    "patches": Change("new", "14 px stay, now over two frames.", _ARCHITECTURE),
    "vision": Change("replaced", "A table of places gave way to rotation.", _ARCHITECTURE),
    "adapter": Change("replaced", "Queries gave way to a merger.", _ARCHITECTURE),
    "prompt": Change("new", "Ids of time, height, width: M-RoPE.", _ARCHITECTURE),
    "language": Change("replaced", "Qwen-7B gave way to Qwen2.", _ARCHITECTURE),
    "answer": Change("kept", "Each token from the row before it.", "arXiv 2308.12966, section 2.2"),
}


def stages(run: RunRows) -> tuple[Stage, ...]:
    """The eight steps of a run, in order; those that nothing passed through say so."""
    steps = _QwenVLSteps(run) if isinstance(run.config, QwenVLConfig) else _Qwen2VLSteps(run)
    return tuple(getattr(steps, name)() for name in STAGES)


def timed_pass(run: RunRows) -> str:
    """Which forward pass the parts were timed in: "read" (it read the prompt), "replay" (prompt and answer), or ""."""
    if "language" not in run.parts:
        return ""
    return "read" if "read" in run.seconds else "replay"


def times(run: RunRows) -> dict[str, float]:
    """Seconds from file to answer in the order they passed: prepare, vision, adapter, language, rest, answer.

    "rest" is the pass without its three parts: words embedded, visual tokens put in their places, the head. What was
    not timed is absent.
    """
    parts = {name: run.parts[name] for name in ("prepare", "vision", "adapter", "language") if name in run.parts}
    whole = run.seconds.get("read") if timed_pass(run) == "read" else None
    if whole is not None:
        parts["rest"] = max(0.0, whole - sum(value for name, value in parts.items() if name != "prepare"))
        parts["answer"] = run.seconds.get("answer", 0.0)
    return parts


NO_PICTURE = "not used: no picture in this question"


class _Steps:
    """What both families say alike."""

    def __init__(self, run: RunRows) -> None:
        self.run = run
        self.media: Sequence[Media] = run.media
        self.parameters = parameters_by_part(run.config)
        self.num_patches = sum(item.num_patches for item in run.media)
        self.num_tokens = sum(item.num_tokens for item in run.media)

    def file(self) -> Stage:
        clips, count = sum(item.kind == "video" for item in self.media), len(self.media)
        title = {0: "No picture", 1: "Picture"}.get(count, Sentence.of("{count} pictures", count=count))
        if clips:
            title = "Clip" if count == 1 else f"{count} pictures and clips"
        sizes = _few([_seen(item) for item in self.media])
        return Stage("file", title, sizes or ("words alone",), seconds=self.run.parts.get("prepare"))

    def visual(
        self, name: str, title: str, words: tuple[str, ...], shape: tuple[int, ...], parameters: int | None = None
    ) -> Stage:
        """A step of the picture's own: without one, nothing passes."""
        axes = ("pictures", *_AXES[name])[-len(shape) :] if shape else ()
        seconds = self.run.parts.get(name)
        if not self.media:
            return Stage(name, title, (NO_PICTURE,), (), (), parameters, None)
        return Stage(name, title, words, shape, axes, parameters, seconds)

    def prompt_words(self, ids: str) -> tuple[str, ...]:
        start = self.run.answer_start
        largest = int(self.run.positions[:, :start].max()) if start else 0
        visual = Sentence.of(
            "{n} visual and {m} other tokens", n=f"{self.num_tokens:,}", m=f"{start - self.num_tokens:,}"
        )
        return visual, Sentence.of(f"{ids} 0 to {{n}}", n=f"{largest:,}")

    def prompt_stage(self, title: str, ids: str) -> Stage:
        shape = (self.run.answer_start, self.run.config.language.dim)
        return Stage("prompt", title, self.prompt_words(ids), shape, ("tokens", "width"))

    def language_stage(self, title: str, words: tuple[str, ...]) -> Stage:
        shape = (self.run.answer_start, self.run.config.language.dim)
        seconds = self.run.parts.get("language")
        return Stage("language", title, words, shape, ("tokens", "width"), self.parameters["language"], seconds)

    def answer(self) -> Stage:
        run, said = self.run, len(self.run.tokens) - self.run.answer_start
        words: list[str] = []
        seconds = run.seconds.get("answer")
        if seconds is not None and said > 1:
            words.append(Sentence.of("{time} a token after the first", time=_milliseconds(seconds / (said - 1))))
        if run.stopped:
            words.append("stopped early")
        title = "Given, not made" if run.settings.get("given") else "Token by token"
        return Stage("answer", title, tuple(words), (said,), ("tokens",), None, seconds)


class _QwenVLSteps(_Steps):
    def __init__(self, run: RunRows) -> None:
        super().__init__(run)
        assert isinstance(run.config, QwenVLConfig)
        self.config = run.config
        self.frames = sum(item.patch_grid[0] for item in run.media)
        self.patch_parameters = 3 * self.config.vision.patch_size**2 * self.config.vision.dim

    def resize(self) -> Stage:
        side = self.config.vision.image_size
        shape = (self.frames, 3, side, side)
        return self.visual(
            "resize", Sentence.of("Squashed to {a} × {b}", a=side, b=side), ("whatever its shape",), shape
        )

    def patches(self) -> Stage:
        vision = self.config.vision
        words = (
            Sentence.of(
                "{grid} a picture, {n} values each",
                grid=f"{vision.grid_side} × {vision.grid_side}",
                n=f"{3 * vision.patch_size**2:,}",
            ),
        )
        shape = (self.frames, vision.grid_side**2, vision.dim)
        title = Sentence.of("Patches of {a} × {b}", a=vision.patch_size, b=vision.patch_size)
        return self.visual("patches", title, words, shape, parameters=self.patch_parameters)

    def vision(self) -> Stage:
        vision = self.config.vision
        words = (
            _heads(vision.num_blocks, vision.num_heads, vision.dim // vision.num_heads),
            self._stretched("a table of {a} × {b} places", vision.position_side),
        )
        parameters = self.parameters["vision"] - self.patch_parameters
        shape = (self.frames, vision.grid_side**2, vision.dim)
        return self.visual("vision", "Vision tower, absolute places", words, shape, parameters=parameters)

    def adapter(self) -> Stage:
        adapter, dim, side = self.config.adapter, self.config.language.dim, self.config.adapter.query_side
        words = (
            Sentence.of(
                "{queries} queries read {patches} patches, {heads} head" + ("" if adapter.num_heads == 1 else "s"),
                queries=f"{adapter.num_queries:,}",
                patches=f"{self.config.vision.grid_side**2:,}",
                heads=adapter.num_heads,
            ),
            self._stretched("keys carry a code of {a} × {b} places", side),
        )
        shape = (self.frames, adapter.num_queries, dim)
        return self.visual("adapter", "Cross-attention", words, shape, parameters=self.parameters["adapter"])

    def _stretched(self, template: str, side: int) -> Sentence:
        grid = self.config.vision.grid_side
        if side == grid:
            return Sentence.of(template, a=side, b=side)
        return Sentence.of(template + ", stretched to {grid}", a=side, b=side, grid=f"{grid} × {grid}")

    def prompt(self) -> Stage:
        return self.prompt_stage("Prompt, one id a token", "ids")

    def language(self) -> Stage:
        language, alpha = self.config.language, self.run.record.ntk_alpha or 1.0
        reached = len(self.run.tokens) > language.train_length
        logn = "; log-n beyond {m}" if reached else "; log-n not reached"
        words = (
            _heads(language.num_blocks, language.num_heads, language.head_dim),
            Sentence.of("NTK stretch {n}" + logn * language.logn, n=f"{alpha:g}", m=f"{language.train_length:,}"),
        )
        return self.language_stage("Language model, 1-D rotary", words)


class _Qwen2VLSteps(_Steps):
    def __init__(self, run: RunRows) -> None:
        super().__init__(run)
        assert isinstance(run.config, Qwen2VLConfig)
        self.config = run.config
        vision = self.config.vision
        self.tube = 3 * vision.temporal_patch_size * vision.patch_size**2
        self.patch_parameters = self.tube * vision.dim

    def resize(self) -> Stage:
        unit = self.config.vision.patch_size * self.config.vision.merge_size
        words = _few([_within(item) for item in self.media])
        return self.visual("resize", Sentence.of("Own shape, sides of {n}", n=unit), words, ())

    def patches(self) -> Stage:
        vision = self.config.vision
        title = Sentence.of(
            "Patches of {a} × {b} × {n} frames", a=vision.patch_size, b=vision.patch_size, n=vision.temporal_patch_size
        )
        words = _few([Sentence.of("grid {grid}", grid=_grid(item.patch_grid)) for item in self.media])
        last = (Sentence.of("{n} values each", n=f"{self.tube:,}"),)
        shape = (self.num_patches, vision.dim)
        return self.visual("patches", title, words + last, shape, parameters=self.patch_parameters)

    def vision(self) -> Stage:
        vision = self.config.vision
        segments = sum(item.patch_grid[0] for item in self.media)
        words = (
            _heads(vision.num_blocks, vision.num_heads, vision.dim // vision.num_heads),
            Sentence.of("angles of row and column; {n} segment" + ("" if segments == 1 else "s"), n=f"{segments:,}"),
        )
        parameters = self.parameters["vision"] - self.patch_parameters
        shape = (self.num_patches, vision.dim)
        return self.visual("vision", "Vision tower, 2-D rotary", words, shape, parameters=parameters)

    def adapter(self) -> Stage:
        size, dim = self.config.vision.merge_size, self.config.language.dim
        merged = self.config.vision.dim * size**2
        words = (
            Sentence.of(
                "{n} rows of {dim} join to {merged}, MLP to {out}",
                n=size**2,
                dim=f"{self.config.vision.dim:,}",
                merged=f"{merged:,}",
                out=f"{dim:,}",
            ),
        )
        shape = (self.num_tokens, dim)
        title = Sentence.of("Merger of {a} × {b}", a=size, b=size)
        return self.visual("adapter", title, words, shape, parameters=self.parameters["adapter"])

    def prompt(self) -> Stage:
        return self.prompt_stage("Prompt, three ids a token", "ids (t, h, w)")

    def language(self) -> Stage:
        language = self.config.language
        t, h, w = language.rope_sections
        words = (
            Sentence.of(
                "{blocks} blocks, {heads} heads of {dim}, {keys} key heads",
                blocks=language.num_blocks,
                heads=language.num_heads,
                dim=language.head_dim,
                keys=language.num_kv_heads,
            ),
            Sentence.of("of {n} frequencies {t} turn by t, {h} by h, {w} by w", n=t + h + w, t=t, h=h, w=w),
        )
        return self.language_stage("Language model, M-RoPE", words)


# what the last numbers of a step's shape count; the first of Qwen-VL's counts pictures
_AXES = {
    "resize": ("channels", "height", "width"),
    "patches": ("patches", "width"),
    "vision": ("patches", "width"),
    "adapter": ("tokens", "width"),
}


def _few(words: list[str]) -> tuple[str, ...]:
    """The first of them, and how many more there are."""
    shown = 2 if len(words) > 3 else 3
    rest = len(words) - shown
    return (*words[:shown], *([Sentence.of("and {n} more", n=f"{rest:,}")] if rest > 0 else []))


def _heads(blocks: int, heads: int, head_dim: int) -> str:
    return Sentence.of("{blocks} blocks, {heads} heads of {dim}", blocks=blocks, heads=heads, dim=head_dim)


def _within(item: Media) -> str:
    size = _size(item.resized)
    return Sentence.of("{size}, within {limit}", size=size, limit=item.limit) if item.limit else size


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]:,} × {size[1]:,}"


def _grid(grid: tuple[int, ...]) -> str:
    return " × ".join(f"{side:,}" for side in grid)


def _seen(item: Media) -> str:
    """A picture's size, and how many frames of a clip there are."""
    size, count = _size(item.size), len(item.frames)
    if item.kind == "image":
        return size
    return Sentence.of("{size}, {n} frame" if count == 1 else "{size}, {n} frames", size=size, n=count)


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms"
