"""Loops of American options over arrays: European prices and Greeks in, American ones out.

Not exercised early are puts with r <= 0 and q >= r, and calls with q <= 0 and r >= q. With q < r < 0 a put is held on
both sides of an interval of spots, which one boundary cannot describe: NaN; calls with r < q < 0 likewise.

Arrays are one-dimensional, float64 and C-contiguous (``right`` int64), all of one length; ``out`` holds what the loops
of :mod:`~algomaster.pricing.kernels.loops` wrote for the same inputs.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.kernels.american import Scheme, integral, solve
from algomaster.pricing.kernels.elementary import exp, log_ratio
from algomaster.pricing.kernels.vanilla import HIGHEST, LOWEST, black_price

__all__ = ["american_boundary_loop", "american_greeks_loop", "american_price_loop"]

_CROSSING: Final = 8.0  # (q - r) / vol from which the spot drifts into the boundary: a step amid the integrand
_DECAYING: Final = 5.0  # r from which the discount falls too fast for few nodes
_NARROWEST: Final = 1e-8  # of vol sqrt(t): below it the premium changes by less than that
_WIDEST: Final = 100.0  # above it not at all
_LONGEST: Final = 50.0  # of rate and yield times t
_NEGLIGIBLE: Final = 1e-12  # of rate and yield times t, which bound the premium
_BUMP: Final = 1e-3  # of vol, and of the rate, for differences
_LEAST_BUMP: Final = 1e-5


@kernel(inner=True)
def _early(
    x: float, log_x: float, vol: float, r: float, q: float, scheme: Scheme, solved: FloatArray, b: FloatArray,
    work: FloatArray,
) -> tuple[bool, float]:  # fmt: skip
    """Say whether the put is held at the spot x, and give what early exercise adds to the European one.

    ``solved`` (3,) holds for which vol, r and q ``b`` is the boundary: neighbours in a chain may share it.
    """
    if not (abs(r) <= _LONGEST and abs(q) <= _LONGEST) or q < r < 0.0:
        return True, math.nan
    if r < 0.0 or (r < _NEGLIGIBLE and q > -_NEGLIGIBLE):
        return True, 0.0
    vol = _in_range(vol)
    if solved[0] != vol or solved[1] != r or solved[2] != q:
        converged = solve(b, vol, r, q, scheme, work)
        solved[0], solved[1], solved[2] = (vol if converged else math.nan), r, q
        if not converged:
            return True, math.nan
    if log_x <= b[0]:
        return False, 0.0
    fine = q - r > _CROSSING * vol or r > _DECAYING
    worth, _, _ = integral(x, log_x, b, vol, r, q, scheme.fine if fine else scheme.price, work)
    most = 1.0 - exp(-r) + (x * (exp(-q) - 1.0) if q < 0.0 else 0.0)
    worth = worth if worth > 0.0 else 0.0  # rounding and, far away, NaN
    return True, worth if worth < most else most


@kernel(inline=True)
def _in_range(vol: float) -> float:
    vol = vol if vol > _NARROWEST else _NARROWEST
    return vol if vol < _WIDEST else _WIDEST


@kernel(inner=True)
def _put(
    x: float, log_x: float, vol: float, r: float, q: float, scheme: Scheme, solved: FloatArray, b: FloatArray,
    work: FloatArray,
) -> float:  # fmt: skip
    """Give the value of the put of strike 1."""
    held, worth = _early(x, log_x, vol, r, q, scheme, solved, b, work)
    forward = x * exp(r - q)
    forward = forward if forward > LOWEST else LOWEST
    forward = forward if forward < HIGHEST else HIGHEST
    return worth + black_price(-1, forward, 1.0, 1.0, vol, exp(-r)) if held else 1.0 - x


@kernel(inline=True)
def _american(right: int, spot: float, strike: float, european: float, held: bool, worth: float) -> float:
    """Give the price: never below the European one and the intrinsic value, and NaN where either part is."""
    intrinsic = float(right) * (spot - strike)
    intrinsic = intrinsic if intrinsic > 0.0 else 0.0
    price = european + (strike if right < 0 else spot) * worth if held else european
    return intrinsic if price < intrinsic else price


@kernel(inline=True)
def _usable(european: float, spot: float) -> bool:
    return (european >= 0.0) & (spot >= LOWEST) & (spot <= HIGHEST)


@kernel(inner=True)
def _workspace(scheme: Scheme) -> tuple[FloatArray, FloatArray, FloatArray]:
    most = max(scheme.turn.passed.size, scheme.price.passed.size, scheme.fine.passed.size)
    return np.full(3, math.nan), np.empty(scheme.at.size), np.empty((6, most))


@kernel
def american_price_loop(
    right: IntArray, spot: FloatArray, strike: FloatArray, t: FloatArray, vol: FloatArray, rate: FloatArray,
    dividend: FloatArray, scheme: Scheme, out: FloatArray,
) -> None:  # fmt: skip
    """Turn the European prices in ``out`` (n,) into American ones."""
    solved, b, work = _workspace(scheme)
    for i in range(out.size):
        european = out[i]
        if _usable(european, spot[i]):
            s, k, years = float(spot[i]), float(strike[i]), float(t[i])
            r, q = float(rate[i]) * years, float(dividend[i]) * years
            deviation = float(vol[i]) * math.sqrt(years)
            if right[i] < 0:
                held, worth = _early(s / k, log_ratio(s, k), deviation, r, q, scheme, solved, b, work)
            else:
                held, worth = _early(k / s, log_ratio(k, s), deviation, q, r, scheme, solved, b, work)
            out[i] = _american(right[i], s, k, european, held, worth)
        else:
            out[i] = math.nan


@kernel
def american_greeks_loop(
    right: IntArray, spot: FloatArray, strike: FloatArray, t: FloatArray, vol: FloatArray, rate: FloatArray,
    dividend: FloatArray, scheme: Scheme, out: FloatArray,
) -> None:  # fmt: skip
    """Turn the European price, delta, gamma, vega, theta, rho in the rows of ``out`` (6, n) into American ones.

    Delta and gamma are derivatives of the integral and theta follows from them by the differential equation; vega and
    rho are central differences of prices, one-sided where the other side is not priced.
    """
    solved, b, work = _workspace(scheme)
    for i in range(out.shape[1]):
        if not _usable(out[0, i], spot[i]):
            out[:, i] = math.nan
            continue
        s, k, years = float(spot[i]), float(strike[i]), float(t[i])
        r, q = float(rate[i]) * years, float(dividend[i]) * years
        is_put = right[i] < 0
        first, second = (r, q) if is_put else (q, r)
        x = s / k if is_put else k / s
        log_x = log_ratio(s, k) if is_put else log_ratio(k, s)
        unit = k if is_put else s
        deviation = float(vol[i]) * math.sqrt(years)
        held, worth = _early(x, log_x, deviation, first, second, scheme, solved, b, work)
        out[0, i] = _american(right[i], s, k, out[0, i], held, worth)
        if not held:
            out[1, i] = float(right[i])
            out[2:, i] = 0.0
        elif worth > 0.0:
            width = _in_range(deviation)
            _, slope, bend = integral(x, log_x, b, width, first, second, scheme.fine, work)
            delta = slope if is_put else worth - x * slope
            gamma = bend / k if is_put else x * (x * bend) / s
            carried = rate[i] * unit * worth - (rate[i] - dividend[i]) * s * delta
            out[1, i] += delta
            out[2, i] += gamma
            out[3, i] = unit * math.sqrt(years) * _by_vol(x, log_x, width, first, second, scheme, solved, b, work)
            out[4, i] += carried - 0.5 * width * width * s * s * gamma / years
            out[5, i] = unit * years * _by_rate(x, log_x, width, first, second, is_put, scheme, solved, b, work)
        elif worth != 0.0:
            out[1:, i] = math.nan


@kernel(inner=True)
def _by_vol(
    x: float, log_x: float, vol: float, r: float, q: float, scheme: Scheme, solved: FloatArray, b: FloatArray,
    work: FloatArray,
) -> float:  # fmt: skip
    step = _BUMP * vol
    high = _put(x, log_x, vol + step, r, q, scheme, solved, b, work)
    return (high - _put(x, log_x, vol - step, r, q, scheme, solved, b, work)) / (2.0 * step)


@kernel(inner=True)
def _by_rate(
    x: float, log_x: float, vol: float, r: float, q: float, first: bool, scheme: Scheme, solved: FloatArray,
    b: FloatArray, work: FloatArray,
) -> float:  # fmt: skip
    """Give the derivative of the put by its first or second rate."""
    step = _BUMP * abs(r if first else q)
    step = step if step > _LEAST_BUMP else _LEAST_BUMP
    up, down = (step, 0.0) if first else (0.0, step)
    high = _put(x, log_x, vol, r + up, q + down, scheme, solved, b, work)
    low = _put(x, log_x, vol, r - up, q - down, scheme, solved, b, work)
    if low == low and high == high:
        return (high - low) / (2.0 * step)
    here = _put(x, log_x, vol, r, q, scheme, solved, b, work)
    return (high - here if high == high else here - low) / step


@kernel
def american_boundary_loop(
    right: IntArray, spot: FloatArray, strike: FloatArray, t: FloatArray, vol: FloatArray, rate: FloatArray,
    dividend: FloatArray, scheme: Scheme, out: FloatArray,
) -> None:  # fmt: skip
    """Turn European prices in ``out`` (n,) into the spots at which exercise begins; ``spot`` is any usable one."""
    solved, b, work = _workspace(scheme)
    for i in range(out.size):
        k, years = float(strike[i]), float(t[i])
        r, q = float(rate[i]) * years, float(dividend[i]) * years
        first, second = (r, q) if right[i] < 0 else (q, r)
        usable = _usable(out[i], spot[i])
        out[i] = math.nan
        if usable and years == 0.0:
            out[i] = k
        elif usable:
            _, worth = _early(1.0, 0.0, float(vol[i]) * math.sqrt(years), first, second, scheme, solved, b, work)
            found = solved[1] == first and solved[2] == second  # otherwise exercise never pays
            level = b[0] if found else -math.inf
            ratio = exp(level if right[i] < 0 else -level)
            out[i] = k * ratio if worth == worth else math.nan
