"""The command ``algo``: its parts, and what becomes of an error."""

from __future__ import annotations

import sys
import traceback
from typing import Annotated

import typer

import algomaster
from algo import console
from algo.commands import (
    backtest,
    chain,
    compare,
    data,
    exposure,
    features,
    margin,
    oi,
    portfolio,
    positions,
    price,
    replay,
    report,
    scan,
    strategies,
    surface,
    sweep,
    walkforward,
    warmup,
)
from algomaster.core.errors import AlgoError, DataError

__all__ = ["app", "run"]

app = typer.Typer(
    name="algo",
    help="Index options: import market data, price, look at chains and surfaces, backtest, replay, sweep, report, "
    "compare.",
    epilog="Exit codes: 0 done, 1 a bug of ours, 2 wrong usage, 3 a wrong setting or name, "
    "4 data missing or unreadable, 5 no fact on record for a date, 6 pricing, "
    "7 a strategy broke its contract, 8 a check found differences, 10 an import kept rows out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("backtest")(backtest.backtest)
app.command("replay")(replay.replay)
app.command("sweep")(sweep.sweep_)
app.command("walkforward")(walkforward.walkforward)
app.command("report")(report.report)
app.command("compare")(compare.compare_)
app.command("portfolio")(portfolio.portfolio)
app.command("margin")(margin.margin)
app.add_typer(data.app, name="data")
app.add_typer(features.app, name="features")
app.command("price")(price.price)
app.command("iv")(price.iv)
app.command("chain")(chain.chain)
app.command("surface")(surface.surface)
app.command("exposure")(exposure.exposure)
app.command("oi")(oi.oi)
app.command("positions")(positions.positions)
app.command("scan")(scan.scan_)
app.command("warmup")(warmup.warmup)
app.command("strategies")(strategies.strategies)


def _version(wanted: bool) -> None:
    if wanted:
        console.emit(f"algo {algomaster.__version__}")
        raise typer.Exit


@app.callback()
def _algo(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    del version  # its callback has already answered


def run() -> None:
    """Run the command line; an error raised on purpose is one line on standard error and its exit code."""
    console.show_warnings()
    try:
        app()
    except AlgoError as problem:
        console.complain(str(problem))
        sys.exit(problem.exit_code)
    except OSError as problem:
        console.complain(f"{problem.strerror or problem}: {problem.filename or 'file'}.")
        sys.exit(DataError.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:
        traceback.print_exc()
        sys.exit(1)
