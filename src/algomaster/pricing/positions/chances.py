"""Probability of profit and expected profit at the horizon under a distribution of the underlying.

Lognormal, one expiry: both in closed form. Otherwise the density is integrated by Gauss-Legendre panels whose edges
include strikes and breakevens, so that no panel holds a kink. Probabilities are risk-neutral: the mean is the forward.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from algomaster.core.errors import DataWarning, PricingError
from algomaster.core.types import FloatArray
from algomaster.pricing.european import price
from algomaster.pricing.positions.position import Position
from algomaster.pricing.positions.shape import Shape

__all__ = ["chances"]

Density = Callable[[FloatArray], FloatArray]

_PANELS: Final = 400
_NODES: Final = 12
_SCAN: Final = 40_001
_SCAN_WIDTH: Final = math.log(20.0)
_FAR: Final = 12.0
_CERTAIN: Final = 1e-9  # deviations below that are a single point for any price
_WIDEST: Final = 300.0
_NEGLIGIBLE: Final = 1e-15
_MASS_ERROR: Final = 0.01


def chances(
    position: Position, shape: Shape, profit: Callable[[FloatArray], FloatArray], vol: float, density: Density | None
) -> tuple[float, float]:
    """Give (probability of profit, expected profit); NaN where the distribution is unknown.

    Parameters
    ----------
    profit : callable
        Profit after costs at the horizon.
    vol : float
        Of the lognormal distribution around the position's forward, used without a ``density``.
    density : callable, optional
        Probability density at spots (M,).
    """
    forward = position.forward
    deviation = vol * math.sqrt(position.horizon) if position.horizon >= 0.0 else math.nan
    if math.isnan(forward) or (density is None and math.isnan(deviation)):
        return math.nan, math.nan
    if density is None and deviation < _CERTAIN:
        certain = float(profit(np.array([forward]))[0])
        return float(certain > 0.0), certain
    if density is not None:
        return _integrated(density, _where(density, forward), position, shape, profit)
    chance = math.fsum(_lognormal(a, b, forward, deviation) for a, b in shape.profitable)
    if not position.single:
        wide = min(_FAR * deviation + 0.5 * deviation**2, _WIDEST)
        span = forward * math.exp(-wide), forward * math.exp(wide)
        return chance, _integrated(lambda s: _lognormal_density(s, forward, deviation), span, position, shape, profit)[
            1
        ]
    level = float(profit(np.zeros(1))[0])
    return chance, level + _mean_gain(position, vol)


def _mean_gain(position: Position, vol: float) -> float:
    """Give the expected profit less that at a spot of 0: of puts as of calls less the underlying."""
    horizon, forward = position.horizon, position.forward
    options = position.options
    strike, quantity = position.strike[options], position.quantity[options]
    calls = price("CE", forward, strike, horizon, vol, dividend=0.0, rate=0.0)
    straight = np.where(position.right[options] < 0, forward, 0.0)
    future = position.quantity[~options] * np.exp(
        (position.rate - position.dividend)[~options] * position.left(None)[~options]
    )
    return math.fsum([*(quantity * (calls - straight)), *(future * forward)])


def _lognormal(a: float, b: float, forward: float, deviation: float) -> float:
    """Give the chance that the underlying ends between ``a`` and ``b``, from the tail that is smaller."""
    da, db = (
        math.inf if x == 0.0 else -math.inf if x == math.inf else math.log(forward / x) / deviation - 0.5 * deviation
        for x in (a, b)
    )
    return _normal(da) - _normal(db) if da + db < 0.0 else _normal(-db) - _normal(-da)


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def _lognormal_density(spots: FloatArray, forward: float, deviation: float) -> FloatArray:
    d = np.clip(np.log(spots / forward) / deviation + 0.5 * deviation, -40.0, 40.0)
    return np.asarray(np.exp(-0.5 * d * d) / (spots * deviation * math.sqrt(2.0 * math.pi)))


def _where(density: Density, forward: float) -> tuple[float, float]:
    """Give the spots between which a density is not negligible, seen on a fine scan in the logarithm."""
    scan = forward * np.exp(np.linspace(-_SCAN_WIDTH, _SCAN_WIDTH, _SCAN))
    seen = np.nan_to_num(_values(density, scan))
    there = np.flatnonzero(seen > _NEGLIGIBLE * seen.max())
    if not there.size:
        raise PricingError(
            f"expected a density that is positive somewhere near the forward {forward:g}, got none.",
            hint="It is a function of spots, per unit of spot.",
        )
    return float(scan[max(there[0] - 1, 0)]), float(scan[min(there[-1] + 1, _SCAN - 1)])


def _integrated(
    density: Density, span: tuple[float, float], position: Position, shape: Shape,
    profit: Callable[[FloatArray], FloatArray],
) -> tuple[float, float]:  # fmt: skip
    """Give chance and mean of the profit by quadrature over ``span``."""
    low, high = span
    inner = np.append(shape.breakevens, position.strike[position.options])
    edges = np.union1d(np.geomspace(low, high, _PANELS + 1), inner[(inner > low) & (inner < high)])
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = 0.5 * np.diff(edges)[:, None]
    spots = (edges[:-1, None] + half + half * nodes).ravel()
    mass = (half * weights).ravel() * np.nan_to_num(_values(density, spots))
    whole = math.fsum(mass)
    if abs(whole - 1.0) > _MASS_ERROR:
        warnings.warn(
            f"The density integrates to {whole:.4f} where 1 was expected; chances are scaled by it.",
            DataWarning,
            stacklevel=5,
        )
    inside = np.zeros(spots.size, bool)
    for a, b in shape.profitable:
        inside |= (spots > a) & (spots < b)
    return math.fsum(mass[inside]) / whole, math.fsum(mass * profit(spots)) / whole


def _values(density: Density, spots: FloatArray) -> FloatArray:
    values: Any = np.asarray(density(spots), np.float64)
    if values.shape != spots.shape:
        raise ValueError(f"density: expected as many values as spots {spots.shape}, got {values.shape}")
    return np.asarray(values)
