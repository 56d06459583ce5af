"""Reports how far a question has come before its first word, and can end it there.

A listener is told of every frame of a clip as it is decoded, and of every block that the first forward pass goes
through. Whatever it raises ends the work at that place: `Interrupted` is there to be raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import nn

Step = Literal["frames", "blocks"]
Progress = Callable[[Step, int, int], None]
"""Called with what is counted, how many of them are done, and how many there are."""


class Interrupted(Exception):
    """Raised by a listener that wants no more of it."""


@contextmanager
def listening(model: Any, progress: Progress | None) -> Iterator[Callable[[], None]]:
    """Tell of every block of a model's towers as it is done, "blocks", until the given function is called.

    Yields:
        A function that ends it: one pass is told of, not each token's.
    """
    blocks: list[nn.Module] = [*model.vision.blocks, *model.language.blocks]
    handles: list[Any] = []
    done = 0

    def told(*_: Any) -> None:
        nonlocal done
        done += 1
        assert progress is not None
        progress("blocks", done, len(blocks))

    def end() -> None:
        while handles:
            handles.pop().remove()

    if progress is not None:
        handles += [block.register_forward_hook(told) for block in blocks]
    try:
        yield end
    finally:
        end()
