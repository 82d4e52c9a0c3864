"""Levels traders watch: walls, max pain, put-call ratio."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from algomaster.core.types import FloatArray
from algomaster.pricing.dealer_flow.quotes import total
from algomaster.pricing.kernels.dealer_flow import total_payouts

__all__ = ["max_pain", "payouts", "ratio", "wall"]


def wall(strikes: FloatArray, amounts: FloatArray) -> float:
    """Give the strike whose amount (K,) is largest in size; the lowest of equals, NaN if all is 0 or unknown."""
    size = np.where(np.isnan(amounts), 0.0, np.abs(amounts))
    return float(strikes[size.argmax()]) if size.size and size.max() > 0.0 else float("nan")


def payouts(strikes: FloatArray, calls: FloatArray, puts: FloatArray) -> FloatArray:
    """Give what all holders would be paid if the underlying settled at each strike (K,); NaN if no interest is known.

    Parameters
    ----------
    strikes : (K,)
        Ascending.
    calls, puts : (K,)
        Open interest; NaN is unknown and pays nothing.
    """
    out = np.full(strikes.size, np.nan)
    held = np.stack([calls, puts])
    unknown = np.isnan(held)
    if not unknown.all():
        held[unknown] = 0.0
        total_payouts(strikes, held[0], held[1], out)
    return out


def max_pain(strikes: FloatArray, paid: FloatArray, listed: NDArray[np.bool_]) -> float:
    """Give the listed strike at which least is paid; the lowest of equals, NaN if nothing is paid anywhere."""
    here = np.where(listed, paid, np.inf)
    known = here[np.isfinite(here)]
    return float(strikes[here.argmin()]) if known.size and known.max() > 0.0 else float("nan")


def ratio(puts: FloatArray, calls: FloatArray) -> float:
    """Give the puts' sum over the calls'; NaN where either is unknown or the calls' is 0."""
    below = float(total(calls))
    return float(total(puts)) / below if below > 0.0 else float("nan")
