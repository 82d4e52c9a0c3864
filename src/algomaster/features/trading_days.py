"""The calendar as features read it: a table of days, and the expiries of an underlying as columns of its bars."""

from __future__ import annotations

import bisect
from datetime import date, timedelta
from functools import cache
from typing import Any, Final

import numpy as np

from algomaster.core.arrays import kind_of
from algomaster.core.types import FloatArray
from algomaster.features.inputs import moments_of
from algomaster.features.kernels.calendar import DAY_FIELDS
from algomaster.market import calendar, facts
from algomaster.market.data.tables import COVERED, rows

__all__ = ["DEFAULT", "sessions_so_far", "table", "with_expiries"]

DEFAULT: Final = "NIFTY"
"""Whose expiries count where bars bring none."""

_EPOCH: Final = date(1970, 1, 1).toordinal()
_SATURDAY: Final = 5


@cache
def table(underlying: str = DEFAULT) -> tuple[float, ...]:
    """Give first day, number of days, and a row a calendar day as :mod:`algomaster.features.kernels.calendar` reads it.

    The calendar's years are covered; days are counted from 1970-01-01. A session whose hours changed while it ran
    (halts, an extension) has its scheduled hours in the columns of the schedule: in the morning nobody knew better.
    """
    first, last = (day.toordinal() for day in COVERED)
    found = np.full((last - first + 1, DAY_FIELDS), np.nan)
    found[:, 7] = 0.0
    length = np.zeros(len(found))
    for session in calendar.sessions(*COVERED):
        at = session.date.toordinal() - first
        close = session.first_minute + session.minutes
        disturbed = session.kind == "regular" and session.halts
        scheduled = _regular_close(session.date) if disturbed else close
        found[at, :3] = session.first_minute, close, scheduled
        found[at, 7] = float(_after_holiday(session.date))
        length[at] = scheduled - session.first_minute
    found[:, 3] = np.cumsum(found[:, 0] == found[:, 0])
    found[:, 4] = np.cumsum(length)
    expiries = facts.expiries(underlying, *COVERED)
    found[:, 5] = _next([each.date for each in expiries], first, len(found))
    found[:, 6] = _next([each.date for each in expiries if each.kind == "monthly"], first, len(found))
    return (float(first - _EPOCH), float(len(found)), *found.ravel().tolist())


def sessions_so_far(days: Any) -> FloatArray:
    """Give the number of sessions up to and including each day (counted from 1970-01-01); NaN outside the calendar."""
    numbers = table()
    column = np.array(numbers[2 + 3 :: DAY_FIELDS])
    at = np.asarray(days, dtype=np.float64) - numbers[0]
    inside = (at >= 0) & (at < numbers[1])
    return np.where(inside, column[np.where(inside, at, 0).astype(np.int64)], np.nan)


def with_expiries(bars: Any, underlying: str) -> Any:
    """Give the bars with the columns ``expiry_day`` and ``monthly_expiry_day`` of an underlying.

    Without them the features of the calendar take the expiries of NIFTY.

    Parameters
    ----------
    bars : polars or pandas DataFrame
        With ``ts``, the start of each bar.
    underlying : str
        As the contract facts write it ("BANKNIFTY").

    Returns
    -------
    DataFrame
        Of the kind that came; days since 1970-01-01, NaN where no expiry is on record.

    Raises
    ------
    FactError
        Nothing is on record for the underlying.
    """
    numbers = table(underlying)
    at = calendar.session_ids(moments_of(bars["ts"])) - int(numbers[0])
    inside = (at >= 0) & (at < numbers[1])
    place = np.where(inside, at, 0)
    added = {}
    for name, field in (("expiry_day", 5), ("monthly_expiry_day", 6)):
        column = np.array(numbers[2 + field :: DAY_FIELDS])
        added[name] = np.where(inside, column[place], np.nan)
    if kind_of(bars) == "pandas":
        return bars.assign(**added)
    import polars as pl

    return bars.with_columns(pl.Series(name, values) for name, values in added.items())


def _regular_close(day: date) -> int:
    hours = next(row for row in rows("session_hours") if row.covers(day))
    return calendar.parse_time(hours.keys["close"])


@cache
def _day_sessions() -> tuple[date, ...]:
    return tuple(session.date for session in calendar.sessions(*COVERED) if session.kind != "muhurat")


def _after_holiday(day: date) -> bool:
    """Say whether a weekday without a day session lies between this session and the day session before."""
    days = _day_sessions()
    at = bisect.bisect_left(days, day)
    before = days[at - 1] if at else COVERED[0] - timedelta(days=1)
    between = (before + timedelta(days=n) for n in range(1, (day - before).days))
    return any(each.weekday() < _SATURDAY for each in between)


def _next(days: list[date], first: int, count: int) -> FloatArray:
    """Give the next of ``days`` on or after each of ``count`` days from ordinal ``first`` on."""
    known = np.array([day.toordinal() for day in days], dtype=np.int64)
    at = np.searchsorted(known, np.arange(first, first + count))
    return np.where(at < known.size, known[np.minimum(at, known.size - 1)] - _EPOCH, np.nan)
