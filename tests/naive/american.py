"""American options on a tree: slow, obvious, good to some six digits of the strike."""

import math

import numpy as np
from scipy.special import ndtr


def tree(
    right: int, spot: float, strike: float, t: float, vol: float, rate: float, dividend: float, steps: int
) -> float:
    """Cox, Ross and Rubinstein's tree with Black's formula in the last step (Broadie and Detemple 1996, "BBS")."""
    dt = t / steps
    up = math.exp(vol * math.sqrt(dt))
    p = (math.exp((rate - dividend) * dt) - 1 / up) / (up - 1 / up)
    assert 0 < p < 1
    discount = math.exp(-rate * dt)
    spots = spot * up ** np.arange(-(steps - 1), steps, 2.0)
    deviation = vol * math.sqrt(dt)
    d1 = (np.log(spots / strike) + (rate - dividend) * dt) / deviation + deviation / 2
    last = right * (
        spots * math.exp(-dividend * dt) * ndtr(right * d1) - strike * discount * ndtr(right * (d1 - deviation))
    )
    value = np.maximum(last, right * (spots - strike))
    for _ in range(steps - 1):
        spots = spots[:-1] * up
        value = np.maximum(discount * (p * value[1:] + (1 - p) * value[:-1]), right * (spots - strike))
    return float(value[0])


def american(
    right: int, spot: float, strike: float, t: float, vol: float, rate: float, dividend: float, steps: int = 1000
) -> float:
    """Richardson's extrapolation of two trees ("BBSR")."""
    fine, coarse = (tree(right, spot, strike, t, vol, rate, dividend, n) for n in (2 * steps, steps))
    return 2 * fine - coarse
