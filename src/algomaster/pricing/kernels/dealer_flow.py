"""Sensitivities that dealers hedge, their sum at many spots, the level where it turns, and where options pay least.

1. :func:`hedge_greeks_loop` gives delta, gamma, vanna and charm by spot of every quote, its forward moving with it.
2. :func:`gamma_terms` writes an option's spot**2 * gamma as ``height * spot * exp(-(slope * x + offset)**2)`` with
   x = ln(spot / reference): what is left to do at each spot is one square and one exponential.
3. :func:`gamma_profile` sums that over the options; the spots are the inner loop, so that it becomes vector code and
   every spot's sum runs over the options in their order: the same bits at any length and with the JIT off.
4. :func:`gamma_root` narrows a bracket of the sum's sign change down to neighbouring numbers.
5. :func:`total_payouts` gives what all options together would pay at each strike.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.kernels.elementary import exp, log_ratio
from algomaster.pricing.kernels.vanilla import black_greeks

__all__ = ["gamma_profile", "gamma_root", "gamma_terms", "hedge_greeks_loop", "total_payouts"]

_INV_SQRT2: Final = math.sqrt(0.5)
_INV_SQRT_2PI: Final = 1.0 / math.sqrt(2.0 * math.pi)
_MOST_HALVINGS: Final = 200


@kernel
def hedge_greeks_loop(
    right: IntArray, spot: float, strike: FloatArray, t: FloatArray, vol: FloatArray, forward: FloatArray,
    discount: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    """Write delta, gamma, vanna and charm by ``spot`` into the rows of ``out`` (4, n); NaN where they are not defined.

    Vanna is the change of delta by 1.00 of volatility, charm that by a year of calendar time at constant spot,
    rate and yield, those which ``forward`` and ``discount`` imply: r = -ln(discount) / t, b = ln(forward / spot) / t.

    Notes
    -----
    With delta = discount * forward / spot * N(d1) (a put: -N(-d1)) and n = discount * forward / spot * phi(d1):
    vanna = -n d2 / vol, charm = (r - b) delta - n (b / (vol sqrt(t)) - d2 / (2 t)). E. G. Haug, "The Complete Guide to
    Option Pricing Formulas" (2007), section 2.
    """
    for i in range(out.shape[1]):
        f, k, years, sigma = float(forward[i]), float(strike[i]), float(t[i]), float(vol[i])
        d = float(discount[i])
        root = math.sqrt(years)
        deviation = sigma * root
        usable = (deviation > 0.0) & (f > 0.0) & (f < math.inf) & (d > 0.0) & (d < math.inf) & (spot > 0.0)
        deviation = deviation if usable else 1.0
        years = years if usable else 1.0
        rate = -log_ratio(d if usable else 1.0, 1.0) / years
        carry = log_ratio(f if usable else 1.0, spot if usable else 1.0) / years
        growth = (f if usable else 1.0) / (spot if usable else 1.0)
        _, delta, gamma, vega, _, _ = black_greeks(right[i], spot, k, years, sigma, rate, rate - carry, growth, d)
        usable = usable & (delta == delta)
        d2 = log_ratio(f if usable else 1.0, k if usable else 1.0) / deviation - 0.5 * deviation
        density = vega / (spot * (root if usable else 1.0))
        vanna = -density * d2 / (sigma if usable else 1.0)
        charm = (rate - carry) * delta - density * (carry / deviation - 0.5 * d2 / years)
        missing = 0.0 if usable else math.nan
        out[0, i], out[1, i], out[2, i], out[3, i] = delta + missing, gamma + missing, vanna + missing, charm + missing


@kernel
def gamma_terms(
    reference: float, strike: FloatArray, t: FloatArray, vol: FloatArray, forward: FloatArray, discount: FloatArray,
    weight: FloatArray, slope: FloatArray, offset: FloatArray, height: FloatArray,
) -> None:  # fmt: skip
    """Write the three numbers (n,) of which an option's weighted spot**2 * gamma is made at any spot.

    ``forward`` is the one seen while the spot stands at ``reference``; volatilities stay with their strikes. All inputs
    are positive.
    """
    for i in range(slope.size):
        deviation = vol[i] * math.sqrt(t[i])
        slope[i] = _INV_SQRT2 / deviation
        offset[i] = _INV_SQRT2 * (log_ratio(forward[i], strike[i]) / deviation + 0.5 * deviation)
        height[i] = weight[i] * discount[i] * (forward[i] / reference) * _INV_SQRT_2PI / deviation


@kernel
def gamma_profile(
    reference: float, slope: FloatArray, offset: FloatArray, height: FloatArray, expiry: IntArray, spots: FloatArray,
    x: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    """Write the sum over each expiry's options into ``out`` (E, M) at ``spots`` (M,); ``x`` (M,) is scratch."""
    m = spots.size
    for j in range(m):
        x[j] = log_ratio(spots[j], reference)
    out[:] = 0.0
    for i in range(slope.size):
        row = out[expiry[i]]
        a, b, c = slope[i], offset[i], height[i]
        for j in range(m):
            u = a * x[j] + b
            row[j] += c * exp(-u * u)
    for e in range(out.shape[0]):
        for j in range(m):
            out[e, j] *= spots[j]


