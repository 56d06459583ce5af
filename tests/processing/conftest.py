"""The published vocabulary, as the dashscope package ships it, in both layouts; and a small one trained here."""

from __future__ import annotations

import importlib.util
import json
from itertools import pairwise
from pathlib import Path

import pytest
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, trainers
from tokenizers.models import BPE

from qwenvl.config import PRESETS
from qwenvl.processing.processor import Qwen2VLProcessor, QwenVLProcessor
from qwenvl.processing.tokenizers import SPLIT_PATTERN, HubTokenizer, TiktokenTokenizer, byte_characters

QWEN2_VL_SPECIALS = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>"),
    *("<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>"),
    *("<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"),
)


@pytest.fixture(scope="session")
def qwen_tiktoken() -> Path:
    """The published ranks; the package is found without being imported."""
    spec = importlib.util.find_spec("dashscope")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "resources" / "qwen.tiktoken"


@pytest.fixture(scope="session")
def tiktoken_tokenizer(qwen_tiktoken: Path) -> TiktokenTokenizer:
    return TiktokenTokenizer.from_file(qwen_tiktoken)


def halves(token: bytes, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """The two tokens that a token is merged from: what merging its bytes arrives at without it."""
    cuts = [(token[:at], token[at:]) for at in range(1, len(token)) if token[:at] in ranks and token[at:] in ranks]
    if len(cuts) == 1:
        return cuts[0]
    parts = [token[index : index + 1] for index in range(len(token))]
    while len(parts) > 2:
        pairs = [ranks.get(left + right, len(ranks)) for left, right in pairwise(parts)]
        first = pairs.index(min(pairs))
        parts[first : first + 2] = [parts[first] + parts[first + 1]]
    return parts[0], parts[1]


@pytest.fixture(scope="session")
def hub_folder(tiktoken_tokenizer: TiktokenTokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published vocabulary as vocab.json, merges.txt and tokenizer_config.json; merges recovered from the ranks."""
    folder = tmp_path_factory.mktemp("hub")
    ranks = {tiktoken_tokenizer.piece(id_): id_ for id_ in range(151_643)}
    table = byte_characters()
    spelled = {token: "".join(map(table.get, token)) for token in ranks}
    merges = [" ".join(spelled[half] for half in halves(token, ranks)) for token in ranks if len(token) > 1]
    (folder / "vocab.json").write_text(json.dumps({spelled[token]: rank for token, rank in ranks.items()}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    added = {151_643 + n: {"content": name, "special": True} for n, name in enumerate(QWEN2_VL_SPECIALS)}
    (folder / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": added}))
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
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
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
