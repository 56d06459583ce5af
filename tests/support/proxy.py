"""A reverse proxy in front of a page, which hands on what is asked below a path of its own.

It does what nginx does with `location /lab/qwen/ { proxy_pass http://127.0.0.1:PORT/; }`, or, where `strip` is False,
with the path left as it came.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

METHODS = ("GET", "POST", "HEAD", "DELETE", "OPTIONS")
OF_ONE_HOP = {"transfer-encoding", "connection", "keep-alive"}  # headers that are not handed on


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def proxy(target: int, prefix: str, *, strip: bool, scheme: str = "http") -> Iterator[str]:
    """The address below which the page at port `target` is seen, with its last slash.

    Args:
        strip: whether the target is asked without the prefix.
        scheme: what the proxy says it was asked by, "https" as in front of a hosted space.
    """
    port = free_port()
    client = httpx.AsyncClient(timeout=None)

    async def forward(request: Request) -> StreamingResponse:
        path = request.scope["raw_path"].decode()
        path = (path.removeprefix(prefix) or "/") if strip else path
        query = request.scope["query_string"].decode()
        headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"host"]
        host = request.headers["host"].encode()
        headers += [(b"host", host), (b"x-forwarded-host", host), (b"x-forwarded-proto", scheme.encode())]
        url = httpx.URL(f"http://127.0.0.1:{target}").copy_with(
            raw_path=(path + ("?" + query if query else "")).encode()
        )
        asked = client.build_request(request.method, url, headers=headers, content=request.stream())
        answer = await client.send(asked, stream=True)
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in OF_ONE_HOP}
        return StreamingResponse(answer.aiter_raw(), status_code=answer.status_code, headers=kept)

    paths = (prefix, prefix + "/{path:path}") if prefix else ("/{path:path}",)
    routes = [Route(path or "/", forward, methods=list(METHODS)) for path in paths]
    options = {"host": "127.0.0.1", "port": port, "log_level": "error", "lifespan": "off"}
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), **options))
    thread = threading.Thread(target=server.run, name="proxy", daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < deadline, "the proxy did not start"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}{prefix}/"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(60)
