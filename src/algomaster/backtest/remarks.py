"""What a reader should know of a session beside its trades: why it has none, what waited, what ended stale."""

from __future__ import annotations

from typing import Any

import numpy as np

from algomaster.core.types import MISSING, PAISE, RIGHTS, Record
from algomaster.execution.ledger import AT_OPEN
from algomaster.strategy.steps.contract import CLOSED, ENTRY, MARKET, NO_CONTRACT, SESSION_END, TOO_LATE, UNFILLED, Day

__all__ = ["remarks"]

_NOT_TRADED = {
    NO_CONTRACT: "no contract of the chosen strike in the data",
    TOO_LATE: "nothing to choose a strike by within the time the strategy waits",
    UNFILLED: "an entry was not filled: its contract did not trade in time",
}
_NO_INDEX = "an entry was not filled: no index to choose its strike by, or no trade of it, in time"


def remarks(day: Day, legs: Record, placed: Record, fills: Record) -> tuple[str | None, list[str]]:
    """Say why a session was not traded, or what a reader of its trades should know."""
    states = set(legs["state"].tolist())
    if not fills.size:
        said = [text for state, text in _NOT_TRADED.items() if state in states]
        if said == [_NOT_TRADED[UNFILLED]] and np.any(placed["late"] == 1):
            return _NO_INDEX, []
        return said[0] if said else "no order was placed", []
    notes = [_undone(legs)] if states & _NOT_TRADED.keys() else []
    notes += _waited(day, placed, fills) + _stale(day, fills)
    return None, notes


def _undone(legs: Record) -> str:
    missed = int((legs["state"] > CLOSED).sum())
    return f"{missed} of {legs.size} legs found no trade"


def _waited(day: Day, placed: Record, fills: Record) -> list[str]:
    """Say which market orders were filled later than they could have been."""
    market = placed[placed["kind"] == MARKET]
    decided = {(int(o["leg"]), int(o["reason"])): (int(o["bar"]), bool(o["late"])) for o in market}
    notes = []
    for fill in fills:
        order = decided.get((int(fill["leg"]), int(fill["reason"])))
        if order is None:
            continue
        minutes = int(fill["bar"]) - order[0] - int(fill["moment"] == AT_OPEN)
        if minutes > 0:
            what = "entry" if fill["reason"] == ENTRY else "exit"
            why = "the index or a trade" if order[1] else "a trade"
            notes.append(f"{what} of {_contract(day, fill)} waited {minutes} minute{'s' * (minutes > 1)} for {why}")
    return notes


def _stale(day: Day, fills: Record) -> list[str]:
    notes = []
    options = day.expiries.size * day.strikes.size * 2
    at_end = (fills["reason"] == SESSION_END) & (fills["instrument"] >= 0) & (fills["instrument"] < options)
    for fill in fills[at_end]:
        expiry, strike = divmod(int(fill["instrument"]) // 2, day.strikes.size)
        traded = np.flatnonzero(day.close[expiry, strike, fill["instrument"] % 2] != MISSING)
        last = int(traded[-1]) if traded.size else int(fill["bar"])
        if last < fill["bar"]:
            clock = "{:02d}:{:02d}".format(*divmod(int(day.first_minute) + last + 1, 60))
            notes.append(f"{_contract(day, fill)} squared off at the price of {clock}: it did not trade later")
    return notes


def _contract(day: Day, fill: Any) -> str:
    if fill["instrument"] >= day.expiries.size * day.strikes.size * 2:
        return "the future"
    strike = day.strikes[fill["instrument"] // 2 % day.strikes.size] / PAISE
    return f"{strike:g} {RIGHTS[fill['instrument'] % 2]}"
