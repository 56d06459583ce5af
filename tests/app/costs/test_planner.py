"""The Planner's answers: the library's figures, the pixels that the processors make, and no model loaded for them."""

from __future__ import annotations

import base64
import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import qwenvl
from app.costs.planner import Files, functions
from qwenvl.errors import UserError
from qwenvl.plan import PUBLISHED
from qwenvl.processing.geometry.pictures import resize
from tests.support.clips import encode, number_of


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page whose writing is in its lower right corner."""
    pixels = np.full((1200, 1600), 250, dtype=np.uint8)
    pixels[900:1150, 1100:1550] = np.random.default_rng(0).integers(0, 255, (250, 450))
    path = tmp_path_factory.mktemp("pages") / "page.png"
    Image.fromarray(pixels).convert("RGB").save(path)
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode(tmp_path_factory.mktemp("clips") / "walk.mp4", count=100, rate=25, size=(320, 240))


class Asking:
    """The functions as the page asks them, over some files."""

    def __init__(self, *paths: Path) -> None:
        self.files = Files()
        self.given = self.files.give([str(path) for path in paths])
        self.ids = [one["id"] for one in self.given]
        self.functions = functions(self.files)

    def __call__(self, name: str, **asked: Any) -> dict[str, Any]:
        return self.functions[f"planner_{name}"](asked)

    def rows(self, **asked: Any) -> dict[tuple[str, str], dict[str, Any]]:
        groups = self("plan", files=self.ids, text_tokens=32, answer_tokens=64, **asked)["groups"]
        return {(group["key"], row["model"]): row for group in groups for row in group["rows"]}


def pixels(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB"))


def test_every_row_is_the_librarys_plan(page: Path) -> None:
    rows = Asking(page).rows(max_pixels=401_408)
    assert list(dict.fromkeys(key for key, _ in rows)) == ["one", "own", "files", "class"]
    limits = {"one": {}, "own": {"max_pixels": 401_408}, "files": {}, "class": {"max_pixels": 1_003_520}}
    for (key, model), row in rows.items():
        cost = qwenvl.plan(page, model, text_tokens=32, answer_tokens=64, **limits[key])
        assert row["resized"] == cost.media[0].resized
        assert row["tokens"] == cost.visual_tokens + 2
        assert row["positions"] == cost.positions - (cost.prompt_tokens - cost.visual_tokens) + 2
        assert row["total_bytes"] == cost.weight_bytes + cost.kv_cache_bytes + sum(cost.trace_bytes.values())
        assert row["flops"] == cost.flops
        assert row["limits"] == cost.limits
        assert row["letter"] == [20 * cost.media[0].resized[0] / 1600, 20 * cost.media[0].resized[1] / 1200]


def test_the_4k_page_of_the_design(tmp_path: Path) -> None:
    """Its figures by hand: 64 % of the ceiling, and 10,551 tokens in 139 positions, as claimed."""
    Image.new("L", (3840, 2160)).save(tmp_path / "4k.png")
    rows = Asking(tmp_path / "4k.png").rows()
    row = rows["files", "Qwen2-VL-7B"]
    assert (row["tokens"], row["positions"], round(row["filled"], 3)) == (10_551, 139, 0.644)
    assert (rows["one", "Qwen-VL-Chat"]["tokens"], rows["one", "Qwen-VL-Chat"]["positions"]) == (258, 258)
    assert rows["class", "Qwen2-VL-2B"]["tokens"] == 1_224


def test_models_that_are_left_out_are_left_out(page: Path) -> None:
    assert set(Asking(page).rows(models=["Qwen2-VL-2B"])) == {("files", "Qwen2-VL-2B"), ("class", "Qwen2-VL-2B")}


def test_a_clip_keeps_its_budget_as_the_files_ship(clip: Path) -> None:
    asking = Asking(clip)
    assert (asking.given[0]["kind"], asking.given[0]["frames"]) == ("video", 100)
    rows = asking.rows(fps=4)
    assert {key for key, _ in rows} == {"one", "files"}  # without its file a processor samples nothing
    cost = qwenvl.plan(clip, "Qwen2-VL-7B", fps=4, text_tokens=32)
    assert rows["files", "Qwen2-VL-7B"]["visual_tokens"] == cost.visual_tokens
    assert rows["files", "Qwen2-VL-7B"]["media"][0]["frames"] == 16
    chains = {one["key"]: one for one in asking("plan", files=asking.ids)["toolchains"]}
    assert chains["class"]["media"][0]["frames"] == 100


@pytest.mark.parametrize("asked", [{"model": "Qwen-VL-Chat"}, {"model": "Qwen2-VL-7B", "max_pixels": 100_352}, {}])
def test_a_crop_holds_the_processors_pixels(page: Path, asked: dict[str, Any]) -> None:
    asking = Asking(page)
    found = asking("crop", file=asking.ids[0], x=0.7, y=0.8, **asked)
    limits = {"max_pixels": asked["max_pixels"]} if "max_pixels" in asked else {}
    size = qwenvl.plan(page, asked.get("model", PUBLISHED[-1]), **limits).media[0].resized
    whole = np.asarray(resize(Image.open(page), *size))
    left, top, width, height = (
        edge * size[place % 2] / (1600, 1200)[place % 2] for place, edge in enumerate(found["region"])
    )
    shown = pixels(found["crop"])
    row, column = int(top), int(left)
    np.testing.assert_array_equal(shown, whole[row : row + shown.shape[0], column : column + shown.shape[1]])
    assert found["arrive"] == [round(width), round(height)]
    assert found["box"] == pytest.approx([left - column, top - row, width, height])


def test_without_a_place_the_crop_is_where_the_detail_is(page: Path) -> None:
    asking = Asking(page)
    left, top, width, height = asking("crop", file=asking.ids[0])["region"]
    assert 1040 <= left <= 1180
    assert left + width <= 1600
    assert top >= 860
    assert top + height <= 1200


def test_a_clip_is_cropped_on_its_middle_frame(clip: Path) -> None:
    asking = Asking(clip)
    shown = pixels(asking("picture", file=asking.ids[0])["picture"])
    assert number_of(Image.fromarray(shown)) == 50
    cut = pixels(asking("crop", file=asking.ids[0], x=0.5, y=0.5)["crop"])
    assert cut.max() > 200
    assert cut.min() < 60


def test_the_table_is_plan_table(page: Path, clip: Path) -> None:
    asking = Asking(page, clip)
    found = asking("table", files=asking.ids, models=["Qwen2-VL-2B"], max_pixels=200_704, nframes=4)
    read = list(csv.DictReader(io.StringIO(found["csv"])))
    assert [(row["file"], row["frames"]) for row in read] == [("page.png", ""), ("walk.mp4", "4")]
    expected = qwenvl.plan(page, "Qwen2-VL-2B", max_pixels=200_704)
    assert int(read[0]["visual_tokens"]) == expected.visual_tokens


def test_places_are_converted_in_all_three_spaces(page: Path) -> None:
    asking = Asking(page)
    asked = {"file": asking.ids[0], "model": "Qwen-VL-Chat", "numbers": [500, 500, 1000, 250], "space": "thousandths"}
    found = asking("convert", **asked)
    assert found["original"] == (800, 600, 1600, 300)
    assert found["resized"] == (224, 224, 448, 112)
    assert found["written"] == (500, 500, 999, 250)
    assert found["sees"] == (448, 448)


def test_no_model_is_loaded(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a model was loaded")

    for name in ("load", "load_model"):
        monkeypatch.setattr(f"qwenvl.{name}", refuse)
    monkeypatch.setattr("torch.nn.Module.load_state_dict", refuse)
    asking = Asking(page)
    assert asking.rows()
    assert asking("crop", file=asking.ids[0])["crop"]


def test_ids_are_the_permission(page: Path) -> None:
    asking = Asking(page)
    assert asking.files.give([str(page)])[0]["id"] == asking.ids[0]
    assert len(asking.ids[0]) >= 22
    for wrong in (str(page), "", None, 5, ["a"], "x" * 22):
        with pytest.raises(UserError, match="no longer here"):
            asking("crop", file=wrong)


WRONG: list[tuple[str, Any]] = [
    *(("models", value) for value in ("Qwen2-VL-2B", ["gpt"], 5, [["a"]])),
    *((name, value) for name in ("min_pixels", "max_pixels") for value in (0, -1, 2.5, "9", True, 10**12)),
    *(("fps", value) for value in (0, -1, "2", float("inf"), float("nan"), True)),
    *(("files", value) for value in ("a", ["invented"], [None], ["x"] * 100)),
    *(("text_tokens", value) for value in (-1, "many", 10**9)),
    *(("shown", value) for value in (1, -1, "0")),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_wrong_input_is_one_sentence(page: Path, name: str, value: Any) -> None:
    asking = Asking(page)
    with pytest.raises(UserError) as told:
        asking("plan", **{"files": asking.ids, name: value})
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("numbers", [[1, 2, 3], [], "1,2", [1, "2"], [float("nan"), 1], [1] * 66, None])
def test_wrong_places_are_one_sentence(page: Path, numbers: Any) -> None:
    asking = Asking(page)
    with pytest.raises(UserError):
        asking("convert", file=asking.ids[0], numbers=numbers, space="original")


def test_limits_that_exclude_each_other_are_told_in_their_rows(page: Path) -> None:
    rows = Asking(page).rows(min_pixels=900_000, max_pixels=90_000)
    assert "above max_pixels" in rows["own", "Qwen2-VL-7B"]["error"]
    assert "error" not in rows["files", "Qwen2-VL-7B"]


def test_many_files_are_one_question(page: Path, clip: Path) -> None:
    row = Asking(page, page, clip).rows()["files", "Qwen2-VL-7B"]
    cost = qwenvl.plan([page, page, clip], "Qwen2-VL-7B", text_tokens=32)
    assert row["visual_tokens"] == cost.visual_tokens
    assert [media["tokens"] for media in row["media"]] == [item.num_tokens for item in cost.media]


def test_the_oldest_files_are_forgotten(tmp_path: Path) -> None:
    paths = [tmp_path / f"{index}.png" for index in range(600)]
    for path in paths:
        path.write_bytes(b"")
    files = Files()
    ids = [files._id(str(path)) for path in paths]
    assert files.path(ids[-1]) == str(paths[-1])
    with pytest.raises(UserError):
        files.path(ids[0])
