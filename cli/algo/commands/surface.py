"""``algo surface``: fit a volatility surface to a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from algo import options
from algo.chains import Expiries, From, chain_of, finite, write_figure
from algo.console import emit, emit_json, number, rows_table, working

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from algomaster.pricing import Surface

__all__ = ["surface"]


def surface(
    source: From,
    underlying: options.Underlying = None,
    at: options.At = None,
    home: options.Home = None,
    method: Annotated[str, typer.Option("--method", help="essvi (no arbitrage), svi or sabr.")] = "essvi",
    expiries: Expiries = None,
    rate: options.Rate = None,
    clock: options.Clock = "calendar",
    prices: options.Prices = "best",
    plot: options.Plot = None,
    kind: Annotated[
        str, typer.Option("--kind", help="What --plot shows: surface, smiles, residuals or density.")
    ] = "smiles",
    as_json: options.Json = False,
) -> None:
    """Fit a volatility surface: parameters, error and shape of each expiry, and every place with an arbitrage.

    Examples: algo surface option-chain.json --method svi   or   algo surface NIFTY --at "2024-01-02 10:15"
    """
    options.can_write(plot, "--plot")
    with working(as_json=as_json):
        chain = chain_of(source, at=at, underlying=underlying, home=home, clock=clock, prices=prices, rate=rate)
        try:
            found = chain.surface(method)
        except ValueError as problem:
            raise typer.BadParameter(str(problem)) from None
        report = found.arbitrage()
    if plot is not None:
        write_figure(found.plot(kind), plot)
    table = _table(found)
    shown = table.head(expiries) if expiries is not None else table
    if as_json:
        emit_json(
            {
                "method": found.method,
                "expiries": [dict(zip(shown.columns, finite(row))) for row in shown.rows()],
                "skipped": [{"expiry": label, "reason": reason} for label, reason in found.skipped.items()],
                "arbitrage": report.to_frame().to_dicts(),
            }
        )
        return
    emit(repr(found), "", _shown(shown), "", repr(report))


def _table(surface: Surface) -> pl.DataFrame:
    """Give parameters, error and shape by expiry."""
    from algomaster.pricing import smile_measures

    fitted, shape = surface.to_frame(), smile_measures(surface)
    return fitted.join(shape.drop("t", "forward"), on="expiry", how="left", maintain_order="left")


def _shown(table: pl.DataFrame) -> Table:
    percent = ["atm", "risk_reversal_25", "butterfly_25", "rmse"]
    rows = [
        [
            row["expiry"], number(365 * row["t"]), number(row["forward"]),
            *(number(100 * row[name]) for name in percent), number(row["slope"]), str(row["quotes"]),
        ]
        for row in table.iter_rows(named=True)
    ]  # fmt: skip
    columns = ["expiry", "days", "forward", "atm %", "rr25 %", "bf25 %", "rmse %", "slope", "quotes"]
    return rows_table("Expiries", columns, rows, numbers=set(columns[1:]))
