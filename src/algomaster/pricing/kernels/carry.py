"""From spot, rate and yield to the forward and the discount."""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.pricing.kernels.elementary import exp
from algomaster.pricing.kernels.vanilla import LOWEST

__all__ = ["carry", "growth_and_discount"]


@kernel(inline=True)
def growth_and_discount(t: float, rate: float, dividend: float) -> tuple[float, float]:
    """Give what the spot grows by to the expiry, and what one unit then is worth now."""
    return exp((rate - dividend) * t), exp(-rate * t)


@kernel(inline=True)
def carry(spot: float, t: float, rate: float, dividend: float) -> tuple[float, float]:
    """Give (forward, discount) under continuous compounding; NaN for infinite rates and spots that are nearly 0."""
    usable = (abs(rate) < math.inf) & (abs(dividend) < math.inf) & ((abs(spot) >= LOWEST) | (spot == 0.0))
    growth, discount = growth_and_discount(t, rate, dividend)
    return spot * growth if usable else math.nan, discount
