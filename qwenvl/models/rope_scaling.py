"""Stretches rotary frequencies beyond the length a model was trained with, as transformers 5.23 does.

Of the published kinds two are fixed numbers for a model: "linear" and YaRN (2309.00071, section 3.2). Numbers only; the
frequencies themselves are `rope`'s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class RopeScaling:
    """How the frequencies of a language model are stretched.

    Attributes:
        kind: "linear": every frequency over `factor`; "yarn": the slow ones alone, with a ramp between.
        factor: how many times longer than trained.
        original_context: tokens trained with; YaRN's alone, as is what follows.
        beta_fast, beta_slow: turns within `original_context` from which a frequency stays, and below which it is
            stretched in full.
        attention_factor: of cos and sin both, so that its square scales the scores.
        truncate: whether the ramp begins and ends at whole frequencies.
    """

    kind: Literal["linear", "yarn"]
    factor: float
    original_context: int = 0
    beta_fast: float = 32.0
    beta_slow: float = 1.0
    attention_factor: float = 1.0
    truncate: bool = True


def yarn_attention_factor(factor: float, mscale: float | None = None, mscale_all_dim: float | None = None) -> float:
    """What cos and sin are multiplied by where a config does not say: 0.1 ln(factor) + 1 (2309.00071, equation 22)."""
    if mscale and mscale_all_dim:
        return _mscale(factor, mscale) / _mscale(factor, mscale_all_dim)
    return _mscale(factor, 1.0)


def _mscale(factor: float, weight: float) -> float:
    return 1.0 if factor <= 1 else 0.1 * weight * math.log(factor) + 1.0
