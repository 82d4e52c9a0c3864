"""Extended SSVI of one expiry, for k = ln(strike/forward).

Total variance is w(k) = (theta + rho psi k + sqrt((psi k + rho theta)**2 + theta**2 (1 - rho**2)))/2 with theta that at
the money and psi = theta phi(theta).

Source: S. Hendriks, C. Martini, "The extended SSVI volatility surface" (2019), equation 1.
"""

from __future__ import annotations

import math

from algomaster.core.jit import kernel

__all__ = ["essvi_variance"]


@kernel(inline=True)
def essvi_variance(theta: float, rho: float, psi: float, k: float) -> tuple[float, float, float]:
    """Give w, dw/dk and d2w/dk2 at ``k``; the root is kept from cancelling where theta is far below psi k."""
    x = psi * k + rho * theta
    rest = theta * theta * (1.0 - rho * rho)
    h = math.sqrt(x * x + rest)
    return (
        0.5 * (theta + rho * psi * k + h),
        0.5 * psi * (rho + x / h),
        0.5 * psi * psi * rest / (h * h * h),
    )
