"""Loops of the scalar kernels over arrays of one length; one pass each, so that memory is read once.

Every array is one-dimensional, float64 and C-contiguous (``right`` int64), all of one length; ``out`` is written.
"""

from __future__ import annotations

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.kernels.bachelier import bachelier_greeks, bachelier_price
from algomaster.pricing.kernels.carry import carry, growth_and_discount
from algomaster.pricing.kernels.vanilla import black_greeks, black_price_on_spot

__all__ = [
    "bachelier_greeks_loop",
    "bachelier_price_loop",
    "black_greeks_loop",
    "black_price_loop",
]


@kernel
def black_price_loop(
    right: IntArray, spot: FloatArray, strike: FloatArray, t: FloatArray, vol: FloatArray, rate: FloatArray,
    dividend: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    """Write prices into ``out`` (n,)."""
    for i in range(out.size):
        drift = (float(rate[i]) - float(dividend[i])) * float(t[i])
        growth, discount = growth_and_discount(float(t[i]), float(rate[i]), float(dividend[i]))
        out[i] = black_price_on_spot(right[i], spot[i], strike[i], t[i], vol[i], drift, growth, discount)


@kernel
def bachelier_price_loop(
    right: IntArray, spot: FloatArray, strike: FloatArray, t: FloatArray, vol: FloatArray, rate: FloatArray,
    dividend: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    """Write prices into ``out`` (n,)."""
    for i in range(out.size):
        forward, discount = carry(float(spot[i]), float(t[i]), float(rate[i]), float(dividend[i]))
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
        growth, discount = growth_and_discount(years, r, q)
        row = black_greeks(right[i], s, k, years, v, r, q, growth, discount)
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
        forward, discount = carry(float(spot[i]), years, r, q)
        row = bachelier_greeks(right[i], k, years, v, r, q, forward, discount)
        out[0, i], out[1, i], out[2, i], out[3, i], out[4, i], out[5, i] = row
