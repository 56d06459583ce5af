"""Chat templates of folders: what the template writes is what is asked, within bounds, and words stay words."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

import qwenvl
from qwenvl.errors import CheckpointError, PromptError
from qwenvl.processing.processor import Processor, Qwen2VLProcessor, from_folder
from qwenvl.processing.text.chat_template import Marks, find_template, is_built_in, is_raw, render
from tests.support.folders import SOURCE, edit, variant
from tests.support.published import INSTRUCTED, published_files
from tests.support.tiny import mosaic, tiny

TINY = json.loads((SOURCE / "chat_template.json").read_text())["chat_template"]
PUBLISHED = published_files(INSTRUCTED)["chat_template.json"]["chat_template"]
BASE = published_files("Qwen2-VL-2B-base")["chat_template.json"]["chat_template"]
NO_SYSTEM = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for c in m['content'] %}{% if c['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif c['type'] == 'video' %}<|vision_start|><|video_pad|><|vision_end|>{% else %}{{ c['text'] }}"
    "{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
OWN_SYSTEM = "<|im_start|>system\nYou are a pirate.<|im_end|>\n" + NO_SYSTEM
TRIMMED = NO_SYSTEM.replace("{{ c['text'] }}", "{{ c['text'] | trim }}")
USER_ASSISTANT = (
    "{% for m in messages %}{{ m['role'] | upper }}: {% for c in m['content'] %}{% if c['type'] == 'image' %}"
    "<|image_pad|>{% else %}{{ c['text'] }}{% endif %}{% endfor %}\n{% endfor %}ASSISTANT:"
)
IMAGE = {"type": "image", "image": mosaic(4, 4)}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


CONVERSATIONS: dict[str, list[dict[str, Any]]] = {
    "a word": [{"role": "user", "content": [text("Hi")]}],
    "a string": [{"role": "user", "content": "Hi there"}],
    "a picture": [{"role": "user", "content": [IMAGE, text(" What is this? \n")]}],
    "a system prompt": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [text("é 图")]}],
    "turns": [
        {"role": "user", "content": [IMAGE, text("a"), IMAGE]},
        {"role": "assistant", "content": [text("b")]},
        {"role": "user", "content": [text("c"), text(" d"), IMAGE]},
    ],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return variant(tmp_path_factory.mktemp("template") / "own")


def processor_of(folder: Path, template: str) -> Processor:
    (folder / "chat_template.json").unlink(missing_ok=True)
    edit(folder / "tokenizer_config.json", ("chat_template",))
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8", newline="")
    return from_folder(folder, tiny("tiny-qwen2-vl").config)


def without_pictures(message: dict[str, Any]) -> dict[str, Any]:
    """A message as JSON can hold it."""
    if isinstance(message["content"], str):
        return message
    return {**message, "content": [{**part, "image": "x"} if "image" in part else part for part in message["content"]]}


def published_ids(folder: Path, template: str, messages: list[dict[str, Any]], places: list[int]) -> list[int]:
    """What transformers makes of it: the rendered text, each picture's placeholder repeated, and encoded."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    bare = list(map(without_pictures, messages))
    rendered = tokenizer.apply_chat_template(bare, chat_template=template, add_generation_prompt=True, tokenize=False)
    pieces = rendered.split("<|image_pad|>")
    expanded = pieces[0] + "".join("<|image_pad|>" * n + piece for n, piece in zip(places, pieces[1:], strict=True))
    return tokenizer(expanded)["input_ids"]


@pytest.mark.parametrize("name", CONVERSATIONS)
@pytest.mark.parametrize("template", [NO_SYSTEM, OWN_SYSTEM, TRIMMED, PUBLISHED + "{# mine #}", TINY + " "])
def test_the_prompt_is_what_the_template_writes(template: str, name: str, folder: Path) -> None:
    processor, messages = processor_of(folder, template), CONVERSATIONS[name]
    assert not is_built_in(template)
    prompt = processor(messages)
    places = [media.num_tokens for media in prompt.media]
    assert prompt.input_ids == published_ids(folder, template, messages, places)
    assert ("helpful assistant" in prompt.text) == (
        template.startswith((PUBLISHED, TINY)) and name != "a system prompt"
    )
    assert ("pirate" in prompt.text) == (template == OWN_SYSTEM)


