"""Keeps the page whole behind a proxy that serves it below a path of its own (GRADIO_ROOT_PATH)."""

from __future__ import annotations

from html import escape
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BASE = b'<base href="./" />'  # as Gradio writes it: right only where the address ends with a slash
MANIFEST = b'href="/manifest.json"'  # and this only at the root


class BehindProxy:
    """Makes requests alike, whether or not the proxy has taken its path away, and tells the page where it stands.

    A server below a path finds its routes by the path that the browser asked for, the proxy's part included. A proxy
    that strips its part gets it back here. The page's relative links hold for an address without a last slash too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = scope.get("root_path", "").rstrip("/")
        if scope["type"] != "http" or not root:
            await self.app(scope, receive, send)
            return
        prefix = urlsplit(root).path.rstrip("/")  # GRADIO_ROOT_PATH may be a whole address
        path = scope["path"]
        if path != prefix and not path.startswith(f"{prefix}/"):
            path = prefix + path
        inner = {**scope, "root_path": prefix, "path": path, "raw_path": path.encode()}
        is_page = scope["method"] == "GET" and path.rstrip("/") == prefix
        await self.app(inner, receive, _Based(send, root).send if is_page else send)


class _Based:
    """Hands on a page, with its base written out."""

    def __init__(self, send: Send, root: str) -> None:
        self._send = send
        self._base = f'<base href="{escape(root, quote=True)}/" /><link rel="icon" href="favicon.ico" />'.encode()
        self._start: Message = {}
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        body = self._body.replace(BASE, self._base, 1).replace(MANIFEST, b'href="manifest.json"', 1)
        MutableHeaders(raw=self._start["headers"])["content-length"] = str(len(body))
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})
