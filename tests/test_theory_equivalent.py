import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from theory_parts import linear_networks

from ltr_core.rnn import RNN
from ltr_core.theory import equivalent_network, two_unit_equivalent
from ltr_core.theory.problems import random_problem
from ltr_core.theory.runs import descend

SETTINGS = {"n_steps": 15, "learning_rate": 0.1}


def courses(problem, **settings):
    """The learning of a problem's network and of its small equivalent, and the basis P."""
    small = equivalent_network(problem.network, problem.initial)
    trials = (problem.inputs, problem.targets)
    large = descend(
        problem.network, *trials, dt=problem.dt, initial=problem.initial, **SETTINGS | settings
    )
    reduced = descend(
        small.network, *trials, dt=problem.dt, initial=small.initial, **SETTINGS | settings
    )
    return large, reduced, small.basis.numpy()


@settings(max_examples=8)
@given(
    p=st.integers(1, 2),
    q=st.integers(1, 2),
    initial_rank=st.integers(0, 2),
    start_rank=st.integers(0, 1),
    alpha=st.floats(-0.5, 0.5),
    momentum=st.sampled_from([0.0, 0.5]),
    loss=st.sampled_from(["squared", "logistic"]),
    seed=st.integers(0, 999),
)
def test_learns_as_the_large_one(*, p, q, initial_rank, start_rank, alpha, momentum, loss, seed):
    problem = random_problem(
        seed,
        n_inputs=p,
        n_outputs=q,
        initial_rank=initial_rank,
        start_rank=start_rank,
        alpha=alpha,
    )
    large, small, basis = courses(problem, momentum=momentum, loss=loss)
    assert basis.shape[1] <= p + q + initial_rank + 2 * start_rank
    assert abs(large.loss - small.loss).max() < 1e-10
    assert abs(large.change - basis @ small.change @ basis.T).max() < 1e-10
    assert large.loss[0] - large.loss[-1] > 1e-4


def test_not_with_adam():
    large, small, _ = courses(random_problem(0), optimiser="adam", learning_rate=0.01)
    assert abs(large.loss - small.loss).max() > 1e-2 * large.loss[0]


def test_is_the_network_of_two_units():
    network = linear_networks(1, 30, g=0.0, overlap=0.3)
    mine, known = equivalent_network(network).network, two_unit_equivalent(network)
    assert mine.n_units == 2
    for one, other in (
        (mine.outward @ mine.inward, known.outward @ known.inward),
        (
            mine.inward.norm() * mine.outward.norm(),
            known.inward.norm() * known.outward.norm(),
        ),
    ):
        assert torch.allclose(one, other, atol=1e-12)


def test_refuses():
    problem = random_problem(0, n_units=10)
    with pytest.raises(ValueError, match="assumes a linear network"):
        equivalent_network(problem.network._replace(nonlinearity="tanh"))
    with pytest.raises(ValueError, match="multiple of the identity"):
        equivalent_network(random_problem(0, n_units=10, g=0.5).network)
    with pytest.raises(ValueError, match="2 networks"):
        equivalent_network(linear_networks(2, 10, g=0.0))
    with pytest.raises(ValueError, match=r"\(trial, neuron\)"):
        equivalent_network(problem.network, torch.zeros(3, 9))
    with pytest.raises(ValueError, match="inward holds NaN"):
        equivalent_network(problem.network._replace(inward=problem.network.inward * torch.nan))
    still = RNN(*(0 * part for part in problem.network[:3]), 1.0, "identity")
    with pytest.raises(ValueError, match="nothing to learn"):
        equivalent_network(still)
