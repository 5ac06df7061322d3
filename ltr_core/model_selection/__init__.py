"""Which settings of a model predict held-out activity best.

`cross_validate` scores one model, `grid_search` all combinations of some settings, on blocks that
were held out; `one_standard_error` chooses from the resulting table.
"""

from ltr_core.model_selection.choice import one_standard_error
from ltr_core.model_selection.grid import cross_validate, grid_search

__all__ = ["cross_validate", "grid_search", "one_standard_error"]
