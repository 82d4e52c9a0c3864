"""Fitting every expiry of a chain, quotes that do not belong left out.

1. Each expiry is fitted alone (:mod:`svi_fit`, :mod:`essvi_fit`, :mod:`sabr_fit`).
2. :func:`_trim` gives weight 0 to quotes whose residual is many times the usual one of their expiry (the median of the
   absolute weighted residuals, as a standard deviation), unless the fit lies within their bid and ask or close by; the
   expiry is then fitted again from where it was. At most three rounds, and at most a fifth of the quotes.
3. Extended SSVI is then freed of calendar arbitrage over all expiries.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.kernels.essvi_fit import fit_essvi_slice
from algomaster.pricing.kernels.sabr_fit import fit_sabr, sabr_wings
from algomaster.pricing.kernels.smile_eval import ESSVI, SVI, slice_variance
from algomaster.pricing.kernels.svi_fit import fit_svi

__all__ = ["FITTED", "NO_FIT", "NO_FORWARD", "TOO_FEW", "fit_expiries", "fit_one"]

FITTED: Final = 0
TOO_FEW: Final = 1
NO_FORWARD: Final = 2
NO_FIT: Final = 3
_ROUNDS: Final = 3
_MOST_TRIMMED: Final = 0.2
_CLOSE: Final = 5e-3
"""No quote is left out whose volatility the fit misses by less than this share."""
_TO_DEVIATION: Final = 1.4826
"""The standard deviation of a normal variable over the median of its absolute values."""


@kernel
def fit_one(
    method: int, k: FloatArray, w: FloatArray, omega: FloatArray, lo: int, hi: int, years: float, beta: float,
    warm: bool, row: FloatArray, room: FloatArray,
) -> float:  # fmt: skip
    """Fit one expiry into ``row``; give the weighted mean square of its residuals."""
    if method == SVI:
        return fit_svi(k, w, omega, lo, hi, warm, row, room)
    if method == ESSVI:
        return fit_essvi_slice(k, w, omega, lo, hi, warm, row, room)
    return fit_sabr(k, w, omega, lo, hi, years, beta, warm, row, room)


@kernel(inner=True)
def _trim(
    method: int, k: FloatArray, w: FloatArray, omega: FloatArray, half: FloatArray, lo: int, hi: int, years: float,
    row: FloatArray, trim: float, least: int, misfit: FloatArray, sorted_misfit: FloatArray,
) -> bool:  # fmt: skip
    """Set the weight of quotes that do not belong to 0; tell whether there were any."""
    count, dropped = 0, 0
    for i in range(lo, hi):
        misfit[i] = 0.0
        if omega[i] > 0.0:
            model, _, _ = slice_variance(method, row, years, k[i])
            misfit[i] = abs(w[i] - model) * math.sqrt(omega[i])
            sorted_misfit[count] = misfit[i]
            count += 1
        else:
            dropped += 1
    usual = _TO_DEVIATION * float(np.median(sorted_misfit[:count]))
    spare = min(int(_MOST_TRIMMED * (hi - lo)) - dropped, count - least)
    found = False
    for _ in range(spare):
        worst, at = trim * usual, -1
        for i in range(lo, hi):
            if omega[i] > 0.0 and misfit[i] > worst:
                vol = math.sqrt(w[i] / years)
                model, _, _ = slice_variance(method, row, years, k[i])
                gap = abs(vol - math.sqrt(model / years)) if model > 0.0 else math.inf
                if gap > _CLOSE * vol and not gap <= half[i]:
                    worst, at = misfit[i], i
        if at < 0:
            break
        omega[at] = 0.0
        found = True
    return found


@kernel
def fit_expiries(
    method: int, k: FloatArray, w: FloatArray, omega: FloatArray, half: FloatArray, first: IntArray, years: FloatArray,
    forward: FloatArray, beta: float, trim: float, least: int, warm: IntArray, parameters: FloatArray, status: IntArray,
    room: FloatArray, misfit: FloatArray, sorted_misfit: FloatArray,
) -> None:  # fmt: skip
    """Fit each expiry alone.

    Parameters
    ----------
    k, w, half : (n,)
        Log-moneyness, total variance, half the spread in volatility.
    omega : (n,)
        Weights; 0 is written for quotes left out.
    first : (E + 1,)
    years, forward : (E,)
    beta : float
        Of SABR; NaN to fit it.
    trim : float
        How many usual residuals a quote may be off; infinity leaves none out.
    least : int
        Fewer different strikes than this are not fitted.
    warm : (E,)
        1 where ``parameters`` holds a fit to start from.
    parameters : (E, p), status : (E,)
        Written.
    room : (>= 18, >= 10), misfit, sorted_misfit : (n,)
        Scratch.
    """
    for e in range(years.size):
        lo, hi = first[e], first[e + 1]
        strikes, before = 0, -math.inf
        for i in range(lo, hi):
            if omega[i] > 0.0 and k[i] > before:
                strikes += 1
                before = k[i]
        status[e] = FITTED
        if not (forward[e] > 0.0 and forward[e] < math.inf):
            status[e] = NO_FORWARD
        elif strikes < least:
            status[e] = TOO_FEW
        if status[e] != FITTED:
            continue
        row = parameters[e]
        again = warm[e] == 1
        fit_one(method, k, w, omega, lo, hi, years[e], beta, again, row, room)
        if trim < math.inf:
            for _ in range(_ROUNDS):
                if not _trim(method, k, w, omega, half, lo, hi, years[e], row, trim, least, misfit, sorted_misfit):
                    break
                fit_one(method, k, w, omega, lo, hi, years[e], beta, True, row, room)
        if method != SVI and method != ESSVI:
            sabr_wings(row, years[e], k[lo], k[hi - 1])
        for j in range(row.size):
            if not abs(row[j]) < math.inf:
                status[e] = NO_FIT
