"""The sum over out-of-the-money quotes that volatility indices are made of, for the strikes of one expiry.

sigma**2 = 2/T sum(dK/K**2 exp(R T) Q(K)) - (F/K0 - 1)**2 / T over the strip Q (Cboe, "Volatility Index Methodology:
Cboe Volatility Index"; NSE, "India VIX" white paper), which is the replication of a log contract (Demeterfi, Derman,
Kamal and Zou 1999) with the step at K0 taken out. Strikes ascend; a quote that does not count is NaN.
"""

from __future__ import annotations

import math

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray

__all__ = ["between_quotes", "live_strip", "natural_spline", "strip_variance"]


@kernel
def live_strip(call: FloatArray, put: FloatArray, at: int, zeros: int, out: FloatArray) -> None:
    """Write Q(K) into ``out`` (m,): puts below strike number ``at``, calls above, the mean of both on it.

    ``call``, ``put`` (m,) are mids, NaN where there is no bid. Walking outwards, a strike without a bid is left out,
    and after ``zeros`` such strikes in a row everything further out is (Cboe: two).
    """
    for i in range(out.size):
        out[i] = math.nan
    out[at] = 0.5 * (call[at] + put[at])
    missing = 0
    for i in range(at - 1, -1, -1):
        missing = 0 if put[i] > 0.0 else missing + 1
        if missing >= zeros:
            break
        out[i] = put[i] if put[i] > 0.0 else math.nan
    missing = 0
    for i in range(at + 1, out.size):
        missing = 0 if call[i] > 0.0 else missing + 1
        if missing >= zeros:
            break
        out[i] = call[i] if call[i] > 0.0 else math.nan


@kernel
def natural_spline(x: FloatArray, y: FloatArray, bend: FloatArray) -> None:
    """Write into ``bend`` the second derivatives of the natural cubic spline through n >= 2 knots (x, y), x ascending.

    Thomas's elimination of the tridiagonal system (de Boor 1978, chapter IV; natural: none at the ends).
    """
    n = x.size
    work = np.zeros(n)
    bend[0] = 0.0
    bend[n - 1] = 0.0
    rhs = 0.0
    for i in range(1, n - 1):
        left, right = x[i] - x[i - 1], x[i + 1] - x[i]
        pivot = 2.0 * (left + right) - left * work[i - 1]
        target = 6.0 * ((y[i + 1] - y[i]) / right - (y[i] - y[i - 1]) / left)
        rhs = (target - left * rhs) / pivot
        work[i] = right / pivot
        bend[i] = rhs
    for i in range(n - 2, 0, -1):
        bend[i] -= work[i] * bend[i + 1]


@kernel
def between_quotes(strike: FloatArray, mid: FloatArray, out: FloatArray) -> None:
    """Write ``mid`` (m,) into ``out`` with its NaNs between the first and the last quote filled by a natural spline."""
    knots = 0
    for i in range(mid.size):
        out[i] = mid[i]
        knots += 1 if mid[i] == mid[i] else 0
    if knots < 2:
        return
    x, y, bend = np.empty(knots), np.empty(knots), np.empty(knots)
    j = 0
    for i in range(mid.size):
        if mid[i] == mid[i]:
            x[j] = strike[i]
            y[j] = mid[i]
            j += 1
    natural_spline(x, y, bend)
    j = 0
    for i in range(mid.size):
        if strike[i] < x[0] or strike[i] > x[knots - 1]:
            continue
        while j < knots - 2 and strike[i] > x[j + 1]:
            j += 1
        if mid[i] != mid[i]:
            h = x[j + 1] - x[j]
            b = (strike[i] - x[j]) / h
            a = 1.0 - b
            curved = (a * a * a - a) * bend[j] + (b * b * b - b) * bend[j + 1]
            out[i] = a * y[j] + b * y[j + 1] + curved * h * h / 6.0


@kernel
def strip_variance(
    strike: FloatArray, quote: FloatArray, at: int, forward: float, growth: float, t: float, width: FloatArray,
    contribution: FloatArray,
) -> float:  # fmt: skip
    """Give sigma**2 of a strip and write each strike's dK and dK/K**2 exp(R T) Q(K) (0 where it does not count).

    dK is half the distance between the neighbours that count, at an end the distance to the only one. NaN if fewer
    than two strikes count or K0 (number ``at``) does not.
    """
    total = 0.0
    before, here = -1, -1
    count = 0
    for i in range(strike.size):
        width[i] = 0.0
        contribution[i] = 0.0
        if quote[i] == quote[i]:
            count += 1
            if here >= 0:
                width[here] = 0.5 * (strike[i] - strike[before]) if before >= 0 else strike[i] - strike[here]
            before, here = here, i
    if count < 2 or quote[at] != quote[at]:
        return math.nan
    width[here] = strike[here] - strike[before]
    for i in range(strike.size):
        if quote[i] == quote[i]:
            contribution[i] = width[i] / (strike[i] * strike[i]) * growth * quote[i]
            total += contribution[i]
    off = forward / float(strike[at]) - 1.0
    return (2.0 * total - off * off) / t
