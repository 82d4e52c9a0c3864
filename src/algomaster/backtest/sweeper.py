"""Sweep: many parameter sets through the same sessions, to the same bits as a replay of each.

1. The grid is unrolled into parameter sets (:func:`parameter_sets`) and cut into chunks.
2. A chunk goes through all sessions, one compiled call a session (:func:`~algomaster.backtest.drivers.sweep_driver`).
3. Daily P&L of the chunk becomes rows of metrics (:func:`~algomaster.performance.metrics.table`) and is forgotten, so
   that memory does not grow with the number of sets, unless trades are asked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from algomaster.backtest.assumptions import assumptions_of
from algomaster.backtest.drivers import sweep_driver
from algomaster.backtest.records import Digest, trades_frame
from algomaster.backtest.replayer import Progress, check_flags, compiling_step, lots_of, totals_of
from algomaster.backtest.session import FILL_COLUMNS, Session, days_of, fill_rows, prepare
from algomaster.backtest.sweep_result import SweepResult, digest_of
from algomaster.core.errors import ConfigError
from algomaster.core.types import FloatArray, IntArray, Record
from algomaster.execution.ledger import FILL, new_account
from algomaster.market.chain_day import ChainDay, Days
from algomaster.performance.metrics import table
from algomaster.performance.statistics import DAILY_STATISTICS, daily_statistics
from algomaster.strategy import catalogue
from algomaster.strategy.contract import Strategy
from algomaster.strategy.steps.contract import FILLS_FULL

__all__ = ["parameter_sets", "sweep"]

_CHUNK = 4096
_RECORDED_CHUNK = 64
_ROOM = 64

Grid = Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]


def sweep(
    strategy: Strategy | str,
    days: Days | ChainDay | Sequence[ChainDay],
    *,
    grid: Grid,
    params: Mapping[str, Any] | None = None,
    fills: str = "next_open",
    costs: bool = True,
    trades: bool = False,
    digest: bool = False,
    chunk: int | None = None,
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
    fills : "next_open" or "decision_close"
    costs : bool
    trades : bool
        Keep every set's trades in ``result.trades`` (memory then grows with the sets).
    digest : bool
        Give each set the digest that a replay of it has.
    chunk : int, optional
        Sets in flight at once; bounds the memory, changes no number.
    progress : callable, optional
        Called with (set-sessions done, set-sessions in all).

    Returns
    -------
    SweepResult
        ``frame`` has one row a set: its settings, every metric, its fingerprint. Metrics are those of a replay to the
        bit, but for ``trials`` (here the number of sets) and the deflated Sharpe ratio that follows from it.

    Raises
    ------
    ConfigError
        The grid is empty, or a setting is unknown or impossible.
    FactError
        Costs are on and not on record for a session.
    StrategyError
        A set placed more orders or legs than a book holds.
    """
    strategy = catalogue.get(strategy) if isinstance(strategy, str) else strategy
    days = days_of(days)
    sets = [dict(params or {}) | one for one in parameter_sets(grid)]
    if chunk is not None and chunk < 1:
        raise ConfigError(f"Expected chunk to be at least 1, got {chunk}.")
    recorded = trades or digest
    size = min(chunk or _CHUNK, _RECORDED_CHUNK if recorded else _CHUNK)
    configured = [strategy.configure(one) for one in sets]
    sessions = [prepare(chain, fills=fills, costs=costs) for chain in days]
    parts = []
    for start in range(0, len(sets), size):
        some = configured[start : start + size]
        part = _chunk(strategy, sessions, np.concatenate([one.pack() for one in some]), recorded=recorded)
        parts.append(_forget(part, days, trades=trades, digest=digest, first=start))
        if progress:
            progress(min(start + size, len(sets)), len(sets))
    names = list(dict.fromkeys(name for one in sets for name in one))
    shown = [{name: one.model_dump(mode="json")[name] for name in names} for one in configured]
    columns = table(
        np.concatenate([part.statistics for part in parts]),
        totals=np.concatenate([part.totals for part in parts]),
        max_drawdown_paise=np.concatenate([part.drawdown for part in parts]),
    )
    frame = pl.DataFrame({name: _column(shown, name) for name in names}).with_columns(
        **{name: pl.Series(values) for name, values in columns.items()},
        fingerprint=pl.Series(np.concatenate([part.fingerprint for part in parts])),
    )
    if digest:
        frame = frame.with_columns(digest=pl.Series([text for part in parts for text in part.digests]))
    return SweepResult(
        strategy=strategy.name,
        underlying=days.underlying,
        parameters=tuple(names),
        frame=frame,
        trades=pl.concat([part.trades for part in parts if part.trades is not None]) if trades else None,
        assumptions=assumptions_of(strategy, days, params=None, fills=fills, costs=costs, trials=len(sets)),
        digest=digest_of(frame),
    )


