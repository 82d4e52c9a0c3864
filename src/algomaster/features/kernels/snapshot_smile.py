"""Implied volatilities of one expiry at one minute, out of the money by strike, and the shape of their smile."""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray
from algomaster.features.kernels.snapshot_arrays import BF_25D, IV_NEAR, RR_25D, SKEW_SLOPE, SMILE_CURV, Work
from algomaster.features.kernels.snapshot_prices import around, imply, vol_at_forward
from algomaster.pricing.kernels.dealer_flow import hedge_greeks_loop
from algomaster.pricing.kernels.elementary import log_ratio

__all__ = ["smile"]

DELTA: Final = 0.25
FITTED: Final = 5.5
"""Steps from the money within which level, slope and curvature are fitted."""
FEWEST: Final = 5


@kernel(inner=True)
def smile(
    strikes: FloatArray, work: Work, centre: int, forward: float, t: float, discount: float, step: float,
    row: FloatArray,
) -> None:  # fmt: skip
    """Write the smile's columns from the prices in ``work``; leave volatilities in ``work.vol``."""
    imply(strikes, work, forward, t, discount, 0, strikes.size)
    below, above = around(strikes, work, forward, step)
    row[IV_NEAR] = vol_at_forward(strikes, work.vol, forward, below, above)
    for k in range(strikes.size):
        work.t[k], work.forward[k], work.discount[k] = t, forward, discount
    hedge_greeks_loop(work.ones, forward, strikes, work.t, work.vol, work.forward, work.discount, work.greeks)
    for k in range(strikes.size):
        work.part[k] = work.greeks[0, k] / discount
    call = _at_chance(strikes, work.part, work.vol, forward, DELTA, True)
    put = _at_chance(strikes, work.part, work.vol, forward, 1.0 - DELTA, False)
    row[RR_25D] = call - put
    row[BF_25D] = 0.5 * (call + put) - row[IV_NEAR]
    slope, curve = _parabola(strikes, work.vol, strikes[centre], forward, step)
    row[SKEW_SLOPE] = slope / row[IV_NEAR]
    row[SMILE_CURV] = curve


@kernel(lean=True, inner=True)
def _at_chance(
    strikes: FloatArray, chance: FloatArray, vol: FloatArray, forward: float, target: float, upwards: bool
) -> float:
    """Give the volatility where N(d1) is ``target``, between the two strikes around it by straight line in N(d1).

    The walk begins at the nearest strike on the other side of the forward, so that the first step leads across it.
    """
    side = 1 if upwards else -1
    k = 0 if upwards else strikes.size - 1
    before = -1
    while 0 <= k < strikes.size:
        if vol[k] == vol[k] and chance[k] == chance[k]:
            ahead = strikes[k] >= forward if upwards else strikes[k] < forward
            passed = chance[k] <= target if upwards else chance[k] >= target
            if ahead and passed:
                if before < 0 or chance[k] == chance[before]:
                    return math.nan
                run = (target - chance[before]) / (chance[k] - chance[before])
                return float(vol[before] + (vol[k] - vol[before]) * run)
            before = k
        k += side
    return math.nan


@kernel(lean=True, inner=True)
def _parabola(strikes: FloatArray, vol: FloatArray, money: float, forward: float, step: float) -> tuple[float, float]:
    """Give first and second derivative by x = ln(K / F) at x = 0 of the parabola fitted to vol by least squares.

    Deviations from the means keep the normal equations well conditioned.
    """
    count, mean_x, mean_y = 0, 0.0, 0.0
    for k in range(strikes.size):
        if abs(strikes[k] - money) < FITTED * step and vol[k] == vol[k]:
            count += 1
            mean_x += log_ratio(strikes[k], forward)
            mean_y += vol[k]
    if count < FEWEST:
        return math.nan, math.nan
    mean_x /= count
    mean_y /= count
    second, third, fourth, linear, square = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(strikes.size):
        if abs(strikes[k] - money) < FITTED * step and vol[k] == vol[k]:
            u = log_ratio(strikes[k], forward) - mean_x
            v = vol[k] - mean_y
            second += u * u
            third += u * u * u
            fourth += u * u * u * u
            linear += u * v
            square += u * u * v
    bend = (square - third * linear / second) / (fourth - third * third / second - second * second / count)
    slope = (linear - bend * third) / second
    return slope - 2.0 * bend * mean_x, 2.0 * bend
