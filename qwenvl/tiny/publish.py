"""Writes a trained twin as a folder in the published layout, with a model card that states its figures."""

# ruff: noqa: E501 - the card is text
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from safetensors import safe_open
from safetensors.torch import save_file

from qwenvl.models.qwen2_vl import Qwen2VL
from qwenvl.models.qwen_vl import QwenVL
from qwenvl.models.weights import published_state
from qwenvl.tiny import folders
from qwenvl.tiny.vocabulary import RANKS, added_tokens, build_ranks, special_ids, write_tiktoken, write_tokenizer_json

# Above this the twin has seen nothing in training; a question may raise it all the same.
MAX_PIXELS = 256 * 28 * 28

# fmt: off
TASKS = (
    "colour", "shape", "existence", "count", "relation", "grounding", "glyph", "number", "word", "small print", "region",
    "caption", "which picture", "direction", "change", "order",
)
# fmt: on

FAMILIES = {"qwen": ("Qwen-VL", "2308.12966"), "qwen2_vl": ("Qwen2-VL", "2409.12191")}

CARD = """---
license: apache-2.0
---

# {name}

A {family} ([{paper}](https://arxiv.org/abs/{paper})) of {parameters} parameters ({size} MB, float16), trained by this
project alone on a synthetic world, in the published folder layout. It knows coloured shapes and what the rows on print
below say, and nothing else: on a photo its answers mean nothing.

## Figures

Right answers on fresh scenes, greedy, `python -m qwenvl.tiny evaluate {name} --seed {figures_seed} --scenes {scenes}`. An
answer is right word for word; a box with an IoU above 0.5; a caption if it names all things and invents none, in any order.
"Easy": one or two large things on a plain or gradient ground; "hard": a pattern, or a thing smaller than a fifth of the
picture's shorter side; shapes are 24 pixels and 17 % of that side at least. Held-out rows ask about pairs of colour and
shape that training never showed.

{figures}

Small things: the colour or the shape of one of many shapes of 16 to 28 pixels, on pages 3 to 5 times as wide as high, or as
high as wide, with a longer side up to 1,008 pixels{small}. Glyph, number (one to four digits) and word: print of 28 pixels
and a tenth of the shorter side at least; a fifth of the words and one font were never trained, and have rows of their own.
Reading: words and numbers from 18 pixels, all fonts and words. Small print: numbers of 12 to 18 pixels on wide pages.

{curves}

Pointing: the share of a row of attention that falls on a thing, over the share of the picture that it covers; the head is
chosen on other scenes. **Training showed one head where to look** (below), so this says that the map can be trusted
to show the look-up, not that looking was discovered unaided.

An answer takes {seconds} on one CPU core (the median of all rows, picture and processing included).

## Training

| | |
| --- | --- |
| data | endless scenes of `qwenvl.tiny` (10 colours, 8 shapes, 32 of 40 words, numbers, single characters, random letters, four fonts, pages of small shapes, clips, grounds of patterns and of crops of photos), seeded; one colour of every shape held out |
| steps | {steps}, packed lessons of one media with up to 16 questions each |
| time | {minutes} processor minutes on one CPU core{before} |
| seed | {seed} |
| recipe | `{command} --out FOLDER --photos app/examples/{{astronaut,chelsea,coffee}}.png app/examples/{{rocket,hubble_deep_field}}.jpg` |
| versions | {versions} |
| vocabulary | {ranks} byte-level BPE tokens, of which the world's closed text uses a few hundred; every name is one token |

{stages}

Helpers that the checkpoint does not hold: heads that name shape, colour, movement and the characters of print on each visual
token, heads that tell boxes, and a loss that shows the first head of the second and the third language block where a
question's subject, or the next character of an answer, lies, weighed less and less. Print is answered letter by letter.
Patch filters begin as principal components, and heads of the vision tower as looks at neighbouring patches. Muon for hidden
matrices, AdamW for the rest; linear layers multiply in bfloat16 in training.

![losses and shares of right answers over processor minutes](curve.png)

{notes}
"""

STAGES = """1. 13 % of the time: the vision tower and the adapter alone learn to name what lies under each visual token.
2. Up to 52 %: everything; every other step asks, about pictures up to 224 pixels, strips, pairs{clips} and large print; the
   one between goes on naming shapes and characters.
3. Up to 87 %: everything; pictures up to 320 pixels, photo grounds, words, small print; three steps of four ask.
4. To the end: the vision tower stays as it is, and every step asks.
"""

