from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algomaster.core.errors import DataError, FactError
from algomaster.market import calendar
from algomaster.market.clock import YEAR_NS, ClockWeights, expiry_ns, t_business, t_calendar
from shared_data import shared_path

FIRST = calendar.session(date(2013, 1, 1)).open_ns
LAST = calendar.session(date(2026, 12, 31)).close_ns
moments = st.integers(FIRST, LAST)
FLAT = ClockWeights(profile=(1.0,), overnight=0.0, weekend_day=0.0, holiday=0.0)


def test_the_expiry_is_the_close_of_its_session():
    assert expiry_ns(date(2021, 6, 17)) == calendar.to_ns(date(2021, 6, 17), 15 * 60 + 30)
    assert expiry_ns(date(2026, 8, 4)) == calendar.to_ns(date(2026, 8, 4), 15 * 60 + 40)
    with pytest.raises(DataError, match="closed"):
        expiry_ns(date(2024, 1, 26))


def test_calendar_time_is_plain_division():
    expiry = expiry_ns(date(2021, 6, 17))
    np.testing.assert_array_equal(
        t_calendar(np.array([expiry - YEAR_NS, expiry - YEAR_NS // 365]), expiry), [1, 1 / 365]
    )


@settings(deadline=None)
@given(st.lists(moments, min_size=3, max_size=3).map(sorted))
def test_adjacent_intervals_add_up(three):
    a, b, c = np.array(three, dtype=np.int64)
    for clock in (t_calendar, t_business):
        assert clock(a, c) == pytest.approx(clock(a, b) + clock(b, c), abs=1e-12)


@settings(deadline=None)
@given(moments, moments, moments)
def test_later_means_less_time_left(one, other, expiry):
    early, late = sorted((one, other))
    for clock in (t_calendar, t_business):
        left = clock(np.array([early, late], dtype=np.int64), expiry)
        if late <= expiry:
            assert left[0] >= left[1] >= 0
        assert (
            (clock(np.int64(early), expiry) > 0) == (early < expiry)
            or late == early
            or np.isnan(left[0])
            or left[0] == 0
        )


@settings(deadline=None)
@given(moments)
def test_zero_at_expiry_and_nan_after(expiry):
    for clock in (t_calendar, t_business):
        assert clock(np.int64(expiry), expiry) == 0.0
        if expiry < LAST:
            assert np.isnan(clock(np.int64(expiry + 1), expiry))


def test_a_year_of_business_time_is_a_year_on_average():
    assert t_business(np.int64(FIRST), LAST) == pytest.approx(t_calendar(np.int64(FIRST), LAST), rel=1e-12)
    for year in range(2013, 2026):
        start, end = calendar.to_ns(date(year, 1, 15), 555), calendar.to_ns(date(year + 1, 1, 15), 555)
        assert t_business(np.int64(start), end) == pytest.approx(1.0, abs=0.02)


def test_shapes_broadcast_and_types_are_checked():
    now = np.full((3, 1), FIRST)
    assert t_business(now, np.full(4, LAST)).shape == (3, 4)
    with pytest.raises(TypeError, match="int64"):
        t_business(np.array([1.5]), LAST)
    with pytest.raises(FactError, match="first session of 2013"):
        t_business(np.int64(FIRST - 1), LAST)
    with pytest.raises(FactError, match="last of 2026"):
        t_business(np.int64(FIRST), LAST + 1)


def test_flat_weights_count_open_minutes_only():
    """With a flat profile and weightless gaps only minutes of open trading pass."""
    session = calendar.session(date(2021, 2, 24))  # halted from 11:40 to 15:45
    minute = t_business(np.int64(session.open_ns), session.open_ns + 60_000_000_000, weights=FLAT)
    halt_start, halt_end = (calendar.to_ns(session.date, moment) for moment in session.halts[0])
    assert t_business(np.int64(halt_start), halt_end, weights=FLAT) == 0
    assert t_business(np.int64(session.open_ns), session.close_ns, weights=FLAT) == pytest.approx(220 * minute)
    following = calendar.next_session(session.date)
    assert t_business(np.int64(session.close_ns), following.open_ns, weights=FLAT) == pytest.approx(0, abs=1e-15)


def test_gaps_weigh_as_stated():
    weights = ClockWeights(profile=(1.0,), overnight=0.5, weekend_day=0.1, holiday=0.2)
    friday, tuesday = calendar.session(date(2024, 1, 19)), calendar.session(date(2024, 1, 23))
    day = t_business(np.int64(friday.open_ns), friday.close_ns, weights=weights)
    # A regular day of 375 minutes is the unit; Saturday 20 January was a session.
    saturday = calendar.session(date(2024, 1, 20))
    assert t_business(np.int64(friday.close_ns), saturday.open_ns, weights=weights) / day == pytest.approx(0.5)
    # Sunday and the holiday of Monday lie in the next gap.
    gap = t_business(np.int64(saturday.close_ns), tuesday.open_ns, weights=weights)
    assert gap / day == pytest.approx(0.5 + 0.1 + 0.2)


def test_the_open_runs_faster_than_noon_and_the_total_is_one_session():
    session = calendar.session(date(2024, 2, 6))
    marks = session.open_ns + 60_000_000_000 * np.array([0, 15, 180, 195, 360, 375])
    spent = -np.diff(t_business(marks, session.close_ns))
    assert spent[0] > 4 * spent[2]
    night = t_business(np.int64(session.close_ns), calendar.next_session(session.date).open_ns)
    assert night / t_business(marks[:1], session.close_ns)[0] == pytest.approx(ClockWeights().overnight)


@pytest.mark.parametrize("wrong", [{"profile": ()}, {"profile": (1.0, 0.0)}, {"overnight": -1.0}, {"holiday": np.inf}])
def test_weights_are_checked(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ClockWeights(**wrong)


def test_default_weights_are_near_those_of_the_index_minutes():
    """A rough version of the calibration: variance of quarter hours and of nights, NIFTY 2013-2017."""
    frame = pl.read_parquet(shared_path("data", "nse_index_minute", "NIFTY_1min_2013_2017_barEnd.parquet")).unique()
    closes = {}
    for ts, close, open_ in frame.sort("ts").select("ts", "close", "open").iter_rows():
        closes.setdefault(ts.date(), {})[ts.hour * 60 + ts.minute] = (open_, close)
    quarters, nights, before = [], [], None
    for day, bars in closes.items():
        session = calendar.session(day)
        if (
            session.kind != "regular"
            or session.halts
            or any(minute not in bars for minute in (556, *range(570, 931, 15)))
        ):
            before = None
            continue
        prices = np.log([bars[556][0], *(bars[minute][1] for minute in range(570, 931, 15))])
        if before is not None and (day - before[0]).days == 1:
            nights.append((prices[0] - before[1]) ** 2)
        quarters.append(np.diff(prices) ** 2)
        before = (day, prices[-1])
    assert len(quarters) > 900
    squares = np.array(quarters)
    shape = np.minimum(squares, np.quantile(squares, 0.99, axis=0)).mean(axis=0)
    night = np.minimum(nights, np.quantile(nights, 0.98)).mean() / squares.sum(axis=1).mean()
    profile = np.array(ClockWeights().profile)
    assert np.corrcoef(shape, profile)[0, 1] > 0.95
    np.testing.assert_allclose(shape / shape.mean(), profile / profile.mean(), rtol=0.35)
    assert night == pytest.approx(ClockWeights().overnight, abs=0.1)
