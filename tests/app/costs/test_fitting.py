"""What a refusal of a clip offers: tried here from both sides, against forecasts of every other number."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.asking.model_choice import ModelChoice
from app.models.memory import Budgets
from app.serving.session import Session
from qwenvl.processing.geometry.sampling import VideoOptions
from tests.support.clips import encode

GIB = 1 << 30
ROOMY = Budgets(weights=GIB, runs=10 * GIB, free=200 * GIB)
SMALL = {"A": ModelChoice("tiny-qwen-vl", dtype="bfloat16"), "B": ModelChoice("tiny-qwen2-vl", dtype="bfloat16")}
TAKE = {"nframes": 2, "pictures": 1}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """200 frames at 2 a second, all of which are taken; and three frames."""
    folder = tmp_path_factory.mktemp("clips")
    long = encode(folder / "long.mp4", count=200, rate=2, size=(112, 112), g=50)
    return str(long), str(encode(folder / "short.mp4", count=3, size=(112, 112)))


def found(letter: str, paths: tuple[str, ...], free: int | None = None, **more: Any) -> dict[str, Any]:
    """The forecast of a column where so many bytes are free; with that of another part of memory, as it is."""
    budgets = ROOMY if free is None else replace(ROOMY, free=free)
    session = Session(load=lambda name: pytest.fail(f"{name} was loaded"), budgets=budgets)
    given = {"samplings": [VideoOptions()] * len(paths), "models": SMALL, "keep": "nothing", **more}
    return session.forecast(list(paths), "What moves?", **given)[letter]


@pytest.mark.parametrize(("letter", "setting", "now"), [("A", "pictures", 5), ("B", "nframes", 200)])
def test_fewer_frames_are_offered_where_memory_is_short_and_are_the_most_that_fit(
    letter: str, setting: str, now: int, clips: tuple[str, str]
) -> None:
    paths = clips[:1]
    step = TAKE[setting]

    def total(number: int) -> int:
        return found(letter, paths, samplings=[VideoOptions(**{setting: number})])["total"]

    free = (total(step) + total(now)) // 2
    refusal = found(letter, paths, free)["refusal"]
    number = refusal["offer"][setting]
    assert f"set {setting} {number} or fewer, " in refusal["sentence"]
    assert found(letter, paths, free, samplings=[VideoOptions(**{setting: number})])["refusal"] is None
    assert found(letter, paths, free, samplings=[VideoOptions(**{setting: number + step})])["refusal"]
    assert all(total(fewer) <= free for fewer in range(step, number + 1, step))


def test_several_clips_are_offered_a_rate_since_no_number_suits_both(clips: tuple[str, str]) -> None:
    whole = found("B", clips)["total"]
    small = found("B", clips, samplings=[VideoOptions(fps=0.01)] * 2)["total"]
    free = (whole + small) // 2
    refusal = found("B", clips, free)["refusal"]
    rate = refusal["offer"]["fps"]
    assert 0.01 < rate < 2
    assert f"at fps {rate:g} it fits, " in refusal["sentence"]
    assert found("B", clips, free, samplings=[VideoOptions(fps=rate)] * 2)["refusal"] is None
    assert found("B", clips, free, samplings=[VideoOptions(fps=2 * rate)] * 2)["refusal"]


def test_clips_of_earlier_turns_stay_as_they_were_asked_about(clips: tuple[str, str], tmp_path: Path) -> None:
    long = clips[0]
    before = VideoOptions(nframes=20)
    whole = found("B", (long, long), samplings=[before, VideoOptions()])["total"]
    least = found("B", (long, long), samplings=[before, VideoOptions(nframes=2)])["total"]
    free = (whole + least) // 2
    offer = found("B", (long, long), free, samplings=[before, VideoOptions()], own=1)["refusal"]["offer"]
    number = offer["nframes"]
    for frames, refused in ((number, False), (number + 2, True)):
        samplings = [before, VideoOptions(nframes=frames)]
        assert bool(found("B", (long, long), free, samplings=samplings, own=1)["refusal"]) == refused
    picture = tmp_path / "page.png"
    Image.new("RGB", (1400, 1400)).save(picture)
    alone = found("B", (long, str(picture)), samplings=[before, VideoOptions()])["total"]
    refusal = found("B", (long, str(picture)), alone - 1, samplings=[before, VideoOptions()], own=1)["refusal"]
    assert list(refusal["offer"]) == ["max_pixels"]  # the clip is not the question's to change


def test_a_picture_that_weighs_more_than_the_clip_beside_it_is_made_smaller(
    clips: tuple[str, str], tmp_path: Path
) -> None:
    picture = tmp_path / "page.png"
    Image.new("RGB", (2800, 2800)).save(picture)
    paths = (clips[1], str(picture))
    free = found("B", paths)["total"] - 1
    offer = found("B", paths, free)["refusal"]["offer"]
    assert found("B", paths, free, max_pixels=offer["max_pixels"])["refusal"] is None
    assert found("B", paths, free, max_pixels=offer["max_pixels"] + 100 * 784)["refusal"]


def test_a_prompt_of_pictures_that_is_too_long_says_the_pixels_that_fit(tmp_path: Path) -> None:
    paths = []
    for index in range(4):
        Image.new("RGB", (3000, 3000), (index, 0, 0)).save(tmp_path / f"{index}.png")
        paths.append(str(tmp_path / f"{index}.png"))
    forecast = found("B", tuple(paths), max_pixels=12_845_056)
    pixels = forecast["shorter"]["max_pixels"]
    assert re.search(rf"lower max_pixels to {pixels:,}\.$", forecast["sentence"])
    assert found("B", tuple(paths), max_pixels=pixels)["fits"]
    assert not found("B", tuple(paths), max_pixels=pixels + 784 * 300)["fits"]


@pytest.mark.slow
def test_two_clips_too_long_for_the_context_say_at_which_rate_they_fit(tmp_path: Path) -> None:
    paths = [str(encode(tmp_path / f"{name}.mp4", count=400, rate=2, size=(448, 448), g=100)) for name in "ab"]
    asked = {"samplings": [VideoOptions(fps=2)] * 3, "max_pixels": 3_000_000}
    short = str(encode(tmp_path / "short.mp4", count=3, size=(112, 112)))
    forecast = found("B", (*paths, short), **asked)
    assert not forecast["fits"]
    rate = forecast["shorter"]["fps"]
    assert found("B", (*paths, short), **{**asked, "samplings": [VideoOptions(fps=rate)] * 3})["fits"]
