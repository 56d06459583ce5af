"""What is said of the limit that bites is what the resizing rule then does."""

from __future__ import annotations

import pytest

from qwenvl.models.config import PRESETS
from qwenvl.processing.geometry.media import Seen, qwen2_vl_media, qwen_vl_media
from qwenvl.processing.geometry.pictures import limit_that_bites, smart_resize
from qwenvl.processing.geometry.size_rules import size_rule

CONFIG = PRESETS["Qwen2-VL-2B"]
SIZES = [(3840, 2160), (600, 400), (30, 40), (448, 448), (97, 1611), (1000, 9), (41, 57), (20, 20)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("limits", [(3136, 12_845_056), (3136, 200_704), (250_000, 1_003_520)])
def test_the_threshold_is_where_the_limit_lets_go(size: tuple[int, int], limits: tuple[int, int]) -> None:
    low, high = limits
    media = qwen2_vl_media(Seen("image", "p", size), CONFIG, min_pixels=low, max_pixels=high)
    rule = size_rule(media, CONFIG, min_pixels=low, max_pixels=high)
    width, height = size
    assert rule.name == (media.limit or "factor")
    assert rule.stretch == (media.resized[0] / width, media.resized[1] / height)
    if media.limit is None:
        assert (rule.value, rule.threshold, rule.free) == (None, None, media.resized)
        assert rule.free_tokens == media.num_tokens
        return
    assert rule.value == {"min_pixels": low, "max_pixels": high}[media.limit]
    if rule.threshold is None:
        assert limit_that_bites(height, width, min_pixels=1, max_pixels=1 << 40) == "min_pixels"
        return
    beyond = -1 if media.limit == "max_pixels" else 1
    at = {"min_pixels": 1, "max_pixels": 1 << 40, media.limit: rule.threshold}
    assert smart_resize(height, width, **at) == rule.free[::-1]
    assert limit_that_bites(height, width, **at) is None
    assert limit_that_bites(height, width, **{**at, media.limit: rule.threshold + beyond}) == media.limit


def test_qwen_vl_squashes_whatever_the_limits() -> None:
    config = PRESETS["Qwen-VL"]
    rule = size_rule(qwen_vl_media(Seen("image", "p", (896, 224)), config), config, min_pixels=1, max_pixels=2)
    assert (rule.name, rule.stretch, rule.threshold, rule.aspect) == ("squash", (0.5, 2.0), None, 4.0)
