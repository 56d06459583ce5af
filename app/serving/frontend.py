"""Serves the browser's part: static files, plotly's own script and the theme, with no request to outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import plotly
from starlette.responses import FileResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from viz.theme import DARK, LIGHT

STATIC = Path(__file__).parents[1] / "static"
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
CASCADE = ("core", "drawing", "rail", "shell", "planner", "tour", "views", "frozen")  # folders, the shared ones first
SANS = ("-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Liberation Sans", "Arial", "system-ui", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

# Before the first paint, so that a dark page never flashes light.
RESTORE_THEME = """
document.addEventListener("DOMContentLoaded", () => {
  try {
    if (localStorage.getItem("inside-qwen-vl-theme") === "dark") document.body.classList.add("dark");
  } catch { /* no storage: the page follows the system */ }
});
"""


def head() -> str:
    """Links for the page's <head>: relative, so that they hold behind a proxy's path too."""
    links = [f'<link rel="stylesheet" href="inspector/{name}">' for name in styles()]
    return "\n".join([*links, f"<script>{RESTORE_THEME}</script>"])


def styles() -> list[str]:
    """Paths of our style sheets below `STATIC`, in the order of the cascade: in a folder the file of its name first."""
    found = [path.relative_to(STATIC) for path in STATIC.rglob("*.css")]
    place = {path: (CASCADE.index(path.parts[0]), path.parent, path.stem != path.parent.name, path) for path in found}
    return [path.as_posix() for path in sorted(found, key=place.__getitem__)]


def routes() -> list[Mount | Route]:
    """What the server serves besides Gradio: our files, and plotly's bundled script."""
    return [
        Mount("/inspector", StaticFiles(directory=STATIC)),
        Route("/plotly.min.js", lambda _: FileResponse(PLOTLY, media_type="text/javascript")),
    ]


def own_component(module: str, *, events: str = "", **more: Any) -> gr.HTML:
    """A component that one of our modules draws into: `mount(element, {props, trigger, watch, server, signal})`.

    Args:
        module: path below static, without its suffix.
        events: names of custom events that it triggers; Gradio knows an event by its name in quotes in the script.
        more: value, element id, server functions and props of `gr.HTML`.
    """
    named = "".join(f"'{name}';" for name in events.split())
    script = (
        f"{named}const ours = (name) => import(new URL(`inspector/${{name}}.js`, document.baseURI).href);"
        f"Promise.all([ours('core/component'), ours('{module}')])"
        ".then(([{ mountIn }, module]) => mountIn(element, { props, trigger, watch, server }, module));"
    )
    return gr.HTML(html_template='<div class="own"></div>', js_on_load=script, apply_default_css=False, **more)


def theme() -> gr.themes.Base:
    """Gradio's variables in the page's colours; local fonts only."""
    return gr.themes.Base(font=SANS, font_mono=MONO).set(
        body_background_fill="#f6f7f9",
        body_background_fill_dark="#0e1014",
        background_fill_primary=LIGHT.surface,
        background_fill_primary_dark=DARK.surface,
        background_fill_secondary=LIGHT.well,
        background_fill_secondary_dark=DARK.well,
        border_color_primary=LIGHT.line,
        border_color_primary_dark=DARK.line,
        body_text_color=LIGHT.text,
        body_text_color_dark=DARK.text,
        body_text_color_subdued=LIGHT.subdued,
        body_text_color_subdued_dark=DARK.subdued,
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        input_background_fill=LIGHT.surface,
        input_background_fill_dark=DARK.surface,
        slider_color="#1b1f27",
        slider_color_dark="#e9ebef",
        loader_color="#1b1f27",
        loader_color_dark="#e9ebef",
    )
