"""Forward and discount of one expiry from put-call parity: C - P = D (F - K), a straight line in the strike.

1. :func:`_pairs` collects the strikes at which both rights have a price, with the width of their quotes.
2. :func:`_around_the_money` keeps those near the strike at which call and put cost the same: within
   :data:`QUOTED_WINDOW` straddles where there are quotes, :data:`TRADED_WINDOW` where there are only last prices: those
   away from the money are old ones.
3. :func:`_line` fits the line by iterated weighted least squares: the weight of a pair is the inverse square of its
   quotes' width times Tukey's biweight of its residual (A. Beaton, J. Tukey, Technometrics 16 (1974) 147), whose
   constant 4.685 gives 95 % efficiency under normal errors; the scale is the median absolute residual.

Where the discount is known only the intercept is fitted. There are no exceptions: too few pairs give NaN.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray

__all__ = ["QUOTED_WINDOW", "TRADED_WINDOW", "parity_loop"]

QUOTED_WINDOW: Final = 2.5
"""Straddles: about two standard deviations, an at-the-money straddle being worth 0.8 of one (Bachelier)."""
TRADED_WINDOW: Final = 1.0
_BIWEIGHT: Final = 4.685
_MAD_TO_SIGMA: Final = 1.4826  # of a normal distribution, 1 / its upper quartile
_ROUNDS: Final = 30
_SETTLED: Final = 1e-13
_FEWEST_FOR_SLOPE: Final = 4
_UNIFORM: Final = 1.0 / 3.0
"""Variance of a price that may be anywhere within quotes one half-spread to either side. Smaller residuals are no
evidence of a better one, as the middles of neighbouring quotes err together."""


@kernel
def _pairs(
    right: IntArray, strike: FloatArray, price: FloatArray, width: FloatArray, first: int, last: int,
    pair_strike: FloatArray, pair_gap: FloatArray, pair_straddle: FloatArray, pair_width: FloatArray,
) -> int:  # fmt: skip
    """Fill the pairs of rows [first, last), sorted by strike and, within one, put before call; give their number."""
    found = 0
    for i in range(first, last - 1):
        if strike[i] == strike[i + 1] and right[i] == -1 and right[i + 1] == 1:
            put, call = price[i], price[i + 1]
            if put > 0.0 and call > 0.0 and math.isfinite(put) and math.isfinite(call):
                pair_strike[found] = strike[i]
                pair_gap[found] = call - put
                pair_straddle[found] = call + put
                pair_width[found] = width[i] + width[i + 1]
                found += 1
    return found


@kernel
def _around_the_money(
    count: int, pair_strike: FloatArray, pair_gap: FloatArray, pair_straddle: FloatArray, pair_width: FloatArray
) -> tuple[int, bool]:
    """Keep the pairs near the money, in place; give their number and whether they are quotes: then all have a width."""
    centre = 0
    quoted = False
    for i in range(count):
        if abs(pair_gap[i]) < abs(pair_gap[centre]):
            centre = i
        quoted |= pair_width[i] > 0.0
    middle = pair_strike[centre] + pair_gap[centre]
    reach = (QUOTED_WINDOW if quoted else TRADED_WINDOW) * pair_straddle[centre]
    smallest = math.inf
    for i in range(count):
        if 0.0 < pair_width[i] < smallest:
            smallest = pair_width[i]
    kept = 0
    for i in range(count):
        if abs(pair_strike[i] - middle) <= reach and (not quoted or pair_width[i] >= 0.0):
            pair_strike[kept] = pair_strike[i]
            pair_gap[kept] = pair_gap[i]
            pair_width[kept] = (pair_width[i] if pair_width[i] > smallest else smallest) if quoted else 1.0
            kept += 1
    return kept, quoted


@kernel
def _median(values: FloatArray, count: int) -> float:
    values[:count].sort()
    middle = count // 2
    return float(values[middle]) if count % 2 else 0.5 * float(values[middle - 1] + values[middle])


@kernel
def _line(
    count: int, known_discount: float, floor: float, pair_strike: FloatArray, pair_gap: FloatArray,
    pair_width: FloatArray, scratch: FloatArray, weight: FloatArray,
) -> tuple[float, float, float, float]:  # fmt: skip
    """Give (forward, its standard error, discount, its standard error); the last is 0 where the discount is known."""
    free = math.isnan(known_discount)
    discount = 1.0 if free else known_discount
    if count < (_FEWEST_FOR_SLOPE if free else 1):
        return math.nan, math.nan, math.nan, math.nan
    for i in range(count):
        scratch[i] = pair_strike[i] + pair_gap[i] / discount
    forward = _median(scratch, count)
    error, slope_error = math.nan, 0.0
    for turn in range(_ROUNDS):
        for i in range(count):
            scratch[i] = abs(pair_gap[i] - discount * (forward - pair_strike[i])) / pair_width[i]
            weight[i] = scratch[i]
        cut = _BIWEIGHT * _MAD_TO_SIGMA * _median(scratch, count)
        total, sum_k, sum_y = 0.0, 0.0, 0.0
        for i in range(count):
            far = weight[i] / cut if cut > 0.0 else (0.0 if weight[i] == 0.0 else 1.0)
            tuned = (1.0 - far * far) * (1.0 - far * far) if far < 1.0 else 0.0
            weight[i] = tuned / (pair_width[i] * pair_width[i])
            total += weight[i]
            sum_k += weight[i] * (pair_strike[i] - forward)
            sum_y += weight[i] * pair_gap[i]
        if total <= 0.0:
            return math.nan, math.nan, math.nan, math.nan
        mean_k, mean_y = sum_k / total, sum_y / total  # of strikes measured from the last forward
        spread, joint = 0.0, 0.0
        for i in range(count):
            away = pair_strike[i] - forward - mean_k
            spread += weight[i] * away * away
            joint += weight[i] * away * (pair_gap[i] - mean_y)
        if free:
            if spread <= 0.0 or joint >= 0.0:
                return math.nan, math.nan, math.nan, math.nan
            discount = -joint / spread
        moved = mean_k + mean_y / discount
        base = forward
        forward = base + moved
        squares, used = 0.0, 0
        for i in range(count):
            residual = pair_gap[i] - discount * (forward - pair_strike[i])
            squares += weight[i] * residual * residual
            used += 1 if weight[i] > 0.0 else 0
        freedom = used - (2 if free else 1)
        variance = squares / freedom if freedom > 0 else math.nan
        variance = floor if variance < floor else variance
        off = base + mean_k - forward
        error = math.sqrt(variance * (1.0 / total + (off * off / spread if free else 0.0))) / discount
        slope_error = math.sqrt(variance / spread) if free else 0.0
        if turn > 0 and abs(moved) <= _SETTLED * abs(forward):
            break
    return forward, error, discount, slope_error


@kernel
def parity_loop(
    right: IntArray, strike: FloatArray, price: FloatArray, width: FloatArray, starts: IntArray,
    known_discount: FloatArray, scratch: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    """Fit every expiry.

    Parameters
    ----------
    right, strike, price, width : (n,)
        Sorted by expiry, strike, right. ``width`` is half the quote's spread, 0 where prices are not quotes, NaN where
        this quote has no two sides.
    starts : (E + 1,)
        First row of each expiry, then n.
    known_discount : (E,)
        NaN where it is to be fitted.
    scratch : (6, n)
    out : (5, E)
        Forward, its standard error, discount, its standard error, pairs used.
    """
    for e in range(starts.size - 1):
        count = _pairs(
            right, strike, price, width, starts[e], starts[e + 1], scratch[0], scratch[1], scratch[2], scratch[3]
        )
        quoted = False
        if count > 0:
            count, quoted = _around_the_money(count, scratch[0], scratch[1], scratch[2], scratch[3])
        out[0, e], out[1, e], out[2, e], out[3, e] = _line(
            count,
            known_discount[e],
            _UNIFORM if quoted else 0.0,
            scratch[0],
            scratch[1],
            scratch[3],
            scratch[4],
            scratch[5],
        )
        out[4, e] = count
