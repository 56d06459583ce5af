"""The published vocabulary, as the dashscope package ships it, in both layouts; and a small one trained here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, trainers
from tokenizers.models import BPE

from qwenvl.models.config import PRESETS
from qwenvl.processing.processor import Qwen2VLProcessor, QwenVLProcessor
from qwenvl.processing.text.tokenizers import SPLIT_PATTERN, HubTokenizer, TiktokenTokenizer, byte_characters
from tests.support import published
from tests.support.published import QWEN2_VL_SPECIALS


@pytest.fixture(scope="session")
def qwen_tiktoken() -> Path:
    """The published ranks."""
    return published.qwen_tiktoken()


@pytest.fixture(scope="session")
def tiktoken_tokenizer(qwen_tiktoken: Path) -> TiktokenTokenizer:
    return TiktokenTokenizer.from_file(qwen_tiktoken)


@pytest.fixture(scope="session")
def hub_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published vocabulary as vocab.json, merges.txt and tokenizer_config.json."""
    folder = tmp_path_factory.mktemp("hub")
    published.write_vocabulary(folder)
    return folder


@pytest.fixture(scope="session")
def hub_tokenizer(hub_folder: Path) -> HubTokenizer:
    return HubTokenizer.from_folder(hub_folder)


@pytest.fixture(scope="session", params=["qwen.tiktoken", "vocab.json"])
def tokenizer(request: pytest.FixtureRequest) -> TiktokenTokenizer | HubTokenizer:
    """Both."""
    name = "tiktoken_tokenizer" if request.param == "qwen.tiktoken" else "hub_tokenizer"
    return request.getfixturevalue(name)


@pytest.fixture
def small_folder(tmp_path: Path) -> Path:
    """A folder with a tokenizer.json of 300 tokens; its vocabulary holds control tokens too, one is not "special"."""
    backend = Tokenizer(BPE())
    backend.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(SPLIT_PATTERN), behavior="isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    alphabet = list(byte_characters().values())
    trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    backend.train_from_iterator(["the cat sat on the mat, the hat on the cat"] * 3, trainer)
    content = json.loads(backend.to_str())
    first = len(content["model"]["vocab"])
    content["added_tokens"] = [
        {
            **{"id": first + n, "content": name, "special": name != "<|im_end|>"},
            **dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False),
        }
        for n, name in enumerate(QWEN2_VL_SPECIALS)
    ]
    content["model"]["vocab"] |= {token["content"]: token["id"] for token in content["added_tokens"]}
    (tmp_path / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="session")
def qwen_vl(tiktoken_tokenizer: TiktokenTokenizer) -> QwenVLProcessor:
    return QwenVLProcessor(tiktoken_tokenizer, PRESETS["Qwen-VL-Chat"])


@pytest.fixture(scope="session")
def qwen2_vl(hub_tokenizer: HubTokenizer) -> Qwen2VLProcessor:
    return Qwen2VLProcessor(hub_tokenizer, PRESETS["Qwen2-VL-7B"])


@pytest.fixture(scope="session", params=["qwen-vl", "qwen2-vl"])
def processor(request: pytest.FixtureRequest) -> QwenVLProcessor | Qwen2VLProcessor:
    """Both."""
    return request.getfixturevalue(request.param.replace("-", "_"))
