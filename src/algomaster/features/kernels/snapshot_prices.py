"""Prices of one expiry at one minute, its forward by put-call parity and its volatility at the money."""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import CALL, PUT, FloatArray
from algomaster.features.kernels.snapshot_arrays import Session, Work
from algomaster.pricing.kernels.elementary import log_ratio
from algomaster.pricing.kernels.implied import black_implied

__all__ = ["around", "imply", "parity_forward", "prices", "vol_at_forward"]

PAIRS: Final = 2
"""Pairs of call and put on either side of the money that have a say in the forward."""
WIDEST: Final = 5
"""Places away from the money at which they are looked for."""
NEAR: Final = 3.0
"""Steps between the forward and a strike that may still tell the volatility at the money."""


@kernel(lean=True, inner=True)
def _price(session: Session, e: int, k: int, r: int, i: int) -> float:
    bid, ask, close = session.bid[e, k, r, i], session.ask[e, k, r, i], session.close[e, k, r, i]
    if bid > 0 and ask >= bid:
        return float((bid * session.tick + ask * session.tick) / 2.0)
    return float(close * session.tick) if close > 0 else math.nan


@kernel(lean=True, inner=True)
def prices(session: Session, e: int, i: int, calls: FloatArray, puts: FloatArray) -> None:
    """Write the middle of bid and ask, else the close, else NaN, of all strikes (K,) in rupees."""
    for k in range(session.strikes.size):
        calls[k] = _price(session, e, k, 0, i)
        puts[k] = _price(session, e, k, 1, i)


@kernel(lean=True, inner=True)
def _insert(values: FloatArray, count: int, value: float) -> None:
    """Put one more value into the ascending first ``count`` values."""
    place = count
    while place > 0 and values[place - 1] > value:
        values[place] = values[place - 1]
        place -= 1
    values[place] = value


@kernel(lean=True, inner=True)
def _median(values: FloatArray, count: int) -> float:
    if count == 0:
        return math.nan
    middle = count // 2
    return float(values[middle]) if count % 2 else 0.5 * float(values[middle - 1] + values[middle])


@kernel(lean=True, inner=True)
def parity_forward(
    strikes: FloatArray, calls: FloatArray, puts: FloatArray, discount: float, few: FloatArray
) -> tuple[int, float, float]:
    """Give the strike at the money (its place), the forward, and how far the pair at the money is off its neighbours.

    At the money is where call and put cost most nearly the same. Each pair near it has a forward, strike + (call - put)
    / discount; the median of the pair at the money and up to :data:`PAIRS` on either side is the forward, so that one
    stale price changes nothing. The gap is discount * (forward of the pair at the money - median of the others).
    (-1, NaN, NaN) without a pair, gap NaN without a second one.
    """
    centre = -1
    least = math.inf
    for k in range(strikes.size):
        apart = abs(calls[k] - puts[k])
        if apart < least:
            centre, least = k, apart
    if centre < 0:
        return -1, math.nan, math.nan
    count = 0
    for side in (-1, 1):
        found = 0
        for away in range(1, WIDEST + 1):
            k = centre + side * away
            if 0 <= k < strikes.size and found < PAIRS:
                value = strikes[k] + (calls[k] - puts[k]) / discount
                if value == value:
                    _insert(few, count, value)
                    count += 1
                    found += 1
    own = strikes[centre] + (calls[centre] - puts[centre]) / discount
    gap = (own - _median(few, count)) * discount
    _insert(few, count, own)
    forward = _median(few, count + 1)
    return centre, forward if forward > 0.0 else math.nan, gap


@kernel(inner=True)
def imply(strikes: FloatArray, work: Work, forward: float, t: float, discount: float, first: int, last: int) -> None:
    """Write volatilities of strikes ``first`` to ``last - 1`` into ``work.vol``, NaN where there is none.

    The call tells that of a strike at or above the forward, the put that of one below.
    """
    for k in range(first, last):
        call = strikes[k] >= forward
        work.right[k] = CALL if call else PUT
        work.price[k] = work.calls[k] if call else work.puts[k]
    for k in range(first, last):
        work.vol[k], work.status[k] = black_implied(work.right[k], work.price[k], forward, strikes[k], t, discount)


@kernel(lean=True, inner=True)
def around(strikes: FloatArray, work: Work, forward: float, step: float) -> tuple[int, int]:
    """Give the nearest strike below the forward whose put has a price, and the nearest at or above whose call has one.

    Their places; -1 where there is none within :data:`NEAR` steps.
    """
    below, above = -1, -1
    for k in range(strikes.size):
        if abs(strikes[k] - forward) <= NEAR * step:
            if strikes[k] < forward:
                below = k if work.puts[k] == work.puts[k] else below
            elif above < 0 and work.calls[k] == work.calls[k]:
                above = k
    return below, above


@kernel(lean=True, inner=True)
def vol_at_forward(strikes: FloatArray, vol: FloatArray, forward: float, below: int, above: int) -> float:
    """Give the volatility at the forward: between the two strikes, by straight line in ln K; NaN without both."""
    if above >= 0 and strikes[above] == forward:
        return float(vol[above])
    if below < 0 or above < 0:
        return math.nan
    x_low, x_high = log_ratio(strikes[below], forward), log_ratio(strikes[above], forward)
    return float(vol[below] + (vol[above] - vol[below]) * (-x_low / (x_high - x_low)))
