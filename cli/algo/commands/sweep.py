"""``algo sweep``: many parameter sets of one strategy through one history."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo import options
from algo.commands.backtest import absent_parts
from algo.console import emit, emit_json, rows_table, working
from algo.grid import grid_of
from algo.job import Source, job_of
from algomaster.core.errors import ConfigError

if TYPE_CHECKING:
    from rich.table import Table

    from algomaster.backtest import SweepResult

__all__ = ["sweep_"]

_SHOWN = ("pnl", "trades", "win_rate", "max_drawdown", "sharpe", "sharpe_se", "trials", "deflated_sharpe")
_CAUTION = "The best of many sets is also the luckiest: read a Sharpe with its standard error and the deflated Sharpe."


def sweep_(
    grid: Annotated[
        list[str],
        typer.Option(
            "--grid", metavar="KEY=VALUES", show_default=False, rich_help_panel="Strategy and rules",
            help="Values to try: stop_pct=10,20,none or start:stop:step such as stop_pct=10:50:5 (stop included); "
            "repeatable, all combinations are run.",
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
    metric: Annotated[
        str, typer.Option("--metric", metavar="NAME", rich_help_panel="Output", help="Show the best sets by this.")
    ] = "sharpe",
    top: Annotated[int, typer.Option("--top", min=1, rich_help_panel="Output", help="How many sets to show.")] = 20,
    digest: Annotated[
        bool, typer.Option("--digest", rich_help_panel="Output", help="Give each set the digest a replay of it has.")
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save", metavar="FILE", dir_okay=False, rich_help_panel="Output", show_default=False,
            help="Save all sets as Parquet, for SweepResult.load.",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", metavar="FILE", dir_okay=False, rich_help_panel="Output", show_default=False,
            help="Write an HTML heatmap of the metric over the first two parameters that vary.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:  # fmt: skip
    """Run all combinations of a grid, to the same bits as a backtest of each.

    Example: algo sweep straddle --grid stop_pct=10:50:5 --grid entry=09:20,09:30 -u NIFTY --simulate 25
    """
    tried = grid_of(grid)
    if plot and sum(len(values) > 1 for values in tried.values()) < 2:
        raise typer.BadParameter("a heatmap needs two parameters with several values", param_hint="--plot")
    source = Source(underlying=underlying, first=first, last=last, home=home, simulate=simulate, seed=seed, start=start)
    options.can_write(save, "--save")
    options.can_write(plot, "--plot")
    with working(as_json=as_json) as work:
        units = _units(metric)
        job = job_of(
            strategy, config=config, assigned=assigned or (), source=source, fills=fills, costs=costs, slippage=slippage
        )
        # A wrong parameter is told before data is loaded.
        job.strategy.configure(job.params | {name: values[0] for name, values in tried.items()})
        days = job.source.days(work)
        absent = job.source.absent()
        from algomaster.backtest import sweep

        found = sweep(
            job.strategy, days, grid=tried, params=job.params, digest=digest, progress=work.track("sweeping"),
            **job.rules,
        )  # fmt: skip
        written = [f"Saved: {found.save(save)}"] if save else []
        if plot:
            plot.parent.mkdir(parents=True, exist_ok=True)
            found.plot(metric=metric).write_html(plot)
            written.append(f"Heatmap: {plot}")
    if as_json:
        emit_json(found.to_dict() | {"absent": absent})
    else:
        emit(_best(found, metric, top, units), "", *absent_parts(absent), _CAUTION, *written)


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
