"""Checkpoint folders: what loads, what is refused, and that nothing in a file is ever run."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import qwenvl
from qwenvl.errors import CheckpointError
from qwenvl.loading.load import CHECKPOINTS, build, build_skeleton, find_folder, load_model, read_config
from qwenvl.models.config import PRESETS
from tests.support.goldens import GOLDENS, assert_close, qwen2_vl_case, read_json

SOURCE = GOLDENS / "qwen2-vl" / "dev-b"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint to damage."""
    path = tmp_path / "checkpoint"
    path.mkdir()
    shutil.copy(SOURCE / "config.json", path)
    shutil.copy(SOURCE / "model.safetensors", path)
    return path


def loaded(folder: Path, **rest: Any) -> Any:
    return load_model(folder, **({"dtype": "float32", "device": "cpu"} | rest))


def tensors() -> dict[str, Tensor]:
    return load_file(SOURCE / "model.safetensors")


def as_bin(folder: Path, content: Any) -> Path:
    """Put this in place of the safetensors file, as `torch.save` writes it."""
    (folder / "model.safetensors").unlink()
    torch.save(content, folder / "pytorch_model.bin")
    return folder / "pytorch_model.bin"


def refuses(folder: Path, message: str) -> str:
    with pytest.raises(CheckpointError, match=message) as refusal:
        loaded(folder)
    sentence = str(refusal.value)
    assert "\n" not in sentence
    assert str(folder.parent) not in sentence
    return sentence


# --- what loads ---


def assert_loads_as_the_source(folder: Path) -> None:
    case = qwen2_vl_case("dev-b", "image")
    with torch.no_grad():
        assert torch.equal(loaded(folder)(**case.inputs), case.model(**case.inputs))


def test_both_layouts_of_a_config_load_the_same_model(folder: Path) -> None:
    shutil.copy(SOURCE / "config.hub_layout.json", folder / "config.json")
    assert_loads_as_the_source(folder)


def test_a_bin_file_loads(folder: Path) -> None:
    as_bin(folder, tensors())
    assert_loads_as_the_source(folder)


@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
def test_shards_load_by_their_index(folder: Path, suffix: str) -> None:
    shard(folder, suffix)
    assert_loads_as_the_source(folder)


def shard(folder: Path, suffix: str) -> list[Path]:
    """Split the checkpoint in two."""
    stem = "model" if suffix == "safetensors" else "pytorch_model"
    every = dict(sorted(tensors().items()))
    files = {name: f"{stem}-0000{1 + index % 2}-of-00002.{suffix}" for index, name in enumerate(every)}
    for file in set(files.values()):
        part = {name: every[name] for name, place in files.items() if place == file}
        torch.save(part, folder / file) if suffix == "bin" else save_file(part, folder / file)
    (folder / "model.safetensors").unlink()
    (folder / f"{stem}.{suffix}.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": files}), encoding="utf-8"
    )
    return sorted(folder / file for file in set(files.values()))


def test_safetensors_come_before_bin_files(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"never read")
    assert_loads_as_the_source(folder)


def test_weights_are_frozen_in_the_dtype_asked_for(folder: Path) -> None:
    for asked, dtype in (("bfloat16", torch.bfloat16), (torch.float16, torch.float16), ("auto", torch.float32)):
        model = loaded(folder, dtype=asked)
        assert {parameter.dtype for parameter in model.parameters()} == {dtype}
        assert not any(parameter.requires_grad for parameter in model.parameters())
        assert not model.training


def test_half_precision_weights_are_read_exactly() -> None:
    stored = load_file(CHECKPOINTS / "tiny-qwen2-vl" / "model.safetensors")["visual.patch_embed.proj.weight"]
    assert stored.dtype in (torch.float16, torch.bfloat16)
    model = loaded(CHECKPOINTS / "tiny-qwen2-vl")
    assert torch.equal(model.vision.patch_embed.weight, stored.float())


# --- damaged, missing, foreign ---


def cut(file: Path, keep: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(keep * len(content))])


@pytest.mark.parametrize("keep", [0, 1e-5, 1e-3, 0.5, 0.999])
def test_a_safetensors_file_cut_short_is_called_damaged(folder: Path, keep: float) -> None:
    cut(folder / "model.safetensors", keep)
    refuses(folder, r"^model\.safetensors is damaged")


@pytest.mark.parametrize("keep", [0, 1e-5, 1e-3, 0.5, 0.999])
def test_a_bin_file_cut_short_is_called_damaged(folder: Path, keep: float) -> None:
    cut(as_bin(folder, tensors()), keep)
    refuses(folder, r"^pytorch_model\.bin is damaged")


