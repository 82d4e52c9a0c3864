"""Year fractions of options on two clocks: plain calendar time and business time weighted by variance.

Business time runs as fast as the index usually moves:

1. Each minute of a session gets a weight from a profile of the day (:class:`ClockWeights.profile`): fast after the
   open, slow at noon, faster before the close. A regular session of 375 minutes weighs 1; halted minutes weigh nothing.
2. The gap between two sessions weighs ``overnight``, plus ``weekend_day`` for each closed Saturday or Sunday and
   ``holiday`` for each closed weekday in it; inside a gap time runs evenly.
3. The running sum over the covered years is divided by its mean per year of 365 days, so that business time and
   calendar time agree on average (:func:`t_business`).

Times are int64 nanoseconds UTC. The sum is piecewise linear, so any interval is the sum of its parts.
"""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from algomaster.core.errors import FactError
from algomaster.core.types import DAY_NS, MINUTE_NS, FloatArray, IntArray
from algomaster.market import calendar
from algomaster.market.data.tables import COVERED

__all__ = ["YEAR_NS", "ClockWeights", "expiry_ns", "t_business", "t_calendar"]

YEAR_NS: Final = 365 * DAY_NS
"""A year of 365 days, as Indian option models count."""

_REGULAR_MINUTES: Final = 375


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClockWeights:
    """How much variance each part of time carries, in units of one regular session.

    The defaults were measured on index minutes (quarter-hour log returns squared, each quarter hour cut at its 99th
    percentile, each kind of gap at its 98th; short, halted and broken days left out) and pooled by the number of
    sessions: NIFTY 2013-2017 (1,165 sessions), BANKNIFTY 2013-2017 (1,181), NIFTY January-August 2024 (153).

    =====================  =====  =====================================================
    measured (session = 1)  mean  NIFTY 2013-17, BANKNIFTY 2013-17, NIFTY 2024
    =====================  =====  =====================================================
    weekday night           0.36  0.40, 0.32, 0.27 (889, 900, 111 nights)
    plain weekend           0.44  0.48, 0.35, 0.93 (206, 207, 24 weekends)
    night over a holiday    0.31  0.31, 0.32, 0.24 (25, 25, 5)
    weekend and a holiday   0.57  0.72, 0.46, 0.31 (27, 27, 5)
    =====================  =====  =====================================================

    So a closed day adds about 0.04 to the night it lengthens, weekend or holiday alike. Events (elections, budgets)
    are not modelled, and an evening of Muhurat trading counts as its minutes plus a night on either side.

    Attributes
    ----------
    profile : tuple of float
        Relative speed of equal parts of a session, from open to close; scaled to mean 1 in use.
    overnight : float
        Weight of every gap between two sessions.
    weekend_day, holiday : float
        Further weight of each closed Saturday or Sunday, and of each closed weekday.
    """

    profile: tuple[float, ...] = (
        4.23, 1.61, 1.03, 0.88, 0.67, 0.67, 0.64, 0.75, 0.66, 0.62, 0.52, 0.65, 0.55,
        0.67, 0.66, 0.68, 0.72, 0.88, 0.88, 0.95, 1.03, 1.34, 0.95, 2.01, 0.77,
    )  # fmt: skip
    overnight: float = 0.36
    weekend_day: float = 0.04
    holiday: float = 0.04

    def __post_init__(self) -> None:
        if not self.profile or not all(0 < weight < np.inf for weight in self.profile):
            raise ValueError(f"profile: expected positive finite weights, got {self.profile}")
        for name in ("overnight", "weekend_day", "holiday"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ValueError(f"{name}: expected a finite weight of at least 0, got {getattr(self, name)}")


_DEFAULT: Final = ClockWeights()


def expiry_ns(expiry: date) -> int:
    """Give the moment contracts expire, the close of the expiry session, in nanoseconds UTC.

    Raises
    ------
    DataError, FactError
        The day is not a session, or lies outside the covered years.
    """
    return calendar.session(expiry).close_ns


def t_calendar(now: ArrayLike, expiry: ArrayLike) -> FloatArray:
    """Give the plain time to expiry in years of 365 days.

    Parameters
    ----------
    now, expiry : int64 nanoseconds UTC, any shapes that broadcast

    Returns
    -------
    float64 array of the broadcast shape; 0 at the expiry, NaN after it
    """
    start, end = _moments(now, "now"), _moments(expiry, "expiry")
    return np.where(start <= end, (end - start) / YEAR_NS, np.nan)


def t_business(now: ArrayLike, expiry: ArrayLike, *, weights: ClockWeights = _DEFAULT) -> FloatArray:
    """Give the time to expiry in years of business time, see the module for the clock.

    Parameters
    ----------
    now, expiry : int64 nanoseconds UTC, any shapes that broadcast
    weights : ClockWeights

    Returns
    -------
    float64 array of the broadcast shape; 0 at the expiry, NaN after it

    Raises
    ------
    FactError
        A moment lies before the first or after the last covered session.
    """
    start, end = _moments(now, "now"), _moments(expiry, "expiry")
    elapsed = _clock(end, weights) - _clock(start, weights)
    return np.where(start <= end, elapsed, np.nan)


def _moments(values: ArrayLike, name: str) -> IntArray:
    array = np.asarray(values)
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"{name}: expected int64 nanoseconds UTC, got {array.dtype}")
    return array.astype(np.int64)


