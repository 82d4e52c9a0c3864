"""From the fills of many parameter sets in one session to closed trades and to the bytes of digests: compiled.

1. :func:`end_session` says what a session made.
2. :func:`gather` joins the fills of every leg into a trade, once it is flat; what stays open goes into the night.
3. :func:`write` lays out fills and equity of every set as a replay's digest takes them.
4. :func:`statistics_of` reduces daily P&L to statistics.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MINUTE_NS, FloatArray, IntArray, Record
from algomaster.execution.ledger import AT_CLOSE
from algomaster.performance.statistics import daily_statistics
from algomaster.strategy.steps.contract import MAX_LEGS, MAX_OVERNIGHT, Day

TRADE: Final = np.dtype(
    [
        *(
            (name, np.int32)
            for name in (
                "set", "session", "expiry", "strike", "quantity", "lot", "entry_minute", "exit_minute", "costs",
            )
        ),
        ("leg", np.int16),
        ("right", np.int8),
        ("reason", np.int8),
        ("entry_worth", np.int64),
        ("exit_worth", np.int64),
    ]
)  # fmt: skip
"""One closed trade in 56 bytes: paise, days and minutes since 1970; ``session`` is that of the last fill, a worth the
sum of price times units, positive. Writing new memory is what all trades of a sweep cost most."""

OPEN: Final = np.dtype([*((name, np.int64) for name in TRADE.names or ()), ("trade", np.int64), ("held", np.int64)])
"""One leg from its first fill on: what it will be as a trade, the run's number of it, and the units still open."""

_LARGEST: Final = 2**31 - 1

FUTURE_RIGHT: Final = 2


@kernel
def gather(
    day: Day, future_expiry: int, first: int, fills: Record, n_fills: IntArray,
    nights: Record, n_nights: IntArray, closed: Record,
) -> int:  # fmt: skip
    """Write the trades that a session closes; gives how many.

    One that is too large to be kept (2^31 units or paise of costs) gives -1.

    Parameters
    ----------
    day : Day
    future_expiry : int
        Expiry of the nearest future, in days.
    first : int
        Number of the first set.
    fills : (P, n) FILL
    n_fills : (P, 1) int64
    nights : (P, MAX_OVERNIGHT) OPEN
        Legs open at the start of the session; at the end those open then.
    n_nights : (P,) int64
    closed : (at least the session's closed trades,) TRADE
        Receives them set by set, each set's by time of entry and leg.
    """
    legs = np.zeros(MAX_LEGS + MAX_OVERNIGHT, OPEN)
    written = 0
    for p in range(fills.shape[0]):
        begun = written
        n = n_nights[p]
        for j in range(n):
            legs[j] = nights[p, j]
        for f in range(n_fills[p, 0]):
            fill = fills[p, f]
            at = n - 1
            while at >= 0 and legs[at]["trade"] != fill["trade"]:
                at -= 1
            if at < 0:
                at = n
                n += 1
                _open(day, future_expiry, first + p, fill, legs[at])
            leg = legs[at]
            _add(day, fill, leg)
            if leg["held"] == 0:
                if abs(leg["quantity"]) > _LARGEST or leg["costs"] > _LARGEST:
                    return -1
                _insert(closed, begun, written, leg)
                written += 1
                n -= 1
                legs[at] = legs[n]
        for j in range(min(n, MAX_OVERNIGHT)):
            nights[p, j] = legs[j]
        n_nights[p] = min(n, MAX_OVERNIGHT)
    return written


@kernel(lean=True, inner=True)
def _open(day: Day, future_expiry: int, number: int, fill: Any, leg: Any) -> None:
    leg["set"] = number
    leg["leg"] = fill["leg"]
    leg["trade"] = fill["trade"]
    leg["expiry"], leg["strike"], leg["right"] = _contract(day, future_expiry, fill)
    leg["lot"] = 1
    for e in range(day.expiries.size):
        if day.expiries[e] == leg["expiry"]:
            leg["lot"] = day.lot[e]
    leg["entry_minute"] = _moment(day, fill) // MINUTE_NS
    leg["quantity"] = 0
    leg["held"] = 0
    leg["entry_worth"] = 0
    leg["exit_worth"] = 0
    leg["costs"] = 0


@kernel(lean=True, inner=True)
def _add(day: Day, fill: Any, leg: Any) -> None:
    worth = abs(fill["quantity"] * fill["price"])
    if leg["quantity"] == 0 or (leg["quantity"] > 0) == (fill["quantity"] > 0):
        leg["quantity"] += fill["quantity"]
        leg["entry_worth"] += worth
    else:
        leg["exit_worth"] += worth
    leg["held"] += fill["quantity"]
    leg["costs"] += fill["costs"]
    leg["exit_minute"] = _moment(day, fill) // MINUTE_NS
    leg["reason"] = fill["reason"]
    leg["session"] = day.session


