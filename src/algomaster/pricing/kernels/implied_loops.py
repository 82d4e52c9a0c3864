"""Loops of the kernels of implied volatility over arrays of one length; one pass each.

Every array is one-dimensional, float64 and C-contiguous (``right`` and ``status`` int64), all of one length; ``vol``
and ``status`` are written.
"""

from __future__ import annotations

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.kernels.bachelier import bachelier_implied
from algomaster.pricing.kernels.implied import black_implied
from algomaster.pricing.kernels.loops import _carry

__all__ = ["bachelier_implied_loop", "black_implied_loop"]


@kernel
def black_implied_loop(
    right: IntArray, price: FloatArray, spot: FloatArray, strike: FloatArray, t: FloatArray, rate: FloatArray,
    dividend: FloatArray, vol: FloatArray, status: IntArray,
) -> None:  # fmt: skip
    """Write volatilities into ``vol`` (n,) and what happened into ``status`` (n,)."""
    for i in range(vol.size):
        forward, discount = _carry(float(spot[i]), float(t[i]), float(rate[i]), float(dividend[i]))
        vol[i], status[i] = black_implied(right[i], price[i], forward, strike[i], t[i], discount)


@kernel
def bachelier_implied_loop(
    right: IntArray, price: FloatArray, spot: FloatArray, strike: FloatArray, t: FloatArray, rate: FloatArray,
    dividend: FloatArray, vol: FloatArray, status: IntArray,
) -> None:  # fmt: skip
    """Write volatilities into ``vol`` (n,) and what happened into ``status`` (n,)."""
    for i in range(vol.size):
        forward, discount = _carry(float(spot[i]), float(t[i]), float(rate[i]), float(dividend[i]))
        vol[i], status[i] = bachelier_implied(right[i], price[i], forward, strike[i], t[i], discount)