def _clock(ts: IntArray, weights: ClockWeights) -> FloatArray:
    first, last, offsets, running = _knots(weights)
    if ts.size and (ts.min() < first or ts.max() > last):
        raise FactError(
            f"Business time is on record from the first session of {COVERED[0].year} to the last of {COVERED[1].year}; "
            f"a moment lies outside.",
            hint="Use t_calendar, or extend the trading calendar in market/data.",
        )
    return np.asarray(np.interp((ts - first).astype(np.float64), offsets, running))


@cache
def _knots(weights: ClockWeights) -> tuple[int, int, FloatArray, FloatArray]:
    """Give where the clock changes speed: first and last moment, offsets from the first, running years there.

    Offsets from the first knot keep nanoseconds exact in float64 to well under a microsecond.
    """
    sessions = calendar.sessions(*COVERED)
    first, last = sessions[0].open_ns, sessions[-1].close_ns
    offsets: list[FloatArray] = []
    running: list[FloatArray] = []
    total = 0.0
    for position, session in enumerate(sessions):
        if position:
            total += _gap(sessions[position - 1].date, session.date, weights)
        minutes, passed = _session_knots(session.minutes, session.halts, session.first_minute, weights)
        offsets.append(session.open_ns - first + MINUTE_NS * minutes)
        running.append(total + passed)
        total += passed[-1]
    per_year = total * YEAR_NS / (last - first)
    return first, last, np.concatenate(offsets), np.concatenate(running) / per_year


@cache
def _session_knots(
    minutes: int, halts: tuple[tuple[int, int], ...], first_minute: int, weights: ClockWeights
) -> tuple[FloatArray, FloatArray]:
    """Give minutes from the open at which the speed changes, and the weight passed by then."""
    profile = np.asarray(weights.profile) / np.mean(weights.profile)
    speed = profile[(np.arange(minutes) * profile.size) // minutes] / _REGULAR_MINUTES
    for start, end in halts:
        speed[start - first_minute : end - first_minute] = 0.0
    passed = np.concatenate(([0.0], np.cumsum(speed)))
    knots = np.concatenate(([0], np.flatnonzero(np.diff(speed)) + 1, [minutes]))
    return knots.astype(np.float64), passed[knots]


def _gap(before: date, after: date, weights: ClockWeights) -> float:
    closed = [before + timedelta(days=offset) for offset in range(1, (after - before).days)]
    weekend = sum(day.weekday() >= 5 for day in closed)
    return weights.overnight + weights.weekend_day * weekend + weights.holiday * (len(closed) - weekend)
