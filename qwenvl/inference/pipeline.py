"""Asks a model: pictures, clips and words in, answers and runs out.

One conversation at a time: a lock covers every forward pass and is never held while a reader is waited for.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any, Unpack

import torch
from torch import Tensor

from qwenvl.errors import PromptError, Sentence
from qwenvl.inference.generate import SamplingSettings, TokenSampling, generate
from qwenvl.inference.run import Run
from qwenvl.integers import plain
from qwenvl.models.config import Config
from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.qwen_vl import QwenVL
from qwenvl.models.timing import PartClock
from qwenvl.models.trace import Block, Hidden, Trace
from qwenvl.processing.files.progress import Progress, listening
from qwenvl.processing.geometry.media import Media
from qwenvl.processing.processor import Processor, Prompt, StreamDecoder
from qwenvl.recorded.kept_layers import Keep, check_keep, kept_layers
from qwenvl.recorded.record import Alternative, Record, RunCard, Token
from qwenvl.recorded.rows import RunRows, tap_names
from qwenvl.summaries import Summary, described

Messages = Sequence[Mapping[str, Any]]
LIKELIEST = 10  # alternatives kept for each answer token


@dataclass(eq=False, repr=False)
class Pipeline(Summary):
    """A model that can be asked.

    Attributes:
        name: preset, folder name or hub id.
        sampling: the published generation config; each question may change it.
        trained: False for seeded random weights, whose answers mean nothing.
        figures: what `qwenvl.tiny evaluate` measured of this checkpoint, where its folder says so (figures.json).
        notes: what is to be said of the checkpoint: keys that are not known, a head that counts against the config.
        max_trace_bytes: what a run may keep of queries and keys; beyond it layers are replayed when somebody looks.
    """

    name: str
    model: QwenVL | Qwen2VL
    processor: Processor
    sampling: TokenSampling
    trained: bool = True
    figures: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    max_trace_bytes: int = 1 << 30

    def __post_init__(self) -> None:
        self._lock = threading.Lock()  # not reentrant: a stream may be ended by another thread than began it

    def summary(self) -> list[tuple[str, str]]:
        """Its name, family, weights and notes."""
        one = next(self.model.parameters())
        weights = f"{self.parameters:,} parameters, {described(one.dtype).removeprefix('torch.')} on {one.device}"
        trained = "" if self.trained else "; random, so that answers mean nothing"
        more = [("notes", " ".join(self.notes))] if self.notes else []
        return [("name", self.name), ("family", self.family), ("weights", weights + trained), *more]

    @property
    def config(self) -> Config:
        """The architecture's numbers."""
        return self.model.config

    @property
    def family(self) -> str:
        """ "qwen-vl" or "qwen2-vl"."""
        return self.config.family

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    def stream(
        self,
        messages: Messages,
        *,
        min_pixels: int | None = None,
        max_pixels: int | None = None,
        progress: Progress | None = None,
        keep: Keep | None = None,
        **settings: Unpack[SamplingSettings],
    ) -> Stream:
        """Ask, and read the answer while it is made.

        Args:
            messages: the conversation; see `qwenvl`'s docstring.
            min_pixels, max_pixels: Qwen2-VL's pixel budget of each picture; None for the checkpoint's.
            progress: told how far it is before the first word, the frames of clips on this thread and the blocks of
                the model on another; what it raises ends the question. See `qwenvl.processing.files.progress`.
            keep: what the run keeps of its queries and keys, see `qwenvl.recorded.kept_layers.Keep`; None: "all" that
                fits `max_trace_bytes`. What is not kept is replayed when somebody looks.
            settings: `max_new_tokens`, `temperature` (0: greedy), `top_p`, `top_k`, `repetition_penalty`, `seed` and
                the others of `TokenSampling`; None or absent for the published ones.

        Returns:
            A `Stream`: iterate over it for pieces of text; `.stop()` ends it; `.run` is the same answer, traced.

        Raises:
            PromptError, MediaError: nothing to ask, a picture that cannot be read, a prompt longer than the context.
        """
        sampling, keep, begun = self.sampling.changed(**settings), check_keep(keep), time.perf_counter()
        min_pixels, max_pixels = plain(min_pixels), plain(max_pixels)
        prompt = self.processor(messages, min_pixels=min_pixels, max_pixels=max_pixels, progress=progress)
        parts = {"prepare": time.perf_counter() - begun}
        pixels = {"min_pixels": min_pixels, "max_pixels": max_pixels}
        return Stream(self, prompt, sampling, pixels, progress, parts=parts, keep=keep)

    def run(
        self,
        messages: Messages,
        *,
        answer: str | None = None,
        min_pixels: int | None = None,
        max_pixels: int | None = None,
        keep: Keep | None = None,
        **settings: Unpack[SamplingSettings],
    ) -> Run:
        """Ask, and look inside the answer; or inside a given one.

        Args:
            answer: look at this answer instead of generating one.
            messages, min_pixels, max_pixels, keep, settings: as `stream`.
        """
        if answer is None:
            return self.stream(messages, min_pixels=min_pixels, max_pixels=max_pixels, keep=keep, **settings).run
        begun, min_pixels, max_pixels = time.perf_counter(), plain(min_pixels), plain(max_pixels)
        prompt = self.processor(messages, min_pixels=min_pixels, max_pixels=max_pixels)
        parts = {"prepare": time.perf_counter() - begun}
        answer_ids = self.processor.tokenizer.encode(answer)
        if (length := len(prompt.input_ids) + len(answer_ids)) > self.config.language.context:
            raise PromptError(
                Sentence.of(
                    "Prompt and answer take {tokens} tokens; the model has room for {room}.",
                    tokens=f"{length:,}",
                    room=f"{self.config.language.context:,}",
                )
            )
        settings_of_run = {"given": True, "min_pixels": min_pixels, "max_pixels": max_pixels}
        return self.look_inside(prompt, answer_ids, settings_of_run, parts=parts, keep=check_keep(keep))

    # --- looking inside ---

    def look_inside(
        self,
        prompt: Prompt,
        answer_ids: Sequence[int],
        settings: Mapping[str, Any],
        *,
        seconds: Mapping[str, float] | None = None,
        parts: Mapping[str, float] | None = None,
        stopped: bool = False,
        keep: Keep = "all",
    ) -> Run:
        """Replay prompt and answer once, traced, and make a run of it; what is over the budget is replayed later.

        Args:
            seconds, parts: how long it took to answer, see `Record`; a given answer's parts are timed in the replay.
        """
        started = time.perf_counter()
        inputs = self._inputs(prompt, answer_ids)
        names = self._kept_taps(inputs, keep)
        with (
            self._lock,
            PartClock(self.model) as clock,
            Trace(self.model, "language.positions", *names) as trace,
            torch.no_grad(),
        ):
            logits = self.model(**inputs, last=len(answer_ids) + 1)[0, : len(answer_ids)].float().cpu()
        positions = self._three_rows(trace.take("language.positions"))
        kept = _moved(trace)
        likeliest, probabilities = self._likeliest(logits, answer_ids)
        record = Record(
            card=RunCard(self.name, self.family, self.parameters, self.trained, self.notes),
            config=self.config,
            messages=prompt.messages,
            answer=self.processor.decode_answer(answer_ids),
            tokens=self._tokens(prompt, answer_ids, positions),
            words=self._words(prompt, answer_ids),
            likeliest=likeliest,
            probabilities=probabilities,
            settings=dict(settings),
            seconds={**(seconds or {}), "replay": time.perf_counter() - started},
            parts={**clock.seconds, **(parts or {})},
            stopped=stopped,
            ntk_alpha=inputs.get("ntk_alpha"),
        )
        return Run(record, prompt.media, positions, kept, self)

    def replay(self, run: RunRows, names: Sequence[str]) -> dict[str, Tensor]:
        """The values of these taps for a run's prompt and answer, made again by one forward pass."""
        inputs = self._run_inputs(run)
        with self._lock, Trace(self.model, *names, max_bytes=None) as trace, torch.no_grad():
            self.model(**inputs, last=1)
        return _moved(trace)

    def logits(
        self, run: RunRows, *, media: Sequence[Media] | None = None, blocks: Sequence[tuple[Sequence[str], Hidden]] = ()
    ) -> Tensor:
        """The logits that predict each token of a run's answer, float32 (answer tokens, vocab), by one forward pass.

        Args:
            media: in place of the run's own, of the same sizes.
            blocks: what to hide in the attention of which modules; see `trace.Block`.
        """
        inputs, count = self._run_inputs(run, media), len(run.tokens) - run.answer_start
        with self._lock, torch.no_grad(), ExitStack() as hidden:
            for names, (queries, keys, rows) in blocks:
                hidden.enter_context(Block(self.model, names, queries, keys, rows))
            return self.model(**inputs, last=count + 1)[0, :count].float().cpu()

    def tap_sizes(self, run: RunRows) -> dict[str, int]:
        """Bytes that each tap of a run would take."""
        return self.model.tap_sizes(**self._run_inputs(run))

    def ask_again(self, run: RunRows, question: str) -> Run:
        """Another last question on a run's conversation and media, looked inside before any answer is given."""
        *before, last = with_media(run.messages, run.media)
        parts = [] if isinstance(last["content"], str) else last["content"]
        seen = [part for part in parts if part["type"] in ("image", "video")]
        messages = [*before, {**last, "content": [*seen, {"type": "text", "text": question}]}]
        pixels = {name: run.settings.get(name) for name in ("min_pixels", "max_pixels")}
        return self.look_inside(self.processor(messages, **pixels), [], pixels)

    def _run_inputs(self, run: RunRows, media: Sequence[Media] | None = None) -> dict[str, Any]:
        prompt = self.processor(
            with_media(run.messages, run.media if media is None else media),
            min_pixels=run.settings.get("min_pixels"),
            max_pixels=run.settings.get("max_pixels"),
        )
        answer_ids = [token.id for token in run.tokens if token.in_answer]
        return self._inputs(prompt, answer_ids)

    def _inputs(self, prompt: Prompt, answer_ids: Sequence[int]) -> dict[str, Any]:
        """The keyword arguments of a forward pass over prompt and answer."""
        device = next(self.model.parameters()).device
        inputs: dict[str, Any] = {name: value.to(device) for name, value in prompt.model_inputs.items()}
        if isinstance(self.model, QwenVL):
            # the stretch the prompt was read with, kept while it was answered; not the replay's own
            inputs["ntk_alpha"] = self.model.stretch(len(prompt.input_ids))
        inputs["input_ids"] = torch.tensor([[*prompt.input_ids, *answer_ids]], device=device)
        return inputs

    def _kept_taps(self, inputs: Mapping[str, Any], keep: Keep) -> list[str]:
        """The taps a run keeps: a layer's queries and keys both, or neither."""
        sizes = self.model.tap_sizes(**inputs)
        queries = [name for name in sizes if name.endswith(".q")]
        layers = {_layer_of(name): sizes[name] + sizes[name.removesuffix("q") + "k"] for name in queries}
        chosen = kept_layers(layers, keep, self.max_trace_bytes)
        return [tap for site, layer in chosen for tap in tap_names(site, layer)]

    def _three_rows(self, positions: Tensor) -> Tensor:
        """Whatever the position tap saw, as int64 (3, tokens)."""
        rows = positions[:, 0] if positions.dim() == 3 else positions.expand(3, -1)
        return rows.to("cpu", torch.int64).contiguous()

    def _tokens(self, prompt: Prompt, answer_ids: Sequence[int], positions: Tensor) -> tuple[Token, ...]:
        places = [tuple(place) for place in positions.T.tolist()]
        said = [
            Token(id_, text, "special" if special else "text", "answer", True, None, None, place)
            for id_, text, special, place in zip(
                answer_ids,
                self.processor.token_texts(answer_ids),
                map(self.processor.tokenizer.is_special, answer_ids),
                places[len(prompt.input_ids) :],
                strict=True,
            )
        ]
        asked = [
            Token(token.id, token.text, token.kind, token.section, False, token.media, token.cell, place)
            for token, place in zip(prompt.tokens, places, strict=False)
        ]
        return (*asked, *said)

    def _words(self, prompt: Prompt, answer_ids: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        start = len(prompt.input_ids)
        return tuple(tuple(start + index for index in group) for group in self.processor.group_words(answer_ids))

    def _likeliest(
        self, logits: Tensor, answer_ids: Sequence[int]
    ) -> tuple[tuple[tuple[Alternative, ...], ...], tuple[float, ...]]:
        """From logits (answer, vocab): the likeliest tokens of each place, and how likely the answer's own was."""
        probabilities = logits.softmax(dim=-1)
        top = probabilities.topk(min(LIKELIEST, probabilities.shape[-1]), dim=-1)
        likeliest = tuple(
            tuple(
                Alternative(id_, self.processor.token_text(id_), probability)
                for id_, probability in zip(ids, values, strict=True)
            )
            for ids, values in zip(top.indices.tolist(), top.values.tolist(), strict=True)
        )
        own = probabilities[torch.arange(len(answer_ids)), torch.tensor(list(answer_ids), dtype=torch.int64)]
        return likeliest, tuple(own.tolist())


class Stream:
    """An answer being made: iterate for pieces of text.

    The model runs on a thread of its own and fills a queue, so that a slow reader holds nothing up.

    Attributes:
        prompt: what the model reads.
        ids: the answer's ids so far.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        prompt: Prompt,
        sampling: TokenSampling,
        pixels: Mapping[str, Any],
        progress: Progress | None = None,
        *,
        parts: Mapping[str, float],
        keep: Keep = "all",
    ) -> None:
        self.prompt, self.ids = prompt, list[int]()
        self.stopped = False
        self.seconds: dict[str, float] = {}
        self.parts = dict(parts)
        self._pipeline, self._sampling, self._pixels, self._keep = pipeline, sampling, pixels, keep
        self._progress = progress
        self._stop = threading.Event()
        self._pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._error: BaseException | None = None
        self._run: Run | None = None
        self._run_lock = threading.Lock()
        self._worker = threading.Thread(target=self._work, name="answer", daemon=True)
        self._worker.start()

    def __iter__(self) -> Iterator[str]:
        while (piece := self._pieces.get()) is not None:
            if piece:
                yield piece
        self._pieces.put(None)  # a second reader ends at once
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """End the answer after the token being made; what was said stays."""
        self._stop.set()

    @property
    def text(self) -> str:
        """The answer so far."""
        return self._pipeline.processor.decode_answer(self.ids)

    @property
    def run(self) -> Run:
        """The finished answer, replayed once with its trace; waits for the answer to end. Never generates again."""
        self._worker.join()
        if self._error is not None:
            raise self._error
        with self._run_lock:
            if self._run is None:
                settings = {**asdict(self._sampling), **self._pixels}
                self._run = self._pipeline.look_inside(
                    self.prompt,
                    self.ids,
                    settings,
                    seconds=self.seconds,
                    parts=self.parts,
                    stopped=self.stopped,
                    keep=self._keep,
                )
            return self._run

    def _work(self) -> None:
        try:
            with self._pipeline._lock, listening(self._pipeline.model, self._progress) as begun:
                self._answer(begun)
        except BaseException as error:  # the reader's to handle, on the reader's thread
            self._error = error
        self._pieces.put(None)

    def _answer(self, begun_to_speak: Callable[[], None]) -> None:
        pipeline, decoder = self._pipeline, StreamDecoder(self._pipeline.processor)
        device = next(pipeline.model.parameters()).device
        inputs = {name: value.to(device) for name, value in self.prompt.model_inputs.items()}
        stop_ids = pipeline.processor.stop_ids
        begun = time.perf_counter()
        self.stopped = self._stop.is_set()
        tokens = () if self.stopped else generate(pipeline.model, inputs, sampling=self._sampling, stop_ids=stop_ids)
        for token in self._clocked(iter(tokens)):
            begun_to_speak()
            now = time.perf_counter()
            self.seconds.setdefault("read", now - begun)
            self.seconds["answer"] = now - begun - self.seconds["read"]
            self.ids.append(token)
            self._pieces.put("" if token in stop_ids else decoder.push(token))
            if self._stop.is_set():
                self.stopped = token not in stop_ids
                break
        self._pieces.put(decoder.flush())

    def _clocked(self, tokens: Iterator[int]) -> Iterator[int]:
        """The same ids; the pass that reads the prompt is timed part by part."""
        with PartClock(self._pipeline.model) as clock:
            first = next(tokens, None)
        self.parts |= clock.seconds
        if first is not None:
            yield first
            yield from tokens


def _moved(trace: Trace) -> dict[str, Tensor]:
    """What a trace kept, on the CPU and one head after another, as rows are read fastest; each is held once."""
    return {name: trace.take(name).cpu().contiguous() for name in [*trace]}


def _layer_of(tap: str) -> tuple[str, int]:
    """Site and layer of a tap; the adapter's one layer is 0."""
    site, *rest = tap.split(".")
    return site, int(rest[1]) if rest[0] == "blocks" else 0


def with_media(messages: Messages, media: Sequence[Media]) -> list[dict[str, Any]]:
    """A run's messages with its media put back where their indices stand."""

    def restore(part: Mapping[str, Any]) -> dict[str, Any]:
        if part.get("type") == "image":
            return {**part, "image": media[part["image"]].frames[0]}
        if part.get("type") == "video":
            return {**part, "video": media[part["video"]]}  # its very frames; a file would be sampled anew
        return dict(part)

    return [
        {
            **message,
            "content": message["content"]
            if isinstance(message["content"], str)
            else list(map(restore, message["content"])),
        }
        for message in messages
    ]