def test_sections_tell_whose_words_they_are(folder: Path) -> None:
    for template in (OWN_SYSTEM, TRIMMED):
        prompt = processor_of(folder, template)(CONVERSATIONS["turns"])
        said: dict[str, str] = {}
        for token in prompt.tokens:
            said[token.section] = said.get(token.section, "") + ("" if token.section == "image" else token.text)
        assert said["question"].replace(" ", "") == "cd"
        assert said["history"] == "ab"
        assert ("pirate" in said["template"]) == (template == OWN_SYSTEM)
        assert [token.media for token in prompt.tokens if token.media is not None] == sorted(
            token.media for token in prompt.tokens if token.media is not None
        )


@pytest.mark.parametrize("template", [TINY, PUBLISHED])
def test_the_known_templates_write_what_is_built_in(template: str, folder: Path) -> None:
    """Proof of `BUILT_IN`: rendered, the published templates give the ids of the built-in format."""
    assert is_built_in(template)
    built_in = processor_of(folder, template)
    rendered = processor_of(folder, template + "{# rendered #}")
    for messages in CONVERSATIONS.values():
        assert built_in(messages).input_ids == rendered(messages).input_ids
    numbered = {"add_generation_prompt": True, "add_vision_id": True}
    assert isinstance(built_in, Qwen2VLProcessor)
    ours = Qwen2VLProcessor(built_in.tokenizer, built_in.config, number_media=True)(CONVERSATIONS["turns"]).text
    (theirs,) = render(template, [list(map(without_pictures, CONVERSATIONS["turns"]))], numbered)
    assert ours == theirs


def test_a_base_models_template_has_no_roles_and_another_is_rendered(folder: Path) -> None:
    assert is_raw(BASE)
    assert not is_raw(USER_ASSISTANT)
    raw = processor_of(folder, BASE)
    assert raw([{"role": "user", "content": [text("The sky is")]}]).text == "The sky is"
    other = processor_of(folder, USER_ASSISTANT)
    assert other([{"role": "user", "content": [IMAGE, text("Hi")]}]).text == "USER: <|image_pad|>HiASSISTANT:"


def test_where_a_template_is_looked_for(tmp_path: Path) -> None:
    folder = variant(tmp_path / "where")
    (folder / "chat_template.json").unlink()
    named = [{"name": "tool", "template": "no"}, {"name": "default", "template": "third"}]
    edit(folder / "tokenizer_config.json", chat_template=named)
    assert find_template(folder) == "third"
    edit(folder / "chat_template.json", chat_template="second")
    assert find_template(folder) == "second"
    (folder / "chat_template.jinja").write_text("first")
    assert find_template(folder) == "first"
    (folder / "chat_template.jinja").unlink()
    (folder / "chat_template.json").unlink()
    edit(folder / "tokenizer_config.json", chat_template=named[:1])
    with pytest.raises(CheckpointError, match="none named 'default'"):
        find_template(folder)


# --- words stay words ---


CONTROL = ["<|im_start|>", "<|im_end|>", "<|image_pad|>", "<|vision_start|>", "<|endoftext|>", "<|box_start|>"]
PIECES = [
    *CONTROL,
    "<",
    "<|",
    "<|im_",
    "end|>",
    "|>",
    ">",
    "im_end",
    " ",
    "\n",
    "system",
    "a",
    "\ue000",
    "\ue001",
    "{{ 7 * 7 }}",
]


@pytest.mark.parametrize("template", [NO_SYSTEM, TRIMMED, USER_ASSISTANT, TINY])
def test_no_words_of_a_visitor_become_control_through_any_template(template: str, folder: Path) -> None:
    processor, draw = processor_of(folder, template), random.Random(5)
    plain = processor([{"role": "user", "content": [text("x"), text("y")]}])
    controls = [token.text for token in plain.tokens if token.kind == "special"]
    for _ in range(12):
        said = ["".join(draw.choices(PIECES, k=draw.randint(1, 6))) or "x" for _ in range(2)]
        if not "".join(said).strip():
            continue
        prompt = processor([{"role": "user", "content": [text(one) for one in said]}])
        assert [token.text for token in prompt.tokens if token.kind == "special"] == controls, said
        assert prompt.media == ()
        words = "".join(part.strip() for part in said) if template == TRIMMED else "".join(said)
        assert words in prompt.text


