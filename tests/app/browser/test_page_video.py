"""Clips on the page: from a file, or the camera, to attention through time, checked against the library's run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qwenvl.analysis.clip_timeline import tube_shares, tubes
from tests.support.clips import encode

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BARS = """() => [...document.querySelectorAll('[data-part~=timeline] rect.bar')]
  .map((bar) => Number(bar.getAttribute('height')))"""
TUBES = "() => [...document.querySelectorAll('[data-part~=timeline] .tube')].map((tube) => tube.textContent)"
LABELS = """(letter) =>
  [...document.querySelectorAll(`[data-part~=tubes][data-letter=${letter}] [data-part~=tube-label]`)]
  .map((label) => label.textContent)"""
TAKEN = "(words) => document.querySelector('#clip [data-part~=result]').textContent.includes(words)"


def choose_clip(visitor: Any) -> None:
    before = visitor.state("selection.run")
    visitor.page.get_by_role("button", name="Clip", exact=True).click()
    visitor.answered(before)
    visitor.settle()


def test_a_clip_is_shown_through_time_and_every_moment_is_the_runs_own(visitor: Any, painted_as: Any) -> None:
    choose_clip(visitor)
    page = visitor.page
    assert (
        "no video: 5 frames as pictures 1 to 5" in page.locator('[data-part~=head-card][data-letter="A"]').inner_text()
    )
    visitor.word("B", 1).click()
    visitor.settle()
    run, at = visitor.run("B"), visitor.state("selection")
    row = {"query": at["query"]["B"] - 1, "layer": at["layer"]["B"], "head": at["head"]["B"]}
    shares = tube_shares(run, **row).tolist()
    page.wait_for_function("() => document.querySelectorAll('[data-part~=timeline] rect.bar').length === 6")
    heights = page.evaluate(BARS)
    assert [height / max(heights) for height in heights] == pytest.approx(
        [max(share / max(shares), 1 / max(heights)) for share in shares], abs=0.02
    )
    first = tubes(run)[0]
    assert page.evaluate(TUBES)[0].startswith(f"t {first.position} · 0.00 s and 0.56 s · 28 tokens")
    assert page.evaluate(LABELS, "A")[0].startswith("picture 1 · ")
    assert len(page.evaluate(LABELS, "A")) == 5

    page.locator("[data-part~=timeline] input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    visitor.settle()
    assert visitor.state("selection.frame") == 2
    (_, rows, columns) = run.media[0].token_grid
    cells = run.token_weights(**row).reshape(run.media[0].token_grid)
    painted_as(visitor.painted("B", (rows, columns)), cells[2], float(cells.max()))
    assert (
        page.locator('[data-part~=tubes][data-letter="A"] [data-part~=tube-button][aria-pressed="true"]')
        .inner_text()
        .startswith("picture 2")
    )
    assert "in t 17" in visitor.sentence()
    page.locator("[data-part~=clip-facts]").get_by_role("button", name="transformers 5").click()
    visitor.until(
        "[data-part~=clip-facts] p", "Tubes have t ids 15 to 20; the text goes on at 22. No id is used twice."
    )
    costs = page.locator("[data-part~=clip-facts] [data-part~=cost-row]").all_inner_texts()
    assert ["".join(row.split("\n")) for row in costs] == [
        "Atokens1,290",
        "Aids1,290",
        "Btokens170",
        "Bone by one338",
        "Bids9",
    ]
    page.wait_for_function("() => document.querySelectorAll('[data-part~=longer] .cost-curve').length >= 6")
    page.locator("[data-part~=longer] input").focus()
    page.keyboard.press("End")
    assert page.locator("[data-part~=longer-at]").inner_text() == (
        "3,831.2 s · Qwen2-VL: 768 × 420 × 224, 46,080 tokens · paper: 768 × 420 × 224, 46,080 tokens · "
        "qwen-vl-utils 0.0.14: 768 × 616 × 364, 109,824 tokens"
    )
    assert "paper breaks its 16,384 from about 146.8 s on" in page.locator("[data-part~=longer]").inner_text()
    assert visitor.complaints == []
    assert visitor.outside == []


def test_a_clip_of_ones_own_with_a_picture_and_other_frames(visitor: Any, tmp_path: Path) -> None:
    clip = encode(tmp_path / "mine.webm", "libvpx-vp9", count=60, rate=10, size=(56, 112))
    page = visitor.page
    visitor.upload(clip)
    visitor.until("#media h3", "Clip")
    assert "6.0 s, 60 frames" in page.locator("#media [data-part~=of-clip]").inner_text()
    page.fill("#clip-frames", "1")
    page.keyboard.press("Tab")
    page.wait_for_function(TAKEN, arg="6 of 60 frames, 3 tubes")
    visitor.upload(Path("app/examples/pair-1.png"), button="Add another")
    visitor.until("#media h3", "2 pictures and clips")
    visitor.ask("What happens?")
    visitor.settle()
    assert [media.kind for media in visitor.run("B").media] == ["video", "image"]
    assert visitor.run("B").media[0].patch_grid[0] == 3
    assert page.locator("[data-part~=timeline]").is_visible()
    shapes = page.evaluate(
        "() => [...document.querySelectorAll('[data-part~=tubes] canvas')].map((one) => one.width / one.height)"
    )
    assert shapes == pytest.approx([0.5] * len(shapes), abs=0.02)  # a tall clip stays tall
    page.locator(".view-answer [data-part~=media-choice] button").nth(1).click()
    visitor.settle()
    assert page.locator("[data-part~=timeline]").is_hidden()
    page.fill("#clip-frames", "-3")
    page.keyboard.press("Tab")
    assert page.input_value("#clip-frames") == "1"
    visitor.upload(encode(tmp_path / "one.mp4", count=1, size=(112, 56)))
    visitor.until("[data-part~=media-note]", "one.mp4 has one frame and is read as a still.")
    page.wait_for_function("() => document.querySelector('[data-part~=clip-options]').hidden")
    bad = tmp_path / "cut.mp4"
    bad.write_bytes((data := encode(tmp_path / "whole.mp4", count=50).read_bytes())[: len(data) // 2])
    visitor.upload(bad)
    assert "cut short or damaged" in page.locator("#notice").inner_text()
    assert visitor.complaints == []


def test_a_clip_that_does_not_fit_offers_the_frames_that_do(visitor: Any, tmp_path: Path) -> None:
    clip = encode(tmp_path / "long.mp4", "mpeg4", count=700, rate=2, size=(56, 56), g=100)
    page = visitor.page
    visitor.upload(clip)
    page.get_by_role("group", name="Frames of the clip by").get_by_role("button", name="in all").click()
    page.fill("#clip-frames", "700")
    page.keyboard.press("Tab")
    page.wait_for_function(
        "() => document.querySelector('[data-part~=budget] .bad')?.textContent.includes('set nframes')"
    )
    told = page.locator("[data-part~=budget] .bad").inner_text()
    number = told.split("set nframes ")[1].split(" ")[0]
    page.locator("[data-part~=budget] [data-part~=offer]").click()
    page.wait_for_function(TAKEN, arg=f"{number} of 700 frames")
    assert page.input_value("#clip-frames") == number
    assert page.locator("[data-part~=budget] .bad").count() == 0
    assert visitor.complaints == []
