"""What an error message suggests where a name is not known."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """ " Did you mean 'baseline'?" with the known name nearest to one that is not; "" if none is.

    Names are text, or numbers, of which the one at the least distance is suggested.
    """
    names = list(known)
    if isinstance(name, int | float):
        numbers = [other for other in names if isinstance(other, int | float)]
        near = sorted(numbers, key=lambda other: abs(other - name))
        return f" Did you mean {near[0]!r}?" if near else ""
    # Without regard to case; the first of names that differ in nothing else.
    plain = {str(other).casefold(): other for other in reversed(names)}
    close = difflib.get_close_matches(str(name).casefold(), plain, n=1, cutoff=0.5)
    return f" Did you mean {plain[close[0]]!r}?" if close else ""
