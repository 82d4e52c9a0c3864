from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from algomaster import market
from algomaster.core.errors import DataError, DataWarning, FactError
from algomaster.core.types import MISSING
from algomaster.market import calendar
from algomaster.market.chain_day import ChainDay
from algomaster.market.loading import absent_sessions, day_from_frames, frames_of, load, store_days
from algomaster.market.store import Store

SESSION = date(2021, 6, 11)
EXPIRY = date(2021, 6, 17)


def made_up(session: date = SESSION, *, seed: int = 1, holes: float = 0.2, expiries: tuple[date, ...] = ()) -> ChainDay:
    """A session of random whole numbers with holes: no market, only something to bring through the store."""
    draw = np.random.default_rng(seed)
    dates = expiries or (EXPIRY, date(2021, 6, 24))
    hours = calendar.session(session)
    day = ChainDay.empty(
        underlying="NIFTY", session=session, ts=hours.bar_starts(), first_minute=hours.first_minute, tick=5,
        expiries=np.array([(expiry - date(1970, 1, 1)).days for expiry in dates], np.int32),
        strikes=np.array([1575000, 1580000, 1585000], np.int64),
        strike_step=np.full(len(dates), 5000, np.int64), lot=np.full(len(dates), 75, np.int64),
    )  # fmt: skip
    for name in ("open", "high", "low", "close", "bid", "ask", "volume", "oi"):
        values = getattr(day, name)
        values[...] = np.where(draw.random(values.shape) < holes, MISSING, draw.integers(1, 9000, values.shape))
    for name in (
        "spot_open",
        "spot_high",
        "spot_low",
        "spot",
        "future_open",
        "future",
        "future_high",
        "future_low",
        "vix",
    ):
        values = getattr(day, name)
        values[...] = np.where(draw.random(values.shape) < holes, MISSING, draw.integers(1, 2_000_000, values.shape))
    return day


def test_the_public_name_is_the_function_whatever_was_imported_before() -> None:
    assert market.load is load


@pytest.mark.parametrize("where", ["local", "memory"])
def test_a_session_comes_back_from_the_store_bit_for_bit(where: str, tmp_path: Path) -> None:
    home = str(tmp_path) if where == "local" else f"memory://load-{tmp_path.name}"
    days = [made_up(), made_up(date(2021, 6, 14), seed=2)]
    counts = store_days(Store(home), days)
    assert counts["unchanged"] == 0
    back = load("NIFTY", "2021-06-11", date(2021, 6, 14), home=home)
    assert [day.fingerprint for day in back] == [day.fingerprint for day in days]
    assert back[0].source == f"store {Store(home).home.where}"


def test_storing_the_same_sessions_again_changes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = store_days(store, [made_up()])
    again = store_days(store, [made_up()])
    assert again == {"stored": 0, "unchanged": first["stored"]}


