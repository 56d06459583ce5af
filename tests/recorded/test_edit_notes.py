"""An edited run says so, and so does one whose model had hooks on it that no edit put there."""

from __future__ import annotations

import torch

import qwenvl
from qwenvl.inference.report import run_report
from qwenvl.recorded.edit_notes import changed_hooks_note, edit_notes
from tests.support.tiny import TINY, one_picture, tiny


def test_every_edit_is_said_in_a_sentence() -> None:
    plain = tiny(TINY[1]).run(one_picture(), answer="red")
    edits = [
        qwenvl.Knockout([9], [3, 4, 5, 7], [0, 1]),
        qwenvl.ScaleKeys([3], [5], 0.5, heads=[2]),
        qwenvl.AblateHeads(1, [0, 2], to="mean"),
        qwenvl.AblateHeads(0, [1], site="vision"),
        qwenvl.AddVector(0, [8], torch.ones(plain.config.language.dim)),
        qwenvl.PatchState(2, [3, 4], plain),
    ]
    run = plain.edited(edits)
    assert run.card.notes == (
        "Edited: tokens 9 do not see tokens 3-5, 7, in layers 0-1, all heads.",
        "Edited: the weight of tokens 5 is multiplied by 0.5 in every row, in layers 3, heads 2.",
        "Edited: the output of heads 0, 2 of language layer 1 is its mean.",
        "Edited: the output of heads 1 of vision layer 0 is 0.",
        "Edited: a vector of length 16 is added to the state of tokens 8 after layer 0.",
        "Edited: the state of tokens 3-4 after layer 2 is that of another run (tiny-qwen2-vl: red).",
    )
    assert run_report(run)["edits"] == list(run.card.notes)
    assert run_report(plain)["edits"] == []


def test_a_hook_that_was_left_on_a_module_is_found_and_said() -> None:
    pipeline = tiny(TINY[0])
    block = pipeline.model.language.blocks[1]
    handle = block.register_forward_hook(lambda module, inputs, output: output.roll(1, dims=-1))
    try:
        run = pipeline.run(one_picture(), answer="red", keep="nothing")
        answered = pipeline.run(one_picture(), max_new_tokens=1)
        row = run.attention("language", layer=2, query=9)
        assert len(run.card.notes) == 1  # the same hook: what is replayed is of the same model
    finally:
        handle.remove()
    for each in (run, answered):
        assert each.record.hooks == ("language.blocks.1",)
        assert each.card.notes[0].startswith("Hooks were on language.blocks.1 while this was answered;")
    run.attention("language", layer=3, query=9)
    assert run.card.notes[1].startswith("Hooks on language.blocks.1 were gone when a part of this run was replayed")
    run.attention("language", layer=2, query=9)
    assert len(run.card.notes) == 2  # said once
    assert not torch.allclose(row, run.attention("language", layer=2, query=9), atol=1e-3)


def test_new_hooks_are_said_and_those_of_a_trace_are_none() -> None:
    pipeline = tiny(TINY[1])
    with qwenvl.Trace(pipeline.model, "language.blocks.*.attend.*", "language.positions"):
        run = pipeline.run(one_picture(), answer="red", keep="nothing")
    assert run.card.notes == ()
    with qwenvl.Block(pipeline.model, "language.blocks.*.attend", queries=[9], keys=[3]):
        run.attention("language", layer=2, query=9)
    (note,) = run.card.notes
    assert "language.blocks.1.attend, language.blocks.2.attend and 1 more were new when" in note


def test_no_hook_and_no_edit_say_nothing() -> None:
    assert edit_notes([], []) == []
    assert changed_hooks_note(["a"], ["a"]) is None
    assert "new" in (changed_hooks_note([], ["a"]) or "")
