"""Sweep: many parameter sets through the same sessions, to the same bits as a replay of each.

1. The grid is unrolled into parameter sets (:func:`parameter_sets`) and cut into chunks.
2. A chunk goes through all sessions, one compiled call a session (:func:`~algomaster.backtest.drivers.sweep_driver`).
3. Daily P&L of the chunk becomes rows of metrics (:func:`~algomaster.performance.metrics.table`) and is forgotten, so
   that memory does not grow with the number of sets, unless trades are asked for.
"""

from __future__ import annotations

import hashlib
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
from algomaster.backtest.slippages import Slippage, slippage_of
from algomaster.backtest.sweep_result import SweepResult, digest_of
from algomaster.core.errors import ConfigError
from algomaster.core.types import FloatArray, IntArray, Record
from algomaster.execution.ledger import FILL, new_account
from algomaster.execution.overnight import Held, new_held
from algomaster.market.chain_day import ChainDay, Days
from algomaster.performance.metrics import METRICS, table
from algomaster.performance.statistics import DAILY_STATISTICS, daily_statistics
from algomaster.strategy import catalogue
from algomaster.strategy.contract import Params, Strategy
from algomaster.strategy.steps.contract import FILLS_FULL

__all__ = ["parameter_sets", "sweep"]

_CHUNK = 4096
_RECORDED_CHUNK = 512
_ROOM = 16

Grid = Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]


def sweep(
    strategy: Strategy | str,
    days: Days | ChainDay | Sequence[ChainDay],
    *,
    grid: Grid,
    params: Mapping[str, Any] | None = None,
    fills: str = "next_open",
    costs: bool = True,
    slippage: Slippage | Mapping[str, Any] | int | None = None,
    skip_lists: bool = True,
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
    fills : "next_open" (also named "strict"), "decision_close" or "algotest"
    costs : bool
    slippage : Slippage, mapping or int, optional
    skip_lists : bool
        Pass over bars in which nothing can happen; changes no number.
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
    names = _names(sets)
    if chunk is not None and chunk < 1:
        raise ConfigError(f"Expected chunk to be at least 1, got {chunk}.")
    size = min(chunk or _CHUNK, _RECORDED_CHUNK if trades or digest else _CHUNK)
    configured = [strategy.configure(one) for one in sets]
    slip = slippage_of(slippage)
    sessions = [prepare(chain, fills=fills, costs=costs, slippage=slip, skip_lists=skip_lists) for chain in days]
    parts = []
    for start in range(0, len(sets), size):
        some = configured[start : start + size]
        run = _chunk(strategy, sessions, np.concatenate([one.pack() for one in some]), trades=trades, digest=digest)
        parts.append(_forget(run, days, trades=trades, first=start))
        if progress:
            progress(min(start + size, len(sets)), len(sets))
    frame = _frame(parts, configured, names, by_minute=trades or digest)
    return SweepResult(
        strategy=strategy.name,
        underlying=days.underlying,
        parameters=tuple(names),
        frame=frame,
        trades=pl.concat([part.trades for part in parts if part.trades is not None]) if trades else None,
        assumptions=assumptions_of(
            strategy, days, fills=fills, costs=costs, slippage=slip, trials=len(sets), **_settings(configured, names)
        ),
        digest=digest_of(frame),
    )


def _frame(parts: list[_Part], configured: list[Params], names: list[str], *, by_minute: bool) -> pl.DataFrame:
    """Give one row a set: its settings, every metric, its fingerprint, its digest where there is one.

    ``by_minute`` where the equity of every minute was kept; without it the deepest fall within sessions is not known.
    """
    shown = [one.model_dump(mode="json") for one in configured]
    columns = table(
        np.concatenate([part.statistics for part in parts]),
        totals=np.concatenate([part.totals for part in parts]),
        intraday_drawdown_paise=np.concatenate([part.drawdown for part in parts]) if by_minute else None,
    )
    columns |= {
        "idle_days": np.concatenate([part.idle_days for part in parts]),
        "fingerprint": np.concatenate([part.fingerprint for part in parts]),
    }
    given = {name: _column(shown, name) for name in names}
    frame = pl.DataFrame(given | {name: pl.Series(values) for name, values in columns.items()})
    digests = [text for part in parts for text in part.digests]
    return frame.with_columns(digest=pl.Series(digests)) if digests else frame


def parameter_sets(grid: Grid) -> list[dict[str, Any]]:
    """Unroll a grid: the combinations of a mapping's values (last name fastest), or the sequence as it is."""
    if isinstance(grid, Mapping):
        for name, values in grid.items():
            if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray | pl.Series):
                raise ConfigError(f"Grid {name!r}: expected a list of values, got {values!r}.", hint="Write [value].")
        sets = [dict(zip(grid, values)) for values in itertools.product(*grid.values())]
    elif isinstance(grid, Sequence) and all(isinstance(one, Mapping) for one in grid):
        sets = [dict(one) for one in grid]
    else:
        raise ConfigError(f"Expected a grid of lists by name, or a list of parameter sets, got {grid!r}.")
    if not sets:
        raise ConfigError("Expected at least one parameter set, got an empty grid.")
    return sets


