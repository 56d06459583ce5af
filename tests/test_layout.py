"""A folder is a ring and imports only folders beneath it, and no file imports itself in a circle.

Every import counts, inside functions and under TYPE_CHECKING too. The import contract in pyproject.toml says the same
of folders; this reads the sources by itself, and goes down to files.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("qwenvl", "viz", "app")
RINGS = {
    "qwenvl": (
        "errors",
        "integers",
        "summaries",
        "version",
        "models",
        "published_files",
        "processing",
        "plan",
        "recorded",
        "analysis",
        "inference",
        "loading",
        "cli",
    ),
    "qwenvl.processing": ("geometry", "text", "files"),
    "app": ("asking", "models", "costs", "views", "serving", "exports", "page"),
}
"""Folders and top-level files from the lowest up. What is not named here, such as `__main__`, lies above them all."""


PACKAGES_OF_RINGS = tuple(package for package in RINGS if "." not in package)


@cache
def modules() -> dict[str, Path]:
    """Every file of the packages by its dotted name; a folder's `__init__` by the folder's."""
    found = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def imports(name: str) -> set[str]:
    """The modules of ours that a module imports by name, wherever the import stands."""
    found = set()
    for node in ast.walk(ast.parse(modules()[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relative to itself; name the module in full"
            assert node.module is not None
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {module if module in modules() else node.module for module in inner}
    return found & modules().keys() - {name}


@cache
def graph() -> dict[str, frozenset[str]]:
    return {name: frozenset(imports(name)) for name in modules()}


def ring(name: str, package: str) -> int:
    """How high a module lies in a package."""
    first = name.removeprefix(package).lstrip(".").split(".")[0]
    rings = RINGS[package]
    return rings.index(first) if first in rings else len(rings)


@pytest.mark.parametrize("package", RINGS)
def test_a_folder_imports_only_folders_beneath_it(package: str) -> None:
    wrong = [
        f"{name} imports {other}"
        for name, others in graph().items()
        for other in others
        if name.startswith(f"{package}.") and f"{other}.".startswith(f"{package}.")
        if ring(other, package) > ring(name, package)
    ]
    assert not wrong


def test_every_folder_is_a_ring() -> None:
    for package, rings in RINGS.items():
        folders = {path.parent.name for path in ROOT.joinpath(*package.split(".")).glob("*/*.py")}
        assert folders - {"tiny"} <= set(rings)


def test_nothing_imports_the_tiny_world() -> None:
    importers = {name for name, others in graph().items() for other in others if f"{other}.".startswith("qwenvl.tiny.")}
    assert all(f"{name}.".startswith("qwenvl.tiny.") for name in importers)


def test_no_file_imports_itself_in_a_circle() -> None:
    assert circle(graph()) == []


def circle(graph: Mapping[str, frozenset[str]]) -> list[str]:
    """The modules of one circle of imports, in order; [] where there is none."""
    finished: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in finished:
            return []
        for other in sorted(graph[name]):
            if found := walk(other, [*way, name]):
                return found
        finished.add(name)
        return []

    for name in sorted(graph):
        if found := walk(name, []):
            return found
    return []


def test_a_circle_would_be_found() -> None:
    found = circle({**graph(), "qwenvl.errors": frozenset({"qwenvl.cli.main"})})
    assert found[0] == found[-1]
    assert {"qwenvl.errors", "qwenvl.cli.main"} <= set(found)


@pytest.mark.parametrize("package", PACKAGES_OF_RINGS)
def test_the_readme_lists_the_rings_in_their_order(package: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(rf"^\| \[`{package}/(\w+)/`\]", readme, flags=re.MULTILINE)
    rings = [name for name in RINGS[package] if name not in ("errors", "integers", "summaries", "version")]
    assert [row for row in rows if row not in ("tiny", "static")] == rings
    chain = re.search(rf"{package}: (.*─► .*)", readme)
    assert chain is not None
    assert chain[1].split(" ─► ")[::-1] == rings


TWIN_MODELS = ["qwenvl.models.qwen2_vl", "qwenvl.models.qwen_vl"]
"""Each file is one model whole; the parts that both have bear one name, so that they can be read side by side."""


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for module, path in sorted(modules().items()):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(module)
    assert places["Vision"] == TWIN_MODELS
    assert {name: where for name, where in places.items() if len(where) > 1 and where != TWIN_MODELS} == {}


TESTED_ELSEWHERE = {
    "qwenvl": "__main__ errors version",
    "qwenvl/analysis": "still_frames",
    "qwenvl/cli": "app_bridge arguments finished_run signals",
    "qwenvl/loading": "checkpoint_files notes",
    "qwenvl/models": "timing",
    "qwenvl/plan": "figures memory parameters planned_models words",
    "qwenvl/processing/files": (
        "animations clip_scan colours decoded_clips frame_count jpeg_ends opened_media picture_files "
        "picture_notes progress truncated_files video_streams"
    ),
    "qwenvl/processing/geometry": "pixel_limits pixels size_request",
    "qwenvl/processing/text": "asked_again normal_form render_template template_chat tokenizer_files",
    "qwenvl/published_files": (
        "adapter_files adapter_keys config_keys families generation_keys keys preprocessor_keys "
        "published_config tokenizer_keys"
    ),
    "qwenvl/recorded": "checked_parts record",
    "qwenvl/tiny": (
        "__main__ cases clips curriculum films folders gallery lessons losses marks optimiser phrases publish "
        "scenes sheets"
    ),
    "viz": "drawing patches",
    "app/asking": "conversation failures finished messages model_choice selection words",
    "app/costs": "account forecast planner_answers",
    "app/exports": "captions exported files manifest python_code route single_file",
    "app/exports/figures": (
        "adapter animation answer answer_column answer_difference answer_maps boxes frames layers patches "
        "pipeline positions region vision"
    ),
    "app/models": "memory pace terms",
    "app/page": "events inspector planner_page rail screen topbar",
    "app/serving": "example_runs frontend mcp_tools wire",
    "app/views": "attention contract figures pictures pipeline positions rows timeline vision",
}
"""Sources without a test file of their name, by folder: tests of what uses them reach them. It only gets shorter."""


def test_the_tests_mirror_the_sources_name_for_name() -> None:
    """`qwenvl/plan/table.py` is tested by `tests/plan/test_table.py`, `app/page/draft.py` by the same under `app`."""
    untested: dict[str, set[str]] = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            folder = path.parent.relative_to(ROOT)
            mirror = ROOT / "tests" / (folder.relative_to(package) if package == "qwenvl" else folder)
            if path.stem != "__init__" and not (mirror / f"test_{path.stem.strip('_')}.py").exists():
                untested.setdefault(folder.as_posix(), set()).add(path.stem)
    assert untested == {folder: set(names.split()) for folder, names in TESTED_ELSEWHERE.items()}
