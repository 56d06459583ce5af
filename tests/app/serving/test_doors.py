"""What a page of another site, or a stranger, tries at the server's doors, and what every answer says to a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.page.page import launch
from app.serving.doors import Doors, doors, host_name
from app.serving.session import Session
from tests.support.proxy import free_port

EVIL = "https://evil.example"
TOOLS = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
MCP = {"accept": "application/json, text/event-stream"}
POSTS: dict[str, dict[str, Any]] = {
    "gradio_api/call/plan": {"json": {"data": [[], "Qwen2-VL-7B", None, None, None, None, "Hi"]}},
    "gradio_api/queue/join": {"json": {"data": []}},
    "gradio_api/component_server": {"json": {"data": []}},
    "gradio_api/upload": {"files": {"files": ("a.png", b"abc")}},
    "gradio_api/mcp/": {"json": TOOLS, "headers": MCP},
    "export": {"json": {"kind": "none"}},
}


@pytest.fixture(scope="module")
def url(tiny_session: Session) -> Iterator[str]:
    options: dict[str, Any] = {"server_port": free_port(), "prevent_thread_lock": True, "quiet": True}
    admitted = doors(["lab.example"], environment={})
    app, url, _ = launch(tiny_session, prepare=False, admitted=admitted, mcp_server=True, **options)
    yield url
    app.get_blocks().close(verbose=False)


@pytest.mark.parametrize("name", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "192.168.0.7", ""])
def test_a_foreign_name_is_refused(url: str, name: str) -> None:
    for path in ("", "config", "inspector/core/base.css", "gradio_api/info"):
        assert httpx.get(url + path, headers={"host": name}).status_code == 421


@pytest.mark.parametrize(
    "name", ["localhost:1", "LOCALHOST", "127.0.0.1:9", "[::1]:7860", "lab.example", "lab.example:8443"]
)
def test_its_own_names_are_admitted(url: str, name: str) -> None:
    assert httpx.get(url + "config", headers={"host": name}).status_code == 200


@pytest.mark.parametrize("origin", [EVIL, "null", "http://localhost:1", "http://lab.example.evil.example", "file://"])
@pytest.mark.parametrize("path", POSTS)
def test_a_foreign_page_posts_nothing(url: str, path: str, origin: str) -> None:
    asked = {**POSTS[path], "headers": {**POSTS[path].get("headers", {}), "origin": origin}}
    answer = httpx.post(url + path, timeout=60, **asked)
    assert answer.status_code == 403
    assert "--host" in answer.text


@pytest.mark.parametrize("origin", [None, "own", "https://lab.example"])
def test_its_own_pages_and_scripts_post(url: str, origin: str | None) -> None:
    own = url.rstrip("/") if origin == "own" else origin
    for path in ("gradio_api/call/plan", "gradio_api/upload", "gradio_api/mcp/", "export"):
        asked = {**POSTS[path], "headers": POSTS[path].get("headers", {}) | ({"origin": own} if own else {})}
        assert httpx.post(url + path, timeout=60, **asked).status_code == 200, path


@pytest.mark.parametrize(
    "path",
    ["monitoring", "monitoring/summary", "openapi.json", "docs", "redoc", "dev/reload", "proxy=https://a.hf.space/"],
)
def test_routes_that_nobody_needs_are_shut(url: str, path: str) -> None:
    for prefix in ("", "gradio_api/"):
        assert httpx.get(url + prefix + path).status_code == 404


def test_every_answer_tells_the_browser_what_it_may(url: str) -> None:
    refused = httpx.get(url, headers={"host": "evil.example"})
    for answer in (httpx.get(url), httpx.get(url + "inspector/core/base.css"), httpx.get(url + "none"), refused):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == "'self'"
        assert not any("http" in sources or "*" in sources for sources in policy.values())


@pytest.mark.parametrize("path", ["x.png", "/etc/passwd", "../x.png"])
def test_a_refusal_prints_no_path_of_the_server(url: str, path: str) -> None:
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    data = [[file], "Qwen2-VL-7B", None, None, None, None, "Hi"]
    called = httpx.post(url + "gradio_api/call/plan", json={"data": data}, timeout=60)
    told = httpx.get(f"{url}gradio_api/call/plan/{called.json()['event_id']}", timeout=60).text
    assert "event: error" in told
    assert str(Path.cwd()) not in told
    assert "passwd" not in told


def test_who_is_named_by_the_environment() -> None:
    assert doors(environment={}) == Doors()
    space = doors(environment={"SPACE_HOST": "someone-inside.hf.space", "GRADIO_SERVER_NAME": "0.0.0.0"})
    assert space.admits("someone-inside.hf.space")
    assert space.admits("10.0.0.3:7860")  # as a probe of the host asks
    assert not space.admits("other.hf.space")
    assert space.is_own("https://someone-inside.hf.space", "127.0.0.1:7860")
    assert "https://huggingface.co" in space.headers()["Content-Security-Policy"]
    bound = doors(environment={"GRADIO_SERVER_NAME": "box.lan"})
    assert bound.admits("box.lan:7860")
    assert not bound.admits("evil.example")
    below = doors(environment={"GRADIO_ROOT_PATH": "https://pages.example/lab/qwen"})
    assert below.admits("pages.example")
    framed = doors(framed_by=["https://wiki.example"], environment={})
    assert framed.headers()["Content-Security-Policy"].endswith("frame-ancestors 'self' https://wiki.example")


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("A.example:80", "a.example"),
        ("[::1]:80", "::1"),
        ("::1", "::1"),
        ("[", ""),
        ("", ""),
        ("a.example.", "a.example"),
    ],
)
def test_a_host_without_its_port(host: str, name: str) -> None:
    assert host_name(host) == name
