"""What models of a given rank hold of several changes: fractions of their squared norms."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ltr_core.decomposition.cp_decomposition import cp
from ltr_core.decomposition.nulls import shared_subspace_energy, slice_truncation_energy
from ltr_core.decomposition.validation import AnyTensor


def cp_fits(
    tensors: Iterable[AnyTensor], ranks: Sequence[int], *, seed: int = 0
) -> Float[np.ndarray, "tensor rank"]:
    """The fit of a CP decomposition (see `cp`) of every tensor, of each rank.

    - `tensors`: (step, post, pre) each; taken one at a time, so that they may be made on the way.

    Raises what `cp` does.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import synthetic
    >>> from ltr_core.decomposition.held import cp_fits
    >>> change = synthetic.planted(np.random.default_rng(0), (6, 8, 8), rank=2).reconstruct()
    >>> (cp_fits([change], [1, 2]) > 0.9999).tolist()
    [[False, True]]
    """
    return np.array([[cp(one, rank, seed=seed).fit for rank in ranks] for one in tensors])


def slice_energies(
    tensors: Iterable[AnyTensor], ranks: Sequence[int]
) -> Float[np.ndarray, "tensor rank"]:
    """What each rank holds of every tensor's slices by themselves (`slice_truncation_energy`).

    - `tensors`: (step, post, pre) each; taken one at a time.

    Raises what `slice_truncation_energy` does.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.decomposition.held import slice_energies
    >>> slice_energies([np.diag([2.0, 1.0, 1.0])[None]], ranks=[1, 2, 3]).round(3).tolist()
    [[0.667, 0.833, 1.0]]
    """
    return np.array([[slice_truncation_energy(one, rank) for rank in ranks] for one in tensors])


class FixedAndFree(NamedTuple):
    """What subspaces of the receiving and sending units hold of several tensors.

    - `fixed` (tensor,): one pair of subspaces for all steps (`shared_subspace_energy`).
    - `free` (tensor,): a pair chosen anew for each step (`slice_truncation_energy`).
    """

    fixed: Float[np.ndarray, " tensor"]
    free: Float[np.ndarray, " tensor"]

    @property
    def kept(self) -> Float[np.ndarray, " tensor"]:
        """The share of what free subspaces hold that fixed ones hold: 1 if nothing moves."""
        return self.fixed / self.free


def fixed_and_free(tensors: Iterable[AnyTensor], rank: int) -> FixedAndFree:
    """What fixed subspaces of this dimension hold of every tensor, and what free ones do.

    - `tensors`: (step, post, pre) each; taken one at a time.
    - `rank`: dimension of the subspaces, 1 to the smaller of post and pre.

    Raises what `shared_subspace_energy` does.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core.decomposition.held import fixed_and_free
    >>> stays = np.stack([np.diag([2.0, 0.0, 0.0]), np.diag([1.0, 0.0, 0.0])])
    >>> moves = np.stack([np.diag([2.0, 0.0, 0.0]), np.diag([0.0, 2.0, 0.0])])
    >>> fixed_and_free([stays, moves], rank=1).kept.round(3).tolist()
    [1.0, 0.5]
    """
    found = [
        (shared_subspace_energy(one, rank), slice_truncation_energy(one, rank)) for one in tensors
    ]
    fixed, free = np.array(found).reshape(-1, 2).T
    return FixedAndFree(fixed, free)
