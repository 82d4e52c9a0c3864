"""Digital European options, for anything that broadcasts."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from algomaster.pricing.european import Greeks
from algomaster.pricing.inputs import Inputs, choose
from algomaster.pricing.kernels.digital import digital_loop

__all__ = ["digital"]

_PAYMENTS: Final = ("cash", "asset")
_ROWS: Final = ("price", "delta", "gamma", "vega", "theta", "rho")
_UNITS: Final = {"raw": {}, "trader": {"vega": 0.01, "theta": 1.0 / 365.0, "rho": 0.01}}


def digital(
    right: Any,
    spot: Any,
    strike: Any,
    t: Any,
    vol: Any,
    *,
    rate: Any = 0.0,
    dividend: Any = 0.0,
    forward: Any = None,
    pays: str = "cash",
    cash: Any = 1.0,
    skew: Any = None,
    units: str = "raw",
) -> Greeks:
    """Give price and Greeks of options that pay a sum, or the underlying, if they end in the money.

    Parameters
    ----------
    right, spot, strike, t, vol, rate, dividend, forward
        As for :func:`~algomaster.pricing.price`, in Black's model.
    pays : "cash" or "asset"
        A call pays if the underlying ends above the strike, a put if below: ``cash``, or the underlying itself.
    cash : float
        What a "cash" option pays.
    skew : float, optional
        Slope of the smile at the strike: derivative of the volatility by the strike, per 1.00 of volatility and unit of
        price. The price becomes the flat one minus (call) or plus (put) vega times the slope, which is the slope of the
        smile's call prices by the strike; the Greeks hold volatility and slope still. A slope that no smile without
        arbitrage has gives prices outside the bounds.
    units : "raw" or "trader"
        See :class:`~algomaster.pricing.Greeks`.

    Returns
    -------
    Greeks
        ``price, delta, gamma, vega, theta, rho``, each in the caller's shape and kind; ``model`` is "digital cash" or
        "digital asset". NaN as for :func:`~algomaster.pricing.price`. At t = 0 or vol = 0 the price is the payment or
        nothing; where forward and strike are equal then, it is half of the payment and the Greeks are NaN.

    Raises
    ------
    ValueError
        Unknown right, ``pays`` or units, shapes or pandas indexes that do not fit, a dividend beside a forward,
        ``cash`` for an option on the asset.
    TypeError
        Something is not a number.

    Notes
    -----
    E. G. Haug, "The Complete Guide to Option Pricing Formulas" (2007), section 4.19; for the slope D. Breeden and
    R. Litzenberger (1978) and J. Gatheral, "The Volatility Surface" (2006), chapter 8. The price out of the money is
    good to all digits.

    Examples
    --------
    >>> round(digital("PE", 100, 80, 0.75, 0.35, rate=0.06, dividend=0.06, cash=10).price, 4)
    2.6710
    """
    choose("pays", pays, _PAYMENTS)
    choose("units", units, _UNITS)
    asset = pays == "asset"
    if asset and not (isinstance(cash, (int, float)) and cash == 1):
        raise ValueError(f'cash: expected none with pays="asset", got {cash!r}')
    others = {"strike": strike, "t": t, "vol": vol, "cash": cash, "skew": 0.0 if skew is None else skew}
    inputs = Inputs.gather(right, spot, forward, dividend, rate, **others)
    values = dict(inputs.values)
    payment = values.pop("cash")
    payment = np.where(np.isfinite(payment), payment, np.nan)
    out = np.empty((len(_ROWS), inputs.right.size))
    digital_loop(inputs.right, **values, asset=asset, out=out)
    rows = {name: row * payment for name, row in zip(_ROWS, out)}
    if forward is not None:
        rows["rho"] = -values["t"] * rows["price"]
    for name, factor in _UNITS[units].items():
        rows[name] = rows[name] * factor
    return Greeks(units=units, model=f"digital {pays}", **{name: inputs.back(row, name) for name, row in rows.items()})
