"""Loops of the scalar kernels over arrays of one length; one pass each, so that memory is read once.

Every array is one-dimensional, float64 and C-contiguous (``right`` int64), all of one length; ``out`` is written.
"""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.kernels.bachelier import bachelier_greeks, bachelier_price
from algomaster.pricing.kernels.elementary import exp
from algomaster.pricing.kernels.vanilla import LOWEST, black_greeks, black_price

__all__ = [
    "bachelier_greeks_loop",
    "bachelier_price_loop",
    "black_greeks_loop",
    "black_price_loop",
]


@kernel(inline=True)
def _carry(spot: float, t: float, rate: float, dividend: float) -> tuple[float, float]:
    """Give (forward, discount) under continuous compounding; NaN for infinite rates and spots that are nearly 0."""
    usable = (abs(rate) < math.inf) & (abs(dividend) < math.inf) & ((abs(spot) >= LOWEST) | (spot == 0.0))
    return spot * exp((rate - dividend) * t) if usable else math.nan, exp(-rate * t)


@kernel
def black_price_loop(
    right: IntArray, spot: FloatArray, strike: FloatArray, t: FloatArray, vol: FloatArray, rate: FloatArray,
    dividend: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    """Write prices into ``out`` (n,)."""
    for i in range(out.size):
        forward, discount = _carry(float(spot[i]), float(t[i]), float(rate[i]), float(dividend[i]))
        out[i] = black_price(right[i], forward, strike[i], t[i], vol[i], discount)


@kernel
def bachelier_price_loop(
    right: IntArray, spot: FloatArray, strike: FloatArray, t: FloatArray, vol: FloatArray, rate: FloatArray,
    dividend: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    """Write prices into ``out`` (n,)."""
    for i in range(out.size):
        forward, discount = _carry(float(spot[i]), float(t[i]), float(rate[i]), float(dividend[i]))
        out[i] = bachelier_price(right[i], forward, strike[i], t[i], vol[i], discount)


@kernel
def black_greeks_loop(
    right: IntArray, spot: FloatArray, strike: FloatArray, t: FloatArray, vol: FloatArray, rate: FloatArray,
    dividend: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    """Write price, delta, gamma, vega, theta, rho into the rows of ``out`` (6, n)."""
    for i in range(out.shape[1]):
        s, k, years, v = float(spot[i]), float(strike[i]), float(t[i]), float(vol[i])
        r, q = float(rate[i]), float(dividend[i])
        forward, discount = _carry(s, years, r, q)
        row = black_greeks(right[i], s, k, years, v, r, q, forward, discount)
        out[0, i], out[1, i], out[2, i], out[3, i], out[4, i], out[5, i] = row


@kernel
def bachelier_greeks_loop(
    right: IntArray, spot: FloatArray, strike: FloatArray, t: FloatArray, vol: FloatArray, rate: FloatArray,
    dividend: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    """Write price, delta, gamma, vega, theta, rho into the rows of ``out`` (6, n)."""
    for i in range(out.shape[1]):
        k, years, v = float(strike[i]), float(t[i]), float(vol[i])
        r, q = float(rate[i]), float(dividend[i])
        forward, discount = _carry(float(spot[i]), years, r, q)
        row = bachelier_greeks(right[i], k, years, v, r, q, forward, discount)
        out[0, i], out[1, i], out[2, i], out[3, i], out[4, i], out[5, i] = row
