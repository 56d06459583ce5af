"""Position codes of Qwen-VL's adapter against their formula, and the steps of Qwen2-VL's merger against its weights."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from qwenvl.analysis.adapter_codes import merger_steps
from qwenvl.errors import RunError
from qwenvl.inference.run import Run
from qwenvl.models.config import PRESETS
from qwenvl.models.weights import published_state
from tests.support.tiny import mixed_run, tiny


def formula(side: int, dim: int) -> np.ndarray:
    """The published 2-D sin-cos code in NumPy: first half of the channels the column, second half the row."""
    omega = 1 / 10000 ** (np.arange(dim // 4) / (dim / 4))
    one = [np.concatenate([np.sin(place * omega), np.cos(place * omega)]) for place in range(side)]
    return np.array([np.concatenate([one[column], one[row]]) for row in range(side) for column in range(side)])


def test_codes_are_the_models_own() -> None:
    run = mixed_run("tiny-qwen-vl")
    adapter = run.config.adapter
    found = run.code_similarity()
    code = formula(adapter.query_side, run.config.language.dim)
    code /= np.linalg.norm(code, axis=1, keepdims=True)
    np.testing.assert_allclose(found.queries, code @ code.T, atol=2e-4)  # the checkpoint holds it in 16 bits
    patches = run.config.vision.grid_side
    assert found.keys.shape == (adapter.num_queries, patches**2)
    if patches == adapter.query_side:  # nothing to stretch
        np.testing.assert_allclose(found.keys, code @ code.T, atol=2e-4)
    assert found.queries.diagonal().tolist() == pytest.approx([1.0] * adapter.num_queries, abs=1e-5)


def test_a_code_is_most_like_the_patches_at_its_own_place() -> None:
    """Stretched to twice the side, as at the published size, the best patch is one of the four under the query."""
    from dataclasses import replace

    from qwenvl.analysis.adapter_codes import model_code_similarity
    from qwenvl.models.qwen_vl import QwenVL

    config = tiny("tiny-qwen-vl").config
    side = config.adapter.query_side
    vision = replace(config.vision, image_size=2 * side * config.vision.patch_size)
    with torch.device("cpu"):
        model = QwenVL(replace(config, vision=vision))
    found = model_code_similarity(model)
    assert found.keys.shape == (side**2, 4 * side**2)
    for query in (0, side + 1, side**2 // 2, side**2 - 1):
        row, column = divmod(int(found.keys[query].argmax()), 2 * side)
        assert (row // 2, column // 2) == divmod(query, side)


def test_a_run_from_a_file_has_no_code(tmp_path: object) -> None:
    run = mixed_run("tiny-qwen-vl")
    path = f"{tmp_path}/one.run"
    run.save(path)
    with pytest.raises(RunError, match="load the run with its pipeline"):
        Run.load(path).code_similarity()


def test_the_mergers_steps_are_the_models_weights() -> None:
    model = tiny("tiny-qwen2-vl").model
    state = published_state(model)
    steps = merger_steps(model.config)
    for step in steps:
        if step.published:
            assert tuple(state[step.published].shape) == step.weight
    assert all(one.goes_out == two.comes_in for one, two in pairwise(steps))
    large = merger_steps(PRESETS["Qwen2-VL-7B"])
    assert [step.weight for step in large] == [(1280,), (), (5120, 5120), (3584, 5120)]
    assert large[2].published == "visual.merger.mlp.0.weight"
