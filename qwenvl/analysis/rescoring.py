"""Computes the probability of a run's own answer in one more forward pass, with something changed.

The answer is forced, so that both passes speak of the same words at the same places. Probabilities are the model's own,
before temperature and the like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from qwenvl.errors import RunError
from qwenvl.models.trace import Hidden
from qwenvl.processing.geometry.media import Media
from qwenvl.recorded.rows import RunRows

Blocks = list[tuple[list[str], Hidden]]
"""What is hidden from attention: names of modules, and the queries and keys that do not meet in them."""


@dataclass(frozen=True)
class AnswerScore:
    """How likely an answer is in one forward pass over it.

    Attributes:
        probabilities: of each answer token where it stands.
        log_probability: natural logarithm of the probability of the whole answer.
    """

    probabilities: tuple[float, ...]
    log_probability: float


def rescore(
    run: RunRows, *, media: Sequence[Media] | None = None, blocks: Blocks | None = None
) -> tuple[AnswerScore, Tensor]:
    """AnswerScore a run's answer in one forward pass.

    Args:
        media: in place of the run's own, of the same sizes.
        blocks: what to hide from attention.

    Returns:
        The score, and the logits that predict the answer, float32 (answer tokens, vocab).

    Raises:
        RunError: a run without its pipeline, which holds the weights.
    """
    if run.pipeline is None:
        raise RunError("To tell the answer again the model's weights are needed; load the run with its pipeline.")
    effective = [(names, hidden) for names, hidden in blocks or [] if names and hidden.queries and hidden.keys]
    logits = run.pipeline.logits(run, media=media, blocks=effective)
    ids = torch.tensor([token.id for token in run.tokens[run.answer_start :]], dtype=torch.int64)[:, None]
    shares, logarithms = (values.gather(1, ids)[:, 0] for values in (logits.softmax(-1), logits.log_softmax(-1)))
    return AnswerScore(tuple(shares.tolist()), float(logarithms.double().sum())), logits


def unchanged_score(run: RunRows) -> AnswerScore:
    """The score with nothing changed; computed once per run. Raises as `rescore`."""
    return run.remember("unchanged score", lambda: rescore(run)[0])
