"""A session made ready for the compiled loops: its arrays, its prices by contract, its terms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from algomaster.core.errors import ConfigError, DataError, FactError
from algomaster.core.types import MINUTE_NS, IntArray, Record
from algomaster.execution.costs import FILL_MODES, terms_of
from algomaster.execution.ledger import AT_CLOSE
from algomaster.execution.matching import Tape
from algomaster.market import facts
from algomaster.market.chain_day import ChainDay, Days
from algomaster.strategy.day import day_of
from algomaster.strategy.steps.contract import Day

__all__ = ["FILL_COLUMNS", "Session", "days_of", "fill_rows", "prepare"]

FILL_COLUMNS = (
    "session", "bar", "ts", "leg", "expiry", "strike", "right", "quantity", "price", "reason", "costs",
)  # fmt: skip
"""Columns of a fill as hosts keep it, all int64: days, ns UTC, strike and price in paise, right 0 call 1 put."""


class Session(NamedTuple):
    """What the compiled loops take for one session."""

    day: Day
    tape: Tape
    terms: Record


def days_of(days: Days | ChainDay | Sequence[ChainDay]) -> Days:
    """Take one session, several, or :class:`Days`; refuse none at all."""
    if not isinstance(days, (ChainDay, Sequence)):
        raise DataError(f"Expected sessions, got {type(days).__name__}.", hint="Load or simulate some days first.")
    found = Days([days]) if isinstance(days, ChainDay) else days if isinstance(days, Days) else Days(days)
    if not len(found):
        raise DataError("Expected at least one session, got none.", hint="Load or simulate some days first.")
    return found


def fill_mode(fills: str) -> int:
    """Give the number of a fill mode; a wrong name is a :class:`ConfigError`."""
    if fills not in FILL_MODES:
        raise ConfigError(f"Expected fills to be one of {', '.join(FILL_MODES)}, got {fills!r}.")
    return FILL_MODES.index(fills)


def prepare(chain: ChainDay, *, fills: str, costs: bool) -> Session:
    """Make a session ready.

    Raises
    ------
    FactError
        Costs are on and no charges are on record for the session's date.
    """
    day = day_of(chain)
    minutes = chain.ts.size
    tape = Tape(*(getattr(day, name).reshape(-1, minutes) for name in Tape._fields))
    try:
        charges = facts.charges("option", chain.session) if costs else None
    except FactError as gap:
        raise FactError(gap.problem, hint="Give costs=False (--no-costs) to run without costs.", **gap.facts) from None
    return Session(day, tape, terms_of(fill=fill_mode(fills), tick=int(chain.tick), charges=charges))


def fill_rows(day: Day, fills: Record) -> IntArray:
    """Turn the loops' fills (n,) into rows (n, 11) of :data:`FILL_COLUMNS`, which do not depend on the strike grid."""
    rows = np.empty((fills.size, len(FILL_COLUMNS)), np.int64)
    contract = fills["instrument"] // 2
    columns = {name: fills[name] for name in ("bar", "leg", "quantity", "reason", "costs")} | {
        "session": day.session,
        "ts": day.ts[fills["bar"]] + np.where(fills["moment"] == AT_CLOSE, MINUTE_NS, 0),
        "expiry": day.expiries[contract // day.strikes.size],
        "strike": day.strikes[contract % day.strikes.size],
        "right": fills["instrument"] % 2,
        "price": fills["price"] * day.tick,
    }
    for j, name in enumerate(FILL_COLUMNS):
        rows[:, j] = columns[name]
    return rows


def span(days: Days) -> str:
    """Say which sessions: "2024-01-01 to 2024-01-31"."""
    first, last = days[0].session, days[-1].session
    return str(first) if last - first < timedelta(days=1) else f"{first} to {last}"
