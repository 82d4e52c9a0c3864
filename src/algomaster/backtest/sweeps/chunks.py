"""One chunk of parameter sets through all sessions: the piece of work that every engine does, to the same bits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algomaster.backtest.drivers import sweep_driver
from algomaster.backtest.replayer import check_flags, compiling_step, totals_of
from algomaster.backtest.session import FILL_COLUMNS, Session, future_expiry, prepare
from algomaster.backtest.slippages import Slippage
from algomaster.backtest.sweeps.gathering import OPEN, TRADE, end_session, gather, statistics_of, write
from algomaster.backtest.sweeps.packing import Settings
from algomaster.core.errors import StrategyError
from algomaster.core.types import FloatArray, IntArray, Record
from algomaster.execution.ledger import ACCOUNT, FILL, new_account
from algomaster.execution.overnight import new_held
from algomaster.market.chain_day import Days
from algomaster.performance.statistics import DAILY_STATISTICS
from algomaster.performance.trials.kept_days import compact_daily
from algomaster.strategy.contract import Strategy
from algomaster.strategy.steps.contract import FILLS_FULL, MAX_OVERNIGHT

__all__ = ["Job", "Keep", "Part", "Ready", "Rules", "bytes_a_set", "run_chunk", "sessions_of"]

_ROOM: Final = 8
"""Fills of a set that a session's records first have room for; a busier session is run again with more."""


class Rules(NamedTuple):
    """How orders fill and what they cost."""

    fills: str
    costs: bool
    slippage: Slippage | None
    skip_lists: bool


class Keep(NamedTuple):
    """What of every set is kept beside its metrics: its trades, its digest, the daily P&L of every so many sets."""

    trades: bool
    digest: bool
    stride: int


class Job(NamedTuple):
    """What all chunks of a sweep share, but for the sessions."""

    strategy: Strategy
    settings: Settings
    rules: Rules
    keep: Keep


class Part(NamedTuple):
    """What is kept of a chunk; where nothing was asked for, an array is empty. Trades are session by session."""

    start: int
    stop: int
    statistics: FloatArray
    totals: IntArray
    drawdown: IntArray
    idle_days: IntArray
    fingerprint: NDArray[np.uint64]
    daily: IntArray | NDArray[np.int32]
    digests: NDArray[np.bytes_]
    trades: Record


class Ready(NamedTuple):
    """A session made ready, and the expiry of its nearest future in days."""

    session: Session
    future_expiry: int


def sessions_of(days: Days, rules: Rules) -> list[Ready]:
    """Make sessions ready."""
    prepared = (
        prepare(day, fills=rules.fills, costs=rules.costs, slippage=rules.slippage, skip_lists=rules.skip_lists)
        for day in days
    )
    return [Ready(session, future_expiry(session.day)) for session in prepared]


def run_chunk(job: Job, sessions: Sequence[Ready], start: int, stop: int) -> Part:
    """Take the sets ``start`` to ``stop`` through all sessions.

    Raises
    ------
    StrategyError
        A set placed more orders or legs than a book holds.
    """
    run = _Run(job, start, stop, len(sessions))
    for d, session in enumerate(sessions):
        run.session(d, session)
    return run.part()


def bytes_a_set(job: Job, sessions: int, minutes: int) -> int:
    """Estimate what a set in flight takes, its trades left out."""
    record = job.settings.pack(0, 1).dtype.itemsize + 2 * job.strategy.state.itemsize + 2 * ACCOUNT.itemsize
    night = sum(int(part.nbytes) for part in new_held()) + MAX_OVERNIGHT * OPEN.itemsize * job.keep.trades
    records = 4 * _ROOM * FILL.itemsize * (job.keep.trades or job.keep.digest) + 24 * minutes * job.keep.digest
    return record + 2 * night + records + 8 * (sessions + 40)


