"""SVI's jump-wing parameters: the same hyperbola in the trade's words."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["JumpWings", "jump_wings"]


class JumpWings(NamedTuple):
    """Of one expiry.

    Attributes
    ----------
    variance : float
        At the money, a year.
    skew : float
        At the money: the slope of volatility by k, times sqrt(t).
    put_slope, call_slope : float
        Of the wings of total variance, in deviations at the money.
    least : float
        Smallest variance, a year.
    """

    variance: float
    skew: float
    put_slope: float
    call_slope: float
    least: float


def jump_wings(parameters: ArrayLike, t: float) -> JumpWings:
    """Give the jump-wing parameters of raw SVI (a, b, rho, m, sigma) of total variance at ``t`` years.

    Gatheral and Jacquier, "Arbitrage-free SVI volatility surfaces" (2014), equation 3.5.

    Examples
    --------
    >>> round(jump_wings([-0.0410, 0.1331, 0.3060, 0.3586, 0.4153], 1.0).variance, 8)
    0.01742625
    """
    a, b, rho, m, sigma = (float(value) for value in np.asarray(parameters, np.float64))
    root = float(np.hypot(m, sigma))
    w = a + b * (root - rho * m)
    deviation = float(np.sqrt(w))
    least = a + b * sigma * float(np.sqrt(1.0 - rho * rho))
    return JumpWings(
        w / t,
        0.5 * b / deviation * (rho - m / root),
        b * (1.0 - rho) / deviation,
        b * (1.0 + rho) / deviation,
        least / t,
    )
