"""Hub ids: what is fetched, what comes from the cache, and the sentence for whatever goes wrong. Nothing goes online:
the hub is a folder in its cache's layout, or a function that fails as the hub's library does."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants, errors

import qwenvl
from qwenvl.errors import CheckpointError
from qwenvl.loading.hub import CHECKPOINTS, find_folder, is_hub_id

TINY = CHECKPOINTS / "tiny-qwen2-vl"
HUB_ID = "owner/name"


class Hub:
    """Stands for `snapshot_download`: hands out a repository file by file, and notes what was asked for."""

    def __init__(self, repository: Path, local: Path) -> None:
        self.repository, self.local = repository, local
        self.asked: list[list[str]] = []
        self.bars: list[Any] = []

    def __call__(self, hub_id: str, *, allow_patterns: list[str], tqdm_class: Any = None) -> str:
        assert hub_id == HUB_ID
        self.asked.append(allow_patterns)
        self.bars.append(tqdm_class)
        for file in self.repository.iterdir():
            if any(fnmatch(file.name, pattern) for pattern in allow_patterns):
                shutil.copy(file, self.local)
        return str(self.local)

    @property
    def weights(self) -> set[str]:
        return {file.name for file in self.local.iterdir() if file.suffix in (".bin", ".safetensors")}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    repository, local = tmp_path / "repository", tmp_path / "local"
    shutil.copytree(TINY, repository)
    local.mkdir()
    hub = Hub(repository, local)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub)
    return hub


def test_a_hub_id_is_loaded_as_its_folder_would_be(hub: Hub) -> None:
    pipeline = qwenvl.load(HUB_ID, device="cpu")
    assert (pipeline.name, pipeline.family) == (HUB_ID, "qwen2-vl")
    assert hub.weights == {"model.safetensors"}


def test_a_look_at_a_model_fetches_no_weights(hub: Hub) -> None:
    folder = find_folder(HUB_ID, weights=False)
    assert (folder / "config.json").exists()
    assert hub.weights == set()


@pytest.mark.parametrize(
    ("name", "added", "words"),
    [
        ("config.json", {"quantization_config": {"quant_method": "gptq"}}, r"quantised \(gptq\)"),
        ("quantize_config.json", {}, r"quantised \(gptq\)"),
        ("config.json", {"model_type": "llava"}, "model_type 'llava'"),
    ],
)
def test_what_cannot_be_read_is_refused_before_its_weights_arrive(
    hub: Hub, name: str, added: dict[str, Any], words: str
) -> None:
    file = hub.repository / name
    file.write_text(
        json.dumps((json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}) | added), encoding="utf-8"
    )
    with pytest.raises(CheckpointError, match=words):
        qwenvl.load(HUB_ID, device="cpu")
    assert hub.weights == set()


def test_only_the_shards_of_the_index_are_fetched(hub: Hub) -> None:
    (hub.repository / "model.safetensors").unlink()
    shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    for name in (*shards, "pytorch_model.bin", "optimizer.bin", "model-other.safetensors"):
        (hub.repository / name).write_bytes(b"")
    index = {"weight_map": {"a": shards[0], "b": shards[1], "c": shards[0]}}
    (hub.repository / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    find_folder(HUB_ID)
    assert hub.weights == set(shards)


def test_bin_shards_are_fetched_where_there_are_no_safetensors(hub: Hub) -> None:
    (hub.repository / "model.safetensors").rename(hub.repository / "pytorch_model-00001-of-00001.bin")
    index = {"weight_map": {"a": "pytorch_model-00001-of-00001.bin"}}
    (hub.repository / "pytorch_model.bin.index.json").write_text(json.dumps(index), encoding="utf-8")
    find_folder(HUB_ID)
    assert hub.weights == {"pytorch_model-00001-of-00001.bin"}


@pytest.mark.parametrize("files", [["model.safetensors"], ["pytorch_model.bin"]])
def test_of_single_files_one_is_fetched_safetensors_first(hub: Hub, files: list[str]) -> None:
    (hub.repository / "model.safetensors").unlink()
    for name in files:
        (hub.repository / name).write_bytes(b"")
    find_folder(HUB_ID)
    assert hub.weights == set(files)


def test_safetensors_are_preferred_to_a_pickle_beside_them(hub: Hub) -> None:
    (hub.repository / "pytorch_model.bin").write_bytes(b"")
    find_folder(HUB_ID)
    assert hub.weights == {"model.safetensors"}


def test_an_index_names_files_and_never_paths(hub: Hub) -> None:
    (hub.repository / "model.safetensors.index.json").write_text(
        '{"weight_map": {"a": "../../model.safetensors"}}', encoding="utf-8"
    )
    find_folder(HUB_ID)
    assert hub.asked[-1] == ["model.safetensors"]


def test_progress_is_told_in_bytes(hub: Hub) -> None:
    told: list[tuple[int, int]] = []
    find_folder(HUB_ID, tell=lambda here, whole: told.append((here, whole)))
    bar = hub.bars[-1]
    with bar(total=100, name="huggingface_hub.snapshot_download", disable=True) as counted:
        counted.update(30), counted.update(20)
    with bar(total=2, disable=True) as files:
        files.update(1)  # files are no bytes
    assert told == [(30, 100), (50, 100)]


# --- what goes wrong ---


def refused(status: int) -> SimpleNamespace:
    return SimpleNamespace(status_code=status, headers={}, request=SimpleNamespace(method="GET", url="https://hub"))


def http(kind: Callable[..., Exception], status: int) -> Exception:
    return kind("no", response=refused(status))


def of_hub(name: str, message: str, *arguments: Any, **named: Any) -> Any:
    """A case with an error of the hub's library; skipped where the installed version has none of that name."""
    if hasattr(errors, name):
        return getattr(errors, name)(*arguments, **named), message
    return pytest.param(None, message, marks=pytest.mark.skip(reason=f"this huggingface_hub has no {name}"))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (http(errors.GatedRepoError, 403), "is gated: accept its terms on the hub, log in"),
        (http(errors.RepositoryNotFoundError, 401), "The hub has no owner/name, or it is private"),
        (http(errors.HfHubHTTPError, 503), "The hub answered 503 for owner/name"),
        (errors.LocalEntryNotFoundError("offline"), "not in the cache and the hub cannot be reached; go online once"),
        of_hub("IncompleteSnapshotError", "was not finished and the hub cannot be reached", "half", snapshot_path="x"),
        (errors.OfflineModeIsEnabled("offline"), "not in the cache and the hub cannot be reached"),
        (errors.HFValidationError("bad"), "'owner/name' is not a hub id"),
        of_hub("XetDownloadError", r"broke off \(XetDownloadError\); try again, it goes on", "cut"),
        (ConnectionResetError("cut"), r"broke off \(ConnectionResetError\)"),
        (OSError(errno.ENOSPC, "full"), "The disk is full: owner/name needs more room"),
    ],
)
def test_what_goes_wrong_with_a_download_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def fail(*_: Any, **__: Any) -> str:
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(CheckpointError, match=message) as refusal:
        find_folder(HUB_ID)
    assert "\n" not in str(refusal.value)
    assert "http" not in str(refusal.value)


