"""Where the search for a volatility of Black-76 starts: good to 3e-4 everywhere, to 3e-5 in any market.

Measured in m, the smaller of forward and strike, with M the larger, a = ln(M/m), s = vol sqrt(t), h = a/s: b is the
price of the option out of the money, c = 1 - b.

1. :func:`first_guess` inverts the price with the normal distribution replaced by Polya's approximation (a quadratic
   equation in exp(-2 (h**2 + s**2/4) / pi); Stefanica and Radoicic 2017), arranged so that nothing cancels and that one
   division gives both s and h. It is within 12 %.
2. :func:`first_step` is one Householder step of fourth order on ln(b) or ln(c).

A guess needs few digits, so exponential, logarithm and erfcx here are short polynomials. Divisions cost as much as
eight multiplications: one is shared wherever several are wanted, and comparisons are multiplied out.

Source: D. Stefanica, R. Radoicic, "An explicit implied volatility formula" (2017).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.pricing.kernels.fused import fused

__all__ = ["LIFT", "first_guess", "first_step", "lift", "series"]

LIFT: Final = 2.0**600
"""What prices are multiplied with, so that one near the smallest number has all its digits."""

_INV_LN2: Final = 1.0 / math.log(2.0)
_LN2: Final = math.log(2.0)
_ROUNDER: Final = 6755399441055744.0  # 1.5 * 2**52: adding it leaves the nearest integer in the low bits
_ROUNDER_BITS: Final = 4843621399236968448
_EXPONENT_ONE: Final = 1023
_HALF_EXPONENT: Final = 2251799813685248  # 2**51

EXPM1_COEFFICIENTS: Final = (
    0.008363173074513711, 0.04187564445233737, 0.1666657702559799, 0.4999937213862548, 1.0,
)  # fmt: skip
"""(exp(r) - 1) / r for abs(r) <= ln(2)/2, highest power first; relative error 5e-7."""

LOG_COEFFICIENTS: Final = (0.4178095579148233, 0.6663961547423481, 2.0000006036890583)
"""2 atanh(z) / z in powers of z**2 for abs(z) <= 0.2; relative error 3.1e-7."""

ROUGH_SCALE: Final = 3.0
ROUGH_MARGIN: Final = 0.6

ROUGH_COEFFICIENTS: Final = (
    0.0005836358826253399, -0.0016004643435631692, -0.002132577109687176, 0.021024071856782692, -0.06418368515439724,
    0.1305468775648442, -0.20295203750540872, 0.2532598723509527, -0.2590129016690707, 0.21849884605588393,
)  # fmt: skip
"""erfcx(u) / (1 - q) in powers of q = (u + 0.6 - 3) / (u + 0.6 + 3), highest first; relative error 5.2e-7."""

_POLE: Final = ROUGH_SCALE + ROUGH_MARGIN
_SPAN: Final = 2.0 * ROUGH_SCALE
_INV_SPAN: Final = 1.0 / _SPAN
_INV_SQRT2: Final = math.sqrt(0.5)
_SQRT_PI: Final = math.sqrt(math.pi)
_SQRT_2PI: Final = math.sqrt(2.0 * math.pi)
_INV_TWICE_DENSITY: Final = 0.5 * math.sqrt(2.0 * math.pi)
_HALF_PI: Final = 0.5 * math.pi
_KAPPA: Final = 1.0 - 2.0 / math.pi
_GROWTH: Final = 2.0 - 2.0 / math.pi
_SMALL: Final = 2.0**-1000
_CLOSE: Final = 1e-7
_DEEP: Final = 300.0
_DEEP_BELOW: Final = 2.0**-400
_LN_LIFT: Final = 600.0 * math.log(2.0)
_NEAR_BELOW: Final = 0.01
_NEAR_RATIO: Final = 0.02
SPLIT_COEFFICIENTS: Final = (0.60078073, 1.47850991, 0.67955601)
"""(1 - erfcx(x)) / 2 = x (1 + p0 x) / (sqrt(pi) (1 + p1 x + p2 x**2)) for x >= 0; relative error 1.2e-3."""


@kernel(inline=True)
def _rough_exp(x: float) -> tuple[float, float]:
    """Give exp(x) and exp(x) - 1 for -700 < x <= 0, each with a relative error of 5e-7."""
    shifted = fused(x, _INV_LN2, _ROUNDER)
    whole = shifted - _ROUNDER
    power = np.float64(shifted).view(np.int64) - _ROUNDER_BITS
    r = fused(whole, -_LN2, x)
    p = EXPM1_COEFFICIENTS[0]
    for i in range(1, 5):
        p = fused(p, r, EXPM1_COEFFICIENTS[i])
    scale = float(np.int64((power + _EXPONENT_ONE) << 52).view(np.float64))
    growth = scale * (p * r)
    return scale + growth, (scale - 1.0) + growth


@kernel(inline=True)
def _rough_log(p: float, q: float) -> float:
    """Give ln(p/q) for positive normal numbers; error 3e-7."""
    power = (np.float64(p).view(np.int64) - np.float64(q).view(np.int64) + _HALF_EXPONENT) >> 52
    near = q * float(np.int64((power + _EXPONENT_ONE) << 52).view(np.float64))
    z = (p - near) / (p + near)
    w = z * z
    c = fused(fused(LOG_COEFFICIENTS[0], w, LOG_COEFFICIENTS[1]), w, LOG_COEFFICIENTS[2])
    return fused(float(power), _LN2, z * c)


@kernel(inline=True)
def first_guess(a: float, r: float, apart: float, b: float, c: float, lifted: float) -> tuple[float, float]:
    """Give (s, h) to about 12 %.

    Parameters
    ----------
    a, r, apart : float
        ln(M/m), m/M and 1 - m/M.
    b, c : float
        Price and complement.
    lifted : float
        ``b`` times :data:`LIFT`, where ``b`` itself may be too small to be a number.

    Notes
    -----
    In p = exp(-kappa a) all hyperbolic functions of the formula become polynomials.
    """
    apart = a if a < _CLOSE else apart  # which the rounding of the forward may have taken
    root = math.sqrt(a)
    p0, p1, p2 = SPLIT_COEFFICIENTS
    below = b * _SQRT_PI * fused(root, fused(root, p2, p1), 1.0) < root * fused(root, p0, 1.0)
    p, fall = _rough_exp(-_KAPPA * a)  # and p - 1
    ends = fall * (p + 1.0)  # p**2 - 1
    excess = ends + apart if a < 1.0 else p * p - r  # p**2 - m/M
    share = fused(b, r, apart)
    rest = c * fused(r, 1.0 - c, 1.0)  # 1 - b share
    bought = b * share
    n = fused(apart, excess, 2.0 * r * bought * (ends + 2.0))
    spread = 2.0 * r * ends
    under = math.sqrt(fused(n, n, spread * spread * (bought * rest)))
    under = n + (under if under > n else n)  # squares of what is small may be 0
    over = 8.0 * lifted * share * rest
    deep = b < _DEEP_BELOW  # the logarithm of too large a ratio could not be taken
    w = _rough_log(under * (1.0 if deep else LIFT), over if over > _SMALL else _SMALL)
    w = w + fused(_GROWTH, a, _LN_LIFT if deep else 0.0)
    big = w * _HALF_PI
    square = fused(big, big, -a * a)
    square = 2.0 * (big + math.sqrt(square if square > 0.0 else 0.0))
    v = math.sqrt(square if square > _SMALL else _SMALL)
    at_money = (b < _NEAR_BELOW) & (a < _NEAR_RATIO * b)  # w would be lost in its rounding; b = s / sqrt(2 pi) - a / 2
    v = _SQRT_2PI * fused(0.5, a, b) if at_money else v
    x = a / v
    below = below & (not at_money)
    return 2.0 * x if below else v, 0.5 * v if below else x


@kernel(inline=True)
def lift(square: float) -> tuple[float, float]:
    """Give (factor, ln(LIFT/factor)) by which to lift a model beside a target that is exp(-``square``) times it.

    It is lifted as the target is, unless the logarithm of so small a ratio could not be taken.
    """
    deep = square > _DEEP
    return 1.0 if deep else LIFT, _LN_LIFT if deep else 0.0


@kernel(inline=True)
def series(e: float, gap: float, h: float, s: float) -> tuple[float, float]:
    """Give f'' n / f' and f''' n**2 / f' of f = ln(b) or ln(c), where n = s e is Newton's step and gap = f' n."""
    square = h * h
    quarter = 0.25 * s * s
    bend = (square - quarter) * e
    second = bend - gap
    third = fused(bend - 2.0 * gap, second, -fused(3.0, square, quarter) * e * e)
    return second, third


