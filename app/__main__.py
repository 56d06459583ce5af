"""`python -m app`: serve the page. Two folders or presets may be named instead of the tiny checkpoints."""

from __future__ import annotations

import argparse
import os
import sys

from app.page import launch
from app.session import DEFAULT_MODELS, Session


def main() -> None:
    """Parse the command line and serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m app", description="Look inside Qwen-VL and Qwen2-VL.")
    parser.add_argument(
        "models",
        nargs="*",
        default=list(DEFAULT_MODELS),
        help="a Qwen-VL and a Qwen2-VL: names of the shipped checkpoints, or folders in the published layout",
    )
    arguments = parser.parse_args()
    if len(arguments.models) != 2:
        parser.error("name two models, a Qwen-VL and a Qwen2-VL, or none for the shipped ones")
    launch(Session(arguments.models), inbrowser=has_screen())


def has_screen() -> bool:
    """Whether a browser can open here: a Mac, Windows or a Linux desktop; elsewhere the address is printed alone."""
    on_desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return sys.platform in ("darwin", "win32") or bool(on_desktop)


if __name__ == "__main__":
    main()
