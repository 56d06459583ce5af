"""Defines the rail, where a question is asked: Gradio's components, and ours for media and pixel budget."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from app.asking.conversation import Settings
from app.asking.model_choice import ModelMenu
from app.page.draft import Draft
from app.page.form import Form
from app.serving.frontend import own_component
from app.serving.wire import plain

NEW, FOLLOW_UP = "new", "follow"
MIN_PIXELS = 3136


@dataclass(frozen=True)
class Rail:
    """The components of the rail that events read and write."""

    draft: gr.State
    answered: gr.State  # what has just been answered, until the rail has taken it in
    media: gr.HTML
    replace: gr.UploadButton
    add: gr.UploadButton
    notice: gr.HTML
    turn_kind: gr.Radio
    turns: gr.HTML
    question: gr.Textbox
    ask: gr.Button
    stop: gr.Button
    system: gr.Textbox
    temperature: gr.Slider
    top_p: gr.Slider
    seed: gr.Number
    length: gr.Slider
    budget: gr.HTML
    clip: gr.HTML
    models: gr.HTML
    keeps: gr.HTML

    @property
    def form(self) -> set[Any]:
        """The components that a `Form` is read from."""
        return {self.draft, self.question, self.system, self.budget}

    @property
    def settings(self) -> set[Any]:
        """The components that say how to answer, beside the pixel budget of the form."""
        return {self.temperature, self.top_p, self.seed, self.length}

    def read(self, given: Mapping[Any, Any]) -> Form:
        """What stands in the components of `form`."""
        return Form(given[self.draft], given[self.question], given[self.system], given[self.budget])

    def read_settings(self, given: Mapping[Any, Any]) -> Settings:
        """What stands in the components of `form` and `settings` about how to answer."""
        form = self.read(given)
        return Settings(
            temperature=given[self.temperature],
            top_p=given[self.top_p],
            seed=int(given[self.seed] or 0),
            max_new_tokens=int(given[self.length]),
            min_pixels=form.budget["min"],
            max_pixels=form.budget["max"],
            keep=form.draft.keep,
        )


def build_rail(choice: ModelMenu, defaults: Mapping[str, Any]) -> Rail:
    """Lay the rail out, top to bottom in the order of use.

    Args:
        choice: of models: `value` by letter, what is `offered`, and whether a `hub` id may be typed.
        defaults: of the settings.
    """
    media, replace, add, notice = _pictures()
    own_component("rail/record", elem_id="record")
    clip = own_component("rail/clip", elem_id="clip", value={}, result=None)
    turn_kind, turns, question = _question()
    models = own_component("rail/models", elem_id="models", **choice)
    budget = own_component(
        "rail/budget",
        elem_id="budget",
        value={"min": defaults["min_pixels"] or MIN_PIXELS, "max": defaults["max_pixels"]},
        result=None,
    )
    ask, stop = _buttons()
    system, temperature, top_p, seed, length = _more(defaults)
    keeps = own_component("rail/keeps", elem_id="keeps", value={"keep": "all"})
    return Rail(
        draft=gr.State(Draft()),
        answered=gr.State(None),
        media=media,
        replace=replace,
        add=add,
        notice=notice,
        turn_kind=turn_kind,
        turns=turns,
        question=question,
        ask=ask,
        stop=stop,
        system=system,
        temperature=temperature,
        top_p=top_p,
        seed=seed,
        length=length,
        budget=budget,
        clip=clip,
        models=models,
        keeps=keeps,
    )


def _pictures() -> tuple[gr.HTML, gr.UploadButton, gr.UploadButton, gr.HTML]:
    media = own_component("rail/media", events="remove", elem_id="media", value={"items": []})
    with gr.Row(elem_id="upload-row"):
        # No file types: a browser's guess by the name of a file is not ours to refuse by.
        replace = gr.UploadButton("Replace", file_count="multiple", elem_id="replace-media")
        add = gr.UploadButton("Add another", file_count="multiple", elem_id="add-media")
    return media, replace, add, gr.HTML("", elem_id="notice", apply_default_css=False, visible=False)


def _question() -> tuple[gr.Radio, gr.HTML, gr.Textbox]:
    turn_kind = gr.Radio(
        [("New question", NEW), ("Follow-up", FOLLOW_UP)],
        value=NEW,
        show_label=False,
        container=False,
        visible=False,
        elem_id="turn-kind",
    )
    turns = gr.HTML("", visible=False, apply_default_css=False)
    question = gr.Textbox(label="Question", lines=2, max_lines=6, elem_id="question", placeholder="What do you see?")
    return turn_kind, turns, question


def _buttons() -> tuple[gr.Button, gr.Button]:
    with gr.Row(elem_id="ask-row"):
        ask = gr.Button("Ask both", elem_id="ask", variant="primary")
        stop = gr.Button("Stop", elem_id="stop", interactive=False)
    return ask, stop


def _more(defaults: Mapping[str, Any]) -> tuple[gr.Textbox, gr.Slider, gr.Slider, gr.Number, gr.Slider]:
    with gr.Accordion("System prompt and generation", open=False, elem_id="more"):
        system = gr.Textbox(label="System prompt", lines=2, max_lines=6, placeholder="The model's own")
        temperature = gr.Slider(0, 2, defaults["temperature"] or 0, step=0.05, label="Temperature, 0 is greedy")
        top_p = gr.Slider(0.05, 1, defaults["top_p"] or 1, step=0.05, label="Top-p")
        length = gr.Slider(1, 512, defaults["max_new_tokens"], step=1, label="Length, tokens at most")
        seed = gr.Number(defaults["seed"], precision=0, minimum=0, label="Seed", elem_id="seed")
    return system, temperature, top_p, seed, length


def notice_html(title: str, sentence: str, *, calm: bool = False) -> str:
    """A card with one sentence, in place."""
    role = "status" if calm else "alert"
    kept = escape(json.dumps(plain(sentence), ensure_ascii=False))  # for the page's own language
    body = f'<b>{escape(title)}</b><span data-sentence="{kept}">{escape(sentence)}</span>'
    return f'<div class="rail-error{" calm" if calm else ""}" data-part="rail-error" role="{role}">{body}</div>'


def notice(title: str, sentence: str, *, calm: bool = False) -> gr.HTML:
    """The place for one sentence, with it."""
    return gr.HTML(notice_html(title, sentence, calm=calm), visible=True)


def no_notice() -> gr.HTML:
    """The same place, empty."""
    return gr.HTML("", visible=False)


def turns_html(questions: Sequence[str]) -> str:
    """The questions that a follow-up follows."""
    items = "".join(f"<li title='{escape(text)}'>{escape(text)}</li>" for text in questions)
    return f'<ol class="turns">{items}</ol>'
