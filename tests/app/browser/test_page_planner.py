"""The Planner in the browser: opened from the bar or by its address, planned by keyboard, in both languages."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import qwenvl

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHOWN = "(words) => document.querySelector('[data-part~=planner] h2')?.textContent.includes(words)"
ROW = """([key, model]) => {
  const row = document.querySelector(`[data-row="${key} ${model}"]`).closest("tr");
  return [...row.cells].map((cell) => cell.textContent);
}"""
# What a folder with two listings of entries, dropped beside a picture, comes to.
DROPPED = """async () => {
  const scripts = performance.getEntriesByType("resource").map((one) => one.name);
  const { droppedFiles } = await import(scripts.find((name) => name.includes("rail/folders.js")));
  const file = (name) => ({ isFile: true, name, file: (give) => give(new File(["x"], name)) });
  const listings = [[file("z.png"), file("y.txt")], [file("x.mp4")], []];
  const createReader = () => ({ readEntries: (give) => give(listings.shift()) });
  const entries = [{ isDirectory: true, name: "d", createReader }, file("w.jpg")];
  const items = entries.map((entry) => ({ webkitGetAsEntry: () => entry }));
  return (await droppedFiles({ items, files: [] })).map((one) => one.name);
}"""
LANGUAGE = "inside-qwen-vl-language"


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(1).integers(0, 255, (900, 1600, 3)).astype(np.uint8)
    path = tmp_path / "page.png"
    Image.fromarray(pixels).save(path)
    return path


def cells(visitor: Any, key: str, model: str) -> list[str]:
    return visitor.page.evaluate(ROW, [key, model])


def test_a_page_is_planned_from_the_bar(visitor: Any, page_file: Path) -> None:
    page = visitor.page
    page.get_by_role("button", name="Planner").click()
    visitor.upload(page_file)
    page.wait_for_function(SHOWN, arg="page.png costs")
    shipped, shrunk = (qwenvl.plan(page_file, "Qwen2-VL-7B", max_pixels=limit) for limit in (None, 1_003_520))
    assert page.locator("[data-part~=planner] h2").inner_text() == (
        f"page.png costs {shipped.visual_tokens + 2:,} tokens in Qwen2-VL and 258 in Qwen-VL."
    )
    assert cells(visitor, "files", "Qwen2-VL-7B")[1:4] == ["1,596 × 896", "7,296", f"{shipped.visual_tokens + 2:,}"]
    assert cells(visitor, "class", "Qwen2-VL-7B")[3] == f"{shrunk.visual_tokens + 2:,}"
    assert "show=planner" in page.url
    assert not page.locator("#inspector").is_visible()
    assert not page.locator("#question").is_visible()
    assert page.locator("[data-part~=badge]").inner_text() == "No weights used"
    assert (
        page.locator("[data-part~=plan-chains] tbody tr").first.locator("td").last.inner_text() == "448 × 448, always"
    )

    # an end of the budget by keyboard: a group of its own, which the address carries
    page.locator('[data-part~=plan-end][data-end="max"]').focus()
    for _ in range(3):
        page.keyboard.press("PageDown")
    page.wait_for_selector('[data-row="own Qwen2-VL-7B"]')
    limit = int(page.locator("#plan-max").input_value().replace(",", ""))
    planned = qwenvl.plan(page_file, "Qwen2-VL-7B", max_pixels=limit)
    page.wait_for_function(SHOWN, arg=f"{planned.visual_tokens + 2:,} tokens")
    assert f"max:{limit}" in page.url

    # arrows move the chosen row, the status line follows
    page.locator('[data-row="files Qwen2-VL-7B"]').click()
    page.keyboard.press("ArrowDown")
    page.wait_for_function(
        "() => document.querySelector('[data-part~=planner] [data-part~=status-sentence]').textContent"
        ".startsWith('Qwen2-VL 72B')"
    )

    # the file is every file by every model under these limits
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(saved.value.path()).read_text(encoding="utf-8"))))
    assert [int(row["visual_tokens"]) for row in rows if row["model"] == "Qwen2-VL-7B"] == [planned.visual_tokens]

    page.get_by_role("button", name="Back to the answers").click()
    assert page.locator("#inspector").is_visible()
    assert "planner" not in page.url
    assert "weights" in page.locator("[data-part~=badge]").inner_text()
    assert "used" not in page.locator("[data-part~=badge]").inner_text()
    assert visitor.complaints == []
    assert visitor.outside == []


def test_a_suggested_range_is_planned_with_by_a_press(visitor: Any, page_file: Path) -> None:
    page = visitor.page
    page.get_by_role("button", name="Planner").click()
    visitor.upload(page_file)
    page.wait_for_function(SHOWN, arg="page.png costs")
    suggested = page.locator("[data-part~=plan-suggested]")
    assert suggested.all_inner_texts()[1].startswith("1,024 to 2,048 for boxes and small print: ")
    suggested.nth(1).click()
    within = qwenvl.plan(page_file, "Qwen2-VL-7B", min_pixels=1024 * 784, max_pixels=2048 * 784)
    page.wait_for_function(SHOWN, arg=f"{within.visual_tokens + 2:,} tokens")
    page.wait_for_function(
        "() => document.querySelectorAll('[data-part~=plan-suggested]')[1].textContent.endsWith('within')"
    )
    page.wait_for_function(
        "(words) => document.querySelector('[data-part~=plan-limits]').textContent.includes(words)",
        arg=within.suggestions[0],
    )
    assert visitor.complaints == []


def test_coordinates_are_told_in_the_pixels_of_the_file(visitor: Any, page_file: Path) -> None:
    page = visitor.page
    page.get_by_role("button", name="Planner").click()
    visitor.upload(page_file)
    page.wait_for_function(SHOWN, arg="page.png costs")
    page.fill("#plan-numbers", "(500,500),(1000,250)")
    page.wait_for_function(
        "() => document.querySelector('[data-part~=plan-places]')?.textContent.includes('800, 450, 1600, 225')"
    )
    assert visitor.complaints == []


def test_a_folder_is_planned_whole(visitor: Any, page_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    (folder / "more").mkdir(parents=True)
    for name, side in (("b.png", 280), ("a.png", 560), ("more/c.png", 112)):
        Image.new("RGB", (side, side), "white").save(folder / name)
    for name in ("notes.txt", ".hidden.png"):
        (folder / name).write_bytes(b"no picture")
    page = visitor.page
    page.get_by_role("button", name="Planner").click()
    page.locator("#plan-folder").set_input_files(folder)
    page.wait_for_function(SHOWN, arg="These 3 files cost")
    assert page.locator("[data-part~=plan-folder] [role=status]").inner_text() == (
        "3 pictures and clips; 2 other files are left out."
    )
    assert page.locator("[data-part~=plan-each] tbody th").all_inner_texts() == ["a.png", "b.png", "c.png"]

    for number in range(40):
        Image.new("RGB", (900, 900), "white").save(folder / f"page-{number:02}.png")
    page.locator("#plan-folder").set_input_files(folder)
    page.wait_for_function(SHOWN, arg="These 43 files cost")
    assert "the prompt is longer than the context of 32,768." in page.locator("[data-part~=plan-title] p").inner_text()
    assert page.locator("#plan-model-Qwen-VL-Chat").bounding_box()["y"] < 600  # in sight, below so many pictures

    # dropped on the rail, a folder is taken apart by the browser
    assert page.evaluate(DROPPED) == ["w.jpg", "x.mp4", "z.png"]
    assert visitor.complaints == []


def test_its_address_opens_it_in_chinese_on_a_phone(visit: Callable[..., Any]) -> None:
    visitor = visit(width=390, height=844)
    page = visitor.page
    page.add_init_script(f"localStorage.setItem('{LANGUAGE}', 'zh')")
    try:
        page.goto(f"{visitor.url}?show=planner&plan=max:200704,unit:GB,model:Qwen2-VL-2B,group:own,nonsense:1")
        page.wait_for_function(SHOWN, arg="词元")
        page.wait_for_selector('[data-row="own Qwen2-VL-2B"]')
        assert page.locator("[data-part~=plan-note]").first.inner_text().startswith("单位 GB")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        words = page.locator("[data-part~=plan-arithmetic]").inner_text()
        assert "max_pixels 200,704 把 shapes.png 从" in words
        assert not [line for line in words.splitlines() if " of " in line or "tokens" in line]
        assert visitor.complaints == []
    finally:  # the profile is every visitor's
        page.evaluate(f"localStorage.removeItem('{LANGUAGE}')")