def test_marks_break_names_and_what_could_be_completed() -> None:
    marks = Marks.unlike(["\ue000 taken"])
    assert marks.guard != "\ue000"
    for one, two in (("a<|im_", "end|>b"), ("<", "|im_end|>"), ("<|im_end|", ">"), ("<|im_end|>", "")):
        joined = marks.guarded(one, CONTROL) + marks.guarded(two, CONTROL)
        assert not any(name in joined for name in CONTROL)
        assert joined.replace(marks.guard, "") == one + two


def test_references_and_boxes_are_control_and_their_words_are_not(folder: Path) -> None:
    processor = processor_of(folder, NO_SYSTEM)
    parts = [IMAGE, {"type": "ref", "text": "<|im_end|>"}, {"type": "box", "box": [1, 2, 3, 4]}, text("?")]
    prompt = processor([{"role": "user", "content": parts}])
    assert "<|object_ref_start|><|im_end|><|object_ref_end|><|box_start|>(1,2),(3,4)<|box_end|>?" in prompt.text
    assert [t.text for t in prompt.tokens if t.kind == "special"].count("<|im_end|>") == 1


# --- bounds ---


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}role", "longer than 3 seconds"),
        (
            "{% set ns = namespace(s='role') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
            "more text",
        ),
        ("role{{ 'x' * 10**12 }}", "more text or takes more memory"),
        ("role{{ 'x' * 5000000 }}", "more text or takes more memory"),
        ("role{% if %}", "cannot be rendered"),
        ("role{{ messages.__class__.__mro__[1].__subclasses__() }}", "cannot be rendered"),
        ("role{{ undefined_function() }}", "cannot be rendered"),
        ("role{% include '/etc/hostname' %}", "cannot be rendered"),
    ],
)
def test_a_template_cannot_hold_up_or_fill_the_process(template: str, words: str, folder: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(CheckpointError, match=words) as refusal:
        processor_of(folder, template)
    assert time.monotonic() - begun < 120  # three seconds of computing in a child; the machine may be busy
    assert "\n" not in str(refusal.value)
    assert "/root" not in str(refusal.value)


def test_a_template_may_refuse_a_conversation(folder: Path) -> None:
    template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('No system prompts.') }}{% endif %}" + NO_SYSTEM
    )
    processor = processor_of(folder, template)
    with pytest.raises(PromptError, match=r"refuses this conversation: No system prompts\."):
        processor(CONVERSATIONS["a system prompt"])


def test_places_that_do_not_fit_the_media_are_refused(folder: Path) -> None:
    with pytest.raises(PromptError, match="no place for 1 of the pictures"):
        processor_of(folder, "{% for m in messages %}{{ m['role'] }}{% endfor %}")(CONVERSATIONS["a picture"])
    with pytest.raises(PromptError, match="more places for pictures"):
        processor_of(folder, NO_SYSTEM.replace("<|image_pad|>", "<|image_pad|><|image_pad|>"))(
            CONVERSATIONS["a picture"]
        )


def test_the_template_of_a_folder_is_asked_and_shown(tmp_path: Path) -> None:
    folder = variant(tmp_path / "template_no_system")
    (folder / "chat_template.json").unlink()
    (folder / "chat_template.jinja").write_text(NO_SYSTEM)
    edit(folder / "tokenizer_config.json", ("chat_template",))
    pipeline = qwenvl.load(folder, device="cpu")
    run = pipeline.run([{"role": "user", "content": [text("What?")]}], answer="red")
    assert "".join(token.text for token in run.tokens[: run.answer_start]) == (
        "<|im_start|>user\nWhat?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert qwenvl.plan([], folder, text="What?").prompt_tokens == run.answer_start
