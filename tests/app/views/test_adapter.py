"""What Adapter asks of the server is the library's, and what cannot be asked is one sentence."""

from __future__ import annotations

import base64
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


def unpacked(value: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(value["f32"]), "<f4").reshape(value["shape"])


@pytest.fixture
def ask(tiny_session: Session) -> Callable[..., dict[str, Any]]:
    functions = {one.__name__: one for one in server_functions(tiny_session)}
    return lambda name, **asked: functions[name](asked)


@pytest.fixture
def ids(tiny_session: Session, tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "noise.png"
    Image.effect_noise((150, 100), 70).convert("RGB").save(path)
    return keep(tiny_session, {"A": "a cat", "B": "a cat"}, [path])


def test_counts_and_codes_are_the_librarys(ids: dict[str, str], ask: Callable[..., Any], tiny_session: Session) -> None:
    run = tiny_session.store.get(ids["A"]).run
    found = run.query_statistics(head=0)
    answer = ask("adapter_statistics", run=ids["A"], media=0, frame=0, head=0)
    np.testing.assert_allclose(unpacked(answer["entropy"]), found.entropy, rtol=1e-6)
    assert answer["half"] == found.half_counts.tolist()
    assert answer["coverage"] == found.coverage
    assert answer["orders"]["alike"] == found.order("alike")
    assert answer["alike"]["pairs"] == len(found.redundant_pairs)
    best = [float(found.overlap[query, other]) for query, other in enumerate(answer["nearest"])]
    np.testing.assert_allclose(unpacked(answer["overlap"]), best, rtol=1e-6)
    code = ask("adapter_code", run=ids["A"])
    np.testing.assert_array_equal(unpacked(code["keys"]), run.code_similarity().keys.numpy())
    assert code["grid"] == list(run.media[0].patch_grid[1:])


def test_the_mergers_shapes(ids: dict[str, str], ask: Callable[..., Any], tiny_session: Session) -> None:
    steps = ask("merger", run=ids["B"])["steps"]
    model = tiny_session.pipeline("B").model
    assert steps[2]["weight"] == list(model.adapter.up.weight.shape)
    assert steps[3]["weight"] == list(model.adapter.down.weight.shape)


@pytest.mark.parametrize(
    ("name", "asked", "words"),
    [
        ("adapter_statistics", {"letter": "B", "media": 0}, "Qwen2-VL has no adapter queries"),
        ("adapter_code", {"letter": "B"}, "Qwen2-VL has no adapter queries"),
        ("merger", {"letter": "A"}, "Qwen-VL has no merger"),
        ("adapter_statistics", {"letter": "A", "media": 0, "frame": 1}, "frame must be a whole number"),
        ("adapter_statistics", {"letter": "A", "media": 0, "head": "0"}, "head must be a whole number"),
    ],
)
def test_what_is_not_there_is_one_sentence(
    name: str, asked: dict[str, Any], words: str, ids: dict[str, str], ask: Callable[..., Any]
) -> None:
    letter = asked.pop("letter")
    answer = ask(name, run=ids[letter], **asked)
    assert list(answer) == ["error"]
    assert words in english(answer["error"])
