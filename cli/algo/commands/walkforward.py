"""``algo walkforward``: choose on the past, trade the next sessions, again and again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo import options, sweep_options
from algo.commands.backtest import absent_parts
from algo.console import emit, emit_json, rows_table, working
from algo.grid import grid_of
from algo.job import Source, job_of

if TYPE_CHECKING:
    from rich.table import Table

    from algomaster.backtest import WalkForward

__all__ = ["walkforward"]

_WINDOWS = "Windows"


def walkforward(
    grid: sweep_options.Grid,
    train: Annotated[
        int,
        typer.Option(
            "--train", metavar="SESSIONS", min=1, rich_help_panel=_WINDOWS, show_default=False,
            help="Sessions that each choice is made on (with --anchored the first).",
        ),
    ],
    test: Annotated[
        int,
        typer.Option(
            "--test", metavar="SESSIONS", min=1, rich_help_panel=_WINDOWS, show_default=False,
            help="Sessions traded after each choice.",
        ),
    ],
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
    step: Annotated[
        int | None,
        typer.Option(
            "--step", metavar="SESSIONS", min=1, rich_help_panel=_WINDOWS, show_default=False,
            help="From one choice to the next; by default as many as are traded.",
        ),
    ] = None,
    anchored: Annotated[
        bool,
        typer.Option(
            "--anchored", rich_help_panel=_WINDOWS, help="Choose on everything since the first session, not a window."
        ),
    ] = False,
    embargo: Annotated[
        int,
        typer.Option(
            "--embargo", metavar="SESSIONS", min=0, rich_help_panel=_WINDOWS,
            help="Sessions left out between choosing and trading.",
        ),
    ] = 0,
    engine: sweep_options.Engine = None,
    workers: sweep_options.Workers = None,
    chunk: sweep_options.Chunk = None,
    memory: sweep_options.Memory = None,
    address: sweep_options.Address = None,
    metric: Annotated[
        str, typer.Option("--metric", metavar="NAME", rich_help_panel="Output", help="What the choice goes by.")
    ] = "sharpe",
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE", dir_okay=False, rich_help_panel="Output", show_default=False,
            help="Write the HTML report of the out-of-sample result here.",
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save", metavar="FOLDER", file_okay=False, rich_help_panel="Output", show_default=False,
            help="Save it here, for algo report, algo compare and WalkForward.load.",
        ),
    ] = None,
    plot: options.Plot = None,
    as_json: options.Json = False,
) -> None:  # fmt: skip
    """Choose the best of a grid on past sessions and trade the next ones with it; put those together.

    Example: algo walkforward straddle --grid stop_pct=10:50:5 --train 60 --test 20 -u NIFTY --simulate 250
    """
    tried = grid_of(grid)
    source = Source(underlying=underlying, first=first, last=last, home=home, simulate=simulate, seed=seed, start=start)
    for path, option in ((save, "--save"), (plot, "--plot"), (report, "--report")):
        options.can_write(path, option)
    with working(as_json=as_json) as work:
        job = job_of(
            strategy, config=config, assigned=assigned or (), source=source, fills=fills, costs=costs, slippage=slippage
        )
        job.strategy.configure(job.params | {name: values[0] for name, values in tried.items()})
        days = job.source.days(work)
        absent = job.source.absent()
        how = job.rules | sweep_options.work_of(
            engine=engine, workers=workers, chunk=chunk, memory=memory, address=address, step=step
        )
        from algomaster import backtest

        found = backtest.walk_forward(
            job.strategy, days, grid=tried, params=job.params, train=train, test=test, anchored=anchored,
            embargo=embargo, metric=metric, progress=work.track("walking forward"), **how,
        )  # fmt: skip
        written = [f"Report: {found.result.report(report)}"] if report else []
        written += [f"Saved: {found.save(save)}"] if save else []
        if plot:
            plot.parent.mkdir(parents=True, exist_ok=True)
            found.plot().write_html(plot)
            written.append(f"Picture: {plot}")
    if as_json:
        emit_json(found.to_dict() | {"absent": absent})
    else:
        emit(repr(found), "", _folds(found), "", *absent_parts(absent), *written)


def _folds(found: WalkForward) -> Table:
    from algomaster.performance.result import write_metric

    settings = [name for name in found.folds.columns if not name.startswith(("train_", "test_"))]
    settings = [name for name in settings if name not in ("fold", "chosen") and found.folds[name].n_unique() > 1]
    money = {
        "in sample, a day": "train_mean_day", "Sharpe": "train_sharpe", "out of sample, a day": "test_mean_day",
        "out of sample": "test_pnl",
    }  # fmt: skip
    heads = ["fold", "chosen on", "traded", *settings, *money]

    def texts(row: dict[str, Any]) -> list[str]:
        return [
            str(row["fold"]),
            f"{row['train_first']} to {row['train_last']}",
            f"{row['test_first']} to {row['test_last']}",
            *("none" if row[name] is None else str(row[name]) for name in settings),
            *(write_metric(row[name], "ratio" if "sharpe" in name else "rupees") for name in money.values()),
        ]

    rows = [texts(row) for row in found.folds.to_dicts()]
    return rows_table(f"{len(rows)} folds, chosen by {found.metric}", heads, rows, numbers=["fold", *money])
