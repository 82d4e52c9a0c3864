"""What runs have to do with each other: correlation with its error, and who carries the risk."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from algomaster.core.types import FloatArray

__all__ = ["contributions", "correlations"]

_Z95 = 1.959963984540054


def correlations(names: Sequence[str], pnl: FloatArray) -> pl.DataFrame:
    """Give the correlation of daily P&L for each pair.

    Parameters
    ----------
    names : (N,)
    pnl : (D, N) float64
        NaN where a part did not trade a session; a pair is compared on the sessions of both.

    Returns
    -------
    polars.DataFrame
        a, b, sessions, correlation, se, low, high. The error is that of Fisher's z, 1 / sqrt(n - 3), carried back to
        the correlation; low and high are the 95 % interval (R. A. Fisher, "On the probable error of a coefficient of
        correlation", Metron 1, 1921). NaN where it is undefined: fewer than four sessions, or no variation.
    """
    rows = []
    for i, first in enumerate(names):
        for k in range(i + 1, len(names)):
            both = ~(np.isnan(pnl[:, i]) | np.isnan(pnl[:, k]))
            rows.append((first, names[k], int(both.sum()), *_correlation(pnl[both, i], pnl[both, k])))
    kinds = dict.fromkeys(("correlation", "se", "low", "high"), pl.Float64)
    return pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String, "sessions": pl.Int64, **kinds}, orient="row")


def _correlation(x: FloatArray, y: FloatArray) -> tuple[float, float, float, float]:
    if x.size < 4:
        return (math.nan,) * 4
    dx, dy = x - x.mean(), y - y.mean()
    scale = math.sqrt(float(dx @ dx) * float(dy @ dy))
    if not scale > 0.0:
        return (math.nan,) * 4
    rho = min(1.0, max(-1.0, float(dx @ dy) / scale))
    if abs(rho) == 1.0:
        return rho, 0.0, rho, rho
    z, error = math.atanh(rho), 1.0 / math.sqrt(x.size - 3)
    return rho, (1.0 - rho * rho) * error, math.tanh(z - _Z95 * error), math.tanh(z + _Z95 * error)


def contributions(
    names: Sequence[str], lots: Sequence[float], pnl: FloatArray, ran: NDArray[np.bool_], taken: NDArray[np.bool_],
    margins: Sequence[FloatArray], together: FloatArray,
) -> pl.DataFrame:  # fmt: skip
    """Give what each part brings: profit, risk, margin.

    Parameters
    ----------
    names, lots : (N,)
    pnl : (D, N) float64
        Rupees; 0 where a part did not trade.
    ran, taken : (D, N) bool
        Sessions that the part had, and those of them that it was allowed.
    margins : N arrays (D,)
        Peak margin of each part by itself.
    together : (D,) float64
        Peak margin of all.

    Returns
    -------
    polars.DataFrame
        part, lots, sessions, refused, pnl, sd (of a session), risk_share (covariance with the sum over its variance;
        they add to 1), margin_peak (by itself), return_on_margin, margin_share (of the peak of all, at that session).
    """
    total = pnl.sum(axis=1)
    variance = float(total.var(ddof=1)) if total.size > 1 else math.nan
    busiest = int(together.argmax()) if together.size else 0
    rows = []
    for k, name in enumerate(names):
        own, most = pnl[:, k], float(margins[k].max(initial=0.0))
        there = own[taken[:, k]]
        covariance = float(np.cov(own, total, ddof=1)[0, 1]) if total.size > 1 else math.nan
        rows.append(
            {
                "part": name,
                "lots": float(lots[k]),
                "sessions": int(ran[:, k].sum()),
                "refused": int((ran[:, k] & ~taken[:, k]).sum()),
                "pnl": float(own.sum()),
                "sd": float(there.std(ddof=1)) if there.size > 1 else math.nan,
                "risk_share": covariance / variance if variance > 0.0 else math.nan,
                "margin_peak": most,
                "return_on_margin": float(own.sum()) / most if most else math.nan,
                "margin_share": float(margins[k][busiest]) / float(together[busiest])
                if together.max(initial=0)
                else math.nan,
            }
        )
    return pl.DataFrame(rows)
