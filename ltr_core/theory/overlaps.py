"""Linear networks of low rank, and the overlaps that tell all there is to know of them.

    W = M N^T / n,        y = C x / n,        n units,

with the columns of M (left) and N (right) the connectivity vectors, B the input weights and C the
readout. Of Z = [M, N, B, C^T] the overlaps are O = Z^T Z / n. Activity is x = M kappa + B v with

    kappa_{t+1} = (1 - h) kappa_t + h (N^T M / n kappa_t + N^T B / n v_t),
    v_{t+1} = (1 - h) v_t + h u_t,        y_t = C M / n kappa_t + C B / n v_t,

exactly, with Euler steps h = dt / tau from x_0 = 0. So the output depends on the overlaps N^T M,
N^T B, C M and C B alone: they are visible to the loss. The others are not (Ger & Barak 2026;
derived anew).
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ltr_core.rnn import RNN, simulate
from ltr_core.rollout import Nonlinearity

Part = Literal["left", "right", "inward", "outward"]
PARTS: tuple[Part, ...] = ("left", "right", "inward", "outward")
SYMBOLS: dict[Part, str] = {"left": "m", "right": "n", "inward": "b", "outward": "c"}
VISIBLE: tuple[tuple[Part, Part], ...] = (
    ("right", "left"),
    ("right", "inward"),
    ("outward", "left"),
    ("outward", "inward"),
)
# The others, but for those of B and C^T with themselves, which do not learn.
INVISIBLE: tuple[tuple[Part, Part], ...] = (
    ("left", "left"),
    ("right", "right"),
    ("left", "inward"),
    ("right", "outward"),
)
# How negative an eigenvalue of a matrix of overlaps may be by rounding, over the largest.
ROUNDING = 1e-10


class LowRankNetwork(NamedTuple):
    """One network with W = left @ right.T / n and the readout outward / n, for n units.

    Entries of order 1 make overlaps, and so activity and output, of order 1. `tau` is the time
    constant, in the units of dt.

    Examples
    --------
    >>> import torch
    >>> from ltr_core import theory
    >>> ones = torch.ones(4, 1)
    >>> network = theory.LowRankNetwork(left=ones, right=ones / 2, inward=ones, outward=ones.mT)
    >>> network.n_units, network.recurrent[0], network.as_rnn().n_networks
    (4, tensor([0.1250, 0.1250, 0.1250, 0.1250]), 1)
    """

    left: Float[Tensor, "neuron rank"]
    right: Float[Tensor, "neuron rank"]
    inward: Float[Tensor, "neuron input"]
    outward: Float[Tensor, "output neuron"]
    tau: float = 1.0
    nonlinearity: Nonlinearity = "identity"

    @property
    def n_units(self) -> int:
        """How many units."""
        return len(self.left)

    @property
    def recurrent(self) -> Float[Tensor, "post pre"]:
        """The recurrent weights W."""
        return self.left @ self.right.mT / self.n_units

    def as_rnn(self) -> RNN:
        """The same network with all its weights written out, as a batch of one."""
        parts = (self.recurrent[None], self.inward[None], self.outward[None] / self.n_units)
        return RNN(*parts, self.tau, self.nonlinearity)


class Overlaps(NamedTuple):
    """The matrix O = Z^T Z / n of a low-rank network, and where its parts lie.

    Rows and columns are those of Z = [left, right, inward, outward^T]; `tau` is the network's.

    Examples
    --------
    >>> from ltr_core import theory
    >>> start = theory.pulse_problem(1, gain=0.5).start
    >>> start.matrix.shape, start.places["inward"]
    (torch.Size([4, 4]), slice(2, 3, None))
    >>> heard = start.block("right", "inward")
    >>> changed = start.with_block("right", "inward", heard / 2)
    >>> round(changed.block("inward", "right").item(), 6)
    0.25
    """

    matrix: Float[Tensor, "vector vector"]
    rank: int
    n_inputs: int
    n_outputs: int
    tau: float = 1.0

    @property
    def places(self) -> dict[str, slice]:
        """Which rows, or columns, are left, right, inward and outward."""
        sizes = (self.rank, self.rank, self.n_inputs, self.n_outputs)
        ends = np.cumsum(sizes).tolist()
        return {
            part: slice(end - size, end) for part, size, end in zip(PARTS, sizes, ends, strict=True)
        }

    def block(self, rows: Part, columns: Part) -> Float[Tensor, "_row _column"]:
        """The overlaps of one part with another: N^T M / n is that of right and left."""
        return self.matrix[self.places[rows], self.places[columns]]

    def with_block(
        self, rows: Part, columns: Part, values: Float[Tensor, "_row _column"]
    ) -> "Overlaps":
        """The same with other overlaps of two parts; raises ValueError where no network has them.

        It has none if the matrix would not be positive semi-definite: vectors that are long enough
        must be given before they can overlap.
        """
        matrix = self.matrix.clone()
        matrix[self.places[rows], self.places[columns]] = values
        matrix[self.places[columns], self.places[rows]] = values.mT
        changed = self._replace(matrix=matrix)
        check_overlaps(changed)
        return changed


def overlaps(network: LowRankNetwork) -> Overlaps:
    """The overlaps of a linear network's connectivity, input and readout vectors.

    Raises ValueError where sizes differ or a value is not finite, and for a network that is not
    linear: what that does is not determined by overlaps (assumption: linear).

    Examples
    --------
    >>> import torch
    >>> from ltr_core import theory
    >>> ones = torch.ones(4, 1)
    >>> theory.overlaps(theory.LowRankNetwork(ones, ones / 2, ones, ones.mT)).matrix.numpy()
    array([[1.  , 0.5 , 1.  , 1.  ],
           [0.5 , 0.25, 0.5 , 0.5 ],
           [1.  , 0.5 , 1.  , 1.  ],
           [1.  , 0.5 , 1.  , 1.  ]])
    """
    if network.nonlinearity != "identity":
        raise ValueError(
            f"The network's nonlinearity is '{network.nonlinearity}'; assumption: linear. What "
            "other networks do depends on more than these overlaps."
        )
    check_network(network)
    vectors = torch.cat([*network[:3], network.outward.mT], dim=1).double()
    sizes = (network.left.shape[1], network.inward.shape[1], len(network.outward))
    return Overlaps(vectors.mT @ vectors / network.n_units, *sizes, network.tau)


def visible_overlaps(overlaps: Overlaps) -> Bool[Tensor, "vector vector"]:
    """Which overlaps the output depends on; the mask is symmetric as the matrix is.

    Examples
    --------
    >>> from ltr_core import theory
    >>> theory.visible_overlaps(theory.pulse_problem(1).start).long()
    tensor([[0, 1, 0, 1],
            [1, 0, 1, 0],
            [0, 1, 0, 1],
            [1, 0, 1, 0]])
    """
    seen = torch.zeros_like(overlaps.matrix, dtype=torch.bool)
    places = overlaps.places
    for one, other in VISIBLE:
        seen[places[one], places[other]] = True
        seen[places[other], places[one]] = True
    return seen


def by_kind(
    overlaps: Overlaps, matrices: Float[Tensor, "step vector vector"]
) -> dict[str, dict[str, Float[np.ndarray, "_pair step"]]]:
    """The overlaps that learning moves, as curves: "visible" and "invisible", by kind.

    A kind is named by its symbols: n·m are the overlaps of right and left vectors, b is for inward
    and c for outward. `matrices` are O at each step, `overlaps` says where its parts lie.

    Examples
    --------
    >>> from ltr_core import theory
    >>> start = theory.pulse_problem(2).start
    >>> curves = theory.by_kind(start, start.matrix[None])
    >>> {name: curve.shape for name, curve in curves["visible"].items()}
    {'n·m': (4, 1), 'n·b': (2, 1), 'c·m': (2, 1)}
    """
    kinds: dict[str, dict[str, np.ndarray]] = {}
    for group, pairs in (("visible", VISIBLE[:3]), ("invisible", INVISIBLE)):
        kinds[group] = {}
        for one, other in pairs:
            block = matrices[:, overlaps.places[one], overlaps.places[other]]
            # of a part with itself, each pair once
            once = torch.ones(block.shape[1:]).triu(0 if one == other else -len(matrices[0]))
            name = f"{SYMBOLS[one]}·{SYMBOLS[other]}"
            kinds[group][name] = block[:, once > 0].mT.numpy()
    return kinds


def network_with_overlaps(
    overlaps: Overlaps, n_units: int, *, seed: int | list[int] = 0
) -> LowRankNetwork:
    """A network of `n_units` with exactly these overlaps, its vectors turned at random.

    Raises ValueError for fewer units than there are vectors (a row of `overlaps` each), and for
    overlaps that no network has (as `check_overlaps`).

    Examples
    --------
    >>> from ltr_core import theory
    >>> start = theory.pulse_problem(1).start
    >>> network = theory.network_with_overlaps(start, n_units=50)
    >>> network.left.shape, theory.overlaps(network).matrix.allclose(start.matrix)
    (torch.Size([50, 1]), True)
    """
    check_overlaps(overlaps)
    k = len(overlaps.matrix)
    if n_units < k:
        raise ValueError(f"n_units is {n_units}: {k} vectors need as many units at least.")
    values, directions = torch.linalg.eigh(overlaps.matrix)
    root = directions * values.clamp_min(0).sqrt()
    drawn = np.random.default_rng(seed).standard_normal((n_units, k))
    turned = torch.from_numpy(np.linalg.qr(drawn)[0])
    vectors = n_units**0.5 * turned @ root.mT
    left, right, inward, outward = (vectors[:, place] for place in overlaps.places.values())
    return LowRankNetwork(left, right, inward, outward.mT, overlaps.tau)


def overlap_output(
    overlaps: Overlaps, inputs: Float[Tensor, "trial time input"], *, dt: float
) -> Float[Tensor, "trial time output"]:
    """What every network with these overlaps puts out, from the visible ones alone.

    Raises ValueError as `check_overlaps` does, where inputs do not fit, or for dt above tau
    (assumption: an Euler step of at most tau).

    Examples
    --------
    >>> import ltr_core as ltr
    >>> from ltr_core import theory
    >>> one = theory.pulse_problem(1)
    >>> said = theory.overlap_output(one.start, one.inputs, dt=one.dt)
    >>> network = theory.network_with_overlaps(one.start, n_units=50).as_rnn()
    >>> said.allclose(ltr.simulate(network, one.inputs[None], one.dt).output[0])
    True
    """
    check_overlaps(overlaps)
    blocks = [overlaps.block(*pair) for pair in VISIBLE]
    return output_of_visible(blocks, inputs, h=dt / overlaps.tau)


def output_of_visible(
    blocks: Sequence[Tensor], inputs: Float[Tensor, "trial time input"], *, h: float
) -> Float[Tensor, "trial time output"]:
    """The output of the small network (kappa, v), differentiable in its blocks (as `VISIBLE`)."""
    right_left, right_inward, outward_left, outward_inward = blocks
    rank, p = right_inward.shape
    recurrent = torch.cat([right_left, right_inward], dim=1)
    recurrent = torch.cat([recurrent, recurrent.new_zeros(p, rank + p)])
    inward = torch.cat([recurrent.new_zeros(rank, p), torch.eye(p).to(recurrent)])
    outward = torch.cat([outward_left, outward_inward], dim=1)
    small = RNN(recurrent[None], inward[None], outward[None], 1.0, "identity")
    return simulate(small, inputs.double()[None], h).output[0]


def check_overlaps(overlaps: Overlaps) -> None:
    """Raise ValueError unless some network has these overlaps.

    The matrix must have 2 rank + inputs + outputs rows, be finite, symmetric and positive
    semi-definite.
    """
    matrix = overlaps.matrix
    k = 2 * overlaps.rank + overlaps.n_inputs + overlaps.n_outputs
    if overlaps.rank < 1 or matrix.shape != (k, k):
        raise ValueError(
            f"The matrix of overlaps has shape {tuple(matrix.shape)}: rank {overlaps.rank}, "
            f"{overlaps.n_inputs} inputs and {overlaps.n_outputs} outputs ask for {k} rows "
            "(twice the rank, at least 1, and one for each input and output)."
        )
    if not torch.isfinite(matrix).all():
        raise ValueError("The matrix of overlaps holds NaN or infinity.")
    scale = float(matrix.abs().max())
    if not torch.allclose(matrix, matrix.mT, rtol=0, atol=ROUNDING * scale):
        raise ValueError("The matrix of overlaps is not symmetric.")
    least = float(torch.linalg.eigvalsh(matrix)[0])
    if least < -ROUNDING * k * scale:
        raise ValueError(
            f"The matrix of overlaps has the eigenvalue {least:.2g}: no vectors overlap so; "
            "it must be positive semi-definite. Longer vectors (the diagonal) may help."
        )


def check_network(network: LowRankNetwork) -> None:
    """Raise ValueError where the parts of a network do not fit or hold values not finite."""
    sizes = {len(network.left), len(network.right), len(network.inward), network.outward.shape[1]}
    if len(sizes) > 1 or network.left.shape != network.right.shape or not network.left.numel():
        shapes = ", ".join(f"{part} {tuple(getattr(network, part).shape)}" for part in PARTS)
        raise ValueError(
            f"The shapes are {shapes}: left and right are (neuron, rank) with a rank of at least "
            "1, inward (neuron, input), outward (output, neuron), of the same neurons."
        )
    for part in PARTS:
        if not torch.isfinite(getattr(network, part)).all():
            raise ValueError(f"{part} holds NaN or infinity.")
