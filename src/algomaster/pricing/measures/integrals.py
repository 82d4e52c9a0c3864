"""Integrals over all strikes of a smile, by the trapezoidal rule where it is best.

Put k = s sinh(u) with s the deviation at the money. What decays like a normal or an exponential density in k decays
doubly exponentially in u, and the plain trapezoidal rule then converges exponentially in the number of nodes (Takahasi
and Mori 1974): 300 nodes usually give twelve digits. Between two strikes it is Gauss's rule in u, panel by panel.
:func:`refine` doubles the nodes until two answers agree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from algomaster.core.types import FloatArray
from algomaster.pricing.kernels.density import smile_loop, variance_loop
from algomaster.pricing.measures.sources import SurfaceLike

__all__ = ["nodes", "nodes_between", "refine", "smile_rows", "swap_variance_between", "total_swap_variance"]

REACH: Final = 60.0
"""How far out the nodes go, in ln(strike/forward)."""

_FIRST: Final = 320
_MOST: Final = 10_240
_AGREED: Final = 1e-12
_GAUSS: Final = 16


def nodes(scale: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Give log-moneyness and weights, each (E, count + 1), for deviations ``scale`` (E,)."""
    deviation = scale[:, None]
    top = np.arcsinh(REACH / deviation)
    u = top * np.linspace(-1.0, 1.0, count + 1)
    return deviation * np.sinh(u), (2.0 * top / count) * deviation * np.cosh(u)


def nodes_between(scale: FloatArray, low: FloatArray, high: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Give log-moneyness and weights, each (E, n), of integrals from ``low`` to ``high`` (E,); n is about ``count``."""
    at, share = np.polynomial.legendre.leggauss(_GAUSS)
    panels = count // _GAUSS
    unit = (np.arange(panels)[:, None] + 0.5 + 0.5 * at).ravel() / panels
    deviation = scale[:, None]
    start, stop = (np.arcsinh(end[:, None] / deviation) for end in (low, high))
    u = start + (stop - start) * unit
    weight = (stop - start) / panels * np.tile(0.5 * share, panels)
    return deviation * np.sinh(u), weight * deviation * np.cosh(u)


def refine(integral: Callable[[int], FloatArray]) -> FloatArray:
    """Give integral(count) for a count large enough that half of it gave the same to twelve digits.

    NaN stays NaN; what has not settled at the largest count is given as it is there.
    """
    count, last = _FIRST, integral(_FIRST)
    while count < _MOST:
        count *= 2
        value = integral(count)
        with np.errstate(invalid="ignore"):
            moved = np.abs(value - last) > _AGREED * np.maximum(np.abs(value), 1e-300)
        if not moved.any():
            return value
        last = value
    return last


def smile_rows(surface: SurfaceLike, k: FloatArray, t: FloatArray | float) -> FloatArray:
    """Give the rows of :func:`~algomaster.pricing.kernels.density.smile_loop` at ``k``, (6, *k.shape)."""
    w, slope, bend = (_spread(row, k) for row in surface.derivatives(k, t))
    out = np.empty((6, k.size))
    smile_loop(k.ravel(), w, slope, bend, out)
    return out.reshape(6, *k.shape)


def _spread(values: object, k: FloatArray) -> FloatArray:
    return np.ascontiguousarray(np.broadcast_to(np.asarray(values, dtype=np.float64), k.shape)).ravel()


def total_swap_variance(surface: SurfaceLike, t: FloatArray) -> FloatArray:
    """Give E[-2 ln(S/F)] for each time: (E,), NaN where there is no smile.

    Where a smile ends within the nodes it is continued flat from the last node that has one.
    """
    scale, usable = _deviations(surface, t)

    def integral(count: int) -> FloatArray:
        k, weight = nodes(scale, count)
        body, below, above = _variance_rows(surface, k, t[:, None])
        known = np.isfinite(body)
        first = np.argmax(known, axis=1)
        last = known.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
        at = np.arange(t.size)
        # half a step is cut off at either end by the trapezoidal rule, which matters only where a smile ends
        ends = 0.5 * (body * weight)[at, first] + 0.5 * (body * weight)[at, last]
        inside = np.where(known, body * weight, 0.0).sum(axis=1) - np.where(usable, ends, np.nan)
        gaps = np.where(known.sum(axis=1) == last - first + 1, 0.0, np.nan)
        total: FloatArray = inside + below[at, first] + above[at, last] + gaps
        return total

    return refine(integral)


def swap_variance_between(surface: SurfaceLike, t: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Give E[-2 ln(S/F)] with the smile of each time flat below ``low`` and above ``high`` (E,), low < 0 < high."""
    scale, _ = _deviations(surface, t)
    ends = np.stack([low, high], axis=1)
    _, below, above = _variance_rows(surface, ends, t[:, None])

    def integral(count: int) -> FloatArray:
        k, weight = nodes_between(scale, low, high, count)
        total: FloatArray = (_variance_rows(surface, k, t[:, None])[0] * weight).sum(axis=1)
        return total

    found: FloatArray = refine(integral) + below[:, 0] + above[:, 1]
    return found


def _deviations(surface: SurfaceLike, t: FloatArray) -> tuple[FloatArray, Any]:
    """Give the deviations at the money (1 where there is none) and where there is one, (E,) each."""
    w = _spread(surface.derivatives(np.zeros(t.size), t)[0], t)
    usable = (w > 0.0) & (w < np.inf)
    scale: FloatArray = np.sqrt(np.where(usable, w, 1.0))
    return scale, usable


def _variance_rows(surface: SurfaceLike, k: FloatArray, t: FloatArray) -> FloatArray:
    """Give the rows of :func:`~algomaster.pricing.kernels.density.variance_loop` at ``k``, (3, *k.shape)."""
    w, slope, _ = (_spread(row, k) for row in surface.derivatives(k, t))
    out = np.empty((3, k.size))
    variance_loop(np.ascontiguousarray(k).ravel(), w, slope, out)
    rows: FloatArray = out.reshape(3, *k.shape)
    return rows