STAGES_BEGUN = """It begins with the weights of the earlier twin, which knew large shapes alone, with fresh optimisers and smaller steps:

1. 2 % of the time: the vision tower stays as it is while the helpers settle and the language model learns its new words.
2. Up to 45 %: everything; every other step asks, about pictures up to 224 pixels, strips, pairs{clips} and large print; the
   one between goes on naming shapes and characters.
3. Up to 85 %: everything; pictures up to 320 pixels, photo grounds, words, small print; three steps of four ask.
4. To the end: the vision tower stays as it is, and every step asks.
"""

SHAPES_GOALS = dict.fromkeys(("colour", "shape", "existence", "held-out colour", "held-out shape"), 0.97)
ALL = (
    SHAPES_GOALS
    | dict.fromkeys(("count", "relation", "grounding", "which picture"), 0.95)
    | {"region": 0.85, "caption": 0.8}
)
GOALS = {
    "qwen": ALL | {"glyph": 0.75, "number": 0.6},
    "qwen2_vl": ALL
    | {"small things": 0.9, "glyph": 0.9, "number": 0.8, "word": 0.7, "small print": 0.6}
    | {"direction": 0.97, "change": 0.9, "order": 0.9},
}

NOTES = {
    "qwen": """## What differs from the released Qwen-VL

224 px instead of 448 (256 patches under the same 256 queries; going on to 448 px, at four times the cost of the tower, was
not tried), and the released position table of 16 x 16 at that size. In training, queries that show only ground are mostly
left out until 70 % of the time. It was never taught clips, which it reads as pictures one after another: the rows on
direction, change and order show that.
""",
    "qwen2_vl": """## What differs from the released Qwen2-VL

A lower rotary base (200) with other sections (2, 5, 9), so that neighbours on a small grid can be told apart;
`max_pixels` is 256 visual tokens, the most that training showed.
""",
}


