"""Defines what scripts may ask of the app over HTTP, and what the inspector asks from the browser.

Named endpoints (`/ask`, `/attention`, `/compare`, `/plan`) stand on the API page with these docstrings, and are the
tools of the MCP server where it is on. What they answer is the library's, as on the command line. The inspector's
functions take one dict each and answer one; they know no visitor, so a run's id is the permission. No answer is ever a
trace.
"""

from __future__ import annotations

import functools
import logging
import secrets
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.context import Context
from gradio.data_classes import FileData

import qwenvl
from app.asking.conversation import (
    FPS,
    MAX_LETTERS,
    MAX_NUM_FRAMES,
    MAX_PICTURES,
    MAX_PIXELS,
    Conversation,
    Settings,
)
from app.asking.failures import sentence
from app.asking.posted import Posted, optional_number, optional_whole
from app.asking.posted import text as posted_text
from app.asking.uploads import Uploads, watch_uploads
from app.serving.disconnected import end_with_connection
from app.serving.session import Session
from app.serving.wire import plain
from app.views import QUESTIONS
from app.views.figures import figure
from app.views.payload import run_payload
from qwenvl.errors import PromptError, Sentence, UserError
from qwenvl.inference.report import row_report, run_report
from qwenvl.models.config import PRESETS

log = logging.getLogger(__name__)

Endpoint = Callable[..., Any]
Answer = Callable[[Posted], object]
ServerFunction = Callable[[Any], dict[str, Any]]

HEAD_DIGITS = 6
# Counting does not wait for answers.
QUEUE = {"concurrency_id": "api", "concurrency_limit": 4}
QUEUES = {"plan": {"concurrency_id": "plan", "concurrency_limit": 2}}


def register_api(session: Session) -> Uploads:
    """Add the named endpoints to the Blocks that are being built; returns the notes on who uploaded what."""
    if (blocks := Context.root_block) is None:
        raise RuntimeError("register_api is called while the page is being built, inside its gr.Blocks.")
    uploads = watch_uploads(blocks)
    end_with_connection(blocks, session.leave)
    for name, endpoint in _endpoints(session, uploads).items():
        gr.api(_spoken(endpoint), api_name=name, **QUEUES.get(name, QUEUE))
    return uploads


def _endpoints(session: Session, uploads: Uploads) -> dict[str, Endpoint]:
    """The named endpoints; their names, signatures and docstrings are what a script reads."""
    makers = (_ask_endpoint, _attention_endpoint, _compare_endpoint, _plan_endpoint)
    return {endpoint.__name__: endpoint for endpoint in (make(session, uploads) for make in makers)}


def _ask_endpoint(session: Session, uploads: Uploads) -> Endpoint:
    *_, last = session.labels.values()

    def ask(
        media: list[FileData],
        question: str,
        request: gr.Request,
        model: str = last,
        max_new_tokens: int = 64,
        seed: int = 0,
    ) -> dict[str, Any]:
        """Ask one model about pictures and clips, and keep the run for a look inside.

        Args:
            media: picture and clip files, in the order they are asked about; an empty list for a question without one.
            question: what to ask.
            model: name of one of the two models on the page, or its letter, A or B.
            max_new_tokens: length of the answer at most, in tokens, from 1 to 2048.
            seed: of the random choices; the answer is greedy, so it matters only where a checkpoint samples.

        Returns:
            model, answer, run (the id under which /attention, the page and its functions find the run for an hour
            after its last use), account (patches, visual tokens, prompt tokens and the arithmetic in words), counts of
            tokens and patches, media with their sizes and grids, stopped, seconds.
        """
        paths = uploads.claim(_visitor(request), _paths(media, uploads))
        conversation = Conversation().asking(_text(question), paths)
        settings = Settings(max_new_tokens=max_new_tokens, seed=seed)
        return _answer(session, _visitor(request), session.letter(model), conversation, settings)

    return ask


