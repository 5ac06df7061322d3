"""Tasks of the ltrRNN benchmarks that need a process of their own; one line of JSON each.

python -m benchmarks.ltrrnn_alone memory-explicit|memory-ours|cold|large [--quick]
"""

import argparse
import json
import sys
import time
from collections.abc import Callable

START = time.perf_counter()

import numpy as np  # noqa: E402 - imports are timed

from benchmarks import ltrrnn_cases as cases  # noqa: E402
from benchmarks.measuring import Memory, peak_of_process, timed  # noqa: E402
from ltr_core.ltrrnn import LtrRNN, simulate_ltrrnn  # noqa: E402
from ltr_core.ltrrnn.data import prepare  # noqa: E402
from ltr_core.ltrrnn.fitting import Fit  # noqa: E402
from ltr_core.recordings import Recording  # noqa: E402

IMPORTED = time.perf_counter() - START

LARGE = (2000, 100, 1000)  # trials, times, neurons
LARGE_BATCH = 100  # trials
LARGE_STEPS = 6
AT_ONCE = 50  # trials, when the large recording is made

Report = dict[str, float]


def explicit_memory(quick: bool) -> Report:
    """Of one step of the explicit form."""
    cases.explicit(cases.standard(quick=True)).step()  # loads the rest of the libraries
    memory = Memory()
    cases.explicit(cases.standard(quick)).step()
    return {"MB": memory.peak}


def our_memory(quick: bool) -> Report:
    """Of a whole fit."""
    _load_libraries()
    memory = Memory()
    case = cases.standard(quick)
    cases.fitted(case, n_steps=30)
    return {"MB": memory.peak}


def cold(quick: bool) -> Report:
    """The first fit of a process, which loads libraries that torch's optimisers need."""
    case = cases.standard(quick)
    first, model = timed(lambda: cases.fitted(case))
    return {"imports": IMPORTED, "seconds": first.wall, "nmse": case.nmse(model)}


def large(quick: bool) -> Report:
    """A few steps on a recording of 800 MB, in minibatches of trials."""
    _load_libraries()
    shape = (40, 20, 30) if quick else LARGE
    made, recording = timed(lambda: large_recording(*shape))
    batch = min(LARGE_BATCH, shape[0] // 2)

    model = LtrRNN(rank=cases.RANK, batch_trials=batch, n_steps=LARGE_STEPS)
    with cases.degeneracy_expected():
        whole, _ = timed(lambda: model.fit(recording))
    peak = peak_of_process()
    begun, fit = timed(lambda: Fit(model, prepare(model, recording, None)))
    steps, _ = timed(fit.run)
    return {
        "seconds to make": made.wall,
        "steps": LARGE_STEPS,
        "seconds": whole.wall,
        "seconds to begin": begun.wall,
        "seconds per step": steps.wall / LARGE_STEPS,
        "batch": batch,
        "recording MB": recording.activity.nbytes / 1e6,
        "peak MB": peak,
    }


def large_recording(n_trials: int, n_time: int, n_neurons: int) -> Recording:
    """Activity of a network of few neurons, spread over many; never all of it in float64."""
    step = 4 / (n_time - 1)
    small = simulate_ltrrnn(
        n_trials=(n_trials // 2, n_trials - n_trials // 2),
        n_neurons=50,
        rank=cases.RANK - 1,
        before=n_time // 2 * step,
        after=(n_time - 1 - n_time // 2) * step,
        dt=step,
        seed=0,
    )
    rng = np.random.default_rng(0)
    latents = small.truth.latents.astype(np.float32)
    columns = rng.standard_normal((n_neurons, latents.shape[2]), dtype=np.float32) / 50**0.5
    activity = np.empty((n_trials, n_time, n_neurons), np.float32)
    for first in range(0, n_trials, AT_ONCE):
        part = activity[first : first + AT_ONCE]
        np.tanh(latents[first : first + AT_ONCE] @ columns.T, out=part)
        part += 0.055 * rng.standard_normal(part.shape, dtype=np.float32)
    activity.flags.writeable = False  # so that it is not copied
    labels = small.recording
    return Recording(activity, time=labels.time, condition=labels.condition, epoch=labels.epoch)


def _load_libraries() -> None:
    cases.fitted(cases.standard(quick=True), n_steps=2)


TASKS: dict[str, Callable[[bool], Report]] = {
    "memory-explicit": explicit_memory,
    "memory-ours": our_memory,
    "cold": cold,
    "large": large,
}


def main(arguments: list[str] | None = None) -> int:
    """Runs a task and prints its report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(arguments)
    print(json.dumps(TASKS[options.task](options.quick)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
