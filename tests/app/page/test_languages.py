"""Every sentence that a visitor can meet has its Chinese: those of our scripts, and those that the server writes."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
STATIC = ROOT / "app" / "static"

# A path of the library that only a script can take, a message of ours to ourselves, or a template that is all gaps.
NOT_FOR_VISITORS = (
    "register_api is called",
    "A picture is a path, bytes",
    "Two types of the page",
    "{} is no type that",
)
SERVER = ("conversation", "store", "uploads", "failures", "asking")  # of app/asking; with them all of app/views
LIBRARY = (
    "picture_files",
    "animations",
    "pictures",
    "clips",
    "truncated_files",
    "video_streams",
    "sampling",
    "sampled_clips",
)

SAY = re.compile(r"\b(?:say|said)\(\s*((?:\"(?:[^\"\\]|\\.)*\"\s*\+?\s*)+)", re.S)
PIECE = re.compile(r"\"(?:[^\"\\]|\\.)*\"")


@pytest.fixture(scope="module")
def table(chromium: str) -> dict[str, str]:
    """The whole Chinese table as the browser reads it; on a thread of its own, since other tests may hold a browser."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_table, chromium).result()


def _table(chromium: str) -> dict[str, str]:
    from playwright.sync_api import sync_playwright

    modules = [path.read_text(encoding="utf-8") for path in _tables()]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        read = (
            "async (text) => (await import('data:text/javascript;charset=utf-8,' + encodeURIComponent(text))).default"
        )
        tables = [page.evaluate(read, text) for text in modules]
        browser.close()
    return {key: value for one in tables for key, value in one.items()}


def _tables() -> list[Path]:
    """The Chinese tables: zh.js, or zh_NAME.js, of each folder."""
    return sorted(STATIC.rglob("zh*.js"))


def said_in_scripts() -> Iterator[tuple[str, str]]:
    """(file, template) of every literal given to `say` or `said`."""
    for path in sorted(STATIC.rglob("*.js")):
        text = path.read_text(encoding="utf-8")
        if path.stem.startswith("zh") or 'i18n.js"' not in text:
            continue
        for found in SAY.finditer(text):
            yield path.name, "".join(json.loads(piece) for piece in PIECE.findall(found.group(1)))


def raised(path: Path) -> Iterator[str]:
    """Every sentence that a file gives to an error, or fills the gaps of; one that Python itself fills has {} there."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and node.args):
            continue
        sentence = _template(node.args[0])
        is_ours = ast.unparse(node.func) == "Sentence.of" or ast.unparse(node.func).endswith("Error")
        if is_ours and sentence and not sentence.startswith(NOT_FOR_VISITORS):
            yield sentence


def _template(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


@pytest.mark.browser
def test_every_sentence_of_the_scripts_has_its_chinese(table: dict[str, str]) -> None:
    missing = sorted({f"{name}: {template}" for name, template in said_in_scripts() if template not in table})
    assert missing == []


@pytest.mark.browser
def test_every_sentence_of_the_server_has_its_chinese(table: dict[str, str]) -> None:
    files = [ROOT / "app" / "asking" / f"{name}.py" for name in SERVER]
    files += [ROOT / "app" / "serving" / "example_runs.py", *(ROOT / "app" / "views").glob("*.py")]
    files += [path for path in (ROOT / "qwenvl" / "processing").rglob("*.py") if path.stem in LIBRARY]
    missing = sorted({f"{path.name}: {text}" for path in files for text in raised(path) if text not in table})
    assert missing == []


def test_what_a_run_was_changed_by_has_its_chinese() -> None:
    chinese = (STATIC / "language" / "zh_server.js").read_text(encoding="utf-8")
    said = [
        node.value
        for name in ("edits", "edit_notes")
        for node in ast.walk(ast.parse((ROOT / "qwenvl" / "recorded" / f"{name}.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and str(node.value).startswith(("Edited: ", "Hooks "))
    ]
    assert len(said) == 9
    assert [text for text in said if f'"{text}":' not in chinese] == []


@pytest.mark.browser
def test_no_gap_is_lost_and_none_is_left_in_english(table: dict[str, str]) -> None:
    gaps = re.compile(r"\{(\w+)\}")
    for english, chinese in table.items():
        assert set(gaps.findall(chinese)) <= set(gaps.findall(english)), english
        assert set(gaps.findall(english)) <= set(gaps.findall(chinese)) | {"n", "s"}, english


def test_the_static_tables_are_all_joined() -> None:
    joined = STATIC / "language" / "chinese.js"
    files = {
        (joined.parent / name).resolve() for name in re.findall(r'from "(\.[^"]+)"', joined.read_text(encoding="utf-8"))
    }
    assert files == {path.resolve() for path in _tables()}