def _compare_endpoint(session: Session, uploads: Uploads) -> Endpoint:
    def compare(media: list[FileData], question: str, request: gr.Request, max_new_tokens: int = 64) -> dict[str, Any]:
        """Ask both models on the page the same question about the same pictures and clips.

        Args:
            media: picture and clip files, in the order they are asked about; an empty list for a question without one.
            question: what to ask.
            max_new_tokens: length of each answer at most, in tokens, from 1 to 2048.

        Returns:
            Under each model's name what /ask returns for it, or {"error": one sentence} where only this model fails.
        """
        visitor = _visitor(request)
        conversation = Conversation().asking(_text(question), uploads.claim(visitor, _paths(media, uploads)))
        return _compare(session, visitor, conversation, Settings(max_new_tokens=max_new_tokens))

    return compare


def _plan_endpoint(session: Session, uploads: Uploads) -> Endpoint:
    def plan(
        media: list[FileData],
        request: gr.Request,
        preset: str = "Qwen2-VL-7B",
        min_pixels: int | None = None,
        max_pixels: int | None = None,
        fps: float | None = None,
        nframes: int | None = None,
        text: str = "",
    ) -> dict[str, Any]:
        """Count before asking: sizes, grids, tokens, memory and operations of pictures and clips, without weights.

        Args:
            media: picture and clip files of one question, in the order they would be asked about.
            preset: name of a model, such as Qwen-VL-Chat, Qwen2-VL-2B, Qwen2-VL-7B, Qwen2-VL-72B or tiny-qwen2-vl.
            min_pixels: Qwen2-VL enlarges a picture with fewer pixels; the checkpoint's own limit if left out.
            max_pixels: Qwen2-VL shrinks a picture with more pixels; the checkpoint's own limit if left out.
            fps: frames to take of a clip a second; the published rate if left out.
            nframes: frames to take of a clip in all, instead of fps.
            text: the question, counted where the model's tokenizer is at hand.

        Returns:
            For each media its sizes, grids and counts, the totals of the prompt, memory, operations, the arithmetic in
            steps, and which limit decided a size and what would change it.
        """
        paths = uploads.claim(_visitor(request), _paths(media, uploads))
        if len(paths) > MAX_PICTURES:
            raise PromptError(f"media holds {len(paths):,} files and {MAX_PICTURES} is the most: send fewer.")
        posted = {"min_pixels": min_pixels, "max_pixels": max_pixels, "fps": fps, "nframes": nframes, "text": text}
        return qwenvl.plan(
            paths,
            _preset(session, preset),
            text=posted_text(posted, "text", MAX_LETTERS),
            min_pixels=optional_whole(posted, "min_pixels", 1, MAX_PIXELS),
            max_pixels=optional_whole(posted, "max_pixels", 1, MAX_PIXELS),
            fps=optional_number(posted, "fps", *FPS),
            nframes=optional_whole(posted, "nframes", 1, MAX_NUM_FRAMES),
        ).to_json()

    return plan


def _attention_endpoint(session: Session, _: Uploads) -> Endpoint:
    def attention(
        run: str, site: str, query: int, layer: int | None = None, head: str = "mean", media: int = 0
    ) -> dict[str, Any]:
        """One exact row of attention of a finished run, and how much of it falls on a picture or clip.

        Args:
            run: id of a run, as /ask and /compare return it.
            site: where attention happens: language, vision, or adapter (Qwen-VL alone).
            query: a token of prompt and answer (language), a patch (vision) or an adapter query, counted from 0.
            layer: of the site, from 0; left out for the adapter, which has one.
            head: a number from 0, or mean for the mean of all heads.
            media: which picture or clip, from 0.

        Returns:
            row (as many numbers as keys, they add up to 1), keys, share (of the row on the media), and what was asked.
        """
        found = session.store.get(run).run
        is_number = isinstance(head, str) and head.isascii() and head.isdigit() and len(head) <= HEAD_DIGITS
        chosen = int(head) if is_number else head
        return row_report(found, _text(site, "site"), query=query, layer=layer, head=chosen, media=media)

    return attention


