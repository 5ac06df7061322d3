"""Linear networks that the tests of the theory learn with, and their learning done plainly."""

import numpy as np
import torch
from scipy.integrate import solve_ivp

from ltr_core.rnn import RNN, mean_field_networks


def linear_networks(n_networks, n_units, *, g, overlap=None, seed=0):
    """Random linear networks in double precision, with the cosine of m and w if given."""
    networks = mean_field_networks(
        n_networks, n_units, 1, 1, g=g, nonlinearity="identity", dtype=torch.float64, seed=seed
    )
    if overlap is None:
        return networks
    m, w = networks.inward.mT / n_units**0.5, networks.outward * n_units**0.5
    across = w - m * (m * w).sum(-1, keepdim=True)
    across = across / across.norm(dim=-1, keepdim=True)
    turned = overlap * m + (1 - overlap**2) ** 0.5 * across
    return networks._replace(outward=turned / n_units**0.5)


def forward_and_back(recurrent, inward, outward):
    """z, a and b by two solves."""
    gap = np.eye(len(recurrent)) - recurrent
    a, b = np.linalg.solve(gap, inward), np.linalg.solve(gap.T, outward)
    return outward @ a, a, b


def parts(networks, which=0):
    """W, m and w of one network, as arrays."""
    return (
        networks.recurrent[which].numpy(),
        networks.inward[which, :, 0].numpy(),
        networks.outward[which, 0].numpy(),
    )


def flow(networks, target, taus):
    """W at times tau under dW/dtau = (z* - z) b a^T, as one ordinary differential equation."""
    start, m, w = parts(networks)

    def slope(_, flat):
        z, a, b = forward_and_back(flat.reshape(start.shape), m, w)
        return ((target - z) * np.outer(b, a)).ravel()

    done = solve_ivp(
        slope, (0, max(taus)), start.ravel(), t_eval=taus, method="DOP853", rtol=1e-12, atol=1e-14
    )
    return done.y.T.reshape(-1, *start.shape)


def plain_descent(networks: RNN, target, learning_rate, n_epochs):
    """W and z after each step of gradient descent on one network, by solves alone."""
    recurrent, m, w = parts(networks)
    weights, outputs = [], []
    for _ in range(n_epochs + 1):
        z, a, b = forward_and_back(recurrent, m, w)
        weights.append(recurrent)
        outputs.append(z)
        recurrent = recurrent + learning_rate * (target - z) * np.outer(b, a)
    return np.stack(weights), np.array(outputs)
