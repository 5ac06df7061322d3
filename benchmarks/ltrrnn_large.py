"""2,000 trials x 100 times x 1,000 neurons in minibatches of trials, in a process of its own."""

from benchmarks.ltrrnn_alone import LARGE
from benchmarks.measuring import alone
from benchmarks.result import Criterion, Result

MOST = 8000.0  # MB, libraries and recording included


def measure(quick: bool = False) -> Result:
    """A few steps: what they need does not grow with their number."""
    report = alone("large", quick)
    what = " x ".join(map(str, LARGE)) if not quick else "tiny"
    peak = float(report["peak MB"])
    words = f"a fit to {what} entries within {MOST:g} MB"
    criteria = [Criterion(words, peak, None if quick else peak <= MOST)]
    return Result("ltrRNN, large recording", [{"data": what, **report}], criteria)