class _Run:
    """The sets of a chunk on their way through the sessions, with buffers that serve all of them."""

    def __init__(self, job: Job, start: int, stop: int, sessions: int) -> None:
        self._job, self._start, self._stop = job, start, stop
        self._recorded = job.keep.trades or job.keep.digest
        sets = stop - start
        self._params = job.settings.pack(start, stop)
        self._states = _states(job.strategy, self._params)
        self._accounts, self._held = new_account(sets), new_held(sets)
        self._marks, self._idle = np.zeros((sets, 2), np.int64), np.zeros(sets, np.int64)
        self._daily = np.zeros((sets, sessions), np.int64)
        self._n_fills = np.zeros((sets, 1), np.int64)
        self._fills = np.empty((sets, _ROOM if self._recorded else 0), FILL)
        self._equity: dict[int, IntArray] = {}
        self._hashes = [hashlib.sha256() for _ in range(sets if job.keep.digest else 0)]
        self._nights = np.empty((sets if job.keep.trades else 0, MAX_OVERNIGHT), OPEN)
        self._n_nights = np.zeros(sets, np.int64)
        self._trades, self._n_trades, self._sessions = np.empty(0, TRADE), 0, 0

    def session(self, d: int, ready: Ready) -> None:
        """Go through one session and keep what was asked for."""
        equity = self._advance(ready.session)
        closed, _ = end_session(self._accounts, self._marks, self._daily, d, self._idle)
        if self._job.keep.digest:
            self._digest(ready, equity)
        if self._job.keep.trades:
            self._gather(ready, closed)

    def _advance(self, session: Session) -> IntArray:
        """Take all sets through one session, again with more room where the records overflow."""
        minutes = session.day.ts.size if self._job.keep.digest else 0
        if minutes not in self._equity:
            self._equity[minutes] = np.empty((self._params.size, minutes), np.int64)
        before = self._before() if self._recorded else []
        while True:
            self._n_fills[:] = 0
            with compiling_step(self._job.strategy):
                sweep_driver(self._job.strategy.step)(
                    *session, self._params, self._states, self._accounts, self._held, self._fills, self._n_fills,
                    self._equity[minutes],
                )  # fmt: skip
            full = self._recorded and self._n_fills.max() >= self._fills.shape[1]
            if not full or not np.any(self._accounts["flags"] & FILLS_FULL):
                return self._equity[minutes]
            self._fills = np.empty((self._fills.shape[0], 4 * self._fills.shape[1]), FILL)
            for now, then in before:
                now[:] = then

    def _before(self) -> list[tuple[Any, Any]]:
        """Copy, as bytes, what a session changes: nights only where something is held over one."""
        changed = [self._states, self._accounts, self._held.counts]
        if self._held.counts[:, 0].any():
            changed += [self._held.legs, self._held.orders]
        views = [part.view(np.uint8) for part in changed]
        return [(view, view.copy()) for view in views]

    def _gather(self, ready: Ready, closed: int) -> None:
        self._sessions += 1
        need = self._n_trades + closed
        if need > self._trades.size:  # as many for every session to come, and some; pages never written cost nothing
            grown = np.empty(need * self._daily.shape[1] // self._sessions * 5 // 4 + closed, TRADE)
            grown[: self._n_trades] = self._trades[: self._n_trades]
            self._trades = grown
        wrote = gather(
            ready.session.day, ready.future_expiry, self._start, self._fills, self._n_fills, self._nights,
            self._n_nights, self._trades[self._n_trades : need],
        )  # fmt: skip
        if wrote < 0:
            raise StrategyError(
                f"Strategy {self._job.strategy.name!r} made a trade of 2^31 units, or paise of costs, or more.",
                hint="Trade less, or sweep without keeping trades.",
            )
        self._n_trades = need

    def _digest(self, ready: Ready, equity: IntArray) -> None:
        size = len(FILL_COLUMNS) * int(self._n_fills.sum()) + equity.size
        flat, ends = np.empty(size, np.int64), np.empty(len(self._hashes), np.int64)
        write(ready.session.day, ready.future_expiry, self._fills, self._n_fills, equity, flat, ends)
        begin = 0
        for taken, end in zip(self._hashes, ends.tolist()):
            taken.update(flat[begin:end].data)
            begin = end

    def part(self) -> Part:
        """Reduce the chunk to what the result shows."""
        job, accounts = self._job, self._accounts
        check_flags(job.strategy, int(np.bitwise_or.reduce(accounts["flags"])))
        statistics = np.empty((accounts.size, len(DAILY_STATISTICS)))
        statistics_of(self._daily, statistics)
        return Part(
            self._start,
            self._stop,
            statistics,
            totals_of(accounts),
            accounts["drawdown"].copy(),
            self._idle,
            accounts["fingerprint"].copy(),
            compact_daily(self._daily[-self._start % job.keep.stride :: job.keep.stride]),
            np.array([taken.hexdigest() for taken in self._hashes], "S64"),
            self._trades[: self._n_trades],
        )


def _states(strategy: Strategy, params: Record) -> Record:
    if type(strategy).init is Strategy.init:
        return np.zeros(params.size, strategy.state)
    states: Any = [strategy.init(params[p : p + 1]) for p in range(params.size)]
    return np.concatenate(states)
