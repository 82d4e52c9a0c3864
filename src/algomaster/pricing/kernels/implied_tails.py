"""Sum and difference of two erfcx, for the last step of a search.

As :func:`~algomaster.pricing.kernels.elementary.erfcx_pair`, but from -1/2 on: a price is taken as a price up to half
of its largest and as a complement above, and neither loses digits to the other. As nearly all the error of a volatility
comes from here, the argument of the polynomial is rounded less often.
"""

from __future__ import annotations

from typing import Final

from algomaster.core.jit import kernel
from algomaster.pricing.kernels.fused import fused

__all__ = ["TAIL_MARGIN", "tails"]

TAIL_MARGIN: Final = 0.5
"""How far below zero the arguments may reach."""

TAIL_SCALE: Final = 4.0

TAIL_COEFFICIENTS: Final = (
    4.701204047705549e-10,
    -3.126378321379077e-10,
    -5.599955313310641e-09,
    5.533381584564689e-09,
    3.891831696053654e-08,
    -6.495264286652063e-08,
    -2.0252480894615683e-07,
    6.445040999231726e-07,
    5.433567652904379e-07,
    -5.335576185828097e-06,
    5.8099239245935245e-06,
    2.788172997699991e-05,
    -0.0001168839098383585,
    0.00011489209089893685,
    0.0006346948195884285,
    -0.0037130676830565415,
    0.011745252966555726,
    -0.02775462560305403,
    0.05359907926566308,
    -0.08805488347287793,
    0.12576105337461652,
    -0.15814875252468125,
    0.17642893459753137,
    -0.1752949670571257,
    0.1552936556088943,
)
"""erfcx(u) / (1 - q) in powers of q = (u + 0.5 - 4) / (u + 0.5 + 4), highest first; relative error 1.5e-16.

An interpolant in Chebyshev nodes, computed with 50 digits.
"""

_POLE: Final = TAIL_SCALE + TAIL_MARGIN
_SPAN: Final = 2.0 * TAIL_SCALE
_INV_SPAN: Final = 1.0 / _SPAN


@kernel(inline=True)
def _halves(p: float, q: float) -> tuple[float, float, float, float]:
    """Give the even and the odd half of the polynomial at p, each with its divided difference to q.

    Two loops, because one of twelve turns is not unrolled, and then nothing around it becomes vector code.
    """
    even, even_slope = TAIL_COEFFICIENTS[0], 0.0
    odd, odd_slope = TAIL_COEFFICIENTS[1], 0.0
    for i in range(2, 12, 2):
        even_slope = fused(even_slope, q, even)
        even = fused(even, p, TAIL_COEFFICIENTS[i])
        odd_slope = fused(odd_slope, q, odd)
        odd = fused(odd, p, TAIL_COEFFICIENTS[i + 1])
    for i in range(12, 24, 2):
        even_slope = fused(even_slope, q, even)
        even = fused(even, p, TAIL_COEFFICIENTS[i])
        odd_slope = fused(odd_slope, q, odd)
        odd = fused(odd, p, TAIL_COEFFICIENTS[i + 1])
    return fused(even, p, TAIL_COEFFICIENTS[24]), fused(even_slope, q, even), odd, odd_slope


@kernel(inline=True)
def tails(u: float, z: float, gap: float, both: bool) -> float:
    """Give erfcx(u) + erfcx(z) if ``both``, else erfcx(u) - erfcx(z) without cancellation, for -0.5 <= u <= z.

    Parameters
    ----------
    u, z : float
    gap : float
        z - u as the caller knows it, exact where the subtraction would not be.
    both : bool
    """
    at_u, at_z = u + _POLE, z + _POLE
    inverse = _SPAN / (at_u * at_z)
    ou = inverse * at_z
    oz = inverse * at_u
    ou = fused(fused(-ou, at_u, _SPAN) * _INV_SPAN, ou, ou)  # of 8 / at_u, to the last digit
    oz = fused(fused(-oz, at_z, _SPAN) * _INV_SPAN, oz, oz)
    qu = 1.0 - ou
    qz = 1.0 - oz
    even, even_slope, odd, odd_slope = _halves(qu * qu, qz * qz)
    value = fused(qu, odd, even)
    slope = fused(fused(qz, odd_slope, even_slope), qu + qz, odd)
    step = ou * oz * gap * _INV_SPAN
    total = fused(ou, value, oz * fused(step, slope, value))
    return total if both else step * fused(-oz, slope, value)
