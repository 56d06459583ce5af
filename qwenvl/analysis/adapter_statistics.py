"""Computes entropy, coverage and overlap of what the queries of Qwen-VL's adapter read.

Everything here is a function of one matrix of attention, (queries, patches), each row of which sums to 1; see
`Run.adapter_matrix` and `Run.query_statistics`. "Half" always means: the fewest patches that together hold half.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from qwenvl.summaries import Summary

Order = Literal["index", "entropy", "place", "alike"]
ORDERS: tuple[Order, ...] = ("index", "entropy", "place", "alike")

ALIKE = 0.8
"""From which overlap on two queries count as alike."""


@dataclass(frozen=True, eq=False, repr=False)
class QueryStatistics(Summary):
    """What is counted of the queries of an adapter on one picture or frame.

    Attributes:
        entropy: of each row in bits, (queries,): 0 where one patch holds all, log2(patches) where all are equal.
        half_counts: how few patches hold half of each row, (queries,).
        centres: centre of mass of each row, (queries, 2): row and column in patches, 0.5 in the middle of the first.
        overlap: of each pair of queries, (queries, queries): the sum over patches of the smaller of their two weights.
            1 where two rows are the same, 0 where they share no patch; 1 minus half the sum of their differences.
        covered: bool (patches,): the patch is in the half of at least one query.
        alike: from which overlap two queries count as alike.
    """

    entropy: Tensor
    half_counts: Tensor
    centres: Tensor
    overlap: Tensor
    covered: Tensor
    alike: float = ALIKE

    @property
    def coverage(self) -> float:
        """Share of the patches that are in the half of at least one query."""
        return float(self.covered.double().mean())

    @property
    def nearest(self) -> Tensor:
        """For each query the other one that overlaps it most, (queries,)."""
        return self.overlap.clone().fill_diagonal_(-1).argmax(dim=1)

    @property
    def redundant_pairs(self) -> list[tuple[int, int]]:
        """Pairs of queries whose overlap is at least `alike`, the smaller index first."""
        found = (self.overlap.triu(diagonal=1) >= self.alike) & torch.ones_like(self.overlap).triu(diagonal=1).bool()
        return [(int(one), int(two)) for one, two in found.nonzero()]

    @property
    def redundant_queries(self) -> int:
        """Queries that are alike to at least one other."""
        return len({query for pair in self.redundant_pairs for query in pair})

    def order(self, name: Order) -> list[int]:
        """Queries in an order.

        "index"; "entropy", the narrowest first; "place", by the centre of mass, row by row of whole patches; "alike",
        a chain from query 0 in which each next query is the one left that overlaps the last one most.
        """
        if name == "alike":
            return _chain(self.overlap)
        keys: dict[str, Sequence[float]] = {
            "index": range(len(self.entropy)),
            "entropy": self.entropy.tolist(),
            "place": [1e6 * math.floor(row) + column for row, column in self.centres.tolist()],
        }
        return sorted(range(len(self.entropy)), key=lambda query: (keys[name][query], query))


def query_statistics(matrix: Tensor, grid: Sequence[int], *, alike: float = ALIKE) -> QueryStatistics:
    """Count what queries read.

    Args:
        matrix: (queries, patches), each row summing to 1.
        grid: rows and columns of the patches; a leading time is ignored.
        alike: from which overlap two queries count as alike.
    """
    rows = matrix.double()
    halves = half_sets(rows)
    columns = list(grid)[-1]
    at = torch.arange(rows.shape[1], dtype=torch.float64)
    places = torch.stack((at // columns + 0.5, at % columns + 0.5), dim=1)
    return QueryStatistics(
        entropy=torch.special.entr(rows).sum(dim=1) / math.log(2),
        half_counts=halves.sum(dim=1),
        centres=rows @ places,
        overlap=torch.stack([torch.minimum(row, rows).sum(dim=1) for row in rows]),
        covered=halves.any(dim=0),
        alike=alike,
    )


def half_sets(rows: Tensor) -> Tensor:
    """The fewest patches that together hold half of each row, bool (queries, patches)."""
    ordered, order = rows.double().sort(dim=1, descending=True, stable=True)
    before = ordered.cumsum(dim=1) - ordered
    chosen = (before < ordered.sum(dim=1, keepdim=True) / 2) & (ordered > 0)
    return torch.zeros_like(chosen).scatter_(1, order, chosen)


def _chain(overlap: Tensor) -> list[int]:
    left = overlap.clone()
    chain = [0] if len(left) else []
    while len(chain) < len(left):
        left[:, chain[-1]] = -1.0
        chain.append(int(left[chain[-1]].argmax()))
    return chain
