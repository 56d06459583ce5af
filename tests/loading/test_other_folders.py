"""Folders that were not made here: read rightly, or refused by the name of what is wrong."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, Qwen2VLForConditionalGeneration

import qwenvl
from qwenvl.errors import CheckpointError
from qwenvl.loading.load import CheckpointWarning
from qwenvl.processing.text.tokenizers import HubTokenizer
from tests.support.folders import SOURCE, add_tokens, edit, replace_file, variant
from tests.support.goldens import assert_close
from tests.support.tiny import mosaic, one_picture

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 4605123\n"


def refused(folder: Path, words: str) -> str:
    with pytest.raises(CheckpointError, match=words) as refusal:
        qwenvl.load(folder, device="cpu")
    sentence = str(refusal.value)
    assert "\n" not in sentence
    assert str(folder.parent) not in sentence
    return sentence


# --- tied and untied ---


def test_a_head_of_its_own_counts_against_a_config_that_says_tied(tmp_path: Path) -> None:
    folder = variant(tmp_path / "tied_wrong")
    edit(folder / "config.json", tie_word_embeddings=True)
    pipeline = qwenvl.load(folder, dtype="float32", device="cpu")
    assert not pipeline.config.language.tied
    assert "language head of their own" in pipeline.notes[0]
    with pytest.warns(CheckpointWarning, match="which counts"):
        model = qwenvl.load_model(folder, dtype="float32", device="cpu")
    theirs = Qwen2VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    ids = torch.arange(20)[None]
    with torch.no_grad():
        assert_close(model(input_ids=ids), theirs(input_ids=ids).logits, 6e-4)
    run = pipeline.run(one_picture(), answer="red")
    run.save(tmp_path / "a.run")
    assert qwenvl.Run.load(tmp_path / "a.run").card.notes == pipeline.notes


def test_a_head_that_is_the_embedding_is_tied_without_a_word(tmp_path: Path) -> None:
    folder = variant(tmp_path / "tied")
    edit(folder / "config.json", tie_word_embeddings=True)
    tensors = load_file(SOURCE / "model.safetensors")
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
    (folder / "model.safetensors").unlink()
    save_file(tensors, folder / "model.safetensors")
    both = qwenvl.load(folder, device="cpu")
    assert (both.config.language.tied, both.notes) == (True, ())
    del tensors["model.embed_tokens.weight"]  # one alone serves as both
    save_file(tensors, folder / "model.safetensors")
    one = qwenvl.load(folder, device="cpu")
    assert one.model.language.embed.weight.equal(both.model.language.embed.weight)


# --- added tokens ---


def test_added_tokens_that_are_not_special_are_text(tmp_path: Path) -> None:
    folder = variant(tmp_path / "added")
    names = ("<answer>", "</answer>", "<loc_1>")
    first = add_tokens(folder, names)
    published, ours = AutoTokenizer.from_pretrained(folder), HubTokenizer.from_folder(folder)
    for text in ("<answer>red</answer><loc_1>", "a <answer> b", "<answer", "x<loc_1>y <loc_11>"):
        assert ours.encode(text) == published(text, add_special_tokens=False)["input_ids"]
        assert ours.decode(ours.encode(text)) == text
    assert [ours.encode(name) for name in names] == [[first], [first + 1], [first + 2]]
    pipeline = qwenvl.load(folder, device="cpu")
    answer = "<answer>red</answer><loc_1>"
    assert pipeline.processor.decode_answer(ours.encode(answer)) == answer
    run = pipeline.run(one_picture(question="<loc_1> what?"), answer=answer)
    assert run.answer == answer
    kinds = [(token.text, token.kind) for token in run.tokens if token.id >= first]
    assert kinds == [("<loc_1>", "text"), ("<answer>", "text"), ("</answer>", "text"), ("<loc_1>", "text")]


@pytest.mark.parametrize("flags", [{"lstrip": True}, {"rstrip": True}, {"single_word": True}, {"normalized": True}])
def test_added_tokens_keep_their_flags(flags: dict[str, bool], tmp_path: Path) -> None:
    folder = variant(tmp_path / "added")
    add_tokens(folder, ("<a>", "word"), **flags)
    published, ours = AutoTokenizer.from_pretrained(folder), HubTokenizer.from_folder(folder)
    for text in ("x <a> y", "words word wordy", " <a>", "word <a>word"):
        assert ours.encode(text) == published(text, add_special_tokens=False)["input_ids"], text


@pytest.mark.parametrize("place", ["special: false", "named in the config"])
def test_a_control_token_stays_one_however_a_folder_flags_it(place: str, tmp_path: Path) -> None:
    folder = variant(tmp_path / "flags")
    content = json.loads((folder / "tokenizer.json").read_text())
    for token in content["added_tokens"]:
        token["special"] = False
    (folder / "tokenizer.json").write_text(json.dumps(content))
    described = json.loads((folder / "tokenizer_config.json").read_text())
    for token in described["added_tokens_decoder"].values():
        token["special"] = False
    if place == "named in the config":
        add_tokens(folder, ("<|mine|>",))
        described = json.loads((folder / "tokenizer_config.json").read_text())
        described["additional_special_tokens"] = ["<|mine|>"]
    (folder / "tokenizer_config.json").write_text(json.dumps(described))
    tokenizer = HubTokenizer.from_folder(folder)
    for name in ("<|im_end|>", "<|image_pad|>", *(["<|mine|>"] if place != "special: false" else [])):
        assert not any(map(tokenizer.is_special, tokenizer.encode(name)))


# --- pixel limits ---


def test_limits_within_size_are_read(tmp_path: Path) -> None:
    folder = variant(tmp_path / "size")
    limits = {"min_pixels": 3136, "max_pixels": 100_352}
    edit(folder / "preprocessor_config.json", ("min_pixels", "max_pixels"), size=limits)
    processor = qwenvl.load(folder, device="cpu").processor
    prompt = processor(one_picture(mosaic(50, 70)))
    assert prompt.media[0].num_tokens <= 128 == 100_352 // 784
    assert qwenvl.plan((980, 700), folder).visual_tokens == prompt.media[0].num_tokens


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"do_resize": False}, "do_resize false"),
        ({"resample": 2}, "resample 2"),
        ({"rescale_factor": 1.0}, "rescale_factor 1.0"),
        ({"min_pixels": "3136"}, "min_pixels '3136'"),
        ({"max_pixels": 0}, "max_pixels 0"),
        ({"size": {"height": 224, "width": 224}}, "height 224"),
        ({"size": 224}, "size 224"),
        ({"image_processor_type": "CLIPImageProcessor"}, "image_processor_type 'CLIPImageProcessor'"),
        ({"min_pixels": 300_000}, "min_pixels 300,000 above max_pixels 200,704"),
    ],
)
def test_what_a_preprocessor_asks_for_beyond_is_refused(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    folder = variant(tmp_path / "pixels")
    edit(folder / "preprocessor_config.json", **changes)
    refused(folder, words)


# --- generation ---


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_beams": 4}, "num_beams 4"),
        ({"penalty_alpha": 0.6}, "penalty_alpha 0.6"),
        ({"guidance_scale": 3.0}, "guidance_scale 3.0"),
        ({"stop_strings": ["END"]}, "stop_strings"),
        ({"cache_implementation": "quantized"}, "cache_implementation 'quantized'"),
        ({"temperature": "hot"}, "temperature 'hot'"),
        ({"top_p": 2}, "top_p 2"),
        ({"eos_token_id": "end"}, "eos_token_id 'end'"),
        ({"forced_eos_token_id": 2}, "forced_eos_token_id 2"),
    ],
)
def test_generation_keys_that_are_not_computed_are_refused(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    folder = variant(tmp_path / "generation")
    edit(folder / "generation_config.json", **changes)
    refused(folder, words)


def test_an_answer_ends_where_the_folder_says(tmp_path: Path) -> None:
    folder = variant(tmp_path / "eos")
    edit(folder / "generation_config.json", eos_token_id=2050)
    assert qwenvl.load(folder, device="cpu").processor.stop_ids == {2050}
    (folder / "generation_config.json").unlink()
    edit(folder / "config.json", eos_token_id=[2048])
    assert qwenvl.load(folder, device="cpu").processor.stop_ids == {2048}


# --- keys that are not known ---


def test_unknown_keys_are_noted_and_change_nothing(tmp_path: Path) -> None:
    folder = variant(tmp_path / "mine")
    edit(folder / "config.json", logit_scale=2.0)
    edit(folder / "generation_config.json", temprature=0.5)
    edit(folder / "preprocessor_config.json", max_pixel=9)
    pipeline = qwenvl.load(folder, device="cpu")
    assert [("logit_scale" in note, "temprature" in note, "max_pixel" in note) for note in pipeline.notes] == [
        (True, False, False),
        (False, False, True),
        (False, True, False),
    ]
    assert "if temperature is meant" in pipeline.notes[2]


# --- weights and files ---


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json", "generation_config.json"])
def test_a_git_lfs_pointer_says_so(file: str, tmp_path: Path) -> None:
    folder = variant(tmp_path / "lfs")
    replace_file(folder / file, POINTER)
    assert "git lfs pull" in refused(folder, f"{file} of lfs is a Git LFS pointer")


def test_pointers_of_other_files_say_so_too(tmp_path: Path) -> None:
    folder = variant(tmp_path / "lfs")
    (folder / "model.safetensors").unlink()
    replace_file(folder / "pytorch_model.bin", POINTER)
    refused(folder, "pytorch_model.bin of lfs is a Git LFS pointer")
    other = variant(tmp_path / "qwen", SOURCE.parent / "tiny-qwen-vl")
    replace_file(other / "qwen.tiktoken", POINTER)
    refused(other, "qwen.tiktoken of qwen is a Git LFS pointer")


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices as files")
@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_ordinary_file_is_refused_at_once(kind: str, file: str, tmp_path: Path) -> None:
    folder = variant(tmp_path / "odd")
    (folder / file).unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(folder / file)
    elif kind == "device":
        (folder / file).symlink_to("/dev/zero")
    else:
        (folder / file).mkdir()
    refused(folder, f"{file} of odd is a")


@pytest.mark.parametrize("name", ["/etc/hostname", "../model.safetensors", "a/../../x", "C:\\model.bin", "..\\x"])
def test_an_index_names_files_of_its_folder_alone(name: str, tmp_path: Path) -> None:
    folder = variant(tmp_path / "index")
    names = list(load_file(SOURCE / "model.safetensors"))
    edit(folder / "model.safetensors.index.json", weight_map=dict.fromkeys(names, name))
    refused(folder, "a file outside of the folder")


def test_an_index_may_name_a_file_beneath_and_a_link(tmp_path: Path) -> None:
    folder = variant(tmp_path / "index")
    names = list(load_file(SOURCE / "model.safetensors"))
    (folder / "parts").mkdir()
    (folder / "model.safetensors").unlink()
    (folder / "parts" / "one.safetensors").symlink_to(SOURCE / "model.safetensors")
    edit(folder / "model.safetensors.index.json", weight_map=dict.fromkeys(names, "parts/one.safetensors"))
    assert qwenvl.load(folder, device="cpu").trained


class Trap:
    """What a pickle could run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("ran",)


