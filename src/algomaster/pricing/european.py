"""Prices and Greeks of European options, for anything that broadcasts."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from algomaster.core.render import html_table, text_table
from algomaster.pricing.inputs import Inputs, choose
from algomaster.pricing.kernels.blocks import PARALLEL_FROM
from algomaster.pricing.kernels.loops import GREEKS, PRICES, ROWS
from algomaster.pricing.threads import run

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Greeks", "greeks", "price"]

_ORDERS: Final = tuple(ROWS)
_UNITS: Final = ("raw", "trader")
_YEARS: Final = (365, 252)
_POINT: Final = 0.01
_BY_VOL: Final = {"vega": 1, "vanna": 1, "volga": 2, "veta": 1, "zomma": 1, "ultima": 3}
_BY_TIME: Final = ("theta", "charm", "veta", "color")


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Greeks:
    """Price and sensitivities, each in the shape and kind of the input (a float for scalars).

    "Spot" stands for the forward if that was given. Derivatives by calendar time are at constant rate and dividend, and
    negative where time costs. What is beyond ``order`` is None.

    Attributes
    ----------
    price : as given by :func:`price`, to the bit
    delta, gamma : by spot, once and twice
    vega : by volatility
    theta : by calendar time
    rho : by the rate at constant spot (at constant forward if that was given)
    vanna, volga : delta and vega by volatility (order 2, as the next four lines)
    charm, veta : delta and vega by calendar time
    dual_delta, dual_gamma : by strike, once and twice
    elasticity : delta * spot / price, often called lambda: per cent of the price for one per cent of the spot
    speed, zomma, color : gamma by spot, by volatility and by calendar time (order 3)
    ultima : volga by volatility (order 3)
    order : int
    units : str
        "raw": per 1.00 of volatility, per year, per 1.00 of rate. "trader": everything that is by volatility per point
        (0.01; volga per point twice, ultima thrice), by time per day (1 / ``year_days``), by rate per point.
    year_days : int
        Days of the year of "trader": 365 or 252.
    model : str
    """

    price: Any
    delta: Any
    gamma: Any
    vega: Any
    theta: Any
    rho: Any
    vanna: Any = None
    volga: Any = None
    charm: Any = None
    veta: Any = None
    dual_delta: Any = None
    dual_gamma: Any = None
    elasticity: Any = None
    speed: Any = None
    zomma: Any = None
    color: Any = None
    ultima: Any = None
    order: int = 1
    units: str
    year_days: int = 365
    model: str

    def to_frame(self) -> pl.DataFrame:
        """Give a polars frame with a row an option and a column a Greek."""
        import polars as pl

        return pl.DataFrame({name: np.ravel(getattr(self, name)) for name in ROWS[self.order]})

    def _rows(self) -> list[tuple[str, str]]:
        return [(name, _describe(getattr(self, name))) for name in ROWS[self.order]]

    def _title(self) -> str:
        days = f", {self.year_days} days" if self.units == "trader" else ""
        return f"Greeks ({self.model}, {self.units}{days})"

    def __repr__(self) -> str:
        return text_table(self._title(), self._rows())

    def _repr_html_(self) -> str:
        return html_table(self._title(), self._rows())


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
    choose("model", model, PRICES)
    inputs = Inputs.gather(right, spot, forward, dividend, rate, strike=strike, t=t, vol=vol)
    out = np.empty((1, inputs.size))
    run(*PRICES[model], inputs.size >= PARALLEL_FROM, inputs.options(), forward is not None, out)
    return inputs.back(out[0], "price")


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
    year_days: int = 365,
) -> Greeks:
    """Give the price and the Greeks of European options up to third order in one pass.

    Parameters
    ----------
    right, spot, strike, t, vol, rate, dividend, forward, model
        As for :func:`price`. With ``forward`` the Greeks are those of an option on it (Black 1976): delta and gamma by
        the forward, rho = -t * price.
    order : 1, 2 or 3
        Highest order of the Greeks; :class:`Greeks` says which belong to it.
    units : "raw" or "trader"
        See :class:`Greeks`.
    year_days : 365 or 252
        What a day is in units "trader".

    Returns
    -------
    Greeks
        NaN as for :func:`price`. At t = 0 or vol = 0 they are those of the intrinsic value; where forward and strike
        are equal then, delta and dual_delta are those of half an option, vega is that of the limit, and what has no
        limit is NaN: gamma, theta if t = 0, and all else of second and third order but elasticity. Elasticity is NaN
        where the price is 0. Definitions and formulas: :mod:`algomaster.pricing.kernels.higher`.

    Raises
    ------
    ValueError, TypeError
        As for :func:`price`; unknown order, units or days of the year.

    Examples
    --------
    >>> round(greeks("CE", 100, 100, 1.0, 0.2).delta, 4)
    0.5398
    """
    choose("model", model, PRICES)
    choose("order", order, _ORDERS)
    choose("units", units, _UNITS)
    choose("year_days", year_days, _YEARS)
    inputs = Inputs.gather(right, spot, forward, dividend, rate, strike=strike, t=t, vol=vol)
    names = ROWS[order]
    out = np.empty((len(names), inputs.size))
    run(*GREEKS[model, order], inputs.size >= PARALLEL_FROM, inputs.options(), forward is not None, out)
    if units == "trader":
        _scale(dict(zip(names, out)), year_days)
    rows = {name: inputs.back(row, name) for name, row in zip(names, out)}
    return Greeks(order=order, units=units, year_days=year_days, model=model, **rows)


def _scale(rows: dict[str, Any], year_days: int) -> None:
    for name, row in rows.items():
        factor = _POINT ** _BY_VOL.get(name, 1 if name == "rho" else 0)
        factor *= 1.0 / year_days if name in _BY_TIME else 1.0
        if factor != 1.0:
            row *= factor
