"""The calendar as features see it, on days about which something is known."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from algomaster import features
from algomaster.features import library, trading_days
from algomaster.market import calendar, facts
from naive import features_flow as naive

NAMES = [name for name in library.names() if library.get(name).family == "clock"]


def bars_at(*starts, **columns):
    """Bars of a minute that start at ("2024-01-23", "09:15")."""
    ts = [calendar.to_ns(date.fromisoformat(day), calendar.parse_time(time)) for day, time in starts]
    price = np.full(len(ts), 100.0)
    return pl.DataFrame({"ts": ts, "open": price, "high": price, "low": price, "close": price, **columns})


def row(day, time="09:15", **columns):
    return features.compute(bars_at((day, time), **columns), NAMES).row(0, named=True)


def test_minutes_count_to_the_end_of_the_bar():
    first, last = row("2024-01-23"), row("2024-01-23", "15:29")
    assert (first["min_since_open"], first["min_to_close"]) == (1 / 375, 374 / 375)
    assert (last["min_since_open"], last["min_to_close"]) == (1.0, 0.0)
    assert (last["tod_sin"], last["tod_cos"]) == (0.0, 1.0)
    noon = row("2024-01-23", "12:21")  # 187 of 375 minutes, and half a minute more is half the day
    assert noon["tod_cos"] == pytest.approx(-1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("time", "opening", "closing"),
    [("09:15", 1, 0), ("09:29", 1, 0), ("09:30", 0, 0), ("14:59", 0, 0), ("15:00", 0, 1), ("15:29", 0, 1)],
)
def test_the_first_quarter_and_the_last_half_hour(time, opening, closing):
    found = row("2024-01-23", time)
    assert (found["is_open_15"], found["is_close_30"]) == (opening, closing)


def test_days_of_the_week_stand_on_a_circle_of_seven():
    days = ("2024-01-15", "2024-01-16", "2024-01-17", "2024-01-18", "2024-01-19", "2024-01-20")
    found = [row(day) for day in days]
    angles = 2 * np.pi * np.arange(6) / 7
    np.testing.assert_allclose([each["dow_sin"] for each in found], np.sin(angles), atol=1e-15)
    np.testing.assert_allclose([each["dow_cos"] for each in found], np.cos(angles), atol=1e-15)


@pytest.mark.parametrize(
    ("day", "sessions", "expiry", "monthly"),
    [
        ("2024-01-25", 0, 1, 1),  # the last Thursday; the 26th is a holiday
        ("2024-01-18", 0, 1, 0),  # a weekly one
        ("2024-01-19", 4, 0, 0),  # Saturday's session, then Tuesday to Thursday: Monday was closed
        ("2024-01-29", 3, 0, 0),
        ("2018-12-24", 2, 0, 0),  # Thursday the 27th, before there were weekly options; the 25th is a holiday
        ("2025-09-02", 0, 1, 0),  # the first Tuesday that options expire on
        ("2025-08-29", 2, 0, 0),
        ("2023-03-29", 0, 1, 1),  # Wednesday, as the Thursday is a holiday
    ],
)
def test_expiries_of_nifty(day, sessions, expiry, monthly):
    found = row(day)
    assert (found["dte_days"], found["is_expiry_day"], found["is_monthly_expiry"]) == (sessions, expiry, monthly)
    assert found["min_to_expiry_log"] == pytest.approx(np.log(1 + sessions * 375 + 374))


def test_another_underlying_brings_its_expiries():
    frame = bars_at(("2023-09-06", "09:15"), ("2023-09-06", "10:00"), ("2023-09-07", "09:15"), ("2025-03-03", "09:15"))
    own = features.compute(trading_days.with_expiries(frame, "BANKNIFTY"), NAMES)
    assert own["is_expiry_day"].to_list() == [1, 1, 0, 0]  # Wednesdays
    assert own["dte_days"].to_list() == [0, 0, 4, 17]  # in 2025 monthly ones only: 27 March, the 14th is a holiday
    nifty = features.compute(frame, NAMES)
    assert nifty["is_expiry_day"].to_list() == [0, 0, 1, 0]
    assert nifty.equals(features.compute(trading_days.with_expiries(frame, "NIFTY"), NAMES), null_equal=True)
    assert trading_days.with_expiries(frame.to_pandas(), "BANKNIFTY")["expiry_day"].tolist() == [
        (expiry - date(1970, 1, 1)).days
        for expiry in map(date.fromisoformat, ("2023-09-06",) * 2 + ("2023-09-13", "2025-03-27"))
    ]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2024-01-23", 1),  # Monday closed, although Saturday was open
        ("2024-01-22", None),
        ("2024-01-20", 0),
        ("2024-01-29", 1),  # Friday the 26th
        ("2024-01-30", 0),
        ("2024-11-04", 1),  # Friday had an hour in the evening only
        ("2024-11-01", 0),
        ("2021-11-08", 1),
    ],
)
def test_the_session_after_a_holiday(day, expected):
    time = "18:00" if day == "2024-11-01" else "09:15"
    found = row(day, time)["is_post_holiday"]
    assert found == expected or (expected is None and np.isnan(found))


def test_outside_the_hours_of_a_session_nothing_is_said():
    outside = [("2024-01-23", "09:14"), ("2024-01-23", "15:30"), ("2024-01-21", "10:00"), ("2026-07-31", "15:35")]
    beyond = [("2012-12-31", "10:00"), ("2027-01-01", "10:00")]
    for day, time in (*outside, *beyond):
        found = row(day, time)
        assert all(np.isnan(value) for name, value in found.items() if name != "ts"), (day, time)
    assert row("2026-08-03", "15:39")["min_to_close"] == 0.0  # from then on the session ends at 15:40
    assert row("2026-08-03", "15:39")["min_since_open"] == 385 / 375


def test_a_session_that_was_stopped_had_its_close_in_the_morning():
    stopped = "2021-02-24"  # from 11:40 to 15:45, then until 17:00
    assert row(stopped, "10:00")["min_to_close"] == 329 / 375
    assert row(stopped, "16:00")["min_to_close"] == 0.0
    assert row(stopped, "16:59")["min_since_open"] == 465 / 375
    # evening sessions are what they were announced to be
    assert row("2024-11-01", "18:00")["min_to_close"] == 59 / 375


def test_a_stale_expiry_says_nothing_and_one_beyond_the_calendar_too():
    day = (date(2024, 1, 23) - date(1970, 1, 1)).days
    for expiry in (day - 1, 30_000):
        found = row("2024-01-23", expiry_day=[float(expiry)])
        assert np.isnan(found["dte_days"])
        assert np.isnan(found["min_to_expiry_log"])
        assert found["min_since_open"] == 1 / 375


def test_events_are_given():
    assert row("2024-01-23", days_to_event=[3.0])["days_to_event"] == 3.0
    assert np.isnan(row("2024-01-23")["days_to_event"])


@pytest.mark.parametrize("underlying", ["NIFTY", "BANKNIFTY"])
def test_every_day_on_record_is_as_the_calendar_says(underlying):
    days = [
        each
        for each in calendar.sessions(date(2013, 1, 1), date(2026, 11, 30))
        if facts.expiries(underlying, each.date, date(2026, 12, 31))
    ]
    ts = np.array([each.open_ns + 30 * 60 * 10**9 for each in days[::5]])
    price = np.full(ts.size, 100.0)
    frame = pl.DataFrame({"ts": ts, "open": price, "high": price, "low": price, "close": price})
    theirs = naive.clock({"ts": ts, "days_to_event": np.full(ts.size, np.nan)}, underlying)
    ours = features.compute(trading_days.with_expiries(frame, underlying), NAMES)
    for name in NAMES:
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-14, err_msg=name)


def test_the_table_is_of_an_underlying_on_record():
    with pytest.raises(Exception, match="No expiry weekday of 'SENSEX'"):
        trading_days.table("SENSEX")
    days = np.array([15706.0, 15705.0, 30000.0, np.nan])
    np.testing.assert_array_equal(trading_days.sessions_so_far(days), [1, np.nan, np.nan, np.nan])