@kernel(lean=True, inner=True)
def _moment(day: Day, fill: Any) -> int:
    return int(day.ts[fill["bar"]] + (MINUTE_NS if fill["moment"] == AT_CLOSE else 0))


@kernel(lean=True, inner=True)
def _contract(day: Day, future_expiry: int, fill: Any) -> tuple[Any, Any, Any]:
    """Give expiry (days), strike (paise) and right of a fill, as :func:`algomaster.backtest.session.fill_rows` does."""
    strikes = day.strikes.size
    options = day.expiries.size * strikes * 2
    instrument = fill["instrument"]
    if 0 <= instrument < options:
        contract = instrument // 2
        return np.int64(day.expiries[contract // strikes]), day.strikes[contract % strikes], instrument % 2
    if instrument == options or fill["right"] == FUTURE_RIGHT:
        return np.int64(future_expiry), np.int64(0), np.int64(FUTURE_RIGHT)
    return fill["expiry"], fill["strike"], fill["right"]


@kernel(lean=True, inner=True)
def _insert(closed: Record, begun: int, written: int, leg: Any) -> None:
    """Put a trade among those of its set, which stand from ``begun`` to ``written`` by time of entry and leg."""
    at = written
    while at > begun and (
        closed[at - 1]["entry_minute"] > leg["entry_minute"]
        or (closed[at - 1]["entry_minute"] == leg["entry_minute"] and closed[at - 1]["leg"] > leg["leg"])
    ):
        closed[at] = closed[at - 1]
        at -= 1
    trade = closed[at]
    trade["set"] = leg["set"]
    trade["session"] = leg["session"]
    trade["expiry"] = leg["expiry"]
    trade["strike"] = leg["strike"]
    trade["quantity"] = leg["quantity"]
    trade["lot"] = leg["lot"]
    trade["entry_minute"] = leg["entry_minute"]
    trade["exit_minute"] = leg["exit_minute"]
    trade["costs"] = leg["costs"]
    trade["leg"] = leg["leg"]
    trade["right"] = leg["right"]
    trade["reason"] = leg["reason"]
    trade["entry_worth"] = leg["entry_worth"]
    trade["exit_worth"] = leg["exit_worth"]


@kernel
def end_session(accounts: Record, marks: IntArray, daily: IntArray, d: int, idle: IntArray) -> tuple[Any, Any]:
    """Write what a session made, from the accounts after it; gives the trades it closed and all flags.

    Parameters
    ----------
    accounts : (P,) ACCOUNT
    marks : (P, 2) int64
        Equity and closed trades before the session; afterwards those of now.
    daily : (P, D) int64
        Receives the net P&L in column ``d``.
    idle : (P,) int64
        Sessions without a trade, counted on.
    """
    closed, flags = 0, 0
    for p in range(accounts.size):
        equity, trades = accounts[p]["equity"], accounts[p]["trades"]
        daily[p, d] = equity - marks[p, 0]
        if trades == marks[p, 1]:
            idle[p] += 1
        closed += trades - marks[p, 1]
        flags |= accounts[p]["flags"]
        marks[p, 0] = equity
        marks[p, 1] = trades
    return closed, flags


@kernel
def write(
    day: Day, future_expiry: int, fills: Record, n_fills: IntArray, equity: IntArray, flat: IntArray, ends: IntArray
) -> None:
    """Write every set's fill rows and equity one behind the other into ``flat``, and where each ends into ``ends``.

    A row is that of :func:`algomaster.backtest.session.fill_rows`: its twelve columns in order.
    """
    at = 0
    for p in range(fills.shape[0]):
        for f in range(n_fills[p, 0]):
            fill = fills[p, f]
            expiry, strike, right = _contract(day, future_expiry, fill)
            flat[at] = day.session
            flat[at + 1] = fill["bar"]
            flat[at + 2] = _moment(day, fill)
            flat[at + 3] = fill["leg"]
            flat[at + 4] = fill["trade"]
            flat[at + 5] = expiry
            flat[at + 6] = strike
            flat[at + 7] = right
            flat[at + 8] = fill["quantity"]
            flat[at + 9] = fill["price"]
            flat[at + 10] = fill["reason"]
            flat[at + 11] = fill["costs"]
            at += 12
        for i in range(equity.shape[1]):
            flat[at + i] = equity[p, i]
        at += equity.shape[1]
        ends[p] = at


@kernel
def statistics_of(daily: IntArray, out: FloatArray) -> None:
    """Write the statistics of every curve: ``daily`` (P, D) to ``out`` (P, statistics)."""
    for p in range(daily.shape[0]):
        daily_statistics(daily[p], out[p])
