"""Implied volatility of Black-76 on numbers: one price in, a volatility and a status out, never an exception.

Everything is measured in m, the smaller of forward and strike; a = ln(M/m) with M the larger.

1. :func:`_time_value` subtracts what is certain and gives both the price b of the option out of the money and its
   complement c = 1 - b, each straight from the quote, so that neither loses digits to the other.
2. :func:`_guess` inverts the price with the normal distribution replaced by Polya's approximation (a quadratic equation
   in exp(-2 (h**2 + s**2/4) / pi); Stefanica and Radoicic 2017), arranged so that nothing cancels.
3. :func:`_improve` takes Householder steps of fourth order on one of three objectives (Jaeckel 2015): 1/ln(b) below the
   price at which s**2 = 2 a, b itself above it, ln(c) where the complement is the smaller.

Two steps are always enough: the guess is within 12 %, one step leaves 2e-5, the next the rounding error.

Sources: D. Stefanica, R. Radoicic, "An explicit implied volatility formula" (2017); P. Jaeckel, "Let's be rational"
(2015), section 6 for the objectives.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.pricing.kernels.elementary import ERFCX_MARGIN, erfcx_pair, exact_difference, exp, log_ratio
from algomaster.pricing.kernels.vanilla import HIGHEST, LOWEST

__all__ = ["ABOVE_MAX", "BAD_INPUT", "BELOW_INTRINSIC", "EXPIRED", "OK", "black_implied"]

OK: Final = 0
BELOW_INTRINSIC: Final = 1
ABOVE_MAX: Final = 2
EXPIRED: Final = 3
BAD_INPUT: Final = 4

_INV_SQRT2: Final = math.sqrt(0.5)
_DENSITY: Final = 1.0 / math.sqrt(2.0 * math.pi)
_KAPPA: Final = 1.0 - 2.0 / math.pi
_DELTA: Final = 2.0 / math.pi - 0.5
_HALF_PI: Final = 0.5 * math.pi
_SQRT_2PI: Final = math.sqrt(2.0 * math.pi)
_NEAR_BELOW: Final = 0.01
_NEAR_RATIO: Final = 0.02
_SMALL: Final = 2.0**-1000
_SMALLEST: Final = 2.0**-1022  # the smallest normal number
_LIFT: Final = 2.0**600  # prices near the smallest number are lifted to where numbers have all their digits
_LIFT_BELOW: Final = 2.0**-400
_LN_LIFT: Final = 600.0 * math.log(2.0)
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
def _sinh(x: float, grown: float) -> float:
    """Give sinh(x), x >= 0, from grown = exp(x); good enough for a guess."""
    return x * (1.0 + x * x / 6.0) if x < 1e-2 else 0.5 * (grown - 1.0 / grown)


@kernel(inline=True)
def _guess(
    a: float, low: float, high: float, lifted: float, c: float, lift: float, factor: float, below: bool
) -> float:
    """Give s = vol sqrt(t) to about 12 %; ``below`` says on which side of s**2 = 2 a it lies."""
    b = lifted / factor
    share = (b * low + (high - low)) / high
    rest = c * ((low * (1.0 - c) + high) / high)  # 1 - b * share without cancellation
    root = math.sqrt(high / low)
    grown = exp(_KAPPA * a)
    sinh_kappa = _sinh(_KAPPA * a, grown)
    n = _sinh(0.5 * a, root) * _sinh(_DELTA * a, root / grown) + 0.5 * b * share * (grown + 1.0 / grown)
    under = n + math.sqrt(n * n + sinh_kappa * sinh_kappa * b * share * rest) + _SMALL
    w = 2.0 * lifted * share * rest / under
    big = (lift - log_ratio(w if w > _SMALL else _SMALL, 1.0)) * _HALF_PI
    square = big * big - a * a
    split = math.sqrt(square if square > 0.0 else 0.0)
    upper = 2.0 * (big + split)
    lower = 2.0 * a * (a / (big + split + _SMALL))
    s = math.sqrt(lower if below else upper)
    at_money = (b < _NEAR_BELOW) & (a < _NEAR_RATIO * b)  # w would round to 1; here b = s / sqrt(2 pi) - a / 2
    return _SQRT_2PI * (b + 0.5 * a) if at_money else s


@kernel(inline=True)
def _improve(s: float, a: float, b: float, c: float, lift: float, below: bool, far: bool) -> float:
    """Take one Householder step of fourth order from ``s``.

    ``b`` is the target multiplied by exp(lift), ``c`` its complement (of use only where nothing is lifted).
    """
    s = s if s > _SMALLEST else _SMALLEST
    h = a / s
    half = 0.5 * s
    y = (h - half) * _INV_SQRT2
    z = (h + half) * _INV_SQRT2
    near = y >= -ERFCX_MARGIN
    at_u, at_z, difference = erfcx_pair(y if near else -y, z, s * _INV_SQRT2 if near else z + y)
    g = exp(lift - y * y)
    part = 0.5 * g * (difference if near else at_u + at_z)
    model_b = part if near else 1.0 - part
    model_c = 1.0 - part if near else part
    slope = g * _DENSITY

    second = h * h / s - 0.25 * s  # b''/b'
    third = second * second - 3.0 * (h / s) * (h / s) - 0.25  # b'''/b'
    target = c if far else b
    model = model_c if far else model_b
    gap = log_ratio(target if target > _SMALL else _SMALL, model if model > _SMALL else _SMALL)
    log_b = log_ratio(b if below else 0.5, 1.0) - lift
    log_model = log_b - gap
    ratio = slope / (model if model > _SMALL else _SMALL)
    ratio = -ratio if far else ratio
    inverse = 1.0 / log_model if below else 0.0
    newton = gap * (log_model / log_b if below else 1.0) / ratio
    ratio = ratio if below | far else 0.0
    newton = newton if below | far else (b - model_b) / slope
    h2 = second - ratio - 2.0 * ratio * inverse
    h3 = third - 3.0 * second * ratio + 2.0 * ratio * ratio
    h3 = h3 - 6.0 * ratio * inverse * (second - ratio) + 6.0 * ratio * ratio * inverse * inverse
    step = newton * (1.0 + 0.5 * h2 * newton) / (1.0 + newton * (h2 + h3 * newton / 6.0))
    return s + step


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
    seen = (value > 0.0) & (vol >= _SMALLEST)
    status = OK if complement > 0.0 else ABOVE_MAX
    status = status if seen else BELOW_INTRINSIC
    status = status if live else EXPIRED
    status = status if good else BAD_INPUT
    return vol if status == OK else math.nan, status


@kernel(inline=True)
def _solve(low: float, high: float, value: float, complement: float) -> float:
    """Give vol sqrt(t) for 0 < value < low, complement = low - value."""
    a = log_ratio(high, low)
    root = math.sqrt(a)
    _, _, split = erfcx_pair(0.0, root, root)
    c = complement / low
    below = value < 0.5 * split * low  # the price at s**2 = 2 a
    tiny = below & (value < low * _LIFT_BELOW)
    factor = _LIFT if tiny else 1.0
    lift = _LN_LIFT if tiny else 0.0
    b = value * factor / low
    far = (c < 0.5) & (not below)
    s = _guess(a, low, high, b, c, lift, factor, below)
    s = _improve(s, a, b, c, lift, below, far)
    return _improve(s, a, b, c, lift, below, far)
