"""Black-76 on numbers: price and first-order Greeks of one European option.

1. Name the smaller of forward and strike m, the larger M. The option that is out of the money is worth
   m A - M B with A = N(-h + s/2), B = N(-h - s/2), h = ln(M/m) / s, s = vol sqrt(t): :func:`otm_parts`.
2. With y = (h - s/2) / sqrt(2), z = (h + s/2) / sqrt(2) and g = exp(-y**2), this is m g (erfcx(y) - erfcx(z)) / 2. The
   difference is taken without cancellation, so prices far out of the money and of seconds to expiry keep their digits.
3. Where y is well below zero the complement m g (erfcx(-y) + erfcx(z)) / 2 of the price in m is taken instead.
4. The option in the money follows from put-call parity.

There are no branches but choices between values, so that a loop over these functions becomes vector code.
NaN rule: an input that is NaN or out of its range gives NaN. Forward and strike lie within :data:`LOWEST` and
:data:`HIGHEST`; times and volatilities are finite and not negative; at t = 0 or vol = 0 the price is the intrinsic one.
Prices below 1e-307 of the smaller of forward and strike are 0.

Source: P. Jaeckel, "Let's be rational" (2015), section 6, for the erfcx form; the rest is derived here.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.pricing.kernels.elementary import ERFCX_MARGIN, erfcx_pair, exp, log_ratio

__all__ = ["HIGHEST", "LOWEST", "black_greeks", "black_price", "otm_parts"]

LOWEST: Final = 2.0**-500
HIGHEST: Final = 2.0**500
"""Range of forwards and strikes: products and ratios of them stay normal numbers."""

_INV_SQRT2: Final = math.sqrt(0.5)
_INV_SQRT_2PI: Final = 1.0 / math.sqrt(2.0 * math.pi)
_FAR: Final = 1e10  # beyond any moneyness or deviation that matters; its square is still a number
_TINY: Final = 5e-324  # the smallest number: 0 over it is 0, all else infinite
_INF: Final = math.inf


@kernel(inline=True)
def otm_parts(low: float, high: float, deviation: float) -> tuple[float, float, float, float, float]:
    """Give the pieces of which every price and Greek is made.

    Parameters
    ----------
    low, high : float
        The smaller and the larger of forward and strike, within the range.
    deviation : float
        vol * sqrt(t), not negative.

    Returns
    -------
    price : float
        Undiscounted value of the option out of the money.
    inner, outer : float
        1 - A and A of the module's docstring, each to full relative precision.
    other : float
        B.
    peak : float
        m exp(-y**2) = forward exp(-d1**2 / 2) = strike exp(-d2**2 / 2).
    """
    half = 0.5 * deviation
    half = half if half < _FAR else _FAR
    moneyness = log_ratio(high, low)
    h = moneyness / (deviation if deviation > 0.0 else 1.0)
    h = h if h < _FAR else _FAR
    h = h if deviation > 0.0 or moneyness == 0.0 else _FAR
    y = (h - half) * _INV_SQRT2
    z = (h + half) * _INV_SQRT2
    near = y >= -ERFCX_MARGIN
    u = y if near else -y
    at_u, at_z, difference = erfcx_pair(u, z, 2.0 * half * _INV_SQRT2 if near else z - u)
    g = 0.5 * exp(-y * y)
    part = g * (difference if near else at_u + at_z)
    tail = g * at_u
    price = low * part if near else low - low * part
    inner = 1.0 - tail if near else tail
    outer = tail if near else 1.0 - tail
    return price, inner, outer, g * (low / high) * at_z, 2.0 * low * g


@kernel(inline=True)
def _usable(right: int, forward: float, strike: float, t: float, vol: float, discount: float) -> bool:
    market = (forward >= LOWEST) & (forward <= HIGHEST) & (strike >= LOWEST) & (strike <= HIGHEST)
    terms = (t >= 0.0) & (t < _INF) & (vol >= 0.0) & (vol < _INF) & (discount > 0.0) & (discount < _INF)
    return market & terms & ((right == 1) | (right == -1))


@kernel(inline=True)
def black_price(right: int, forward: float, strike: float, t: float, vol: float, discount: float) -> float:
    """Give the price of one option.

    Parameters
    ----------
    right : int
        +1 call, -1 put.
    forward, strike : float
    t : float
        Years to expiry.
    vol : float
        Per square root of a year.
    discount : float
        Value now of one unit at expiry.

    Returns
    -------
    float
        NaN for NaN or for values out of range.
    """
    usable = _usable(right, forward, strike, t, vol, discount)
    f = float(forward) if usable else 1.0
    k = float(strike) if usable else 1.0
    deviation = float(vol) * math.sqrt(float(t)) if usable else 1.0
    otm, _, _, _, _ = otm_parts(f if f < k else k, k if f < k else f, deviation)
    return _discounted(right, f, k, otm, float(discount)) if usable else math.nan


@kernel(inline=True)
def _discounted(right: int, forward: float, strike: float, otm: float, discount: float) -> float:
    intrinsic = float(right) * (forward - strike)
    return discount * (otm + (intrinsic if intrinsic > 0.0 else 0.0))


@kernel(inline=True)
def black_greeks(
    right: int, spot: float, strike: float, t: float, vol: float, rate: float, dividend: float, forward: float,
    discount: float,
) -> tuple[float, float, float, float, float, float]:  # fmt: skip
    """Give price, delta, gamma, vega, theta and rho of one option on a spot that pays a yield.

    Parameters
    ----------
    right, strike, t, vol, discount
        As for :func:`black_price`.
    spot : float
        At least :data:`LOWEST`.
    rate, dividend : float
        Continuously compounded, per year. ``dividend = rate`` makes ``spot`` a forward (Black-76).
    forward : float
        spot * exp((rate - dividend) * t).

    Returns
    -------
    tuple
        In raw units: derivatives by spot (twice for gamma), by vol, by calendar time in years, and by rate at constant
        spot and dividend. At vol sqrt(t) = 0 and forward = strike gamma is NaN, and so is theta if t = 0.

    Notes
    -----
    ``price`` is that of :func:`black_price` to the bit. Formulas: E. G. Haug, "The Complete Guide to Option Pricing
    Formulas" (2007), chapter 2.
    """
    usable = _usable(right, forward, strike, t, vol, discount) & (spot >= LOWEST)
    f = float(forward) if usable else 1.0
    k = float(strike) if usable else 1.0
    s0 = float(spot) if usable else 1.0
    years = float(t) if usable else 1.0
    sigma = float(vol) if usable else 1.0
    inverse = 1.0 / s0
    root = math.sqrt(years)
    deviation = sigma * root
    otm, inner, outer, other, peak = otm_parts(f if f < k else k, k if f < k else f, deviation)
    below = f <= k
    call_side = right > 0
    n1 = (outer if call_side else inner) if below else (1.0 - other if call_side else other)
    n2 = (other if call_side else 1.0 - other) if below else (inner if call_side else outer)
    density = discount * peak * _INV_SQRT_2PI
    held = discount * f * n1 * float(right)
    owed = discount * k * n2 * float(right)
    undefined = (deviation == 0.0) & (f == k)
    decay = 0.5 * density * sigma / (root if root > 0.0 else 1.0)
    missing = math.nan if not usable else 0.0
    price = _discounted(right, f, k, otm, float(discount)) + missing
    delta = held * inverse + missing
    width = s0 * deviation
    gamma = density * inverse / (width if width > 0.0 else _TINY) + (math.nan if undefined else missing)
    vega = density * root + missing
    theta = dividend * held - rate * owed - decay + (math.nan if undefined & (root == 0.0) else missing)
    rho = years * owed + missing
    return price, delta, gamma, vega, theta, rho
