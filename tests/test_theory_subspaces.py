import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr_core.theory import (
    invariant_subspace,
    learning_vectors,
    random_problem,
    random_space,
    spanned,
    subspace_bound,
)

FEW = settings(max_examples=25)


def drawn(seed, *shape):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def outside(basis, vectors):
    return float((vectors - basis @ (basis.T @ vectors)).norm())


@FEW
@given(
    n=st.integers(8, 30),
    d=st.integers(1, 3),
    rank=st.integers(0, 2),
    alpha=st.floats(-2, 2),
    seed=st.integers(0, 999),
)
def test_holds_the_vectors_and_is_kept_by_both_maps(n, d, rank, alpha, seed):
    vectors = drawn(seed, n, d)
    low = drawn(seed + 1, n, rank) @ drawn(seed + 2, rank, n) / n
    recurrent = alpha * torch.eye(n).double() + low
    basis = invariant_subspace(recurrent, vectors)
    assert basis.shape[1] == min(n, d + 2 * rank)
    gram = basis.T @ basis
    assert torch.allclose(gram, torch.eye(basis.shape[1]).double(), atol=1e-12)
    for inside in (vectors, recurrent @ basis, recurrent.T @ basis):
        assert outside(basis, inside) < 1e-9 * float(1 + inside.norm())


def test_is_everything_for_generic_weights():
    assert invariant_subspace(drawn(0, 30, 30) / 30**0.5, drawn(1, 30, 1)).shape == (30, 30)


def test_none_smaller_will_do():
    # a rotation in the plane of the first two axes, and a chain from the third to the fourth
    recurrent = torch.zeros(6, 6).double()
    recurrent[0, 1], recurrent[1, 0], recurrent[3, 2] = -1.0, 1.0, 0.5
    axes = torch.eye(6).double()
    assert invariant_subspace(recurrent, axes[:, :1]).shape == (6, 2)
    assert invariant_subspace(recurrent, axes[:, 3:4]).shape == (6, 2)
    assert invariant_subspace(recurrent, axes[:, 5:]).shape == (6, 1)
    assert invariant_subspace(recurrent, 0 * axes).shape == (6, 0)


def test_scale_of_a_vector_does_not_matter():
    vectors = drawn(3, 20, 2) * torch.tensor([1e8, 1e-8]).double()
    both = torch.cat([vectors, vectors.sum(1, keepdim=True)], dim=1)
    assert spanned(both).shape == (20, 2)
    assert outside(spanned(both), drawn(3, 20, 2)) < 1e-9


@pytest.mark.parametrize(
    ("recurrent", "vectors", "tolerance", "message"),
    [
        (torch.zeros(3, 4), torch.ones(4, 1), 1e-10, "post, pre"),
        (torch.full((4, 4), torch.nan), torch.ones(4, 1), 1e-10, "recurrent holds NaN"),
        (torch.zeros(4, 4), torch.full((4, 1), torch.inf), 1e-10, "vectors hold NaN"),
        (torch.zeros(4, 4), torch.ones(4, 1), 1.0, "tolerance"),
    ],
)
def test_refuses(recurrent, vectors, tolerance, message):
    with pytest.raises(ValueError, match=message):
        invariant_subspace(recurrent, vectors, tolerance)


def test_learning_vectors_are_inputs_then_readout_then_states():
    problem = random_problem(0, n_units=8, n_inputs=1, n_outputs=2, initial_rank=1, n_trials=3)
    network = problem.network
    vectors = learning_vectors(network, problem.initial)
    assert torch.equal(vectors[:, 0], network.inward[0, :, 0])
    assert torch.equal(vectors[:, 1:3], network.outward[0].T)
    assert torch.equal(vectors[:, 3:], problem.initial.T)
    assert torch.equal(learning_vectors(network), vectors[:, :3])
    with pytest.raises(ValueError, match=r"initial has shape \(3, 7\), the network 8 units"):
        subspace_bound(network, problem.initial[:, 1:], n_steps=5)
    with pytest.raises(ValueError, match="outward holds NaN"):
        subspace_bound(network._replace(outward=torch.nan * network.outward), n_steps=5)
    several = network._replace(**{k: v.repeat(2, 1, 1) for k, v in arrays(network).items()})
    with pytest.raises(ValueError, match="2 networks: give one at a time"):
        learning_vectors(several)


def arrays(network):
    return {name: getattr(network, name) for name in ("recurrent", "inward", "outward")}


def test_random_spaces_are_orthonormal_and_the_seeds_own():
    basis = random_space(9, 4, [3, 1])
    np.testing.assert_allclose(basis.T @ basis, np.eye(4), atol=1e-12)
    np.testing.assert_array_equal(basis, random_space(9, 4, [3, 1]))
    assert np.abs(basis - random_space(9, 4, [3, 2])).max() > 0.1
    with pytest.raises(ValueError, match="n_directions is 10: give 0 to 9"):
        random_space(9, 10, 0)
