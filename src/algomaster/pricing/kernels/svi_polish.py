"""The last steps of an SVI fit: all five parameters at once, on residuals computed one by one, inside their bounds.

The parameters are a, the slopes of the right and the left wing, m and sigma. Where the least variance a + sigma
sqrt(right left) lies on its floor and would go below, it is held there and a follows the others (:func:`_tie`).
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray
from algomaster.pricing.kernels.smile_linear import solve_damped

__all__ = ["BEYOND", "LEE", "LOWEST_SHARE", "NARROWEST", "WIDEST", "clipped", "inside", "polish"]

LEE: Final = 2.0
"""No wing of total variance may be steeper (Lee 2004)."""
NARROWEST: Final = 1e-2
"""The least sigma, in weighted standard deviations of the strikes."""
WIDEST: Final = 4.0
"""The greatest sigma, in widths of the quoted range."""
BEYOND: Final = 0.5
"""How far outside the quoted range m may lie, in its widths."""
LOWEST_SHARE: Final = 1e-3
"""The least variance of a fit, in least variances of the quotes."""
_POLISH_STEPS: Final = 30
_INF: Final = math.inf


@kernel(inner=True)
def clipped(x: float, low: float, high: float) -> float:
    """Give x, or the bound beyond which it lies."""
    return min(max(x, low), high)


@kernel(inner=True)
def _residuals(
    k: FloatArray, w: FloatArray, omega: FloatArray, lo: int, hi: int, x: FloatArray, hessian: FloatArray,
    gradient: FloatArray, deep: bool,
) -> float:  # fmt: skip
    """Give the sum of squares at x = (a, right slope, left slope, m, sigma); if ``deep``, the normal equations too."""
    a, right, left, m, sigma = x[0], x[1], x[2], x[3], x[4]
    total = 0.0
    if not deep:
        for i in range(lo, hi):
            z = k[i] - m
            h = math.sqrt(z * z + sigma * sigma)
            gap = w[i] - (a + 0.5 * (right * (h + z) + left * (h - z)))
            total += omega[i] * gap * gap
        return total
    h00, h10, h11, h20, h21, h22, h30, h31, h32, h33 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    h40, h41, h42, h43, h44 = 0.0, 0.0, 0.0, 0.0, 0.0
    g0, g1, g2, g3, g4 = 0.0, 0.0, 0.0, 0.0, 0.0
    both, half = 0.5 * (right + left), 0.5 * (right - left)
    for i in range(lo, hi):
        z = k[i] - m
        h = math.sqrt(z * z + sigma * sigma)
        r = 1.0 / h
        d1, d2 = 0.5 * (h + z), 0.5 * (h - z)
        d3, d4 = -(half + both * z * r), both * sigma * r
        o = omega[i]
        gap = w[i] - (a + right * d1 + left * d2)
        o1, o2, o3, o4, og = o * d1, o * d2, o * d3, o * d4, o * gap
        total += og * gap
        h00 += o
        h10 += o1
        h11 += o1 * d1
        h20 += o2
        h21 += o2 * d1
        h22 += o2 * d2
        h30 += o3
        h31 += o3 * d1
        h32 += o3 * d2
        h33 += o3 * d3
        h40 += o4
        h41 += o4 * d1
        h42 += o4 * d2
        h43 += o4 * d3
        h44 += o4 * d4
        g0 += og
        g1 += og * d1
        g2 += og * d2
        g3 += og * d3
        g4 += og * d4
    hessian[0, 0], hessian[1, 0], hessian[1, 1] = h00, h10, h11
    hessian[2, 0], hessian[2, 1], hessian[2, 2] = h20, h21, h22
    hessian[3, 0], hessian[3, 1], hessian[3, 2], hessian[3, 3] = h30, h31, h32, h33
    hessian[4, 0], hessian[4, 1], hessian[4, 2], hessian[4, 3], hessian[4, 4] = h40, h41, h42, h43, h44
    gradient[0], gradient[1], gradient[2], gradient[3], gradient[4] = g0, g1, g2, g3, g4
    return total


@kernel(inner=True)
def inside(x: FloatArray, base: FloatArray) -> None:
    """Bring x = (a, right slope, left slope, m, sigma) inside its bounds."""
    low, width, spread = base[6], base[7], base[9]
    x[1] = clipped(x[1], 0.0, LEE)
    x[2] = clipped(x[2], 0.0, LEE)
    x[3] = clipped(x[3], low - BEYOND * width, low + (1.0 + BEYOND) * width)
    x[4] = clipped(x[4], NARROWEST * spread, WIDEST * width)
    least = base[8] - x[4] * math.sqrt(x[1] * x[2])
    x[0] = x[0] if x[0] > least else least


@kernel(inner=True)
def _tie(x: FloatArray, hessian: FloatArray, gradient: FloatArray) -> None:
    """Turn the normal equations into those with the least variance a + sigma sqrt(right left) held: a follows."""
    root = math.sqrt(x[1] * x[2])
    by_right, by_left = -0.5 * x[4] * root / x[1], -0.5 * x[4] * root / x[2]
    for i in range(1, 5):
        ci = by_right if i == 1 else by_left if i == 2 else -root if i == 4 else 0.0
        for j in range(1, i + 1):
            cj = by_right if j == 1 else by_left if j == 2 else -root if j == 4 else 0.0
            hessian[i, j] += ci * hessian[j, 0] + cj * hessian[i, 0] + ci * cj * hessian[0, 0]
        gradient[i] += ci * gradient[0]


@kernel(inner=True)
def polish(
    k: FloatArray, w: FloatArray, omega: FloatArray, lo: int, hi: int, base: FloatArray, x: FloatArray, room: FloatArray
) -> float:
    """Improve x = (a, right slope, left slope, m, sigma) in place; give the sum of squares."""
    hessian, work = room[0:5, 0:5], room[5:10, 0:5]
    gradient, free, step, new = room[10, 0:5], room[11, 0:5], room[12, 0:5], room[13, 0:5]
    low, width, spread = base[6], base[7], base[9]
    value = _residuals(k, w, omega, lo, hi, x, hessian, gradient, True)
    damping = 1e-6
    for _ in range(_POLISH_STEPS):
        tied = gradient[0] < 0.0 and x[0] <= base[8] - x[4] * math.sqrt(x[1] * x[2]) + 1e-9 * base[8]
        tied = tied and x[1] > 0.0 and x[2] > 0.0
        if tied:
            _tie(x, hessian, gradient)
        free[0] = 0.0 if tied else 1.0
        free[1] = 0.0 if (x[1] <= 0.0 and gradient[1] < 0.0) or (x[1] >= LEE and gradient[1] > 0.0) else 1.0
        free[2] = 0.0 if (x[2] <= 0.0 and gradient[2] < 0.0) or (x[2] >= LEE and gradient[2] > 0.0) else 1.0
        at_end = (x[3] <= low - BEYOND * width and gradient[3] < 0.0) or (
            x[3] >= low + (1.0 + BEYOND) * width and gradient[3] > 0.0
        )
        free[3] = 0.0 if at_end else 1.0
        at_end = (x[4] <= NARROWEST * spread and gradient[4] < 0.0) or (x[4] >= WIDEST * width and gradient[4] > 0.0)
        free[4] = 0.0 if at_end else 1.0
        moved = False
        gain = 0.0
        for _ in range(6):
            if solve_damped(hessian, gradient, free, damping, 5, work, step):
                for j in range(5):
                    new[j] = x[j] + step[j]
                if tied:
                    new[0] = -_INF
                inside(new, base)
                trial = _residuals(k, w, omega, lo, hi, new, hessian, gradient, False)
                if trial < value:
                    gain = value - trial
                    moved = True
                    break
            damping = damping * 10.0 + 1e-9
        if not moved:
            break
        for j in range(5):
            x[j] = new[j]
        if gain <= 1e-6 * value:
            return value - gain
        value = _residuals(k, w, omega, lo, hi, x, hessian, gradient, True)
        damping *= 0.1
    return value
