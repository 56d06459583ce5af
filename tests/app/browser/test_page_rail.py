"""Asking: pictures in and out, the pixel budget, what goes wrong, stopping, following up."""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.sentences import english

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def bomb(path: Path) -> None:
    """A PNG of a few bytes that says it is 60,000 pixels wide and high."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))


def truncated(path: Path) -> None:
    Image.effect_noise((200, 200), 60).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:2000])


BAD = {
    "notes.png": lambda path: path.write_text("this is a text file", encoding="utf-8"),
    "half.jpg": truncated,
    "strip.png": lambda path: Image.new("RGB", (30_000, 2)).save(path),
    "bomb.png": bomb,
}


def test_a_bad_file_gets_one_sentence_and_nothing_is_lost(visitor: Any, tmp_path: Path) -> None:
    runs = visitor.state("selection.run")
    visitor.page.fill("#question textarea", "Still here?")
    for name, make in BAD.items():
        make(tmp_path / name)
        visitor.upload(tmp_path / name)
        said = visitor.page.locator("[data-part~=rail-error]")
        assert name in said.inner_text()
        assert said.get_attribute("role") == "alert"
        assert visitor.part("media-name").all_inner_texts() == ["shapes.png"]
        assert visitor.page.input_value("#question textarea") == "Still here?"
        assert visitor.state("selection.run") == runs
    visitor.ask()
    assert visitor.state("runs.A.question") == "Still here?"


def test_an_empty_question_and_a_prompt_too_long(visitor: Any) -> None:
    runs = visitor.state("selection.run")
    visitor.page.fill("#question textarea", "   ")
    visitor.page.click("#ask")
    visitor.page.locator("[data-part~=rail-error]").wait_for()
    assert "The question is empty" in visitor.page.locator("[data-part~=rail-error]").inner_text()
    assert visitor.state("selection.run") == runs
    visitor.page.fill("#question textarea", "ᚠ" * 15_000)
    visitor.page.click("#ask")
    visitor.page.wait_for_function("() => window.__inspector.state.failed.A && !window.__inspector.state.busy")
    assert "tokens" in english(visitor.state("failed.A.sentence"))
    assert visitor.state("selection.run.A") == runs["A"]
    visitor.ask("Short again?")
    assert visitor.state("failed") == {"A": None, "B": None}


def test_a_question_without_a_picture_says_what_is_left(visitor: Any) -> None:
    visitor.page.locator("[data-part~=media] [data-part~=remove]").click()
    visitor.part("drop-area").wait_for()
    visitor.ask("What can you see?")
    assert "No picture in this question" in visitor.page.locator("[data-part~=rail-error]").inner_text()
    assert "No picture in this question" in visitor.part("stage", "A").inner_text()
    assert visitor.complaints == []
    for view in ("Patches", "Positions", "Adapter", "Answer"):
        visitor.view(view)
    assert visitor.complaints == []


def test_the_budget_changes_sizes_and_tokens_at_once(visitor: Any) -> None:
    path = visitor.session.examples()[0]["media"][0]["path"]
    for maximum in (784_000, 50_176):
        visitor.page.fill("#max_pixels", str(maximum))
        visitor.page.press("#max_pixels", "Enter")
        plan = visitor.session.forecast([path], "Describe the image.", "", 3136, maximum)["B"]["media"][0]
        words = "{:,} × {:,}, {:,} tokens".format(*plan["resized"], plan["tokens"])
        visitor.page.wait_for_function(
            "(words) => document.querySelector('#budget [data-part~=result]').textContent.includes(words)", arg=words
        )
    visitor.page.fill("#min_pixels", "200000")
    visitor.page.press("#min_pixels", "Enter")
    assert visitor.page.input_value("#max_pixels") == "200,000"
    visitor.ask()
    assert visitor.run("B").settings["max_pixels"] == 200_000


def test_figures_of_an_earlier_budget_that_come_late_are_not_shown(
    visitor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on, told = threading.Event(), threading.Event(), threading.Event()
    forecast = visitor.session.forecast

    def slowly(*asked: Any, **more: Any) -> Any:
        found = forecast(*asked, **more)
        if asked[1] == "What is red?" and asked[4] == 200_704:
            began.set()
            go_on.wait(60)
            told.set()
        return found

    monkeypatch.setattr(visitor.session, "forecast", slowly)
    visitor.page.fill("#question textarea", "What is red?")
    assert began.wait(30)
    visitor.page.fill("#max_pixels", "784000")
    visitor.page.press("#max_pixels", "Enter")
    visitor.page.wait_for_function(
        "() => document.querySelector('#budget [data-part~=result]').textContent.includes('1,064 × 728, 988 tokens')"
    )
    go_on.set()
    assert told.wait(30)
    visitor.page.wait_for_timeout(1500)  # long enough for what must not be shown
    assert "1,064 × 728, 988 tokens" in visitor.page.inner_text("#budget [data-part~=result]")


def test_pictures_are_added_and_removed(visitor: Any, photo: Path) -> None:
    visitor.upload(photo, button="Add another")
    visitor.page.wait_for_function("() => document.querySelectorAll('[data-part~=media-name]').length === 2")
    assert visitor.part("notice").inner_text().startswith("The pictures have changed since this answer.")
    visitor.ask()
    assert [media.name for media in visitor.run("A").media] == [media.name for media in visitor.run("B").media]
    assert len(visitor.run("A").media) == 2
    visitor.page.locator("[data-part~=media] [data-part~=remove]").first.click()
    visitor.page.wait_for_function("() => document.querySelectorAll('[data-part~=media-name]').length === 1")
    assert visitor.part("media-name").inner_text() == "photo.png"


@pytest.mark.usefixtures("unhurried")
def test_stop_keeps_what_was_said(visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for letter in "AB":  # answers that do not end of themselves
        monkeypatch.setattr(visitor.session.pipeline(letter).processor, "stop_ids", frozenset())
    visitor.page.locator("#more button").first.click()
    visitor.page.get_by_label("number input for Length, tokens at most").fill("512")
    visitor.page.keyboard.press("Tab")
    before = visitor.state("selection.run")
    visitor.page.click("#ask")
    visitor.page.wait_for_function(
        "() => window.__inspector.state.live.A?.pieces.length > 2 && window.__inspector.state.live.B?.pieces.length > 2"
    )
    visitor.page.click("#stop")
    visitor.answered(before)
    for letter in "AB":
        run = visitor.run(letter)
        assert run.stopped
        said = len(run.tokens) - run.answer_start
        assert 2 < said < 512
        assert f"stopped after {said} tokens" in visitor.part("head-card", letter).inner_text()
    assert visitor.page.locator("#ask").is_enabled()


def test_a_follow_up_carries_the_conversation_and_a_new_question_does_not(visitor: Any) -> None:
    asked = visitor.session.examples()[0]["question"]
    first = {letter: visitor.state(f"runs.{letter}.answer") for letter in "AB"}
    visitor.page.locator("#turn-kind label").nth(1).click()
    visitor.page.wait_for_function("() => document.querySelector('#question textarea').value === ''")
    visitor.ask("And what else?")
    for letter in "AB":
        conversation = visitor.state(f"runs.{letter}.conversation")
        assert [turn["question"] for turn in conversation] == [asked, "And what else?"]
        assert conversation[0]["answer"] == first[letter]
        assert len(visitor.run(letter).media) == 1
    visitor.page.locator("#turn-kind label").nth(0).click()
    visitor.page.wait_for_function("() => !document.querySelector('.turns')")
    visitor.ask("A new one?")
    assert [turn["question"] for turn in visitor.state("runs.A.conversation")] == ["A new one?"]
    assert len(visitor.run("A").media) == 1


def test_a_changed_question_is_said_and_examples_come_back_whole(visitor: Any) -> None:
    visitor.page.fill("#question textarea", "Something else?")
    visitor.part("notice").wait_for()
    assert "The question has changed since this answer." in visitor.part("notice").inner_text()
    example = visitor.session.examples()[1]
    runs = visitor.session.example(example["name"])
    visitor.page.get_by_role("button", name=example["label"], exact=True).click()
    visitor.page.wait_for_function("(id) => window.__inspector.state.selection.run.A === id", arg=runs["A"])
    visitor.wait()
    assert visitor.page.input_value("#question textarea") == example["question"]
    assert visitor.part("notice").count() == 0


def test_settings_reach_the_model(visitor: Any) -> None:
    visitor.page.locator("#more button").first.click()
    visitor.page.get_by_label("number input for Length, tokens at most").fill("5")
    visitor.page.get_by_label("number input for Temperature, 0 is greedy").fill("0.7")
    visitor.page.locator("#seed input").fill("11")
    visitor.page.get_by_label("System prompt").fill("You are a parrot.")
    visitor.ask("What now?")
    for letter in "AB":
        settings = visitor.run(letter).settings
        assert settings["temperature"] == pytest.approx(0.7)
        assert settings["seed"] == 11
        assert settings["max_new_tokens"] == 5
        assert visitor.state(f"runs.{letter}.system") == "You are a parrot."


def test_two_visitors_keep_their_own_rail(visit: Callable[..., Any], photo: Path) -> None:
    one, two = visit(), visit()
    one.open()
    two.open()
    one.upload(photo)
    assert one.page.locator("[data-part~=media-name]").inner_text() == "photo.png"
    assert two.page.locator("[data-part~=media-name]").inner_text() == "shapes.png"
