"""What an error says about a name that is not in a file."""

from collections.abc import Iterable

from ltr_core.suggestions import did_you_mean

LISTED = 40  # more names than this are cut off


def there_is(name: str, known: Iterable[object]) -> str:
    """The names that are there, and the nearest: ``There are a, b. Did you mean 'a'?``"""
    names = list(dict.fromkeys(map(str, known)))
    if not names:
        return "There are none."
    listed = ", ".join(names[:LISTED]) + (", ..." if len(names) > LISTED else "")
    return f"There {'is' if len(names) == 1 else 'are'} {listed}.{did_you_mean(name, names)}"
