"""``algo margin``: what a position, or a saved run, ties up."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo import options
from algo.chains import finite, write_figure
from algo.console import emit, emit_json, number, rows_table, working

if TYPE_CHECKING:
    from algomaster.backtest import MarginUse
    from algomaster.pricing import Margin

__all__ = ["margin"]

_LAST = 20
"""Sessions of a run that are listed; ``--json`` has all."""


def margin(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="LEG...|RESULT", show_default=False,
            help="Legs RIGHT:STRIKE:LOTS[:PREMIUM[:TIME]] such as CE:24000:-1:210 (sold is negative; FUT:0:1 is a "
            "future), or the folder of a saved result.",
        ),
    ],
    spot: Annotated[
        float | None, typer.Option("--spot", help="Price of the underlying; legs need it.", show_default=False)
    ] = None,
    time: Annotated[
        float | None,
        typer.Option(
            "--time", metavar="TIME", parser=options.time_left, show_default=False,
            help="Time to expiry of legs that name none: years (0.02), or 7d, 5h, 30m; below a day they expire today.",
        ),
    ] = None,
    vol: Annotated[
        float | None,
        typer.Option("--vol", help="Volatility; by default what each premium implies.", show_default=False),
    ] = None,
    lot: Annotated[float, typer.Option("--lot", help="Units in a lot.")] = 1.0,
    on: Annotated[
        date | None,
        typer.Option(
            "--on", metavar="DATE", parser=options.day, show_default=False,
            help="Day whose margin rates hold; by default the present ones. A run has its own days.",
        ),
    ] = None,
    daily_vol: Annotated[
        float | None,
        typer.Option(
            "--daily-vol", show_default=False,
            help="Daily volatility of the underlying (0.012 is 1.2 %): widens the scan in wild markets.",
        ),
    ] = None,
    plot: options.Plot = None,
    as_json: options.Json = False,
) -> None:  # fmt: skip
    """Estimate SPAN-like and exposure margin of legs, or the margin over time of a saved run and the return on it.

    Examples: algo margin CE:23100:-1:154.7 PE:23100:-1:123.7 --spot 23114 --time 4d --lot 75   or   algo margin out/
    """
    options.can_write(plot, "--plot")
    saved = Path(what[0]) if len(what) == 1 and ":" not in what[0] else None
    if saved is not None:
        _run(saved, daily_vol, plot, as_json=as_json)
        return
    if spot is None:
        raise typer.BadParameter("legs need the price of the underlying", param_hint="--spot")
    if plot is not None:
        raise typer.BadParameter("works with a saved result only", param_hint="--plot")
    with working(as_json=as_json):
        from algomaster.market import facts
        from algomaster.pricing import margin as estimate

        rates = None if on is None else facts.margin_rates(on)
        try:
            legs = [_leg(text, spot, time, vol) for text in what]
            found = estimate(legs, spot=spot, t=time, vol=vol, lot=lot, rates=rates, daily_vol=daily_vol)
        except (ValueError, TypeError) as problem:
            raise typer.BadParameter(str(problem)) from None
    if as_json:
        emit_json(_plain(found.to_dict()))
    else:
        emit(repr(found), "", _scenarios(found))


def _leg(text: str, spot: float, time: float | None, vol: float | None) -> dict[str, Any]:
    """Read RIGHT:STRIKE:LOTS[:PREMIUM[:TIME]]; without a premium the option is worth what ``--vol`` says."""
    parts = text.split(":")
    try:
        right, strike, lots = parts[0].upper(), float(parts[1]), float(parts[2])
        premium = float(parts[3]) if len(parts) > 3 and parts[3] else None
        if len(parts) > 5 or not lots:
            raise ValueError
    except (IndexError, ValueError):
        raise ValueError(f"expected a leg such as CE:24000:-1:210, got {text!r}") from None
    years = options.time_left(parts[4]) if len(parts) > 4 else time
    future = right.startswith("F")
    if premium is None and not future:
        if vol is None or years is None:
            raise ValueError(f"{text}: expected a premium (CE:24000:-1:210), or --vol and --time to value it by")
        from algomaster.pricing import price
        from algomaster.pricing.margins import RATE

        premium = float(price(right, spot, strike, years, vol, rate=RATE))
    return {
        "right": right, "strike": None if future else strike, "quantity": lots, "price": premium or 0.0, "t": years,
    }  # fmt: skip


def _run(folder: Path, daily_vol: float | None, plot: Path | None, *, as_json: bool) -> None:
    with working(as_json=as_json):
        from algomaster.backtest import margin_of
        from algomaster.performance import Result

        found = margin_of(Result.load(folder), daily_vol=daily_vol)
    if plot is not None:
        write_figure(found.plot(), plot)
    if as_json:
        emit_json(found.to_dict())
    else:
        emit(repr(found), "", _sessions(found))


def _scenarios(found: Margin) -> Any:
    rows = [
        [str(row["scenario"]), f"{row['move']:+.1%}", f"{row['vol']:+.1%}", f"{row['covered']:.0%}",
         number(row["loss"], 0)]
        for row in found.to_frame().iter_rows(named=True)
    ]  # fmt: skip
    columns = ["scenario", "spot", "vol", "covered", "loss"]
    return rows_table("Scenarios", columns, rows, numbers=set(columns))


def _sessions(found: MarginUse) -> Any:
    daily = found.daily
    rows = [
        [str(row["date"]), number(row["margin"], 0), number(row["pnl"]), number(100 * row["return_on_margin"])]
        for row in daily.tail(_LAST).iter_rows(named=True)
    ]
    columns = ["session", "peak margin", "P&L", "return %"]
    more = daily.height - _LAST
    title = f"Last {_LAST} sessions ({more} earlier ones not shown)" if more > 0 else "Sessions"
    return rows_table(title, columns, rows, numbers=set(columns[1:]))


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    numbers = {name: value for name, value in values.items() if isinstance(value, float)}
    return values | dict(zip(numbers, finite(list(numbers.values()))))
