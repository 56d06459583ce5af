"""Checks what a question will cost, and that it fits, before any weights are loaded.

So a wrong file name, a model that cannot be read or one that memory has no room for is told of before any weights are
downloaded or loaded.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import psutil
import torch

from qwenvl.cli.output import Progress
from qwenvl.errors import PromptError, UserError
from qwenvl.inference.generate import TokenSampling
from qwenvl.loading.hub import find_folder
from qwenvl.loading.load import pick_device, pick_dtype, read_config
from qwenvl.plan import Plan, plan
from qwenvl.plan.units import in_bytes, in_operations
from qwenvl.processing.text.messages import read_messages


class NoRoomError(UserError):
    """Weights and cache that the device has no room for."""


def look_ahead(
    asked: argparse.Namespace, models: Sequence[str], messages: Sequence[dict[str, Any]], progress: Progress
) -> None:
    """Say what asking these models would cost.

    Raises:
        UserError: what cannot be asked, read or held; nothing was loaded.
    """
    read_messages(messages)
    TokenSampling().changed(max_new_tokens=asked.max_new_tokens, temperature=asked.temperature, seed=asked.seed)
    parts = [part for part in messages[-1]["content"] if part["type"] != "text"]
    device = pick_device(asked.device)
    plans = {model: _planned(asked, model, parts, device) for model in dict.fromkeys(models)}
    for model, planned in plans.items():
        progress.say(f"{model}: {_in_words(planned)}")
    _check_room(list(plans.values()), asked, device)


def _planned(asked: argparse.Namespace, model: str, parts: list[Any], device: torch.device) -> Plan:
    """Raises `PromptError` where the prompt is longer than the context."""
    folder = find_folder(model, weights=False)
    dtype = pick_dtype(asked.dtype, device, read_config(folder))
    settings = {"min_pixels": asked.min_pixels, "max_pixels": asked.max_pixels, "text": asked.question}
    answer, size = asked.max_new_tokens, dtype.itemsize
    planned = plan(parts, folder, **settings, answer_tokens=answer, bytes_per_value=size)
    if planned.prompt_tokens > planned.context:
        raise PromptError(planned.limits[-1])
    return planned


def _in_words(planned: Plan) -> str:
    operations = in_operations(sum(planned.flops.values()))
    weights, cache = in_bytes(planned.weight_bytes), in_bytes(planned.kv_cache_bytes)
    return f"{planned.prompt_tokens:,} tokens in the prompt, {operations}, weights {weights}, cache {cache}"


def _check_room(plans: Sequence[Plan], asked: argparse.Namespace, device: torch.device) -> None:
    needed = sum(plan.weight_bytes for plan in plans) + max(plan.kv_cache_bytes for plan in plans)
    if needed <= (free := free_bytes(device)):
        return
    way = "choose a smaller model"
    if any(plan.bytes_per_value > 2 for plan in plans) and needed / 2 <= free:
        way = "add --dtype bfloat16"
    raise NoRoomError(f"Weights and cache take {in_bytes(needed)} and {in_bytes(free)} are free: {way}.")


def free_bytes(device: torch.device) -> int:
    """Memory that is free on a device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)
