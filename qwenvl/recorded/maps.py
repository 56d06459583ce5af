"""Rebuilds rows of attention on a picture's patches from queries and keys, for each of the two families.

Knows where each media's patches lie in the tensors of a forward pass. Patches come in and go out in raster order (t,
row, column); the processors' block order is undone here. Everything is float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from qwenvl.errors import RunError
from qwenvl.models.config import Qwen2VLConfig, QwenVLConfig
from qwenvl.models.rope import Grid, patch_coordinates
from qwenvl.models.trace import attention_rows

CHUNK = 1 << 22  # weights of attention held at once


class MediaGrid(Protocol):
    """What is asked of a media here: its kind ("image" or "video") and its patch grid (t, h, w)."""

    @property
    def kind(self) -> str: ...

    @property
    def patch_grid(self) -> Grid: ...


class QwenVLMaps:
    """Qwen-VL: every frame is a row of one batch, and a visual token is an adapter query that reads all its patches."""

    sites = ("vision", "adapter", "language")

    def __init__(self, config: QwenVLConfig, media: Sequence[MediaGrid]) -> None:
        self.num_queries = config.adapter.num_queries
        self.media = media
        frames = [item.patch_grid[0] for item in media]
        self._first_frame = [sum(frames[:index]) for index in range(len(frames))]

    def vision_rows(self, q: Tensor, k: Tensor, media: int, patches: Sequence[int]) -> Tensor:
        """Attention of patches of one frame over its patches, (heads, len(patches), patches of the frame)."""
        _, h, w = self.media[media].patch_grid
        frame = self._first_frame[media] + patches[0] // (h * w)
        return attention_rows(q[frame, None], k[frame, None], [patch % (h * w) for patch in patches])[0]

    def column(self, q: Tensor, k: Tensor, site: str, media: int, patch: int) -> Tensor:
        """The weight of a patch in every row of its frame: of its patches or adapter queries, (heads, rows)."""
        _, h, w = self.media[media].patch_grid
        frame = self._first_frame[media] + patch // (h * w)
        return unmasked_column(q[frame, None], k[frame, None], patch % (h * w))

    def num_adapter_queries(self, media: int) -> int:
        """Adapter queries of all frames of a media."""
        return self.media[media].patch_grid[0] * self.num_queries

    def adapter_rows(self, q: Tensor, k: Tensor, media: int, queries: Sequence[int]) -> Tensor:
        """Attention of adapter queries of one frame over its patches, (heads, len(queries), patches of the frame)."""
        frame = self._first_frame[media] + queries[0] // self.num_queries
        return attention_rows(q[frame, None], k[frame, None], [query % self.num_queries for query in queries])[0]

    def spread(self, weights: Tensor, media: int, adapter: Sequence[Tensor]) -> Tensor:
        """Weights on a media's visual tokens (tokens,) pulled back to its patches, (t, h, w).

        Args:
            adapter: one (queries, patches) matrix for each frame: (1 x 256) . (256 x 1024).
        """
        frames = weights.view(-1, self.num_queries)
        pulled = torch.stack([frame @ matrix for frame, matrix in zip(frames, adapter, strict=True)])
        return pulled.view(self.media[media].patch_grid)


class Qwen2VLMaps:
    """Qwen2-VL: all media are packed into one sequence, pictures before clips; a visual token is four patches."""

    sites = ("vision", "language")

    def __init__(self, config: Qwen2VLConfig, media: Sequence[MediaGrid]) -> None:
        self.merge_size = config.vision.merge_size
        self.media = media
        packed = sorted(range(len(media)), key=lambda index: media[index].kind == "video")
        self._first_patch, start = dict.fromkeys(packed, 0), 0
        for index in packed:
            self._first_patch[index] = start
            t, h, w = media[index].patch_grid
            start += t * h * w

    def vision_rows(self, q: Tensor, k: Tensor, media: int, patches: Sequence[int]) -> Tensor:
        """Attention of patches of one segment, a picture or one temporal patch, over its patches.

        (heads, len(patches), patches of the segment).
        """
        _, h, w = self.media[media].patch_grid
        to_processor = self._processor_rows(h, w)
        start = self._first_patch[media] + patches[0] // (h * w) * h * w
        segment = slice(start, start + h * w)
        asked = to_processor[torch.tensor(patches) % (h * w)].tolist()
        rows = attention_rows(q[:, :, segment], k[:, :, segment], asked)[0]
        return rows[..., to_processor.to(rows.device)]

    def column(self, q: Tensor, k: Tensor, site: str, media: int, patch: int) -> Tensor:
        """The weight of a patch in the row of every patch of its segment, (heads, patches of it)."""
        _, h, w = self.media[media].patch_grid
        to_processor = self._processor_rows(h, w)
        frame, place = divmod(patch, h * w)
        start = self._first_patch[media] + frame * h * w
        segment = slice(start, start + h * w)
        return unmasked_column(q[:, :, segment], k[:, :, segment], int(to_processor[place]))[:, to_processor]

    def _processor_rows(self, h: int, w: int) -> Tensor:
        """For each patch of a frame, in raster order, its row in the processor's order."""
        coordinates = patch_coordinates((1, h, w), self.merge_size)
        return (coordinates[:, 0] * w + coordinates[:, 1]).argsort()

    def num_adapter_queries(self, media: int) -> int:
        """None: see `adapter_rows`."""
        return 0

    def adapter_rows(self, q: Tensor, k: Tensor, media: int, queries: Sequence[int]) -> Tensor:
        """There is none: the merger joins four patches and attends to nothing."""
        raise RunError(
            "Qwen2-VL's adapter has no attention: it merges four patches into a token; ask 'vision' or 'language'."
        )

    def spread(self, weights: Tensor, media: int, adapter: Sequence[Tensor]) -> Tensor:
        """Weights on a media's visual tokens (tokens,) split equally over the four patches of each, (t, h, w)."""
        t, h, w = self.media[media].patch_grid
        size = self.merge_size
        cells = weights.view(t, h // size, w // size) / size**2
        return cells.repeat_interleave(size, dim=1).repeat_interleave(size, dim=2)


def row_chunks(rows: Sequence[int], width: int) -> Iterator[Sequence[int]]:
    """Rows in runs of at most `CHUNK` weights, where one row has `width`."""
    size = max(1, CHUNK // max(1, width))
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def unmasked_column(q: Tensor, k: Tensor, key: int) -> Tensor:
    """The weight of one key in every row of an attention without a mask, (heads, queries)."""
    chunks = row_chunks(range(q.shape[2]), q.shape[1] * k.shape[2])
    return torch.cat([attention_rows(q, k, rows)[0, :, :, key].cpu() for rows in chunks], dim=-1)


def maps_for(config: QwenVLConfig | Qwen2VLConfig, media: Sequence[MediaGrid]) -> QwenVLMaps | Qwen2VLMaps:
    """The maps of a family."""
    return QwenVLMaps(config, media) if isinstance(config, QwenVLConfig) else Qwen2VLMaps(config, media)
