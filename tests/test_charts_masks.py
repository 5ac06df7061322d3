"""The picture of what is held out: every entry once, of the right kind."""

import numpy as np
import pytest
from chart_parts import picture, table

from ltr_core.charts.masks import KINDS, held_out

TIME = np.linspace(-0.2, 0.3, 6)


def masks(seed=0):
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, 3, (7, 6))
    return drawn == 2, drawn == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_stretches_cover_every_entry_with_its_kind(seed):
    test, train = masks(seed)
    drawn = np.full(test.shape, "", dtype=object)
    for row in table(held_out(test, train, TIME), "start", "kind"):
        inside = (row["start"] < TIME) & (row["end"] > TIME)
        assert (drawn[row["trial"] - 1, inside] == "").all(), "drawn twice"
        drawn[row["trial"] - 1, inside] = row["kind"]
    expected = np.where(test, KINDS[2], np.where(train, KINDS[0], KINDS[1]))
    assert (drawn == expected).all()


def test_it_can_be_drawn():
    assert "<svg" in picture(held_out(*masks(), TIME))


def test_what_does_not_fit_is_refused():
    test, train = masks()
    with pytest.raises(ValueError, match=r"both \(trial, time\)"):
        held_out(test, train[1:], TIME)
    with pytest.raises(ValueError, match="time has 5 values"):
        held_out(test, train, TIME[1:])
    with pytest.raises(ValueError, match="both train and test"):
        held_out(test, test, TIME)