def parameter_sets(grid: Grid) -> list[dict[str, Any]]:
    """Unroll a grid: the combinations of a mapping's values (last name fastest), or the sequence as it is."""
    if isinstance(grid, Mapping):
        for name, values in grid.items():
            if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray | pl.Series):
                raise ConfigError(f"Grid {name!r}: expected a list of values, got {values!r}.", hint="Write [value].")
        sets = [dict(zip(grid, values)) for values in itertools.product(*grid.values())]
    else:
        sets = [dict(one) for one in grid]
    if not sets:
        raise ConfigError("Expected at least one parameter set, got an empty grid.")
    return sets


class _Run(NamedTuple):
    """A chunk that has gone through all sessions."""

    accounts: Record
    daily: IntArray
    rows: list[list[IntArray]]
    equity: list[list[IntArray]]


class _Part(NamedTuple):
    """What is kept of a chunk."""

    statistics: FloatArray
    totals: IntArray
    drawdown: IntArray
    fingerprint: Any
    digests: list[str]
    trades: pl.DataFrame | None


def _chunk(strategy: Strategy, sessions: Sequence[Session], params: Record, *, recorded: bool) -> _Run:
    sets = params.size
    states = np.concatenate([strategy.init(params[p : p + 1]) for p in range(sets)])
    run = _Run(
        new_account(sets),
        np.zeros((sets, len(sessions)), np.int64),
        [[] for _ in range(sets)],
        [[] for _ in range(sets)],
    )
    for d, session in enumerate(sessions):
        before = run.accounts["equity"].copy()
        fills, n_fills, equity = _advance(strategy, session, params, states, run.accounts, recorded=recorded)
        run.daily[:, d] = run.accounts["equity"] - before
        if recorded:
            for p in range(sets):
                run.rows[p].append(fill_rows(session.day, fills[p, : n_fills[p, 0]]))
                run.equity[p].append(equity[p])
    check_flags(strategy, int(np.bitwise_or.reduce(run.accounts["flags"])))
    return run


def _advance(
    strategy: Strategy, session: Session, params: Record, states: Record, accounts: Record, *, recorded: bool
) -> tuple[Record, IntArray, IntArray]:
    """Take all sets through one session; with records, again with more room when they overflow."""
    drive = sweep_driver(strategy.step)
    sets, minutes = params.size, session.day.ts.size
    room = _ROOM if recorded else 0
    while True:
        fills, n_fills = np.zeros((sets, room), FILL), np.zeros((sets, 1), np.int64)
        equity = np.zeros((sets, minutes if recorded else 0), np.int64)
        trial_states, trial_accounts = states.copy(), accounts.copy()
        with compiling_step(strategy):
            drive(*session, params, trial_states, trial_accounts, fills, n_fills, equity)
        if not np.any(trial_accounts["flags"] & FILLS_FULL):
            states[:], accounts[:] = trial_states, trial_accounts
            return fills, n_fills, equity
        room *= 4


def _forget(run: _Run, days: Days, *, trades: bool, digest: bool, first: int) -> _Part:
    """Reduce a chunk to what the result shows."""
    statistics = np.empty((len(run.daily), len(DAILY_STATISTICS)))
    for p in range(len(run.daily)):
        daily_statistics(run.daily[p], statistics[p])
    digests = []
    for rows, equity in zip(run.rows, run.equity) if digest else ():
        taken = Digest()
        for session_rows, session_equity in zip(rows, equity):
            taken.take(session_rows, session_equity)
        digests.append(taken.hex())
    return _Part(
        statistics,
        totals_of(run.accounts),
        run.accounts["drawdown"].copy(),
        run.accounts["fingerprint"].copy(),
        digests,
        _trades(run.rows, days, first) if trades else None,
    )


def _trades(rows: list[list[IntArray]], days: Days, first: int) -> pl.DataFrame:
    lots = lots_of(days)
    frames = []
    for p, sessions in enumerate(rows):
        fills = np.concatenate(sessions) if sessions else np.empty((0, len(FILL_COLUMNS)), np.int64)
        frame = trades_frame(fills, lots=lots)
        frames.append(frame.select(pl.lit(first + p, dtype=pl.Int64).alias("set"), pl.all()))
    return pl.concat(frames)


def _column(shown: list[dict[str, Any]], name: str) -> pl.Series:
    values = [one[name] for one in shown]
    if any(isinstance(value, (list, tuple)) for value in values):
        values = [None if value is None else "/".join(f"{part:g}" for part in value) for value in values]
    return pl.Series(name, values, strict=False)
