"""Replay: one strategy through one history, every event recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from algomaster.backtest.assumptions import assumptions_of
from algomaster.backtest.records import (
    Digest,
    daily_frame,
    equity_frame,
    fills_frame,
    orders_frame,
    prices_frame,
    trades_frame,
)
from algomaster.backtest.remarks import remarks
from algomaster.backtest.session import FILL_COLUMNS, Session, days_of, fill_rows, prepare
from algomaster.backtest.sizing_risk import with_risk
from algomaster.backtest.slippages import Slippage, slippage_of
from algomaster.core.errors import StrategyError
from algomaster.core.jit import CompileError
from algomaster.core.types import IntArray, Record
from algomaster.execution.advance import BEFORE, session_driver
from algomaster.execution.ledger import Log, new_account, new_log
from algomaster.execution.overnight import Held, new_held
from algomaster.market.chain_day import ChainDay, Days
from algomaster.performance.metrics import summarize
from algomaster.performance.result import Result
from algomaster.strategy import catalogue
from algomaster.strategy.contract import Params, Strategy
from algomaster.strategy.steps.contract import (
    BAD_INSTRUMENT,
    BAD_QUANTITY,
    FILLS_FULL,
    LEG_IS_OVER,
    LEGS_FULL,
    LOG_FULL,
    MAX_LEGS,
    MAX_ORDERS,
    MAX_OVERNIGHT,
    N_LEGS,
    N_PLACED,
    NIGHT_FULL,
    ORDERS_FULL,
    Book,
    new_book,
)

__all__ = ["replay"]

_ROOM = 256
"""Fills and orders a session's records first have room for; a busier session is run again with more."""

Progress = Callable[[int, int], None]


class Kept(NamedTuple):
    """Records of one session."""

    fills: IntArray
    placed: Record
    equity: IntArray
    skipped: str | None
    notes: list[str]


def replay(
    strategy: Strategy | str,
    days: Days | ChainDay | Sequence[ChainDay],
    *,
    params: Mapping[str, Any] | Params | None = None,
    fills: str = "next_open",
    costs: bool = True,
    slippage: Slippage | Mapping[str, Any] | int | None = None,
    skip_lists: bool = True,
    progress: Progress | None = None,
) -> Result:
    """Run a strategy through sessions and keep every order, fill and minute of equity.

    Parameters
    ----------
    strategy : Strategy or str
        From :func:`algomaster.strategy.get`, your own, or a name of the catalogue.
    days : Days
        From :func:`algomaster.market.load` or :func:`algomaster.market.simulate`.
    params : mapping, optional
        Settings of the strategy; what is not named keeps its default.
    fills : "next_open" (also named "strict"), "decision_close" or "algotest"
        Whether a decision is filled at the next bar's open or at the close it was made on; "algotest" is the latter,
        and of a stop and a target in one bar that comes first whose end of the range lies nearer the open (else the
        stop).
    costs : bool
        Charge brokerage and the dated charges of the exchange and the state.
    slippage : Slippage, mapping or int, optional
        How much worse market orders and stops fill: ticks, or settings by name (:class:`Slippage`).
    skip_lists : bool
        Pass over bars in which nothing can happen; changes no number.
    progress : callable, optional
        Called with (sessions done, sessions in all).

    Returns
    -------
    Result
        Trades, fills, orders, equity, metrics, assumptions and the digest.

    Raises
    ------
    ConfigError
        A setting is unknown or impossible.
    FactError
        Costs are on and not on record for a session.
    StrategyError
        The strategy placed more orders or legs than a book holds.

    Examples
    --------
    >>> from algomaster import backtest, market
    >>> days = market.simulate("NIFTY", sessions=2, start="2024-01-01", strikes=11, seed=7)
    >>> run = backtest.replay("straddle", days, params={"entry": "09:20", "stop_pct": 25})
    >>> run.trades.height
    4
    """
    strategy = catalogue.get(strategy) if isinstance(strategy, str) else strategy
    days = days_of(days)
    settings = strategy.configure(params)
    slip = slippage_of(slippage)
    sessions = (prepare(chain, fills=fills, costs=costs, slippage=slip, skip_lists=skip_lists) for chain in days)
    account, held = new_account(), new_held()
    kept: list[Kept] = []
    marks = np.zeros((len(days) + 1, 3), np.int64)
    record = settings.pack()
    state = strategy.init(record)
    digest = Digest()
    for d, session in enumerate(sessions):
        kept.append(run_session(strategy, session, record, state, account, held))
        digest.take(kept[-1].fills, kept[-1].equity)
        marks[d + 1] = account[0]["equity"], account[0]["charges"], account[0]["trades"]
        if progress:
            progress(d + 1, len(days))
    shown = {"params": settings.model_dump(mode="json"), "params_hash": settings.content_hash()}
    assumptions = assumptions_of(strategy, days, fills=fills, costs=costs, slippage=slip, trials=1, **shown)
    result = result_of(strategy, days, kept, account, np.diff(marks, axis=0), assumptions, digest.hex())
    return with_risk(result, settings, days)


