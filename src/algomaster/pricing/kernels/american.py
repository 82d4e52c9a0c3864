"""American options by collocation of the exercise boundary: a put of strike 1 that has a time of 1 left.

1. Time is the unit: a deviation vol sqrt(t), a rate r t and a yield q t say all; here they are vol, r and q. A call is
   a put with spot and strike, and rate and yield, exchanged. The put is held while the spot is above B(u), u the time
   left; its value is the European one plus the integral over u from 0 to 1 of r e^(-r v) N(-d-) - q x e^(-q v) N(-d+)
   with v = 1 - u, d+- = (ln(x / B(u)) + (r - q +- vol**2 / 2) v) / (vol sqrt(v)).
2. B falls from X = min(1, r / q) to the boundary of the perpetual option. H = ln(B / X)**2 is nearly a polynomial in
   sqrt(u), which is known by its values at Chebyshev nodes.
3. The boundary is the fixed point of one of two maps: of smooth pasting (FP-A), which gains more than a digit a turn,
   or of value matching (FP-B), which gains less but converges also where r - q is large beside vol and FP-A runs away
   (from 0.9 vol on among 250 random sets).
4. With sqrt(u) = cos(a), sqrt(v) = sin(a) the integrands are smooth at both ends, and what the polynomial is at the
   nodes of a quadrature in a is one matrix for all options: no Chebyshev series is summed, all loops are vector code.
5. The first guess is the quadratic approximation of Barone-Adesi and Whaley. That of the paper (QD+) is better by what
   one turn of FP-A gains, and costs more than the turn.

Source: L. Andersen, M. Lake, D. Offengenden, "High-performance American option pricing", Journal of Computational
Finance 20(1) (2016), sections 3 to 5; G. Barone-Adesi, R. Whaley, "Efficient analytic approximation of American option
values", Journal of Finance 42(2) (1987). Item 4 is ours.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray
from algomaster.pricing.kernels.elementary import erfcx_pair, exp, log_ratio

__all__ = ["Quadrature", "Scheme", "integral", "solve"]

_INV_SQRT2: Final = math.sqrt(0.5)
_DENSITY: Final = 1.0 / math.sqrt(2.0 * math.pi)
_STEEP: Final = 0.5  # (r - q) / vol from which FP-B is taken
_TURNS: Final = 100
_GUESSES: Final = 30
_LOWEST_LOG: Final = -600.0
_TINY: Final = 2.0**-1000


class Quadrature(NamedTuple):
    """Nodes over the time from now to a moment; m of them, or m for each of n moments in one row.

    Attributes
    ----------
    passed, left : (m,)
        Square roots of the times v since now and u from there to the end.
    weight : (m,)
        Of the angle.
    matrix : (n, m)
        From the values of H at the Chebyshev nodes to those at ``left``.
    """

    passed: FloatArray
    left: FloatArray
    weight: FloatArray
    matrix: FloatArray


class Scheme(NamedTuple):
    """What an accuracy consists of.

    Attributes
    ----------
    at : (n,)
        Chebyshev nodes in the square root of time, from 1 down, without 0.
    turn, price, fine : Quadrature
        For the boundary; for the price; for the price where few nodes do not do.
    tolerance : float
        Change of ln B in one turn after which there is no other.
    """

    at: FloatArray
    turn: Quadrature
    price: Quadrature
    fine: Quadrature
    tolerance: float


@kernel(inline=True)
def _normal(x: float) -> tuple[float, float]:
    """Give N(x), to full relative precision, and exp(-x**2 / 2)."""
    a = abs(x) * _INV_SQRT2
    a = a if a < 30.0 else 30.0
    g = exp(-a * a)
    at, _, _ = erfcx_pair(a, a, 1.0)
    tail = 0.5 * g * at
    return (1.0 - tail if x > 0.0 else tail), g


@kernel(inline=True)
def _ends(vol: float, r: float, q: float) -> tuple[float, float]:
    """Give ln B at u = 0 and for ever."""
    start = log_ratio(r, q) if q > r and r > 0.0 else 0.0
    variance = vol * vol
    drift = r - q - 0.5 * variance
    root = math.sqrt(drift * drift + 2.0 * r * variance)
    # minus the negative root of variance / 2 a**2 + drift a - r, without cancellation
    a = (drift + root) / variance if drift > 0.0 else 2.0 * r / (root - drift)
    last = -log_ratio(1.0 + a, a) if a > _TINY else _LOWEST_LOG
    return start, last if last > _LOWEST_LOG else _LOWEST_LOG


@kernel(inline=True)
def _decay(y: float) -> float:
    """Give 1 - e**-y without cancellation."""
    return y * (1.0 - 0.5 * y * (1.0 - y / 3.0)) if abs(y) < 1e-4 else 1.0 - exp(-y)


@kernel(inner=True)
def _guess(b: FloatArray, vol: float, r: float, q: float, at: FloatArray) -> None:
    """Write ln B by the quadratic approximation; Newton's steps, by halves where they would leave the bracket."""
    top, low = _ends(vol, r, q)
    variance = vol * vol
    c = 2.0 * (r - q) / variance - 1.0
    depth = 0.5 * (top - low)
    for i in range(at.size):
        place = float(at[i])  # numpy's own numbers would complain about infinities without the compiler
        u = place * place
        deviation = vol * place
        faded, paid_out = _decay(r * u), _decay(q * u)
        kept = faded / (r * u) if r > 0.0 else 1.0
        slope = -0.5 * (c + math.sqrt(c * c + 8.0 / (variance * u * kept)))
        left, right = low, top
        here = top - depth * (place / float(at[i - 1]) if i > 0 else 1.0)
        for _ in range(_GUESSES):
            x = exp(here)
            d = (here + (r - q + 0.5 * variance) * u) / deviation
            n1, g1 = _normal(d)
            n2, _ = _normal(d - deviation)
            dear = x * (paid_out + (1.0 - paid_out) * n1)  # x less delta's part: all without 1 less nearly 1
            value = dear + slope * (faded + (1.0 - faded) * n2 - dear)
            if value > 0.0:
                right = here
            else:
                left = here
            rise = dear * (1.0 - slope) + x * (1.0 - paid_out) * g1 * _DENSITY / deviation
            new = here - value / rise if rise > 0.0 else left
            new = new if left < new < right else 0.5 * (left + right)
            step = abs(new - here)
            here = new
            if step < 0.02 * deviation:
                break
        depth = top - here
        b[i] = here


