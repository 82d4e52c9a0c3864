"""Prices and Greeks of European options, for anything that broadcasts."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import numpy as np

from algomaster.core.render import html_table, text_table
from algomaster.pricing.inputs import Inputs, choose
from algomaster.pricing.kernels import loops

__all__ = ["Greeks", "greeks", "price"]

_PRICE_LOOPS: Final = {"black": loops.black_price_loop, "bachelier": loops.bachelier_price_loop}
_GREEKS_LOOPS: Final = {"black": loops.black_greeks_loop, "bachelier": loops.bachelier_greeks_loop}
_FIRST_ORDER: Final = ("price", "delta", "gamma", "vega", "theta", "rho")
_UNITS: Final = {"raw": {}, "trader": {"vega": 0.01, "theta": 1.0 / 365.0, "rho": 0.01}}


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Greeks:
    """Price and sensitivities, each in the shape and kind of the input (a float for scalars).

    Attributes
    ----------
    price : as given by :func:`price`, to the bit
    delta, gamma : by spot (by the forward if that was given)
    vega : by volatility
    theta : by calendar time, at constant rate and dividend; negative where time costs
    rho : by the rate at constant spot (at constant forward if that was given)
    units : str
        "raw": per 1.00 of volatility, per year, per 1.00 of rate; "trader": per point (0.01), per day (1/365), per
        point.
    model : str
    """

    price: Any
    delta: Any
    gamma: Any
    vega: Any
    theta: Any
    rho: Any
    units: str
    model: str

    def _rows(self) -> list[tuple[str, str]]:
        return [(name, _describe(getattr(self, name))) for name in _FIRST_ORDER]

    def __repr__(self) -> str:
        return text_table(f"Greeks ({self.model}, {self.units})", self._rows())

    def _repr_html_(self) -> str:
        return html_table(f"Greeks ({self.model}, {self.units})", self._rows())


def _describe(values: Any) -> str:
    if isinstance(values, float):
        return f"{values:.6g}"
    array = np.asarray(values, dtype=np.float64)
    known = array[~np.isnan(array)]
    spread = f"{known.min():.6g} to {known.max():.6g}" if known.size else "none"
    return f"{spread}  ({known.size} of {array.size} known)"


def price(
    right: Any,
    spot: Any,
    strike: Any,
    t: Any,
    vol: Any,
    *,
    rate: Any = 0.0,
    dividend: Any = 0.0,
    forward: Any = None,
    model: str = "black",
) -> Any:
    """Price European options.

    Parameters
    ----------
    right : "CE"/"PE", "c"/"p", "call"/"put" or +1/-1
        Like all arguments but ``model`` a scalar or an array or a pandas or polars Series of any broadcastable shape.
    spot : float
        Price of the underlying; may be None if ``forward`` is given, and is then not used (NaN still gives NaN).
    strike : float
    t : float
        Years to expiry; 0 gives the intrinsic value.
    vol : float
        Per square root of a year: of returns for "black" (0.2 is 20 %), in units of the price for "bachelier".
    rate, dividend : float
        Interest rate and dividend yield, continuously compounded, per year.
    forward : float, optional
        Forward of the underlying to the expiry; otherwise spot * exp((rate - dividend) * t).
    model : "black" or "bachelier"
        Lognormal (Black 1976; with a spot that is Black-Scholes-Merton) or normal (Bachelier 1900) forward.

    Returns
    -------
    float, numpy array or Series
        NaN where any input is NaN or out of range: a price that is not positive (in "black"), a negative time or
        volatility, an infinity, a missing right.

    Raises
    ------
    ValueError
        Unknown model or right, shapes or pandas indexes that do not fit, a dividend beside a forward.
    TypeError
        Something is not a number.

    Examples
    --------
    >>> round(price("CE", 100, 100, 1.0, 0.2), 4)
    7.9656
    """
    choose("model", model, _PRICE_LOOPS)
    inputs = Inputs.gather(right, spot, forward, dividend, rate, strike=strike, t=t, vol=vol)
    out = np.empty(inputs.right.size)
    _PRICE_LOOPS[model](inputs.right, **inputs.values, out=out)
    return inputs.back(out, "price")


def greeks(
    right: Any,
    spot: Any,
    strike: Any,
    t: Any,
    vol: Any,
    *,
    rate: Any = 0.0,
    dividend: Any = 0.0,
    forward: Any = None,
    model: str = "black",
    order: int = 1,
    units: str = "raw",
) -> Greeks:
    """Give price, delta, gamma, vega, theta and rho of European options in one pass.

    Parameters
    ----------
    right, spot, strike, t, vol, rate, dividend, forward, model
        As for :func:`price`. With ``forward`` the Greeks are those of an option on it (Black 1976): delta and gamma by
        the forward, rho = -t * price.
    order : int
        Highest order of the Greeks; 1 is what there is.
    units : "raw" or "trader"
        See :class:`Greeks`.

    Returns
    -------
    Greeks
        NaN as for :func:`price`. At t = 0 or vol = 0 they are those of the intrinsic value; where forward and strike
        are equal then, gamma is NaN, and so is theta if t = 0.

    Raises
    ------
    ValueError, TypeError
        As for :func:`price`; unknown order or units.

    Examples
    --------
    >>> round(greeks("CE", 100, 100, 1.0, 0.2).delta, 4)
    0.5398
    """
    choose("model", model, _GREEKS_LOOPS)
    choose("order", order, (1,))
    choose("units", units, _UNITS)
    inputs = Inputs.gather(right, spot, forward, dividend, rate, strike=strike, t=t, vol=vol)
    out = np.empty((len(_FIRST_ORDER), inputs.right.size))
    _GREEKS_LOOPS[model](inputs.right, **inputs.values, out=out)
    rows = dict(zip(_FIRST_ORDER, out))
    if forward is not None:
        rows["rho"] = -inputs.values["t"] * rows["price"]
    for name, factor in _UNITS[units].items():
        rows[name] = rows[name] * factor
    return Greeks(units=units, model=model, **{name: inputs.back(row, name) for name, row in rows.items()})