@kernel(inline=True)
def first_step(s: float, h: float, target: float, far: bool) -> float:
    """Take a step of fourth order from ``s`` towards the lifted ``target``, a complement if ``far``, else a price."""
    y = (h - 0.5 * s) * _INV_SQRT2
    z = (h + 0.5 * s) * _INV_SQRT2
    u = -y if far else y
    u = u if u > -ROUGH_MARGIN else -ROUGH_MARGIN
    pole_u = u + _POLE
    pole_z = z + _POLE
    poles = pole_u * pole_z
    inverse = _SPAN / (poles * s)
    ou = inverse * (pole_z * s)
    oz = inverse * (pole_u * s)
    qu = 1.0 - ou
    qz = 1.0 - oz
    value = ROUGH_COEFFICIENTS[0]
    slope = 0.0
    for i in range(1, 10):
        slope = fused(slope, qz, value)
        value = fused(value, qu, ROUGH_COEFFICIENTS[i])
    step = inverse * s * (z - u if far else s * _INV_SQRT2)
    part = fused(ou, value, oz * fused(step, slope, value)) if far else step * fused(-oz, slope, value)
    square = y * y
    factor, deeper = lift(square)
    model = 0.5 * part * factor
    gap = _rough_log(target, model if model > _SMALL else _SMALL) + (square - deeper)
    e = gap * part * (inverse * poles) * (_INV_TWICE_DENSITY * _INV_SPAN)
    e = -e if far else e
    second, third = series(e, gap, h, s)
    return fused(s * e, fused(0.5, second, 1.0) / fused(third, 1.0 / 6.0, 1.0 + second), s)
