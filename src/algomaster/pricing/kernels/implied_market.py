"""What a quote says before any volatility is sought: a status, and the time value to invert.

Near the intrinsic value the time value is a small difference of large numbers. The forward spot exp(drift) therefore
has two parts, F and a rest below its rounding, and forward - strike is taken from both: the time value then loses no
more to the carry than to the rounding of drift itself, and nothing where there is no carry.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.pricing.kernels.elementary import EXP_COEFFICIENTS, exact_difference, log_ratio
from algomaster.pricing.kernels.fused import fused
from algomaster.pricing.kernels.vanilla import HIGHEST, LOWEST

__all__ = ["ABOVE_MAX", "BAD_INPUT", "BELOW_INTRINSIC", "EXPIRED", "OK", "growth_parts", "market"]

OK: Final = 0
BELOW_INTRINSIC: Final = 1
ABOVE_MAX: Final = 2
EXPIRED: Final = 3
BAD_INPUT: Final = 4

_INF: Final = math.inf
_INV_LN2: Final = 1.0 / math.log(2.0)
_LN2_HI: Final = 0.6931471803691238  # ln 2 cut after 32 bits, so that a whole multiple of it is exact
_LN2_LO: Final = 1.9082149292705877e-10
_ROUNDER: Final = 6755399441055744.0  # 1.5 * 2**52: adding it leaves the nearest integer in the low bits
_ROUNDER_BITS: Final = 4843621399236968448
_EXPONENT_ONE: Final = 1023
_MOST: Final = 708.0


@kernel(inline=True)
def growth_parts(drift: float) -> tuple[float, float]:
    """Give exp(drift) in two parts, the second below the rounding of the first; infinite or 0 beyond 708."""
    inside = -_MOST if drift < -_MOST else drift
    inside = _MOST if inside > _MOST else inside
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
    more = fused(w, fused(r, odd, even), r)
    top = 1.0 + more
    rest = (1.0 - top) + more
    scale = float(np.int64((power + _EXPONENT_ONE) << 52).view(np.float64))
    top = top * scale if drift <= _MOST else _INF
    return top if drift >= -_MOST else drift * 0.0, rest * scale


@kernel(inline=True)
def market(
    right: int, price: float, spot: float, strike: float, t: float, drift: float, growth: float, rest: float,
    discount: float,
) -> tuple[int, float, float, float, float, float, float]:  # fmt: skip
    """Give what is to be solved.

    Parameters
    ----------
    right, price, spot, strike, t, discount
        As for :func:`~algomaster.pricing.kernels.implied.black_implied`, with a spot.
    drift : float
        ln(forward / spot).
    growth, rest : float
        exp(drift) in two parts.

    Returns
    -------
    tuple
        (status, a, m, M, value, complement, sqrt(t)): a = ln(M/m) of the smaller m and the larger M of forward and
        strike, the undiscounted value of the option out of the money, and m less that, each straight from the quote so
        that neither loses digits to the other. Those of a harmless option unless the status is OK.
    """
    s0 = float(spot)
    forward = s0 * float(growth)
    usable = (forward >= LOWEST) & (forward <= HIGHEST) & (strike >= LOWEST) & (strike <= HIGHEST)
    terms = (s0 >= LOWEST) & (s0 <= HIGHEST) & (discount > 0.0) & (discount < _INF)
    quote = ((right == 1) | (right == -1)) & (price > -_INF) & (price < _INF)
    good = usable & terms & quote & (t > -_INF) & (t <= HIGHEST)
    live = t > 0.0
    s0 = s0 if good else 1.0
    f = forward if good else 1.0
    k = float(strike) if good else 1.0
    more = fused(s0, rest, fused(s0, growth, -f)) if good else 0.0
    side = float(right)
    undiscounted = float(price) / (float(discount) if good else 1.0)
    gap, lost = exact_difference(f, k)
    lost = lost + more
    in_money = side * (gap + lost) > 0.0
    value = (undiscounted - side * gap) - side * lost if in_money else undiscounted
    complement = (f - undiscounted) + more if right > 0 else k - undiscounted
    solvable = good & live & (value > 0.0) & (complement > 0.0)
    low = f if f < k else k
    high = k if f < k else f
    a = abs(log_ratio(s0, k) + (float(drift) if good else 0.0))
    status = OK if complement > 0.0 else ABOVE_MAX
    status = status if value > 0.0 else BELOW_INTRINSIC
    status = status if live else EXPIRED
    status = status if good else BAD_INPUT
    root = math.sqrt(float(t) if good & live else 1.0)
    return status, a, low, high, value if solvable else 0.25 * low, complement if solvable else 0.75 * low, root