@kernel
def _at(x: float, slope: FloatArray, offset: FloatArray, height: FloatArray) -> float:
    total = 0.0
    for i in range(slope.size):
        u = slope[i] * x + offset[i]
        total += height[i] * exp(-u * u)
    return total


@kernel
def gamma_root(low: float, high: float, slope: FloatArray, offset: FloatArray, height: FloatArray) -> float:
    """Give the x = ln(spot / reference) between ``low`` and ``high`` at which the sum is zero; NaN without a bracket.

    False position, its stale end weakened (the Illinois rule of Dowell and Jarratt, 1971), with a halving whenever the
    bracket has not shrunk to half in three steps; ends when the bracket is a few units of the last place wide.
    """
    a, b = low, high
    at_a, at_b = _at(a, slope, offset, height), _at(b, slope, offset, height)
    if at_a == 0.0:
        return a
    if at_b == 0.0:
        return b
    if (at_a < 0.0) == (at_b < 0.0):
        return math.nan
    held_a, held_b = at_a, at_b
    side = 0
    width = b - a
    for step in range(_MOST_HALVINGS):
        if b - a <= 4e-16:
            break
        x = b - held_b * (b - a) / (held_b - held_a)
        if step % 3 == 2:
            if b - a > 0.5 * width:
                x = 0.5 * (a + b)
            width = b - a
        if not a < x < b:
            x = 0.5 * (a + b)
        y = _at(x, slope, offset, height)
        if y == 0.0:
            return x
        if (y < 0.0) == (at_a < 0.0):
            a, at_a, held_a = x, y, y
            held_b = 0.5 * held_b if side == -1 else at_b
            side = -1
        else:
            b, at_b, held_b = x, y, y
            held_a = 0.5 * held_a if side == 1 else at_a
            side = 1
    return a if abs(at_a) <= abs(at_b) else b


@kernel
def total_payouts(strike: FloatArray, calls: FloatArray, puts: FloatArray, out: FloatArray) -> None:
    """Write what all options pay at each ``strike`` (K,), ascending, to ``out`` (K,); ``calls``, ``puts`` in units."""
    open_interest, paid = 0.0, 0.0
    for j in range(strike.size):
        if j:
            paid += open_interest * (strike[j] - strike[j - 1])
        out[j] = paid
        open_interest += calls[j]
    open_interest, paid = 0.0, 0.0
    for j in range(strike.size - 1, -1, -1):
        if j < strike.size - 1:
            paid += open_interest * (strike[j + 1] - strike[j])
        out[j] += paid
        open_interest += puts[j]
