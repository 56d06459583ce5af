"""What Patches asks of the server: the library's own figures, and sentences for what cannot be asked."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.serving.api import server_functions
from app.serving.session import Session
from tests.support.kept import keep
from tests.support.sentences import english


def picture_of(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))


@pytest.fixture
def ask(tiny_session: Session) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return next(one for one in server_functions(tiny_session) if one.__name__ == "rebuilt")


@pytest.fixture
def ids(tiny_session: Session, tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "noise.png"
    Image.effect_noise((150, 100), 70).convert("RGB").save(path)
    return keep(tiny_session, {"A": "a cat", "B": "a cat"}, [path])


def test_the_picture_comes_back_from_what_each_model_received(
    ids: dict[str, str], ask: Callable[..., Any], tiny_session: Session
) -> None:
    for letter, run_id in ids.items():
        answer = ask({"run": run_id, "media": 0, "frame": 0})
        media = tiny_session.store.get(run_id).run.media[0]
        resized = media.frames[0].resize(media.resized, Image.Resampling.BICUBIC)
        assert max(media.resized) <= 480  # small enough to be sent whole
        np.testing.assert_array_equal(picture_of(answer["picture"]), np.asarray(resized))
        np.testing.assert_array_equal(picture_of(answer["resized"]), np.asarray(resized))
        assert answer["differing"] == 0
        assert 0 < answer["mean"] < answer["maximum"] < 1e-3
        assert answer["values"] == answer["frames"] * media.resized[0] * media.resized[1] * 3
        assert answer["rule"]["name"] == {"A": "squash", "B": "factor"}[letter]


@pytest.mark.parametrize("asked", [{"media": None}, {"media": 1}, {"frame": 1}, {"frame": True}])
def test_what_is_not_there_is_one_sentence(asked: dict[str, Any], ids: dict[str, str], ask: Callable[..., Any]) -> None:
    answer = ask({"run": ids["B"], **asked})
    assert list(answer) == ["error"]
    assert "choose another" in english(answer["error"])


def test_a_token_is_its_own_pixels(ids: dict[str, str], tiny_session: Session) -> None:
    pixels = next(one for one in server_functions(tiny_session) if one.__name__ == "token_pixels")
    media = tiny_session.store.get(ids["B"]).run.media[0]
    resized = np.asarray(media.frames[0].resize(media.resized, Image.Resampling.BICUBIC))
    _, rows, columns = media.token_grid
    last = rows * columns - 1
    drawn = picture_of(pixels({"run": ids["B"], "media": 0, "token": last})["picture"])
    np.testing.assert_array_equal(drawn, resized[28 * (rows - 1) :, 28 * (columns - 1) :])
    assert "choose another" in english(pixels({"run": ids["B"], "media": 0, "token": last + 1})["error"])
    assert "no pixels of its own" in pixels({"run": ids["A"], "media": 0, "token": 0})["error"]
