"""Colours are pure functions of a value, the same here and in the browser."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from viz import theme

STATIC = Path(__file__).parents[2] / "app" / "static"


def test_the_browser_has_the_same_viridis() -> None:
    source = (STATIC / "core" / "colour.js").read_text(encoding="utf-8")
    digits = "".join(re.findall(r'^  "([0-9a-f]+)"', source, flags=re.MULTILINE))
    table = np.frombuffer(bytes.fromhex(digits), dtype=np.uint8).reshape(256, 3)
    np.testing.assert_allclose(table, theme.viridis((np.arange(256) + 0.5) / 256), atol=1)


def test_the_browser_has_the_same_tokens() -> None:
    light, dark = re.findall(r"\{(.*?)\}", (STATIC / "core" / "base.css").read_text(encoding="utf-8"), flags=re.DOTALL)[
        :2
    ]
    for block, colours in ((light, theme.LIGHT), (dark, theme.DARK)):
        tokens = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
        assert tokens["q"] == colours.query
        assert tokens["k"] == colours.key
        assert tokens["kind-image"] == colours.kind_image
        assert (tokens["ax-t"], tokens["ax-h"], tokens["ax-w"]) == (colours.axis_t, colours.axis_h, colours.axis_w)


def test_nothing_is_drawn_over_what_was_not_looked_at() -> None:
    np.testing.assert_allclose(theme.opacity([0, 0.015, 0.115, 1]), [0, 0, 0.23, 0.92])
    assert theme.overlay(np.zeros((2, 2)))[..., 3].max() == 0


def test_tide_goes_one_way_in_lightness() -> None:
    for dark in (False, True):
        grey = theme.tide(np.linspace(0, 1, 33), dark=dark) @ np.array([0.2126, 0.7152, 0.0722])
        steps = np.diff(grey)
        assert (steps > 0).all() if dark else (steps < 0).all()
    assert theme.tide_scale()[0][0] == 0.0
    assert theme.tide_scale()[-1][0] == 1.0


def test_a_quiet_picture_keeps_its_greys_grey_and_gets_darker() -> None:
    grey = np.full((2, 2, 3), 100, dtype=np.uint8)
    np.testing.assert_array_equal(theme.quieten(grey), np.full((2, 2, 3), 56))
    assert (theme.quieten(grey, dark=True) < theme.quieten(grey)).all()