def run_session(
    strategy: Strategy, session: Session, params: Record, state: Record, account: Record, held: Held
) -> Kept:
    """Run one session, again with more room when its records overflow; state, account and night change once."""
    run = session_driver(strategy.step)
    room = _ROOM
    while True:
        trial_state, trial_account = state.copy(), account.copy()
        trial_held = Held(*(part[0].copy() for part in held))
        book, log = new_book(room), new_log(room, session.day.ts.size)
        with compiling_step(strategy):
            run(*session, params, trial_state, book, trial_account, trial_held, log, BEFORE, session.day.ts.size)
        flags = int(trial_account[0]["flags"])
        if not flags & (LOG_FULL | FILLS_FULL):
            break
        room *= 4
    check_flags(strategy, flags)
    state[:], account[:] = trial_state, trial_account
    for part, tried in zip(held, trial_held):
        part[0] = tried
    return kept_of(session, book, log)


def kept_of(session: Session, book: Book, log: Log) -> Kept:
    """Give the records of a session that has ended."""
    placed, fills = book.log[: book.counts[N_PLACED]], log.fills[: log.n_fills[0]]
    skipped, notes = remarks(session.day, book.legs[: book.counts[N_LEGS]], placed, fills)
    return Kept(fill_rows(session.day, fills), placed, log.equity, skipped, notes)


@contextlib.contextmanager
def compiling_step(strategy: Strategy) -> Iterator[None]:
    """Turn the compiler's pages about a step into one :class:`StrategyError`; its cause keeps them."""
    try:
        yield
    except (CompileError, KeyError) as problem:  # numba lets a KeyError out for an unknown field of a record
        said = [line.strip() for line in str(problem).splitlines() if line.strip() and "pipeline" not in line]
        raise StrategyError(
            f"The step of strategy {strategy.name!r} does not compile: {' '.join(said[:3])}.",
            hint="A step may use numbers, records and arrays, and functions compiled like itself; no Python objects.",
        ) from problem


def check_flags(strategy: Strategy, flags: int) -> None:
    """Raise where a step said something that cannot be."""
    for flag, (problem, hint) in _MISTAKES.items():
        if flags & flag:
            raise StrategyError(f"Strategy {strategy.name!r} {problem}.", hint=hint, flags=flags)


_MISTAKES = {
    BAD_INSTRUMENT: (
        "placed an order on a contract that the session does not have",
        "instrument_of gives -1 where there is no such strike: test for it.",
    ),
    BAD_QUANTITY: ("placed an order of 0 units", "Multiply lots by day.lot of the expiry."),
    LEG_IS_OVER: ("placed an order on a leg that was closed or called off", "Open a new leg for a new position."),
    ORDERS_FULL: (
        f"had more than {MAX_ORDERS} orders resting at once",
        "Cancel orders that are no longer wanted.",
    ),
    NIGHT_FULL: (
        f"held more than {MAX_OVERNIGHT} legs, or two orders for each, over a night",
        "Hold fewer legs overnight.",
    ),
    LEGS_FULL: (f"opened more than {MAX_LEGS} legs in one session", "Enter less often."),
}


def result_of(
    strategy: Strategy,
    days: Days,
    kept: list[Kept],
    account: Record,
    by_day: IntArray,
    assumptions: dict[str, Any],
    digest: str,
) -> Result:
    """Give the result of sessions: net, charges and trades ``by_day`` (D, 3), what is kept of each."""
    rows = np.concatenate([session.fills for session in kept]) if kept else np.empty((0, len(FILL_COLUMNS)), np.int64)
    net, costs, trades = by_day.T
    skipped = [(day.session, session.skipped) for day, session in zip(days, kept) if session.skipped]
    notes = [(day.session, note) for day, session in zip(days, kept) for note in session.notes]
    return Result(
        strategy=strategy.name,
        underlying=days.underlying,
        trades=trades_frame(rows, lots=lots_of(days)),
        fills=fills_frame(rows),
        orders=orders_frame([(day, session.placed) for day, session in zip(days, kept)]),
        skipped=pl.DataFrame(skipped, schema={"session": pl.Date, "reason": pl.String}, orient="row"),
        notes=pl.DataFrame(notes, schema={"session": pl.Date, "note": pl.String}, orient="row"),
        equity=equity_frame(days, [session.equity for session in kept]),
        daily=daily_frame(days, net, costs, trades),
        prices=prices_frame(days),
        metrics=summarize(
            np.ascontiguousarray(net), totals=totals_of(account)[0], intraday_drawdown_paise=int(account[0]["drawdown"])
        )
        | {"idle_days": int((trades == 0).sum())},
        assumptions=assumptions,
        digest=digest,
        fingerprint=int(account[0]["fingerprint"]),
    )


def lots_of(days: Days) -> dict[tuple[int, int], int]:
    """Give the units in a lot by (session, expiry), both in days since 1970."""
    return {
        (int(np.datetime64(day.session, "D").astype(np.int64)), int(expiry)): int(lot)
        for day in days
        for expiry, lot in zip(day.expiries, day.lot)
    }


def totals_of(accounts: Record) -> IntArray:
    """Give the trade totals (P, 6) that metrics are computed from."""
    names = ("trades", "wins", "losses", "won", "lost", "charges")
    return np.stack([accounts[name] for name in names], axis=1)
