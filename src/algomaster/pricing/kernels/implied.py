"""Implied volatility of Black-76 on numbers: one price in, a volatility and a status out, never an exception.

Everything is measured in m, the smaller of forward and strike; a = ln(M/m) with M the larger.

1. :func:`_time_value` subtracts what is certain and gives both the price b of the option out of the money and its
   complement c = 1 - b, each straight from the quote, so that neither loses digits to the other.
2. :mod:`~algomaster.pricing.kernels.implied_guess` finds a start that is good to 3e-4, to 3e-5 in any market.
3. :func:`_last_step` takes one Householder step of fourth order on ln(b), or on ln(c) where that is the smaller, with
   all digits: ln(b) = -y**2 + ln((erfcx(y) - erfcx(z)) / 2) needs no exponential, so nothing under- or overflows, and
   only the distance of ln(b) from its target must be exact; the rest of the step may be rounded as it comes.

Prices are lifted by 2**600, so that one near the smallest number has all its digits.

Sources: P. Jaeckel, "Let's be rational" (2015), section 6 for the objectives; the rest is derived here.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.pricing.kernels.elementary import erfcx_pair, exact_difference, log_ratio
from algomaster.pricing.kernels.implied_guess import LIFT, first_guess, first_step, lift, series
from algomaster.pricing.kernels.vanilla import HIGHEST, LOWEST

__all__ = ["ABOVE_MAX", "BAD_INPUT", "BELOW_INTRINSIC", "EXPIRED", "OK", "black_implied"]

OK: Final = 0
BELOW_INTRINSIC: Final = 1
ABOVE_MAX: Final = 2
EXPIRED: Final = 3
BAD_INPUT: Final = 4

_INV_SQRT2: Final = math.sqrt(0.5)
_INV_TWICE_DENSITY: Final = 0.5 * math.sqrt(2.0 * math.pi)
_SMALLEST: Final = 2.0**-1022  # the smallest normal number
_HALF_LIFT: Final = math.sqrt(LIFT)
_FAR: Final = (0.39, 0.14)  # beyond b = 0.39 - 0.14 m/M the complement; there y is within 0.21 of 0 on either side
_INF: Final = math.inf


@kernel(inline=True)
def _time_value(call: bool, price: float, forward: float, strike: float) -> tuple[float, float]:
    """Give (value, complement) of the option out of the money: its undiscounted price, and min(F, K) less that."""
    low = forward if forward < strike else strike
    high = strike if forward < strike else forward
    in_money = (forward > strike) if call else (strike > forward)
    gap, lost = exact_difference(high, low)
    value = (price - gap) - lost
    return value if in_money else price, high - price if in_money else low - price


@kernel(inline=True)
def _last_step(s: float, a: float, target: float, far: bool) -> float:
    """Take a step of fourth order from ``s`` towards ``target``, the lifted complement if ``far``, else the price."""
    inverse = 1.0 / s
    h = a * inverse
    half = 0.5 * s
    y = (h - half) * _INV_SQRT2
    z = (h + half) * _INV_SQRT2
    at_u, at_z, difference = erfcx_pair(-y if far else y, z, z + y if far else s * _INV_SQRT2)
    part = at_u + at_z if far else difference
    square = y * y
    factor, deeper = lift(square)
    gap = log_ratio(target, 0.5 * part * factor) + (square - deeper)
    e = gap * (part * inverse) * _INV_TWICE_DENSITY
    e = -e if far else e
    second, third = series(e, gap, h, s)
    return s + s * e * (1.0 - 0.5 * second + 0.5 * second * second - third * (1.0 / 6.0))


@kernel(inline=True)
def _solve(low: float, high: float, value: float, complement: float) -> float:
    """Give vol sqrt(t) for 0 < value < low, complement = low - value."""
    a = log_ratio(high, low)
    inverse = 1.0 / (low * high)
    inverse_low = inverse * high
    r = low * (inverse * low)
    lifted = (value * _HALF_LIFT) * (inverse_low * _HALF_LIFT)
    b = value * inverse_low
    c = complement * inverse_low
    far = b > _FAR[0] - _FAR[1] * r
    target = c * LIFT if far else lifted
    s, h = first_guess(a, r, (high - low) * (inverse * low), b, c, lifted)
    s = first_step(s, h, target, far)
    return _last_step(s if s > _SMALLEST else _SMALLEST, a, target, far)


@kernel(inline=True)
def black_implied(
    right: int, price: float, forward: float, strike: float, t: float, discount: float
) -> tuple[float, int]:
    """Give the volatility at which :func:`~algomaster.pricing.kernels.vanilla.black_price` is ``price``.

    Parameters
    ----------
    right : int
        +1 call, -1 put.
    price : float
        Discounted price of the option.
    forward, strike, t, discount : float
        As for ``black_price``; t in years.

    Returns
    -------
    vol : float
        NaN unless the status is OK.
    status : int
        OK; BELOW_INTRINSIC at or below the intrinsic value (there is no volatility to be seen); ABOVE_MAX at or above
        the forward (call) or strike (put); EXPIRED for t <= 0; BAD_INPUT for NaN, infinite or out of range.
    """
    market = (forward >= LOWEST) & (forward <= HIGHEST) & (strike >= LOWEST) & (strike <= HIGHEST)
    terms = (discount > 0.0) & (discount < _INF) & ((right == 1) | (right == -1)) & (price > -_INF) & (price < _INF)
    good = market & terms & (t > -_INF) & (t <= HIGHEST)
    live = t > 0.0
    f = float(forward) if good else 1.0
    k = float(strike) if good else 1.0
    undiscounted = float(price) / (float(discount) if good else 1.0)
    value, complement = _time_value(right > 0, undiscounted, f, k)
    solvable = good & live & (value > 0.0) & (complement > 0.0)
    low = f if f < k else k
    high = k if f < k else f
    s = _solve(low, high, value if solvable else 0.25 * low, complement if solvable else 0.75 * low)
    vol = s / math.sqrt(float(t) if good & live else 1.0)
    seen = (value > 0.0) & (s >= _SMALLEST) & (vol >= _SMALLEST)
    status = OK if complement > 0.0 else ABOVE_MAX
    status = status if seen else BELOW_INTRINSIC
    status = status if live else EXPIRED
    status = status if good else BAD_INPUT
    return vol if status == OK else math.nan, status
