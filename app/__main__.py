"""`python -m app`: serve the page. Two folders or presets may be named instead of the tiny checkpoints."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from app.page import launch
from app.session import DEFAULT_MODELS, Session
from qwenvl.errors import UserError

FAMILIES = ["qwen-vl", "qwen2-vl"]  # of A and of B


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m app", description="Look inside Qwen-VL and Qwen2-VL.")
    parser.add_argument(
        "models",
        nargs="*",
        default=list(DEFAULT_MODELS),
        help="a Qwen-VL and a Qwen2-VL: names of the shipped checkpoints, or folders in the published layout",
    )
    models = parser.parse_args(arguments).models
    session = Session(models)
    try:
        families = [card["family"] for card in session.model_cards()]
    except UserError as error:
        parser.error(str(error))
    if families != FAMILIES:
        parser.error("name a Qwen-VL first and a Qwen2-VL second, or none for the shipped ones")
    launch(session, inbrowser=has_screen())


def has_screen() -> bool:
    """Whether a browser can open here: a Mac, Windows or a Linux desktop; elsewhere the address is printed alone."""
    on_desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return sys.platform in ("darwin", "win32") or bool(on_desktop)


if __name__ == "__main__":
    main()
