"""What the README says is so: its example runs, its files exist, its commands are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from qwenvl.command.main import build_parser

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    monkeypatch.chdir(ROOT)
    names: dict = {}
    exec(compile(example, "README.md", "exec"), names)
    assert names["row"].shape[1] == 11
    assert names["image_map"].shape == names["run"].media[0].patch_grid


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
    lines = [line for line in README.splitlines() if line.startswith("python -m qwenvl ")]
    understood = {build_parser().parse_args(shlex.split(line, comments=True)[3:]).command for line in lines}
    assert understood == {"plan", "ask", "trace", "look", "show", "compare", "serve"}
