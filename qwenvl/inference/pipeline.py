"""Asks a model: pictures, clips and words in, answers and runs out.

One conversation at a time: a lock covers every forward pass and is never held while a reader is waited for.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, Unpack

import torch
from torch import Tensor

from qwenvl.errors import PromptError, Sentence
from qwenvl.inference.generate import SamplingSettings, TokenSampling, generate
from qwenvl.inference.record_parts import carried, likeliest_of, three_rows, tokens_of, with_media, words_of
from qwenvl.inference.retelling import Reteller
from qwenvl.inference.run import Run
from qwenvl.integers import plain
from qwenvl.models.config import Config
from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.qwen_vl import QwenVL
from qwenvl.models.timing import PartClock
from qwenvl.models.trace import Block, Hidden, Trace, left_hooks
from qwenvl.processing.files.progress import Progress, listening
from qwenvl.processing.geometry.media import Media
from qwenvl.processing.processor import Processor, Prompt, StreamDecoder
from qwenvl.recorded.edit_notes import changed_hooks_note, edit_notes
from qwenvl.recorded.edits import Edit, Extent, applied, checked_edits
from qwenvl.recorded.kept_layers import Keep, check_keep, kept_layers
from qwenvl.recorded.record import Record, RunCard
from qwenvl.recorded.rows import RunRows, tap_names
from qwenvl.summaries import Summary, described

Messages = Sequence[Mapping[str, Any]]


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
        edit: Sequence[Edit] = (),
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
            edit: interventions the answer is made under, of `qwenvl.recorded.edits`; the run keeps them.
            settings: `max_new_tokens`, `temperature` (0: greedy), `top_p`, `top_k`, `repetition_penalty`, `seed` and
                the others of `TokenSampling`; None or absent for the published ones.

        Returns:
            A `Stream`: iterate over it for pieces of text; `.stop()` ends it; `.run` is the same answer, traced.

        Raises:
            PromptError, MediaError: nothing to ask, a picture that cannot be read, a prompt longer than the context.
            RunError: an edit that names what this question has not.
        """
        sampling, keep, begun = self.sampling.changed(**settings), check_keep(keep), time.perf_counter()
        min_pixels, max_pixels = plain(min_pixels), plain(max_pixels)
        prompt = self.processor(messages, min_pixels=min_pixels, max_pixels=max_pixels, progress=progress)
        parts = {"prepare": time.perf_counter() - begun}
        pixels = {"min_pixels": min_pixels, "max_pixels": max_pixels}
        edits = checked_edits(edit, self._extent(prompt, sampling.max_new_tokens))
        return Stream(self, prompt, sampling, pixels, progress, parts=parts, keep=keep, edits=edits)

    def run(
        self,
        messages: Messages,
        *,
        answer: str | None = None,
        min_pixels: int | None = None,
        max_pixels: int | None = None,
        keep: Keep | None = None,
        edit: Sequence[Edit] = (),
        **settings: Unpack[SamplingSettings],
    ) -> Run:
        """Ask, and look inside the answer; or inside a given one.

        Args:
            answer: look at this answer instead of generating one.
            messages, min_pixels, max_pixels, keep, edit, settings: as `stream`.
        """
        if answer is None:
            stream = self.stream(
                messages, min_pixels=min_pixels, max_pixels=max_pixels, keep=keep, edit=edit, **settings
            )
            return stream.run
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
        edits = checked_edits(edit, self._extent(prompt, len(answer_ids)))
        return self.look_inside(prompt, answer_ids, settings_of_run, parts=parts, keep=check_keep(keep), edits=edits)

    def edited(self, run: RunRows, edits: Sequence[Edit], keep: Keep | None = None) -> Run:
        """A run's own answer looked inside under its edits and further ones; nothing is generated."""
        places = tuple((token.media, token.cell) for token in run.tokens)
        checked = checked_edits((*run.edits, *edits), Extent(self.config, places, len(places)))
        pixels = {name: run.settings.get(name) for name in ("min_pixels", "max_pixels")}
        prompt = self.processor(with_media(run.messages, run.media), **pixels)
        answer_ids = [token.id for token in run.tokens if token.in_answer]
        settings = {"given": True, **pixels}
        return self.look_inside(prompt, answer_ids, settings, stopped=run.stopped, keep=check_keep(keep), edits=checked)

    def _extent(self, prompt: Prompt, answer: int) -> Extent:
        places = tuple((token.media, token.cell) for token in prompt.tokens)
        return Extent(self.config, places, min(len(places) + answer, self.config.language.context))

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
        edits: Sequence[Edit] = (),
        hooks: Sequence[str] = (),
    ) -> Run:
        """Replay prompt and answer once, traced, and make a run of it; what is over the budget is replayed later.

        Args:
            seconds, parts: how long it took to answer, see `Record`; a given answer's parts are timed in the replay.
            edits: what the model is changed by, checked.
            hooks: modules on which somebody had left a hook while it answered.
        """
        started = time.perf_counter()
        inputs = self._inputs(prompt, answer_ids)
        edits = tuple(edit.within(len(prompt.input_ids) + len(answer_ids)) for edit in edits)
        names = self._kept_taps(inputs, keep)
        with (
            self._lock,
            self._under(edits, len(prompt.input_ids)) as left,
            PartClock(self.model) as clock,
            Trace(self.model, "language.positions", *names) as trace,
            torch.no_grad(),
        ):
            logits = self.model(**inputs, last=len(answer_ids) + 1)[0, : len(answer_ids)].float().cpu()
        positions = three_rows(trace.take("language.positions"))
        kept = _moved(trace)
        likeliest, probabilities = likeliest_of(self.processor, logits, answer_ids)
        hooks = list(dict.fromkeys((*hooks, *left)))
        notes = (*self.notes, *edit_notes(edits, hooks))
        record = Record(
            card=RunCard(self.name, self.family, self.parameters, self.trained, notes),
            config=self.config,
            messages=prompt.messages,
            answer=self.processor.decode_answer(answer_ids),
            tokens=tokens_of(self.processor, prompt, answer_ids, positions),
            words=words_of(self.processor, prompt, answer_ids),
            likeliest=likeliest,
            probabilities=probabilities,
            settings=dict(settings),
            seconds={**(seconds or {}), "replay": time.perf_counter() - started},
            parts={**clock.seconds, **(parts or {})},
            stopped=stopped,
            ntk_alpha=inputs.get("ntk_alpha"),
            edits=edits,
            hooks=tuple(hooks),
        )
        return Run(record, prompt.media, positions, kept, self)

    def replay(self, run: RunRows, names: Sequence[str]) -> dict[str, Tensor]:
        """The values of these taps for a run's prompt and answer, made again by one forward pass."""
        inputs = self._run_inputs(run)
        with self._lock, self._as_made(run), Trace(self.model, *names, max_bytes=None) as trace, torch.no_grad():
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
        with self._lock, self._as_made(run), torch.no_grad(), ExitStack() as hidden:
            for names, (queries, keys, rows, heads) in blocks:
                hidden.enter_context(Block(self.model, names, queries, keys, rows, heads))
            return self.model(**inputs, last=count + 1)[0, :count].float().cpu()

    def reteller(self, run: RunRows) -> Reteller:
        """What tells a run's answer again under cuts in the language model's attention, pictures being read once."""

        @contextmanager
        def held() -> Iterator[None]:
            with self._lock, self._as_made(run):
                yield

        return Reteller(self.model, held, self._run_inputs(run), len(run.tokens) - run.answer_start)

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
        prompt = self.processor(messages, **pixels)
        return self.look_inside(prompt, [], pixels, edits=carried(run, prompt))

    # --- under what it is looked inside ---

    @contextmanager
    def _under(self, edits: Sequence[Edit], prompt: int) -> Iterator[list[str]]:
        """Edits on the model, the lock being held; gives the modules on which somebody else had left a hook."""
        hooks = left_hooks(self.model)
        with applied(edits, self.model, prompt):
            yield hooks

    @contextmanager
    def _as_made(self, run: RunRows) -> Iterator[None]:
        """The model as it was when a run was made; where its hooks are others now, the run says so from here on."""
        with self._under(run.edits, run.answer_start) as hooks:
            if (note := changed_hooks_note(run.record.hooks, hooks)) and note not in run.card.notes:
                run.record = replace(run.record, card=replace(run.card, notes=(*run.card.notes, note)))
            yield

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
        edits: Sequence[Edit] = (),
    ) -> None:
        self.prompt, self.ids = prompt, list[int]()
        self.stopped = False
        self.seconds: dict[str, float] = {}
        self.parts = dict(parts)
        self._pipeline, self._sampling, self._pixels, self._keep = pipeline, sampling, pixels, keep
        self._progress, self._edits = progress, edits
        self._hooks: list[str] = []  # that somebody had left on the model while it answered
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
                    edits=self._edits,
                    hooks=self._hooks,
                )
            return self._run

    def _work(self) -> None:
        try:
            pipeline, prompt = self._pipeline, len(self.prompt.input_ids)
            with (
                pipeline._lock,
                pipeline._under(self._edits, prompt) as self._hooks,
                listening(pipeline.model, self._progress) as begun,
            ):
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
