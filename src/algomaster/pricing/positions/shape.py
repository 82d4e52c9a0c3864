"""Where a position makes money at its horizon and how much at most: exact for one expiry, searched for several.

One expiry: profit is straight between strikes, so its values there and the slope above the highest say everything.
Several: it is smooth between the strikes that expire first; it is sampled, and every change of sign and the highest and
lowest sample are narrowed down. Above, the line that it approaches is known in closed form.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable
from typing import Final

import numpy as np

from algomaster.core.types import FloatArray

__all__ = ["Shape", "curved", "straight"]

_SNAP: Final = 1e-12  # of the amounts at stake: less than that from 0 is what rounding left
_SAMPLES: Final = 4001
_HALVINGS: Final = 60
_CLOSER: Final = 8

Profit = Callable[[FloatArray], FloatArray]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Shape:
    """Breakevens (b,) ascending, intervals of profit, most that can be made and lost (both as profit)."""

    breakevens: FloatArray
    profitable: tuple[tuple[float, float], ...]
    max_profit: float
    max_loss: float


def straight(profit: Profit, knots: FloatArray, slope: float, scale: float) -> Shape:
    """Give the shape of a profit that is straight between ``knots`` (m,) and has ``slope`` above the last.

    ``scale`` is the size of the amounts of which the profit is the difference.
    """
    x = np.append(0.0, knots)
    v = profit(x)
    v[np.abs(v) <= _SNAP * scale] = 0.0
    turns = np.flatnonzero(v[:-1] * v[1:] < 0.0)
    crossings = [_crossing(x[i], v[i], x[i + 1], v[i + 1]) for i in turns]
    if v[-1] * slope < 0.0:
        crossings.append(x[-1] - v[-1] / slope)
    breakevens = np.unique(np.append(_zeros(x, v, v[-1] + slope), crossings))
    highest, lowest = float(v.max()), float(v.min())
    return Shape(
        breakevens=breakevens,
        profitable=_profitable(breakevens, lambda at: _interpolated(at, x, v, slope)),
        max_profit=math.inf if slope > 0.0 else highest,
        max_loss=-math.inf if slope < 0.0 else lowest,
    )


def _zeros(x: FloatArray, v: FloatArray, beyond: float) -> FloatArray:
    """Give the points (but 0) at which a profit is 0 and not on both sides; ``beyond`` is the profit above the last."""
    before, after = np.append(0.0, v[:-1]), np.append(v[1:], beyond)
    return np.asarray(x[(v == 0.0) & (x > 0.0) & ~((before == 0.0) & (after == 0.0))])


def _crossing(x0: float, v0: float, x1: float, v1: float) -> float:
    """Give the zero of a line, counted from the end that is nearer to it."""
    slope = (v1 - v0) / (x1 - x0)
    return float(x0 - v0 / slope if abs(v0) < abs(v1) else x1 - v1 / slope)


def _interpolated(at: FloatArray, x: FloatArray, v: FloatArray, slope: float) -> FloatArray:
    return np.asarray(np.interp(at, x, v) + slope * np.maximum(at - x[-1], 0.0))


def curved(profit: Profit, knots: FloatArray, limit: tuple[float, float], span: tuple[float, float]) -> Shape:
    """Give the shape of a profit that is smooth between ``knots`` and nears ``limit`` (slope, level) above ``span``."""
    slope, level = limit
    low, high = span
    if slope != 0.0:
        high = max(high, 4.0 * abs(level / slope))
    x = np.union1d(np.geomspace(low, high, _SAMPLES), np.append(0.0, knots))
    v = profit(x)
    turns = np.flatnonzero(v[:-1] * v[1:] < 0.0)
    breakevens = np.union1d(_narrowed(profit, x[turns], x[turns + 1], v[turns]), _zeros(x, v, v[-1] + slope))
    highest, lowest = _top(profit, x, v), -_top(lambda at: -profit(at), x, -v)
    if slope == 0.0:
        highest, lowest = max(highest, level), min(lowest, level)
    return Shape(
        breakevens=breakevens,
        profitable=_profitable(breakevens, profit),
        max_profit=math.inf if slope > 0.0 else highest,
        max_loss=-math.inf if slope < 0.0 else lowest,
    )


def _narrowed(profit: Profit, a: FloatArray, b: FloatArray, at_a: FloatArray) -> FloatArray:
    """Halve brackets (r,) until they are a few units of the last place wide."""
    for _ in range(_HALVINGS):
        middle = 0.5 * (a + b)
        same = np.sign(profit(middle)) == np.sign(at_a)
        a, b = np.where(same, middle, a), np.where(same, b, middle)
    return 0.5 * (a + b)


def _top(profit: Profit, x: FloatArray, v: FloatArray) -> float:
    """Give the maximum near the highest of the samples ``v`` (M,) by sampling ever closer."""
    for _ in range(_CLOSER):
        i = int(v.argmax())
        around = np.linspace(x[max(i - 1, 0)], x[min(i + 1, x.size - 1)], 33)
        x = np.union1d(around, x[i])
        v = profit(x)
    return float(v.max())


def _profitable(breakevens: FloatArray, profit: Profit) -> tuple[tuple[float, float], ...]:
    """Give the stretches between breakevens on which there is a profit."""
    ends = [0.0, *breakevens.tolist(), math.inf]
    inside = [0.5 * (a + b) if b < math.inf else 2.0 * a + 1.0 for a, b in itertools.pairwise(ends)]
    gains = profit(np.array(inside))
    return tuple((a, b) for a, b, gain in zip(ends[:-1], ends[1:], gains) if gain > 0.0)
