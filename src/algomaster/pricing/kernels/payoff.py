"""What a position of options and futures is worth at many spots, some time from now."""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.kernels.elementary import exp
from algomaster.pricing.kernels.vanilla import LOWEST, black_price

__all__ = ["leg_worth", "position_profit"]


@kernel(inline=True)
def leg_worth(right: int, spot: float, strike: float, left: float, vol: float, rate: float, dividend: float) -> float:
    """Give the value of one leg with ``left`` years to go; right 0 is a future, whose value is its forward."""
    grown = exp((rate - dividend) * left)
    discount = exp(-rate * left)
    vol = vol if left > 0.0 else 0.0
    if right == 0:
        return spot * grown
    if spot < LOWEST:
        return strike * discount + 0.0 * vol if right < 0 else 0.0 * vol
    return black_price(right, spot * grown, strike, left, vol, discount)


@kernel
def position_profit(
    right: IntArray, strike: FloatArray, quantity: FloatArray, price: FloatArray, left: FloatArray, vol: FloatArray,
    rate: FloatArray, dividend: FloatArray, spots: FloatArray, out: FloatArray,
) -> None:  # fmt: skip
    """Write the sum over legs (n,) of quantity * (value - price) at each of ``spots`` (M,) into ``out`` (M,).

    ``left`` are the years each leg has to go by then; a leg at its expiry is worth its intrinsic value exactly,
    whatever its volatility, and at a spot of 0 a put its discounted strike. A negative or NaN spot gives NaN.
    """
    for j in range(spots.size):
        out[j] = 0.0 if spots[j] >= 0.0 else math.nan
    for i in range(right.size):
        k, years, sigma, r, q = float(strike[i]), float(left[i]), float(vol[i]), float(rate[i]), float(dividend[i])
        for j in range(spots.size):
            out[j] += quantity[i] * (leg_worth(right[i], float(spots[j]), k, years, sigma, r, q) - price[i])
