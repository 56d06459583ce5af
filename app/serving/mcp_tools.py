"""Answers the tools of the MCP server in JSON, as text and as structured content.

Gradio 6.31 hands a tool's dict to its client as `str(dict)`, which no JSON parser reads. Here the dict is written as
JSON before, and read again into the answer's structured content, as the protocol has it (MCP 2025-06-18, tools).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import gradio as gr


def tools_in_json(demo: gr.Blocks) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """A lifespan for the app of these Blocks: the MCP server, where there is one, is there when it begins."""

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        if demo.mcp_server_obj is not None:
            _write_json(demo.mcp_server_obj)
            _add_structure(demo.mcp_server_obj.mcp_server)
        yield

    return lifespan


def _write_json(server: Any) -> None:
    written = server.postprocess_output_data

    def in_json(data: Any, root_url: str) -> Any:
        texts = [json.dumps(one, ensure_ascii=False) if isinstance(one, dict) else one for one in data]
        return written(texts, root_url)

    server.postprocess_output_data = in_json


def _add_structure(server: Any) -> None:
    from mcp.types import CallToolRequest

    call = server.request_handlers[CallToolRequest]

    async def answer(request: Any) -> Any:
        answered = await call(request)
        result = answered.root
        if not result.isError:
            result.structuredContent = json.loads(result.content[0].text)
        return answered

    server.request_handlers[CallToolRequest] = answer
