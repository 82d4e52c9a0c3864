"""What a smile says about the price at expiry, from total implied variance w(k) and its derivatives; pure numbers.

k = ln(strike/forward), w = vol**2 t, d2 = -k/sqrt(w) - sqrt(w)/2, d1 = d2 + sqrt(w). Differentiating the undiscounted
put twice by the strike (Breeden and Litzenberger 1978) gives

1. the probability of ending below the strike, N(-d2) + phi(d2) w' / (2 sqrt(w));
2. the density of k, g phi(d2) / sqrt(w) with Durrleman's g = (1 - k w' / (2 w))**2 - w'**2 / 4 (1/w + 1/4) + w'' / 2
   (Gatheral and Jacquier 2014, equation 2.1; Gatheral 2006, chapter 11): negative exactly where butterflies are;
3. the same two under the measure in which the underlying is the unit, with d1 in the place of d2;
4. the density phi(d2) w dd2 of the variance of a log contract (:func:`variance_loop`): its integral over all strikes is
   E[-2 ln(S/F)] (Gatheral 2006, equation 11.4), and needs no second derivative.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray
from algomaster.pricing.kernels.elementary import erfcx_pair, exp

__all__ = ["normal", "smile_loop", "variance_loop"]

_INV_SQRT2: Final = math.sqrt(0.5)
_DENSITY: Final = 1.0 / math.sqrt(2.0 * math.pi)
_FAR: Final = 40.0  # exp(-_FAR**2) is 0


@kernel(inline=True)
def normal(x: float) -> tuple[float, float, float]:
    """Give N(x), N(-x) and phi(x) of the standard normal, both tails to full relative precision."""
    u = abs(x) * _INV_SQRT2
    u = u if u < _FAR else _FAR
    at_u, _, _ = erfcx_pair(u, u, 1.0)
    g = exp(-u * u)
    tail = 0.5 * g * at_u
    rest = 1.0 - tail
    missing = 0.0 if x == x else math.nan
    return (tail if x < 0.0 else rest) + missing, (rest if x < 0.0 else tail) + missing, _DENSITY * g + missing


@kernel
def smile_loop(k: FloatArray, w: FloatArray, slope: FloatArray, bend: FloatArray, out: FloatArray) -> None:
    """Write rows of ``out`` (6, n): g, density of k, probability below and above, share of the forward below and above.

    The last two are E[S; S < K] / F and E[S; S > K] / F. NaN where w is not positive or anything is NaN.
    """
    for i in range(k.size):
        known = (w[i] > 0.0) & (w[i] < math.inf)
        total = w[i] if known else 1.0
        s = math.sqrt(total)
        d2 = -k[i] / s - 0.5 * s
        tilt = 0.5 * slope[i] / s
        above, below, at2 = normal(d2)
        above_share, below_share, at1 = normal(d2 + s)
        lean = 1.0 - 0.5 * k[i] * slope[i] / total
        g = lean * lean - 0.25 * slope[i] * slope[i] * (1.0 / total + 0.25) + 0.5 * bend[i]
        missing = 0.0 if known else math.nan
        out[0, i] = g + missing
        out[1, i] = g * at2 / s + missing
        out[2, i] = below + at2 * tilt + missing
        out[3, i] = above - at2 * tilt + missing
        out[4, i] = below_share + at1 * tilt + missing
        out[5, i] = above_share - at1 * tilt + missing


@kernel
def variance_loop(k: FloatArray, w: FloatArray, slope: FloatArray, out: FloatArray) -> None:
    """Write rows of ``out`` (3, n): the density by k of a log contract's variance, and all of it below and above k.

    The last two are what there is beyond k if the smile is flat from there on. NaN where w is not positive.
    """
    for i in range(k.size):
        known = (w[i] > 0.0) & (w[i] < math.inf)
        total = w[i] if known else 1.0
        s = math.sqrt(total)
        d2 = -k[i] / s - 0.5 * s
        above, below, at2 = normal(d2)
        missing = 0.0 if known else math.nan
        out[0, i] = at2 * total * (1.0 / s - 0.5 * slope[i] * k[i] / (total * s) + 0.25 * slope[i] / s) + missing
        out[1, i] = total * below + missing
        out[2, i] = total * above + missing
