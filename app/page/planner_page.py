"""Defines the Planner's page: a component that the rail shows in place of the inspector."""

from __future__ import annotations

import gradio as gr

from app.costs.planner import Files, functions
from app.page.draft import Draft
from app.page.events import NOW
from app.page.rail import Rail
from app.serving.api import served
from app.serving.frontend import own_component
from qwenvl.errors import UserError
from qwenvl.models.config import PRESETS
from qwenvl.plan import PUBLISHED, parameters_by_part


def planner_rail() -> gr.HTML:
    """The models to plan for, and what is assumed of the words; it stands in the rail while the Planner is open."""
    counts = {name: sum(parameters_by_part(PRESETS[name]).values()) for name in PUBLISHED}
    return own_component("planner/rail", elem_id="planner-rail", value={"models": counts})


def planner_page(rail: Rail) -> gr.HTML:
    """The page, empty until it is opened and asks for the files of the rail."""
    files = Files()
    answers = [served(name, answer) for name, answer in functions(files).items()]
    page = own_component(
        "planner/page", elem_id="planner-page", events="opened", value={"files": []}, server_functions=answers
    )

    def opened(draft: Draft) -> gr.HTML:
        """The files of the rail as they stand, by ids that the page may plan."""
        try:
            return gr.HTML(value={"files": files.give(draft.shown)})
        except UserError as error:
            return gr.HTML(value={"files": [], "error": str(error)})

    page.opened(opened, rail.draft, page, trigger_mode="always_last", **NOW)
    return page
