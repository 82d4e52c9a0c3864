"""``algo portfolio``: saved runs on one capital."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo import options
from algo.chains import write_figure
from algo.console import emit, emit_json, number, rows_table, signed, working

if TYPE_CHECKING:
    from algomaster.backtest import Portfolio

__all__ = ["portfolio"]

_SHOWN = 20
"""Sessions beyond the capital that are listed; ``--json`` has all."""


def portfolio(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RESULT[:LOTS]...", show_default=False,
            help="Folders that algo backtest --save wrote, first the one that comes first; run/:2 counts it twice.",
        ),
    ],
    capital: Annotated[float, typer.Option("--capital", help="Rupees that all share.", show_default=False)],
    rule: Annotated[
        str,
        typer.Option(
            "--rule", help="refuse: a session the capital cannot carry is left out; allow: it is only reported."
        ),
    ] = "refuse",
    daily_vol: Annotated[
        float | None,
        typer.Option(
            "--daily-vol", show_default=False,
            help="Daily volatility of the underlying (0.012 is 1.2 %): widens the margin's scan in wild markets.",
        ),
    ] = None,
    plot: options.Plot = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save", metavar="FOLDER", file_okay=False, rich_help_panel="Output", show_default=False,
            help="Save the portfolio here, for Portfolio.load.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:  # fmt: skip
    """Combine saved runs on one capital: profit, margin, correlation, and sessions that the capital cannot carry.

    Example: algo portfolio nifty/ banknifty/:2 --capital 500000 --plot portfolio.html
    """
    options.can_write(plot, "--plot")
    options.can_write(save, "--save")
    with working(as_json=as_json):
        from algomaster.backtest import portfolio as combine
        from algomaster.performance import Result

        parts = [(Result.load(folder), lots) for folder, lots in map(_part, runs)]
        found = combine(parts, capital=capital, rule=rule, daily_vol=daily_vol)
    if plot is not None:
        write_figure(found.plot(), plot)
    written = [f"Saved: {found.save(save)}"] if save is not None else []
    if as_json:
        emit_json(found.to_dict())
    else:
        emit(repr(found), *_parts(found), *written)


def _part(text: str) -> tuple[Path, float]:
    """Read a folder, or a folder and a number of lots after the last colon."""
    folder, _, lots = text.rpartition(":")
    if folder and not Path(text).exists():
        try:
            return Path(folder), float(lots)
        except ValueError:
            pass
    return Path(text), 1.0


def _parts(found: Portfolio) -> list[Any]:
    parts = found.parts
    rows = [
        [row["part"], number(row["lots"]), str(row["sessions"]), str(row["refused"]), signed(row["pnl"]),
         number(row["sd"], 0), number(100 * row["risk_share"], 0), number(row["margin_peak"], 0),
         number(100 * row["return_on_margin"])]
        for row in parts.iter_rows(named=True)
    ]  # fmt: skip
    columns = ["part", "lots", "sessions", "refused", "P&L", "s.d.", "risk %", "peak margin", "return on it %"]
    shown: list[Any] = ["", rows_table("Parts", columns, rows, numbers=set(columns[1:]))]
    if found.breaches.height:
        lines = [
            [str(row["session"]), row["part"], number(row["needed"], 0), number(row["available"], 0), row["action"]]
            for row in found.breaches.head(_SHOWN).iter_rows(named=True)
        ]
        names = ["session", "part", "needed", "available", "what happened"]
        shown += ["", rows_table("Beyond the capital", names, lines, numbers={"needed", "available"})]
        more = found.breaches.height - _SHOWN
        shown += [f"{more} more not shown"] if more > 0 else []
    return shown
