"""Each toolchain's size and tokens as its own published code gives them, from the golden tables and transformers."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from qwenvl.errors import MediaError
from qwenvl.plan import Outcome, plan_toolchains
from qwenvl.plan.toolchains import CLASS_MAX_PIXELS, TOOLCHAINS, utils_resize
from qwenvl.processing.files.clips import ClipFile

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "goldens" / "qwen2-vl" / "preprocessing.json").read_text(encoding="utf-8")
)
PUBLISHED = (3136, 12_845_056)


def by_key(outcomes: list[Outcome]) -> dict[str, Outcome]:
    return {outcome.toolchain.key: outcome for outcome in outcomes}


@pytest.mark.parametrize("row", GOLDEN["images"], ids=lambda row: f"{row['height']}x{row['width']}-{row['max_pixels']}")
def test_utils_resize_is_the_published_rule(row: dict[str, Any]) -> None:
    limits = {name: row[name] for name in ("min_pixels", "max_pixels")}
    expected = row["qwen_vl_utils_0.0.14"]
    if "error" in expected:
        with pytest.raises(MediaError):
            utils_resize(row["height"], row["width"], **limits)
        return
    assert utils_resize(row["height"], row["width"], **limits) == (expected["height"], expected["width"])


@pytest.mark.parametrize(
    "row",
    [row for row in GOLDEN["images"] if (row["min_pixels"], row["max_pixels"]) == PUBLISHED],
    ids=lambda row: f"{row['height']}x{row['width']}",
)
def test_pictures_are_those_of_the_golden_table(row: dict[str, Any]) -> None:
    try:
        found = by_key(plan_toolchains((row["width"], row["height"])))
    except MediaError:
        assert "error" in row["hf_5.23"]
        return
    columns = {"checkpoint": "hf_5.23", "utils-0.0.8": "utils_then_hf_5.23", "utils-0.0.14": "utils_then_hf_5.23"}
    for key, column in columns.items():
        plan, expected = found[key].plan, row[column]
        if "error" in expected:
            assert plan is None
            assert found[key].error
        else:
            assert plan is not None
            assert (plan.media[0].resized, plan.visual_tokens) == (
                (expected["width"], expected["height"]),
                expected["tokens"],
            )
            assert plan.media[0].size == (row["width"], row["height"])
    assert found["qwen-vl"].plan is not None
    assert found["qwen-vl"].plan.media[0].resized == (448, 448)


@pytest.mark.parametrize(
    "row",
    [row for row in GOLDEN["videos"] if not row["options"]],
    ids=lambda row: f"{row['total_frames']}x{row['width']}x{row['height']}",
)
def test_clips_are_those_of_the_golden_table(row: dict[str, Any]) -> None:
    total, rate = row["total_frames"], row["video_fps"]
    times = tuple(frame / rate for frame in range(total))
    clip = ClipFile(Path("clip.mp4"), (row["width"], row["height"]), times, rate, animated=False)
    found = by_key(plan_toolchains(clip)) if total > 1 else {}
    for key in ("0.0.8", "0.0.14"):
        expected = row[f"qwen_vl_utils_{key}"]
        if "error" in expected:
            assert not found or found[f"utils-{key}"].error
            continue
        plan = found[f"utils-{key}"].plan
        assert plan is not None
        assert plan.visual_tokens == expected["tokens"]
        assert plan.media[0].resized == (expected["width"], expected["height"])
        assert len(plan.media[0].sampling.indices) == expected["nframes"]
    if total > 4 and "error" not in row["qwen_vl_utils_0.0.8"]:
        assert found["class"].plan.media[0].patch_grid[0] == -(-total // 2)


def test_defaults_are_those_of_the_class() -> None:
    pytest.importorskip("transformers")
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    assert Qwen2VLImageProcessorPil.size == {"shortest_edge": PUBLISHED[0], "longest_edge": CLASS_MAX_PIXELS}
    # its video class needs torchvision to be imported; its file says what its limits are
    spec = importlib.util.find_spec("transformers")
    source = Path(str(spec.origin)).parent / "models" / "qwen2_vl" / "video_processing_qwen2_vl.py"
    code = source.read_text(encoding="utf-8")
    assert 'size = {"shortest_edge": 128 * 28 * 28, "longest_edge": 28 * 28 * 768}' in code
    assert "do_sample_frames = False" in code
    assert "torchvision" not in sys.modules


def test_the_4k_page_of_claims() -> None:
    """10,549 tokens as the files ship and 1,222 with the class alone."""
    found = by_key(plan_toolchains((3840, 2160)))
    tokens = {key: outcome.plan.visual_tokens for key, outcome in found.items() if outcome.plan}
    assert tokens == {
        "qwen-vl": 256,
        "checkpoint": 10_549,
        "class": 1_222,
        "utils-0.0.8": 10_549,
        "utils-0.0.14": 10_549,
    }
    assert found["class"].plan.media[0].limit == "max_pixels"
    assert "from 8,270,416 up" in found["class"].plan.limits[0]


def test_a_strip_that_the_second_resize_refuses_is_told_of() -> None:
    found = by_key(plan_toolchains((5990, 30)))
    assert found["checkpoint"].plan is not None
    assert found["utils-0.0.14"].plan is None
    assert found["utils-0.0.14"].error == (
        "What qwen-vl-utils makes of picture 1 is 5992 × 28, one side 214.0 times the other; "
        "the limit is 200, so crop it or cut it into pieces."
    )


def test_outcomes_are_plain_json() -> None:
    written = json.loads(json.dumps([outcome.to_json() for outcome in plan_toolchains([(640, 480), (5990, 30)])]))
    assert [one["key"] for one in written] == [toolchain.key for toolchain in TOOLCHAINS]
    assert written[1]["media"][0]["resized"] == [644, 476]
    assert written[3]["error"].startswith("What qwen-vl-utils")


def test_qwen_vl_has_one_toolchain() -> None:
    with pytest.raises(MediaError, match="for Qwen2-VL alone"):
        plan_toolchains((64, 64), "Qwen-VL")
