"""Computes the similarity of two patches in the vision tower's position code alone, without any picture.

Qwen-VL adds a learned row of a table to every patch (2308.12966, section 2.1); Qwen2-VL turns queries and keys by
angles of row and column (2-D rotary embedding, 2409.12191, section 2.1).
"""

from __future__ import annotations

import torch
from torch import Tensor

from qwenvl.errors import RunError
from qwenvl.models.config import Qwen2VLConfig, QwenVLConfig
from qwenvl.models.qwen_vl import QwenVL, resize_table
from qwenvl.models.rope import inverse_frequencies
from qwenvl.recorded.indices import check_index
from qwenvl.recorded.rows import RunRows


def position_similarity(run: RunRows, *, patch: int, media: int = 0) -> Tensor:
    """How alike the position code holds one patch and every patch of its segment, float32 (rows, columns), -1 to 1.

    Qwen-VL: cosine similarity of the table's rows, the table stretched to the patch grid as the model does.
    Qwen2-VL: the agreement of phases, mean over frequencies w of cos(w dr) and cos(w dc), half of them for the rows dr
    and half for the columns dc between the patches: the dot product of a query and a key that were equal before they
    were turned, with the same energy at every frequency, over that energy.

    Args:
        patch: of the media in raster order (t, row, column); what counts is its place within its frame.

    Raises:
        RunError: no such patch or media; Qwen-VL's run without its pipeline, whose weights hold the table.
    """
    item = run.media[run.check_media(media)]
    _, rows, columns = item.patch_grid
    place = check_index(patch, item.num_patches, "patch", owner=item.name) % (rows * columns)
    if isinstance(run.config, QwenVLConfig):
        return table_similarity(_table(run), rows, place)
    return rotary_agreement(run.config, rows, columns, place)


def table_similarity(table: Tensor, side: int, place: int) -> Tensor:
    """Cosine similarity of one row of a square table of places, stretched to `side`, with every row: (side, side)."""
    stretched = torch.nn.functional.normalize(resize_table(table.detach(), side).float(), dim=-1)
    return (stretched @ stretched[place]).view(side, side).cpu()


def rotary_agreement(config: Qwen2VLConfig, rows: int, columns: int, place: int) -> Tensor:
    """Agreement of phases between one patch of a grid and every patch: (rows, columns)."""
    vision = config.vision
    frequencies = inverse_frequencies(vision.dim // vision.num_heads // 2, vision.rope_theta).double()
    row, column = divmod(place, columns)
    down = torch.cos((torch.arange(rows) - row)[:, None] * frequencies).mean(dim=-1)
    right = torch.cos((torch.arange(columns) - column)[:, None] * frequencies).mean(dim=-1)
    return ((down[:, None] + right[None]) / 2).float()


def _table(run: RunRows) -> Tensor:
    if run.pipeline is None or not isinstance(run.pipeline.model, QwenVL):
        raise RunError("The table of places is a weight of the model; load the run with its pipeline.")
    return run.pipeline.model.vision.positions
