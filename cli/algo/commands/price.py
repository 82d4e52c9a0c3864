"""``algo price`` and ``algo iv``: one option."""

from __future__ import annotations

import dataclasses
import math
from typing import Annotated, Any

import typer

from algo import options
from algo.console import emit, emit_json, rows_table

__all__ = ["iv", "price"]

_UNITS = "raw (per 1.00, per year) or trader (per point, per day)."


def price(
    right: options.Right,
    spot: options.Spot,
    strike: options.Strike,
    time: options.Years,
    vol: Annotated[float, typer.Argument(metavar="VOL", help="Volatility: 0.14 is 14 %.", show_default=False)],
    rate: options.Rate = None,
    dividend: options.Dividend = 0.0,
    forward: options.Forward = None,
    model: options.Model = "black",
    order: Annotated[int, typer.Option("--order", min=1, max=3, help="Highest order of the Greeks.")] = 1,
    units: Annotated[str, typer.Option("--units", help=_UNITS)] = "trader",
    as_json: options.Json = False,
) -> None:
    """Price one European option, with its Greeks.

    Example: algo price CE 24500 24600 7d 0.14 --rate 0.065
    """
    from algomaster.pricing import greeks

    found = _asked(
        greeks, right, spot, strike, time, vol, rate=rate or 0.0, dividend=dividend, forward=forward, model=model,
        order=order, units=units,
    )  # fmt: skip
    values = {
        field.name: value
        for field in dataclasses.fields(found)
        if isinstance(value := getattr(found, field.name), float)
    }
    if as_json:
        emit_json({"model": model, "units": units, "t": time, **{k: _finite(v) for k, v in values.items()}})
        return
    title = f"{right.upper()} {strike:g}, {time * 365:.4g} days, {vol:.4g} vol ({model}, {units})"
    rows = [(name, f"{value:,.6g}") for name, value in values.items()]
    emit(title, rows_table("", ["", "value"], rows, numbers={"value"}))


def iv(
    quote: Annotated[float, typer.Argument(metavar="PRICE", help="Price of the option.", show_default=False)],
    right: options.Right,
    spot: options.Spot,
    strike: options.Strike,
    time: options.Years,
    rate: options.Rate = None,
    dividend: options.Dividend = 0.0,
    forward: options.Forward = None,
    model: options.Model = "black",
    as_json: options.Json = False,
) -> None:
    """Find the volatility that gives a price. Exit code 6 if there is none, with the reason.

    Example: algo iv 151.20 CE 24500 24600 7d --rate 0.065
    """
    from algomaster.pricing import implied_vol

    found = _asked(
        implied_vol, quote, right, spot, strike, time, rate=rate or 0.0, dividend=dividend, forward=forward,
        model=model, on_error="raise",
    )  # fmt: skip
    if as_json:
        emit_json({"model": model, "t": time, "vol": found.vol})
    else:
        emit(f"{found.vol:.10g}")


def _asked(function: Any, *arguments: Any, **settings: Any) -> Any:
    """Call the library; what it says of a bad argument is wrong usage of the command."""
    try:
        return function(*arguments, **settings)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
