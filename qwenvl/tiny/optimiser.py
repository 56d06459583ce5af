"""Implements Muon for hidden matrices (steps to the nearest orthogonal matrix), and cheap products on the CPU."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

NS_COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalise(matrices: Tensor, steps: int = 5) -> Tensor:
    """The nearest matrices with all singular values near 1, by Newton-Schulz; (count, rows, columns)."""
    a, b, c = NS_COEFFICIENTS
    flipped = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if flipped else matrices
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if flipped else x


class Muon(torch.optim.Optimizer):
    """Muon, matrices of one shape at a time. `torch.optim.Muon` works in bfloat16, which most CPUs only emulate."""

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float = 0.02, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        super().__init__(list(parameters), {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step on whatever has a gradient."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[nn.Parameter]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape[parameter.shape].append(parameter)
            for shape, parameters in by_shape.items():
                updates = orthogonalise(torch.stack([self._momentum(p, group["momentum"]) for p in parameters]))
                scale = max(1.0, shape[0] / shape[1]) ** 0.5
                for parameter, update in zip(parameters, updates, strict=True):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.sub_(group["lr"] * scale * update)

    def _momentum(self, parameter: nn.Parameter, momentum: float) -> Tensor:
        assert parameter.grad is not None
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        buffer = state["momentum"]
        buffer.lerp_(parameter.grad, 1 - momentum)
        return parameter.grad.lerp(buffer, momentum)


class _HalfProduct(torch.autograd.Function):
    """x w^T + b, and its gradients, of factors rounded to bfloat16; what goes in and comes out is float32."""

    @staticmethod
    def forward(context: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        rows, factor = x.reshape(-1, x.shape[-1]).bfloat16(), weight.bfloat16()
        context.save_for_backward(rows, factor)
        context.shape, context.is_biased = x.shape, bias is not None
        product = (rows @ factor.T).float()
        if bias is not None:
            product += bias
        return product.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:  # type: ignore[override]
        rows, factor = context.saved_tensors
        wide = gradient.reshape(-1, gradient.shape[-1])
        narrow = wide.bfloat16()
        of_bias = wide.sum(dim=0) if context.is_biased else None
        return (narrow @ factor).float().view(context.shape), (narrow.T @ rows).float(), of_bias


def multiply_in_half(model: nn.Module) -> None:
    """Let every linear layer of a model multiply in bfloat16, which newer CPUs do twice as fast; for training alone."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            module.forward = partial(_linear, module)  # type: ignore[method-assign]


def _linear(layer: nn.Linear, x: Tensor) -> Tensor:
    return cast("Tensor", _HalfProduct.apply(x, layer.weight, layer.bias))
