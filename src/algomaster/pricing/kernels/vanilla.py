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
from algomaster.pricing.kernels.elementary import ERFCX_MARGIN, erfcx_pair, exp_negative, log_ratio
from algomaster.pricing.kernels.fused import fused

__all__ = [
    "HIGHEST",
    "LOWEST",
    "MOVING",
    "black_first",
    "black_greeks",
    "black_price",
    "black_price_on_spot",
    "otm_parts",
]

LOWEST: Final = 2.0**-500
HIGHEST: Final = 2.0**500
"""Range of forwards and strikes: products and ratios of them stay normal numbers."""

_INV_SQRT2: Final = math.sqrt(0.5)
_INV_SQRT_2PI: Final = 1.0 / math.sqrt(2.0 * math.pi)
_FAR: Final = 1e10  # beyond any moneyness or deviation that matters; its square is still a number
MOVING: Final = 2.0**-500
"""Where vol sqrt(t) is below this nothing moves any more: Greeks are those of vol sqrt(t) = 0."""

_OVERFLOW: Final = 2.0**523  # what is above twice HIGHEST becomes infinite by it
_SHRINK: Final = 2.0**-530  # brings any discount below HIGHEST


@kernel(inline=True)
def _standardised(moneyness: float, deviation: float, per_deviation: float) -> tuple[float, float]:
    """Give h and s/2, both cut where nothing can be seen any more."""
    half = 0.5 * deviation
    half = half if half < _FAR else _FAR
    h = moneyness * per_deviation
    h = h if h < _FAR else _FAR
    return h if deviation >= MOVING or moneyness == 0.0 else _FAR, half


@kernel(inline=True)
def _tails(low: float, h: float, half: float) -> tuple[float, bool, float, float, float]:
    """Give the price of the option out of the money, whether the tail is A (else 1 - A), the tail, M B, and 2 g."""
    y = (h - half) * _INV_SQRT2
    z = (h + half) * _INV_SQRT2
    near = y >= -ERFCX_MARGIN
    u = y if near else -y
    at_u, at_z, difference = erfcx_pair(u, z, 2.0 * half * _INV_SQRT2 if near else z - u)
    doubled = exp_negative(-y * y)
    g = 0.5 * doubled
    part = g * (difference if near else at_u + at_z)
    tail = g * at_u
    price = low * part if near else low - low * part
    return price, near, tail, low * (g * at_z), doubled


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
    per_deviation = 1.0 / (deviation if deviation >= MOVING else 1.0)
    h, half = _standardised(log_ratio(high, low), deviation, per_deviation)
    price, near, tail, owed, doubled = _tails(low, h, half)
    rest = 1.0 - tail
    return price, rest if near else tail, tail if near else rest, owed / high, low * doubled


@kernel(inline=True)
def _checked(right: int, spot: float, strike: float, t: float, vol: float, forward: float, discount: float) -> float:
    """Give the discount, NaN if anything is out of range: it is a factor of all results.

    Comparisons are what vector units do slowest, so there are few: NaN and infinity are found by 0 * x not being 0.
    """
    total = fused(discount, _SHRINK, (spot + strike) + forward)
    nothing = 0.0 * fused(total, _OVERFLOW, t + vol)
    market = spot if spot < strike else strike
    least = market if market < forward else forward
    terms = t if t < vol else vol
    good = (least >= LOWEST) & (discount > 0.0) & (terms >= 0.0) & (abs(right) == 1)
    return discount + nothing if good else math.nan


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
    return black_price_on_spot(right, forward, strike, t, vol, 0.0, 1.0, discount)


