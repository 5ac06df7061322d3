"""Theory and simulation of the linear network side by side, in the theory's own time."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ltr_core.learned_change import THRESHOLD, learning_time, permuted
from ltr_core.rnn import RNN
from ltr_core.theory import linear
from ltr_core.theory.fixed_point import descend_fixed_point
from ltr_core.theory.resolvent import change_orders, fixed_point_output


class Comparison(NamedTuple):
    """Learning of one target at one g, simulated (network, epoch) and by theory (epoch,).

    - `t` (epoch,): the theory's time, (learning rate x epoch) / (1 - g^2)^2.
    - `distance` (network,): the first distance from the target, `|z* - z0|`, as a share of `|z*|`.
    - `reached`: the share of the way to the target, `(z - z0) / (z* - z0)`. Theory starts at z0 =
      0; a network of finite size starts a little off it.
    - `loss`: as a share of the first; `first`, `second`: singular values of the change.
    - `last_valid`: the last epoch with t <= `valid_until`.
    - `time` (network,), `time_theory`, `time_small`: the epochs to 5 % of the first loss, simulated
      (infinite if never), from the third-order series, and in the limit of a small target.
    - `shuffled` (network,): the loss after the last epoch with the initial weights permuted, as a
      share of the first.

    Examples
    --------
    >>> from ltr_core import theory
    >>> from ltr_core.rnn import mean_field_networks
    >>> networks = mean_field_networks(2, 64, 1, 1, g=0.5, nonlinearity="identity")
    >>> found = theory.compare(networks, 0.5, 0.5, learning_rate=0.005, n_epochs=50)
    >>> found.reached.shape, found.reached_theory.shape
    ((2, 51), (51,))
    >>> print(found.t[-1].round(3))  # 0.005 * 50 / (1 - 0.5^2)^2
    0.444
    """

    t: Float[np.ndarray, " epoch"]
    distance: Float[np.ndarray, " network"]
    reached: Float[np.ndarray, "network epoch"]
    loss: Float[np.ndarray, "network epoch"]
    first: Float[np.ndarray, "network epoch"]
    second: Float[np.ndarray, "network epoch"]
    reached_theory: Float[np.ndarray, " epoch"]
    loss_theory: Float[np.ndarray, " epoch"]
    first_theory: Float[np.ndarray, " epoch"]
    second_theory: Float[np.ndarray, " epoch"]
    last_valid: int
    time: Float[np.ndarray, " network"]
    time_theory: float
    time_small: float
    shuffled: Float[np.ndarray, " network"]


class MissedChange(NamedTuple):
    """How much of the change theory misses at the end of its range, as shares of its norm.

    - `first_order`, `both_orders` (network,): left without the first order, or the first two.
    - `permuted` (network,): the same with both orders made from permuted initial weights.

    Examples
    --------
    >>> from ltr_core import theory
    >>> from ltr_core.rnn import mean_field_networks
    >>> networks = mean_field_networks(2, 64, 1, 1, g=0.2, nonlinearity="identity")
    >>> missed = theory.missed_change(networks, 0.2, 0.5, learning_rate=0.01)
    >>> missed.first_order.shape, missed.permuted.shape
    ((2,), (2,))
    """

    first_order: Float[np.ndarray, " network"]
    both_orders: Float[np.ndarray, " network"]
    permuted: Float[np.ndarray, " network"]


def compare(
    networks: RNN,
    g: float,
    target: float,
    *,
    learning_rate: float,
    n_epochs: int,
    error: float = 0.1,
    seed: int = 0,
) -> Comparison:
    """Let linear networks of strength g learn a fixed point, and set theory beside it.

    - `networks`: one input, one output, initial weights of variance g^2 / N.
    - `learning_rate`: of gradient descent. `error`: see `valid_until`; `seed`: of the permutations.

    Raises ValueError where `descend_fixed_point` or `expansion` does.

    Examples
    --------
    >>> from ltr_core import theory
    >>> from ltr_core.rnn import mean_field_networks
    >>> networks = mean_field_networks(2, 64, 1, 1, g=0.2, nonlinearity="identity")
    >>> found = theory.compare(networks, 0.2, 0.5, learning_rate=0.01, n_epochs=50)
    >>> found.last_valid
    49
    >>> off = found.reached - found.reached_theory
    >>> bool(abs(off[:, : found.last_valid]).max() < 0.1)
    True
    """
    tau = learning_rate * np.arange(n_epochs + 1)
    theory = linear.expansion(g, target, tau)
    t = linear.scaled_time(g, tau)
    valid = int(np.searchsorted(t, linear.valid_until(g, target, error), side="right")) - 1
    learned = descend_fixed_point(
        networks,
        target,
        learning_rate=learning_rate,
        n_epochs=n_epochs,
        record_at=[n_epochs],
    )
    output, loss = learned.output.numpy(), learned.loss.numpy()
    recurrent = permuted(networks.recurrent, seed=seed) + learned.change[:, -1]
    after = networks._replace(recurrent=recurrent)
    kept = (target - fixed_point_output(after).numpy()) ** 2 / 2 / loss[:, 0]
    return Comparison(
        t=t,
        distance=np.abs(1 - output[:, 0] / target),
        reached=(output - output[:, :1]) / (target - output[:, :1]),
        loss=loss / loss[:, :1],
        first=learned.singular_values[..., 0].numpy(),
        second=learned.singular_values[..., 1].numpy(),
        reached_theory=theory.output / target,
        loss_theory=theory.loss / theory.loss[0],
        first_theory=theory.first_singular_value,
        second_theory=theory.second_singular_value,
        last_valid=valid,
        time=learning_time(learned.loss),
        time_theory=float(linear.learning_time(g, target, THRESHOLD) / learning_rate),
        time_small=float(linear.small_target_learning_time(g, THRESHOLD) / learning_rate),
        shuffled=kept,
    )


def missed_change(
    networks: RNN,
    g: float,
    target: float,
    *,
    learning_rate: float,
    error: float = 0.1,
    seed: int = 0,
) -> MissedChange:
    """Let linear networks learn up to `valid_until`, and take the theory's change from theirs.

    Settings are those of `compare`. Raises ValueError where it does, and for a learning rate so
    large that the range ends before the first epoch.

    Examples
    --------
    >>> from ltr_core import theory
    >>> from ltr_core.rnn import mean_field_networks
    >>> networks = mean_field_networks(2, 64, 1, 1, g=0.2, nonlinearity="identity")
    >>> missed = theory.missed_change(networks, 0.2, 0.5, learning_rate=0.01)
    >>> missed.both_orders < missed.first_order
    array([ True,  True])
    >>> missed.both_orders < missed.permuted
    array([ True,  True])
    """
    n_epochs = int(linear.valid_until(g, target, error) / linear.scaled_time(g, learning_rate))
    if n_epochs < 1:
        raise ValueError(f"learning_rate is {learning_rate}: the first epoch is out of the range.")
    change = descend_fixed_point(
        networks, target, learning_rate=learning_rate, n_epochs=n_epochs, record_at=[n_epochs]
    ).change[:, 0]
    tau = learning_rate * n_epochs
    shuffled = permuted(networks.recurrent, seed=seed)
    shares = []
    for i, learned in enumerate(change):  # one at a time: the matrices of all are many
        one = networks.only(i)
        orders = change_orders(one, target)
        others = change_orders(one._replace(recurrent=shuffled[i : i + 1]), target)
        left = [learned - tau * orders.first[0]]
        left.append(left[0] - tau**2 * orders.second[0])
        left.append(learned - tau * others.first[0] - tau**2 * others.second[0])
        shares.append([float(rest.norm() / learned.norm()) for rest in left])
    return MissedChange(*np.array(shares).T)
