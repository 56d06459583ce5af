"""The parts of a record: places, words and probabilities as the prompt, the answer and the logits have them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import qwenvl
from qwenvl.errors import RunError
from qwenvl.inference.record_parts import carried, likeliest_of, three_rows, with_media
from tests.support.tiny import TINY, mixed_messages, mixed_run, tiny


def test_positions_of_either_family_are_three_rows() -> None:
    plain = torch.arange(5)
    assert torch.equal(three_rows(plain), torch.stack([plain, plain, plain]))
    own = torch.arange(15).view(3, 1, 5)
    assert torch.equal(three_rows(own), own[:, 0])


def test_the_likeliest_are_those_of_the_softmax() -> None:
    logits = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    likeliest, own = likeliest_of(tiny(TINY[0]).processor, logits, [7, 9])
    chances = logits.exp() / logits.exp().sum(dim=-1, keepdim=True)
    assert own == pytest.approx([float(chances[0, 7]), float(chances[1, 9])], rel=1e-5)
    for place, found in enumerate(likeliest):
        assert [one.id for one in found] == sorted(range(50), key=lambda id_: -chances[place, id_])[:10]


@pytest.mark.parametrize("name", TINY)
def test_media_put_back_give_the_prompt_again(name: str) -> None:
    run, processor = mixed_run(name), tiny(name).processor
    again, before = processor(with_media(run.messages, run.media)), processor(mixed_messages())
    assert again.input_ids == before.input_ids
    assert all(torch.equal(value, before.model_inputs[key]) for key, value in again.model_inputs.items())


@pytest.mark.parametrize("name", TINY)
def test_edits_are_carried_while_the_prompts_are_alike(name: str) -> None:
    run, processor = mixed_run(name), tiny(name).processor
    messages = with_media(run.messages, run.media)
    messages[-1]["content"] = [*messages[-1]["content"][:-1], {"type": "text", "text": "Describe the image."}]
    prompt = processor(messages)
    alike = next(i for i, (a, b) in enumerate(zip(run.tokens, prompt.tokens, strict=False)) if a.id != b.id)
    for last, fits in ((alike - 1, True), (alike, False)):
        edited = replace(run, record=replace(run.record, edits=(qwenvl.Knockout((last,), (0,), (0,)),)))
        if fits:
            assert carried(edited, prompt) == edited.edits
        else:
            with pytest.raises(RunError, match=f"they name token {alike}, and from {alike} on its tokens are others"):
                carried(edited, prompt)
