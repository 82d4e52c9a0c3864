"""Greeks of second and third order on numbers, beside those of first order in one pass.

Calendar time runs against the time to expiry: charm, veta and color are minus the derivatives by ``t``, as theta is.
X stands for the discounted forward n(d1) (Black-76) or the discounted n(d) (Bachelier), G for forward / spot, s for
vol sqrt(t), b for rate - dividend. The rest is differentiation of the first order; for Black-76 compare E. G. Haug,
"The Complete Guide to Option Pricing Formulas" (2007), chapter 2.

=============  ==================  ======================================  ==========================================
name           derivative          Black-76                                Bachelier
=============  ==================  ======================================  ==========================================
vanna          delta by vol        -X d2 / (spot vol)                      -X G d / vol
volga          vega by vol         vega d1 d2 / vol                        vega d**2 / vol
charm          delta by calendar   q delta - X/spot (b/s - d2/(2t))        q delta - X G (b F/s - d/(2t))
veta           vega by calendar    vega (q + b d1/s - (1 + d1 d2)/(2t))    vega (r + b F d/s - (1 + d**2)/(2t))
dual delta     price by strike     -right discount N(right d2)             -right discount N(right d)
dual gamma     ... twice           X / (strike**2 s)                       X / s
speed          gamma by spot       -gamma (1 + d1/s) / spot                -gamma d G / s
zomma          gamma by vol        gamma (d1 d2 - 1) / vol                 gamma (d**2 - 1) / vol
color          gamma by calendar   gamma (q + b d1/s + (1 - d1 d2)/(2t))   gamma (2q - r + b F d/s + (1 - d**2)/(2t))
ultima         volga by vol        vega/vol**2 (e (e - 1) - d1**2 - d2**2) vega/vol**2 d**2 (d**2 - 3)
               with e = d1 d2
elasticity     delta spot / price
=============  ==================  ======================================  ==========================================

Where vol sqrt(t) = 0 all of them are those of the intrinsic value: 0, but for dual delta, elasticity and the part of
charm that is the yield's; where forward and strike are equal then, only dual delta (and elasticity, if the price is
not 0) exists, and the rest is NaN. Elasticity is NaN where the price is 0. Factors that can be 0 come first in the
products, so that nothing is multiplied with an infinity.
"""

from __future__ import annotations

import math

from algomaster.core.jit import kernel
from algomaster.pricing.kernels.bachelier import bachelier_first
from algomaster.pricing.kernels.fused import fused
from algomaster.pricing.kernels.vanilla import LOWEST, black_first

__all__ = ["bachelier_higher", "black_higher"]

First = tuple[float, float, float, float, float, float]
Second = tuple[float, float, float, float, float, float, float]
Third = tuple[float, float, float, float]


@kernel(inline=True)
def black_higher(
    right: int, spot: float, strike: float, t: float, vol: float, rate: float, dividend: float, growth: float,
    discount: float,
) -> tuple[First, Second, Third]:  # fmt: skip
    """Give (price, delta, gamma, vega, theta, rho), (vanna, volga, charm, veta, dual delta, dual gamma, elasticity)
    and (speed, zomma, color, ultima).

    Parameters are those of :func:`~algomaster.pricing.kernels.vanilla.black_greeks`.
    """  # noqa: D205
    first, pieces = black_first(right, spot, strike, t, vol, rate, dividend, growth, discount)
    price, delta, gamma, vega, _, _ = first
    owed, density, per_spot, per_deviation, per_root, root, h, half = pieces
    d1 = h + half
    d2 = h - half
    product = d1 * d2
    per_vol = root * per_deviation
    half_per_time = 0.5 * (per_root * per_root)
    per_strike = 1.0 / (strike if strike > LOWEST else LOWEST)
    shape = density * per_spot
    carried = (rate - dividend) * per_deviation
    moved = fused(d2, -half_per_time, carried)  # the derivative of d1 by t
    grown = fused(d1, moved, dividend)
    second = (
        shape * per_vol * -d2,
        vega * per_vol * product,
        fused(dividend, delta, -shape * moved),
        vega * (grown - half_per_time),
        -owed * per_strike,
        (density * per_strike) * (per_strike * per_deviation),
        delta * spot / (price if price != 0.0 else math.nan),
    )
    third = (
        -gamma * per_spot * fused(d1, per_deviation, 1.0),
        gamma * per_vol * (product - 1.0),
        gamma * (grown + half_per_time),
        vega * per_vol * per_vol * fused(product, product - 1.0, -2.0 * fused(h, h, half * half)),
    )
    return first, second, third


@kernel(inline=True)
def bachelier_higher(
    right: int, spot: float, strike: float, t: float, vol: float, rate: float, dividend: float, forward: float,
    growth: float, discount: float,
) -> tuple[First, Second, Third]:  # fmt: skip
    """Give the same as :func:`black_higher` for a normal forward."""
    first, pieces = bachelier_first(right, strike, t, vol, rate, dividend, forward, growth, discount)
    price, delta, gamma, vega, _, _ = first
    exercised, density, per_deviation, per_root, root, d = pieces
    square = d * d
    per_vol = root * per_deviation
    half_per_time = 0.5 * (per_root * per_root)
    shape = density * growth
    carried = (rate - dividend) * forward * per_deviation
    moved = fused(d, -half_per_time, carried)  # the derivative of d by t
    second = (
        shape * per_vol * -d,
        vega * per_vol * square,
        fused(dividend, delta, -shape * moved),
        vega * (fused(d, moved, rate) - half_per_time),
        -exercised,
        density * per_deviation,
        delta * spot / (price if price != 0.0 else math.nan),
    )
    third = (
        -gamma * d * (growth * per_deviation),
        gamma * per_vol * (square - 1.0),
        gamma * (fused(d, moved, 2.0 * dividend - rate) + half_per_time),
        vega * per_vol * per_vol * (square * (square - 3.0)),
    )
    return first, second, third
