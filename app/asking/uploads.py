"""Checks that a posted path is a file which was uploaded to this app, and not any other file of the machine.

Gradio accepts any path below its upload folder from anybody. Here a file belongs to the visitor who first used it after
its upload; whoever uploads the same bytes again may use them too, and nobody else may.
"""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import os
import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from qwenvl.errors import MediaError

MAX_INLINE = 64 * 4 * (1 << 20) // 3  # letters of a file inside a URL: 64 MiB
REFUSED = "This file was not uploaded to this page: upload it here first."


class Uploads(set[str]):
    """The paths of all uploads: Gradio's own set of them, which it updates once for each upload request.

    An upload leaves a claim on its path, the first visitor to use it takes the claim, and is its owner from then on.
    """

    def __init__(self, paths: Iterable[str] = ()) -> None:
        super().__init__(paths)
        self._unclaimed: dict[str, int] = dict.fromkeys(self, 1)
        self._owners: dict[str, set[str]] = {}
        self._granted: dict[str, set[str]] = {}  # not among our own paths: Gradio deletes old ones of those
        self._lock = threading.Lock()

    def update(self, *paths: Iterable[str]) -> None:
        """Note an upload: called by Gradio with the paths it wrote."""
        uploaded = [path for some in paths for path in some]
        with self._lock:
            self._forget_deleted()
            for path in uploaded:
                self._unclaimed[path] = self._unclaimed.get(path, 0) + 1
        super().update(uploaded)

    def claim(self, visitor: str, paths: Sequence[Any]) -> list[str]:
        """The paths, if they are this visitor's own uploads. Raises `MediaError` otherwise: for all of them or none."""
        with self._lock:
            for path in paths:
                self._claim(visitor, path)
        return list(paths)

    def take_in(self, url: str) -> str:
        """A file that was posted inside a `data:` URL, as an MCP client does, on disk: whoever sent it may use it.

        Raises `MediaError` for what is no base64, or too large.
        """
        head, _, body = url.partition(",")
        if not head.endswith(";base64") or len(body) > MAX_INLINE:
            raise MediaError("A file in a data: URL is base64 of at most 64 MiB: upload it instead.")
        try:
            content = base64.b64decode(body, validate=True)
        except ValueError:
            raise MediaError("A file in a data: URL is base64: encode it again.") from None
        suffix = mimetypes.guess_extension(head.removeprefix("data:").removesuffix(";base64")) or ""
        folder = Path(tempfile.gettempdir(), "gradio", hashlib.sha256(content).hexdigest())
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"inline{suffix}"
        path.write_bytes(content)
        self.update([str(path)])
        return str(path)

    def grant(self, visitor: str, paths: Iterable[str]) -> None:
        """Let a visitor use files the server itself hands over: an example's, or those of a run they were shown."""
        with self._lock:
            for path in paths:
                self._granted.setdefault(path, set()).add(visitor)

    def _claim(self, visitor: str, path: Any) -> None:
        is_file = isinstance(path, str) and os.path.isfile(path) and not os.path.islink(path)
        owners = self._owners.setdefault(path, set()) if is_file and path in self else set()
        if is_file and visitor in owners | self._granted.get(path, set()):
            return
        if not is_file or path not in self or not self._unclaimed.get(path):
            raise MediaError(REFUSED)
        self._unclaimed[path] -= 1
        owners.add(visitor)

    def _forget_deleted(self) -> None:
        for path in (self._owners.keys() | self._unclaimed.keys()) - self:
            self._owners.pop(path, None)
            self._unclaimed.pop(path, None)


def watch_uploads(blocks: Any) -> Uploads:
    """Make a Gradio app note who uploads what, and return its notes; a second call returns the same ones."""
    if isinstance(blocks.upload_file_set, Uploads):
        return blocks.upload_file_set
    uploads = Uploads(blocks.upload_file_set)
    blocks.temp_file_sets = [uploads if known is blocks.upload_file_set else known for known in blocks.temp_file_sets]
    blocks.upload_file_set = uploads
    return uploads
