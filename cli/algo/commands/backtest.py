"""``algo backtest``: one strategy through one history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo import options
from algo.console import emit, emit_json, rows_table, working
from algo.job import Source, job_of

if TYPE_CHECKING:
    from rich.table import Table

    from algomaster.performance import Result

__all__ = ["absent_parts", "backtest", "result_parts"]

_LAST = 20
"""Trades that are listed; the report and ``--json`` have all."""

_NOTES = 10
"""Notes and absent sessions that are listed; ``--json`` has all."""

_COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "session": ("session", str),
    "right": ("right", str),
    "strike": ("strike", "{:g}".format),
    "quantity": ("quantity", str),
    "entry_time": ("in", "{:%H:%M:%S}".format),
    "entry_price": ("in at", "{:,.2f}".format),
    "exit_time": ("out", "{:%H:%M:%S}".format),
    "exit_price": ("out at", "{:,.2f}".format),
    "exit_reason": ("reason", str),
    "pnl": ("P&L", "{:,.2f}".format),
    "costs": ("costs", "{:,.2f}".format),
    "net_pnl": ("net P&L", "{:,.2f}".format),
}
"""Columns of a trade that are listed: heading, and how a value is written."""


def backtest(
    strategy: options.StrategyName = None,
    config: options.Config = None,
    assigned: options.Set = None,
    fills: options.Fills = None,
    costs: options.Costs = None,
    slippage: options.Slippage = None,
    underlying: options.Underlying = None,
    first: options.First = None,
    last: options.Last = None,
    home: options.Home = None,
    simulate: options.Simulate = None,
    seed: options.Seed = None,
    start: options.Start = None,
    capital: options.Capital = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE", dir_okay=False, rich_help_panel="Output", show_default=False,
            help="Write the HTML report here.",
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save", metavar="FOLDER", file_okay=False, rich_help_panel="Output", show_default=False,
            help="Save the result here, for algo report and Result.load.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:  # fmt: skip
    """Replay a strategy over stored or simulated sessions, every event recorded.

    Example: algo backtest straddle -u NIFTY --from 2021-06-11 --to 2021-06-11 --set stop_pct=20
    """
    source = Source(underlying=underlying, first=first, last=last, home=home, simulate=simulate, seed=seed, start=start)
    options.can_write(report, "--report")
    options.can_write(save, "--save")
    with working(as_json=as_json) as work:
        job = job_of(
            strategy, config=config, assigned=assigned or (), source=source, fills=fills, costs=costs, slippage=slippage
        )
        job.strategy.configure(job.params)  # a wrong parameter is told before data is loaded
        days = job.source.days(work)
        absent = job.source.absent()
        from algomaster.backtest import replay

        result = replay(job.strategy, days, params=job.params, progress=work.track("replaying"), **job.rules)
        result = result if capital is None else result.with_capital(capital)
        written = [f"Report: {result.report(report)}"] if report else []
        written += [f"Saved: {result.save(save)}"] if save else []
    if as_json:
        emit_json(result.to_dict() | {"absent": absent})
    else:
        emit(*result_parts(result), *absent_parts(absent), *written)


def result_parts(result: Result) -> list[Any]:
    """Give what a person reads of a result: summary, the last trades, skipped sessions, the first notes."""
    parts: list[Any] = [repr(result)]
    if result.trades.height:
        more = result.trades.height - _LAST
        title = (
            f"Last {_LAST} of {result.trades.height} trades ({more} earlier ones not shown)" if more > 0 else "Trades"
        )
        parts += ["", _trades(title, result.trades.tail(_LAST).to_dicts())]
    if result.skipped.height:
        rows = [[str(session), reason] for session, reason in result.skipped.rows()]
        parts += ["", rows_table("Skipped sessions", ["session", "reason"], rows)]
    if result.notes.height:
        more = result.notes.height - _NOTES
        rows = [[str(session), said] for session, said in result.notes.head(_NOTES).rows()]
        parts += ["", rows_table("Notes", ["session", "note"], rows)]
        parts += [f"{more} more not shown"] if more > 0 else []
    return [*parts, ""]


def absent_parts(absent: list[dict[str, str]]) -> list[Any]:
    """Give what a person reads of the sessions that the store lacks."""
    if not absent:
        return []
    rows = [[line["session"], line["reason"]] for line in absent[:_NOTES]]
    more = len(absent) - _NOTES
    table = rows_table("Sessions the store lacks", ["session", "reason"], rows)
    return [table, *([f"{more} more not shown"] if more > 0 else []), ""]


def _trades(title: str, trades: list[dict[str, Any]]) -> Table:
    numbers = {"strike", "quantity", "in at", "out at", "P&L", "costs", "net P&L"}
    rows = [[write(row[name]) for name, (_, write) in _COLUMNS.items()] for row in trades]
    return rows_table(title, [label for label, _ in _COLUMNS.values()], rows, numbers=numbers)
