"""Implied volatility of Black-76 on numbers: one price in, a volatility and a status out, never an exception.

Everything is measured in m, the smaller of forward and strike; a = ln(M/m) with M the larger.

1. :mod:`~algomaster.pricing.kernels.implied_market` subtracts what is certain and gives the price b of the option out
   of the money and its complement c = 1 - b.
2. :mod:`~algomaster.pricing.kernels.implied_guess` finds a start that is good to 3e-4, to 3e-5 in any market.
3. :func:`_last_step` takes one Householder step of fourth order on ln(b), or on ln(c) where that is the smaller, with
   all digits: ln(b) = -y**2 + ln((erfcx(y) - erfcx(z)) / 2) needs no exponential, so nothing under- or overflows, and
   only the distance of ln(b) from its target must be exact; the rest of the step may be rounded as it comes.

4. A volatility is answered only if that step was small (:data:`_NEAR`), which says that the quote is reproduced; there
   is no other way out of the search. None was ever seen not to pass but where vol sqrt(t) < 2**-240.

Prices are lifted by 2**600, so that one near the smallest number has all its digits.

Sources: P. Jaeckel, "Let's be rational" (2015), section 6 for the objectives; the rest is derived here.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.pricing.kernels.elementary import exp, log_ratio
from algomaster.pricing.kernels.fused import fused
from algomaster.pricing.kernels.implied_guess import LIFT, first_guess, first_step, lift, series
from algomaster.pricing.kernels.implied_market import (
    ABOVE_MAX,
    BAD_INPUT,
    BELOW_INTRINSIC,
    EXPIRED,
    OK,
    growth_parts,
    market,
)
from algomaster.pricing.kernels.implied_tails import TAIL_MARGIN, tails

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

UNSETTLED: Final = -1
"""Never leaves a loop: what a start did not lead to is done without it."""

_INV_SQRT2: Final = math.sqrt(0.5)
_INV_TWICE_DENSITY: Final = 0.5 * math.sqrt(2.0 * math.pi)
_LEAST: Final = 2.0**-240  # of vol sqrt(t): below, fourth powers are no longer normal numbers
_SMALL: Final = 2.0**-1000
_SMALLEST: Final = 2.0**-1022  # the smallest normal number
_HALF_LIFT: Final = math.sqrt(LIFT)
_INF: Final = math.inf
_NEAR: Final = 2e-4  # of the last step, by how the price bends: what is left is 7e-16 at most (tests/reference)


@kernel(inline=True)
def _answer(status: int, s: float, root: float, found: bool) -> tuple[float, int]:
    """Give (vol, status) for s = vol sqrt(t); what is too small cannot be seen either, nor what was not ``found``."""
    vol = s / root
    seen = found & (s >= _LEAST) & (vol >= _SMALLEST) & (vol < _INF)
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
def _last_step(s: float, a: float, target: float, far: bool) -> tuple[float, bool]:
    """Take a step of fourth order from ``s`` towards ``target``, the lifted complement if ``far``, else the price.

    Gives the new s, and whether the old one was so near that nothing but rounding errors are left.
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
    model = 0.5 * part * factor
    gap = log_ratio(target, model if model > _SMALL else _SMALL) + (square - deeper)
    e = gap * (part * inverse) * _INV_TWICE_DENSITY
    e = -e if far else e
    near = (abs(e) * (1.0 + z) <= fused(_NEAR, abs(u), _NEAR)) & (abs(gap) <= 1.0) & (u >= -TAIL_MARGIN)
    second, third = series(e, gap, h, s)
    return fused(s * e, fused(0.5, second, 1.0) / fused(third, 1.0 / 6.0, 1.0 + second), s), near


@kernel(inline=True)
def _solve(
    right: int, price: float, spot: float, strike: float, t: float, drift: float, growth: float, rest: float,
    discount: float,
) -> tuple[float, int]:  # fmt: skip
    status, a, low, high, value, complement, root = market(
        right, price, spot, strike, t, drift, growth, rest, discount
    )  # fmt: skip
    ratio, apart, b, c, lifted, target, far = _scaled(low, high, value, complement)
    s, h = first_guess(a, ratio, apart, b, c, lifted)
    s = first_step(s, h, target, far)
    s, found = _last_step(s if s > _LEAST else _LEAST, a, target, far)
    return _answer(status, s, root, found)


@kernel(inline=True)
def black_implied_on_spot(
    right: int, price: float, spot: float, strike: float, t: float, rate: float, dividend: float
) -> tuple[float, int]:
    """Give (vol, status) of an option on a spot, with rate and yield continuously compounded.

    As :func:`black_implied`, but more precise than by way of a forward, which would be rounded.
    """
    drift = (float(rate) - float(dividend)) * float(t)
    growth, rest = growth_parts(drift)
    return _solve(right, price, spot, strike, t, drift, growth, rest, exp(-float(rate) * float(t)))


@kernel(inline=True)
def black_improved(
    right: int, price: float, spot: float, strike: float, t: float, rate: float, dividend: float, start: float
) -> tuple[float, int]:
    """Do as :func:`black_implied_on_spot`, but start from a volatility that is nearly right, and skip the guess.

    Where that does not lead to the same precision the status is :data:`UNSETTLED` and the volatility of no use.
    """
    drift = (float(rate) - float(dividend)) * float(t)
    growth, rest = growth_parts(drift)
    status, a, low, high, value, complement, root = market(
        right, price, spot, strike, t, drift, growth, rest, exp(-float(rate) * float(t))
    )  # fmt: skip
    _, _, _, _, _, target, far = _scaled(low, high, value, complement)
    s = float(start) * root
    s = s if s > _LEAST else _LEAST
    s = first_step(s, a / s, target, far)
    s = s if s > _LEAST else _LEAST
    s, settled = _last_step(s, a, target, far)
    vol, after = _answer(status, s, root, settled)
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
    return _solve(right, price, forward, strike, t, 0.0, 1.0, 0.0, discount)
