"""Defines the colours of the page and of its figures, in light and dark, and the two colour maps.

Viridis lies on pictures, which are quietened first; "tide" is for everything that lies on no picture. Both are pure
functions of a value in 0..1, so that a colour can be read back into a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from numpy.typing import ArrayLike, NDArray

FONT = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, system-ui, sans-serif"

ROSE, TEAL = 5, 190  # hues of what is less and of what is more, in degrees of OKLCH


@dataclass(frozen=True)
class Theme:
    """Colours by what they are for; see the page's own tokens of the same names."""

    surface: str
    well: str
    line: str
    text: str
    subdued: str
    query: str
    key: str
    kind_text: str
    kind_image: str
    kind_answer: str
    axis_t: str
    axis_h: str
    axis_w: str


LIGHT = Theme(
    surface="#ffffff",
    well="#f0f2f5",
    line="#e2e5ea",
    text="#15181e",
    subdued="#545c69",
    query="#d95a00",
    key="#1f6feb",
    kind_text="#868f9e",
    kind_image="#12908c",
    kind_answer="#3d4553",
    axis_t="#b32d66",
    axis_h="#217738",
    axis_w="#6d46c4",
)
DARK = Theme(
    surface="#16191f",
    well="#1f232b",
    line="#2a2f39",
    text="#e9ebef",
    subdued="#a9b1be",
    query="#ff9840",
    key="#6aaeff",
    kind_text="#6d788a",
    kind_image="#2fb3ad",
    kind_answer="#c8ced8",
    axis_t="#ff7fae",
    axis_h="#6cc98a",
    axis_w="#b299ff",
)


def theme(dark: bool) -> Theme:
    """The light or the dark colours."""
    return DARK if dark else LIGHT


def bare_layout(title: str = "", *, dark: bool = False, top: int = 0) -> dict[str, Any]:
    """What every plotly figure here lays out alike: the page's type and surface, and no margin but for a title.

    Args:
        title: of the figure; without one nothing is kept free for it.
        dark: for a dark page.
        top: pixels left free above a figure without a title.
    """
    colours = theme(dark)
    return {
        "title": {"text": title, "font": {"size": 14}} if title else None,
        "font": {"family": FONT, "size": 11, "color": colours.subdued},
        "paper_bgcolor": colours.surface,
        "plot_bgcolor": colours.surface,
        "margin": {"l": 0, "r": 0, "t": 36 if title else top, "b": 0},
    }


def square_cells() -> dict[str, Any]:
    """Axes of a heat map whose cells are square, the first row at the top, with no ticks."""
    across = {"visible": False, "constrain": "domain"}
    return {"xaxis": across, "yaxis": {**across, "autorange": "reversed", "scaleanchor": "x"}}


def viridis(values: ArrayLike) -> NDArray[np.uint8]:
    """Values in 0..1 as 8-bit RGB, of shape (..., 3)."""
    return np.round(255 * colormaps["viridis"](np.asarray(values, dtype=float))[..., :3]).astype(np.uint8)


def tide(values: ArrayLike, *, dark: bool = False) -> NDArray[np.uint8]:
    """Values in 0..1 as 8-bit RGB, (..., 3): linear in OKLCH lightness; zero is the page, one the far end."""
    at = np.clip(np.asarray(values, dtype=float), 0, 1)
    low, high, hue_low, hue_high, most = (0.24, 0.92, 265, 170, 0.115) if dark else (0.97, 0.34, 175, 260, 0.12)
    lightness = low + (high - low) * at
    chroma = most * np.sin(np.pi * (0.03 + 0.67 * at))
    hue = np.deg2rad(hue_low + (hue_high - hue_low) * at)
    return _srgb(lightness, chroma * np.cos(hue), chroma * np.sin(hue))


def tide_scale(*, dark: bool = False, steps: int = 33) -> list[list[float | str]]:
    """ "tide" as a plotly colour scale."""
    at = np.linspace(0, 1, steps)
    return [
        [float(x), f"rgb({red},{green},{blue})"] for x, (red, green, blue) in zip(at, tide(at, dark=dark), strict=True)
    ]


def opacity(values: ArrayLike) -> NDArray[np.float64]:
    """How strongly a cell of a map covers the picture, from its value over the maximum of the scale.

    (v - 0.015) x 2.3, held to 0 and 0.92: nothing is drawn over what was not looked at.
    """
    return np.clip((np.asarray(values, dtype=float) - 0.015) * 2.3, 0.0, 0.92)


def diverging(values: ArrayLike) -> NDArray[np.uint8]:
    """Values in -1..1 as 8-bit RGB, (..., 3): rose below zero, teal above, the lighter the larger.

    Zero has no colour of its own: it is drawn with no opacity, so that what lies beneath shows.
    """
    at = np.clip(np.asarray(values, dtype=float), -1, 1)
    hue = np.deg2rad(np.where(at < 0, ROSE, TEAL))
    return _srgb(0.58 + 0.26 * np.abs(at), 0.13 * np.cos(hue), 0.13 * np.sin(hue))


def overlay(values: ArrayLike, *, maximum: float | None = None, signed: bool = False) -> NDArray[np.float64]:
    """A map as RGBA in 0..1, of shape (..., 4), to lie on a quietened picture.

    Args:
        values: shares of a row, not negative; of any sign when `signed`.
        maximum: where the scale ends; the largest value, or the largest size, when it is None.
        signed: in rose and teal, from -maximum to maximum.
    """
    shares = np.asarray(values, dtype=float)
    top = float((np.abs(shares) if signed else shares).max(initial=0.0)) if maximum is None else maximum
    scaled = shares / top if top > 0 else np.zeros_like(shares)
    if signed:
        return np.concatenate([diverging(scaled) / 255, opacity(np.abs(scaled))[..., None]], axis=-1)
    return np.concatenate([viridis(scaled) / 255, opacity(scaled)[..., None]], axis=-1)


def quieten(picture: ArrayLike, *, dark: bool = False) -> NDArray[np.uint8]:
    """A picture (height, width, 3) of 8 bits with less colour and light, so that a map on it can be read."""
    saturation, brightness = (0.40, 0.46) if dark else (0.45, 0.56)
    pixels = np.asarray(picture, dtype=float)
    grey = pixels @ np.array([0.213, 0.715, 0.072])
    return (
        np.clip(brightness * (grey[..., None] + saturation * (pixels - grey[..., None])), 0, 255)
        .round()
        .astype(np.uint8)
    )


def _srgb(lightness: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.uint8]:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = np.stack(
        [
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        ],
        axis=-1,
    ).clip(0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(255 * encoded).astype(np.uint8)