def _answer(
    session: Session, visitor: str, letter: str, conversation: Conversation, settings: Settings
) -> dict[str, Any]:
    run_id = session.answer(visitor, letter, conversation, settings)
    finished = session.store.get(run_id)
    payload = run_payload(run_id, finished)
    named = {"model": session.labels[letter], "run": run_id, "account": payload["account"]}
    return {**run_report(finished.run), **named}


def _compare(session: Session, visitor: str, conversation: Conversation, settings: Settings) -> dict[str, Any]:
    """Both answers by model name; raises the first model's error where neither answers."""
    answers: dict[str, Any] = {}
    errors: list[UserError] = []
    for letter, name in session.labels.items():
        try:
            answers[name] = _answer(session, visitor, letter, conversation, settings)
        except UserError as error:
            answers[name] = {"error": str(error)}
            errors.append(error)
    if len(errors) == len(answers):
        raise errors[0]
    return answers


def _spoken(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The endpoint with its errors as one sentence; ours are logged."""

    @functools.wraps(endpoint)
    def spoken(*args: Any, **kwargs: Any) -> Any:
        try:
            return endpoint(*args, **kwargs)
        except Exception as error:
            raise gr.Error(_told(error, endpoint.__name__), print_exception=False) from None

    return spoken


# --- the inspector's functions ---


def server_functions(session: Session) -> list[ServerFunction]:
    """What the inspector asks from the browser: functions of one dict that answer one, {"error": sentence} where they
    cannot.

    All but example, which wants {"name": ...} and answers run ids by letter, and tour_cost want {"run": id, ...}.
    """
    answers: dict[str, Answer] = {
        "run": lambda posted: session.run(posted.get("run")),
        "figure": lambda posted: figure(session.store.get(posted.get("run")), posted),
        "example": lambda posted: session.example(posted.get("name")),
    }
    for name, question in QUESTIONS.items():
        answers[name] = functools.partial(question, lambda run_id: session.store.get(run_id))
    return [served(name, answer) for name, answer in answers.items()]


def served(name: str, answer: Answer) -> ServerFunction:
    """A function that the browser may call: whatever it is sent, it answers one dict."""

    def answering(posted: Any = None) -> dict[str, Any]:
        try:
            if not isinstance(posted, dict):
                raise PromptError(Sentence.of("{name} takes one object with named values: send it.", name=name))
            return plain(answer(posted))
        except Exception as error:
            return {"error": plain(_told(error, name))}

    answering.__name__ = name
    return answering


# --- what was posted ---


def _told(error: Exception, name: str) -> str:
    if not isinstance(error, UserError):
        log.error("%s failed", name, exc_info=error)
    return sentence(error)


def _visitor(request: gr.Request) -> str:
    return request.session_hash or secrets.token_urlsafe(16)


def _text(value: Any, name: str = "question") -> str:
    if not isinstance(value, str):
        raise PromptError(f"{name} must be text: send a string.")
    return value


def _preset(session: Session, name: Any) -> str:
    """A published model or one of the page's: the library would read any folder, a visitor may not name one."""
    ours = {session.labels[letter].lower(): model for letter, model in session.names.items()}
    known = {**{preset.lower(): preset for preset in PRESETS}, **ours}
    short = _text(name, "preset").rpartition("/")[2].lower().removesuffix("-instruct")
    if short not in known:
        choices = ", ".join((*PRESETS, *session.labels.values()))
        raise PromptError(f"There is no preset of this name: choose one of {choices}.")
    return known[short]


def _paths(media: Any, uploads: Uploads) -> Sequence[Any]:
    """The paths of what Gradio made of posted files, dicts once they are uploaded; a `data:` URL is taken in."""
    if not isinstance(media, list):
        raise PromptError("media must be a list of uploaded files: send an empty list for none.")
    paths = [one.get("path") if isinstance(one, dict) else one for one in media]
    return [uploads.take_in(path) if isinstance(path, str) and path.startswith("data:") else path for path in paths]
