"""What the README says is so: its example runs, its files exist, its commands are there."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import qwenvl
import viz
from qwenvl.cli.main import build_parser

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_runs_and_shows_something(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = _run_blocks(README, monkeypatch, {})
    said, share = capsys.readouterr().out.split()
    assert said == names["run"].answer
    assert f"print(run.answer)  # {said}" in README
    assert float(share) == float(names["image_map"].sum())
    assert float(share) > 0.3
    assert f"# {float(share):.2f}: the share" in README
    query = names["run"].answer_start - 1
    assert names["row"].shape[1] == query + 1
    visual = names["run"].visual[0]
    np.testing.assert_allclose(float(share), float(names["row"].mean(0)[list(visual)].sum()), atol=1e-5)
    assert names["image_map"].shape == names["run"].media[0].patch_grid


def test_the_examples_of_the_packages_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copy(ROOT / "app" / "examples" / "chelsea.png", tmp_path / "cat.png")
    names = _run_blocks(qwenvl.__doc__ or "", monkeypatch, {}, folder=tmp_path)
    assert names["run"].answer
    pipeline = qwenvl.load("tiny-qwen-vl")
    other = pipeline.run(names["messages"], max_new_tokens=3)
    for run in (names["run"], other):
        shown = _run_blocks(viz.__doc__ or "", monkeypatch, {"run": run, "viz": viz})
        np.testing.assert_allclose(shown["looks"].sum(), 1, atol=1e-5)


def test_a_notebook_shows_a_figure_as_it_is() -> None:
    figure = viz.patch_grid(np.zeros((8, 8, 3), dtype=np.uint8), grid=(2, 2))
    assert figure._repr_png_().startswith(b"\x89PNG")


def _run_blocks(
    text: str, monkeypatch: pytest.MonkeyPatch, names: dict[str, Any], folder: Path = ROOT
) -> dict[str, Any]:
    """Run every block of Python in a text, one after the other, in a folder."""
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert blocks
    monkeypatch.chdir(folder)
    for block in blocks:
        exec(compile(block, "example", "exec"), names)
    return names


def test_every_file_it_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", README)
    assert len(links) > 8
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_its_commands_are_the_makefiles() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    commands = re.findall(r"make ([a-z]+)", README)
    assert {"run", "test", "check"} <= set(commands)
    assert set(commands) <= set(targets)


def test_its_command_lines_are_understood() -> None:
    lines = [line for line in README.splitlines() if line.startswith("qwenvl ")]
    understood = {build_parser().parse_args(shlex.split(line, comments=True)[1:]).command for line in lines}
    assert understood == {"plan", "ask", "trace", "tokens", "rows", "look", "show", "compare", "serve"}
