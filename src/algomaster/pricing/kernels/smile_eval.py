"""A surface on numbers: total variance and its derivatives at any (k, t), and where it can be arbitraged.

A surface is a method, a row of parameters an expiry, the years of each expiry, and its time on the surface's clock
(business years, or the same). Between expiries total variance is linear in the clock at constant k. Before the first
expiry volatility is that of the first (variance in proportion to the clock); after the last, total variance grows by
the same amount at every k, at the forward variance at the money of the last interval: wings keep their slopes, so that
Lee's bound holds for ever.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray
from algomaster.pricing.kernels.elementary import exp
from algomaster.pricing.kernels.essvi import essvi_variance
from algomaster.pricing.kernels.sabr import sabr_variance
from algomaster.pricing.kernels.svi import svi_variance

__all__ = ["ESSVI", "SABR", "SVI", "butterfly_loop", "density_loop", "slice_loop", "slice_variance", "surface_loop"]

SVI: Final = 0
ESSVI: Final = 1
SABR: Final = 2
_DENSITY: Final = 1.0 / math.sqrt(2.0 * math.pi)


@kernel(inner=True)
def slice_variance(method: int, row: FloatArray, years: float, k: float) -> tuple[float, float, float]:
    """Give w, dw/dk and d2w/dk2 of one expiry."""
    if method == SVI:
        return svi_variance(row[0], row[1], row[2], row[3], row[4], k)
    if method == ESSVI:
        return essvi_variance(row[0], row[1], row[2], k)
    return sabr_variance(row[0], row[1], row[2], row[3], row[4], row[5], years, k)


@kernel
def slice_loop(method: int, row: FloatArray, years: float, k: FloatArray, out: FloatArray) -> None:
    """Write w, dw/dk, d2w/dk2 of one expiry into ``out`` (3, n)."""
    for i in range(k.size):
        out[0, i], out[1, i], out[2, i] = slice_variance(method, row, years, k[i])


@kernel
def surface_loop(
    method: int, parameters: FloatArray, years: FloatArray, clock: FloatArray, k: FloatArray, now: FloatArray,
    out: FloatArray,
) -> None:  # fmt: skip
    """Write w, dw/dk, d2w/dk2 into ``out`` (3, n).

    Parameters
    ----------
    parameters : (E, p)
    years, clock : (E,)
        Years of each expiry and its time on the surface's clock, both ascending.
    k, now : (n,)
        Log-moneyness and clock time of each point; NaN, or a time that is not positive, gives NaN.
    """
    last = years.size - 1
    forward = 0.0
    w_last, _, _ = slice_variance(method, parameters[last], years[last], 0.0)
    if last > 0:
        w_before, _, _ = slice_variance(method, parameters[last - 1], years[last - 1], 0.0)
        forward = max(w_last - w_before, 0.0) / (clock[last] - clock[last - 1])
    else:
        forward = w_last / clock[last]
    e = 0
    for i in range(k.size):
        t = now[i]
        if not (t > 0.0 and t < math.inf and abs(k[i]) < math.inf):
            out[0, i], out[1, i], out[2, i] = math.nan, math.nan, math.nan
            continue
        while e > 0 and t <= clock[e - 1]:
            e -= 1
        while e < last and t > clock[e]:
            e += 1
        w, w1, w2 = slice_variance(method, parameters[e], years[e], k[i])
        if t > clock[e]:
            w += forward * (t - clock[e])
        elif e == 0:
            share = t / clock[0]
            w, w1, w2 = share * w, share * w1, share * w2
        elif t < clock[e]:
            share = (t - clock[e - 1]) / (clock[e] - clock[e - 1])
            v, v1, v2 = slice_variance(method, parameters[e - 1], years[e - 1], k[i])
            w, w1, w2 = v + share * (w - v), v1 + share * (w1 - v1), v2 + share * (w2 - v2)
        positive = w > 0.0
        out[0, i] = w if positive else math.nan
        out[1, i] = w1 if positive else math.nan
        out[2, i] = w2 if positive else math.nan


@kernel(inline=True)
def _butterfly(k: float, w: float, w1: float, w2: float) -> float:
    """Give Durrleman's g: the density is positive exactly where it is (Gatheral and Jacquier 2014, equation 2.1)."""
    tilt = 1.0 - 0.5 * k * w1 / w
    return tilt * tilt - 0.25 * w1 * w1 * (1.0 / w + 0.25) + 0.5 * w2


@kernel
def butterfly_loop(k: FloatArray, rows: FloatArray, out: FloatArray) -> None:
    """Write g into ``out`` (n,) from the ``rows`` (3, n) of :func:`surface_loop`."""
    for i in range(k.size):
        out[i] = _butterfly(k[i], rows[0, i], rows[1, i], rows[2, i])


@kernel
def density_loop(strike: FloatArray, k: FloatArray, rows: FloatArray, out: FloatArray) -> None:
    """Write the risk-neutral density at ``strike`` into ``out`` (n,) (the same paper, section 2.2)."""
    for i in range(k.size):
        w = rows[0, i]
        if not w > 0.0:
            out[i] = math.nan
            continue
        root = math.sqrt(w)
        d2 = -k[i] / root - 0.5 * root
        out[i] = _butterfly(k[i], w, rows[1, i], rows[2, i]) * _DENSITY * exp(-0.5 * d2 * d2) / (root * strike[i])
