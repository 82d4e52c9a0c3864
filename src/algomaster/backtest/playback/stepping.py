"""A session bar by bar, through the same compiled code as a replay, to the same bits; and back to any bar.

The compiled loop is a generator (:mod:`algomaster.backtest.playback.walking`), so one bar from Python costs about a
microsecond. Every few bars the whole run is copied (:mod:`algomaster.backtest.playback.moments`): going back means
taking the last copy before the bar and running on from there.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from algomaster.backtest.assumptions import assumptions_of
from algomaster.backtest.playback.clock import position_of, time_of
from algomaster.backtest.playback.moments import Moment, Run, from_bytes, put_back, take, to_bytes, with_room
from algomaster.backtest.playback.recorder import Recorder, Scene
from algomaster.backtest.playback.snapshots import Snapshot
from algomaster.backtest.playback.turning import turned
from algomaster.backtest.playback.walking import AT, UNTIL, walk_driver
from algomaster.backtest.playback.what_if import WhatIf, compared
from algomaster.backtest.records import Digest
from algomaster.backtest.replayer import Kept, check_flags, compiling_step, kept_of, result_of, run_session
from algomaster.backtest.session import days_of, prepare
from algomaster.backtest.sizing_risk import with_risk
from algomaster.backtest.slippages import Slippage, slippage_of
from algomaster.core.errors import ConfigError
from algomaster.core.types import Record
from algomaster.execution.advance import BEFORE
from algomaster.execution.ledger import Log, new_account, new_log
from algomaster.execution.overnight import Held, new_held
from algomaster.market.chain_day import ChainDay, Days
from algomaster.performance.result import Result
from algomaster.strategy import catalogue
from algomaster.strategy.contract import Params, Strategy
from algomaster.strategy.steps.contract import FILLS_FULL, FLAGS, LOG_FULL, Book, new_book

__all__ = ["Stepper"]

_ROOM = 256
"""Fills and orders there is first room for; where it runs out the run goes on from its last copy with more."""


class Stepper:
    """One session of a strategy, bar by bar.

    Where it stands is ``at``, the number of bars that have closed: 0 before the first, ``bars`` when the session is
    over. At the end digest, fingerprint, fills, trades and equity are those of :func:`~algomaster.backtest.replay`.

    Parameters
    ----------
    strategy : Strategy or str
    chain : ChainDay
        The session.
    params : mapping, optional
    fills, costs, slippage
        As for :func:`~algomaster.backtest.replay`.
    earlier : Days, optional
        Sessions that are run before it, so that what they leave (memory, legs held overnight, P&L) is there.
    every : int
        Bars between two copies that going back starts from.

    Raises
    ------
    ConfigError, FactError, StrategyError
        As :func:`~algomaster.backtest.replay`; a StrategyError at the bar at which the strategy went wrong.

    Examples
    --------
    >>> from algomaster import backtest, market
    >>> day = market.simulate("NIFTY", sessions=1, start="2024-01-01", strikes=11, seed=7)[0]
    >>> run = backtest.Stepper("straddle", day, params={"entry": "09:20"})
    >>> run.seek("09:21")
    6
    >>> [leg.quantity for leg in run.snapshot().positions]
    [-50, -50]
    >>> run.finish().digest == backtest.replay("straddle", day, params={"entry": "09:20"}).digest
    True
    """

    def __init__(
        self,
        strategy: Strategy | str,
        chain: ChainDay,
        *,
        params: Mapping[str, Any] | Params | None = None,
        fills: str = "next_open",
        costs: bool = True,
        slippage: Slippage | Mapping[str, Any] | int | None = None,
        earlier: Days | Sequence[ChainDay] = (),
        every: int = 60,
    ) -> None:
        if not isinstance(chain, ChainDay):
            raise ConfigError(
                f"Expected one session to step through, got {type(chain).__name__}.",
                hint="Take one, such as days[0]; hand over those before it as earlier.",
            )
        if every < 1:
            raise ConfigError(f"Expected every to be at least 1 bar, got {every}.")
        self.strategy = catalogue.get(strategy) if isinstance(strategy, str) else strategy
        self.chain = chain
        self.settings = self.strategy.configure(params)
        self.bars = int(chain.ts.size)
        self.notes: list[str] = []
        self._first_settings = self.settings
        self._changes: list[dict[str, Any]] = []
        self._rules: dict[str, Any] = {"fills": fills, "costs": costs, "slippage": slippage_of(slippage)}
        self._days = days_of([*earlier, chain])
        self._every = every
        self.session = prepare(chain, **self._rules, skip_lists=False)
        record = self.settings.pack()
        state, account, held = self.strategy.init(record), new_account(), new_held()
        self._earlier, self._marks = self._run_earlier(record, state, account, held)
        self._begin(
            Run(
                record, state, new_book(_ROOM), account, Held(*(part[0].copy() for part in held)),
                new_log(_ROOM, self.bars), np.array([BEFORE, 0]),
            )
        )  # fmt: skip
        self._go(0)
        self._keep()

    def _run_earlier(
        self, record: Record, state: Record, account: Record, held: Held
    ) -> tuple[list[Kept], list[tuple[int, int, int]]]:
        """Run the sessions before, and give what is kept of them and the account after each."""
        kept, marks = [], [_marks(account)]
        for chain in self._days[:-1]:
            session = prepare(chain, **self._rules)
            kept.append(run_session(self.strategy, session, record, state, account, held))
            marks.append(_marks(account))
        return kept, marks

    def _begin(self, run: Run) -> None:
        """Start the compiled loop on these arrays, wherever their cursor stands."""
        self._run = run
        self._counts = run.book.counts
        self._cursor = run.cursor
        self._moments: dict[int, Moment] = {}
        self._kept: list[int] = []
        self._resume()
        self.at = int(run.cursor[AT])

    def _resume(self) -> None:
        run = self._run
        with compiling_step(self.strategy):
            self._walk = walk_driver(self.strategy.step)(
                *self.session, run.params, run.state, run.book, run.account, run.held, run.log, run.cursor
            )

    # --- moving ------------------------------------------------------------------------------------------------

    @property
    def time(self) -> str:
        """When the last bar closed, such as "10:15"; before the first the session's opening."""
        return time_of(self.chain, self.at)

    @property
    def done(self) -> bool:
        """Whether the session is over."""
        return self.at == self.bars

    def step(self, count: int = 1) -> int:
        """Let ``count`` bars close (fewer where the session ends before) and give where it stands then."""
        if count == 1 and self.at < self.bars and (not self._kept or self._kept[-1] <= self.at):
            self._go(self.at + 1)  # the way of a host that calls once a bar
            return self.at
        return self.seek(max(0, min(self.at + count, self.bars)))

    def back(self, count: int = 1) -> int:
        """Take ``count`` bars back (fewer where the session began after) and give where it stands then."""
        return self.step(-count) if count else self.at

    def seek(self, to: int | str) -> int:
        """Go to a bar, forwards or back.

        Parameters
        ----------
        to : int or str
            How many bars shall have closed, or a time of the session, such as "10:15".
        """
        to = position_of(self.chain, to)
        nearest = bisect.bisect_right(self._kept, to) - 1
        if to < self.at or (nearest >= 0 and self._kept[nearest] > self.at):
            if nearest < 0:
                raise ConfigError(
                    f"Expected a time from {time_of(self.chain, self._kept[0])} on, got {time_of(self.chain, to)}.",
                    hint="The saved state had been changed by hand and knows nothing of before.",
                )
            self._put_back(self._moments[self._kept[nearest]])
        while self.at < to:
            self._go(min(to, self.at + self._every - self.at % self._every))
        return self.at

    def finish(self) -> Result:
        """Go to the end of the session and give the result."""
        self.seek(self.bars)
        return self.result()

    def result(self) -> Result:
        """Give the result of the session and those before it; a ConfigError where it is not over."""
        if not self.done:
            raise ConfigError(f"The session stands at {self.time}, not at its end.", hint="Call finish().")
        run = self._run
        kept = [*self._earlier, kept_of(self.session, run.book, run.log)]
        digest = Digest()
        for one in kept:
            digest.take(one.fills, one.equity)
        shown: dict[str, Any] = {
            "params": self._first_settings.model_dump(mode="json"),
            "params_hash": self._first_settings.content_hash(),
        }
        if self._changes:
            shown["changes"] = list(self._changes)
        assumptions = assumptions_of(self.strategy, self._days, **self._rules, trials=1, **shown)
        marks = np.array([*self._marks, _marks(run.account)], np.int64)
        by_day = marks[1:] - marks[:-1]
        result = result_of(self.strategy, self._days, kept, run.account, by_day, assumptions, digest.hex())
        return with_risk(result, self.settings, self._days)

    def _go(self, until: int) -> None:
        """Let the compiled loop run until so many bars have closed; no copy lies between."""
        self._cursor[UNTIL] = until
        self.at = next(self._walk)
        if self._counts[FLAGS]:
            self._amend(until)
        elif self.at % self._every == 0 or self.at == self.bars:
            self._keep()

    def _amend(self, until: int) -> None:
        flags = int(self._counts[FLAGS])
        if not flags & (LOG_FULL | FILLS_FULL):
            check_flags(self.strategy, flags)
        before = self._moments[self._kept[bisect.bisect_left(self._kept, until) - 1]]
        self._put_back(before, room=4 * self._run.book.log.size)
        self._go(until)

    def _keep(self) -> None:
        if self.at not in self._moments:
            bisect.insort(self._kept, self.at)
        self._moments[self.at] = take(self._run, self.settings)

    def _put_back(self, moment: Moment, *, room: int = 0) -> None:
        room = max(room, moment.room)
        if room > self._run.book.log.size:
            self._run = with_room(self._run, room)
            self._counts = self._run.book.counts
            self._resume()
        put_back(self._run, moment)
        self.at, self.settings = moment.at, moment.settings

    def _forget_later(self) -> None:
        """Keep copies of this bar and those before it: what comes after is no longer what it was."""
        self._moments = {at: moment for at, moment in self._moments.items() if at < self.at}
        self._kept = sorted(self._moments)
        self._keep()

    # --- looking -----------------------------------------------------------------------------------------------

    @property
    def scene(self) -> Scene:
        """The arrays a :class:`~algomaster.backtest.Recorder` looks at; they change with every step."""
        run = self._run
        return Scene(self.session.day, run.book, run.account, run.log, run.state)

    def recorder(self, *, around: int = 5) -> Recorder:
        """Give a recorder of this session."""
        return Recorder(self.chain.underlying, self.strategy.name, opening=self._marks[-1][0], around=around)

    def snapshot(self, *, around: int = 5, since: int = 0) -> Snapshot:
        """Give what a person would see now, with the events from bar ``since`` on."""
        return self.recorder(around=around).snapshot(self.scene, self.at, since=since)

    # --- saving and branching ----------------------------------------------------------------------------------

    def state(self) -> bytes:
        """Give everything the rest of the session depends on, and the records up to now, for :meth:`restore`."""
        return to_bytes(self._run, take(self._run, self.settings), self._header(), self._changes)

    def restore(self, state: bytes) -> None:
        """Go on where :meth:`state` was taken, in this process or another.

        Raises
        ------
        DataError
            It was taken of another strategy, session, rule or setting.
        """
        first = self._moments.get(0)
        run, moment, changes = from_bytes(self._run, state, self._header(), self.strategy.configure)
        kept = {0: first} if first and not changes else {}
        self._begin(run)
        self.settings, self._changes = moment.settings, changes
        self._moments = kept | {moment.at: moment}
        self._kept = sorted(self._moments)

    def _header(self) -> dict[str, Any]:
        slippage = self._rules["slippage"]
        return {
            "strategy": self.strategy.name,
            "params": self._first_settings.content_hash(),
            "fills": self._rules["fills"],
            "costs": self._rules["costs"],
            "slippage": slippage.model_dump(mode="json") if slippage else None,
            "sessions": self._days.fingerprint,
        }

    def fork(self) -> Self:
        """Give a second stepper that stands where this one does; what is done to one does not touch the other."""
        other = object.__new__(type(self))
        other.__dict__ |= self.__dict__
        run = self._run
        copies = Run(
            run.params.copy(), run.state.copy(), Book(*(part.copy() for part in run.book)), run.account.copy(),
            Held(*(part.copy() for part in run.held)), Log(*(part.copy() for part in run.log)), run.cursor.copy(),
        )  # fmt: skip
        other._begin(copies)
        other._moments, other._kept = dict(self._moments), list(self._kept)
        other._changes, other.notes = list(self._changes), list(self.notes)
        return other

    def branch(
        self,
        change: Mapping[str, Any] | None = None,
        *,
        close: str | Sequence[int] = (),
        at: int | str | None = None,
    ) -> Self:
        """Give a second stepper whose session goes another way from a bar on.

        Parameters
        ----------
        change : mapping, optional
            Settings with new values from there on. Stops and targets of what is open go to where the new settings
            would have put them (:mod:`algomaster.backtest.playback.turning`).
        close : "all", "CE", "PE" or leg numbers, optional
            Open legs that are left at the market by hand, at the next bar's open.
        at : int or str, optional
            From which bar or time on; by default from where this one stands.

        Returns
        -------
        Stepper
            It stands at that bar; its ``notes`` say what could not follow the change.

        Raises
        ------
        ConfigError
            A setting is unknown, impossible or cannot be changed in mid-session, or there is nothing to close.
        """
        return turned(self.fork(), change or {}, close, at)

    def what_if(
        self,
        change: Mapping[str, Any] | None = None,
        *,
        close: str | Sequence[int] = (),
        at: int | str | None = None,
    ) -> WhatIf:
        """Run this session and a :meth:`branch` of it to the end and compare them; this stepper stays where it is."""
        branch = self.branch(change, close=close, at=at)
        return compared(self.fork(), branch, dict(change or {}), close)

    def set(self, settings: Params) -> None:
        """Let the strategy read other settings from now on; those of another form are a ConfigError."""
        record = settings.pack()
        if record.dtype != self._run.params.dtype:
            raise ConfigError(
                f"These settings of {self.strategy.name} take another form than those the session began with.",
                hint="Begin the session with them.",
            )
        self._run.params[:] = record
        self.settings = settings
        self._forget_later()

    def follow(self, other: Stepper) -> None:
        """Become what another stepper of this session is at the same bar; the past stays this one's own."""
        self._put_back(take(other._run, other.settings))
        self._forget_later()

    @property
    def own_since(self) -> int:
        """Bar since which nothing was changed by hand, or the first that can be gone back to."""
        return max(position_of(self.chain, self._changes[-1]["at"]) if self._changes else 0, self._kept[0])

    def changed(self, what: dict[str, Any]) -> None:
        """Note what was changed by hand at this bar; the result's assumptions tell it."""
        self._changes.append({"at": self.time, **what})
        self._forget_later()

    def __repr__(self) -> str:
        return f"Stepper({self.strategy.name} on {self.chain.underlying} {self.chain.session} at {self.time})"


def _marks(account: Record) -> tuple[int, int, int]:
    return int(account[0]["equity"]), int(account[0]["charges"]), int(account[0]["trades"])
