"""``algo exposure``: what the open interest of a chain makes dealers do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from algo import options
from algo.chains import Expiries, From, chain_of, finite, kept_expiries, write_figure
from algo.console import emit, emit_json, number, rows_table, toned, working

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["exposure"]

_CRORE = 1e7
_TOTALS = ("gex", "dex", "vex", "chex", "flip", "call_wall", "put_wall", "max_pain", "pcr", "pcr_volume")
_SHOWN = ("gex", "dex", "vex", "chex")


def exposure(
    source: From,
    underlying: options.Underlying = None,
    at: options.At = None,
    home: options.Home = None,
    expiries: Expiries = None,
    lot: Annotated[
        float, typer.Option("--lot", help="Units in a contract, where open interest counts contracts.")
    ] = 1.0,
    sign: Annotated[str, typer.Option("--sign", help="Who is long what, see the documentation.")] = "dealer",
    strikes: Annotated[int, typer.Option("--strikes", min=1, help="So many strikes, those with most gamma.")] = 25,
    rate: options.Rate = None,
    clock: options.Clock = "calendar",
    prices: options.Prices = "best",
    plot: options.Plot = None,
    as_json: options.Json = False,
) -> None:
    """Show gamma, delta, vanna and charm exposure by strike, the flip, walls, max pain and put-call ratio.

    Examples: algo exposure option-chain.json --lot 75   or   algo exposure NIFTY --at "2024-01-02 10:15"
    """
    options.can_write(plot, "--plot")
    with working(as_json=as_json):
        from algomaster.pricing import exposure as expose

        chain = chain_of(source, at=at, underlying=underlying, home=home, clock=clock, prices=prices, rate=rate)
        chosen = None if expiries is None else kept_expiries(chain, expiries)
        try:
            found = expose(chain, lot=lot, sign=sign, expiries=chosen)
        except ValueError as problem:
            raise typer.BadParameter(str(problem)) from None
    if plot is not None:
        write_figure(found.plot(), plot)
    table = found.to_frame()
    if as_json:
        emit_json(
            {
                **{name: finite([getattr(found, name)])[0] for name in _TOTALS},
                "strikes": [dict(zip(table.columns, finite(row))) for row in table.rows()],
            }
        )
        return
    most = table.sort(table["gex"].abs().fill_nan(0.0), descending=True).head(strikes)
    rows: list[list[str | Text]] = [
        [
            f"{row['strike']:,.10g}",
            *(toned(number(row[name] / _CRORE), "green" if row[name] > 0 else "red") for name in _SHOWN),
            number(row["call_oi"], 0), number(row["put_oi"], 0),
        ]
        for row in most.sort("strike").iter_rows(named=True)
    ]  # fmt: skip
    columns = ["strike", *(f"{name} (crore)" for name in _SHOWN), "call oi", "put oi"]
    emit(repr(found), "", rows_table("By strike", columns, rows, numbers=set(columns)))
