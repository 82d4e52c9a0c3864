"""Fitting raw SVI to the quotes of one expiry: the quasi-explicit calibration, then a polish of all five parameters.

With y = (k - m)/sigma and s = sqrt(1 + y**2) the hyperbola is linear in what remains,

    w = a + p (s + y)/2 + q (s - y)/2,      p = b (1 + rho) sigma,   q = b (1 - rho) sigma,

and p/sigma, q/sigma are the slopes of its wings. Lee's bound (2004) on both slopes is then a box, 0 <= p, q <= 2 sigma,
in which De Marco's and Zeliade's domain is contained once its diamond in (c, d) = ((p + q)/2, (p - q)/2) is turned.

1. :func:`_moments` sums what does not depend on (m, sigma), once an expiry.
2. :func:`_evaluate` solves the linear problem for one (m, sigma): one pass over the quotes for the nine sums with s in
   them (all other products are polynomials in k), then the box in closed form (:func:`_box`).
3. :func:`_descend` takes Levenberg-Marquardt steps in (m, ln sigma), the linear parameters projected out (Golub and
   Pereyra 1973 as simplified by Kaufman 1975): the same sums give the 2 x 2 system.
4. :func:`~algomaster.pricing.kernels.svi_polish.polish` takes Levenberg-Marquardt steps in all five, on residuals
   computed one by one.
5. :func:`fit_svi` looks at eight (m, sigma) and descends from the better sigma of each m. If two of the four come to
   the best place it polishes that; otherwise it is hard to find, and all eight are descended from and polished
   (:func:`_cold`). With a previous fit it
   descends from that alone, and polishes it as it was too.

Sources: S. De Marco, C. Martini, "Quasi-explicit calibration of Gatheral's SVI model", Zeliade white paper (2009);
R. Lee, "The moment formula for implied volatility at extreme strikes" (2004).
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray
from algomaster.pricing.kernels.elementary import exp
from algomaster.pricing.kernels.svi_polish import BEYOND, LEE, LOWEST_SHARE, NARROWEST, WIDEST, clipped, inside, polish

__all__ = ["fit_svi"]

_STEPS: Final = 40
_COARSE: Final = 1e-3
_FINE: Final = 1e-7
_ONE_VALLEY: Final = 1.05
"""Two descents that end within this ratio of one another are taken to have come to the same place."""
_M_STARTS: Final = (-0.9, -0.2, 0.3, 1.0)
_SIGMA_STARTS: Final = (0.15, 0.8)
"""Where a cold fit begins, in weighted standard deviations of the strikes: m from their mean, and sigma."""
_INF: Final = math.inf


@kernel(inner=True)
def _moments(k: FloatArray, w: FloatArray, omega: FloatArray, lo: int, hi: int, base: FloatArray) -> None:
    """Write weights, k and w summed into ``base`` (10,): S0, S1, S2, mean w, T1, T2, lowest k, width, floor, spread."""
    s0, s1, s2, t0 = 0.0, 0.0, 0.0, 0.0
    low, high, least = _INF, -_INF, _INF
    for i in range(lo, hi):
        s0 += omega[i]
        s1 += omega[i] * k[i]
        s2 += omega[i] * k[i] * k[i]
        t0 += omega[i] * w[i]
        if not omega[i] > 0.0:  # trimmed
            continue
        low = k[i] if k[i] < low else low
        high = k[i] if k[i] > high else high
        least = w[i] if w[i] < least else least
    mean = t0 / s0
    t1, t2 = 0.0, 0.0
    for i in range(lo, hi):
        gap = w[i] - mean
        t1 += omega[i] * gap * k[i]
        t2 += omega[i] * gap * gap
    base[0], base[1], base[2], base[3], base[4], base[5] = s0, s1, s2, mean, t1, t2
    base[6], base[7], base[8], base[9] = (
        low,
        high - low,
        LOWEST_SHARE * least,
        math.sqrt(max(s2 / s0 - (s1 / s0) ** 2, 0.0)),
    )


@kernel(inner=True)
def _edge(g: float, b: float, top: float) -> float:
    """Give the least of g x**2/2 - b x on 0 <= x <= top."""
    x = b / g if g > 0.0 else 0.0
    return min(max(x, 0.0), top)


@kernel(inner=True)
def _box(gpp: float, gpq: float, gqq: float, bp: float, bq: float, top: float) -> tuple[float, float, float]:
    """Give p, q and the value of the least of x'Gx - 2 b'x on the square 0 <= p, q <= top."""
    det = gpp * gqq - gpq * gpq
    if det > 1e-14 * gpp * gqq:
        p = (bp * gqq - bq * gpq) / det
        q = (bq * gpp - bp * gpq) / det
        if 0.0 <= p <= top and 0.0 <= q <= top:
            return p, q, -(bp * p + bq * q)
    best, best_p, best_q = _INF, 0.0, 0.0
    for side in range(4):
        held = top if side % 2 else 0.0
        if side < 2:
            p, q = held, _edge(gqq, bq - gpq * held, top)
        else:
            p, q = _edge(gpp, bp - gpq * held, top), held
        value = gpp * p * p + 2.0 * gpq * p * q + gqq * q * q - 2.0 * (bp * p + bq * q)
        if value < best:
            best, best_p, best_q = value, p, q
    return best_p, best_q, best


@kernel(inner=True)
def _evaluate(
    k: FloatArray, w: FloatArray, omega: FloatArray, lo: int, hi: int, base: FloatArray, m: float, sigma: float,
    full: bool, at: FloatArray,
) -> float:  # fmt: skip
    """Give the least sum of squares for one (m, sigma); write the fit and its 2 x 2 system into ``at`` (8,).

    ``at``: a, p, q, then (if ``full``) H_mm, H_ms, H_ss and the descent g_m, g_s in (m, ln sigma).
    """
    s0, mean = base[0], base[3]
    inverse = 1.0 / sigma
    s_1, s_y, s_t, r_1, r_y, r_t, r_ty, q_0, q_2 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if full:
        for i in range(lo, hi):
            y = (k[i] - m) * inverse
            ss = 1.0 + y * y
            s = math.sqrt(ss)
            r = 1.0 / s
            o, t = omega[i], w[i] - mean
            os, oq, oss = o * s, o * r, o / ss
            s_1 += os
            s_y += os * y
            s_t += os * t
            r_1 += oq
            r_y += oq * y
            r_t += oq * t
            r_ty += oq * y * t
            q_0 += oss
            q_2 += oss * y
    else:
        for i in range(lo, hi):
            y = (k[i] - m) * inverse
            os = omega[i] * math.sqrt(1.0 + y * y)
            s_1 += os
            s_y += os * y
            s_t += os * (w[i] - mean)
    y_1 = (base[1] - m * s0) * inverse
    y_2 = (base[2] - 2.0 * m * base[1] + m * m * s0) * inverse * inverse
    y_t = base[4] * inverse
    sum_p, sum_q = 0.5 * (s_1 + y_1), 0.5 * (s_1 - y_1)
    whole = 0.25 * (s0 + 2.0 * y_2)
    gpp = whole + 0.5 * s_y - sum_p * sum_p / s0
    gqq = whole - 0.5 * s_y - sum_q * sum_q / s0
    gpq = 0.25 * s0 - sum_p * sum_q / s0
    top = LEE * sigma
    p, q, value = _box(gpp, gpq, gqq, 0.5 * (s_t + y_t), 0.5 * (s_t - y_t), top)
    a = mean - (p * sum_p + q * sum_q) / s0
    lift = base[8] - (a + math.sqrt(p * q))
    if lift > 0.0:
        a += lift
        value += s0 * lift * lift
    at[0], at[1], at[2] = a, p, q
    if full:
        _project(base, at, inverse, top, (s_1, s_y, s_t, r_1, r_y, r_t, r_ty, q_0, q_2), (y_1, y_2, y_t),
                 (sum_p, sum_q, gpp, gpq, gqq))  # fmt: skip
    return float(base[5] + value)


@kernel(inner=True)
def _project(
    base: FloatArray, at: FloatArray, inverse: float, top: float, sums: tuple[float, ...], powers: tuple[float, ...],
    gram: tuple[float, ...],
) -> None:  # fmt: skip
    """Write the normal equations in (m, ln sigma) with the free linear parameters projected out.

    The derivatives are D_m = -(e + c u)/sigma and D_s = -(e y + c v) with u = y/s, v = y**2/s, e = (p - q)/2 and
    c = (p + q)/2; where p or q lies on Lee's bound 2 sigma it moves with sigma, which adds p (s + y)/2 or q (s - y)/2.
    """
    s_1, s_y, s_t, r_1, r_y, r_t, r_ty, q_0, q_2 = sums
    y_1, y_2, y_t = powers
    sum_p, sum_q, gpp, gpq, gqq = gram
    a, p, q = at[0], at[1], at[2]
    s0 = base[0]
    e, c = 0.5 * (p - q), 0.5 * (p + q)
    bound_p, bound_q = p >= top, q >= top
    # D_s = x1 y + x2 s + x3 v; v = s - r with r = 1/s, so D_s = x1 y + (x2 - c) s + c r
    x1 = -e + (0.5 * p if bound_p else 0.0) - (0.5 * q if bound_q else 0.0)
    x2 = (0.5 * p if bound_p else 0.0) + (0.5 * q if bound_q else 0.0)
    zs = x2 - c
    # sums of products of {1, u} and {y, s, r} with 1, y, s, the target and one another
    dm_1 = -(e * s0 + c * r_y) * inverse
    dm_y = -(e * y_1 + c * (s_1 - r_1)) * inverse
    dm_s = -(e * s_1 + c * y_1) * inverse
    dm_t = -c * r_ty * inverse
    ds_1 = x1 * y_1 + zs * s_1 + c * r_1
    ds_y = x1 * y_2 + zs * s_y + c * r_y
    ds_s = x1 * s_y + zs * (s0 + y_2) + c * s0
    ds_t = x1 * y_t + zs * s_t + c * r_t
    hmm = (e * e * s0 + 2.0 * e * c * r_y + c * c * (s0 - q_0)) * inverse * inverse
    dm_r = -(e * r_1 + c * q_2) * inverse
    hms = x1 * dm_y + zs * dm_s + c * dm_r
    ds_r = x1 * r_y + zs * s0 + c * q_0
    hss = x1 * ds_y + zs * ds_s + c * ds_r
    # residual t - (a - mean) - p P - q Q against D
    shift = a - base[3]
    gm = dm_t - shift * dm_1 - p * 0.5 * (dm_s + dm_y) - q * 0.5 * (dm_s - dm_y)
    gs = ds_t - shift * ds_1 - p * 0.5 * (ds_s + ds_y) - q * 0.5 * (ds_s - ds_y)
    # projection on 1, then on the free columns
    mp = 0.5 * (dm_s + dm_y) - dm_1 * sum_p / s0
    mq = 0.5 * (dm_s - dm_y) - dm_1 * sum_q / s0
    sp = 0.5 * (ds_s + ds_y) - ds_1 * sum_p / s0
    sq = 0.5 * (ds_s - ds_y) - ds_1 * sum_q / s0
    hmm -= dm_1 * dm_1 / s0
    hms -= dm_1 * ds_1 / s0
    hss -= ds_1 * ds_1 / s0
    free_p, free_q = 0.0 < p < top, 0.0 < q < top
    det = gpp * gqq - gpq * gpq
    if free_p and free_q and det > 1e-14 * gpp * gqq:
        hmm -= (gqq * mp * mp - 2.0 * gpq * mp * mq + gpp * mq * mq) / det
        hms -= (gqq * mp * sp - gpq * (mp * sq + mq * sp) + gpp * mq * sq) / det
        hss -= (gqq * sp * sp - 2.0 * gpq * sp * sq + gpp * sq * sq) / det
    elif free_p and gpp > 0.0:
        hmm, hms, hss = hmm - mp * mp / gpp, hms - mp * sp / gpp, hss - sp * sp / gpp
    elif free_q and gqq > 0.0:
        hmm, hms, hss = hmm - mq * mq / gqq, hms - mq * sq / gqq, hss - sq * sq / gqq
    at[3], at[4], at[5], at[6], at[7] = hmm, hms, hss, gm, gs


@kernel(inner=True)
def _descend(
    k: FloatArray, w: FloatArray, omega: FloatArray, lo: int, hi: int, base: FloatArray, m: float, sigma: float,
    enough: float, at: FloatArray, trial: FloatArray, x: FloatArray,
) -> float:  # fmt: skip
    """Descend from (m, sigma) until a step gains less than the share ``enough``.

    Writes a, the slopes of the right and the left wing, m and sigma into ``x`` (5,); gives the sum of squares.
    """
    low, width, spread = base[6], base[7], base[9]
    m_low, m_high = low - BEYOND * width, low + (1.0 + BEYOND) * width
    s_low, s_high = NARROWEST * spread, WIDEST * width
    value = _evaluate(k, w, omega, lo, hi, base, m, sigma, True, at)
    damping = 1e-3
    for _ in range(_STEPS):
        moved = False
        for _ in range(8):
            hmm, hss = at[3] * (1.0 + damping) + 1e-300, at[5] * (1.0 + damping) + 1e-300
            det = hmm * hss - at[4] * at[4]
            det = det if det > 1e-12 * hmm * hss else 1e-12 * hmm * hss
            dm = (hss * at[6] - at[4] * at[7]) / det
            ds = (hmm * at[7] - at[4] * at[6]) / det
            if (m <= m_low and at[6] < 0.0) or (m >= m_high and at[6] > 0.0):
                dm, ds = 0.0, at[7] / hss
            elif (sigma <= s_low and at[7] < 0.0) or (sigma >= s_high and at[7] > 0.0):
                dm, ds = at[6] / hmm, 0.0
            new_m = clipped(m + clipped(dm, -width, width), m_low, m_high)
            new_sigma = clipped(sigma * exp(clipped(ds, -1.5, 1.5)), s_low, s_high)
            if new_m == m and new_sigma == sigma:
                break
            new = _evaluate(k, w, omega, lo, hi, base, new_m, new_sigma, True, trial)
            if new < value:
                moved = True
                break
            damping = damping * 6.0 + 1e-6
        if not moved:
            break
        gain = value - new
        m, sigma, value = new_m, new_sigma, new
        for j in range(8):
            at[j] = trial[j]
        damping *= 0.15
        if gain <= enough * value + 1e-14 * base[5]:
            break
    x[0], x[1], x[2], x[3], x[4] = at[0], at[1] / sigma, at[2] / sigma, m, sigma
    inside(x, base)
    return value


@kernel(inner=True)
def _start(number: int, base: FloatArray) -> tuple[float, float]:
    """Give one of the eight (m, sigma) from which a cold fit begins."""
    return base[1] / base[0] + _M_STARTS[number % 4] * base[9], _SIGMA_STARTS[number // 4] * base[9]


@kernel(inner=True)
def _cold(
    k: FloatArray, w: FloatArray, omega: FloatArray, lo: int, hi: int, base: FloatArray, room: FloatArray
) -> float:
    """Fit from the eight starts into ``room[12, 5:10]``; give the sum of squares."""
    at, trial, x, kept = room[15, 0:8], room[16, 0:8], room[13, 5:10], room[12, 5:10]
    best, second = _INF, _INF
    for number in range(4):
        m, narrow = _start(number, base)
        _, wide = _start(number + 4, base)
        at_narrow = _evaluate(k, w, omega, lo, hi, base, m, narrow, False, trial)
        at_wide = _evaluate(k, w, omega, lo, hi, base, m, wide, False, trial)
        sigma = narrow if at_narrow < at_wide else wide
        end = _descend(k, w, omega, lo, hi, base, m, sigma, _COARSE, at, trial, x)
        if number == 0 or end < best:
            best, second = end, best
            for j in range(5):
                kept[j] = x[j]
        else:
            second = min(second, end)
    value = polish(k, w, omega, lo, hi, base, kept, room)
    if second <= _ONE_VALLEY * best:
        return value
    for number in range(8):
        m, sigma = _start(number, base)
        _descend(k, w, omega, lo, hi, base, m, sigma, _FINE, at, trial, x)
        end = polish(k, w, omega, lo, hi, base, x, room)
        if end < value:
            value = end
            for j in range(5):
                kept[j] = x[j]
    return value


@kernel
def fit_svi(
    k: FloatArray, w: FloatArray, omega: FloatArray, lo: int, hi: int, warm: bool, out: FloatArray,
    room: FloatArray,
) -> float:  # fmt: skip
    """Fit one expiry; write a, b, rho, m, sigma into ``out`` (5,) and give the weighted mean square of w's residuals.

    Parameters
    ----------
    k, w, omega : (n,)
        Log-moneyness, total variance, weight (> 0) of each quote; those from ``lo`` up to ``hi`` belong to the expiry.
    warm : bool
        Start from the fit that ``out`` holds.
    room : (>= 18, >= 10)
        Scratch.
    """
    base, at, trial, kept = room[14, 0:10], room[15, 0:8], room[16, 0:8], room[12, 5:10]
    _moments(k, w, omega, lo, hi, base)
    if warm:
        m = clipped(out[3], base[6] - BEYOND * base[7], base[6] + (1.0 + BEYOND) * base[7])
        sigma = clipped(out[4], NARROWEST * base[9], WIDEST * base[7])
        _descend(k, w, omega, lo, hi, base, m, sigma, _FINE, at, trial, kept)
        value = polish(k, w, omega, lo, hi, base, kept, room)
        x = room[13, 5:10]  # on the floor of variance the descent may lose what the fit before had found
        x[0], x[1], x[2], x[3], x[4] = out[0], out[1] * (1.0 + out[2]), out[1] * (1.0 - out[2]), m, sigma
        inside(x, base)
        end = polish(k, w, omega, lo, hi, base, x, room)
        if end < value:
            value = end
            for j in range(5):
                kept[j] = x[j]
    else:
        value = _cold(k, w, omega, lo, hi, base, room)
    total = kept[1] + kept[2]
    out[0], out[1], out[3], out[4] = kept[0], 0.5 * total, kept[3], kept[4]
    out[2] = (kept[1] - kept[2]) / total if total > 0.0 else 0.0
    return float(value / base[0])
