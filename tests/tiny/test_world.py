"""The synthetic world draws what it says: the same pixels for the same description, boxes that fit, a clean split."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from qwenvl.tiny.clips import DEEDS, SUDDEN, random_clip, render_clip
from qwenvl.tiny.gallery import write_examples
from qwenvl.tiny.scenes import (
    PAIRS,
    TRAINED_WORDS,
    UNSEEN_WORDS,
    WORDS,
    Print,
    held_out,
    pairs_of,
    random_page,
    random_scene,
    random_strip,
)
from qwenvl.tiny.world import (
    COLOURS,
    FONTS,
    SHAPES,
    TRAINED_FONTS,
    UNSEEN_FONT,
    Ground,
    Label,
    Scene,
    Thing,
    box_of,
    contrast,
    footprint,
    glyph_boxes,
    render,
    render_ground,
)

EXAMPLES = Path(__file__).parents[2] / "app" / "examples"


def pixels(scene: Scene) -> np.ndarray:
    return np.asarray(render(scene)).astype(np.int16)


def without(scene: Scene, index: int) -> Scene:
    """The scene with one item missing."""
    if index < len(scene.things):
        return replace(scene, things=scene.things[:index] + scene.things[index + 1 :])
    index -= len(scene.things)
    return replace(scene, labels=scene.labels[:index] + scene.labels[index + 1 :])


def box_of_difference(one: np.ndarray, other: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero((one != other).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


@pytest.mark.parametrize("seed", range(12))
def test_a_box_holds_exactly_the_pixels_its_item_changes(seed: int) -> None:
    photos = [str(EXAMPLES / "chelsea.png"), str(EXAMPLES / "coffee.png")] if seed % 3 == 0 else []
    scene = random_scene(np.random.default_rng(seed), things=(2, 5), labels=(1, 2), photos=photos)
    whole = pixels(scene)
    for index, item in enumerate(scene.items):
        assert box_of(item, scene.size) == box_of_difference(whole, pixels(without(scene, index)))


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_boxed_also_where_the_edge_cuts_it(shape: str) -> None:
    ground = Ground("plain", "white", (244, 244, 242), (244, 244, 242))
    for centre in [(50.3, 40.7), (2.0, 40.0), (98.0, 3.0)]:
        thing = Thing(shape, "red", COLOURS["red"], centre, 37.4, tilt=9)
        scene = Scene((100, 80), ground, (thing,))
        assert box_of(thing, scene.size) == box_of_difference(pixels(scene), pixels(replace(scene, things=())))


def test_the_same_seed_gives_the_same_scene_and_pixels_and_another_seed_does_not() -> None:
    one, same, other = (random_scene(np.random.default_rng(seed), labels=(1, 1)) for seed in (5, 5, 6))
    assert one == same
    assert np.array_equal(pixels(one), pixels(same))
    assert one != other


def test_the_committed_examples_are_what_the_gallery_draws(tmp_path: Path) -> None:
    for path in write_examples(tmp_path):
        with Image.open(path) as drawn, Image.open(EXAMPLES / path.name) as kept:
            assert np.array_equal(np.asarray(drawn), np.asarray(kept)), path.name


def test_a_footprint_names_the_item_whose_colour_the_pixel_has() -> None:
    scene = random_scene(np.random.default_rng(3), things=(4, 4))
    owner, drawn = footprint(scene), pixels(scene)
    assert owner.shape == drawn.shape[:2]
    for index, thing in enumerate(scene.things):
        mine = drawn[owner == index + 1]
        assert np.abs(np.median(mine, axis=0) - thing.rgb).max() <= 0.06 * 255
    behind = render_ground(scene.ground, scene.size)
    assert (drawn[owner == 0] == behind[owner == 0]).all(axis=1).mean() > 0.95


def test_things_stand_out_and_never_touch() -> None:
    rng = np.random.default_rng(8)
    for _ in range(40):
        scene = random_scene(rng, things=(1, 6), labels=(0, 2))
        boxes = [box_of(item, scene.size) for item in scene.items]
        owner = np.zeros((scene.size[1], scene.size[0]), int)
        for left, top, right, bottom in boxes:
            owner[top:bottom, left:right] += 1
        assert scene.things
        assert owner.max() == 1
        assert all(contrast(item.rgb, scene.ground.first) >= 0.2 for item in scene.items)


def test_held_out_pairs_never_appear_in_training_and_always_in_their_own_split() -> None:
    assert len(pairs_of("held-out")) == len(SHAPES)
    assert sorted(pairs_of("held-out") + pairs_of("train")) == sorted(PAIRS)
    for colour in COLOURS:
        assert any(pair[0] == colour for pair in pairs_of("train"))
    rng = np.random.default_rng(4)
    for _ in range(60):
        train = random_scene(rng, things=(1, 5))
        test = random_scene(rng, things=(1, 5), split="held-out")
        assert not any(held_out(thing.colour, thing.shape) for thing in train.things)
        assert any(held_out(thing.colour, thing.shape) for thing in test.things)


def test_a_page_is_a_heading_and_pairs_of_a_word_and_its_number() -> None:
    rng = np.random.default_rng(2)
    for _ in range(10):
        page = random_page(rng)
        heading, *rows = page.labels
        assert rows
        assert len(rows) % 2 == 0
        assert all(
            word.text.isalpha() and number.text.isdigit() for word, number in zip(*[iter(rows)] * 2, strict=True)
        )
        assert len({label.text for label in page.labels if label.text.isalpha()}) == 1 + len(rows) // 2
        assert heading.size >= 1.6 * rows[0].size
        boxes = [box_of(label, page.size) for label in page.labels]
        assert all(box_of(label, (9999, 9999)) == box for label, box in zip(page.labels, boxes, strict=True))


def test_a_clip_shows_what_its_actors_do() -> None:
    rng = np.random.default_rng(1)
    seen = set()
    for _ in range(60):
        clip = random_clip(rng, actors=(1, 1))
        (actor,) = clip.actors
        seen.add(actor.deed)
        frames = [np.asarray(frame).astype(np.int16) for frame in render_clip(clip)]
        assert len(frames) == clip.frames
        assert clip.frames % 2 == 0
        changes = [bool((before != after).any()) for before, after in pairwise(frames)]
        if actor.deed in ("appears", "vanishes", "turns"):
            assert changes == [index + 1 == actor.when for index in range(len(changes))]
        else:
            assert all(changes) == (actor.deed == "moves") == any(changes)
    assert seen == set(DEEDS)


def test_a_mover_moves_the_way_its_direction_says() -> None:
    rng = np.random.default_rng(9)
    ways = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
    met = set()
    for _ in range(80):
        clip = random_clip(rng, actors=(1, 2))
        for actor in clip.actors:
            if actor.deed != "moves":
                continue
            first, last = (actor.at(frame, clip.frames) for frame in (0, clip.frames - 1))
            assert first is not None
            assert last is not None
            one, other = box_of(first, clip.size), box_of(last, clip.size)
            went = tuple(int(np.sign(other[axis] - one[axis])) for axis in (0, 1))
            assert went == ways[actor.direction]
            met.add(actor.direction)
    assert met == set(ways)


def test_a_label_is_as_large_as_it_says() -> None:
    heights = [
        box_of(Label("h", "black", (0, 0, 0), (10, 10), size), (200, 200))[3]
        - box_of(Label("h", "black", (0, 0, 0), (10, 10), size), (200, 200))[1]
        for size in (10, 20, 40)
    ]
    assert heights[0] < heights[1] < heights[2]


def test_glyph_boxes_hold_the_ink_of_their_own_character() -> None:
    for text, font in (("4821", FONTS[0]), ("jelly", FONTS[3]), ("h", FONTS[1])):
        label = Label(text, "black", (0, 0, 0), (12, 9), 40, font)
        boxes = glyph_boxes(label, (400, 90))
        assert len(boxes) == len(text)
        assert all(left[2] == right[0] for left, right in pairwise(boxes))
        whole = box_of(label, (400, 90))
        assert abs(boxes[0][0] - whole[0]) <= 6
        assert abs(boxes[-1][2] - whole[2]) <= 6
        ground = Ground("plain", "white", (244, 244, 242), (244, 244, 242))
        for count, box in enumerate(boxes):
            one, more = (Scene((400, 90), ground, (), (replace(label, text=text[: count + n]),)) for n in (0, 1))
            left, _, right, _ = box_of_difference(pixels(one), pixels(more))
            assert box[0] - 4 <= left < right <= box[2] + 4


def test_strips_are_long_pages_of_small_shapes_of_which_some_are_alone() -> None:
    rng = np.random.default_rng(4)
    shown = []
    for _ in range(30):
        strip = random_strip(rng, long_side=(672, 1008))
        assert 2.9 < max(strip.size) / min(strip.size) < 5.1
        assert strip.size[0] * strip.size[1] <= 256 * 28 * 28 * 1.01
        assert all(16 <= thing.size <= 28 for thing in strip.things)
        assert not any(held_out(thing.colour, thing.shape) for thing in strip.things)
        kinds = [(thing.colour, thing.shape) for thing in strip.things]
        for place in (0, 1):  # no two kinds share a colour or a shape
            assert len({kind[place] for kind in kinds}) == len(set(kinds))
        assert sum(kinds.count(kind) == 1 for kind in kinds) >= 2
        shown.append(len(kinds))
        boxes = [box_of(thing, strip.size) for thing in strip.things]
        owner = np.zeros((strip.size[1], strip.size[0]), int)
        for left, top, right, bottom in boxes:
            owner[top:bottom, left:right] += 1
        assert owner.max() == 1
    assert max(shown) > 10


def test_print_is_of_the_kind_font_and_size_that_was_asked_for() -> None:
    rng = np.random.default_rng(5)
    for kind, pattern in (
        ("glyph", "[0-9a-z]"),
        ("number", "[0-9]{1,4}"),
        ("word", "[a-z]+"),
        ("letters", "[a-z]{1,6}"),
    ):
        prints = Print({kind: 1.0}, TRAINED_WORDS, TRAINED_FONTS, 28, share=0.1)
        for _ in range(10):
            scene = random_scene(rng, things=(0, 1), labels=(1, 3), sides=(150, 400), prints=prints)
            for label in scene.labels:
                assert re.fullmatch(pattern, label.text)
                assert label.size >= max(28, 0.1 * min(scene.size))
                assert label.font in TRAINED_FONTS
                assert kind != "word" or label.text in TRAINED_WORDS
            assert len({label.colour for label in scene.labels}) == len(scene.labels)
    assert UNSEEN_FONT not in TRAINED_FONTS
    assert set(UNSEEN_WORDS) | set(TRAINED_WORDS) == set(WORDS)
    assert len(UNSEEN_WORDS) * 5 == len(WORDS)


def test_deeds_fit_the_question_that_is_asked() -> None:
    rng = np.random.default_rng(6)
    for _ in range(40):
        moving, ordered = random_clip(rng, task="direction"), random_clip(rng, task="order")
        assert moving.actors[0].deed == "moves"
        first, second = ordered.actors
        assert {first.deed, second.deed} <= set(SUDDEN)
        assert abs(first.when // 2 - second.when // 2) >= 2
        assert min(first.when, second.when) >= 2
