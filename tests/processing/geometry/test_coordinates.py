"""Coordinates between original, resized and thousandths: by hand, and back again."""

from __future__ import annotations

from fractions import Fraction

import pytest

from qwenvl.errors import MediaError
from qwenvl.plan import plan
from qwenvl.processing.geometry.coordinates import SPACES, convert, written

SIZES = {"size": (3840, 2160), "resized": (3836, 2156)}


def test_corners_are_corners_in_every_space() -> None:
    ends = {"original": (0, 0, 3840, 2160), "resized": (0, 0, 3836, 2156), "thousandths": (0, 0, 1000, 1000)}
    for source, numbers in ends.items():
        for target, expected in ends.items():
            assert convert(numbers, source=source, target=target, **SIZES) == pytest.approx(expected)


def test_a_place_by_hand() -> None:
    assert convert((1920, 540), source="original", target="thousandths", **SIZES) == (500, 250)
    assert convert((500, 250), source="thousandths", target="resized", **SIZES) == (1918, 539)
    assert convert((224, 224), source="resized", target="original", size=(896, 200), resized=(448, 448)) == (448, 100)


def test_there_and_back_is_where_it_was() -> None:
    box = (17.25, 3.5, 1234.0, 2159.75)
    for source in SPACES:
        for target in SPACES:
            there = convert(box, source=source, target=target, **SIZES)
            assert convert(there, source=target, target=source, **SIZES) == pytest.approx(box)


def test_thousandths_do_not_depend_on_what_the_model_saw() -> None:
    media = [plan((1000, 700), "Qwen2-VL-7B", max_pixels=pixels).media[0] for pixels in (50_000, 500_000)]
    assert media[0].resized != media[1].resized
    found = {convert((100, 70), source="original", target="thousandths", size=m.size, resized=m.resized) for m in media}
    assert found == {(100.0, 100.0)}


@pytest.mark.parametrize(("x", "expected"), [(0, 0), (1, 2), (448, 997), (449, 999), (-3, 0), (9000, 999)])
def test_written_numbers_are_whole_and_below_a_thousand(x: float, expected: int) -> None:
    assert written((x, 0), size=(449, 10)) == (expected, 0)
    if 0 <= x < 449:
        assert written((x, 0), size=(449, 10))[0] == int(Fraction(x) * 1000 / 449)


@pytest.mark.parametrize(
    ("numbers", "spaces", "size", "words"),
    [
        ((1, 2, 3), ("original", "resized"), (10, 10), "pairs of x and y"),
        ((), ("original", "resized"), (10, 10), "pairs of x and y"),
        ((1, 2), ("original", "pixels"), (10, 10), "no space 'pixels'"),
        ((1, 2), ("original", "resized"), (0, 10), "at least 1 pixel"),
    ],
)
def test_what_cannot_be_converted_is_refused(numbers: tuple, spaces: tuple, size: tuple, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        convert(numbers, source=spaces[0], target=spaces[1], size=size, resized=(28, 28))
