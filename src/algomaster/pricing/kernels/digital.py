"""Cash-or-nothing and asset-or-nothing options under Black: price and first-order Greeks, and a loop over options.

With D the discount, F the forward, K the strike and w = +1 for a call, -1 for a put, the first pays one unit of cash
and is worth D N(w d2), the second pays the underlying and is worth D F N(w d1). The Greeks of both hold the factor
D F phi(d1) = D K phi(d2), so that one set of formulas does. N(w d) comes from the pieces of the vanilla price, which
are never one minus a number near one where they are small: prices out of the money have all their digits.

Under a smile the digital call is minus the derivative of the call's price by the strike, volatility moving along:
the flat price less w vega times the slope of the volatility by the strike (times the strike if the asset is paid). The
Greeks then hold volatility and slope at the strike still.

Source: E. G. Haug, "The Complete Guide to Option Pricing Formulas" (2007), sections 4.19.3 and 4.19.4, for the prices;
D. Breeden, R. Litzenberger, "Prices of state-contingent claims implicit in option prices", Journal of Business 51(4)
(1978), for the derivative by the strike; J. Gatheral, "The Volatility Surface" (2006), chapter 8, for its skew term.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.kernels.elementary import exp, log_ratio
from algomaster.pricing.kernels.vanilla import HIGHEST, LOWEST, otm_parts

__all__ = ["black_digital", "digital_loop"]

_INV_SQRT_2PI: Final = 1.0 / math.sqrt(2.0 * math.pi)
_TINY: Final = 2.0**-1000
_FAR: Final = 1e10
_STEEPEST: Final = 1e100


@kernel(inline=True)
def black_digital(
    right: int, spot: float, strike: float, t: float, vol: float, rate: float, dividend: float, forward: float,
    discount: float, asset: bool, skew: float,
) -> tuple[float, float, float, float, float, float]:  # fmt: skip
    """Give price, delta, gamma, vega, theta and rho of an option on one unit of cash or of the underlying.

    Parameters
    ----------
    right, spot, strike, t, vol, rate, dividend, forward, discount
        As for :func:`~algomaster.pricing.kernels.vanilla.black_greeks`.
    asset : bool
        Pays the underlying, not cash.
    skew : float
        Derivative of the volatility by the strike.

    Returns
    -------
    tuple
        In raw units; NaN for NaN or for values out of range. At vol sqrt(t) = 0 and forward = strike the price is half
        of the payment and the rest NaN.
    """
    market = (forward >= LOWEST) & (forward <= HIGHEST) & (strike >= LOWEST) & (strike <= HIGHEST) & (spot >= LOWEST)
    terms = (t >= 0.0) & (t < math.inf) & (vol >= 0.0) & (vol < math.inf) & (discount > 0.0) & (discount < math.inf)
    usable = market & terms & ((right == 1) | (right == -1)) & (abs(skew) < math.inf)
    f = float(forward) if usable else 1.0
    k = float(strike) if usable else 1.0
    s = float(spot) if usable else 1.0
    years = float(t) if usable else 1.0
    sigma = float(vol) if usable else 1.0
    tilt = float(skew) if usable else 0.0
    w = float(right)
    root = math.sqrt(years)
    deviation = sigma * root
    width = deviation if deviation > _TINY else _TINY
    below = f <= k
    _, inner, outer, other, peak = otm_parts(f if below else k, k if below else f, deviation)
    call = right > 0
    n1 = (outer if call else inner) if below else (1.0 - other if call else other)
    n2 = (other if call else 1.0 - other) if below else (inner if call else outer)
    moneyness = log_ratio(f, k)
    h = moneyness / width
    h = h if h < _FAR else _FAR
    h = h if h > -_FAR else -_FAR
    steepness = h / width  # ln(F/K) / deviation**2, so that d1, d2 = (it +- 1/2) deviation
    steepness = steepness if steepness < _STEEPEST else _STEEPEST
    steepness = steepness if steepness > -_STEEPEST else -_STEEPEST
    e1 = steepness + 0.5
    e2 = steepness - 0.5
    density = discount * peak * _INV_SQRT_2PI
    # of the payment: value without skew, its carry, phi's factor, the d that its derivatives bring, the vega it holds
    value = discount * f * n1 if asset else discount * n2
    factor = density if asset else density / k
    e = e2 if asset else e1
    held = w * tilt * (k if asset else 1.0)
    carry = dividend if asset else rate
    drift = rate - dividend
    twice_root = 2.0 * root if root > _TINY else _TINY
    slope = w * (factor / width) / s
    fade = (factor * drift) / width - factor * e * sigma / twice_root
    vega = density * root
    swing = deviation if deviation < _FAR else _FAR
    d1 = e1 * swing
    d2 = e2 * swing
    tilted = held != 0.0
    vanna = -held * vega * e2 / s if tilted else 0.0
    bend = held * (vega / width / s) * ((d1 * d2 - 1.0) / width / s) if tilted else 0.0
    volga = held * vega * d1 * e2 * root if tilted else 0.0
    # -d vega / dt, written without dividing by t where vega already holds its root
    veta = held * (vega * (dividend + d1 * drift / width) - density * (1.0 + d1 * d2) / twice_root) if tilted else 0.0
    undefined = math.nan if (not usable) | ((deviation == 0.0) & (f == k)) else 0.0
    price = value - held * vega + (0.0 if usable else math.nan)
    delta = (value / s if asset else 0.0) + slope - vanna + undefined
    gamma = -slope * e / s - bend + undefined
    by_vol = -w * factor * e * root - volga + undefined
    theta = carry * value - w * fade - veta + undefined
    rho = (0.0 if asset else -years * value) + w * factor * years / width + held * vega * e1 * years + undefined
    return price, delta, gamma, by_vol, theta, rho


@kernel
def digital_loop(
    right: IntArray, spot: FloatArray, strike: FloatArray, t: FloatArray, vol: FloatArray, rate: FloatArray,
    dividend: FloatArray, skew: FloatArray, asset: bool, out: FloatArray,
) -> None:  # fmt: skip
    """Write price, delta, gamma, vega, theta, rho into the rows of ``out`` (6, n)."""
    for i in range(out.shape[1]):
        s, years = float(spot[i]), float(t[i])
        r, q = float(rate[i]), float(dividend[i])
        forward = s * exp((r - q) * years)
        row = black_digital(
            right[i], s, float(strike[i]), years, float(vol[i]), r, q, forward, exp(-r * years), asset, float(skew[i])
        )
        out[0, i], out[1, i], out[2, i], out[3, i], out[4, i], out[5, i] = row
