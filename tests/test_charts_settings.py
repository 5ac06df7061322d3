"""The map of settings: the numbers given are written, and coloured by the reference."""

import numpy as np
import pytest
from chart_parts import picture, table

from ltr_core.charts import settings_map

REFERENCE = {"rank": 4.0, "CP rank": 4.0}
GROUPS = {
    "start": {"as it is": REFERENCE, "strong": {"rank": 8.0, "CP rank": np.inf}},
    "noise": {"private": {"rank": 2.0, "CP rank": 400.0}},
}


def test_every_cell_tells_its_value_and_its_multiple_of_the_reference():
    chart = settings_map(GROUPS, REFERENCE, beyond=">16")
    cells = {(r["setting"], r["measure"]): (r["told"], r["colour"]) for r in table(chart, "told")}
    assert cells["as it is", "rank"] == ("4", 0)
    assert cells["strong", "rank"] == ("8", 1)
    assert cells["private", "rank"] == ("2", -1)
    assert cells["strong", "CP rank"] == (">16", 2)
    assert cells["private", "CP rank"] == ("400", 2)  # the colours end at four times
    drawn = picture(chart)
    for text in ("strong", "private", "noise", ">16", "400", "times the reference"):
        assert text.replace(">", "&gt;") + "</text>" in drawn


def test_settings_that_cannot_be_compared_are_refused():
    with pytest.raises(ValueError, match=r"'odd' has the measures \['rank'\]"):
        settings_map({"a": {"odd": {"rank": 1.0}}}, REFERENCE, beyond="more")
    with pytest.raises(ValueError, match=r"'none' has rank 0\.0: it must be above 0"):
        settings_map({"a": {"none": {"rank": 0.0, "CP rank": 1.0}}}, REFERENCE, beyond="more")
