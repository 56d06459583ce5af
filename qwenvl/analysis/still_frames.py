"""Checks that for a repeated frame the 3-D patch convolution equals a 2-D one with its time slices summed.

Qwen2-VL's patch embedding is a convolution of depth 2 in time (2409.12191, section 2.1), so that a still, which has no
time, is shown twice. Both frames being equal, their two taps may as well be added up first.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class ConvolutionComparison:
    """How far the two convolutions of one frame are apart.

    Attributes:
        patches: how many were compared.
        channels: values of each.
        largest: the largest value of the convolution in three dimensions.
        difference: the largest difference, in float64; rounding alone where the claim holds.
    """

    patches: int
    channels: int
    largest: float
    difference: float


def summed_taps(weight: Tensor) -> Tensor:
    """A patch embedding's weight (dim, 3, 2, 14, 14) as the flat convolution it is to a still: (dim, 3, 14, 14)."""
    return weight.sum(dim=2)


def compare_convolutions(weight: Tensor, frame: Tensor) -> ConvolutionComparison:
    """Compare the 3-D convolution of a repeated frame with the 2-D one of the frame.

    Args:
        weight: of the patch embedding, (dim, 3, time, side, side).
        frame: normalised pixels (3, height, width), both sides multiples of the patch's.
    """
    weight, frame = weight.detach().double().cpu(), frame.double().cpu()
    time, side = weight.shape[2], weight.shape[3]
    twice = frame[None, :, None].expand(-1, -1, time, -1, -1)
    solid = F.conv3d(twice, weight, stride=(time, side, side))[0, :, 0]
    flat = F.conv2d(frame[None], summed_taps(weight), stride=side)[0]
    return ConvolutionComparison(
        patches=solid[0].numel(),
        channels=len(solid),
        largest=float(solid.abs().max()),
        difference=float((solid - flat).abs().max()),
    )


def compare_convolutions_of(model: torch.nn.Module, pixels: Tensor) -> ConvolutionComparison:
    """The same for a Qwen2-VL model's own patch embedding; `pixels` as `frame` there."""
    return compare_convolutions(model.vision.patch_embed.weight, pixels)  # type: ignore[union-attr, arg-type]
