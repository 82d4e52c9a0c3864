"""A session made ready for the compiled loops: its arrays, its prices by contract, its terms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Literal, NamedTuple

import numpy as np

from algomaster.backtest.slippages import Slippage
from algomaster.core.errors import ConfigError, DataError, FactError
from algomaster.core.types import MINUTE_NS, RIGHTS, IntArray, Record
from algomaster.execution import skipping
from algomaster.execution.costs import FILL_MODES, terms_of
from algomaster.execution.ledger import AT_CLOSE
from algomaster.execution.matching import Tape
from algomaster.market import facts
from algomaster.market.chain_day import ChainDay, Days
from algomaster.strategy.day import day_of
from algomaster.strategy.steps.contract import Day

__all__ = ["FILL_COLUMNS", "KINDS", "Session", "days_of", "fill_rows", "future_expiry", "prepare"]

FILL_COLUMNS = (
    "session", "bar", "ts", "leg", "trade", "expiry", "strike", "right", "quantity", "price", "reason", "costs",
)  # fmt: skip
"""Columns of a fill as hosts keep it, all int64: days, ns UTC, strike and price in paise, right 0 call, 1 put, 2
future; ``leg`` counts within its session, ``trade`` within the run."""

KINDS = (*RIGHTS, "FUT")
"""What the right of a fill is written as."""


_BY_CONTRACT: Final = ("open", "high", "low", "close", "bid", "ask", "volume")
_NO_BLOCKS: Final = (np.empty((0, 0), np.int32), np.empty((0, 0), np.int32))


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
    return FILL_MODES[fills]


def prepare(
    chain: ChainDay, *, fills: str, costs: bool, slippage: Slippage | None = None, skip_lists: bool = True
) -> Session:
    """Make a session ready.

    Raises
    ------
    FactError
        Costs are on and no charges are on record for the session's date.
    """
    day = day_of(chain)
    minutes = chain.ts.size
    options = {name: getattr(day, name).reshape(-1, minutes) for name in _BY_CONTRACT}
    series = {name: getattr(day, name) for name in ("future_open", "future_high", "future_low", "future")}
    blocks = skipping.skip_lists(options["high"], options["low"]) if skip_lists else _NO_BLOCKS
    terms = terms_of(
        fill=fill_mode(fills),
        tick=int(chain.tick),
        option=_charges(chain, "option") if costs else None,
        future=_charges(chain, "future") if costs else None,
        freeze=_freeze(chain) if costs else 0,
        slippage=slippage.pack() if slippage else None,
    )
    return Session(day, Tape(**options, **series, top=blocks[0], bottom=blocks[1]), terms)


def _charges(chain: ChainDay, segment: Literal["option", "future"]) -> facts.Charges:
    try:
        return facts.charges(segment, chain.session)
    except FactError as gap:
        raise FactError(gap.problem, hint="Give costs=False (--no-costs) to run without costs.", **gap.facts) from None


def _freeze(chain: ChainDay) -> int:
    """Give the freeze quantity of the session, 0 where none is on record: then no order is sliced."""
    try:
        return facts.freeze_quantity(chain.underlying, on=chain.session)
    except FactError:
        return 0


def fill_rows(day: Day, fills: Record) -> IntArray:
    """Turn the loops' fills (n,) into rows (n, 12) of :data:`FILL_COLUMNS`, which do not depend on the strike grid."""
    rows = np.empty((fills.size, len(FILL_COLUMNS)), np.int64)
    options = day.expiries.size * day.strikes.size * 2
    instrument = fills["instrument"]
    listed = (instrument >= 0) & (instrument < options)
    contract = np.where(listed, instrument, 0) // 2
    strikes = day.strikes.size
    columns = {name: fills[name] for name in ("bar", "leg", "trade", "quantity", "price", "reason", "costs")} | {
        "session": day.session,
        "ts": day.ts[fills["bar"]] + np.where(fills["moment"] == AT_CLOSE, MINUTE_NS, 0),
        "expiry": np.where(listed, day.expiries[contract // strikes], fills["expiry"]),
        "strike": np.where(listed, day.strikes[contract % strikes], fills["strike"]),
        "right": np.where(listed, instrument % 2, np.where(instrument == options, 2, fills["right"])),
    }
    columns["expiry"] = np.where(columns["right"] == 2, future_expiry(day), columns["expiry"])
    columns["strike"] = np.where(columns["right"] == 2, 0, columns["strike"])
    for j, name in enumerate(FILL_COLUMNS):
        rows[:, j] = columns[name]
    return rows


def future_expiry(day: Day) -> int:
    """Give the expiry of the nearest future in days: the first of the month's among the options', else their last."""
    monthly = np.flatnonzero(day.monthly == 1)
    return int(day.expiries[monthly[0]] if monthly.size else day.expiries[-1])


def span(days: Days) -> str:
    """Say which sessions: "2024-01-01 to 2024-01-31"."""
    first, last = days[0].session, days[-1].session
    return str(first) if last - first < timedelta(days=1) else f"{first} to {last}"