@kernel(inline=True)
def black_price_on_spot(
    right: int, spot: float, strike: float, t: float, vol: float, drift: float, growth: float, discount: float
) -> float:
    """Give the price of one option on a spot that grows to its forward.

    Parameters
    ----------
    drift : float
        ln(forward / spot); taken apart from ``growth`` because it keeps more digits.
    growth : float
        exp(drift).
    """
    s0 = float(spot) if spot > LOWEST else LOWEST
    k = float(strike) if strike > LOWEST else LOWEST
    deviation = vol * math.sqrt(float(t) if t > 0.0 else 0.0)
    forward = s0 * growth
    discount = _checked(right, spot, strike, t, vol, forward, discount)
    below = forward <= k
    low = forward if below else k
    high = k if below else forward
    per_deviation = 1.0 / (deviation if deviation >= MOVING else 1.0)
    h, half = _standardised(abs(log_ratio(s0, k) + drift), deviation, per_deviation)
    otm, _, _, _, _ = _tails(low, h, half)
    return discount * (otm if (right > 0) == below else (high - low) + otm)


@kernel(inline=True)
def black_greeks(
    right: int, spot: float, strike: float, t: float, vol: float, rate: float, dividend: float, growth: float,
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
    growth : float
        exp((rate - dividend) * t).

    Returns
    -------
    tuple
        In raw units: derivatives by spot (twice for gamma), by vol, by calendar time in years, and by rate at constant
        spot and dividend. At vol sqrt(t) = 0 and forward = strike gamma is NaN, and so is theta if t = 0.

    Notes
    -----
    ``price`` is that of :func:`black_price_on_spot` to the bit. Formulas: E. G. Haug, "The Complete Guide to Option
    Pricing Formulas" (2007), chapter 2.
    """
    first, _ = black_first(right, spot, strike, t, vol, rate, dividend, growth, discount)
    return first


@kernel(inline=True)
def black_first(
    right: int, spot: float, strike: float, t: float, vol: float, rate: float, dividend: float, growth: float,
    discount: float,
) -> tuple[
    tuple[float, float, float, float, float, float], tuple[float, float, float, float, float, float, float, float]
]:  # fmt: skip
    """Give what :func:`black_greeks` gives, and of what the higher orders are made.

    The second tuple is strike N(d2) and forward n(d1) discounted (the first with the sign of the right), 1/spot,
    1/deviation, 1/sqrt(t), sqrt(t), ln(forward/strike)/deviation, and deviation/2. Reciprocals of nothing are 0, or
    NaN where forward and strike are equal.
    """
    s0 = float(spot) if spot > LOWEST else LOWEST
    k = float(strike) if strike > LOWEST else LOWEST
    forward = s0 * growth
    discount = _checked(right, spot, strike, t, vol, forward, discount)
    below = forward <= k
    low = forward if below else k
    high = k if below else forward
    root = math.sqrt(float(t) if t > 0.0 else 0.0)
    deviation = vol * root
    moving = deviation >= MOVING
    per_deviation = 1.0 / (deviation if moving else 1.0)
    per_spot = 1.0 / s0
    moneyness = log_ratio(s0, k) + (rate - dividend) * t
    h, half = _standardised(abs(moneyness), deviation, per_deviation)
    otm, near, tail, far_end, doubled = _tails(low, h, half)

    still = math.nan if moneyness == 0.0 else 0.0
    per_deviation = per_deviation if moving else still
    out = (right > 0) == below
    near_end = low * (tail if near == out else 1.0 - tail)
    far_end = far_end if out else high - far_end
    signed = float(right) * discount
    held = signed * (near_end if below else far_end)
    owed = signed * (far_end if below else near_end)
    density = discount * (low * doubled) * _INV_SQRT_2PI
    per_root = vol * per_deviation
    per_root = per_root if moving or root == 0.0 else 0.0
    decay = 0.5 * density * (vol * per_root)
    first = (
        discount * (otm if out else (high - low) + otm),
        held * per_spot,
        (density * per_spot) * (per_spot * per_deviation),
        density * root,
        fused(dividend, held, fused(-rate, owed, -decay)),
        t * owed,
    )
    return first, (owed, density, per_spot, per_deviation, per_root, root, -h if moneyness < 0.0 else h, half)
