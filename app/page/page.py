"""Assembles the page from top bar, rail and inspector; what it does stands in the session."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from app.exports.route import export_route
from app.page.events import Events
from app.page.inspector import inspector
from app.page.planner_page import planner_page, planner_rail
from app.page.rail import build_rail
from app.page.screen import Screen
from app.page.topbar import topbar_value
from app.serving import frontend
from app.serving.api import register_api
from app.serving.behind_proxy import BehindProxy
from app.serving.doors import Doors, Guard, doors
from app.serving.mcp_tools import tools_in_json
from app.serving.session import Session
from qwenvl.errors import UserError

TITLE = "Inside Qwen-VL"
MAX_FILE_SIZE = "200mb"
AT_ONCE = 8  # calls of one event
UPLOADS_KEPT = (3600, 86_400)  # seconds: how often to look, and how old an upload may get


def build(session: Session) -> gr.Blocks:
    """The page over a session, not yet served."""
    examples, weights = session.examples(), session.weights()
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=UPLOADS_KEPT) as demo:
        topbar = frontend.own_component(
            "rail/topbar", events="example", elem_id="topbar", value=topbar_value(examples, weights, None)
        )
        with gr.Row(elem_id="page-row"):
            with gr.Column(elem_id="rail"):
                rail = build_rail(session.choice(), session.defaults())
                planner_rail()
            with gr.Column(elem_id="main"):
                view = inspector(session)
            with gr.Column(elem_id="planner"):
                planner_page(rail)
        uploads = register_api(session)
        Events(Screen(session, rail, topbar, view, examples, weights), uploads).connect(demo)
    return demo


def launch(session: Session, *, prepare: bool = True, admitted: Doors | None = None, **options: Any) -> Any:
    """Serve the page on this machine alone; GRADIO_SERVER_NAME and GRADIO_SERVER_PORT are Gradio's own to read.

    Args:
        session: what answers.
        prepare: make the runs of all examples meanwhile, so that a chip loads at once; of the shipped models alone.
        admitted: who may ask; by the environment where left out.
        options: more of Gradio's own for `launch`.
    """
    # Not by `queue(default_concurrency_limit=...)`, which builds Gradio's whole server once more.
    os.environ.setdefault("GRADIO_DEFAULT_CONCURRENCY_LIMIT", str(AT_ONCE))
    demo = build(session)
    if prepare and session.are_shipped():  # large ones are asked when somebody asks
        threading.Thread(target=prepare_examples, args=(session,), name="prepare", daemon=True).start()
    return demo.launch(
        theme=frontend.theme(),
        head=frontend.head(),
        app_kwargs={
            "routes": [*frontend.routes(), export_route(session)],
            "middleware": [Middleware(BehindProxy), Middleware(Guard, admitted=admitted or doors())],
            "lifespan": tools_in_json(demo),
        },
        run_history=False,
        footer_links=["api"],
        max_file_size=MAX_FILE_SIZE,
        show_error=False,  # ours are shown all the same; words of others may hold paths of this machine
        share=False,
        ssr_mode=False,
        **options,
    )


def prepare_examples(session: Session) -> None:
    """Make every example's runs, the first screen's first; one that fails says so when it is chosen."""
    for example in session.examples():
        with contextlib.suppress(UserError):
            session.example(example["name"])
