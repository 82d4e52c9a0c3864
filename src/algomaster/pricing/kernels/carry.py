"""From spot, rate and yield to the forward and the discount."""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.pricing.kernels.elementary import exp
from algomaster.pricing.kernels.vanilla import LOWEST

__all__ = ["carry"]


@kernel(inline=True)
def carry(spot: float, t: float, rate: float, dividend: float) -> tuple[float, float]:
    """Give (forward, discount) under continuous compounding; NaN for infinite rates and spots that are nearly 0."""
    usable = (abs(rate) < math.inf) & (abs(dividend) < math.inf) & ((abs(spot) >= LOWEST) | (spot == 0.0))
    return spot * exp((rate - dividend) * t) if usable else math.nan, exp(-rate * t)
