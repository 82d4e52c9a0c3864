"""Delta when the smile moves with the spot."""

from __future__ import annotations

from typing import Any

import numpy as np

from algomaster.core.arrays import as_array, like

__all__ = ["sticky_delta"]


def sticky_delta(delta: Any, vega: Any, slope: Any, spot: Any) -> Any:
    """Give the delta under the sticky-delta rule, where a volatility belongs to a moneyness and not to a strike.

    Parameters
    ----------
    delta, vega : float
        Of :func:`~algomaster.pricing.greeks` in raw units (sticky strike: the volatility of a strike stays). Like all
        arguments a scalar or an array or a pandas or polars Series of any broadcastable shape.
    slope : float
        Of the smile at the option's strike: the derivative of its volatility by k = ln(strike / forward), as
        d(vol)/dk = (dw/dk) / (2 vol t) of a surface of total variance w.
    spot : float
        Or the forward, if that is what ``delta`` is by.

    Returns
    -------
    float, numpy array or Series
        delta - vega * slope / spot; NaN where an argument is NaN. Where the smile falls with the strike (slope < 0)
        it is above the sticky-strike delta.

    Raises
    ------
    ValueError
        Shapes that do not broadcast.
    TypeError
        Something is not a number.

    Notes
    -----
    With vol = f(ln(K / F)) and F in proportion to the spot S, d(vol)/dS at fixed K is -f'(k) / S; the rest is the chain
    rule. Source: E. Derman, "Regimes of volatility" (1999), where it is the rule of a market in equilibrium.

    Examples
    --------
    >>> round(sticky_delta(0.5, 40.0, -0.1, 100.0), 4)
    0.54
    """
    given = {"delta": delta, "vega": vega, "slope": slope, "spot": spot}
    d, v, s, x = (as_array(value, name) for name, value in given.items())
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.asarray(d - v * s / x)
    return like(found, delta, vega, slope, spot)
