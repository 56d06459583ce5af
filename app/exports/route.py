"""Serves exports over HTTP: one POST of JSON, answered by a file or by one sentence."""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.asking.failures import sentence
from app.exports.files import export_file
from app.serving.session import Session
from qwenvl.errors import PromptError, UserError

MAX_REQUEST_BYTES = 1 << 20

log = logging.getLogger(__name__)


def export_route(session: Session) -> Route:
    """POST /export; what it takes is `export_file`'s `asked`. A refusal is {"error": sentence}, as everywhere."""

    async def answer(request: Request) -> Response:
        try:
            asked = _read(await _body(request))
            file = await run_in_threadpool(export_file, session, asked)
        except Exception as error:
            if not isinstance(error, UserError):
                log.exception("an export failed")
            return JSONResponse({"error": sentence(error)})
        named = f"attachment; filename*=UTF-8''{quote(file.name)}"
        headers = {"Content-Disposition": named, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return Response(file.content, media_type=file.media_type, headers=headers)

    return Route("/export", answer, methods=["POST"])


async def _body(request: Request) -> bytes:
    """What was posted, read no further than its limit."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_REQUEST_BYTES:
            raise PromptError("This request is too large for an export: reload the page and try again.")
    return bytes(body)


def _read(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise PromptError("An export takes one JSON object with named values: send it.")
    return asked
