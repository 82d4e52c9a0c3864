"""The trading calendar of NSE index derivatives: sessions with their hours, and the clock of Asia/Kolkata.

Sessions come from our own dated tables (``market/data``): holidays, special sessions, hours, halts. Known calendar
libraries miss traded days, so they serve only as test oracles. Times are int64 nanoseconds UTC; India keeps
UTC+05:30 without daylight saving, so a minute of the day is plain arithmetic.
"""

from __future__ import annotations

import dataclasses
import re
from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from functools import cache
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from algomaster.core.errors import DataError, FactError
from algomaster.core.types import DAY_NS, IST_OFFSET_NS, MINUTE_NS, IntArray
from algomaster.market.data.tables import COVERED, Row, closed_reason, rows, trading_days

__all__ = [
    "Session",
    "format_time",
    "is_session",
    "minute_of_day",
    "next_session",
    "parse_time",
    "previous_session",
    "session",
    "session_date",
    "session_ids",
    "sessions",
    "sessions_from",
    "to_ns",
]

_EPOCH: Final = date(1970, 1, 1)
_MINUTES_A_DAY: Final = 1440
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::00)?")


@dataclasses.dataclass(frozen=True)
class Session:
    """One trading day.

    Attributes
    ----------
    date : date
    first_minute : int
        Minute of the day (Asia/Kolkata) at which the first bar starts; 555 is 09:15.
    minutes : int
        Bars from the open to the close, halted minutes included.
    kind : "regular", "special" or "muhurat"
    halts : tuple of (int, int)
        Minutes of the day at which trading stopped and resumed.
    note : str
    """

    date: date
    first_minute: int
    minutes: int
    kind: Literal["regular", "special", "muhurat"] = "regular"
    halts: tuple[tuple[int, int], ...] = ()
    note: str = ""

    @property
    def open_ns(self) -> int:
        """The open, nanoseconds UTC."""
        return to_ns(self.date, self.first_minute)

    @property
    def close_ns(self) -> int:
        """The close, nanoseconds UTC; the last bar starts a minute earlier."""
        return to_ns(self.date, self.first_minute + self.minutes)

    def bar_starts(self) -> IntArray:
        """Give the start of every minute bar, (M,) int64 nanoseconds UTC."""
        return self.open_ns + MINUTE_NS * np.arange(self.minutes, dtype=np.int64)


def session(day: date) -> Session:
    """Give the session of a day.

    Raises
    ------
    DataError
        The exchange was closed; the message says why.
    FactError
        The day lies outside the covered years.
    """
    reason = closed_reason(day)
    if reason:
        raise DataError(
            f"The exchange was closed on {day}: {reason}.",
            hint=f"The sessions next to it are {_neighbours(day)}.",
            day=day,
        )
    return _session(day)


def is_session(day: date) -> bool:
    """Say whether the exchange traded on a day; FactError outside the covered years."""
    return not closed_reason(day)


def sessions(start: date, end: date) -> list[Session]:
    """Give the sessions from ``start`` to ``end``, both included; FactError unless both are covered."""
    closed_reason(start)
    closed_reason(end)
    days = trading_days()
    return [_session(day) for day in days[bisect_left(days, start) : bisect_right(days, end)]]


def sessions_from(start: date, count: int) -> list[Session]:
    """Give ``count`` sessions from ``start`` on; FactError if the covered years have fewer."""
    closed_reason(start)
    if count < 0:
        raise ValueError(f"count: expected at least 0, got {count}")
    days = trading_days()
    first = bisect_left(days, start)
    if first + count > len(days):
        raise FactError(
            f"Expected {count} sessions from {start} on; the calendar ends on {COVERED[1]} with {len(days) - first}.",
            hint="Start earlier or ask for fewer.",
            start=start, count=count,
        )  # fmt: skip
    return [_session(day) for day in days[first : first + count]]


def previous_session(day: date) -> Session:
    """Give the last session before a day (never the day itself)."""
    closed_reason(day)
    days = trading_days()
    position = bisect_left(days, day) - 1
    if position < 0:
        raise FactError(f"No session before {day} is on record; the calendar starts on {COVERED[0]}.", day=day)
    return _session(days[position])


def next_session(day: date) -> Session:
    """Give the first session after a day (never the day itself)."""
    closed_reason(day)
    days = trading_days()
    position = bisect_right(days, day)
    if position == len(days):
        raise FactError(f"No session after {day} is on record; the calendar ends on {COVERED[1]}.", day=day)
    return _session(days[position])


def session_ids(ts_ns: ArrayLike) -> IntArray:
    """Give the day number of each moment: days since 1970-01-01 in Asia/Kolkata, shape of the input, int64."""
    return np.floor_divide(np.asarray(ts_ns, dtype=np.int64) + IST_OFFSET_NS, DAY_NS)


def minute_of_day(ts_ns: ArrayLike) -> IntArray:
    """Give the minute of the day in Asia/Kolkata (09:15 is 555), shape of the input, int64."""
    return np.floor_divide((np.asarray(ts_ns, dtype=np.int64) + IST_OFFSET_NS) % DAY_NS, MINUTE_NS)


def session_date(ts_ns: int) -> date:
    """Give the calendar date of a moment in Asia/Kolkata."""
    return _EPOCH + timedelta(days=int(session_ids(ts_ns)))


def to_ns(day: date, minute: int = 0) -> int:
    """Give the moment of a day's minute (Asia/Kolkata) in nanoseconds UTC."""
    return (day - _EPOCH).days * DAY_NS + minute * MINUTE_NS - IST_OFFSET_NS


def parse_time(text: str) -> int:
    """Read a time of day such as "09:20" as the minute of the day, 560.

    Raises
    ------
    ValueError
        The text is not a whole minute between 00:00 and 23:59.
    """
    match = _TIME.fullmatch(text.strip())
    if not match or int(match[1]) > 23 or int(match[2]) > 59:
        raise ValueError(f"expected a time such as 09:20, got {text!r}")
    return int(match[1]) * 60 + int(match[2])


def format_time(minute: int) -> str:
    """Write a minute of the day as "09:20"; 1440 is "24:00"."""
    if not 0 <= minute <= _MINUTES_A_DAY:
        raise ValueError(f"expected a minute of the day from 0 to 1440, got {minute}")
    return f"{minute // 60:02d}:{minute % 60:02d}"


@cache
def _session(day: date) -> Session:
    row = next((row for row in rows("special_session") if row.start == day), None)
    if row is None:
        hours = next(hours for hours in rows("session_hours") if hours.covers(day))
        first, minutes = _hours(hours)
        return Session(day, first, minutes)
    first, minutes = _hours(row)
    halts = tuple(_halt(text) for text in row.keys["halts"].split())
    return Session(day, first, minutes, row.keys["kind"], halts, row.value)


def _hours(row: Row) -> tuple[int, int]:
    first = parse_time(row.keys["open"])
    return first, parse_time(row.keys["close"]) - first


def _halt(text: str) -> tuple[int, int]:
    start, end = text.split("-")
    return parse_time(start), parse_time(end)


def _neighbours(day: date) -> str:
    days = trading_days()
    position = bisect_left(days, day)
    return " and ".join(str(near) for near in days[max(position - 1, 0) : position + 1])
