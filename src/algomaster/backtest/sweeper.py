"""Sweep: many parameter sets through the same sessions, to the same bits as a replay of each.

1. The grid becomes columns of checked settings (``sweeps.gridding``, ``sweeps.packing``) and is cut into chunks of sets
   (``sweeps.planning``).
2. An engine runs the chunks (``sweeps.engines``): each takes its sets through all sessions, one compiled call a session
   (``sweeps.chunks``). Finished chunks can be kept to resume from (``sweeps.resuming``).
3. The parts come back in order: statistics become rows of metrics, trades go to memory or into a Parquet file
   (``sweeps.trade_files``), everything else is forgotten.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from algomaster.backtest.assumptions import assumptions_of
from algomaster.backtest.replayer import Progress
from algomaster.backtest.session import days_of
from algomaster.backtest.slippages import Slippage, slippage_of
from algomaster.backtest.sweep_result import SweepResult, digest_of
from algomaster.backtest.sweeps.chunks import Job, Keep, Part, Rules
from algomaster.backtest.sweeps.gridding import Grid, Sets
from algomaster.backtest.sweeps.packing import Settings
from algomaster.backtest.sweeps.planning import Plan, plan_of
from algomaster.backtest.sweeps.resuming import FinishedChunks, identity_of_sweep
from algomaster.backtest.sweeps.trade_files import KeptTrades, TradeWriter
from algomaster.core.errors import ConfigError
from algomaster.core.types import Record
from algomaster.market.chain_day import ChainDay, Days
from algomaster.performance.metrics import METRICS, table
from algomaster.performance.statistics import DAILY_STATISTICS
from algomaster.performance.trials.kept_days import compact_daily, daily_stride
from algomaster.strategy import catalogue
from algomaster.strategy.contract import Strategy

__all__ = ["sweep"]

_COLUMNS = {metric.name for metric in METRICS} | {"idle_days", "fingerprint", "digest", "set"}


def sweep(
    strategy: Strategy | str,
    days: Days | ChainDay | Sequence[ChainDay],
    *,
    grid: Grid | Sets,
    params: Mapping[str, Any] | None = None,
    fills: str = "next_open",
    costs: bool = True,
    slippage: Slippage | Mapping[str, Any] | int | None = None,
    skip_lists: bool = True,
    trades: bool | str | Path = False,
    digest: bool = False,
    engine: str = "threads",
    workers: int | None = None,
    chunk: int | None = None,
    memory: int | str | None = None,
    resume: str | Path | None = None,
    share: str | Path | None = None,
    address: str | None = None,
    progress: Progress | None = None,
) -> SweepResult:
    """Run many parameter sets of a strategy through sessions.

    Parameters
    ----------
    strategy : Strategy or str
    days : Days
    grid : mapping or sequence of mappings
        Values to try of each setting, all combinations; or the parameter sets themselves.
    params : mapping, optional
        Settings that all sets share.
    fills : "next_open" (also named "strict"), "decision_close" or "algotest"
    costs : bool
    slippage : Slippage, mapping or int, optional
    skip_lists : bool
        Pass over bars in which nothing can happen; changes no number.
    trades : bool or path
        Keep every set's trades: True in memory, a path in a Parquet file that is written as the sweep goes on. Either
        way ``result.trades`` gives them.
    digest : bool
        Give each set the digest that a replay of it has, and the deepest fall within sessions. Keeps the equity of
        every minute for it, which takes about four times as long.
    engine : "threads", "joblib" or "ray"
        Where chunks of sets run: threads of this process, worker processes that share the sessions through one file
        mapped into memory, a Ray cluster.
    workers : int, optional
        Threads, processes or actors; by default one for each core (on a cluster, each core of it).
    chunk : int, optional
        Sets in flight at once in a worker; by default what fits ``memory``, 1,024 at most (512 with records).
    memory : int or str, optional
        Bytes ("2GB") that the sweep may take beside the sessions; refused where the rows of the result do not fit.
    resume : path, optional
        Folder that keeps each finished chunk. A sweep that was killed goes on where it was; a folder of another sweep
        is refused.
    share : path, optional
        Folder for the file of sessions that worker processes map; by default a temporary one.
    address : str, optional
        Of a running Ray cluster; by default one is started on this machine.
    progress : callable, optional
        Called with (sets done, sets in all).

    Returns
    -------
    SweepResult
        ``frame`` has one row a set: its settings, every metric, its fingerprint. Metrics are those of a replay to the
        bit, but for ``trials`` (here the number of sets) and the deflated Sharpe ratio that follows from it. Neither
        engine, workers, chunk, memory, resuming nor skip lists change a bit of it.

    Raises
    ------
    ConfigError
        The grid is empty, a setting is unknown or impossible, a package for the engine is missing, the memory too
        small, or the folder to resume from is another sweep's.
    FactError
        Costs are on and not on record for a session.
    StrategyError
        A set placed more orders or legs than a book holds.
    """
    strategy = catalogue.get(strategy) if isinstance(strategy, str) else strategy
    days = days_of(days)
    settings = Settings(strategy, _checked(grid if isinstance(grid, Sets) else Sets.of(grid, params)))
    rules = Rules(fills, costs, slippage_of(slippage), skip_lists)
    keep = Keep(bool(trades), digest, daily_stride(len(settings), len(days)))
    job = Job(strategy, settings, rules, keep)
    plan = plan_of(
        job, days, engine=engine, workers=workers, chunk=chunk, memory=memory, share=share, address=address,
        kept_in_memory=trades is True,
    )  # fmt: skip
    store = None if resume is None else FinishedChunks(Path(resume), identity_of_sweep(job, days))
    found = _Collected(job, days, plan)
    with _writer(trades) as writer:
        for part in _parts(job, days, plan, store):
            found.take(part, writer)
            if progress:
                progress(part.stop, len(settings))
    frame = found.frame()
    return SweepResult(
        strategy=strategy.name,
        underlying=days.underlying,
        parameters=tuple(settings.names),
        frame=frame,
        kept_trades=found.trades(writer),
        daily=found.daily,
        daily_stride=keep.stride,
        assumptions=_assumptions(job, days),
        digest=digest_of(frame),
    )


def _checked(sets: Sets) -> Sets:
    """Refuse a setting that is called like a column of the result."""
    if clash := sorted(_COLUMNS & set(sets.names)):
        raise ConfigError(
            f"Parameter {clash[0]!r} is called like a column of the sweep's result.", hint="Rename the parameter."
        )
    return sets


def _assumptions(job: Job, days: Days) -> dict[str, Any]:
    rules, settings = job.rules, job.settings
    return assumptions_of(
        job.strategy, days, fills=rules.fills, costs=rules.costs, slippage=rules.slippage, trials=len(settings),
        params=settings.shared(), swept=settings.names, params_hash=settings.content_hash,
    )  # fmt: skip


def _writer(trades: bool | str | Path) -> contextlib.AbstractContextManager[TradeWriter | None]:
    return contextlib.nullcontext() if isinstance(trades, bool) else TradeWriter(Path(trades))


def _parts(job: Job, days: Days, plan: Plan, store: FinishedChunks | None) -> Iterator[Part]:
    """Give the parts of all sets in order: those that are done from the store, the others from the engine."""
    done = store.ranges() if store else []
    chunks = plan.chunks(done)
    fresh = plan.engine.run(job, days, chunks)
    for start, stop in sorted([*done, *chunks]):
        if store and (start, stop) in set(done):
            yield store.read(start, stop)
            continue
        part = next(fresh)
        if store:
            store.write(part)
        yield part


class _Collected:
    """What is kept of all sets, filled as the parts come."""

    def __init__(self, job: Job, days: Days, plan: Plan) -> None:
        sets = len(job.settings)
        self._job, self._plan = job, plan
        self._statistics = np.empty((sets, len(DAILY_STATISTICS)))
        self._totals = np.empty((sets, 6), np.int64)
        self._drawdown, self._idle = np.empty(sets, np.int64), np.empty(sets, np.int64)
        self._fingerprint = np.empty(sets, np.uint64)
        self._digests = np.empty(sets if job.keep.digest else 0, "S64")
        self._daily: list[Any] = []
        self._trades: list[Record] = []
        self._bytes = 0

    def take(self, part: Part, writer: TradeWriter | None) -> None:
        """Take the next part."""
        rows = slice(part.start, part.stop)
        self._statistics[rows], self._totals[rows] = part.statistics, part.totals
        self._drawdown[rows], self._idle[rows] = part.drawdown, part.idle_days
        self._fingerprint[rows] = part.fingerprint
        if self._job.keep.digest:
            self._digests[rows] = part.digests
        self._daily.append(part.daily)
        if writer:
            writer.write(part.trades)
        elif self._job.keep.trades:
            self._trades.append(part.trades)
            self._bytes += part.trades.nbytes
            self._plan.check_trades(self._bytes)

    @property
    def daily(self) -> Any:
        """Daily P&L of every so many sets, (kept sets, sessions), in paise."""
        return compact_daily(np.concatenate(self._daily))

    def trades(self, writer: TradeWriter | None) -> KeptTrades | None:
        """Give the trades, where they were asked for."""
        if writer:
            return KeptTrades(path=writer.path)
        return KeptTrades(self._trades) if self._job.keep.trades else None

    def frame(self) -> pl.DataFrame:
        """Give one row a set: its settings, every metric, its fingerprint, its digest where there is one."""
        digest, settings = self._job.keep.digest, self._job.settings
        columns: dict[str, Any] = {name: settings.shown(name) for name in settings.names}
        columns |= table(
            self._statistics, totals=self._totals, intraday_drawdown_paise=self._drawdown if digest else None
        )
        columns |= {"idle_days": self._idle, "fingerprint": self._fingerprint}
        if digest:
            columns["digest"] = pl.Series(self._digests.astype(str).tolist())
        return pl.DataFrame(columns)