@pytest.mark.parametrize("held", [Trap(), {"a": Trap()}, {"a": 7}, [1], {1: torch.zeros(1)}])
def test_no_advice_to_load_unsafely_reaches_a_user(held: Any, tmp_path: Path, capsys: Any) -> None:
    folder = variant(tmp_path / "pickle")
    (folder / "model.safetensors").unlink()
    torch.save(held, folder / "pytorch_model.bin")
    sentence = refused(folder, "pytorch_model.bin")
    assert "weights_only" not in sentence
    assert "two options" not in sentence
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(held if not isinstance(held, dict) else Trap()))
    assert "weights_only" not in refused(folder, "pytorch_model.bin")
    assert "ran" not in capsys.readouterr().out


def test_bin_files_of_the_old_kind_are_read(tmp_path: Path) -> None:
    folder = variant(tmp_path / "old")
    (folder / "model.safetensors").unlink()
    torch.save(
        load_file(SOURCE / "model.safetensors"), folder / "pytorch_model.bin", _use_new_zipfile_serialization=False
    )
    old, new = qwenvl.load_model(folder, device="cpu"), qwenvl.load_model(SOURCE, device="cpu")
    assert all(a.equal(b) for a, b in zip(old.parameters(), new.parameters(), strict=True))


# --- tokenizers ---


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(\p{L}+)*\d", r"\w+|.", "["])
def test_a_pattern_of_somebody_elses_is_never_run(pattern: str, tmp_path: Path) -> None:
    folder = variant(tmp_path / "regex")
    content = json.loads((folder / "tokenizer.json").read_text())
    content["pre_tokenizer"]["pretokenizers"][0]["pattern"] = {"Regex": pattern}
    (folder / "tokenizer.json").write_text(json.dumps(content))
    refused(folder, "tokenizer.json cuts text by the pattern")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"normalizer": {"type": "Lowercase"}}, "normalises by 'Lowercase'"),
        ({"pre_tokenizer": {"type": "Metaspace"}}, "cuts text by 'Metaspace'"),
        ({"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x"}}]}}, "adds tokens"),
        ({"decoder": {"type": "WordPiece"}}, "decoder"),
        ({"model": {"type": "Unigram", "vocab": []}}, "type 'Unigram'"),
        ({"added_tokens": [7]}, "lists 7 as an added token"),
        ({"added_tokens": [{"id": "a", "content": "b"}]}, "id 'a'"),
        ({"added_tokens": [{"id": 10**18, "content": "b"}]}, "id 1000000000000000000"),
    ],
)
def test_what_a_tokenizer_does_beyond_is_refused(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    folder = variant(tmp_path / "tokenizer")
    edit(folder / "tokenizer.json", **changes)
    refused(folder, words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[" * 100_000, "nested too deep|not valid JSON"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "nested too deep"),
        (b'{"model_type": "qwen2_vl", "hidden_size": ' + b"9" * 10_000 + b"}", "not valid JSON"),
        (b'{"a": NaN}', "not valid JSON"),
        (b'{"a": "' + b"x" * (5 << 20) + b'"}', "more than 4,194,304 bytes"),
        (b"\xff\xfe{", "not valid JSON"),
        (b"", "not valid JSON"),
        (b"[1, 2]", "not a JSON object"),
    ],
)
def test_deep_huge_and_broken_json_is_one_sentence(content: bytes | str, words: str, tmp_path: Path) -> None:
    folder = variant(tmp_path / "json")
    replace_file(folder / "config.json", content)
    refused(folder, words)
