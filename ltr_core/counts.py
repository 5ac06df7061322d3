"""Numbers of things that must be there."""


def check_counts(**counts: int) -> None:
    """Raise ValueError, naming it, for the first of these numbers that is below 1."""
    for name, number in counts.items():
        if number < 1:
            raise ValueError(f"{name} is {number}: it must be at least 1.")
