"""Planted tensors are what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltr_core.decomposition.synthetic import planted, with_noise


@given(rank=st.integers(1, 4), cosine=st.floats(0, 0.999), seed=st.integers(0, 50))
def test_step_factors_have_the_cosine_asked_for(rank: int, cosine: float, seed: int) -> None:
    truth = planted(np.random.default_rng(seed), (9, 7, 6), rank, cosine)
    cosines = np.abs(truth.step.T @ truth.step)  # the canonical form may change signs
    np.testing.assert_allclose(cosines, cosine + (1 - cosine) * np.eye(rank), atol=1e-12)
    assert truth.reconstruct().shape == (9, 7, 6)


def test_noise_has_the_norm_asked_for_and_leaves_the_tensor() -> None:
    tensor = planted(np.random.default_rng(0), (20, 30, 30), 3).reconstruct()
    noise = with_noise(tensor, np.random.default_rng(1), 0.5) - tensor
    assert np.linalg.norm(noise) == pytest.approx(0.5 * np.linalg.norm(tensor))
    assert abs(np.vdot(noise, tensor)) < 0.05 * np.linalg.norm(noise) * np.linalg.norm(tensor)


def test_what_cannot_be_planted_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="cosine is 1"):
        planted(rng, (9, 7, 6), 2, 1.0)
    with pytest.raises(ValueError, match="3 steps cannot hold 3 step factors: 4 are needed"):
        planted(rng, (3, 7, 6), 3)
