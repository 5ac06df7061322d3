"""The explicit form of an ltrRNN, written plainly: the baseline that `LtrRNN` is compared with.

A tensor trials x N x N of all weights is formed anew for every step of the optimiser, an adaptive
solver integrates all N units of all trials together with a neural ODE per condition that makes
the inputs, autograd goes back through all of it, and the readout is orthonormal by
parametrisation (matrix exponential). The authors' package has this form; the sizes of the
networks are those of its example (github.com/arthur-pe/LtrRNN).
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.parametrizations import orthogonal

LEARNING_RATE = 1e-3
# The solver: torchdiffeq's default dopri5. Its default tolerances (1e-7, 1e-9) are beyond what
# float32 holds: it would take some 1,000 evaluations of the network in a step, where the authors'
# package takes 300 at first (quoted). With these it takes no more than that.
RTOL, ATOL = 1e-6, 1e-7


class Task(NamedTuple):
    """What is fitted: activity, which of its entries, and the labels of trials.

    Inputs act at times below zero; zero must be among the times.
    """

    activity: Float[Tensor, "time trial neuron"]
    train: Bool[Tensor, "time trial neuron"]
    time: Float[Tensor, " time"]
    condition: Int[Tensor, " trial"]
    chol: Float[Tensor, "trial trial"]


class Solved(NamedTuple):
    """States of all units at every time, and how often the network was evaluated."""

    states: Float[Tensor, "time trial unit"]
    evaluations: int


class NeuralInputs(nn.Module):
    """tau_v dv/dt = -v + relu(5 f(v)), one network f for each condition; u = tanh(M v)."""

    def __init__(
        self, n_conditions: int, n_latents: int, size: int = 150, tau: float = 2.0
    ) -> None:
        super().__init__()

        def random(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(n_conditions, *shape) / size**0.5)

        self.layers = nn.ParameterList([random(size, size) for _ in range(3)])
        self.offsets = nn.ParameterList([random(1, size) for _ in range(3)])
        self.start = nn.Parameter(torch.rand(n_conditions, size) * 2 - 1)
        self.onto = nn.Parameter(torch.randn(size, n_latents) / size**0.5)
        self.tau = tau

    def velocity(self, state: Float[Tensor, "condition size"]) -> Float[Tensor, "condition size"]:
        """dv/dt."""
        first, second, third = zip(self.layers, self.offsets, strict=True)
        hidden = torch.relu(torch.baddbmm(first[1], state[:, None], first[0]))
        hidden = torch.relu(torch.baddbmm(second[1], hidden, second[0]))
        out = torch.baddbmm(third[1], hidden, third[0])[:, 0]
        return (torch.relu(5 * out) - state) / self.tau

    def drive(self, state: Float[Tensor, "condition size"]) -> Float[Tensor, "condition latent"]:
        """u."""
        return torch.tanh(state @ self.onto)


class Explicit(nn.Module):
    """Parameters in units of x, at random values; unit norms are imposed where they are used."""

    def __init__(self, task: Task, rank: int, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        n_trials, n_neurons = task.activity.shape[1:]
        n_conditions = int(task.condition.max()) + 1
        self.task = task
        self.columns = nn.Parameter(torch.randn(n_neurons, rank))
        self.rows = nn.Parameter(self.columns.detach().clone())
        self.factors = nn.Parameter(torch.randn(n_trials, rank))
        self.mean_factors = nn.Parameter(torch.ones(rank))
        self.inputs = NeuralInputs(n_conditions, rank)
        self.input_scale = nn.Parameter(torch.full((rank,), (n_neurons / rank) ** 0.5))
        self.initial = nn.Parameter(torch.zeros(n_conditions, rank))
        self.readout = orthogonal(
            nn.Linear(n_neurons, n_neurons, bias=False), orthogonal_map="matrix_exp"
        )
        self.optimiser = torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)

    def weights(self) -> Float[Tensor, "trial post pre"]:
        """W of all trials."""
        columns = self.columns / self.columns.norm(dim=0)
        rows = self.rows / self.rows.norm(dim=0)
        factors = self.task.chol @ self.factors + self.mean_factors
        return torch.einsum("kr,nr,mr->knm", factors, columns, rows)

    def solve(self, tau: float = 1.0, rtol: float = RTOL, atol: float = ATOL) -> Solved:
        """Preparation with inputs, then execution without."""
        from torchdiffeq import odeint  # noqa: PLC0415 - of the benchmarks alone

        weights, condition, time = self.weights(), self.task.condition, self.task.time
        columns = self.columns / self.columns.norm(dim=0)
        calls = 0

        def velocity(state: Tensor) -> Tensor:
            nonlocal calls
            calls += 1
            recurrent = torch.einsum("knm,km->kn", weights, torch.tanh(state))
            return (recurrent - state) / tau

        def prepare(_: Tensor, both: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            state, inner = both
            drive = (self.inputs.drive(inner) * self.input_scale) @ columns.T
            return velocity(state) + drive[condition] / tau, self.inputs.velocity(inner)

        def execute(_: Tensor, state: Tensor) -> Tensor:
            return velocity(state)

        go = int((time < -1e-9).sum())
        start = ((self.initial @ columns.T)[condition], self.inputs.start)
        before, _ = odeint(prepare, start, time[: go + 1], rtol=rtol, atol=atol)
        after = odeint(execute, before[-1], time[go:], rtol=rtol, atol=atol)
        return Solved(torch.cat([before, after[1:]]), calls)

    def predict(self, states: Float[Tensor, "time trial unit"]) -> Float[Tensor, "..."]:
        """Rates of the neurons."""
        return self.readout(torch.tanh(states))

    def step(self) -> tuple[float, int]:
        """One step of Adam; the loss before it, and the evaluations that it took."""
        self.optimiser.zero_grad()
        solved = self.solve()
        loss = (self.predict(solved.states) - self.task.activity)[self.task.train].square().mean()
        loss.backward()
        self.optimiser.step()
        return float(loss.detach()), solved.evaluations