@kernel(inner=True)
def solve(b: FloatArray, vol: float, r: float, q: float, scheme: Scheme, work: FloatArray) -> bool:
    """Write ln B at the Chebyshev nodes; say whether that converged."""
    at, (passed, left, weight, matrix) = scheme.at, scheme.turn
    n, m = at.size, passed.size
    each = m // n
    top, low = _ends(vol, r, q)
    _guess(b, vol, r, q, at)
    steep = r - q > _STEEP * vol
    drift = (r - q - 0.5 * vol * vol) / vol
    over, under, decay, growth = work[0], work[1], work[2], work[3]
    height, level = work[4], work[5]
    for j in range(m):
        decay[j] = exp(-r * passed[j] * passed[j]) * weight[j] * 2.0 * left[j]
        growth[j] = exp(-q * passed[j] * passed[j]) * weight[j] * 2.0 * left[j]
    worst = math.inf
    for _ in range(_TURNS):
        _heights(height, b, top, matrix)
        for i in range(n):
            for j in range(i * each, (i + 1) * each):
                level[j] = b[i] - top
        if steep:
            for j in range(m):
                d = (level[j] + height[j]) / (vol * passed[j]) + drift * passed[j]
                over[j] = decay[j] * passed[j] * _normal(d)[0]
                under[j] = growth[j] * passed[j] * _normal(d + vol * passed[j])[0]
        else:
            for j in range(m):
                d = (level[j] + height[j]) / (vol * passed[j]) + drift * passed[j]
                n1, g1 = _normal(d + vol * passed[j])
                over[j] = decay[j] * exp(-0.5 * d * d)
                under[j] = growth[j] * (vol * passed[j] * n1 + _DENSITY * g1)
        worst = 0.0
        for i in range(n):
            above = 0.0
            below = 0.0
            for j in range(i * each, (i + 1) * each):
                above += over[j]
                below += under[j]
            u = at[i] * at[i]
            d = b[i] / (vol * at[i]) + drift * at[i]
            n1, g1 = _normal(d + vol * at[i])
            n2, g2 = _normal(d)
            if steep:
                above = exp(-r * u) * n2 + r * above
                below = exp(-q * u) * n1 + q * below
            else:  # both times vol
                above = _DENSITY * (exp(-r * u) * g2 / at[i] + r * above)
                below = exp(-q * u) * (vol * n1 + _DENSITY * g1 / at[i]) + q * below
            if below > _TINY:
                new = log_ratio(above, below) if above > _TINY else low
            else:  # so far out that the boundary is never met
                new = float(b[i])
            new = new if new < top else top
            new = new if new > low else low
            change = abs(new - b[i])
            worst = change if change > worst else worst
            b[i] = new
        if worst < scheme.tolerance:
            break
    return worst < 1e-3 * vol or worst < scheme.tolerance


@kernel(inline=True)
def _heights(height: FloatArray, b: FloatArray, top: float, matrix: FloatArray) -> None:
    """Write sqrt(H) at the nodes of a quadrature."""
    m = matrix.shape[1]
    for j in range(m):
        height[j] = 0.0
    for i in range(b.size):
        h = (top - b[i]) * (top - b[i])
        for j in range(m):
            height[j] += matrix[i, j] * h
    for j in range(m):
        height[j] = math.sqrt(height[j] if height[j] > 0.0 else 0.0)


@kernel(inner=True)
def integral(
    x: float, log_x: float, b: FloatArray, vol: float, r: float, q: float, quadrature: Quadrature, work: FloatArray
) -> tuple[float, float, float]:
    """Give what early exercise is worth at the spot x, and its first and second derivative by x."""
    passed, left, weight, matrix = quadrature
    top, _ = _ends(vol, r, q)
    drift = (r - q - 0.5 * vol * vol) / vol
    height, worth, slope, bend = work[0], work[1], work[2], work[3]
    _heights(height, b, top, matrix)
    for j in range(passed.size):
        c = passed[j]
        dev = vol * c
        d = (log_x - top + height[j]) / dev + drift * c
        n1, g1 = _normal(-d - dev)
        n2, g2 = _normal(-d)
        w = weight[j] * 2.0 * left[j] * c
        earned = r * w * exp(-r * c * c)
        lost = q * w * exp(-q * c * c)
        g1 *= _DENSITY / dev
        g2 *= _DENSITY / dev
        worth[j] = earned * n2 - lost * x * n1
        slope[j] = lost * (g1 - n1) - earned * g2 / x
        bend[j] = (earned * g2 * (d / dev + 1.0) / x - lost * g1 * d / dev) / x
    total, first, second = 0.0, 0.0, 0.0
    for j in range(passed.size):
        total += worth[j]
        first += slope[j]
        second += bend[j]
    return float(total), float(first), float(second)
