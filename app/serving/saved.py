"""Keeps saved runs in a session without their models, for the command line's `serve`.

A run file holds its pictures, tokens, and the queries and keys that were kept; a layer that was not kept says that it
needs its model.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.asking.conversation import Conversation, Settings
from app.asking.finished import Finished
from app.models.catalogue import card
from app.models.models import LETTERS
from app.serving.example_runs import FOLDER
from app.serving.session import Session
from qwenvl.errors import RunError
from qwenvl.inference.run import Run
from qwenvl.processing.files.picture_files import is_picture, open_picture
from qwenvl.processing.geometry.media import Media


def pinned(session: Session, runs: Sequence[Run], pictures: Path | None = None) -> dict[str, str]:
    """Keep saved runs in a session for as long as it lives; their ids by letter, A first.

    Args:
        session: where they are kept.
        runs: one or two.
        pictures: a folder for their pictures, so that the rail can show them and they can be asked about again.

    Raises:
        RunError: no run, or more than two.
    """
    if not 1 <= len(runs) <= len(LETTERS):
        raise RunError(f"The page shows one run or two side by side, not {len(runs)}: name fewer.")
    return {
        letter: session.store.pin(finished(run, letter, pictures)) for letter, run in zip(LETTERS, runs, strict=False)
    }


def finished(run: Run, letter: str, pictures: Path | None = None) -> Finished:
    """A saved run as the page keeps one."""
    pieces = {token.id: token.text.encode() for token in run.tokens}
    made = run.card
    return Finished(
        run=run,
        letter=letter,
        card=card(letter, made.name, made.family, made.parameters, made.trained),
        conversation=_conversation(run, letter, pictures),
        settings=Settings(),
        piece=lambda token: pieces.get(token, b""),
        limits={name: run.settings.get(name) for name in ("min_pixels", "max_pixels")},
        context=run.config.language.context,
        created=time.time(),
    )


def _conversation(run: Run, letter: str, pictures: Path | None) -> Conversation:
    """The turns as they were asked."""
    conversation = Conversation(system=_words(run.messages[0]) if run.messages[0]["role"] == "system" else "")
    for message in run.messages:
        if message["role"] == "user":
            conversation = conversation.asking(_words(message), _paths(run, message, letter, pictures))
        elif message["role"] == "assistant":
            conversation = conversation.answered(letter, _words(message))
    return conversation


def _words(message: Mapping[str, Any]) -> str:
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if part.get("type") == "text")


def _paths(run: Run, message: Mapping[str, Any], letter: str, folder: Path | None) -> list[str]:
    """The pictures of a message as files; a clip's are the frames that were kept, which are no clip any more."""
    parts = message["content"] if folder and not isinstance(message["content"], str) else []
    paths = []
    for part in parts:
        index = part.get(part.get("type"))
        if part.get("type") == "image" and isinstance(index, int) and run.media[index].frames:
            paths.append(str(_example(run.media[index]) or _file(run.media[index], Path(str(folder)), letter, index)))
    return paths


def _file(media: Media, folder: Path, letter: str, index: int) -> Path:
    """A picture of a run as a file under its own name."""
    path = folder / f"{letter}-{index}" / f"{Path(media.name).stem}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    media.frames[0].save(path)
    return path


def _example(media: Media) -> Path | None:
    """The example's own file, where this is one of its pictures: the page knows what its models can be asked of it."""
    path = FOLDER / Path(media.name).name
    if not path.is_file() or not is_picture(path):
        return None
    picture = open_picture(path)
    same = picture.size == media.size and picture.tobytes() == media.frames[0].tobytes()
    return path if same else None
