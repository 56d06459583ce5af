"""The page under the sans-serif fonts that Linux systems have: it brings none of its own, so it must hold with each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

VIEWS = ("Pipeline", "Patches", "Positions", "Adapter", "Vision", "Answer", "Layers", "Causes", "Boxes")
FONTS = {"DejaVu Sans": "DejaVu Sans Mono", "Liberation Sans": "Liberation Mono", "Noto Sans": "Noto Sans Mono"}

# A family that is missing is drawn as what stands behind it in the list.
INSTALLED = """(family) => {
  const context = document.createElement("canvas").getContext("2d");
  const width = (font) => {
    context.font = `40px ${font}`;
    return context.measureText("illimitable Wombat 0123").width;
  };
  return ["serif", "monospace"].every((other) => width(`"${family}", ${other}`) !== width(other));
}"""

WEAR = """(style) => {
  const sheet = document.createElement("style");
  sheet.textContent = style;
  document.documentElement.append(sheet);
}"""

EXTENT = "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"

# Pairs of words on the screen that lie on one another by more than the edges of their lines.
COLLISIONS = """() => {
  const seen = { opacityProperty: true, visibilityProperty: true };
  const shown = (node) => {
    const owner = node.parentElement;
    if (!node.textContent.trim() || !owner.checkVisibility(seen)) return [];
    const range = document.createRange();
    range.selectNodeContents(node);
    let [left, top, right, bottom] = [0, 0, innerWidth, Infinity];
    for (let box = owner; box !== document.body; box = box.parentElement) {
      if (getComputedStyle(box).position === "fixed") return [];
      if (getComputedStyle(box).overflow === "visible" && getComputedStyle(box).overflowX === "visible") continue;
      const own = box.getBoundingClientRect();
      [left, top] = [Math.max(left, own.left), Math.max(top, own.top)];
      [right, bottom] = [Math.min(right, own.right), Math.min(bottom, own.bottom)];
    }
    return [...range.getClientRects()]
      .map((own) => ({
        node,
        text: node.textContent.trim(),
        left: Math.max(own.left, left),
        right: Math.min(own.right, right),
        top: Math.max(own.top, top) + 3,
        bottom: Math.min(own.bottom, bottom) - 3,
      }))
      .filter((own) => own.right - own.left > 2 && own.bottom > own.top);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const words = [];
  while (walker.nextNode()) words.push(...shown(walker.currentNode));
  return words.flatMap((one, at) =>
    words
      .slice(at + 1)
      .filter((other) => other.node !== one.node) // words cut short with … are two boxes of one node
      .filter((other) => Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1)
      .filter((other) => Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 1)
      .map((other) => `${one.text} / ${other.text}`),
  );
}"""


@pytest.fixture(params=FONTS)
def font(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def wearing(font: str, visit: Callable[..., Any]) -> Any:
    """A visitor whose system knows this sans-serif and its monospace sister alone."""
    visitor = visit()
    visitor.open()
    if not visitor.page.evaluate(INSTALLED, font):
        pytest.skip(f"The font {font} is not installed: Debian has it in fonts-{font.split()[0].lower()}-core.")
    families = f"--font: '{font}', sans-serif !important; --mono: '{FONTS[font]}', monospace !important;"
    visitor.page.evaluate(WEAR, f":root, body, .gradio-container {{ {families} }}")
    visitor.settle()
    return visitor


def test_every_view_fits_on_a_desktop_and_no_words_lie_on_others(wearing: Any) -> None:
    sizes, collisions = {}, {}
    for view in VIEWS:
        wearing.view(view)
        sizes[view] = wearing.page.evaluate(EXTENT)
        collisions[view] = wearing.page.evaluate(COLLISIONS)
    assert {view: size for view, size in sizes.items() if size[0] > 1440 or size[1] > 1000} == {}
    assert {view: pairs for view, pairs in collisions.items() if pairs} == {}
