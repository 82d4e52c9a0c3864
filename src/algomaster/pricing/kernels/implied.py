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
from algomaster.pricing.kernels.elementary import exact_difference, log_ratio
from algomaster.pricing.kernels.fused import fused
from algomaster.pricing.kernels.implied_guess import LIFT, first_guess, first_step, lift, series
from algomaster.pricing.kernels.implied_tails import TAIL_MARGIN, tails
from algomaster.pricing.kernels.vanilla import HIGHEST, LOWEST

__all__ = [
    "ABOVE_MAX",
    "BAD_INPUT",
    "BELOW_INTRINSIC",
    "EXPIRED",
    "OK",
    "UNSETTLED",
    "black_implied",
    "black_implied_on_spot",
    "black_improved",
]

OK: Final = 0
BELOW_INTRINSIC: Final = 1
ABOVE_MAX: Final = 2
EXPIRED: Final = 3
BAD_INPUT: Final = 4
UNSETTLED: Final = -1
"""Never leaves a loop: what a start did not lead to is done without it."""

_INV_SQRT2: Final = math.sqrt(0.5)
_INV_TWICE_DENSITY: Final = 0.5 * math.sqrt(2.0 * math.pi)
_SMALLEST: Final = 2.0**-1022  # the smallest normal number
_HALF_LIFT: Final = math.sqrt(LIFT)
_INF: Final = math.inf
_NEAR: Final = 1.5e-4  # from within this the last step ends in rounding errors


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
def _market(
    right: int, price: float, spot: float, strike: float, t: float, drift: float, growth: float, discount: float
) -> tuple[int, float, float, float, float, float, float]:
    """Give (status, a, m, M, value, complement, sqrt(t)); those of a harmless option unless the status is OK."""
    s0 = float(spot)
    forward = s0 * float(growth)
    market = (forward >= LOWEST) & (forward <= HIGHEST) & (strike >= LOWEST) & (strike <= HIGHEST)
    terms = (s0 >= LOWEST) & (s0 <= HIGHEST) & (discount > 0.0) & (discount < _INF)
    quote = ((right == 1) | (right == -1)) & (price > -_INF) & (price < _INF)
    good = market & terms & quote & (t > -_INF) & (t <= HIGHEST)
    live = t > 0.0
    f = forward if good else 1.0
    k = float(strike) if good else 1.0
    undiscounted = float(price) / (float(discount) if good else 1.0)
    value, complement = _time_value(right > 0, undiscounted, f, k)
    solvable = good & live & (value > 0.0) & (complement > 0.0)
    low = f if f < k else k
    high = k if f < k else f
    a = abs(log_ratio(s0 if good else 1.0, k) + (float(drift) if good else 0.0))
    status = OK if complement > 0.0 else ABOVE_MAX
    status = status if value > 0.0 else BELOW_INTRINSIC
    status = status if live else EXPIRED
    status = status if good else BAD_INPUT
    root = math.sqrt(float(t) if good & live else 1.0)
    return status, a, low, high, value if solvable else 0.25 * low, complement if solvable else 0.75 * low, root


@kernel(inline=True)
def _answer(status: int, s: float, root: float) -> tuple[float, int]:
    """Give (vol, status) for s = vol sqrt(t); what is too small to be a number cannot be seen either."""
    vol = s / root
    seen = (s >= _SMALLEST) & (vol >= _SMALLEST) & (vol < _INF)
    status = status if seen | (status != OK) else BELOW_INTRINSIC
    return vol if status == OK else math.nan, status


@kernel(inline=True)
def _scaled(
    low: float, high: float, value: float, complement: float
) -> tuple[float, float, float, float, float, float, bool]:
    """Give m/M, 1 - m/M, b, c, b lifted, the lifted target, and whether that is the complement."""
    inverse = 1.0 / (low * high)
    inverse_low = inverse * high
    inverse_high = inverse * low
    lifted = (value * _HALF_LIFT) * (inverse_low * _HALF_LIFT)
    c = complement * inverse_low
    far = c < 0.5
    return (
        low * inverse_high,
        (high - low) * inverse_high,
        value * inverse_low,
        c,
        lifted,
        c * LIFT if far else lifted,
        far,
    )


@kernel(inline=True)
def _last_step(s: float, a: float, target: float, far: bool) -> tuple[float, float]:
    """Take a step of fourth order from ``s`` towards ``target``, the lifted complement if ``far``, else the price.

    Gives the new s and the argument at which erfcx was taken, which must not be below -TAIL_MARGIN.
    """
    inverse = 1.0 / s
    h = a * inverse
    half = 0.5 * s
    y = (h - half) * _INV_SQRT2
    z = (h + half) * _INV_SQRT2
    u = -y if far else y
    part = tails(u, z, z + y if far else s * _INV_SQRT2, far)
    square = y * y
    factor, deeper = lift(square)
    gap = log_ratio(target, 0.5 * part * factor) + (square - deeper)
    e = gap * (part * inverse) * _INV_TWICE_DENSITY
    e = -e if far else e
    second, third = series(e, gap, h, s)
    return fused(s * e, fused(0.5 * second, second - 1.0, fused(third, -1.0 / 6.0, 1.0)), s), u


@kernel(inline=True)
def black_implied_on_spot(
    right: int, price: float, spot: float, strike: float, t: float, drift: float, growth: float, discount: float
) -> tuple[float, int]:
    """Give (vol, status) of an option on a spot that grows to its forward; see :func:`black_implied`.

    Parameters
    ----------
    drift : float
        ln(forward / spot); taken apart from ``growth`` because it keeps more digits.
    growth : float
        exp(drift).
    """
    status, a, low, high, value, complement, root = _market(right, price, spot, strike, t, drift, growth, discount)
    ratio, apart, b, c, lifted, target, far = _scaled(low, high, value, complement)
    s, h = first_guess(a, ratio, apart, b, c, lifted)
    s = first_step(s, h, target, far)
    s, _ = _last_step(s if s > _SMALLEST else _SMALLEST, a, target, far)
    return _answer(status, s, root)


@kernel(inline=True)
def black_improved(
    right: int, price: float, spot: float, strike: float, t: float, drift: float, growth: float, discount: float,
    start: float,
) -> tuple[float, int]:  # fmt: skip
    """Do as :func:`black_implied_on_spot`, but start from a volatility that is nearly right, and skip the guess.

    Where that does not lead to the same precision the status is :data:`UNSETTLED` and the volatility of no use.
    """
    status, a, low, high, value, complement, root = _market(right, price, spot, strike, t, drift, growth, discount)
    _, _, _, _, _, target, far = _scaled(low, high, value, complement)
    s = float(start) * root
    s = s if s > _SMALLEST else _SMALLEST
    s = first_step(s, a / s, target, far)
    s = s if s > _SMALLEST else _SMALLEST
    better, u = _last_step(s, a, target, far)
    settled = (abs(better - s) <= _NEAR * s) & (u >= -TAIL_MARGIN)
    vol, after = _answer(status, better, root)
    return vol, after if settled | (status != OK) else UNSETTLED


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
    return black_implied_on_spot(right, price, forward, strike, t, 0.0, 1.0, discount)
