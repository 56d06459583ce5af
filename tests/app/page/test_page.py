"""What the page does before it is there: it builds Gradio's server as often as Gradio does, and imports no figures."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from gradio.routes import App

from app.page.page import AT_ONCE, launch
from app.serving.session import Session


def test_the_server_is_built_three_times_which_gradio_does_by_itself(
    tiny_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRADIO_DEFAULT_CONCURRENCY_LIMIT", raising=False)
    made: list[int] = []
    create = App.create_app
    monkeypatch.setattr(
        App, "create_app", staticmethod(lambda *given, **more: (made.append(1), create(*given, **more))[1])
    )
    app, _, _ = launch(tiny_session, prepare=False, prevent_thread_lock=True, quiet=True)
    blocks: Any = app.get_blocks()
    blocks.close(verbose=False)
    assert len(made) == 3
    assert blocks._queue.default_concurrency_limit == AT_ONCE


def test_the_page_brings_in_what_draws_figures_only_when_one_is_asked_for() -> None:
    told = "import json, sys\nimport app.page.page\nprint(json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    modules = json.loads(done.stdout.splitlines()[-1])
    assert [name for name in ("matplotlib.axes", "plotly.graph_objects", "av", "transformers") if name in modules] == []
