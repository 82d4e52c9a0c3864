"""``algo report``: the HTML report of a saved result or of somebody else's trades."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from algo import options
from algo.console import emit, emit_json, working

if TYPE_CHECKING:
    from algomaster.performance import Result

__all__ = ["report"]


def report(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="RESULT", exists=True, file_okay=False, show_default=False,
            help="Folder that algo backtest --save or Result.save wrote.",
        ),
    ] = None,
    trades: Annotated[
        Path | None,
        typer.Option(
            "--trades", metavar="FILE", exists=True, dir_okay=False, show_default=False,
            help="CSV of trades instead: right, strike, quantity (short negative), entry_time, entry_price, exit_time, "
            "exit_price; also costs, exit_reason, lots, session, expiry, leg.",
        ),
    ] = None,
    underlying: Annotated[
        str | None,
        typer.Option("--underlying", "-u", metavar="NAME", show_default=False, help="What the trades are on."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", dir_okay=False, show_default=False,
            help="The HTML file; by default report.html in the result's folder, or beside the CSV.",
        ),
    ] = None,
    capital: options.Capital = None,
    as_json: options.Json = False,
) -> None:  # fmt: skip
    """Write the HTML report of a saved result, or of an imported log of trades.

    Example: algo report out/   or   algo report --trades log.csv --underlying BANKNIFTY
    """
    with working(as_json=as_json) as work, work.busy("writing the report"):
        if folder is not None and trades is None:
            if underlying is not None:
                raise typer.BadParameter("works with --trades only", param_hint="--underlying")
            result, path = _saved(folder), out or folder / "report.html"
        elif trades is not None and folder is None:
            if underlying is None:
                raise typer.BadParameter("say what the trades are on", param_hint="--underlying")
            result, path = _imported(trades, underlying), out or trades.with_suffix(".html")
        else:
            raise typer.BadParameter("give a result's folder or --trades FILE, one of them", param_hint="RESULT")
        result = result if capital is None else result.with_capital(capital)
        written = result.report(path)
    if as_json:
        emit_json({**result.to_dict(), "report": str(written)})
    else:
        emit(repr(result), "", f"Report: {written}")


def _saved(folder: Path) -> Result:
    from algomaster.performance import Result

    return Result.load(folder)


def _imported(path: Path, underlying: str) -> Result:
    from algomaster.performance import Result

    return Result.from_trades(path, underlying=underlying)
