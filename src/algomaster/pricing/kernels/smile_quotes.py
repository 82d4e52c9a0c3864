"""Which quotes of a chain a smile is fitted to, what they say, and how much each counts.

1. :func:`smile_quotes` sorts an expiry's usable quotes by strike. Usable: a volatility, a positive
   time, a forward, and a strike within twelve deviations of it. Of a
   strike's two options the one out of the money is used; within a quarter deviation of the forward the other one too,
   with a weight that falls to nothing at the edge, so that there is no seam at the money.
2. :func:`smile_weights` gives each a weight: the inverse square of the standard error that its volatility is thought to
   have, so normalised that the weights of an expiry have mean 1, and then turned from volatility into total variance.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.kernels.elementary import exp, log_ratio

__all__ = ["EQUAL", "GIVEN", "SPREAD", "VEGA", "smile_quotes", "smile_weights"]

EQUAL: Final = 0
VEGA: Final = 1
SPREAD: Final = 2
GIVEN: Final = 3
BLEND: Final = 0.25
"""How far from the forward, in deviations, the option in the money is used as well."""
LOWEST: Final = 1e-6
HIGHEST: Final = 30.0
"""A deviation vol sqrt(t) outside these is no volatility: the price is the intrinsic value or the largest there is."""
FARTHEST: Final = 12.0
"""So many deviations from the forward an option is worth 1e-33 of it: nobody quotes that."""
_TICKLESS: Final = 2e-3
"""No volatility is taken to be surer than this share of itself, however narrow its spread."""
_ONE_SIDED: Final = 5e-2
"""The share of itself by which a volatility without a two-sided quote is taken to be unsure."""
_LEAST_VEGA: Final = 1e-2
"""Against the largest vega of the expiry; below it price noise would say that a quote says nothing."""
_DENSITY: Final = 1.0 / math.sqrt(2.0 * math.pi)


@kernel
def smile_quotes(
    right: IntArray, strike: FloatArray, vol: FloatArray, expiry: IntArray, years: FloatArray, forward: FloatArray,
    k: FloatArray, share: FloatArray, row: IntArray, first: IntArray, ends: IntArray,
) -> None:  # fmt: skip
    """Write log-moneyness, share in the blend and row number of the quotes used, by expiry and ascending in k.

    Parameters
    ----------
    right, strike, vol, expiry : (n,)
    years, forward : (E,)
    k, share, row : (n,)
        Written up to ``first[E]``.
    first : (E + 1,)
        Written: the quotes of expiry e stand from first[e] up to first[e + 1].
    ends : (E,)
        Scratch.
    """
    expiries = years.size
    for e in range(expiries + 1):
        first[e] = 0
    for i in range(strike.size):
        first[expiry[i] + 1] += 1
    for e in range(expiries):
        first[e + 1] += first[e]
        ends[e] = first[e]
    for i in range(strike.size):
        e = expiry[i]
        f = forward[e]
        good = (vol[i] > 0.0) & (vol[i] < math.inf) & (strike[i] > 0.0) & (strike[i] < math.inf)
        if good and f > 0.0 and f < math.inf and years[e] > 0.0 and abs(right[i]) == 1:
            deviation = vol[i] * math.sqrt(years[e])
            x = log_ratio(strike[i], f)
            if LOWEST < deviation < HIGHEST and abs(x) <= FARTHEST * deviation:
                row[ends[e]] = i
                k[ends[e]] = x
                ends[e] += 1
    end = 0
    for e in range(expiries):
        begin, start = first[e], end
        first[e] = end
        nearest, band = math.inf, 1.0
        for j in range(begin, ends[e]):
            if abs(k[j]) < nearest:
                nearest = abs(k[j])
                band = BLEND * vol[row[j]] * math.sqrt(years[e])
        for j in range(begin, ends[e]):
            x, i = k[j], row[j]
            part = 1.0 - abs(x) / band if float(right[i]) * x < 0.0 else 1.0
            if not part > 0.0:
                continue
            at = end
            while at > start and k[at - 1] > x:
                k[at], row[at], share[at] = k[at - 1], row[at - 1], share[at - 1]
                at -= 1
            k[at], row[at], share[at] = x, i, part
            end += 1
    first[expiries] = end


@kernel
def smile_weights(
    kind: int, k: FloatArray, share: FloatArray, row: IntArray, first: IntArray, vol: FloatArray, bid: FloatArray,
    ask: FloatArray, given: FloatArray, years: FloatArray, forward: FloatArray, discount: FloatArray, w: FloatArray,
    omega: FloatArray, half: FloatArray,
) -> None:  # fmt: skip
    """Write total variance, its weight, and half the spread in volatility (NaN without two sides) of the quotes used.

    Half the spread in volatility is half the spread in price over vega. A weight on volatility becomes one on variance
    by (2 vol t)**2, the square of dw/dvol.
    """
    for e in range(years.size):
        root = math.sqrt(years[e]) if years[e] > 0.0 else 0.0
        scale = discount[e] * forward[e] * root * _DENSITY
        most = 0.0
        for j in range(first[e], first[e + 1]):
            i = row[j]
            deviation = vol[i] * root
            w[j] = deviation * deviation
            d1 = 0.5 * deviation - k[j] / deviation
            vega = scale * exp(-0.5 * d1 * d1)
            gap = ask[i] - bid[i]
            half[j] = 0.5 * gap / vega if gap >= 0.0 and bid[i] > 0.0 and vega > 0.0 else math.nan
            omega[j] = vega
            most = vega if vega > most else most
        total = 0.0
        for j in range(first[e], first[e + 1]):
            i = row[j]
            weight = 1.0
            if kind == VEGA:
                relative = max(omega[j] / most, _LEAST_VEGA) if most > 0.0 else 0.0
                weight = relative * relative
            elif kind == SPREAD:
                error = half[j] if half[j] >= 0.0 else _ONE_SIDED * vol[i]
                floor = _TICKLESS * vol[i]
                weight = 1.0 / (error * error + floor * floor)
            elif kind == GIVEN:
                weight = given[i] if given[i] > 0.0 and given[i] < math.inf else 0.0
            omega[j] = weight * share[j]
            total += omega[j]
        mean = total / max(first[e + 1] - first[e], 1)
        for j in range(first[e], first[e + 1]):
            vol_by_w = 4.0 * w[j] * years[e]
            omega[j] = omega[j] / (mean * vol_by_w) if mean > 0.0 else 0.0
