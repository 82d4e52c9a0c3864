"""Prices, Greeks and exercise boundaries of American options, for anything that broadcasts."""

from __future__ import annotations

import functools
import math
from typing import Any, Final

import numpy as np

from algomaster.core.types import FloatArray
from algomaster.pricing.european import Greeks
from algomaster.pricing.inputs import Inputs, choose
from algomaster.pricing.kernels import american as kernels

__all__ = ["american", "american_greeks", "exercise_boundary"]

_SIZES: Final = {"fast": (7, 8, 14, 1e-4), "accurate": (12, 24, 48, 1e-7), "high": (20, 48, 96, 1e-10)}
"""Chebyshev nodes, nodes of each turn's integrals, nodes of the price's, tolerance."""
_FINE: Final = 400
_ROWS: Final = ("price", "delta", "gamma", "vega", "theta", "rho")
_UNITS: Final = {"raw": {}, "trader": {"vega": 0.01, "theta": 1.0 / 365.0, "rho": 0.01}}


@functools.cache
def _scheme(accuracy: str) -> kernels.Scheme:
    n, turn, price, tolerance = _SIZES[accuracy]
    angle = np.arange(n + 1) * (math.pi / (2 * n))
    nodes = np.cos(angle) ** 2
    return kernels.Scheme(
        nodes[:-1].copy(),
        _quadrature(turn, nodes, nodes[:-1]),
        _quadrature(price, nodes, np.ones(1)),
        _quadrature(_FINE, nodes, np.ones(1)),
        tolerance,
    )


def _quadrature(size: int, nodes: FloatArray, ends: FloatArray) -> kernels.Quadrature:
    """Gauss and Legendre's nodes in the angle, for the times from now to each of ``ends``."""
    place, weight = np.polynomial.legendre.leggauss(size)
    quarter = math.pi / 4
    sine = np.outer(ends, np.sin(quarter * (1.0 + place))).ravel()
    cosine = np.outer(ends, np.sin(quarter * (1.0 - place))).ravel()
    return kernels.Quadrature(cosine, sine, np.tile(weight * quarter, ends.size), _interpolation(sine, nodes))


def _interpolation(at: FloatArray, nodes: FloatArray) -> FloatArray:
    """Give what takes values at ``nodes``, the last of which is 0, to the polynomial's at ``at`` (barycentric)."""
    weight = (-1.0) ** np.arange(nodes.size)
    weight[[0, -1]] *= 0.5
    terms = weight[:, None] / (at - nodes[:, None])
    return np.ascontiguousarray((terms / terms.sum(axis=0))[:-1])


def american(
    right: Any,
    spot: Any,
    strike: Any,
    t: Any,
    vol: Any,
    *,
    rate: Any = 0.0,
    dividend: Any = 0.0,
    accuracy: str = "fast",
) -> Any:
    choose("accuracy", accuracy, _SIZES)
    inputs = Inputs.gather(right, spot, None, dividend, rate, strike=strike, t=t, vol=vol)
    out = np.empty(inputs.right.size)
    kernels.american_price_loop(inputs.right, **inputs.values, scheme=_scheme(accuracy), out=out)
    return inputs.back(out, "price")


def american_greeks(
    right: Any,
    spot: Any,
    strike: Any,
    t: Any,
    vol: Any,
    *,
    rate: Any = 0.0,
    dividend: Any = 0.0,
    accuracy: str = "accurate",
    units: str = "raw",
) -> Greeks:
    choose("accuracy", accuracy, _SIZES)
    choose("units", units, _UNITS)
    inputs = Inputs.gather(right, spot, None, dividend, rate, strike=strike, t=t, vol=vol)
    out = np.empty((len(_ROWS), inputs.right.size))
    kernels.american_greeks_loop(inputs.right, **inputs.values, scheme=_scheme(accuracy), out=out)
    rows = dict(zip(_ROWS, out))
    for name, factor in _UNITS[units].items():
        rows[name] = rows[name] * factor
    return Greeks(units=units, model="american", **{name: inputs.back(row, name) for name, row in rows.items()})


def exercise_boundary(
    right: Any,
    strike: Any,
    t: Any,
    vol: Any,
    *,
    rate: Any = 0.0,
    dividend: Any = 0.0,
    accuracy: str = "fast",
) -> Any:
    choose("accuracy", accuracy, _SIZES)
    inputs = Inputs.gather(right, strike, None, dividend, rate, strike=strike, t=t, vol=vol)
    out = np.empty(inputs.right.size)
    kernels.american_boundary_loop(inputs.right, **inputs.values, scheme=_scheme(accuracy), out=out)
    return inputs.back(out, "boundary")
