"""SABR's implied volatility of one expiry, with its first two derivatives by log-moneyness.

Hagan's formula is rewritten in k = ln(strike/forward) with alpha taken at the forward (his alpha is alpha F**(1 -
beta)), so that no price enters. With g = 1 - beta, e = exp(-g k/2), z = -(nu/alpha) k / e:

    vol = alpha e / (1 + g**2 k**2/24 + g**4 k**4/1920) * z/x(z)
          * (1 + t (g**2 alpha**2 e**2/24 + rho beta nu alpha e/4 + (2 - 3 rho**2) nu**2/24)),
    x(z) = ln((sqrt(1 - 2 rho z + z**2) + z - rho)/(1 - rho)).

Near z = 0 (at the money, or nu = 0) z/x(z) is 0/0; there its power series is summed. Outside the cutoffs (k_low,
k_high) total variance goes on as a straight line, with the slope it has there.

Source: P. Hagan, D. Kumar, A. Lesniewski, D. Woodward, "Managing smile risk", Wilmott (2002), equation 2.17a.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.pricing.kernels.elementary import exp, log_ratio

__all__ = ["sabr_variance", "sabr_vol"]

_NEAR: Final = 0.01
"""Below it in abs(z) the series, whose first left-out term is then below 1e-18 (in the second derivative 1e-12)."""
_INF: Final = math.inf


@kernel(inline=True)
def _series(z: float, rho: float) -> tuple[float, float, float]:
    """Give f = z/x(z), f' and f'' near z = 0: as x' = 1/r, x(z) sums Legendre's polynomials in rho; this inverts it."""
    p = rho * rho
    c1 = -0.5 * rho
    c2 = 1.0 / 6.0 - p / 4.0
    c3 = rho * (5.0 / 24.0 - p / 4.0)
    c4 = -17.0 / 360.0 + p * (1.0 / 3.0 - 5.0 / 16.0 * p)
    c5 = rho * (-37.0 / 240.0 + p * (55.0 / 96.0 - 7.0 / 16.0 * p))
    c6 = 367.0 / 15120.0 + p * (-129.0 / 320.0 + p * (49.0 / 48.0 - 21.0 / 32.0 * p))
    c7 = rho * (15467.0 / 120960.0 + p * (-1393.0 / 1440.0 + p * (119.0 / 64.0 - 33.0 / 32.0 * p)))
    c8 = -27859.0 / 1814400.0 + p * (7001.0 / 15120.0 + p * (-71.0 / 32.0 + p * (55.0 / 16.0 - 429.0 / 256.0 * p)))
    f = 1.0 + z * (c1 + z * (c2 + z * (c3 + z * (c4 + z * (c5 + z * (c6 + z * (c7 + z * c8)))))))
    f1 = c1 + z * (
        2.0 * c2 + z * (3.0 * c3 + z * (4.0 * c4 + z * (5.0 * c5 + z * (6.0 * c6 + z * (7.0 * c7 + z * 8.0 * c8)))))
    )
    f2 = 2.0 * c2 + z * (
        6.0 * c3 + z * (12.0 * c4 + z * (20.0 * c5 + z * (30.0 * c6 + z * (42.0 * c7 + z * 56.0 * c8))))
    )
    return f, f1, f2


@kernel(inline=True)
def _ratio(z: float, rho: float) -> tuple[float, float, float]:
    """Give f = z/x(z), f' = (1 - f/r)/x and f'' = (f (z - rho)/r**3 - 2 f'/r)/x with r = sqrt(1 - 2 rho z + z**2)."""
    if abs(z) < _NEAR:
        return _series(z, rho)
    r = math.sqrt(1.0 - 2.0 * rho * z + z * z)
    x = log_ratio(r + z - rho, 1.0 - rho) if z > rho else log_ratio(1.0 + rho, r - z + rho)
    f = z / x
    f1 = (1.0 - f / r) / x
    return f, f1, (f * (z - rho) / (r * r * r) - 2.0 * f1 / r) / x


@kernel(inline=True)
def sabr_vol(alpha: float, beta: float, rho: float, nu: float, t: float, k: float) -> tuple[float, float, float]:
    """Give the volatility and its first two derivatives by ``k``; at most 0 where the formula has broken down."""
    g = 1.0 - beta
    e = exp(-0.5 * g * k)
    e1, e2 = -0.5 * g * e, 0.25 * g * g * e
    gg = g * g
    below = 1.0 + gg * k * k * (1.0 / 24.0 + gg * k * k / 1920.0)
    below1 = gg * k * (1.0 / 12.0 + gg * k * k / 480.0)
    below2 = gg * (1.0 / 12.0 + gg * k * k / 160.0)
    u = 1.0 / below
    u1 = -below1 * u * u
    u2 = (2.0 * below1 * below1 * u - below2) * u * u
    c = -nu / (alpha * e)
    z, z1, z2 = c * k, c * (1.0 + 0.5 * g * k), c * g * (1.0 + 0.25 * g * k)
    f, fz, fzz = _ratio(z, rho)
    f1, f2 = fz * z1, fzz * z1 * z1 + fz * z2
    long, short = gg * alpha * alpha * t / 24.0, 0.25 * rho * beta * nu * alpha * t
    b = 1.0 + long * e * e + short * e + (2.0 - 3.0 * rho * rho) * nu * nu * t / 24.0
    b1 = 2.0 * long * e * e1 + short * e1
    b2 = 2.0 * long * (e1 * e1 + e * e2) + short * e2
    v, v1, v2 = e * u, e1 * u + e * u1, e2 * u + 2.0 * e1 * u1 + e * u2
    h, h1, h2 = f * b, f1 * b + f * b1, f2 * b + 2.0 * f1 * b1 + f * b2
    return alpha * v * h, alpha * (v1 * h + v * h1), alpha * (v2 * h + 2.0 * v1 * h1 + v * h2)


@kernel(inline=True)
def sabr_variance(
    alpha: float, beta: float, rho: float, nu: float, low: float, high: float, t: float, k: float
) -> tuple[float, float, float]:
    """Give w, dw/dk and d2w/dk2 of total variance; straight lines outside [low, high]."""
    inside = min(max(k, low), high)
    vol, v1, v2 = sabr_vol(alpha, beta, rho, nu, t, inside)
    vol = vol if vol > 0.0 else math.nan
    w, w1, w2 = vol * vol * t, 2.0 * vol * v1 * t, 2.0 * t * (v1 * v1 + vol * v2)
    return w + w1 * (k - inside), w1, w2 if inside == k else 0.0