def test_an_interrupted_download_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any, **__: Any) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(huggingface_hub, "snapshot_download", interrupt)
    with pytest.raises(KeyboardInterrupt):
        find_folder(HUB_ID)


# --- the real library, offline ---


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, and no network. Returns where the snapshot of `HUB_ID` belongs."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    commit = "a" * 40
    repository = tmp_path / "models--owner--name"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit, encoding="utf-8")
    return repository / "snapshots" / commit


def test_what_is_in_the_cache_needs_no_network(cache: Path) -> None:
    shutil.copytree(TINY, cache)
    assert find_folder(HUB_ID) == cache
    assert qwenvl.load(HUB_ID, device="cpu").name == HUB_ID


def test_a_half_finished_cache_without_network_says_what_is_missing(cache: Path) -> None:
    shutil.copytree(TINY, cache)
    (cache / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="has no weights"):
        qwenvl.load(HUB_ID, device="cpu")
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (cache / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"lacks model-00001-of-00002\.safetensors, which its index names"):
        qwenvl.load(HUB_ID, device="cpu")


def test_an_empty_cache_without_network_is_one_sentence(cache: Path) -> None:
    with pytest.raises(CheckpointError, match="owner/name is not in the cache and the hub cannot be reached"):
        find_folder(HUB_ID)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("Qwen/Qwen2-VL-2B", True),
        ("/etc/passwd", False),
        ("../x", False),
        ("~/x", False),
        ("a/b/c", False),
        ("a/", False),
    ],
)
def test_a_hub_id_reads_owner_and_name(name: str, is_one: bool) -> None:
    assert is_hub_id(name) is is_one