def twin_config(family: str) -> dict[str, Any]:
    """`config.json` of a twin that is to be trained."""
    if family == "qwen-vl":
        published = folders.qwen_vl_config(special_ids(family))
        published |= {"hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "kv_channels": 32}
        published |= {"intermediate_size": 2 * 320}
        published["visual"] |= {"image_size": 224, "width": 128, "layers": 4, "heads": 4, "mlp_ratio": 3}
        published["visual"] |= {"output_dim": 128}
        return published
    published = folders.qwen2_vl_config(special_ids(family))
    published |= {"hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2}
    # slow rotations cannot tell neighbours apart on a grid of ten: a lower base and more of it for w
    published |= {"intermediate_size": 320, "rope_theta": 200.0, "tie_word_embeddings": False}
    published["rope_scaling"] = {"type": "mrope", "mrope_section": [2, 5, 9]}
    published["vision_config"] |= {"embed_dim": 128, "hidden_size": 128, "depth": 4, "num_heads": 4, "mlp_ratio": 3}
    return published


def write_words(family: str, folder: Path) -> None:
    """The tokenizer's files, and everything else of a folder but config, weights and card."""
    folder.mkdir(parents=True, exist_ok=True)
    ids, ranks = special_ids(family), build_ranks()
    if family == "qwen-vl":
        write_tiktoken(ranks, folder / "qwen.tiktoken")
        write_json(folder / "generation_config.json", folders.qwen_vl_generation(ids) | {"max_new_tokens": 64})
        write_json(folder / "tokenizer_config.json", folders.QWEN_VL_TOKENIZER)
        return
    write_tokenizer_json(ranks, folder / "tokenizer.json")
    write_json(folder / "generation_config.json", folders.qwen2_vl_generation(ids) | {"max_new_tokens": 64})
    write_json(folder / "preprocessor_config.json", folders.QWEN2_VL_PREPROCESSOR | {"max_pixels": MAX_PIXELS})
    write_json(folder / "tokenizer_config.json", folders.qwen2_vl_tokenizer(added_tokens()))
    write_json(folder / "chat_template.json", {"chat_template": folders.QWEN2_VL_CHAT_TEMPLATE})


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """As the hub's files are written."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def write_checkpoint(model: QwenVL | Qwen2VL, family: str, folder: Path, about: Mapping[str, Any]) -> None:
    """The whole folder but the card. `about` goes into `config.json` under "qwenvl"."""
    write_words(family, folder)
    write_json(
        folder / "config.json", twin_config(family) | {"qwenvl": {"trained": True, "whole_names": True, **about}}
    )
    state = {name: tensor.detach().cpu().half().contiguous() for name, tensor in published_state(model).items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)


def draw_curve(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """A picture of a training: losses above, the share of right answers (teacher-forced) below, over processor minutes."""
    figure = Figure(figsize=(8, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for name in ("answers", "seen", "looks", "places"):
        _draw_line(above, history, name)
    above.set(ylabel="loss")
    for name in sorted({name for row in history for name in row} & set(TASKS)):
        _draw_line(below, history, name)
    below.set(xlabel="processor minutes", ylabel="right in training", ylim=(0, 1.02))
    for axes in (above, below):
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(fontsize=7, ncols=2)
    figure.savefig(path, dpi=90)


def _draw_line(axes: Axes, history: Sequence[Mapping[str, float]], name: str) -> None:
    """One figure of the log, smoothed over four rows."""
    rows = [row for row in history if name in row]
    if len(rows) < 4:
        return
    values = np.convolve([row[name] for row in rows], np.ones(4) / 4, mode="valid")
    axes.plot([row["minutes"] for row in rows[3:]], values, label=name, linewidth=1)


def write_card(folder: Path, figures: Mapping[str, Any] | None = None) -> None:
    """`README.md` of a trained twin, from its config and, if they are there, its figures (`figures.json`)."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    about = config["qwenvl"]
    held = folder / "figures.json"
    if figures is None and held.exists():
        figures = json.loads(held.read_text(encoding="utf-8"))
    family, paper = FAMILIES[config["model_type"]]
    with safe_open(folder / "model.safetensors", framework="np") as tensors:
        parameters = sum(int(np.prod(tensors.get_slice(name).get_shape())) for name in tensors.keys())  # noqa: SIM118
    size = (folder / "model.safetensors").stat().st_size / 1e6
    stages = STAGES_BEGUN if "begun_after" in about else STAGES
    text = CARD.format(
        name=folder.name,
        family=family,
        paper=paper,
        parameters=f"{parameters:,}",
        size=f"{size:.1f}",
        seed=about["seed"],
        steps=f"{about['steps']:,}",
        minutes=about["minutes"],
        command=f"python -m qwenvl.tiny train {family.lower()} --minutes {about['minutes']:.0f} --seed {about['seed']}"
        + (" --from EARLIER" if "begun_after" in about else ""),
        before=f", after {about['begun_after']:.0f} of the earlier twin" if "begun_after" in about else "",
        stages=stages.format(clips=", clips" if config["model_type"] == "qwen2_vl" else "").rstrip(),
        small=", which this twin sees squashed to a square" if config["model_type"] == "qwen" else "",
        curves=_curves_text(folder),
        versions=f"torch {version('torch')}, NumPy {version('numpy')}, Pillow {version('pillow')}",
        ranks=f"{RANKS:,}",
        figures=_figures_text(figures, GOALS[config["model_type"]]) if figures else "Not measured yet.",
        figures_seed=figures["seed"] if figures else 1,
        scenes=figures["scenes"] if figures else 500,
        seconds=f"{figures['seconds_an_answer']:.2f} s" if figures else "an unmeasured time",
        notes=NOTES[config["model_type"]],
    )
    (folder / "README.md").write_text(text, encoding="utf-8", newline="\n")


def _curves_text(folder: Path) -> str:
    """The tables of `evaluate --by size`, if it was measured."""
    held = folder / "by_size.json"
    if not held.exists():
        return ""
    lines: list[str] = []
    for name, curve in json.loads(held.read_text(encoding="utf-8")).items():
        lines += [f"| {name} | {' | '.join(f'{size} px' for size in curve)} |", "| --- " * (len(curve) + 1) + "|"]
        lines += [f"| right | {' | '.join(f'{right:.0%}' for right in curve.values())} |", ""]
    return "\n".join(lines).rstrip()


def _figures_text(figures: Mapping[str, Any], goals: Mapping[str, float]) -> str:
    """Tables of `evaluate`'s figures, with the goal of each row."""
    lines = ["| | right | goal | asked | easy | medium | hard |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for name, row in figures["rows"].items():
        levels = row["by_difficulty"]
        cells = [f"{levels[level]['right']:.0%}" if level in levels else "" for level in ("easy", "medium", "hard")]
        goal = f"{goals[name]:.0%}" if name in goals else ""
        lines.append(f"| {name} | {row['right']:.1%} | {goal} | {row['asked']} | {' | '.join(cells)} |")
    lines += ["", "| pointing, asked for | asked object | distractors | where |", "| --- | --- | --- | --- |"]
    for task, found in figures.get("pointing", {}).items():
        place = f"layer {found['layer']}, head {found['head']}, row of the {found['row']}"
        lines.append(f"| {task} | {found['target']:.1f} x | {found['distractor']:.2f} x | {place} |")
    return "\n".join(lines)
