"""Decides which requests reach the page at all, and what every answer says to the browser that receives it.

A page on another site may make a visitor's browser send requests here: under this site's address (a foreign Origin), or
under a name of its own that it points at this machine (DNS rebinding, a foreign Host). Both are refused before anything
is read. Requests without an Origin come from scripts, which no web page can make a browser send.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
ANYWHERE = frozenset({"0.0.0.0", "::"})  # bound to every address of the machine

# Of Gradio's public routes those that nobody needs here, with and without its prefix.
SHUT = ("/monitoring", "/openapi.json", "/docs", "/redoc", "/dev/reload", "/proxy=")

# Gradio's page begins with inline scripts and makes functions of text (`js_on_load`); nothing comes from elsewhere.
POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
SPACE_FRAMES = ("https://huggingface.co", "https://*.hf.space")


@dataclass(frozen=True)
class Doors:
    """Who may come in.

    Attributes:
        named: host names, lower case and without a port, under which the page may be asked, at any port.
        any_address: whether an address in numbers is a name too: no other site can take one, so where the server
            listens to the network it is no danger.
        framed_by: sources of pages that may show this one in a frame, besides the page itself.
    """

    named: frozenset[str] = frozenset()
    any_address: bool = False
    framed_by: tuple[str, ...] = ()

    def admits(self, host: str) -> bool:
        """Whether a Host header names this server."""
        name = host_name(host)
        return name in LOOPBACK or name in self.named or (self.any_address and _is_address(name))

    def is_own(self, origin: str, host: str) -> bool:
        """Whether an Origin is the page itself: the very host and port that was asked, or one of the names."""
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            return False  # "null" as well: a frame without an origin, a file
        return parts.netloc.lower() == host.lower() or host_name(parts.netloc) in self.named

    def headers(self) -> dict[str, str]:
        """What every answer says."""
        policy = POLICY | {"frame-ancestors": " ".join(["'self'", *self.framed_by])}
        return {
            "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
        }


def doors(
    hosts: Sequence[str] = (), framed_by: Sequence[str] = (), environment: Mapping[str, str] = os.environ
) -> Doors:
    """Who may come in, from the options of the command line and the environment in which the server starts.

    Args:
        hosts: names under which the page may be asked (`--host`).
        framed_by: sources of pages that may frame it (`--framed-by`).
        environment: GRADIO_SERVER_NAME is the bound name, GRADIO_ROOT_PATH may be a whole address, SPACE_HOST is the
            name of a hosted space.
    """
    bound = environment.get("GRADIO_SERVER_NAME", "127.0.0.1").lower()
    space = [name.strip() for name in environment.get("SPACE_HOST", "").split(",")]
    public = urlsplit(environment.get("GRADIO_ROOT_PATH", "")).netloc
    network = bound not in LOOPBACK
    given = [*hosts, *space, public, *([bound] if network else []), *([socket.gethostname()] if network else [])]
    named = frozenset(host_name(name) for name in given if name) - ANYWHERE
    frames = (*framed_by, *(SPACE_FRAMES if any(space) else ()))
    return Doors(named, any_address=network, framed_by=tuple(frames))


def host_name(host: str) -> str:
    """The name in "name:port", in "[address]:port" or alone, in lower case; "" where it cannot be one."""
    try:
        bare = f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
        return (urlsplit(f"//{bare}").hostname or "").rstrip(".")
    except ValueError:
        return ""


class Guard:
    """ASGI middleware: refuses what the doors do not admit, and adds their headers to every answer."""

    def __init__(self, app: Any, admitted: Doors) -> None:
        self.app = app
        self.admitted = admitted
        self.said = admitted.headers()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.said.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self.app)(scope, receive, sending)

    def _refusal(self, scope: Any) -> Response | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self.admitted.admits(host):
            words = "This server does not answer to this name: start it with --host NAME to allow one."
            return PlainTextResponse(words, 421)
        if origin is not None and not self.admitted.is_own(origin, host):
            words = "A page of another site may not use this server: start it with --host NAME if the name is its own."
            return PlainTextResponse(words, 403)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path.removeprefix("/gradio_api").startswith(SHUT):
            return PlainTextResponse("Not found.", 404)
        return None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
