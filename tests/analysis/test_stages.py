"""The steps from file to answer against the model's own modules, tensors that hooks saw, and a clock of our own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from qwenvl.analysis.stages import CHANGES, STAGES, Stage, stages, timed_pass, times
from qwenvl.inference.run import Run
from qwenvl.models import timing
from qwenvl.models.config import PRESETS
from qwenvl.models.timing import PartClock
from qwenvl.plan import parameters_by_part
from tests.support.tiny import SPOKEN, TINY, mixed_run, one_picture, tiny


def by_name(run: Run) -> dict[str, Stage]:
    return {stage.name: stage for stage in stages(run)}


@pytest.mark.parametrize("name", TINY)
def test_parameters_add_up_to_the_model(name: str) -> None:
    found = by_name(mixed_run(name))
    assert tuple(found) == STAGES == tuple(CHANGES)
    assert sum(stage.parameters or 0 for stage in found.values()) == tiny(name).parameters
    model = tiny(name).model
    assert found["patches"].parameters == model.vision.patch_embed.weight.numel()
    for part in ("adapter", "language"):
        assert found[part].parameters == sum(each.numel() for each in getattr(model, part).parameters())


def test_parts_of_the_published_models_are_those_of_their_papers() -> None:
    assert parameters_by_part(PRESETS["Qwen-VL-Chat"])["vision"] == 1_842_770_688
    assert parameters_by_part(PRESETS["Qwen2-VL-7B"])["vision"] == 631_183_360


@pytest.mark.parametrize("name", TINY)
def test_shapes_are_those_that_leave_the_modules(name: str) -> None:
    run, model = mixed_run(name), tiny(name).model
    seen: dict[str, tuple[int, ...]] = {}

    def keep(part: str) -> Any:
        return lambda module, inputs, output: seen.update({part: tuple(output.shape)})

    handles = [getattr(model, part).register_forward_hook(keep(part)) for part in ("vision", "adapter", "language")]
    tiny(name).replay(run, ["language.positions"])
    for handle in handles:
        handle.remove()
    found = by_name(run)
    assert found["vision"].shape == seen["vision"] == found["patches"].shape
    assert found["adapter"].shape == seen["adapter"]
    answered = len(run.tokens) - run.answer_start
    assert found["language"].shape == (seen["language"][1] - answered, seen["language"][2])
    assert all(len(stage.axes) == len(stage.shape) for stage in found.values())


def test_words_carry_the_counts_of_the_run() -> None:
    a, b = (by_name(mixed_run(name)) for name in TINY)
    run = mixed_run(TINY[1])
    segments = sum(item.patch_grid[0] for item in run.media)
    assert any(f"{segments} segments" in words for words in b["vision"].words)
    visual = sum(token.kind in ("image", "video") for token in run.tokens)
    assert f"{visual:,} visual and {run.answer_start - visual:,} other tokens" in b["prompt"].words
    assert f"ids (t, h, w) 0 to {int(run.positions[:, : run.answer_start].max())}" in b["prompt"].words
    assert a["file"].title == "3 pictures and clips"
    assert any("3 frames" in words for words in a["file"].words)


@pytest.mark.parametrize("name", TINY)
def test_without_a_picture_its_steps_say_so(name: str) -> None:
    run = tiny(name).run([{"role": "user", "content": "Hello?"}], answer=SPOKEN)
    found = by_name(run)
    for step in ("resize", "patches", "vision", "adapter"):
        assert found[step].words == ("not used: no picture in this question",)
        assert (found[step].shape, found[step].seconds) == ((), None)
    assert found["language"].seconds is not None
    assert found["file"].title == "No picture"


def test_the_clock_times_each_part_once_and_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    class Part(torch.nn.Module):
        def __init__(self, seconds: float) -> None:
            super().__init__()
            self.weight, self.seconds = torch.nn.Parameter(torch.zeros(1)), seconds

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            now[0] += self.seconds
            return x

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vision, self.adapter, self.language = Part(3.0), Part(1.0), Part(6.0)

    model = Model()
    with PartClock(model) as clock:
        for _ in range(2):
            model.language(model.vision(torch.zeros(1)))
    assert clock.seconds == {"vision": 3.0, "language": 6.0}
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in model.modules())


@pytest.mark.parametrize("name", TINY)
def test_a_run_keeps_the_times_of_the_pass_that_read_its_prompt(name: str, tmp_path: Any) -> None:
    run = tiny(name).run(one_picture(), max_new_tokens=3)
    assert timed_pass(run) == "read"
    found = times(run)
    assert list(found) == ["prepare", "vision", "adapter", "language", "rest", "answer"]
    assert all(value > 0 for value in found.values())
    inside = sum(found[part] for part in ("vision", "adapter", "language", "rest"))
    assert inside == pytest.approx(run.seconds["read"])
    run.save(tmp_path / "a.run")
    loaded = Run.load(tmp_path / "a.run")
    assert loaded.parts == run.parts
    assert loaded.stages() == run.stages()


def test_a_given_answer_is_timed_in_its_replay() -> None:
    run = tiny(TINY[1]).run(one_picture(), answer=SPOKEN)
    assert timed_pass(run) == "replay"
    assert set(times(run)) == {"prepare", "vision", "adapter", "language"}
    assert sum(run.parts[part] for part in ("vision", "adapter", "language")) <= run.seconds["replay"]
