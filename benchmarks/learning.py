"""A step of learning: `Rollout` against autograd through a plain loop, and through our own.

Forward, backward and the gradients of all three weights, on the flip-flop task at its published
sizes (100 steps, 32 trials), float32. A step of each method after the other, many times over, so
that a change of the machine's load meets all of them.
"""

from collections.abc import Callable
from statistics import median

import numpy as np
import torch
from torch import Tensor

from benchmarks.measuring import Timed, timed
from benchmarks.result import Criterion, Result, Row
from ltr_core.descent import ALL_WEIGHTS, Descent
from ltr_core.rnn import RNN, mean_field_networks
from ltr_core.rollout import rollout_by_autograd
from ltr_core.tasks import FlipFlop, Trials

SIZES = (64, 128, 256, 512)
N_TRIALS = 32
REPEATS = 40
JUDGED = 256
NEEDED = 2.5  # times faster than the plain loop, there
EQUAL = 1e-4  # relative distance of gradients that are the same

Step = Callable[[], dict[str, Tensor]]


def measure(quick: bool = False) -> Result:
    """Every size, all methods side by side."""
    torch.set_num_threads(1)
    sizes, repeats, task = (SIZES, REPEATS, FlipFlop())
    if quick:
        sizes, repeats, task = (8, 12), 2, FlipFlop(duration=10.0)
    rows = [row for n_units in sizes for row in compare(n_units, task, repeats)]
    return Result("Learning, a step", rows, judge(rows, quick))


def judge(rows: list[Row], quick: bool) -> list[Criterion]:
    """Whether it is as many times faster as was asked, by the processor's time."""
    plain = [row for row in rows if row["method"] == "plain loop"]
    (row,) = [row for row in plain if row["units"] == JUDGED] or plain[-1:]
    words = f"{JUDGED} units: {NEEDED:g} times faster than autograd through a plain loop"
    return [Criterion(words, row["cpu ratio"], None if quick else row["cpu ratio"] >= NEEDED)]


def compare(n_units: int, task: FlipFlop, repeats: int) -> list[Row]:
    """Times of each method at one size; raises RuntimeError if their gradients differ."""
    network = mean_field_networks(1, n_units, task.n_inputs, task.n_outputs, g=1.2)
    drawn = task.sample(N_TRIALS, np.random.default_rng(0))
    trials = Trials(*(part[None] for part in drawn))
    methods: dict[str, Step] = {
        "Rollout": ours(network, task, trials),
        "plain loop": plain_loop(network, task, trials),
        "our loop by autograd": our_loop_by_autograd(network, task, trials),
    }
    _check_equal({name: step() for name, step in methods.items()})
    times: dict[str, list[Timed]] = {name: [] for name in methods}
    for _ in range(repeats):
        for name, step in methods.items():
            times[name].append(timed(step)[0])
    rows = [_row(name, n_units, spent) for name, spent in times.items()]
    for row in rows[1:]:
        row["ratio"] = row["seconds"] / rows[0]["seconds"]
        row["cpu ratio"] = row["cpu seconds"] / rows[0]["cpu seconds"]
    return rows


def ours(network: RNN, task: FlipFlop, trials: Trials) -> Step:
    """What `train` does in an epoch, but for drawing trials and the optimiser's step."""
    weights = {name: getattr(network, name).clone() for name in ALL_WEIGHTS}
    descent = Descent(network, weights, ALL_WEIGHTS, task, None)

    def step() -> dict[str, Tensor]:
        descent.gradients(trials)
        return _gradients(weights)

    return step


def plain_loop(network: RNN, task: FlipFlop, trials: Trials) -> Step:
    """As one would write it, for one network."""
    weights = {name: getattr(network, name)[0].clone().requires_grad_() for name in ALL_WEIGHTS}
    recurrent, inward, outward = weights.values()
    inputs, targets, mask = (part[0].float() for part in trials[:3])
    h = task.dt / network.tau

    def step() -> dict[str, Tensor]:
        x = torch.zeros(len(inputs), network.n_units)
        rate, outputs = torch.tanh(x), []
        for t in range(inputs.shape[1]):
            x = (1 - h) * x + h * (rate @ recurrent.T + inputs[:, t] @ inward.T)
            rate = torch.tanh(x)
            outputs.append(rate @ outward.T)
        return _descended(weights, torch.stack(outputs, dim=1), targets, mask)

    return step


def our_loop_by_autograd(network: RNN, task: FlipFlop, trials: Trials) -> Step:
    """What `Rollout` is tested against."""
    weights = {name: getattr(network, name).clone().requires_grad_() for name in ALL_WEIGHTS}
    inputs = trials.inputs.float().permute(2, 0, 3, 1).contiguous()
    targets, mask = trials.targets[0].float(), trials.mask[0].float()
    still = torch.zeros(1, network.n_units, N_TRIALS)
    h = task.dt / network.tau

    def step() -> dict[str, Tensor]:
        rates = rollout_by_autograd(weights["recurrent"], weights["inward"], inputs, still, h=h)
        output = (weights["outward"] @ rates)[:, 0].permute(2, 0, 1)
        return _descended(weights, output, targets, mask)

    return step


def _descended(
    weights: dict[str, Tensor], output: Tensor, targets: Tensor, mask: Tensor
) -> dict[str, Tensor]:
    for weight in weights.values():
        weight.grad = None
    squares = mask[..., None] * (output - targets) ** 2
    (0.5 * squares.sum() / (mask.sum() * targets.shape[-1])).backward()
    return _gradients(weights)


def _gradients(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: weight.grad for name, weight in weights.items() if weight.grad is not None}


def _check_equal(found: dict[str, dict[str, Tensor]]) -> None:
    wanted = found["our loop by autograd"]
    for method, gradients in found.items():
        for name, gradient in wanted.items():
            distance = (gradients[name].reshape(gradient.shape) - gradient).norm()
            if not distance <= EQUAL * gradient.norm():
                raise RuntimeError(f"{method}: the gradient of {name} is another one.")


def _row(method: str, n_units: int, times: list[Timed]) -> Row:
    """Medians; the least as well, which other load disturbs least."""
    return {
        "units": n_units,
        "method": method,
        "seconds": median(spent.wall for spent in times),
        "cpu seconds": median(spent.cpu for spent in times),
        "least cpu seconds": min(spent.cpu for spent in times),
        "runs": len(times),
        "ratio": None,
        "cpu ratio": None,
    }
