"""Prices, Greeks and exercise boundaries of American options, for anything that broadcasts."""

from __future__ import annotations

import functools
import math
from typing import Any, Final

import numpy as np

from algomaster.core.types import FloatArray
from algomaster.pricing.european import Greeks
from algomaster.pricing.inputs import Inputs, choose
from algomaster.pricing.kernels import american_loops
from algomaster.pricing.kernels.american import Quadrature, Scheme
from algomaster.pricing.kernels.loops import GREEKS, PRICES

__all__ = ["american", "american_greeks", "exercise_boundary"]

_SIZES: Final = {"fast": (7, 8, 14, 1e-4), "accurate": (12, 24, 48, 1e-7), "high": (20, 48, 96, 1e-10)}
"""Chebyshev nodes, nodes of each turn's integrals, nodes of the price's, tolerance."""
_FINE: Final = 400
_ROWS: Final = ("price", "delta", "gamma", "vega", "theta", "rho")
_UNITS: Final = {"raw": {}, "trader": {"vega": 0.01, "theta": 1.0 / 365.0, "rho": 0.01}}


@functools.cache
def _scheme(accuracy: str) -> Scheme:
    n, turn, price, tolerance = _SIZES[accuracy]
    angle = np.arange(n + 1) * (math.pi / (2 * n))
    nodes = np.cos(angle) ** 2
    return Scheme(
        nodes[:-1].copy(),
        _quadrature(turn, 1, nodes, nodes[:-1]),
        _quadrature(price, 1, nodes, np.ones(1)),
        _quadrature(_FINE, 3, nodes, np.ones(1)),
        tolerance,
    )


def _quadrature(size: int, power: int, nodes: FloatArray, ends: FloatArray) -> Quadrature:
    """Gauss and Legendre's nodes for the times from now to each of ``ends``.

    They lie in the root of order ``power`` of the angle: with 3 they crowd towards now, where the second derivative has
    a peak if the spot is near the boundary.
    """
    place, weight = np.polynomial.legendre.leggauss(size)
    half = 0.5 * (1.0 + place)
    angle = 0.5 * math.pi * half**power
    passed = np.outer(ends, np.sin(angle)).ravel()
    left = np.outer(ends, np.cos(angle)).ravel()
    spread = 0.25 * math.pi * power * half ** (power - 1) * weight
    return Quadrature(passed, left, np.tile(spread, ends.size), _interpolation(left, nodes))


def _interpolation(at: FloatArray, nodes: FloatArray) -> FloatArray:
    """Give what takes values at ``nodes``, the last of which is 0, to the polynomial's at ``at`` (barycentric)."""
    weight = (-1.0) ** np.arange(nodes.size)
    weight[[0, -1]] *= 0.5
    gap = at - nodes[:, None]
    hit = gap == 0.0
    terms = np.where(hit.any(axis=0), hit, weight[:, None] / np.where(hit, 1.0, gap))
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
    """Price American options.

    Parameters
    ----------
    right : "CE"/"PE", "c"/"p", "call"/"put" or +1/-1
        Like all arguments but ``accuracy`` a scalar or an array or a pandas or polars Series of any shape that
        broadcasts.
    spot, strike : float
    t : float
        Years to expiry; 0 gives the intrinsic value.
    vol : float
        Of returns, per square root of a year (0.2 is 20 %).
    rate, dividend : float
        Interest rate and dividend yield, continuously compounded, per year; a future's are equal.
    accuracy : "fast", "accurate" or "high"
        Largest error found in 1,000 ordinary options (a month to 3 years, volatilities of 10 % to 60 %, rates and
        yields up to 10 %), as a fraction of the strike: 1e-5, 1e-7 and 3e-9. Far from those it grows.

    Returns
    -------
    float, numpy array or Series
        Never below the European price or the intrinsic value. NaN where :func:`~algomaster.pricing.price` is, where
        rate or yield times t is beyond 50, where early exercise begins and ends at two boundaries (for a put with
        dividend < rate < 0, for a call with rate < dividend < 0), and should the boundary not be found, which has only
        been seen with vol * sqrt(t) above 5.

    Raises
    ------
    ValueError
        Unknown accuracy or right, shapes or pandas indexes that do not fit.
    TypeError
        Something is not a number.

    Notes
    -----
    L. Andersen, M. Lake, D. Offengenden, "High-performance American option pricing" (2016). Neighbours in an array that
    share right, t, vol, rate and dividend share the work for the boundary.

    Examples
    --------
    >>> round(american("PE", 100, 100, 1.0, 0.2, rate=0.05), 3)
    6.09
    """
    choose("accuracy", accuracy, _SIZES)
    inputs = Inputs.gather(right, spot, None, dividend, rate, strike=strike, t=t, vol=vol)
    out = np.empty(inputs.right.size)
    PRICES["black"].serial(inputs.options(), False, out.reshape(1, -1))
    american_loops.american_price_loop(inputs.right, **inputs.values, scheme=_scheme(accuracy), out=out)
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
    """Give price, delta, gamma, vega, theta and rho of American options.

    Parameters
    ----------
    right, spot, strike, t, vol, rate, dividend, accuracy
        As for :func:`american`.
    units : "raw" or "trader"
        See :class:`~algomaster.pricing.Greeks`.

    Returns
    -------
    Greeks
        ``price`` is that of :func:`american` at the same accuracy to the bit. NaN as there. Where the option should be
        exercised at once they are those of the intrinsic value: delta is 1 or -1 and all others are 0.

    Raises
    ------
    ValueError, TypeError
        As for :func:`american`; unknown units.

    Notes
    -----
    Delta and gamma are derivatives of the integral equation, theta follows by Black and Scholes' differential equation,
    vega and rho are differences of prices a thousandth of their argument apart.

    Examples
    --------
    >>> round(american_greeks("PE", 100, 100, 1.0, 0.2, rate=0.05).delta, 4)
    -0.4111
    """
    choose("accuracy", accuracy, _SIZES)
    choose("units", units, _UNITS)
    inputs = Inputs.gather(right, spot, None, dividend, rate, strike=strike, t=t, vol=vol)
    out = np.empty((len(_ROWS), inputs.right.size))
    GREEKS["black", 1].serial(inputs.options(), False, out)
    american_loops.american_greeks_loop(inputs.right, **inputs.values, scheme=_scheme(accuracy), out=out)
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
    """Give the spot at which an American option is first exercised: at or below it a put, at or above it a call.

    Parameters
    ----------
    right, strike, t, vol, rate, dividend, accuracy
        As for :func:`american`. An array of ``t`` gives the boundary as it will be when so many years are left.

    Returns
    -------
    float, numpy array or Series
        0 (put) or infinity (call) where exercise before expiry never pays; NaN as for :func:`american`; the strike at
        t = 0.

    Raises
    ------
    ValueError, TypeError
        As for :func:`american`.

    Examples
    --------
    >>> round(exercise_boundary("PE", 100, 1.0, 0.2, rate=0.05), 2)
    80.87
    """
    choose("accuracy", accuracy, _SIZES)
    inputs = Inputs.gather(right, strike, None, dividend, rate, strike=strike, t=t, vol=vol)
    out = np.empty(inputs.right.size)
    PRICES["black"].serial(inputs.options(), False, out.reshape(1, -1))
    american_loops.american_boundary_loop(inputs.right, **inputs.values, scheme=_scheme(accuracy), out=out)
    return inputs.back(out, "boundary")