@pytest.mark.parametrize(
    "content", [b"\x00" * 5000, b"\xff" * 5000, b"<html>not found</html>" * 50, b"\x80\x02}q\x00."]
)
@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_a_file_of_something_else_is_refused(folder: Path, name: str, content: bytes) -> None:
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(content)
    refuses(folder, name)


class Harm:
    """Unpickled, it makes a folder."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        import os

        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_pickle_that_would_run_something_is_refused_and_runs_nothing(
    folder: Path, tmp_path: Path, zipped: bool, wrapped: bool
) -> None:
    marker = tmp_path / "harmed"
    content: Any = {**tensors(), "harm": Harm(marker)} if wrapped else Harm(marker)
    file = as_bin(folder, content)
    if not zipped:
        file.write_bytes(pickle.dumps(content))
    assert not marker.exists()
    sentence = refuses(folder, r"^pytorch_model\.bin is damaged or holds more than tensors")
    assert "weights_only=False" not in sentence  # no advice to run it after all
    assert not marker.exists()


def test_a_damaged_zip_with_harm_in_it_runs_nothing(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").unlink()
    with zipfile.ZipFile(folder / "pytorch_model.bin", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Harm(tmp_path / "harmed")))
    refuses(folder, r"^pytorch_model\.bin is damaged")
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize("content", [[torch.zeros(1)], {"a": 1}, torch.zeros(3), {"state_dict": {"a": torch.zeros(1)}}])
def test_a_bin_file_that_is_no_dictionary_of_tensors_is_refused(folder: Path, content: Any) -> None:
    as_bin(folder, content)
    refuses(folder, "does not hold a dictionary of tensors")


@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
def test_a_missing_shard_is_named(folder: Path, suffix: str) -> None:
    missing = shard(folder, suffix)[1]
    missing.unlink()
    refuses(folder, f"lacks {missing.name}, which its index names")


@pytest.mark.parametrize(
    "index", ["{}", "[]", '{"weight_map": []}', '{"weight_map": {"a": 1}}', "{", '{"weight_map": {}}']
)
def test_a_damaged_index_is_refused(folder: Path, index: str) -> None:
    shard(folder, "safetensors")
    (folder / "model.safetensors.index.json").write_text(index, encoding="utf-8")
    refuses(folder, r"model\.safetensors\.index\.json")


def test_a_missing_tensor_is_named_as_published(folder: Path) -> None:
    name = "model.visual.blocks.1.attn.qkv.bias"
    state = tensors()
    del state[name]
    save_file(state, folder / "model.safetensors")
    refuses(folder, r"lacks 'visual\.blocks\.1\.attn\.qkv\.bias'")


def test_an_unknown_tensor_is_named(folder: Path) -> None:
    save_file({**tensors(), "model.visual.pos_embed": torch.zeros(3)}, folder / "model.safetensors")
    refuses(folder, r"holds 'model\.visual\.pos_embed'")


def test_a_misshapen_tensor_is_named(folder: Path) -> None:
    state = tensors()
    state["lm_head.weight"] = state["lm_head.weight"][:-1].contiguous()
    save_file(state, folder / "model.safetensors")
    refuses(folder, r"'lm_head\.weight' has shape \(269, 72\) in the checkpoint; config\.json asks for \(270, 72\)")


def test_a_config_that_asks_for_more_than_the_weights_hold_is_refused(folder: Path) -> None:
    config = read_json(folder / "config.json")
    config["vision_config"]["depth"] += 1
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    refuses(folder, r"lacks 'visual\.blocks\.3\.norm1\.weight'")


def test_an_untied_config_wants_a_head(folder: Path) -> None:
    state = tensors()
    del state["lm_head.weight"]
    save_file(state, folder / "model.safetensors")
    refuses(folder, r"lacks 'lm_head\.weight'")
    config = read_json(folder / "config.json")
    config["tie_word_embeddings"] = config["text_config"]["tie_word_embeddings"] = True
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert loaded(folder).language.head is None


def test_a_folder_with_an_adapter_only_is_told_from_a_checkpoint(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text("{}", encoding="utf-8")
    refuses(folder, "peft_type null")
    (folder / "config.json").unlink()
    refuses(folder, "peft_type null")


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_a_whole_model_beside_an_adapter_loads(folder: Path, name: str) -> None:
    if name == "pytorch_model.bin":
        as_bin(folder, tensors())
    (folder / "adapter_config.json").write_text("{}", encoding="utf-8")
    assert_loads_as_the_source(folder)


def test_a_folder_without_config_or_weights_says_so(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    refuses(folder, "checkpoint has no weights: neither")
    (folder / "config.json").unlink()
    refuses(folder, r"checkpoint has no config\.json")


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"", b"NaN,"])
def test_a_config_that_is_no_json_is_refused(folder: Path, content: bytes) -> None:
    (folder / "config.json").write_bytes(content)
    refuses(folder, r"config\.json of checkpoint is not valid JSON")


def test_a_config_that_is_no_object_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text("[1]", encoding="utf-8")
    refuses(folder, r"config\.json of checkpoint is not a JSON object")


def test_a_quantised_checkpoint_and_another_model_are_refused_before_their_weights_are_read(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"")
    config = read_json(folder / "config.json")
    (folder / "config.json").write_text(
        json.dumps(config | {"quantization_config": {"quant_method": "awq"}}), encoding="utf-8"
    )
    refuses(folder, r"^checkpoint is quantised \(awq\); load the unquantised one")
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "quantize_config.json").write_text("{}", encoding="utf-8")
    refuses(folder, r"^checkpoint is quantised \(gptq\)")
    (folder / "quantize_config.json").unlink()
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "llava"}), encoding="utf-8")
    refuses(folder, "model_type 'llava'")


@pytest.mark.parametrize("dtype", ["float33", "nn", "", "__name__", "int32", "bool", torch.int8])
def test_an_unknown_dtype_is_refused(folder: Path, dtype: str | torch.dtype) -> None:
    with pytest.raises(CheckpointError, match=f"no dtype '{dtype}' here"):
        loaded(folder, dtype=dtype)


@pytest.mark.parametrize("device", ["abacus", "cuda:99"])
def test_a_device_that_is_not_there_is_refused(folder: Path, device: str) -> None:
    with pytest.raises(CheckpointError, match=device):
        loaded(folder, device=device)


# --- names ---


@pytest.mark.parametrize("name", ["tiny-qwen-vl", "tiny-qwen2-vl"])
def test_tiny_checkpoints_load_by_name(name: str) -> None:
    pipeline = qwenvl.load(name, device="cpu")
    assert (pipeline.name, pipeline.family) == (name, name.removeprefix("tiny-"))
    assert pipeline.parameters == sum(tensor.numel() for tensor in pipeline.model.state_dict().values())
    assert pipeline.trained == read_json(CHECKPOINTS / name / "config.json")["qwenvl"]["trained"]


def test_a_folder_is_called_by_its_own_name_never_by_its_path(tmp_path: Path) -> None:
    shutil.copytree(CHECKPOINTS / "tiny-qwen2-vl", tmp_path / "mine")
    assert qwenvl.load(tmp_path / "mine", device="cpu").name == "mine"


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_no_weights_to_load(name: str) -> None:
    ours = "tiny-qwen-vl, tiny-qwen-vl-fine, tiny-qwen2-vl, tiny-qwen2-vl-fine"
    with pytest.raises(CheckpointError, match=f"{name} is a preset without weights.*{ours}"):
        find_folder(name)


@pytest.mark.parametrize("name", ["nothing", "./nothing/here", "/nothing", "a/b/c", ""])
def test_a_name_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(CheckpointError, match=f"no checkpoint '{name}'"):
        find_folder(name)


def test_loading_leaves_no_value_of_the_random_start(folder: Path) -> None:
    first, second = loaded(folder), loaded(folder)
    for name, tensor in first.state_dict().items():
        assert_close(tensor, second.state_dict()[name], 0)


@pytest.mark.parametrize("name", ["tiny-qwen-vl", "tiny-qwen2-vl"])
def test_a_skeleton_is_the_model_without_numbers(name: str) -> None:
    whole, skeleton = (each(read_config(CHECKPOINTS / name)).state_dict() for each in (build, build_skeleton))
    assert all(value.is_meta for value in skeleton.values())
    assert [(key, value.shape) for key, value in skeleton.items()] == [
        (key, value.shape) for key, value in whole.items()
    ]


def test_loading_does_not_import_the_compiler() -> None:
    """Its import takes longer than reading a gigabyte."""
    code = "import sys, qwenvl; [qwenvl.load(name) for name in sys.argv[1:]]; print('torch._dynamo' in sys.modules)"
    command = [sys.executable, "-c", code, "tiny-qwen-vl", "tiny-qwen2-vl"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "False"
