"""Clips from file to answer as the page drives them: recognised, forecast, refused, asked about, stopped and shown."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.asking import pictures
from app.asking.conversation import Conversation, Settings
from app.exports.files import export_file
from app.page.draft import Draft
from app.serving.session import Session
from app.views.pictures import picture
from app.views.timeline import clip_longer, clip_time, filmstrip, twins
from qwenvl.errors import MediaError, RunError, UserError
from qwenvl.plan.clip_duration import cost_by_length
from qwenvl.processing.geometry.sampling import VideoOptions
from tests.support.clips import encode, encode_sound, number_of

EXAMPLES = Path(__file__).parents[3] / "app" / "examples"
DIAMOND = str(EXAMPLES / "diamond.mp4")


def opened(url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(encode(tmp_path_factory.mktemp("clip") / "clip.mp4", count=60, rate=10, size=(112, 56)))


# --- what a file is ---


def test_a_clip_is_known_by_its_content_and_described(tiny_session: Session, clip: str, tmp_path: Path) -> None:
    found = pictures.describe(clip)
    assert {name: found[name] for name in ("name", "kind", "size", "frames", "fps", "seconds")} == {
        **{"name": "clip.mp4", "kind": "video", "size": [112, 56]},
        **{"frames": 60, "fps": 10.0, "seconds": 6.0},
    }
    picture = tmp_path / "photo.mp4"
    Image.new("RGB", (40, 30)).save(picture, "PNG")
    assert pictures.describe(str(picture))["kind"] == "image"


def test_an_animated_picture_is_a_clip_and_a_clip_of_one_frame_a_still(tiny_session: Session, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (60, 60), (60 * index, 0, 0)) for index in range(4)]
    for name in ("moving.gif", "moving.webp", "moving.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=200)
        found = pictures.describe(str(tmp_path / name))
        assert (found["kind"], found["frames"], found["seconds"]) == ("video", 4, pytest.approx(0.8))
    one = pictures.describe(str(encode(tmp_path / "one.mp4", count=1)))
    assert (one["kind"], one["note"]) == ("image", "one.mp4 has one frame and is read as a still.")


def test_a_clips_thumbnail_is_its_first_frame(tiny_session: Session, clip: str) -> None:
    assert number_of(opened(pictures.thumbnail(clip, 112))) == 0


@pytest.mark.parametrize(
    ("name", "make", "sentence"),
    [
        ("empty.mp4", lambda path: path.write_bytes(b""), "empty.mp4 is empty"),
        (
            "words.txt",
            lambda path: path.write_text("no clip " * 90, encoding="utf-8"),
            "words.txt is neither a picture nor a clip",
        ),
        ("song.mp4", encode_sound, "song.mp4 holds sound and no picture"),
        (
            "cut.mp4",
            lambda path: path.write_bytes((data := encode(path, count=50).read_bytes())[: len(data) // 2]),
            "cut.mp4 is cut short or damaged",
        ),
    ],
)
def test_what_is_no_clip_is_one_sentence_and_the_page_goes_on(
    tiny_session: Session, name: str, make: Any, sentence: str, tmp_path: Path
) -> None:
    make(tmp_path / name)
    with pytest.raises(MediaError) as refused:
        pictures.describe(str(tmp_path / name))
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)
    assert pictures.describe(DIAMOND)["frames"] == 150


# --- before a question ---


def test_a_clip_is_forecast_for_both_without_a_model(clip: str) -> None:
    session = Session(load=lambda name: pytest.fail(f"{name} was loaded"))
    found = session.forecast([DIAMOND], "What happens?", max_pixels=21_952)
    (media,) = found["B"]["media"]
    assert (media["tokens"], media["patch_grid"], media["kind"]) == (168, [6, 8, 14], "video")
    assert [clamp["name"] for clamp in media["sampling"]["clamps"]] == ["max_pixels"]
    assert (
        media["sampling"]["clamps"][0]["sentence"] == "max_pixels 21,952: frames of 784 × 448 were shrunk to 196 × 112."
    )
    (media,) = found["A"]["media"]
    assert (media["token_grid"], media["sampling"]["effective_fps"]) == ([5, 16, 16], pytest.approx(5 / 6))
    fewer = session.forecast([DIAMOND], max_pixels=21_952, samplings=[VideoOptions(nframes=4, pictures=2)])
    assert (fewer["A"]["media"][0]["token_grid"][0], fewer["B"]["media"][0]["token_grid"][0]) == (2, 2)


@pytest.mark.slow
@pytest.mark.parametrize(("letter", "setting"), [("A", "pictures"), ("B", "nframes")])
def test_a_clip_that_does_not_fit_says_which_setting_would(letter: str, setting: str, tmp_path: Path) -> None:
    session = Session(load=lambda name: pytest.fail(f"{name} was loaded"))
    path = str(encode(tmp_path / "long.mp4", count=700, rate=2, size=(448, 448), g=100))
    many = VideoOptions(nframes=700, pictures=600)
    forecast = session.forecast([path], samplings=[many])[letter]
    assert not forecast["fits"]
    words, number = forecast["sentence"].removesuffix(" or fewer.").rsplit(" ", 2)[1:]
    assert words == setting
    best, step = int(number.replace(",", "")), {"pictures": 1, "nframes": 2}[setting]
    assert session.forecast([path], samplings=[many.changed({setting: best})])[letter]["fits"]
    assert not session.forecast([path], samplings=[many.changed({setting: best + step})])[letter]["fits"]


def test_a_draft_with_other_frames_of_its_clip_is_stale() -> None:
    asked = Draft(media=(DIAMOND,)).conversation("What happens?", "")
    draft = Draft(media=(DIAMOND,)).answered(asked)
    assert draft.stale("What happens?", "") is None
    other = Draft(media=(DIAMOND,), last=asked, asked_media=(DIAMOND,), sampling=VideoOptions(fps=1))
    assert other.stale("What happens?", "") == "Other frames of the clip have been chosen since this answer."


def test_each_turn_keeps_how_its_clips_were_sampled() -> None:
    photo = str(EXAMPLES / "shapes.png")
    asked = Conversation().asking("What happens?", [DIAMOND, photo], VideoOptions(nframes=6)).answered("A", "down")
    (first, _, second) = asked.asking("And here?", [DIAMOND]).messages("A")
    kinds = [part["type"] for part in first["content"]]
    assert kinds == ["video", "image", "text"]
    assert first["content"][0]["nframes"] == 6
    assert second["content"][0] == {"type": "video", "video": DIAMOND, "preset": "Qwen2-VL"}


# --- asking ---


@pytest.fixture(scope="module")
def filmed(tiny_session: Session) -> dict[str, str]:
    return tiny_session.example("clip")


def test_the_second_model_says_how_the_example_moves(tiny_session: Session, filmed: dict[str, str]) -> None:
    assert tiny_session.store.get(filmed["B"]).run.answer == "it moves down"


def test_decoding_and_reading_are_told_of(tiny_session: Session, clip: str) -> None:
    asked = Conversation().asking("What happens?", [clip, DIAMOND])
    updates = list(tiny_session.ask("ann", "B", asked, Settings(max_new_tokens=2, max_pixels=21_952)))
    assert updates[-1]["state"] == "done"
    progress = [update["progress"] for update in updates]
    assert progress == sorted(progress)


@pytest.mark.parametrize("step", ["decoding", "reading, "])
def test_a_stop_ends_decoding_and_reading_where_they_are(
    tiny_session: Session, clip: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.asking.asking import Asking

    told: list[str] = []
    tell = Asking.tell

    def stopping(self: Asking, state: str, words: str, progress: float, **more: Any) -> None:
        told.append(words)
        tell(self, state, words, progress, **more)
        if words.startswith(step):
            self.stop()

    monkeypatch.setattr(Asking, "tell", stopping)
    asked = Conversation().asking("What happens?", [clip])
    updates = list(tiny_session.ask("ann", "B", asked, Settings(max_pixels=21_952)))
    assert updates[-1]["state"] == "stopped"
    assert updates[-1]["run"] is None
    pause = tiny_session.pipeline("B")._lock
    with pause:  # the forward pass has let go
        assert sum(words.startswith(step) for words in told) == 1


# --- what the page is told of it ---


def test_the_payload_says_when_each_frame_was_shown(tiny_session: Session, filmed: dict[str, str]) -> None:
    (media,) = tiny_session.run(filmed["B"])["media"]
    assert (media["kind"], media["frames"], len(media["times"])) == ("video", 12, 12)
    assert media["times"] == media["sampling"]["times"]
    assert media["sampling"]["indices"][:3] == [0, 14, 27]
    (media,) = tiny_session.run(filmed["A"])["media"]
    assert (media["frames"], media["times"][-1]) == (5, pytest.approx(149 / 25))


def shown_frame(session: Session, run_id: str, frame: int) -> Image.Image:
    return opened(picture(session.store.get, {"run": run_id, "media": 0, "side": 300, "frame": frame})["picture"])


def test_frames_and_filmstrips_are_the_frames_that_were_taken(tiny_session: Session, clip: str) -> None:
    asked = Conversation().asking("What happens?", [clip], VideoOptions(nframes=6))
    run_id = tiny_session.answer("ann", "B", asked, Settings(max_new_tokens=2, max_pixels=112 * 56))
    indices = tiny_session.store.get(run_id).run.media[0].sampling.indices
    shown = [number_of(shown_frame(tiny_session, run_id, frame)) for frame in range(6)]
    assert tuple(shown) == indices
    strip = filmstrip(tiny_session.store.get, {"run": run_id, "media": 0, "frames": [5, 0, 3], "height": 56})
    film = opened(strip["picture"])
    assert film.size == (3 * strip["width"], 56)
    cut = [film.crop((place * 112, 0, place * 112 + 112, 56)) for place in range(3)]
    assert [number_of(frame) for frame in cut] == [indices[5], indices[0], indices[3]]


@pytest.mark.parametrize("frames", [None, [], [6], [True], list(range(6)) * 5, "0"])
def test_frames_that_are_not_there_are_refused(tiny_session: Session, filmed: dict[str, str], frames: Any) -> None:
    asked = {"run": filmed["A"], "media": 0, "frames": frames, "height": 56}
    with pytest.raises(RunError, match="frames must be"):
        filmstrip(tiny_session.store.get, asked)


def test_tubes_and_what_follows_them(tiny_session: Session, filmed: dict[str, str]) -> None:
    found = clip_time(tiny_session.store.get, {"run": filmed["B"], "media": 0})
    assert [len(tube["seconds"]) for tube in found["tubes"]] == [2] * 6
    assert [one.rule for one in found["resumes"]] == ["paper", "transformers-5"]


def test_frames_of_another_shape_are_shown_at_the_originals(tiny_session: Session, filmed: dict[str, str]) -> None:
    media = tiny_session.store.get(filmed["A"]).run.media[0]
    assert media.frames[0].size[0] == media.frames[0].size[1]  # squashed
    assert opened(pictures.picture(media, 392)).size == (392, 224)


def test_longer_clips_are_costed_by_every_preset(tiny_session: Session, filmed: dict[str, str]) -> None:
    found = clip_longer(tiny_session.store.get, {"run": filmed["B"], "media": 0})
    assert [one["budget"] for one in found["presets"]] == [24_576, 16_384, 115_200]
    assert found["here"] == [6.0, 168]
    for preset in found["presets"]:
        plan = VideoOptions(preset=preset["name"])
        forecast = tiny_session.forecast([DIAMOND], samplings=[plan])["B"]["media"][0]
        (at,) = cost_by_length((784, 448), 25, preset["name"], seconds=[6])
        assert forecast["tokens"] == at.tokens
    with pytest.raises(RunError, match="choose such a clip"):
        clip_longer(tiny_session.store.get, {"run": filmed["A"], "media": 0})


# --- taking it away ---


@pytest.mark.parametrize("kind", ["gif", "mp4"])
def test_the_map_of_a_clip_plays_in_a_file(tiny_session: Session, filmed: dict[str, str], kind: str) -> None:
    words = {letter: tiny_session.run(run)["words"][0]["tokens"][0] for letter, run in filmed.items()}
    at = {"why": True, "layer": 1, "head": 0, "media": 0, "frame": 0}
    selection = {letter: {**at, "query": word} for letter, word in words.items()}
    asked = {"kind": kind, "view": "answer", "runs": filmed, "selection": selection}
    file = export_file(tiny_session, asked)
    assert file.name == f"clip.{kind}"
    if kind == "gif":
        shown = Image.open(io.BytesIO(file.content))
        assert shown.n_frames == 6  # type: ignore[attr-defined]
        assert shown.info["duration"] == 700
        first = np.asarray(shown.convert("RGB"))
        shown.seek(5)
        assert np.abs(np.asarray(shown.convert("RGB")).astype(int) - first).max() > 40
    stills = {**asked, "runs": tiny_session.example("shapes"), "selection": dict.fromkeys(words, at)}
    with pytest.raises(UserError, match="no clip to play"):
        export_file(tiny_session, stills)


def test_the_twins_of_a_frame_agree_and_only_in_a_model_that_has_time(
    tiny_session: Session, filmed: dict[str, str]
) -> None:
    found = twins(tiny_session.store.get, {"run": filmed["B"], "media": 0, "frame": 3})
    assert found.patches == 8 * 14
    assert found.difference < 1e-12 < found.largest
    with pytest.raises(RunError, match="Only Qwen2-VL"):
        twins(tiny_session.store.get, {"run": filmed["A"], "media": 0})
    with pytest.raises(RunError, match="frame must be"):
        twins(tiny_session.store.get, {"run": filmed["B"], "media": 0, "frame": 12})


@pytest.mark.slow
def test_a_clip_that_does_not_fit_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    session = Session()
    path = str(encode(tmp_path / "long.mp4", count=700, rate=2, size=(448, 448), g=100))
    asked = Conversation().asking("What happens?", [path], VideoOptions(nframes=700))
    (last,) = session.ask("ann", "B", asked)
    assert last["state"] == "error"
    assert last["error"]["sentence"].endswith(" or fewer.")
    assert "set nframes " in last["error"]["sentence"]
    assert not session.models.is_loaded(session.models.first["B"])
