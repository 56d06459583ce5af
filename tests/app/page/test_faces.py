"""One engine: the library, the command line, the endpoints and the MCP tools give the same answers."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

import qwenvl
from app.page.page import launch
from app.serving.session import Session
from qwenvl.cli.main import main
from qwenvl.inference.report import row_report, run_report

QUESTION = "What shape is the green object?"
PICTURE = Path(__file__).parents[3] / "app" / "examples" / "shapes.png"
UNLIKE = ("seconds", "run", "account", "model")  # a stop-watch, and what the page alone knows


@pytest.fixture(scope="module")
def address(tiny_session: Session) -> Iterator[str]:
    """The whole page with its MCP server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {"server_port": port, "prevent_thread_lock": True, "quiet": True, "mcp_server": True}
    app, url, _ = launch(tiny_session, prepare=False, **options)
    yield url
    app.get_blocks().close()


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False)


def asked_of_the_library(model: str) -> Any:
    content = [{"type": "image", "image": str(PICTURE)}, {"type": "text", "text": QUESTION}]
    return qwenvl.load(model).run([{"role": "user", "content": content}], temperature=0, seed=0, max_new_tokens=64)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """What a command prints as JSON."""
    assert main([*arguments, "--json", "--quiet"]) == 0
    return json.loads(capsys.readouterr().out)


def without(report: dict[str, Any], *more: str) -> dict[str, Any]:
    """A report but for what may differ: names of media, times, and settings that say nothing."""
    kept = {name: value for name, value in report.items() if name not in (*UNLIKE, *more)}
    kept["settings"] = {name: value for name, value in kept["settings"].items() if value is not None}
    return json.loads(json.dumps(kept))


def call_tool(address: str, name: str, **arguments: Any) -> Any:
    """What a tool of the MCP server answers, with the names of all tools."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def call() -> tuple[Any, dict[str, Any]]:
        async with (
            streamable_http_client(f"{address}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = await session.list_tools()
            answer = await session.call_tool(name, arguments) if name else None
            return answer, {tool.name: tool for tool in tools.tools}

    # On a thread of its own: the browser's driver keeps a loop running in this one.
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, call()).result()


def read(answer: Any) -> Any:
    """A tool's answer, which is JSON as text and as structured content."""
    (content,) = answer.content
    told = json.loads(content.text)
    assert answer.structuredContent == told
    return told


