"""Words before and under an edit: bars as long as the probabilities, every number said."""

from __future__ import annotations

import numpy as np
import pytest

from viz.edits import words_under_edit


@pytest.mark.parametrize("dark", [False, True])
def test_bars_are_as_long_as_the_probabilities(dark: bool) -> None:
    chances = np.array([[0.9, 0.25], [0.125, 0.5]])
    figure = words_under_edit(chances, words=[" red", " "], title="B", subtitle="Edited: …", dark=dark)
    assert [[bar.get_width() for bar in axes.patches[2:]] for axes in figure.axes] == [[0.9, 0.125], [0.25, 0.5]]
    said = {text.get_text() for text in figure.texts}
    assert {"B", "Edited: …", "red", "␣", "as it was 90.0 %", "edited 12.5 %", "edited 50.0 %"} <= said


def test_other_shapes_are_refused() -> None:
    for chances, words in ((np.zeros((2, 3)), ["a"]), (np.zeros((2, 0)), []), (np.zeros((2, 41)), ["a"] * 41)):
        with pytest.raises(ValueError, match="1 to 40 words"):
            words_under_edit(chances, words=words)
