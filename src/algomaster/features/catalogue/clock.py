"""Family I: time, calendar, expiry. Bars last a minute, and all counts are those at the bar's end.

A bar that starts at 09:15 has 1 minute since the open; the last one has 0 to the close. The exchange publishes hours,
holidays and expiries ahead, so all of this is known at the bar's end (and before). Two things were not known ahead:

- Halts and extensions of a session: minutes to the close are those to the close scheduled that morning, never below 0.
- Days closed at short notice (2024-01-22): counts of sessions and minutes to an expiry go by the calendar as it turned
  out.

Expiries are NIFTY's; :func:`algomaster.features.trading_days.with_expiries` adds those of another underlying to its
bars. The calendar speaks of 2013 to 2026 and of session hours only: elsewhere all of this is NaN.
"""

from __future__ import annotations

import math
from typing import Any, Final

from algomaster.features import series as s
from algomaster.features import series_flow as flow
from algomaster.features.definition import SAME_BAR, Feature
from algomaster.features.series import Series

__all__ = ["FEATURES"]

_MINUTES: Final = 375.0
_FIRST: Final = 15.0
_LAST: Final = 30.0
_THURSDAY: Final = 3.0  # 1970-01-01 was one, Mondays being 0

_day = flow.trading_day()
_zero = s.number_like(_day.since_open, 0.0)
_known = _zero + s.session_day()  # the day, NaN outside sessions
_sine, _cosine = flow.angle(_day.since_open, _MINUTES)
_week_sine, _week_cosine = flow.angle(_known, 7.0, _THURSDAY)
_CALENDAR: Final = "NSE calendar and contract facts (market/data)"
_SHARE: Final = {"unit": "share of 375 minutes", "low": 0.0, "high": 1.24}
_FLAG: Final = {"unit": "0 or 1", "low": 0.0, "high": 1.0}
_SIGNED: Final = {"low": -1.0, "high": 1.0}


def _at_most(a: Series, number: float) -> Series:
    """Give 1 where a <= number, for whole a."""
    return s.below(a, s.number_like(a, number + 0.5))


def _clock(name: str, formula: str, expression: Series, **more: Any) -> Feature:
    given = {
        "family": "clock", "sessions": 1, "wait": 0, "source": _CALENDAR,
        "nan_rule": "NaN outside the hours of a session on record",
        "knowable": "at the bar's end; the exchange publishes its calendar ahead",
    }  # fmt: skip
    return Feature(name=name, formula=formula, expression=expression, **{**given, **more})


FEATURES: Final = (
    _clock("tod_sin", "sin(2 pi m/375), m minutes since the open", _sine, **_SIGNED),
    _clock("tod_cos", "cos(2 pi m/375)", _cosine, **_SIGNED),
    _clock("min_since_open", "m/375", _day.since_open / _MINUTES, **_SHARE),
    _clock("min_to_close", "minutes to the scheduled close/375", _day.to_close / _MINUTES, **_SHARE),
    _clock("is_open_15", "1 in the first 15 minutes", _at_most(_day.since_open, _FIRST), **_FLAG),
    _clock("is_close_30", "1 in the last 30 minutes", _at_most(_day.to_close, _LAST - 1.0), **_FLAG),
    _clock("dow_sin", "sin(2 pi d/7), d = 0 on Mondays", _week_sine, **_SIGNED),
    _clock("dow_cos", "cos(2 pi d/7)", _week_cosine, **_SIGNED),
    _clock("dte_days", "sessions after today up to the next expiry", _day.to_expiry, unit="sessions", low=0.0),
    _clock("is_expiry_day", "1 where dte_days = 0", _at_most(_day.to_expiry, 0.0), **_FLAG),
    _clock(
        "min_to_expiry_log", "ln(1+minutes of sessions to the expiry)", s.log(_day.minutes_to_expiry, 1.0),
        unit="ln minutes", low=0.0, high=math.log(1.0 + 40 * 400),
    ),
    _clock("is_monthly_expiry", "1 on the day of the monthly expiry", _at_most(_day.nights_to_monthly, 0.0), **_FLAG),
    _clock(
        "days_to_event", "sessions to the next scheduled event (RBI, Budget, FOMC)", s.given("days_to_event") + 0.0,
        unit="sessions", low=0.0, nan_rule=f"{SAME_BAR}: no event was known of",
        knowable="at the bar's end; an event counts from the moment its table says it was known",
        source="a dated table of events with its own avail_ts (features.companion_columns.event_days)",
    ),
    _clock(
        "is_post_holiday", "1 in the first session after a weekday without a day session", _day.after_holiday, **_FLAG
    ),
)  # fmt: skip
