"""Raw SVI of one expiry, for k = ln(strike/forward).

Total variance is w(k) = a + b (rho (k - m) + sqrt((k - m)**2 + sigma**2)).

Source: J. Gatheral, A. Jacquier, "Arbitrage-free SVI volatility surfaces" (2014), equation 3.1.
"""

from __future__ import annotations

import math

from algomaster.core.jit import kernel

__all__ = ["svi_variance"]


@kernel(inline=True)
def svi_variance(a: float, b: float, rho: float, m: float, sigma: float, k: float) -> tuple[float, float, float]:
    """Give w, dw/dk and d2w/dk2 of the hyperbola at ``k``."""
    z = k - m
    h = math.sqrt(z * z + sigma * sigma)
    return a + b * (rho * z + h), b * (rho + z / h), b * sigma * sigma / (h * h * h)
