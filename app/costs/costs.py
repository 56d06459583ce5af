"""Forecasts memory and time of a run before it is made, and finds what would fit where it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypedDict, get_args

from app.asking.words import in_bytes
from app.costs.fitting import Asked, Offer
from app.models.memory import Budgets
from app.models.terms import Terms
from qwenvl.errors import Sentence
from qwenvl.models.config import Config
from qwenvl.plan import Plan
from qwenvl.recorded.kept_layers import Keep, LayerName, Named, kept_layers

SPARE = 64 << 20  # what the program itself takes while it works


class Seconds(TypedDict):
    """To the first word, for each further token, and of one replay; whether an answer was measured."""

    read: float
    token: float
    replay: float
    measured: bool


class Costs(TypedDict):
    """Bytes and seconds of a run before it is made; "options" are the bytes kept by each choice of what to keep."""

    weights: int
    cache: int
    work: int
    keeps: int
    options: dict[str, int]
    kept: dict[str, list[int]]  # layers kept and layers there are, by site
    total: int
    room: int
    bytes_a_value: int
    seconds: Seconds


class Refusal(TypedDict):
    """Why a run cannot be made, and the setting with which it can."""

    sentence: Sentence
    offer: Setting | None


Setting = dict[str, str | float]  # one setting of a question or a model by its name


def costs(plan: Plan, tokens: int, terms: Terms) -> Costs:
    """Bytes of weights, cache, work and queries and keys, whether they fit, and about how many seconds it takes.

    Args:
        plan: of the question, with `terms.size` bytes a value and the answer's tokens.
        tokens: of the prompt.
    """
    layers = layer_bytes(plan, terms.config)
    options = {name: kept_bytes(layers, name, terms.budgets.trace) for name in get_args(Named)}
    kept = kept_layers(layers, terms.keep, terms.budgets.trace)
    work, keeps = work_bytes(plan, tokens, terms), sum(layers[name] for name in kept)
    return {
        "weights": plan.weight_bytes,
        "cache": plan.kv_cache_bytes,
        "work": work,
        "keeps": keeps,
        "options": options,
        "kept": {site: [sum(name[0] == site for name in kept), number] for site, number in _layers(layers).items()},
        "total": plan.weight_bytes + plan.kv_cache_bytes + work + keeps,
        "room": room(terms.budgets),
        "bytes_a_value": terms.size,
        "seconds": seconds(plan, terms),
    }


def layer_bytes(plan: Plan, config: Config) -> dict[LayerName, int]:
    """Queries and keys of each layer; of a site without any, nothing."""
    depths = {"vision": config.vision.num_blocks, "adapter": 1, "language": config.language.num_blocks}
    return {
        (site, layer): total // depths[site]
        for site, total in plan.trace_bytes.items()
        for layer in range(depths[site])
        if total
    }


def kept_bytes(layers: Mapping[LayerName, int], keep: Keep, budget: int) -> int:
    """What a run keeps by this choice."""
    return sum(layers[name] for name in kept_layers(layers, keep, budget))


def _layers(layers: Mapping[LayerName, int]) -> dict[str, int]:
    sites = [site for site, _ in layers]
    return {site: sites.count(site) for site in dict.fromkeys(sites)}


def work_bytes(plan: Plan, tokens: int, terms: Terms) -> int:
    """The widest moment of a forward pass: a few activations of a block, and the language head laid out anew."""
    vision, language = terms.config.vision, terms.config.language
    wide = plan.patches * (3 * vision.mlp_dim + 6 * vision.dim) + tokens * (3 * language.mlp_dim + 6 * language.dim)
    return SPARE + terms.size * (wide + language.vocab_size * language.dim)


def room(budgets: Budgets) -> int:
    """What weights, cache, work and queries and keys may take together."""
    return budgets.free


def seconds(plan: Plan, terms: Terms) -> Seconds:
    """To the first word, for each further token, and of one replay; see `Speed` for where they come from."""
    read = sum(plan.flops.values()) / terms.speed.operations
    token = (plan.weight_bytes + plan.kv_cache_bytes) / terms.speed.bytes
    return {"read": read, "token": token, "replay": read, "measured": terms.speed.measured}


@dataclass(frozen=True)
class Ways:
    """How a question may be made smaller; each is looked for only where it is needed.

    Attributes:
        frames: the most frames of its clips that fit, "pixels" the largest max_pixels; None where none does.
        frames_first: whether its clips hold most of its visual tokens.
        costs: of a question with other settings.
    """

    frames: Callable[[], Offer | None]
    pixels: Callable[[], Offer | None]
    frames_first: bool
    costs: Callable[[Asked], Costs]

    def first(self) -> Offer | None:
        """The way that takes least away."""
        ways = (self.frames, self.pixels) if self.frames_first else (self.pixels, self.frames)
        return next(filter(None, (way() for way in ways)), None)


def fits(found: Costs, budgets: Budgets) -> bool:
    """Whether a run of these `costs` has room."""
    return found["total"] <= found["room"] and found["weights"] <= budgets.weights


def refusal(found: Costs, terms: Terms, ways: Ways) -> Refusal | None:
    """One sentence where a run cannot fit, with the setting that would; None where it fits.

    Args:
        found: from `costs`.

    Returns:
        {"sentence": ..., "offer": {"keep" | "dtype" | "nframes" | "fps" | "pictures" | "max_pixels": value} or None}.
    """
    if fits(found, terms.budgets):
        return None
    offer, way = _offer(found, terms, ways)
    sentence = Sentence.of(
        "{model} would take about {bytes} and there is room for {room}: " + way.template,
        model=terms.label,
        bytes=in_bytes(found["total"]),
        room=in_bytes(found["room"]),
        **way.values,
    )
    return {"sentence": sentence, "offer": offer}


def _offer(found: Costs, terms: Terms, ways: Ways) -> tuple[Setting | None, Sentence]:
    most, bare = found["room"], found["total"] - found["keeps"]
    light = found["weights"] <= terms.budgets.weights
    if light and bare <= most:
        return {"keep": "nothing"}, Sentence.of("keep nothing and replay instead, {less}.", less=in_bytes(bare))
    half = (found["total"] + SPARE) // 2
    if terms.size == 4 and found["weights"] // 2 <= terms.budgets.weights and half <= most:
        return {"dtype": "bfloat16"}, Sentence.of("load it in bfloat16, {less}.", less=in_bytes(half))
    offer = ways.first() if light else None
    if offer:
        less, words = in_bytes(ways.costs(offer.asked)["total"]), offer.words
        return {offer.name: offer.value}, Sentence.of(words.template + ", {less}.", **words.values, less=less)
    return None, Sentence("choose a smaller model.")
