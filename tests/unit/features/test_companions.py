"""Made-up companions: the same for the same seed, blind to the future, and never in the place of what is there."""

import datetime as dt
from datetime import date

import numpy as np
import polars as pl
import pytest

from algomaster.features.companion_columns import companions, event_days
from algomaster.market import calendar


def bars(sessions=4, start=date(2024, 4, 1)):
    ts = np.concatenate([session.bar_starts() for session in calendar.sessions_from(start, sessions)])
    close = 20_000 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 4e-4, ts.size)))
    return pl.DataFrame({"ts": ts, "close": close})


def test_equal_seeds_give_equal_columns_and_others_do_not():
    assert companions(bars(), seed=5).equals(companions(bars(), seed=5))
    assert not companions(bars(), seed=5)["peer"].equals(companions(bars(), seed=6)["peer"])


def test_a_row_knows_nothing_of_later_ones():
    whole = companions(bars(6), seed=2)
    for count in (1, 375, 1000):
        assert companions(bars(6)[:count], seed=2).equals(whole[:count])
    later = bars(6).with_columns(close=pl.when(pl.int_range(375 * 6) < 700).then(pl.col("close")).otherwise(1.0))
    assert companions(later, seed=2)[:700].equals(whole[:700])


def test_what_is_there_stays():
    frame = bars().with_columns(vix=pl.lit(15.0), bid=pl.lit(1.0))
    found = companions(frame)
    assert found["vix"].unique().to_list() == [15.0]
    assert found["bid"].unique().to_list() == [1.0]
    assert found.columns[:4] == ["ts", "close", "vix", "bid"]


def test_the_columns_are_what_they_are_called():
    found = companions(bars(20), seed=3)
    made = found.select(pl.exclude("ts"))
    assert made.select(pl.all().is_finite().all()).row(0) == (True,) * made.width
    assert found["breadth"].is_between(0, 1).all()
    assert (found["ask"] > found["bid"]).all()
    assert (found["bid_qty_5"] >= found["bid_qty"]).all()
    own, peer = (found[name].log().diff().drop_nulls().to_numpy() for name in ("close", "peer"))
    assert np.cov(own, peer)[0, 1] / own.var() == pytest.approx(1.2, abs=0.05)
    assert found["days_to_event"].is_between(0, 10).all()


def test_pandas_comes_back_as_pandas_and_a_missing_close_is_passed_over():
    frame = bars().with_columns(close=pl.when(pl.int_range(1500) == 700).then(None).otherwise(pl.col("close")))
    found = companions(frame.to_pandas(), seed=4)
    assert type(found).__module__.startswith("pandas")
    assert np.isfinite(found["peer"]).all()
    assert np.isnan(found["bid"][700])


def test_several_underlyings_and_negative_seeds_are_refused():
    frame = bars().with_columns(underlying=pl.when(pl.int_range(1500) < 700).then(pl.lit("A")).otherwise(pl.lit("B")))
    with pytest.raises(ValueError, match="one underlying"):
        companions(frame)
    with pytest.raises(ValueError, match="seed: expected a whole number of at least 0, got -1"):
        companions(bars(), seed=-1)


def test_an_event_counts_from_the_moment_it_is_known():
    frame = bars(5, date(2024, 4, 1))  # Monday to Friday; the policy meeting of the Reserve Bank was on Friday the 5th
    known = calendar.to_ns(date(2024, 4, 2), 10 * 60)
    events = pl.DataFrame({"date": [date(2024, 4, 5)], "known_at": [known]})
    found = event_days(frame["ts"], events)
    starts = frame["ts"].to_numpy()
    assert np.isnan(found[starts + 60 * 10**9 < known]).all()
    first = np.flatnonzero(starts + 60 * 10**9 >= known)[0]
    assert calendar.minute_of_day(starts[first]) == 9 * 60 + 59  # the bar that ends at 10:00
    assert found[first] == 3.0
    assert found[-1] == 0.0
    np.testing.assert_array_equal(event_days(frame.to_pandas()["ts"], events.to_pandas()), found)


def test_the_nearest_of_several_events_counts_and_past_ones_do_not():
    frame = bars(10, date(2024, 4, 1))
    long_ago = calendar.to_ns(date(2024, 1, 1))
    events = pl.DataFrame({"date": [date(2024, 4, 10), date(2024, 4, 3)], "known_at": [long_ago, long_ago]})
    found = event_days(frame["ts"], events)[::375]
    assert found.tolist()[:3] == [2.0, 1.0, 0.0]
    assert found[3] == 4.0  # 4 April; the 5th, 8th, 9th and 10th are ahead
    assert np.isnan(found[-1])
    assert np.isnan(event_days(frame["ts"], events[:0])).all()


def test_events_without_a_time_are_refused():
    frame = bars(1)
    with pytest.raises(ValueError, match="zone"):
        event_days(frame["ts"], pl.DataFrame({"date": [date(2024, 4, 5)], "known_at": [dt.datetime(2024, 1, 1)]}))
    with pytest.raises(ValueError, match="date: expected a day in every row, got 1 missing"):
        event_days(
            frame["ts"], pl.DataFrame({"date": [None], "known_at": [1]}, schema={"date": pl.Date, "known_at": pl.Int64})
        )
