"""A run file that `trace` wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwenvl.cli.main import main

QUESTION = "What shape is the green object?"
PICTURE = str(Path(__file__).parents[2] / "app" / "examples" / "shapes.png")


@pytest.fixture(scope="session")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `trace` wrote."""
    path = tmp_path_factory.mktemp("runs") / "shapes.run"
    assert main(["trace", QUESTION, "--about", PICTURE, "--of", "tiny-qwen-vl", "--into", str(path), "--quiet"]) == 0
    return path