def _names(sets: list[dict[str, Any]]) -> list[str]:
    """Names of the settings that the sets give; one that is called like a column of the result is refused."""
    names = list(dict.fromkeys(name for one in sets for name in one))
    taken = {metric.name for metric in METRICS} | {"idle_days", "fingerprint", "digest", "set"}
    if clash := sorted(taken & set(names)):
        raise ConfigError(
            f"Parameter {clash[0]!r} is called like a column of the sweep's result.", hint="Rename the parameter."
        )
    return names


def _settings(configured: list[Params], names: list[str]) -> dict[str, Any]:
    """Give the settings that all sets share, those that they give, and a hash over all of them."""
    shared = {name: value for name, value in configured[0].model_dump(mode="json").items() if name not in names}
    digest = hashlib.sha256("".join(one.content_hash() for one in configured).encode())
    return {"params": shared, "swept": names, "params_hash": digest.hexdigest()}


class _Run(NamedTuple):
    """A chunk that has gone through all sessions; ``rows`` are kept for trades, a digest takes them as they come."""

    accounts: Record
    daily: IntArray
    idle_days: IntArray
    digests: list[Digest]
    rows: list[list[IntArray]]


class _Part(NamedTuple):
    """What is kept of a chunk."""

    statistics: FloatArray
    totals: IntArray
    drawdown: IntArray
    idle_days: IntArray
    fingerprint: Any
    digests: list[str]
    trades: pl.DataFrame | None


def _chunk(strategy: Strategy, sessions: Sequence[Session], params: Record, *, trades: bool, digest: bool) -> _Run:
    sets = params.size
    states = np.concatenate([strategy.init(params[p : p + 1]) for p in range(sets)])
    daily = np.zeros((sets, len(sessions)), np.int64)
    digests = [Digest() for _ in range(sets if digest else 0)]
    rows: list[list[IntArray]] = [[] for _ in range(sets if trades else 0)]
    held = new_held(sets)
    run = _Run(new_account(sets), daily, np.zeros(sets, np.int64), digests, rows)
    for d, session in enumerate(sessions):
        before = run.accounts.copy()
        fills, n_fills, equity = _advance(
            strategy, session, params, states, run.accounts, held, recorded=trades or digest
        )
        run.daily[:, d] = run.accounts["equity"] - before["equity"]
        run.idle_days[:] += run.accounts["trades"] == before["trades"]
        for p in range(sets if trades or digest else 0):
            found = fill_rows(session.day, fills[p, : n_fills[p, 0]])
            if digest:
                digests[p].take(found, equity[p])
            if trades:
                rows[p].append(found)
    check_flags(strategy, int(np.bitwise_or.reduce(run.accounts["flags"])))
    return run


def _advance(
    strategy: Strategy,
    session: Session,
    params: Record,
    states: Record,
    accounts: Record,
    held: Held,
    *,
    recorded: bool,
) -> tuple[Record, IntArray, IntArray]:
    """Take all sets through one session; with records, again with more room when they overflow."""
    drive = sweep_driver(strategy.step)
    sets, minutes = params.size, session.day.ts.size
    room = _ROOM if recorded else 0
    while True:
        fills, n_fills = np.zeros((sets, room), FILL), np.zeros((sets, 1), np.int64)
        equity = np.zeros((sets, minutes if recorded else 0), np.int64)
        trial_states, trial_accounts = states.copy(), accounts.copy()
        trial_held = Held(*(part.copy() for part in held))
        with compiling_step(strategy):
            drive(*session, params, trial_states, trial_accounts, trial_held, fills, n_fills, equity)
        if not np.any(trial_accounts["flags"] & FILLS_FULL):
            states[:], accounts[:] = trial_states, trial_accounts
            for part, tried in zip(held, trial_held):
                part[:] = tried
            return fills, n_fills, equity
        room *= 4


def _forget(run: _Run, days: Days, *, trades: bool, first: int) -> _Part:
    """Reduce a chunk to what the result shows."""
    statistics = np.empty((len(run.daily), len(DAILY_STATISTICS)))
    for p in range(len(run.daily)):
        daily_statistics(run.daily[p], statistics[p])
    return _Part(
        statistics,
        totals_of(run.accounts),
        run.accounts["drawdown"].copy(),
        run.idle_days,
        run.accounts["fingerprint"].copy(),
        [taken.hex() for taken in run.digests],
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
        values = [None if value is None else "/".join(map(str, value)) for value in values]
    return pl.Series(name, values, strict=False)
