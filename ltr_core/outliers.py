"""Eigenvalues of recurrent weights: the disk of the random ones, and what leaves it.

Schuessler et al. (2020): learning adds a few outliers to the spectrum and leaves the disk, whose
radius is the strength g of the random connectivity, as it was.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Inexact, Int

Eigenvalues = Inexact[np.ndarray, "network neuron"]


def n_outliers(
    eigenvalues: Eigenvalues, radius: float | Float[np.ndarray, " network"] = 1.0
) -> Int[np.ndarray, " network"]:
    """How many eigenvalues of each network are beyond a radius, in modulus.

    - `radius`: the same for all networks or one for each; beyond 1 the quiet state of a rate
      network with leak 1 is unstable if the eigenvalue's real part is.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.outliers import n_outliers
    >>> eigenvalues = np.array([[1.2j, -1.2j, 0.5], [-0.9, 0.8, 0.1]])
    >>> n_outliers(eigenvalues).tolist(), n_outliers(eigenvalues, np.array([1.3, 0.7])).tolist()
    ([2, 0], [0, 2])
    """
    return (np.abs(eigenvalues) > np.reshape(radius, (-1, 1))).sum(1)


class SpectrumChange(NamedTuple):
    """What a change of the weights does to their spectrum, network by network.

    - `beyond` (network,): eigenvalues beyond 1 in modulus, with the change.
    - `median_modulus` (network,): the median modulus with the change, over that without it.
    """

    beyond: Float[np.ndarray, " network"]
    median_modulus: Float[np.ndarray, " network"]


def spectrum_change(before: Eigenvalues, after: Eigenvalues) -> SpectrumChange:
    """Count outliers after a change, and tell whether the disk stayed (median modulus near 1).

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.outliers import spectrum_change
    >>> before = np.array([[0.4, -0.4, 0.2j, -0.2j, 0.4j]])
    >>> found = spectrum_change(before, np.append(before[:, 1:], [[1.5]], axis=1))
    >>> found.beyond.tolist(), found.median_modulus.tolist()
    ([1.0], [1.0])
    """
    medians = np.median(np.abs(after), axis=1) / np.median(np.abs(before), axis=1)
    return SpectrumChange(n_outliers(after).astype(float), medians)
