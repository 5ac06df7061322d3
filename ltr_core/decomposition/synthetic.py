"""Tensors of known components, on which a decomposition can be tried."""

import numpy as np
from jaxtyping import Float

from ltr_core.decomposition.cp_decomposition import CP


def planted(
    rng: np.random.Generator, shape: tuple[int, int, int], rank: int, cosine: float = 0.0
) -> CP:
    """Random components whose step factors have this cosine, every two of them.

    Post and pre factors are Gaussian before they are normalised.

    Raises
    ------
    ValueError
        For a cosine outside 0 to 1 (1 excluded), or fewer steps than rank + 1.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import synthetic
    >>> truth = synthetic.planted(np.random.default_rng(0), (12, 10, 10), rank=3, cosine=0.5)
    >>> truth.rank, truth.reconstruct().shape
    (3, (12, 10, 10))
    >>> (truth.step.T @ truth.step).round(3)[0].tolist()
    [1.0, 0.5, 0.5]
    """
    if not 0 <= cosine < 1:
        raise ValueError(f"cosine is {cosine}; expected 0 or more, and below 1")
    if shape[0] <= rank:
        raise ValueError(f"{shape[0]} steps cannot hold {rank} step factors: {rank + 1} are needed")
    basis = np.linalg.qr(rng.standard_normal((shape[0], rank + 1)))[0]
    step = np.sqrt(cosine) * basis[:, :1] + np.sqrt(1 - cosine) * basis[:, 1:]
    post, pre = (rng.standard_normal((size, rank)) for size in shape[1:])
    return CP.of(step, post, pre)


def with_noise(
    tensor: Float[np.ndarray, "step post pre"], rng: np.random.Generator, relative: float
) -> Float[np.ndarray, "step post pre"]:
    """The tensor plus Gaussian noise whose norm is `relative` times the tensor's.

    Examples
    --------
    >>> import numpy as np
    >>> from ltr_core import synthetic
    >>> noisy = synthetic.with_noise(np.ones((5, 4, 4)), np.random.default_rng(0), relative=0.1)
    >>> noisy.shape
    (5, 4, 4)
    """
    noise = rng.standard_normal(tensor.shape)
    return tensor + noise * (relative * np.linalg.norm(tensor) / np.linalg.norm(noise))
