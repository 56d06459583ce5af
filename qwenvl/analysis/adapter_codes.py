"""Compares the position codes of Qwen-VL's adapter, and lists the steps of Qwen2-VL's merger.

Similarities need a loaded model: the code is its own buffer, which a released checkpoint holds rounded to 16 bits.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from qwenvl.errors import RunError
from qwenvl.models.config import Qwen2VLConfig
from qwenvl.models.qwen_vl import QwenVL, resize_table
from qwenvl.models.weights import published_name
from qwenvl.recorded.rows import RunRows
from qwenvl.summaries import Summary


@dataclass(frozen=True, eq=False, repr=False)
class CodeSimilarity(Summary):
    """Cosines between the 2-D sin-cos codes of the adapter: what places alone would make alike, before any content.

    Attributes:
        keys: each query's code against that of every patch, (queries, patches).
        queries: each query's code against every query's, (queries, queries).
    """

    keys: Tensor
    queries: Tensor


def code_similarity(run: RunRows) -> CodeSimilarity:
    """`model_code_similarity` of the model that made a run.

    Raises:
        RunError: Qwen2-VL, whose adapter has no code; a run without its pipeline, whose model holds it.
    """
    run.check_layer("adapter", None)
    if run.pipeline is None or not isinstance(run.pipeline.model, QwenVL):
        raise RunError("The adapter's code is the model's; load the run with its pipeline to see it.")
    return model_code_similarity(run.pipeline.model)


def model_code_similarity(model: QwenVL) -> CodeSimilarity:
    """The similarity of the codes that this model adds to its queries and, stretched as it does, to its keys."""
    table = model.adapter.positions.detach().cpu()
    stretched = resize_table(table, model.config.vision.grid_side)
    queries, patches = (F.normalize(code.float(), dim=1) for code in (table, stretched))
    return CodeSimilarity(queries @ patches.T, queries @ queries.T)


@dataclass(frozen=True)
class MergerStep:
    """One step of Qwen2-VL's merger: what it is, what goes in and comes out (rows, width), and its published tensor."""

    name: str
    comes_in: tuple[int, int]
    goes_out: tuple[int, int]
    weight: tuple[int, ...]  # shape of its weight; () where it has none
    published: str  # name of that weight in a released checkpoint; "" where it has none


def merger_steps(config: Qwen2VLConfig) -> tuple[MergerStep, ...]:
    """How the patches of one visual token become it, with the shapes of this model's weights (2409.12191, 2.1)."""
    dim, hidden, four = config.vision.dim, config.language.dim, config.vision.merge_size**2
    whole = four * dim
    names = [published_name(f"adapter.{part}.weight", config.family) for part in ("norm", "up", "down")]
    return (
        MergerStep("LayerNorm", (four, dim), (four, dim), (dim,), names[0]),
        MergerStep("Join the rows", (four, dim), (1, whole), (), ""),
        MergerStep("Linear, GELU", (1, whole), (1, whole), (whole, whole), names[1]),
        MergerStep("Linear", (1, whole), (1, hidden), (hidden, whole), names[2]),
    )
