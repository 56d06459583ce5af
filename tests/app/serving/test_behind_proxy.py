"""The page below a path of a proxy: the same files and functions, whether or not the proxy strips its path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.page.page import launch
from app.serving.session import Session
from tests.support.proxy import free_port, proxy

PREFIX = "/lab/qwen"
FILES = (
    "inspector/core/component.js",
    "inspector/core/base.css",
    "plotly.min.js",
    "config",
    "theme.css",
    "favicon.ico",
)


@pytest.fixture(scope="module", params=[PREFIX, f"{PREFIX}/", f"http://pages.example{PREFIX}"])
def port(request: pytest.FixtureRequest, tiny_session: Session) -> Iterator[int]:
    """The page, told by GRADIO_ROOT_PATH where it is seen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_ROOT_PATH", request.param)
        number = free_port()
        options: dict[str, Any] = {
            "server_port": number,
            "prevent_thread_lock": True,
            "quiet": True,
            "mcp_server": True,
        }
        app, _, _ = launch(tiny_session, prepare=False, **options)
    yield number
    app.get_blocks().close(verbose=False)


@pytest.mark.parametrize("strip", [True, False])
def test_every_file_is_found_below_the_path(port: int, strip: bool) -> None:
    with proxy(port, PREFIX, strip=strip) as address, httpx.Client(base_url=address, timeout=60) as client:
        for name in FILES:
            assert client.get(name).status_code == 200, name
        assert client.get("inspector/core/none.js").status_code == 404
        assert client.get("inspector/..%2f..%2f__main__.py").status_code == 404
        called = client.post("gradio_api/call/plan", json={"data": [[], "Qwen2-VL-7B", None, None, None, None, "Hi"]})
        assert called.status_code == 200
        told = client.get(f"gradio_api/call/plan/{called.json()['event_id']}").text
        assert "event: complete" in told
        begun = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        accepts = {"accept": "application/json, text/event-stream"}
        assert '"plan"' in client.post("gradio_api/mcp/", json=begun, headers=accepts).text


@pytest.mark.parametrize("strip", [True, False])
@pytest.mark.parametrize("slash", [True, False])
def test_the_page_says_where_it_stands(port: int, strip: bool, slash: bool) -> None:
    with proxy(port, PREFIX, strip=strip) as address:
        asked = httpx.get(address if slash else address.rstrip("/"), follow_redirects=True)
        assert asked.status_code == 200
        assert str(asked.url).rstrip("/") == address.rstrip("/")
        (base,) = re.findall(r'<base href="([^"]*)"', asked.text)
        assert base in (f"{PREFIX}/", f"http://pages.example{PREFIX}/")
        links = asked.text.replace(f'<base href="{base}"', "")
        assert not re.search(r'(href|src)="/', links)  # nothing from the root, which is not ours
        assert int(asked.headers.get("content-length", len(asked.content))) == len(asked.content)


def test_without_a_path_nothing_changes(tiny_session: Session) -> None:
    port = free_port()
    app, url, _ = launch(tiny_session, prepare=False, server_port=port, prevent_thread_lock=True, quiet=True)
    try:
        assert '<base href="./" />' in httpx.get(url).text
        space = {
            "x-forwarded-host": "someone-inside.hf.space",
            "x-forwarded-proto": "https",
        }  # as hosted spaces send it
        assert '"root":"https://someone-inside.hf.space"' in httpx.get(url, headers=space).text
    finally:
        app.get_blocks().close(verbose=False)
