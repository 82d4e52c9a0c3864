"""Fitting extended SSVI to all expiries, free of butterfly and calendar arbitrage by construction.

An expiry has x = (theta, rho, psi). With (theta0, rho0, psi0) of the expiry before it,

    p = max((1 + rho0)/(1 + rho), (1 - rho0)/(1 - rho)),          A = psi0 p,
    C = min(psi0 theta/theta0, 4/(1 + |rho|), 2 sqrt(theta/(1 + |rho|))),
    theta = a + max(theta0 p, A**2 (1 + |rho|)/4),                psi = A + c (C - A),

every u = (rho, a, c) of the box |rho| < 1, a >= 0, 0 <= c <= 1 (in which A <= 4/(1 + |rho|)) is free of arbitrage: the
terms of C are the calendar condition that phi does not rise and the two butterfly conditions of Gatheral and Jacquier,
p is the calendar condition on both wings (:func:`_map`).

1. :func:`fit_essvi_slice` fits an expiry alone: the best of eight coarse starts, then Gauss-Newton in u. Where the
   fits of all expiries happen to be free of calendar arbitrage they are the best surface, and all is done.
2. Otherwise :func:`fit_essvi_surface` fits them one after the other, each in the box that its predecessor leaves,
3. and then polishes all u together. Quotes enter only by the normal equations of their own expiry, 3 x 3; those are
   carried to u by the chain rule, so that a step costs one pass over the quotes and one system of 3 E unknowns.

Sources: S. Hendriks, C. Martini, "The extended SSVI volatility surface" (2019), propositions 3.1 and 3.5; A. Mingone,
"No arbitrage global parametrization for the eSSVI volatility surface" (2022), section 3; J. Gatheral, A. Jacquier,
"Arbitrage-free SVI volatility surfaces" (2014), theorem 4.2.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.kernels.smile_linear import solve_damped

__all__ = ["fit_essvi_slice", "fit_essvi_surface"]

STEEPEST: Final = 0.9995
"""Bound of abs(rho)."""
_MARGIN: Final = 1.0 - 1e-9
_RHO_STARTS: Final = (-0.8, -0.4, 0.0, 0.4)
_PSI_STARTS: Final = (0.3, 0.8)
_FLAT: Final = 1e-3
"""A start of psi below this share of sqrt(theta) is none: from a flat smile no step tells where a slope lies."""
_STEPS: Final = 40
_GLOBAL_STEPS: Final = 30
_INF: Final = math.inf


@kernel(inner=True)
def _squares(
    k: FloatArray, w: FloatArray, omega: FloatArray, lo: int, hi: int, theta: float, rho: float, psi: float
) -> float:
    total = 0.0
    for i in range(lo, hi):
        x = psi * k[i]
        h = math.sqrt(x * x + theta * (2.0 * rho * x + theta))
        gap = w[i] - 0.5 * (theta + rho * x + h)
        total += omega[i] * gap * gap
    return total


@kernel(inner=True)
def _normal(
    k: FloatArray, w: FloatArray, omega: FloatArray, lo: int, hi: int, x: FloatArray, hessian: FloatArray,
    gradient: FloatArray,
) -> float:  # fmt: skip
    """Write the normal equations of an expiry in (theta, rho, psi); give the sum of squares."""
    theta, rho, psi = x[0], x[1], x[2]
    h00, h10, h11, h20, h21, h22 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    g0, g1, g2, total = 0.0, 0.0, 0.0, 0.0
    for i in range(lo, hi):
        ki = k[i]
        z = psi * ki
        h = math.sqrt(z * z + theta * (2.0 * rho * z + theta))
        r = 0.5 / h
        d0 = 0.5 + (rho * z + theta) * r
        d1 = z * (0.5 + theta * r)
        d2 = ki * (0.5 * rho + (z + rho * theta) * r)
        gap = w[i] - 0.5 * (theta + rho * z + h)
        o = omega[i]
        o0, o1, o2, og = o * d0, o * d1, o * d2, o * gap
        total += og * gap
        h00 += o0 * d0
        h10 += o1 * d0
        h11 += o1 * d1
        h20 += o2 * d0
        h21 += o2 * d1
        h22 += o2 * d2
        g0 += og * d0
        g1 += og * d1
        g2 += og * d2
    hessian[0, 0], hessian[1, 0], hessian[1, 1] = h00, h10, h11
    hessian[2, 0], hessian[2, 1], hessian[2, 2] = h20, h21, h22
    hessian[0, 1], hessian[0, 2], hessian[1, 2] = h10, h20, h21
    gradient[0], gradient[1], gradient[2] = g0, g1, g2
    return total


@kernel(inner=True)
def _map(u: FloatArray, before: FloatArray, x: FloatArray, by_u: FloatArray, by_before: FloatArray) -> bool:
    """Write x of u = (rho, a, c) after the expiry ``before``, dx/du and dx/dbefore; False where u is not allowed.

    ``before`` is (theta0, rho0, psi0), all 0 for the first expiry.
    """
    rho, a, c = u[0], u[1], u[2]
    theta0, rho0, psi0 = before[0], before[1], before[2]
    up, down = (1.0 + rho0) / (1.0 + rho), (1.0 - rho0) / (1.0 - rho)
    if up >= down:
        p, p_rho, p_rho0 = up, -up / (1.0 + rho), 1.0 / (1.0 + rho)
    else:
        p, p_rho, p_rho0 = down, down / (1.0 - rho), -1.0 / (1.0 - rho)
    sign = 1.0 if rho >= 0.0 else -1.0
    wide = 1.0 + abs(rho)
    low = psi0 * p
    if low * wide > 4.0:
        return False
    low_rho, low_rho0, low_psi0 = psi0 * p_rho, psi0 * p_rho0, p
    base, base_rho, base_theta0, base_rho0, base_psi0 = theta0 * p, theta0 * p_rho, p, theta0 * p_rho0, 0.0
    other = 0.25 * low * low * wide
    if other > base:
        base, base_theta0 = other, 0.0
        base_rho = 0.5 * low * wide * low_rho + 0.25 * low * low * sign
        base_rho0, base_psi0 = 0.5 * low * wide * low_rho0, 0.5 * low * wide * low_psi0
    theta = a + base
    if not theta > 0.0:
        return False
    high, h_theta, h_rho, h_theta0, h_psi0 = 4.0 / wide, 0.0, -4.0 * sign / (wide * wide), 0.0, 0.0
    root = 2.0 * math.sqrt(theta / wide)
    if root < high:
        high, h_theta, h_rho = root, 0.5 * root / theta, -0.5 * root * sign / wide
    if theta0 > 0.0 and psi0 * theta / theta0 < high:
        high, h_theta, h_rho = psi0 * theta / theta0, psi0 / theta0, 0.0
        h_theta0, h_psi0 = -high / theta0, theta / theta0
    x[0], x[1], x[2] = theta, rho, low + c * (high - low)
    by_u[0, 0], by_u[0, 1], by_u[0, 2] = base_rho, 1.0, 0.0
    by_u[1, 0], by_u[1, 1], by_u[1, 2] = 1.0, 0.0, 0.0
    by_u[2, 0] = (1.0 - c) * low_rho + c * (h_rho + h_theta * base_rho)
    by_u[2, 1], by_u[2, 2] = c * h_theta, high - low
    by_before[0, 0], by_before[0, 1], by_before[0, 2] = base_theta0, base_rho0, base_psi0
    by_before[1, 0], by_before[1, 1], by_before[1, 2] = 0.0, 0.0, 0.0
    by_before[2, 0] = c * (h_theta0 + h_theta * base_theta0)
    by_before[2, 1] = (1.0 - c) * low_rho0 + c * h_theta * base_rho0
    by_before[2, 2] = (1.0 - c) * low_psi0 + c * (h_psi0 + h_theta * base_psi0)
    return True


@kernel(inner=True)
def _unmap(x: FloatArray, before: FloatArray, u: FloatArray, y: FloatArray, j: FloatArray, j0: FloatArray) -> None:
    """Write the allowed u that comes nearest to x = (theta, rho, psi) after ``before``; the rest is scratch."""
    share = 1.0
    for _ in range(40):  # rho may have to stay nearer to that of the expiry before
        u[0] = before[1] + share * (min(max(x[1], -STEEPEST), STEEPEST) - before[1])
        u[1], u[2] = 1e-12 * x[0], 0.0
        if _map(u, before, y, j, j0):
            break
        share = 0.5 * share if share > 1e-6 else 0.0
    u[1] = max(x[0] - (y[0] - u[1]), 1e-9 * x[0])
    _map(u, before, y, j, j0)
    u[2] = min(max((x[2] - y[2]) / j[2, 2], 0.0), _MARGIN) if j[2, 2] > 0.0 else 0.5


@kernel(inner=True)
def _inside(u: FloatArray, least: float, theta0: float) -> None:
    """Bring u back into its box.

    Without an expiry before (theta0 = 0) a smile of -psi is that of psi with -rho, and c is so reflected: put to 0 the
    smile would be flat, rho without effect, and a slope of the other sign out of reach.
    """
    if theta0 == 0.0 and u[2] < 0.0:
        u[0], u[2] = -u[0], -u[2]
    u[0] = min(max(u[0], -STEEPEST), STEEPEST)
    u[1] = max(u[1], least)
    u[2] = min(max(u[2], 0.0), _MARGIN)


@kernel(inner=True)
def _free(u: FloatArray, gradient: FloatArray, hessian: FloatArray, at: int, least: float, free: FloatArray) -> None:
    """Write 0 where a step would only lead out of the box, or does nothing: rho and c of a flat smile (psi = 0)."""
    free[0] = 0.0 if (u[0] <= -STEEPEST and gradient[0] < 0.0) or (u[0] >= STEEPEST and gradient[0] > 0.0) else 1.0
    free[1] = 0.0 if u[1] <= least and gradient[1] < 0.0 else 1.0
    free[2] = 0.0 if (u[2] <= 0.0 and gradient[2] < 0.0) or (u[2] >= _MARGIN and gradient[2] > 0.0) else 1.0
    for m in range(3):
        if not hessian[at + m, at + m] > 0.0:
            free[m] = 0.0


@kernel(inner=True)
def _newton(
    k: FloatArray, w: FloatArray, omega: FloatArray, lo: int, hi: int, before: FloatArray, least: float, u: FloatArray,
    x: FloatArray, room: FloatArray,
) -> float:  # fmt: skip
    """Improve u of one expiry in place, and x with it; give the sum of squares."""
    hx, hu, work, j, j0 = room[0:3, 0:3], room[3:6, 0:3], room[6:9, 0:3], room[0:3, 3:6], room[3:6, 3:6]
    gx, gu, free, step = room[9, 0:3], room[9, 3:6], room[10, 0:3], room[10, 3:6]
    new, y = room[11, 0:3], room[11, 3:6]
    _map(u, before, x, j, j0)
    value = _normal(k, w, omega, lo, hi, x, hx, gx)
    damping = 1e-4
    for _ in range(_STEPS):
        for m in range(3):
            gu[m] = gx[0] * j[0, m] + gx[1] * j[1, m] + gx[2] * j[2, m]
            for n in range(m + 1):
                total = 0.0
                for r in range(3):
                    total += j[r, m] * (hx[r, 0] * j[0, n] + hx[r, 1] * j[1, n] + hx[r, 2] * j[2, n])
                hu[m, n] = total
        _free(u, gu, hu, 0, least, free)
        moved, gain = False, 0.0
        for _ in range(10):
            if solve_damped(hu, gu, free, damping, 3, work, step):
                for m in range(3):
                    new[m] = u[m] + step[m]
                _inside(new, least, before[0])
                if _map(new, before, y, j, j0):
                    trial = _squares(k, w, omega, lo, hi, y[0], y[1], y[2])
                    if trial < value:
                        moved, gain = True, value - trial
                        break
            damping = damping * 8.0 + 1e-9
        if not moved:
            break
        for m in range(3):
            u[m], x[m] = new[m], y[m]
        if gain <= 1e-5 * value:
            value -= gain
            break
        value = _normal(k, w, omega, lo, hi, x, hx, gx)
        damping *= 0.1
    return value


@kernel
def fit_essvi_slice(
    k: FloatArray, w: FloatArray, omega: FloatArray, lo: int, hi: int, warm: bool, x: FloatArray, room: FloatArray
) -> float:
    """Fit one expiry alone, free of butterfly arbitrage; give the weighted mean square of w's residuals.

    Parameters
    ----------
    k, w, omega : (n,)
        Log-moneyness, total variance, weight; those from ``lo`` up to ``hi`` belong to the expiry.
    warm : bool
        Start from ``x``, unless it is flat.
    x : (3,)
        theta, rho, psi; written.
    room : (>= 14, >= 10)
        Scratch.
    """
    before, u, y = room[12, 0:3], room[12, 3:6], room[13, 0:3]
    before[0], before[1], before[2] = 0.0, 0.0, 0.0
    near, mean, weights = _INF, 0.0, 0.0
    for i in range(lo, hi):
        weights += omega[i]
        if abs(k[i]) < near and omega[i] > 0.0:
            near, mean = abs(k[i]), w[i]
    if not (warm and x[2] > _FLAT * math.sqrt(mean)):
        best = _INF
        for rho in _RHO_STARTS:
            for share in _PSI_STARTS:
                psi = share * 2.0 * min(math.sqrt(mean / (1.0 + abs(rho))), 2.0 / (1.0 + abs(rho)))
                trial = _squares(k, w, omega, lo, hi, mean, rho, psi)
                if trial < best:
                    best = trial
                    x[0], x[1], x[2] = mean, rho, psi
    _unmap(x, before, u, y, room[0:3, 3:6], room[3:6, 3:6])
    return _newton(k, w, omega, lo, hi, before, 1e-6 * mean, u, x, room) / weights


@kernel(inner=True)
def _in_order(parameters: FloatArray, expiries: int) -> bool:
    """Tell whether no expiry can be arbitraged against the one before it."""
    for e in range(1, expiries):
        a, b = parameters[e - 1], parameters[e]
        wings = a[2] * (1.0 + a[1]) <= b[2] * (1.0 + b[1]) and a[2] * (1.0 - a[1]) <= b[2] * (1.0 - b[1])
        if not (wings and a[0] <= b[0] and b[2] * a[0] <= a[2] * b[0]):
            return False
    return True


@kernel(inner=True)
def _carry(e: int, chain: FloatArray, j: FloatArray, j0: FloatArray) -> None:
    """Turn ``chain`` (3, 3 E), the derivative of the expiry before by all u so far, into that of expiry ``e``."""
    for n in range(3 * e):
        a, b, c = chain[0, n], chain[1, n], chain[2, n]
        for r in range(3):
            chain[r, n] = j0[r, 0] * a + j0[r, 1] * b + j0[r, 2] * c
    for r in range(3):
        for n in range(3):
            chain[r, 3 * e + n] = j[r, n]


@kernel(inner=True)
def _assemble(
    k: FloatArray, w: FloatArray, omega: FloatArray, first: IntArray, u: FloatArray, x: FloatArray, hessian: FloatArray,
    gradient: FloatArray, chain: FloatArray, room: FloatArray,
) -> float:  # fmt: skip
    """Write the normal equations in all u; give the sum of squares. ``u`` and ``x`` are (E, 3)."""
    expiries = u.shape[0]
    hx, j, j0, gx, before = room[0:3, 0:3], room[0:3, 3:6], room[3:6, 3:6], room[9, 0:3], room[12, 0:3]
    size = 3 * expiries
    for m in range(size):
        gradient[m] = 0.0
        for n in range(m + 1):
            hessian[m, n] = 0.0
    before[0], before[1], before[2] = 0.0, 0.0, 0.0
    total = 0.0
    for e in range(expiries):
        _map(u[e], before, x[e], j, j0)
        total += _normal(k, w, omega, first[e], first[e + 1], x[e], hx, gx)
        _carry(e, chain, j, j0)
        for m in range(3 * e + 3):
            a, b, c = chain[0, m], chain[1, m], chain[2, m]
            gradient[m] += gx[0] * a + gx[1] * b + gx[2] * c
            h0 = hx[0, 0] * a + hx[0, 1] * b + hx[0, 2] * c
            h1 = hx[1, 0] * a + hx[1, 1] * b + hx[1, 2] * c
            h2 = hx[2, 0] * a + hx[2, 1] * b + hx[2, 2] * c
            for n in range(m + 1):
                hessian[m, n] += h0 * chain[0, n] + h1 * chain[1, n] + h2 * chain[2, n]
        before[0], before[1], before[2] = x[e, 0], x[e, 1], x[e, 2]
    return total


@kernel(inner=True)
def _all_squares(
    k: FloatArray, w: FloatArray, omega: FloatArray, first: IntArray, u: FloatArray, x: FloatArray, room: FloatArray
) -> float:
    before = room[12, 0:3]
    before[0], before[1], before[2] = 0.0, 0.0, 0.0
    total = 0.0
    for e in range(u.shape[0]):
        if not _map(u[e], before, x[e], room[0:3, 3:6], room[3:6, 3:6]):
            return _INF
        total += _squares(k, w, omega, first[e], first[e + 1], x[e, 0], x[e, 1], x[e, 2])
        before[0], before[1], before[2] = x[e, 0], x[e, 1], x[e, 2]
    return total


@kernel
def fit_essvi_surface(
    k: FloatArray, w: FloatArray, omega: FloatArray, first: IntArray, parameters: FloatArray, least: FloatArray,
    u: FloatArray, x: FloatArray, new: FloatArray, large: FloatArray, work: FloatArray, room: FloatArray,
) -> int:  # fmt: skip
    """Bring expiries fitted alone into a surface without calendar arbitrage; give the number of joint steps taken.

    Parameters
    ----------
    first : (E + 1,)
        Where the quotes of each expiry begin.
    parameters : (E, 3)
        theta, rho, psi of each expiry alone; overwritten with the surface's.
    least : (E,)
        Smallest a; so theta rises strictly.
    u, x, new : (E, 3), large : (3 E + 6, 3 E), work : (3 E, 3 E), room : (>= 14, >= 10)
        Scratch.

    Returns
    -------
    int
        0 where the expiries alone were free of calendar arbitrage; they are then left as they are.
    """
    expiries = first.size - 1
    if _in_order(parameters, expiries):
        return 0
    before, y = room[13, 3:6], room[13, 0:3]
    before[0], before[1], before[2] = 0.0, 0.0, 0.0
    for e in range(expiries):
        _unmap(parameters[e], before, u[e], y, room[0:3, 3:6], room[3:6, 3:6])
        _inside(u[e], least[e], before[0])
        _newton(k, w, omega, first[e], first[e + 1], before, least[e], u[e], x[e], room)
        before[0], before[1], before[2] = x[e, 0], x[e, 1], x[e, 2]
    size = 3 * expiries
    hessian, chain = large[0:size], large[size : size + 3]
    gradient, free, step = large[size + 3], large[size + 4], large[size + 5]
    damping, steps = 1e-3, 0
    value = _assemble(k, w, omega, first, u, x, hessian, gradient, chain, room)
    for _ in range(_GLOBAL_STEPS):
        steps += 1
        for e in range(expiries):
            _free(u[e], gradient[3 * e : 3 * e + 3], hessian, 3 * e, least[e], free[3 * e : 3 * e + 3])
        moved, gain = False, 0.0
        for _ in range(10):
            if solve_damped(hessian, gradient, free, damping, size, work, step):
                for e in range(expiries):
                    for m in range(3):
                        new[e, m] = u[e, m] + step[3 * e + m]
                    _inside(new[e], least[e], 0.0 if e == 0 else 1.0)
                trial = _all_squares(k, w, omega, first, new, x, room)
                if trial < value:
                    moved, gain = True, value - trial
                    break
            damping = damping * 6.0 + 1e-9
        if not moved:
            break
        for e in range(expiries):
            for m in range(3):
                u[e, m] = new[e, m]
        if gain <= 1e-4 * value:
            break
        value = _assemble(k, w, omega, first, u, x, hessian, gradient, chain, room)
        damping *= 0.15
    _all_squares(k, w, omega, first, u, x, room)
    for e in range(expiries):
        for m in range(3):
            parameters[e, m] = x[e, m]
    return steps
