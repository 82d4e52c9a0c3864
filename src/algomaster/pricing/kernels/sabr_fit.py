"""Fitting SABR to the quotes of one expiry: Levenberg-Marquardt from the best of eight coarse starts, and its wings.

The unknowns are alpha (at the forward), rho, nu and, if asked for, beta; residuals are those of total variance, their
derivatives those of the formula in :mod:`~algomaster.pricing.kernels.sabr` (by beta: a difference).
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray
from algomaster.pricing.kernels.elementary import exp, log_ratio
from algomaster.pricing.kernels.sabr import sabr_vol
from algomaster.pricing.kernels.smile_linear import solve_damped

__all__ = ["fit_sabr", "sabr_gradient", "sabr_wings"]

STEEPEST: Final = 0.9995
_RHO_STARTS: Final = (-0.7, -0.3, 0.0, 0.4)
_NU_STARTS: Final = (0.4, 1.2)
_STEPS: Final = 40
_NEAR: Final = 1e-4
_BETA_STEP: Final = 1e-6
_LEE: Final = 1.99
_OUTWARD: Final = 40
_INF: Final = math.inf


@kernel(inner=True)
def _shape(z: float, rho: float) -> tuple[float, float, float]:
    """Give f = z/x(z), df/dz and df/drho."""
    if abs(z) < _NEAR:
        p = rho * rho
        f = 1.0 + z * (-0.5 * rho + z * (1.0 / 6.0 - p / 4.0))
        return f, -0.5 * rho + z * (1.0 / 3.0 - p / 2.0), z * (-0.5 - 0.5 * rho * z)
    r = math.sqrt(1.0 - 2.0 * rho * z + z * z)
    x = log_ratio(r + z - rho, 1.0 - rho) if z > rho else log_ratio(1.0 + rho, r - z + rho)
    f = z / x
    # dx/drho = -(1 + z/r)/(r + z - rho) + 1/(1 - rho); for z < rho the first quotient is extended by r - z + rho
    slope = -(r + z) / (r * (r + z - rho)) if z > rho else -(r + z) * (r - z + rho) / (r * (1.0 - rho * rho))
    return f, (1.0 - f / r) / x, -f * (slope + 1.0 / (1.0 - rho)) / x


@kernel(inner=True)
def sabr_gradient(
    alpha: float, beta: float, rho: float, nu: float, t: float, k: float
) -> tuple[float, float, float, float]:
    """Give the volatility and its derivatives by alpha, rho and nu."""
    g = 1.0 - beta
    e = exp(-0.5 * g * k) if g > 0.0 else 1.0
    gg = g * g
    v = e / (1.0 + gg * k * k * (1.0 / 24.0 + gg * k * k / 1920.0))
    bare = -k / (alpha * e)
    z = nu * bare
    f, fz, frho = _shape(z, rho)
    b = 1.0 + t * (gg * alpha * alpha * e * e / 24.0 + 0.25 * rho * beta * nu * alpha * e
                   + (2.0 - 3.0 * rho * rho) * nu * nu / 24.0)  # fmt: skip
    b_alpha = t * (gg * alpha * e * e / 12.0 + 0.25 * rho * beta * nu * e)
    b_rho = t * (0.25 * beta * nu * alpha * e - 0.25 * rho * nu * nu)
    b_nu = t * (0.25 * rho * beta * alpha * e + (2.0 - 3.0 * rho * rho) * nu / 12.0)
    return (
        alpha * v * f * b,
        v * (f * b - fz * z * b + alpha * f * b_alpha),
        alpha * v * (frho * b + f * b_rho),
        alpha * v * (fz * bare * b + f * b_nu),
    )


@kernel(inner=True)
def _normal(
    k: FloatArray, w: FloatArray, omega: FloatArray, lo: int, hi: int, t: float, x: FloatArray, by_beta: bool,
    deep: bool, hessian: FloatArray, gradient: FloatArray, d: FloatArray,
) -> float:  # fmt: skip
    """Give the sum of squares at x = (alpha, beta, rho, nu); if ``deep``, the normal equations too."""
    total = 0.0
    if deep:
        for m in range(4):
            gradient[m] = 0.0
            for n in range(m + 1):
                hessian[m, n] = 0.0
    for i in range(lo, hi):
        if not omega[i] > 0.0:
            continue
        vol, by_alpha, by_rho, by_nu = sabr_gradient(x[0], x[1], x[2], x[3], t, k[i])
        if not vol > 0.0:
            return _INF
        gap = w[i] - vol * vol * t
        total += omega[i] * gap * gap
        if deep:
            d[0], d[1], d[2], d[3] = by_alpha, 0.0, by_rho, by_nu
            if by_beta:
                step = -_BETA_STEP if x[1] > 0.5 else _BETA_STEP
                other, _, _, _ = sabr_gradient(x[0], x[1] + step, x[2], x[3], t, k[i])
                d[1] = (other - vol) / step
            scale = 2.0 * vol * t
            for m in range(4):
                od = omega[i] * scale * d[m]
                gradient[m] += od * gap
                for n in range(m + 1):
                    hessian[m, n] += od * scale * d[n]
    return total


@kernel(inner=True)
def _inside(x: FloatArray, top: FloatArray) -> None:
    x[0] = min(max(x[0], 1e-3 * top[0]), top[0])
    x[1] = min(max(x[1], 0.0), 1.0)
    x[2] = min(max(x[2], -STEEPEST), STEEPEST)
    x[3] = min(max(x[3], 1e-4 * top[3]), top[3])


@kernel(inner=True)
def _newton(
    k: FloatArray, w: FloatArray, omega: FloatArray, lo: int, hi: int, t: float, by_beta: bool, x: FloatArray,
    top: FloatArray, room: FloatArray,
) -> float:  # fmt: skip
    hessian, work = room[0:4, 0:4], room[4:8, 0:4]
    gradient, free, step, new, d = room[8, 0:4], room[8, 4:8], room[9, 0:4], room[9, 4:8], room[10, 0:4]
    value = _normal(k, w, omega, lo, hi, t, x, by_beta, True, hessian, gradient, d)
    damping = 1e-4
    for _ in range(_STEPS):
        free[0], free[1], free[2], free[3] = 1.0, 1.0 if by_beta else 0.0, 1.0, 1.0
        if (x[1] <= 0.0 and gradient[1] < 0.0) or (x[1] >= 1.0 and gradient[1] > 0.0):
            free[1] = 0.0
        if (x[2] <= -STEEPEST and gradient[2] < 0.0) or (x[2] >= STEEPEST and gradient[2] > 0.0):
            free[2] = 0.0
        if (x[3] <= 1e-4 * top[3] and gradient[3] < 0.0) or (x[3] >= top[3] and gradient[3] > 0.0):
            free[3] = 0.0
        moved, gain = False, 0.0
        for _ in range(10):
            if solve_damped(hessian, gradient, free, damping, 4, work, step):
                for m in range(4):
                    new[m] = x[m] + step[m]
                _inside(new, top)
                trial = _normal(k, w, omega, lo, hi, t, new, by_beta, False, hessian, gradient, d)
                if trial < value:
                    moved, gain = True, value - trial
                    break
            damping = damping * 8.0 + 1e-9
        if not moved:
            break
        for m in range(4):
            x[m] = new[m]
        if gain <= 1e-5 * value:
            value -= gain
            break
        value = _normal(k, w, omega, lo, hi, t, x, by_beta, True, hessian, gradient, d)
        damping *= 0.1
    return value


@kernel
def fit_sabr(
    k: FloatArray, w: FloatArray, omega: FloatArray, lo: int, hi: int, t: float, beta: float, warm: bool, x: FloatArray,
    room: FloatArray,
) -> float:  # fmt: skip
    """Fit one expiry; write alpha, beta, rho, nu into ``x`` (6,) and give the weighted mean square of w's residuals.

    Parameters
    ----------
    k, w, omega : (n,)
        Log-moneyness, total variance, weight; those from ``lo`` up to ``hi`` belong to the expiry.
    t : float
        Years to expiry.
    beta : float
        Held; NaN to fit it.
    warm : bool
        Start from ``x``.
    room : (>= 14, >= 10)
        Scratch.
    """
    by_beta = not (beta >= 0.0)
    top, one, d = room[11, 0:4], room[12, 0:4], room[10, 0:4]
    near, atm, weights = _INF, 0.0, 0.0
    for i in range(lo, hi):
        weights += omega[i]
        if abs(k[i]) < near and omega[i] > 0.0:
            near, atm = abs(k[i]), math.sqrt(w[i] / t)
    scale = 1.0 / math.sqrt(t)
    top[0], top[3] = 10.0 * atm, 20.0 * scale
    if warm:
        x[1] = x[1] if by_beta else beta
        _inside(x, top)
        return _newton(k, w, omega, lo, hi, t, by_beta, x, top, room) / weights
    hessian, gradient = room[0:4, 0:4], room[8, 0:4]
    best, second = _INF, _INF
    best_number, second_number = 0, 0
    middle = 0.5 if by_beta else beta
    for number in range(8):
        one[0], one[1], one[2] = atm, middle, _RHO_STARTS[number % 4]
        one[3] = _NU_STARTS[number // 4] * min(scale, 20.0 * atm)
        trial = _normal(k, w, omega, lo, hi, t, one, by_beta, False, hessian, gradient, d)
        if trial < best:
            second, second_number, best, best_number = best, best_number, trial, number
        elif trial < second:
            second, second_number = trial, number
    value = _INF
    for number in (best_number, second_number):
        one[0], one[1], one[2] = atm, middle, _RHO_STARTS[number % 4]
        one[3] = _NU_STARTS[number // 4] * min(scale, 20.0 * atm)
        trial = _newton(k, w, omega, lo, hi, t, by_beta, one, top, room)
        if trial < value:
            value = trial
            for m in range(4):
                x[m] = one[m]
    return value / weights


@kernel(inner=True)
def _slope(x: FloatArray, t: float, k: float) -> float:
    vol, v1, _ = sabr_vol(x[0], x[1], x[2], x[3], t, k)
    return 2.0 * vol * v1 * t if vol > 0.0 else math.nan


@kernel
def sabr_wings(x: FloatArray, t: float, low: float, high: float) -> None:
    """Write into ``x[4:6]`` where total variance leaves the formula for straight lines: at the ends of the quotes.

    Where it still falls towards the wing there (a line would become negative) the end moves outward to where it no
    longer does; where it is steeper than Lee's bound, inward.
    """
    width = high - low
    for side in (-1.0, 1.0):
        end = low if side < 0.0 else high
        slope = side * _slope(x, t, end)
        step = 0.1 * side * width
        for _ in range(_OUTWARD):
            if not slope < 0.0:
                break
            further = side * _slope(x, t, end + step)
            if math.isnan(further):
                break
            end, slope = end + step, further
        if slope > _LEE:
            inner = high if side < 0.0 else x[4]
            for _ in range(50):
                middle = 0.5 * (inner + end)
                if side * _slope(x, t, middle) > _LEE:
                    end = middle
                else:
                    inner = middle
            end = inner
        if side < 0.0:
            x[4] = end
        else:
            x[5] = end
