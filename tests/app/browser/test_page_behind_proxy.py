"""The page below a path of a proxy, by itself and in a frame of somebody else's page."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.page.page import launch
from app.serving.doors import doors
from app.serving.session import Session
from tests.app.browser.conftest import Visitor
from tests.support.proxy import free_port, proxy

PREFIX = "/lab/qwen"

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def port(tiny_session: Session) -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_ROOT_PATH", PREFIX)
        number = free_port()
        admitted = doors(framed_by=["http://localhost:*"])
        options: dict[str, Any] = {"server_port": number, "prevent_thread_lock": True, "quiet": True}
        app, _, _ = launch(tiny_session, prepare=False, admitted=admitted, **options)
    yield number
    app.get_blocks().close(verbose=False)


@pytest.mark.parametrize("strip", [True, False])
@pytest.mark.parametrize("slash", [True, False])
def test_everything_works_below_the_path(
    strip: bool, slash: bool, port: int, context: Any, tiny_session: Session, photo: Path
) -> None:
    with proxy(port, PREFIX, strip=strip) as address:
        page = context.new_page()
        visitor = Visitor(page, address if slash else address.rstrip("/"), tiny_session)
        visitor.open()
        visitor.upload(photo)
        visitor.ask("What is this?")
        assert visitor.run("B").media[0].name == "photo.png"
        visitor.view("Vision")
        page.click("[data-part~=export-button]")
        with page.expect_download() as saved:
            page.click('[data-part~=export-items] [data-kind="page"]')
        assert Path(saved.value.path()).stat().st_size > 10_000
        visitor.open("?show=planner")
        page.wait_for_function("() => document.querySelector('[data-part~=planner] h2')?.textContent.includes('token')")
        assert visitor.outside == []
        assert visitor.complaints == []
        page.close()


@pytest.fixture
def others_page(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Serves a page of another origin, whose body is given."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def serve(body: str) -> str:
            (tmp_path / "index.html").write_text(f"<!doctype html><body>{body}</body>", encoding="utf-8")
            return f"http://localhost:{server.server_address[1]}/"

        yield serve
        server.shutdown()


def test_it_works_in_a_frame_of_another_page(port: int, context: Any, others_page: Callable[[str], str]) -> None:
    with proxy(port, PREFIX, strip=True) as address:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(others_page(f'<iframe src="{address}" style="width:1400px;height:900px"></iframe>'))
        frame = page.frame_locator("iframe")
        frame.locator("[data-part~=head-card][data-letter=A] [data-part~=word]").first.click()
        frame.locator("#question textarea").fill("What is this?")
        frame.locator("#ask").click()
        page.frames[1].wait_for_function("() => window.__inspector.state.runs.A?.question === 'What is this?'")
        page.close()


def test_no_other_site_may_frame_it_unasked(served: str, context: Any, others_page: Callable[[str], str]) -> None:
    page = context.new_page()
    with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
        page.goto(others_page(f'<iframe src="{served}"></iframe>'))
    page.close()