def data_url(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def test_plan_is_one_answer(client: Client, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    limits = {"max_pixels": 200_704}
    expected = json.loads(json.dumps(qwenvl.plan([str(PICTURE)], "Qwen2-VL-7B", **limits).to_json()))
    (told,) = said(capsys, "plan", str(PICTURE), "--together", "--of", "Qwen2-VL-7B", "--max-pixels", "200704")
    assert told == expected
    posted = {"media": [handle_file(PICTURE)], "preset": "Qwen2-VL-7B", **limits}
    assert client.predict(**posted, api_name="/plan") == expected
    answer, _ = call_tool(address, "plan", media=[data_url(PICTURE)], preset="Qwen2-VL-7B", **limits)
    assert not answer.isError
    told = read(answer)
    assert told["media"][0].pop("name").startswith("inline")
    for found in (told, expected):
        found["media"][0].pop("name", None)
        for words in ("sentence", "steps", "limits", "suggestions"):  # which name the file
            found.pop(words)
    assert told == expected


def test_ask_is_one_answer(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    expected = run_report(asked_of_the_library("tiny-qwen2-vl"))
    told = said(capsys, "ask", QUESTION, "--about", str(PICTURE), "--of", "tiny-qwen2-vl")
    assert without(told) == without(expected)
    posted = client.predict([handle_file(PICTURE)], QUESTION, "tiny-qwen2-vl", api_name="/ask")
    assert without(posted) == without(expected)
    assert posted["model"] == told["model"] == expected["model"] == "tiny-qwen2-vl"


@pytest.mark.slow
def test_compare_is_one_answer(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    posted = client.predict([handle_file(PICTURE)], QUESTION, api_name="/compare")
    told = said(capsys, "compare", QUESTION, "--about", str(PICTURE))["models"]
    assert list(posted) == list(told)
    for name in told:
        expected = without(run_report(asked_of_the_library(name)))
        assert without(told[name], "words") == expected
        assert without(posted[name]) == expected


@pytest.mark.slow
def test_attention_is_one_answer(
    client: Client, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "shapes.run"
    assert main(["trace", QUESTION, "--about", str(PICTURE), "--of", "tiny-qwen-vl", "--into", str(path)]) == 0
    capsys.readouterr()
    run = qwenvl.Run.load(path)
    answer = client.predict([handle_file(PICTURE)], QUESTION, "A", api_name="/ask")
    rows = [("language", run.answer_start, 2, "1"), ("vision", 17, 1, "mean"), ("adapter", 40, None, "0")]
    for site, query, layer, head in rows:
        chosen: Any = head if head == "mean" else int(head)
        expected = row_report(run, site, query=query, layer=layer, head=chosen)
        layers = [] if layer is None else ["--layer", str(layer)]
        asked = ["look", str(path), "--site", site, "--query", str(query), "--head", head, *layers]
        assert said(capsys, *asked) == expected
        given = {"run": answer["run"], "site": site, "query": query, "layer": layer, "head": head, "media": 0}
        posted = client.predict(**given, api_name="/attention")
        assert posted.pop("row") == pytest.approx(expected["row"], abs=1e-6)
        assert posted.pop("share") == pytest.approx(expected["share"], abs=1e-6)
        assert posted == {name: value for name, value in expected.items() if name not in ("row", "share")}
    tool, _ = call_tool(address, "attention", run=answer["run"], site="vision", query=17, layer=1)
    assert read(tool)["row"] == pytest.approx(row_report(run, "vision", query=17, layer=1)["row"], abs=1e-6)


def test_the_tools_are_the_endpoints_and_say_what_they_take(address: str) -> None:
    _, tools = call_tool(address, "")
    assert sorted(tools) == ["ask", "attention", "compare", "plan"]
    for tool in tools.values():
        assert tool.description
        assert all("description" in argument for argument in tool.inputSchema["properties"].values()), tool.name
    assert set(tools["attention"].inputSchema["required"]) == {"run", "site", "query"}


@pytest.mark.parametrize(
    ("media", "words"),
    [
        (["data:image/png;base64,@@@"], "encode it again"),
        (["data:image/png,plain"], "upload it instead"),
        (["data:image/png;base64,iVBORw0KGgo="], "inline.png is not a picture"),
        (["/etc/passwd"], "upload it here first"),
    ],
)
def test_a_tool_refuses_what_is_no_file_in_a_sentence(address: str, media: list[str], words: str) -> None:
    answer, _ = call_tool(address, "plan", media=media)
    assert answer.isError
    assert words in answer.content[0].text
    assert "Traceback" not in answer.content[0].text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"run": "invented"}, "no longer kept"),
        ({"site": "nowhere"}, "There is no site 'nowhere'"),
        ({"query": 10**6}, "Token 1000000 does not exist"),
        ({"layer": 99}, "Language layer 99 does not exist"),
        ({"head": "all"}, "head is a number or 'mean'"),
        ({"head": "99"}, "Language head 99 does not exist"),
        ({"media": 7}, "Media 7 does not exist"),
    ],
)
def test_a_row_that_is_not_there_is_one_sentence(client: Client, given: dict[str, Any], words: str) -> None:
    run = client.predict([handle_file(PICTURE)], "Hi?", "B", 1, api_name="/ask")["run"]
    asked = {"run": run, "site": "language", "query": 3, "layer": 0, "head": "mean", "media": 0, **given}
    with pytest.raises(AppError, match=words):
        client.predict(**asked, api_name="/attention")
