"""The page: top bar, rail and inspector, put together and connected. Thin: what it does stands in `session`."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from app import frontend
from app.api import register_api
from app.events import Events, topbar_value
from app.inspector import inspector
from app.rail import build_rail
from app.session import Session

TITLE = "Inside Qwen-VL"
MAX_FILE_SIZE = "200mb"


def build(session: Session) -> gr.Blocks:
    """The page over a session, not yet served."""
    cards = session.model_cards()
    examples, words = session.examples(), badge(cards)
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as demo:
        topbar = frontend.own_component(
            "rail/topbar", events="example", elem_id="topbar", value=topbar_value(examples, words, None)
        )
        with gr.Row(elem_id="page-row"):
            with gr.Column(elem_id="rail"):
                rail = build_rail(cards, session.defaults())
            with gr.Column(elem_id="main"):
                view = inspector(session)
        uploads = register_api(session)
        Events(session, uploads, rail, topbar, view, examples, words).connect(demo)
    return demo


def launch(session: Session, **options: Any) -> Any:
    """Serve the page on this machine alone; GRADIO_SERVER_NAME and GRADIO_SERVER_PORT are Gradio's own to read."""
    demo = build(session)
    threading.Thread(target=session.warm, name="warm", daemon=True).start()
    return demo.queue(default_concurrency_limit=8).launch(
        theme=frontend.theme(),
        head=frontend.head(),
        app_kwargs={"routes": frontend.routes()},
        run_history=False,
        footer_links=["api"],
        max_file_size=MAX_FILE_SIZE,
        show_error=True,
        share=False,
        ssr_mode=False,
        **options,
    )


def badge(cards: Sequence[Mapping[str, Any]]) -> str:
    """What the page says about its weights, always visible."""
    if any(not card["trained"] for card in cards):
        return "Untrained demo weights"
    if any(card["size_label"] == "tiny" for card in cards):
        return "Tiny demo weights"
    return " · ".join(card["title"] for card in cards)
