"""Exponential, logarithm of a ratio, and scaled complementary error function in plain arithmetic.

Written with additions, multiplications, divisions and bit patterns only, so that (a) a loop over them becomes vector
code, and (b) every machine, and Python with the JIT off, gives the same bits: the libm of a machine does neither.

The polynomials are interpolants in Chebyshev nodes, computed with 40 digits; ``tests/reference`` checks their errors.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.pricing.kernels.fused import fused

__all__ = ["erfcx_pair", "exact_difference", "exp", "exp_negative", "log_ratio"]

_INV_LN2: Final = 1.0 / math.log(2.0)
_LN2_HI: Final = 0.6931471803691238  # ln 2 cut after 32 bits, so that a whole multiple of it is exact
_LN2_LO: Final = 1.9082149292705877e-10
_ROUNDER: Final = 6755399441055744.0  # 1.5 * 2**52: adding it leaves the nearest integer in the low bits
_ROUNDER_BITS: Final = 4843621399236968448
_EXPONENT_ONE: Final = 1023
_HALF_EXPONENT: Final = 2251799813685248  # 2**51

EXP_LOWEST: Final = -709.0
EXP_HIGHEST: Final = 709.75

EXP_COEFFICIENTS: Final = (
    2.510038549551032e-08,
    2.7620088445409746e-07,
    2.7557268459997064e-06,
    2.4801521295954376e-05,
    0.00019841269863053618,
    0.0013888888917213717,
    0.008333333333330062,
    0.04166666666662413,
    0.16666666666666669,
    0.5000000000000001,
)
"""(exp(r) - 1 - r) / r**2 for abs(r) <= ln(2)/2, highest power first; relative error of exp 2e-17."""

ATANH_COEFFICIENTS: Final = (
    0.13614059585772761,
    0.13209052444000552,
    0.15388901197185678,
    0.18181736789201602,
    0.22222223059033036,
    0.285714285672117,
    0.40000000000008085,
    0.6666666666666666,
)
"""2 * (atanh(z)/z - 1) / z**2 in powers of z**2 for abs(z) <= 0.2, highest first; relative error of atanh 1e-18."""

ERFCX_MARGIN: Final = 0.25
"""How far below zero the arguments of :func:`erfcx_pair` may reach."""

ERFCX_SCALE: Final = 3.5

ERFCX_COEFFICIENTS: Final = (
    9.578061616270489e-11,
    1.707484856656583e-10,
    -1.0325281745985477e-09,
    -2.0834709697297055e-09,
    6.60092683738995e-09,
    1.506599137814639e-08,
    -3.804948756751716e-08,
    -8.954111411489508e-08,
    2.4380130996154056e-07,
    4.679006621032066e-07,
    -1.8127782898662974e-06,
    -1.6811926199778588e-06,
    1.4370069932821434e-05,
    -7.4990161847326115e-06,
    -9.783297612263888e-05,
    0.0002774184251879052,
    9.804472718822836e-05,
    -0.002995846054374315,
    0.011994581554037386,
    -0.03113665568655022,
    0.06214596885598151,
    -0.10143699672538849,
    0.1394709691983264,
    -0.1640604678213707,
    0.16633534842682188,
)
"""erfcx(u) / (1 - q) in powers of q = (u + 0.25 - 3.5) / (u + 0.25 + 3.5), highest first; relative error 1.2e-16."""

_POLE: Final = ERFCX_SCALE + ERFCX_MARGIN
_SPAN: Final = 2.0 * ERFCX_SCALE
_INV_SPAN: Final = 1.0 / _SPAN


@kernel(inline=True)
def exp(x: float) -> float:
    """Give e**x with an error below 1 ulp; 0 below -708.4 to -708.75 (subnormal results), inf above 709.43.

    The bounds are where the bits of the power of two come out as those of 0 and of infinity.
    """
    inside = EXP_LOWEST if x < EXP_LOWEST else x
    inside = EXP_HIGHEST if inside > EXP_HIGHEST else inside
    return _exp(inside)


@kernel(inline=True)
def exp_negative(x: float) -> float:
    """Give :func:`exp` of a number that is known to be neither positive nor NaN."""
    return _exp(x if x > EXP_LOWEST else EXP_LOWEST)


@kernel(inline=True)
def _exp(inside: float) -> float:
    shifted = fused(inside, _INV_LN2, _ROUNDER)
    whole = shifted - _ROUNDER
    power = np.float64(shifted).view(np.int64) - _ROUNDER_BITS
    r = fused(whole, -_LN2_LO, fused(whole, -_LN2_HI, inside))
    w = r * r
    odd = EXP_COEFFICIENTS[0]
    even = EXP_COEFFICIENTS[1]
    for i in range(2, 10, 2):
        odd = fused(odd, w, EXP_COEFFICIENTS[i])
        even = fused(even, w, EXP_COEFFICIENTS[i + 1])
    scale = float(np.int64((power + _EXPONENT_ONE) << 52).view(np.float64))
    return (1.0 + fused(w, fused(r, odd, even), r)) * scale


@kernel(inline=True)
def log_ratio(p: float, q: float) -> float:
    """Give ln(p/q) for positive normal numbers, to full relative precision also where p is near q.

    ln(p/q) = k ln 2 + 2 atanh((p - q') / (p + q')) with q' = 2**k q the scaling of q nearest to p.
    """
    power = (np.float64(p).view(np.int64) - np.float64(q).view(np.int64) + _HALF_EXPONENT) >> 52
    near = q * float(np.int64((power + _EXPONENT_ONE) << 52).view(np.float64))
    z = (p - near) / (p + near)
    w = z * z
    square = w * w
    odd = ATANH_COEFFICIENTS[0]
    even = ATANH_COEFFICIENTS[1]
    for i in range(2, 8, 2):
        odd = fused(odd, square, ATANH_COEFFICIENTS[i])
        even = fused(even, square, ATANH_COEFFICIENTS[i + 1])
    k = float(power)
    return fused(k, _LN2_HI, fused(2.0, z, fused(z * w, fused(odd, w, even), k * _LN2_LO)))


@kernel(inline=True)
def _halves(p: float, q: float) -> tuple[float, float, float, float]:
    """Give the even and the odd half of the polynomial of erfcx at p, each with its divided difference to q.

    Halves are shorter chains of operations that wait for each other. The loops are cut in two because one of twelve
    turns is not unrolled, and then nothing around it becomes vector code.
    """
    even, even_slope = ERFCX_COEFFICIENTS[0], 0.0
    odd, odd_slope = ERFCX_COEFFICIENTS[1], 0.0
    for i in range(2, 12, 2):
        even_slope = fused(even_slope, q, even)
        even = fused(even, p, ERFCX_COEFFICIENTS[i])
        odd_slope = fused(odd_slope, q, odd)
        odd = fused(odd, p, ERFCX_COEFFICIENTS[i + 1])
    for i in range(12, 24, 2):
        even_slope = fused(even_slope, q, even)
        even = fused(even, p, ERFCX_COEFFICIENTS[i])
        odd_slope = fused(odd_slope, q, odd)
        odd = fused(odd, p, ERFCX_COEFFICIENTS[i + 1])
    return fused(even, p, ERFCX_COEFFICIENTS[24]), fused(even_slope, q, even), odd, odd_slope


@kernel(inline=True)
def erfcx_pair(u: float, z: float, gap: float) -> tuple[float, float, float]:
    """Give erfcx(u), erfcx(z) and erfcx(u) - erfcx(z), the last without cancellation, for -0.25 <= u <= z.

    Parameters
    ----------
    u, z : float
    gap : float
        z - u as the caller knows it, exact where the subtraction would not be.

    Notes
    -----
    With o = 1 - q(u) = 7 / (u + 3.75) and erfcx = o R(q), the difference is (q_z - q_u) (R(q_u) - o_z R[q_u, q_z])
    where R[., .] is the divided difference: Horner's scheme gives it beside R, and as R falls all terms are positive.
    """
    below, above = u + _POLE, z + _POLE
    inverse = _SPAN / (below * above)
    ou = inverse * above
    oz = inverse * below
    qu = 1.0 - ou
    qz = 1.0 - oz
    even, even_slope, odd, odd_slope = _halves(qu * qu, qz * qz)
    value = fused(qu, odd, even)
    slope = fused(fused(qz, odd_slope, even_slope), qu + qz, odd)
    step = inverse * gap
    return ou * value, oz * fused(step, slope, value), step * fused(-oz, slope, value)


@kernel(inline=True)
def exact_difference(a: float, b: float) -> tuple[float, float]:
    """Give a - b as rounded and what the rounding lost; the two sum to the exact difference (Knuth 1969)."""
    gap = a - b
    back = gap - a
    return gap, (a - (gap - back)) - (b + back)
