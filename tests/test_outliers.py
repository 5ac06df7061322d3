"""Outliers of a spectrum, of matrices whose eigenvalues are known."""

import numpy as np

from ltr_core.outliers import n_outliers, spectrum_change

BEFORE = np.stack([0.9 * np.exp(1j * np.arange(8)) * np.linspace(0.2, 1, 8)] * 2)


def test_eigenvalues_beyond_a_radius_are_counted_on_all_sides() -> None:
    eigenvalues = np.array([[1.5, -1.5, 1.5j, 0.8 + 0.8j, 0.9], [1.0, -1.0, 0.0, 0.5j, 0.2]])
    assert n_outliers(eigenvalues).tolist() == [4, 0]
    assert n_outliers(eigenvalues, 1.2).tolist() == [3, 0]
    assert n_outliers(eigenvalues, np.array([1.6, 0.4])).tolist() == [0, 3]


def test_a_few_outliers_leave_the_disk_where_it_was() -> None:
    after = BEFORE.copy()
    after[0, -2:] = 1.4, -1.4  # the two that were farthest out
    found = spectrum_change(BEFORE, after)
    assert found.beyond.tolist() == [2, 0]
    np.testing.assert_allclose(found.median_modulus, 1)


def test_a_disk_that_grows_is_told() -> None:
    found = spectrum_change(BEFORE, 2 * BEFORE)
    np.testing.assert_allclose(found.median_modulus, 2)
    assert (found.beyond > 2).all()