def test_made_up_sessions_never_replace_others(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store_days(store, [made_up()])
    with pytest.raises(DataError, match="another home"):
        store_days(store, [made_up(seed=2)])
    assert load("NIFTY", SESSION, SESSION, home=tmp_path)[0].fingerprint == made_up().fingerprint


def test_frames_hold_only_what_was_observed() -> None:
    day = made_up(holes=1.1)
    day.close[0, 1, 1, 3] = 200
    day.vix[0] = 1525
    frames = frames_of(day)
    row = frames["option_minute"].row(0, named=True)
    assert frames["option_minute"].height == 1
    assert (row["strike"], row["right"], row["close"], row["open"], row["oi"]) == (15800.0, "PE", 10.0, None, None)
    assert row["expiry"] == EXPIRY
    assert row["ts"].strftime("%H:%M") == "03:48"  # the fourth minute from 09:15 in India
    assert frames["index_minute"].select("underlying", "close").rows() == [("INDIAVIX", 15.25)]
    assert frames["future_minute"].height == 0


def test_only_the_nearest_expiries_if_asked(tmp_path: Path) -> None:
    store_days(Store(tmp_path), [made_up()])
    assert load("NIFTY", SESSION, SESSION, home=tmp_path, expiries=1)[0].expiry_dates == [EXPIRY]


def test_minutes_off_the_grid_are_left_out() -> None:
    frames = frames_of(made_up())
    late = frames["option_minute"].with_columns(pl.col("ts") + pl.duration(minutes=375, time_unit="ns"))
    day = day_from_frames("NIFTY", SESSION, options=pl.concat([frames["option_minute"], late]))
    assert np.array_equal(day.close, made_up().close)


def test_the_nearest_dated_future_comes_before_a_continuous_one() -> None:
    frames = frames_of(made_up())
    base = frames["future_minute"].head(1)
    dated = [base.with_columns(expiry=pl.lit(date(2021, month, 24)), close=pl.lit(float(month))) for month in (7, 6)]
    futures = pl.concat([base.with_columns(close=pl.lit(9.0)), *dated])
    options = frames["option_minute"]
    first = np.flatnonzero(day_from_frames("NIFTY", SESSION, options=options, futures=futures).future != MISSING)
    assert day_from_frames("NIFTY", SESSION, options=options, futures=futures).future[first].tolist() == [600]
    assert day_from_frames("NIFTY", SESSION, options=options, futures=futures[:1]).future[first].tolist() == [900]


def test_a_price_off_the_tick_is_an_error_not_a_rounding() -> None:
    options = frames_of(made_up())["option_minute"].with_columns(open=pl.lit(10.02))
    with pytest.raises(DataError, match="values of open are not multiples of the tick of 5 paise"):
        day_from_frames("NIFTY", SESSION, options=options)


def test_nothing_in_the_range_says_what_the_store_holds(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it holds: none at all"):
        load("NIFTY", "2021-06-11", "2021-06-11", home=tmp_path)
    store_days(Store(tmp_path), [made_up()])
    with pytest.raises(DataError, match="NIFTY 2021-06-11 to 2021-06-11"):
        load("NIFTY", "2022-01-03", "2022-01-31", home=tmp_path)


def test_sessions_without_data_are_told(tmp_path: Path) -> None:
    store_days(Store(tmp_path), [made_up()])
    with pytest.warns(DataWarning, match="2 of 3 sessions lack option minutes: 2021-06-10, 2021-06-14"):
        days = load("NIFTY", "2021-06-10", "2021-06-14", home=tmp_path)
    assert [day.session for day in days] == [SESSION]


def test_a_session_without_the_index_is_told(tmp_path: Path) -> None:
    Store(tmp_path).write("option_minute", frames_of(made_up())["option_minute"])
    with pytest.warns(DataWarning, match="lack index minutes: 2021-06-11"):
        load("NIFTY", SESSION, SESSION, home=tmp_path)


def test_contracts_no_fact_knows_are_an_error() -> None:
    options = frames_of(made_up())["option_minute"]
    with pytest.raises(FactError, match="NOSUCHINDEX"):
        day_from_frames("NOSUCHINDEX", SESSION, options=options)
    with pytest.raises(DataError, match="closed"):
        day_from_frames("NIFTY", date(2021, 6, 12), options=options)


@pytest.mark.parametrize(
    ("start", "end", "more", "said"),
    [
        ("2021-06-31", "2021-07-01", {}, "start: expected a date"),
        ("2021-06-12", "2021-06-11", {}, "end: expected a date not before"),
        ("2021-06-11", "2021-06-11", {"expiries": 0}, "expiries: expected at least 1"),
    ],
)
def test_wrong_arguments_are_told(tmp_path: Path, start: str, end: str, more: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load("NIFTY", start, end, home=tmp_path, **more)


def test_absent_sessions_come_with_what_they_lack(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store_days(store, [made_up()])
    store.write("option_minute", frames_of(made_up(date(2021, 6, 14)))["option_minute"])
    assert absent_sessions("NIFTY", "2021-06-10", date(2021, 6, 15), home=tmp_path) == [
        (date(2021, 6, 10), "no option minutes"),
        (date(2021, 6, 14), "no index minutes"),
        (date(2021, 6, 15), "no option minutes"),
    ]
    assert absent_sessions("NIFTY", SESSION, SESSION, home=tmp_path) == []
    assert absent_sessions("NIFTY", "2022-01-03", "2022-01-03", home=tmp_path) == [
        (date(2022, 1, 3), "no option minutes")
    ]
    with pytest.raises(ValueError, match="end: expected a date not before"):
        absent_sessions("NIFTY", "2021-06-12", "2021-06-11", home=tmp_path)


@pytest.mark.parametrize("name", ["option_minute", "index_minute", "future_minute"])
def test_a_session_of_real_and_simulated_minutes_is_refused(name: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store_days(store, [made_up()])
    store.write(name, frames_of(made_up(seed=2))[name][:10])  # ten real rows over the made-up session
    with pytest.raises(DataError, match=r"real and simulated minutes of NIFTY 2021-06-11 .*another home"):
        load("NIFTY", SESSION, SESSION, home=tmp_path)


def test_real_minutes_that_take_the_place_of_all_simulated_ones_are_loaded(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store_days(store, [made_up(holes=0.0)])
    real = made_up(seed=2, holes=0.0)
    for name, frame in frames_of(real).items():
        store.write(name, frame.with_columns(pl.col("close") + 0.05))  # no value as it was made up
    assert load("NIFTY", SESSION, SESSION, home=tmp_path)[0].spot[0] == real.spot[0] + 5


def test_an_underlying_misspelt_is_asked_about(tmp_path: Path) -> None:
    store_days(Store(tmp_path), [made_up()])
    with pytest.raises(DataError, match=r"Did you mean NIFTY\?"):
        load("nifty", SESSION, SESSION, home=tmp_path)
