"""A language model that Qwen-VL took over from Qwen2-VL says the same of the same text."""

from __future__ import annotations

from dataclasses import replace

import torch

from qwenvl.config import QwenVLConfig, from_published
from qwenvl.qwen2_vl import Qwen2VL
from qwenvl.qwen_vl import QwenVL
from qwenvl.tiny.beginnings import draw_weights
from qwenvl.tiny.inherit import align_adapter, inherit_language
from qwenvl.tiny.publish import twin_config
from qwenvl.tiny.vocabulary import RANKS


def twins() -> tuple[QwenVL, Qwen2VL]:
    """Both, their rotary bases alike, all weights random."""
    torch.manual_seed(0)
    first = from_published(twin_config("qwen-vl"))
    assert isinstance(first, QwenVLConfig)
    second = from_published(twin_config("qwen2-vl"))
    first = replace(first, language=replace(first.language, rope_theta=second.language.rope_theta))
    model, other = QwenVL(first), Qwen2VL(second)  # type: ignore[arg-type]
    draw_weights(model)
    for parameter in other.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    return model, other


def test_the_same_text_gives_the_same_logits() -> None:
    model, other = twins()
    inherit_language(model, other)
    ids = torch.randint(0, RANKS, (1, 40), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ours, theirs = model(ids)[..., :RANKS], other(ids)[..., :RANKS]
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_the_adapter_learns_the_other_towers_tongue() -> None:
    model, _ = twins()
    tokens = torch.randn(500, model.config.language.dim)
    turn = torch.linalg.qr(torch.randn(len(tokens.T), len(tokens.T))).Q
    assert align_adapter(model, tokens, tokens @ turn, strength=1e-6) > 0.999
    torch.testing.assert_close(model.adapter.projection.data, turn, atol=1e-3, rtol=0)
