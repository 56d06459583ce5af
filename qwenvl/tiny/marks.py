"""What lies on each visual token: whose thing it is, what it is called, and which characters of print.

Helpers of training are taught these names; a checkpoint does not hold them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from qwenvl.tiny.scenes import GLYPHS
from qwenvl.tiny.world import COLOURS, SHAPES, Item, Label, Scene, Thing, box_of, footprint, glyph_boxes

SHAPE_NAMES, COLOUR_NAMES = list(SHAPES), list(COLOURS)
MOVES = ("left", "right", "up", "down")
# What each visual token is taught to name: its owner's shape (last: print), colour and movement; of print the character
# that covers most of it, and the first, second, ... character of the label, each where it lies on the token.
SLOTS = 6
GLYPH_CLASSES = tuple(f"glyph {place + 1}" for place in range(SLOTS))
CLASSES = {
    "shape": len(SHAPE_NAMES) + 2,
    "colour": len(COLOUR_NAMES) + 1,
    "motion": len(MOVES) + 1,
    "glyph": len(GLYPHS) + 1,
    **dict.fromkeys(GLYPH_CLASSES, len(GLYPHS) + 1),
}
MIN_SHARE = 0.2  # of a visual token's area, from which the item on it owns it
# Of a character's box or of the token, whichever is smaller, from which the character lies on the token.
MIN_GLYPH = 0.4


@dataclass(frozen=True)
class Moment:
    """A picture, what questions count as its items (None for one that is not there), and which way each moves."""

    scene: Scene
    items: tuple[Item | None, ...]
    directions: tuple[str, ...] = ()
    first: int = 0  # the index of the first item, among those of all pictures


@dataclass(frozen=True)
class TokenMarks:
    """Of each visual token: its owner, int64 (tokens,), 0 none, i + 1 item i; its classes; its owner's box.

    `glyphs` are the tokens, bool (tokens,), of each character of each label, by the label's index.
    """

    owner: Tensor
    labels: dict[str, Tensor]
    boxes: Tensor
    glyphs: dict[int, list[Tensor]]


def mark_tokens(moment: Moment, grid: tuple[int, int]) -> TokenMarks:
    """What lies on each visual token of one picture; `grid` is its rows and columns of visual tokens."""
    scene = moment.scene
    present = [(index, item) for index, item in enumerate(moment.items) if item is not None]
    owner = torch.from_numpy(_owners(scene, [item for _, item in present], grid))
    table = torch.zeros(len(present) + 1, 3, dtype=torch.int64)
    edges = torch.zeros(len(present) + 1, 4)
    glyphs: dict[int, list[Tensor]] = {}
    slots = torch.zeros(grid[0] * grid[1], SLOTS, dtype=torch.int64)
    largest = torch.zeros(grid[0] * grid[1], dtype=torch.int64)
    for place, (index, item) in enumerate(present):
        table[place + 1] = torch.tensor(_classes(item, moment.directions[index] if moment.directions else ""))
        edges[place + 1] = torch.tensor(box_of(item, scene.size)) / torch.tensor([*scene.size, *scene.size])
        if isinstance(item, Label):
            overlaps, enough = _glyph_overlaps(item, scene.size, grid)
            glyphs[moment.first + index] = list(overlaps >= enough[:, None])
            known = torch.tensor([GLYPHS.index(letter) + 1 for letter in item.text])
            mine = owner == place + 1
            largest[mine] = torch.where(overlaps.amax(dim=0) > 0, known[overlaps.argmax(dim=0)], 0)[mine]
            for slot, tokens in enumerate(glyphs[moment.first + index][:SLOTS]):
                slots[tokens & mine, slot] = known[slot]
    labels = {name: table[owner, column] for column, name in enumerate(("shape", "colour", "motion"))}
    labels["glyph"] = largest
    labels |= {name: slots[:, slot] for slot, name in enumerate(GLYPH_CLASSES)}
    numbers = torch.tensor([0, *(moment.first + index + 1 for index, _ in present)])
    return TokenMarks(numbers[owner], labels, edges[owner], glyphs)


def _glyph_overlaps(label: Label, size: tuple[int, int], grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """How much of each character's box lies on each visual token (characters, tokens), and how much is enough."""
    rows, columns = (np.arange(count) for count in grid)
    high, wide = size[1] / grid[0], size[0] / grid[1]
    overlaps, enough = [], []
    for left, top, right, bottom in glyph_boxes(label, size):
        across = np.clip(np.minimum((columns + 1) * wide, right) - np.maximum(columns * wide, left), 0, None)
        along = np.clip(np.minimum((rows + 1) * high, bottom) - np.maximum(rows * high, top), 0, None)
        overlaps.append((along[:, None] * across).ravel())
        least = MIN_GLYPH * min((right - left) * (bottom - top), high * wide)
        enough.append(min(least, max(overlaps[-1].max(), 1e-6)))
    return torch.from_numpy(np.stack(overlaps)).float(), torch.tensor(enough).float() * (1 - 1e-5)


def _owners(scene: Scene, present: Sequence[Item], grid: tuple[int, int], samples: int = 7) -> np.ndarray:
    """For each visual token the thing that covers most of it, as its place in `present` plus one; 0 for none."""
    owned = footprint(scene).copy()
    for place, item in enumerate(present):
        if isinstance(item, Label):  # ink is thin: the label's box counts
            left, top, right, bottom = box_of(item, scene.size)
            owned[top:bottom, left:right] = place + 1
    small = Image.fromarray(owned).resize((grid[1] * samples, grid[0] * samples), Image.Resampling.NEAREST)
    tokens = np.asarray(small).reshape(grid[0], samples, grid[1], samples).transpose(0, 2, 1, 3).reshape(-1, samples**2)
    counts = (tokens[:, :, None] == np.arange(len(present) + 1)).sum(axis=1)
    counts[:, 0] = MIN_SHARE * samples**2
    owner = counts.argmax(axis=1)
    for place in set(range(1, len(present) + 1)) - set(
        owner.tolist()
    ):  # a small thing between tokens has one all the same
        if counts[:, place].max() > 0:
            owner[counts[:, place].argmax()] = place
    return owner


def _classes(item: Item, direction: str) -> tuple[int, int, int]:
    colour = COLOUR_NAMES.index(item.colour) + 1
    if isinstance(item, Thing):
        return SHAPE_NAMES.index(item.shape) + 1, colour, MOVES.index(direction) + 1 if direction else 0
    return len(SHAPE_NAMES) + 1, colour, 0
