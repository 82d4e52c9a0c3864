"""Smiles as they stand in the papers, in plain numpy: the specification of the kernels."""

from typing import Any

import numpy as np


def svi_variance(k: Any, a: float, b: float, rho: float, m: float, sigma: float) -> Any:
    """Gatheral and Jacquier (2014), equation 3.1."""
    return a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + sigma**2))


def essvi_variance(k: Any, theta: float, rho: float, psi: float) -> Any:
    """Hendriks and Martini (2019), with psi = theta phi."""
    phi = psi / theta
    return 0.5 * theta * (1 + rho * phi * k + np.sqrt((phi * k + rho) ** 2 + 1 - rho**2))


def sabr_vol(k: Any, t: float, alpha: float, beta: float, rho: float, nu: float, forward: float = 1.0) -> Any:
    """Hagan et al. (2002), equation 2.17a, strike and forward as they stand there; alpha is theirs."""
    strike = forward * np.exp(k)
    log, mean = np.log(forward / strike), (forward * strike) ** ((1 - beta) / 2)
    z = nu / alpha * mean * log
    x = np.log((np.sqrt(1 - 2 * rho * z + z**2) + z - rho) / (1 - rho))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(np.abs(z) < 1e-6, 1 - 0.5 * rho * z, z / x)
    g = 1 - beta
    below = mean * (1 + g**2 / 24 * log**2 + g**4 / 1920 * log**4)
    time = g**2 / 24 * alpha**2 / mean**2 + rho * beta * nu * alpha / (4 * mean) + (2 - 3 * rho**2) / 24 * nu**2
    return alpha / below * ratio * (1 + time * t)


def durrleman(k: Any, w: Any, w1: Any, w2: Any) -> Any:
    """Gatheral and Jacquier (2014), equation 2.1."""
    return (1 - k * w1 / (2 * w)) ** 2 - w1**2 / 4 * (1 / w + 0.25) + w2 / 2
