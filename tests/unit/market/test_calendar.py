from datetime import date

import numpy as np
import pytest

from algomaster.core.errors import DataError, FactError
from algomaster.core.types import MINUTE_NS
from algomaster.market import calendar


def test_a_regular_session():
    session = calendar.session(date(2021, 6, 11))
    assert (session.first_minute, session.minutes, session.kind, session.halts) == (555, 375, "regular", ())
    # 09:15 in Asia/Kolkata is 03:45 UTC.
    assert np.datetime64(session.open_ns, "ns") == np.datetime64("2021-06-11T03:45")
    assert np.datetime64(session.close_ns, "ns") == np.datetime64("2021-06-11T10:00")
    starts = session.bar_starts()
    assert starts.dtype == np.int64
    assert starts.shape == (375,)
    assert starts[0] == session.open_ns
    assert starts[-1] == session.close_ns - MINUTE_NS
    assert set(np.diff(starts)) == {MINUTE_NS}


@pytest.mark.parametrize(
    ("day", "open_", "close", "kind", "halts"),
    [
        ("2026-07-31", "09:15", "15:30", "regular", ()),
        ("2026-08-03", "09:15", "15:40", "regular", ()),
        ("2024-03-02", "09:15", "12:30", "special", (("10:00", "11:30"),)),
        ("2021-02-24", "09:15", "17:00", "regular", (("11:40", "15:45"),)),
        ("2017-07-10", "09:15", "15:30", "regular", (("09:25", "12:30"),)),
        ("2021-11-04", "18:15", "19:15", "muhurat", ()),
        ("2025-10-21", "13:45", "14:45", "muhurat", ()),
        ("2026-02-01", "09:15", "15:30", "special", ()),
    ],
)
def test_hours(day, open_, close, kind, halts):
    session = calendar.session(date.fromisoformat(day))
    assert calendar.format_time(session.first_minute) == open_
    assert calendar.format_time(session.first_minute + session.minutes) == close
    assert session.kind == kind
    assert tuple(tuple(map(calendar.format_time, halt)) for halt in session.halts) == halts


def test_a_closed_day_says_why():
    with pytest.raises(DataError, match=r"Republic Day.*2024-01-25 and 2024-01-29"):
        calendar.session(date(2024, 1, 26))
    with pytest.raises(DataError, match="Saturday"):
        calendar.session(date(2024, 1, 27))
    assert not calendar.is_session(date(2024, 1, 26))
    assert calendar.is_session(date(2024, 1, 20))


@pytest.mark.parametrize("day", [date(2012, 12, 31), date(2027, 1, 1)])
def test_outside_the_covered_years_there_is_no_answer(day):
    for ask in (calendar.session, calendar.is_session, calendar.next_session, calendar.previous_session):
        with pytest.raises(FactError, match="2013-01-01 to 2026-12-31"):
            ask(day)
    with pytest.raises(FactError):
        calendar.sessions(date(2012, 1, 1), date(2013, 2, 1))
    with pytest.raises(FactError):
        calendar.sessions_from(date(2026, 12, 30), 5)


def test_neighbours_and_ranges():
    assert calendar.next_session(date(2024, 1, 25)).date == date(2024, 1, 29)
    assert calendar.previous_session(date(2024, 1, 29)).date == date(2024, 1, 25)
    assert calendar.next_session(date(2024, 1, 27)).date == date(2024, 1, 29)
    days = [session.date.day for session in calendar.sessions(date(2024, 1, 19), date(2024, 1, 24))]
    assert days == [19, 20, 23, 24]
    assert [session.date.day for session in calendar.sessions_from(date(2024, 1, 21), 2)] == [23, 24]
    assert calendar.sessions_from(date(2024, 1, 21), 0) == []
    with pytest.raises(FactError, match="ends on"):
        calendar.next_session(date(2026, 12, 31))
    with pytest.raises(FactError, match="starts on"):
        calendar.previous_session(date(2013, 1, 1))
    with pytest.raises(ValueError, match="count"):
        calendar.sessions_from(date(2024, 1, 21), -1)


def test_moments_minutes_and_days():
    day = date(2024, 3, 2)
    ts = np.array([calendar.to_ns(day), calendar.to_ns(day, 555), calendar.to_ns(day, 1439) + MINUTE_NS - 1])
    np.testing.assert_array_equal(calendar.minute_of_day(ts), [0, 555, 1439])
    np.testing.assert_array_equal(calendar.session_ids(ts), [np.datetime64(day).astype(int)] * 3)
    assert {calendar.session_date(moment) for moment in ts} == {day}
    assert calendar.session_date(ts[0] - 1) == date(2024, 3, 1)


@pytest.mark.parametrize("minute", [0, 1, 555, 560, 920, 1439])
def test_times_are_read_back(minute):
    assert calendar.parse_time(calendar.format_time(minute)) == minute


def test_times_of_day():
    assert calendar.parse_time("09:20") == calendar.parse_time("9:20") == calendar.parse_time("09:20:00") == 560
    for wrong in ("9.20", "24:00", "09:60", "09:20:30", ""):
        with pytest.raises(ValueError, match="09:20"):
            calendar.parse_time(wrong)
    with pytest.raises(ValueError, match="1440"):
        calendar.format_time(1441)
