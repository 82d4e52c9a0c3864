"""``algo sweep``: many parameter sets of one strategy through one history."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo import options, sweep_options
from algo.commands.backtest import absent_parts
from algo.console import emit, emit_json, rows_table, working
from algo.grid import grid_of, space_of
from algo.job import Source, job_of
from algomaster.core.errors import ConfigError

if TYPE_CHECKING:
    from rich.table import Table

    from algomaster.backtest import SweepResult

__all__ = ["sweep_"]

_SHOWN = ("pnl", "trades", "win_rate", "max_drawdown", "sharpe", "sharpe_se", "trials", "deflated_sharpe")
_KINDS = ("heatmap", "interaction", "parallel")
_SEARCH = "Search"
_CAUTION = "The best of many sets is also the luckiest: read a Sharpe with its standard error and the deflated Sharpe."


def sweep_(
    grid: sweep_options.Grid,
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
    search: Annotated[
        str | None,
        typer.Option(
            "--search", metavar="METHOD", rich_help_panel=_SEARCH, show_default=False,
            help="Try some sets instead of all: random, sobol (fills the space evenly) or optuna (learns as it goes). "
            "--grid may then give a range such as stop_pct=10..50.",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option("--trials", min=1, rich_help_panel=_SEARCH, show_default=False, help="Sets to try (256)."),
    ] = None,
    search_seed: Annotated[
        int | None,
        typer.Option(
            "--search-seed", min=0, rich_help_panel=_SEARCH, show_default=False,
            help="The same seed tries the same sets (0).",
        ),
    ] = None,
    engine: sweep_options.Engine = None,
    workers: sweep_options.Workers = None,
    chunk: sweep_options.Chunk = None,
    memory: sweep_options.Memory = None,
    address: sweep_options.Address = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            "--resume", metavar="FOLDER", file_okay=False, rich_help_panel="Work", show_default=False,
            help="Keep finished chunks there; the same sweep, started again, goes on where it was.",
        ),
    ] = None,
    metric: Annotated[
        str,
        typer.Option(
            "--metric", metavar="NAME", rich_help_panel="Output", help="Show the best sets by this; what optuna seeks."
        ),
    ] = "sharpe",
    top: Annotated[int, typer.Option("--top", min=1, rich_help_panel="Output", help="How many sets to show.")] = 20,
    digest: Annotated[
        bool, typer.Option("--digest", rich_help_panel="Output", help="Give each set the digest a replay of it has.")
    ] = False,
    trades: Annotated[
        Path | None,
        typer.Option(
            "--trades", metavar="FILE", dir_okay=False, rich_help_panel="Output", show_default=False,
            help="Keep all trades of all sets in a Parquet file, written as the sweep goes on.",
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save", metavar="FILE", dir_okay=False, rich_help_panel="Output", show_default=False,
            help="Save all sets as Parquet, for SweepResult.load.",
        ),
    ] = None,
    plot: options.Plot = None,
    kind: Annotated[
        str,
        typer.Option(
            "--kind", rich_help_panel="Output",
            help="Of the picture: heatmap or interaction (lines) over the first two parameters that vary, or parallel "
            "(a line a set through all of them).",
        ),
    ] = "heatmap",
    as_json: options.Json = False,
) -> None:  # fmt: skip
    """Run all combinations of a grid, or search it, to the same bits as a backtest of each.

    Example: algo sweep straddle --grid stop_pct=10:50:5 --grid entry=09:20,09:30 -u NIFTY --simulate 25
    """
    tried = grid_of(grid) if search is None else space_of(grid)
    _check_use(tried, search=search, trials=trials, seed=search_seed, plot=plot, kind=kind)
    source = Source(underlying=underlying, first=first, last=last, home=home, simulate=simulate, seed=seed, start=start)
    for path, option in ((save, "--save"), (plot, "--plot"), (trades, "--trades"), (resume, "--resume")):
        options.can_write(path, option)
    with working(as_json=as_json) as work:
        units = _units(metric)
        job = job_of(
            strategy, config=config, assigned=assigned or (), source=source, fills=fills, costs=costs, slippage=slippage
        )
        # A wrong parameter is told before data is loaded.
        job.strategy.configure(job.params | {name: values[0] for name, values in tried.items()})
        days = job.source.days(work)
        absent = job.source.absent()
        how = job.rules | sweep_options.work_of(
            engine=engine, workers=workers, chunk=chunk, memory=memory, address=address, resume=resume, trades=trades
        )
        from algomaster import backtest

        how |= {"params": job.params, "digest": digest, "progress": work.track("sweeping")}
        if search is None:
            found = backtest.sweep(job.strategy, days, grid=tried, **how)
        else:
            found = backtest.search(
                job.strategy, days, space=tried, method=search, trials=trials, metric=metric, seed=search_seed or 0,
                **how,
            )  # fmt: skip
        written = [f"Saved: {found.save(save)}"] if save else []
        written += [f"Trades: {trades}"] if trades else []
        if plot:
            plot.parent.mkdir(parents=True, exist_ok=True)
            found.plot(metric=metric, kind=kind).write_html(plot)
            written.append(f"Picture: {plot}")
    if as_json:
        emit_json(found.to_dict() | {"absent": absent})
    else:
        emit(_best(found, metric, top, units), "", repr(found), "", *absent_parts(absent), _CAUTION, *written)


def _check_use(
    tried: dict[str, Any], *, search: str | None, trials: int | None, seed: int | None, plot: Path | None, kind: str
) -> None:
    """Refuse options that would do nothing, and pictures that cannot be drawn, before any work."""
    if search is None and (trials is not None or seed is not None):
        raise typer.BadParameter("works with --search only", param_hint="--trials, --search-seed")
    if kind not in _KINDS:
        raise typer.BadParameter(f"expected one of {', '.join(_KINDS)}, got {kind!r}", param_hint="--kind")
    varied = sum(len(values) > 1 for values in tried.values())
    if plot and kind != "parallel" and varied < 2:
        raise typer.BadParameter(f"the {kind} needs two parameters with several values", param_hint="--plot")


def _units(metric: str) -> dict[str, str]:
    """Give the unit of every metric; refuse a metric that there is not."""
    from algomaster.performance import METRICS

    units = {known.name: known.unit for known in METRICS}
    if metric not in units:
        raise ConfigError(f"There is no metric {metric!r}; there are: {', '.join(units)}.")
    return units


def _best(found: SweepResult, metric: str, top: int, units: dict[str, str]) -> Table:
    from algomaster.performance.result import write_metric

    names = list(dict.fromkeys((*found.parameters, *_SHOWN, metric)))
    names += [name for name in ("digest",) if name in found.frame.columns]

    def text(name: str, value: Any) -> str:
        if name in units:
            return write_metric(value, units[name])
        return str(value)[:16] if name == "digest" else "none" if value is None else str(value)

    rows = [[text(name, row[name]) for name in names] for row in found.best(metric, count=top).to_dicts()]
    title = f"{found.strategy} on {found.underlying}: {len(rows)} of {found.frame.height} sets, best {metric} first"
    return rows_table(title, names, rows, numbers=units)
