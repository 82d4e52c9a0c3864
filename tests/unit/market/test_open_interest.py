"""Open interest by strike on a few snapshots made by hand, and on a simulated session."""

import dataclasses
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from algomaster import market
from algomaster.core.errors import DataError
from algomaster.core.types import MISSING
from algomaster.market.interest.kernels import carry, max_pain

DAY, EXPIRY = date(2025, 1, 2), date(2025, 1, 9)
OPEN = datetime(2025, 1, 2, 3, 45, tzinfo=UTC)
STRIKES = (23_900.0, 24_000.0, 24_100.0)
CALLS, PUTS = (10.0, 40.0, 30.0), (35.0, 20.0, 5.0)


def snapshot(minute: float, *, calls: Any = CALLS, puts: Any = PUTS, prices: Any = None, **more: Any) -> pl.DataFrame:
    """Give three strikes at a moment; prices are (calls, puts)."""
    call_prices, put_prices = prices or ((130.0, 70.0, 30.0), (20.0, 60.0, 120.0))
    rows = [
        {"ts": OPEN + timedelta(minutes=minute), "expiry": EXPIRY, "strike": strike, "right": right, "ltp": price,
         "oi": oi, "underlying": "NIFTY", "spot": 24_010.0, **more}
        for right, side, quoted in (("CE", calls, call_prices), ("PE", puts, put_prices))
        for strike, oi, price in zip(STRIKES, side, quoted)
    ]  # fmt: skip
    numbers = dict.fromkeys(("strike", "ltp", "oi", "spot"), pl.Float64)
    return pl.DataFrame(rows, infer_schema_length=None, schema_overrides=numbers)


def test_a_snapshot_by_hand() -> None:
    found = market.open_interest(snapshot(7))
    one, every = found.series.iter_rows(named=True)
    assert (one["call_oi"], one["put_oi"], one["pcr_oi"]) == (80, 60, 0.75)
    # settled at 23,900: puts pay 20 x 100 + 5 x 200; at 24,000: calls 10 x 100, puts 5 x 100; at 24,100: 2,000 + 4,000
    assert one["max_pain"] == 24_000
    assert (one["resistance"], one["support"]) == (24_000, 23_900)
    assert (one["contracts"], one["oldest"]) == (6, 0.0)
    assert (every["expiry"], every["max_pain"], every["pcr_oi"]) == (None, None, 0.75)
    assert (one["call_volume"], one["pcr_volume"]) == (None, None)
    assert (found.unit, found.reference, found.step) == ("contracts", "spot", 50.0)
    assert found.expiries == [EXPIRY]


def test_equal_pain_takes_the_lowest_strike_and_no_interest_has_none() -> None:
    strike, right, start = np.array([100.0, 100.0, 110.0, 110.0]), np.array([1, -1, 1, -1]), np.array([0, 4])
    oi = np.array([[5.0, 0.0, 0.0, 5.0], [0.0, 0.0, 0.0, 0.0], [np.nan, np.nan, np.nan, np.nan]])
    out = np.empty((3, 1))
    max_pain(oi, strike, right, start, out)
    assert out[0, 0] == 100.0
    assert np.isnan(out[1:]).all()


@pytest.mark.parametrize(
    ("price", "oi", "kind"),
    [
        (140.0, 15.0, "long_buildup"),
        (120.0, 15.0, "short_buildup"),
        (140.0, 5.0, "short_covering"),
        (120.0, 5.0, "long_unwinding"),
        (130.6, 15.0, "none"),  # less than half a percent
        (140.0, 10.1, "none"),  # not more than one percent
        (None, 15.0, None),
        (140.0, None, None),
    ],
)
def test_price_and_open_interest_tell_who_acts(price: float | None, oi: float | None, kind: str | None) -> None:
    later = snapshot(20, calls=(oi, 40.0, 30.0), prices=((price, 70.0, 30.0), (20.0, 60.0, 120.0)))
    found = market.open_interest(pl.concat([snapshot(7), later]))
    (row,) = found.buildup.filter(ts=OPEN + timedelta(minutes=30), strike=23_900.0, right="CE").to_dicts()
    assert row["kind"] == kind
    assert row["oi_change"] == (None if oi is None else oi - 10.0)


def test_an_interval_holds_its_end_and_an_empty_one_is_not_bridged() -> None:
    frame = pl.concat([snapshot(1), snapshot(15, calls=(12, 40, 30)), snapshot(31, calls=(20, 40, 30))])
    found = market.open_interest(frame).buildup.filter(strike=23_900.0, right="CE")
    minutes = [round((ts - OPEN).total_seconds() / 60) for ts in found["ts"]]
    assert minutes == [15, 45]
    assert found["oi_change"].to_list() == [2.0, None]
    assert found["oi_session_change"].to_list() == [2.0, 10.0]


def test_the_money_moves_with_the_spot_of_the_time() -> None:
    frame = pl.concat([snapshot(7), snapshot(20, calls=(10, 50, 30)).with_columns(spot=pl.lit(24_080.0))])
    buckets = market.open_interest(frame, steps=1).buckets.filter(right="CE")
    first, second = (part.sort("steps") for part in buckets.partition_by("ts"))
    assert first.select("steps", "moneyness", "atm", "oi").rows() == [
        (-1, "ITM", 24_000.0, 10.0), (0, "ATM", 24_000.0, 40.0), (1, "OTM", 24_000.0, 30.0),
    ]  # fmt: skip
    assert second.select("steps", "atm", "oi", "oi_change").rows() == [
        (-1, 24_100.0, 60.0, 10.0), (0, 24_100.0, 30.0, 0.0),
    ]  # fmt: skip


def test_without_an_index_parity_finds_the_money() -> None:
    found = market.open_interest(snapshot(7).drop("spot"))
    assert found.reference == "parity"
    assert found.series["spot"].unique().to_list() == [24_010.0]  # 24,000 + 70 - 60
    late = pl.concat([snapshot(7).with_columns(spot=pl.lit(None, pl.Float64)), snapshot(8), snapshot(9)])
    mixed = market.open_interest(late)
    assert mixed.reference == "mixed"
    quoted = snapshot(7, bid=1.0, ask=3.0).drop("spot")
    assert market.open_interest(quoted).series["spot"][0] == 23_900.0  # the middle of the quotes counts, not the trade


def test_walls_of_the_book_are_in_units() -> None:
    sizes = pl.Series("ask_qty", [75.0, 150.0, None, 300.0, 300.0, 0.0])
    frame = pl.concat([snapshot(7).with_columns(sizes), snapshot(8).with_columns(sizes.reverse())])
    walls = market.open_interest(frame).walls
    asks = walls.filter(wall="put_ask")
    assert asks.select("strike", "size", "unit", "moved", "from_spot").rows() == [
        (23_900.0, 300.0, "units", None, -110.0), (24_000.0, 150.0, "units", 100.0, -10.0),
    ]  # fmt: skip
    assert walls.filter(wall="resistance")["unit"].unique().to_list() == ["contracts"]
    assert walls.filter(wall="call_bid").height == 0


def test_the_first_collection_of_an_exchange_time_counts() -> None:
    moment = OPEN + timedelta(minutes=9)
    first = snapshot(7).with_columns(collected=pl.lit(moment))
    later = snapshot(7, calls=(99, 99, 99)).with_columns(collected=pl.lit(moment + timedelta(minutes=1)))
    found = market.open_interest(pl.concat([later, first, first]))
    assert found.series["call_oi"][0] == 80.0
    assert found.series["avail_ts"][0] == moment
    assert market.open_interest(pl.concat([snapshot(7), snapshot(7)])).series["contracts"][0] == 6
    with pytest.raises(DataError, match="several values"):
        market.open_interest(pl.concat([snapshot(7), snapshot(7, calls=(99, 40, 30))]))


def test_what_is_missing_adds_nothing_and_is_not_carried_unless_asked() -> None:
    frame = pl.concat([snapshot(7), snapshot(9, calls=(None, 40.0, 30.0))])
    row = market.open_interest(frame).series.filter(expiry=EXPIRY).row(1, named=True)
    assert (row["call_oi"], row["contracts"], row["oldest"]) == (70.0, 5, 0.0)
    row = market.open_interest(frame, max_age=2).series.filter(expiry=EXPIRY).row(1, named=True)
    assert (row["call_oi"], row["contracts"], row["oldest"]) == (80.0, 6, 2.0)
    assert market.open_interest(frame, max_age=1.9).series.filter(expiry=EXPIRY)["call_oi"][1] == 70.0


def test_carry_by_hand() -> None:
    values = np.array([[np.nan], [3.0], [np.nan], [np.nan], [5.0]])
    out, age = np.empty((2, 5, 1))
    carry(values, np.array([0, 10, 20, 31, 40]), 15.0, out, age)
    np.testing.assert_array_equal(out[:, 0], [np.nan, 3, 3, np.nan, 5])
    np.testing.assert_array_equal(age[:, 0], [np.nan, 0, 10, np.nan, 0])


def test_ways_of_writing_columns() -> None:
    import pandas as pd

    plain = market.open_interest(snapshot(7))
    signs = snapshot(7).with_columns(
        right=pl.when(pl.col("right") == "CE").then(1).otherwise(-1), expiry=pl.lit(str(EXPIRY)),
        ts=pl.col("ts").dt.convert_time_zone("Asia/Kolkata").dt.replace_time_zone(None),
    )  # fmt: skip
    pandas = pd.DataFrame(snapshot(7).to_dicts())
    for other in (signs, pandas, snapshot(7).lazy()):
        assert market.open_interest(other).series.equals(plain.series)
    closes = snapshot(7).rename({"ltp": "close"})
    with pytest.raises(ValueError, match="unit: expected 'contracts' or 'units'"):
        market.open_interest(closes)
    assert market.open_interest(closes, unit="units").unit == "units"
    assert isinstance(plain.to_frame("walls", pandas=True), pd.DataFrame)


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        (snapshot(7).drop("oi"), "lack oi"),
        (snapshot(7).drop("ltp"), r"lack ltp \(or price, close\)"),
        (snapshot(7).head(0), "no rows"),
        (snapshot(7).with_columns(right=pl.lit("XX")), "6 rows have no time, expiry, strike or right"),
        (snapshot(7).with_columns(oi=-1.0), "6 rows have a negative quantity"),
        (snapshot(7).with_columns(strike=0.0), "6 rows have a negative quantity, a strike"),
        (snapshot(7).with_columns(ltp=float("inf")), "an infinite number"),
        (pl.concat([snapshot(7), snapshot(8).with_columns(underlying=pl.lit("BANKNIFTY"))]), "rows of one underlying"),
        (pl.concat([snapshot(7), snapshot(7 + 1440)]), "rows of one session, got 2025-01-02, 2025-01-03"),
    ],
)
def test_rows_that_cannot_be_used_are_refused(frame: pl.DataFrame, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        market.open_interest(frame)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("interval", 0), ("interval", 1.5), ("steps", 0), ("price_move", -1), ("oi_move", float("nan")),
        ("max_age", -1), ("unit", "lots"),
    ],
)  # fmt: skip
def test_arguments_are_checked(name: str, wrong: Any) -> None:
    with pytest.raises(ValueError, match=name):
        market.open_interest(snapshot(7), **{name: wrong})


def test_what_is_no_frame_or_time_is_refused() -> None:
    with pytest.raises(TypeError, match="DataFrame"):
        market.open_interest({"ts": 1})
    with pytest.raises(TypeError, match="moments"):
        market.open_interest(snapshot(7).with_columns(ts=pl.lit(7)))
    found = market.open_interest(snapshot(7))
    for call in (
        lambda: found.plot("pie"), lambda: found.to_frame("x"), lambda: found.leaders(0),
        lambda: found.leaders(over="x"), lambda: found.strikes(expiry="2025-01-16"),
        lambda: found.strikes(at=datetime(2025, 1, 2)), lambda: found.strikes(at="noon"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"expected|there is no"):
            call()


def three_moments() -> pl.DataFrame:
    later = snapshot(20, calls=(10, 90, 20), puts=(35, 19, 5)), snapshot(40, calls=(11, 85, 10), puts=(30, 19, 5))
    return pl.concat([snapshot(7), *later])


def test_leaders_and_strikes_at_a_time() -> None:
    found = market.open_interest(three_moments())
    assert found.leaders(2)["oi_session_change"].to_list() == [45.0, -20.0]
    assert found.leaders(1, over="interval")["oi_change"].to_list() == [-10.0]
    assert found.leaders(5, at="09:45").select("strike", "right", "oi_session_change").rows() == [
        (24_000.0, "CE", 50.0), (24_100.0, "CE", -10.0), (24_000.0, "PE", -1.0),
    ]  # fmt: skip
    assert found.leaders(9, expiry=EXPIRY).height == found.leaders(9).height == 5
    at = found.strikes(at=datetime(2025, 1, 2, 4, 15, tzinfo=UTC))
    assert at.row(1) == (24_000.0, 90.0, 19.0, 50.0, -1.0)
    assert found.strikes().row(1) == (24_000.0, 85.0, 19.0, 45.0, -1.0)


def test_pictures_hold_the_numbers() -> None:
    found = market.open_interest(three_moments())
    bars = {trace.name: trace for trace in found.plot("strikes").data}
    assert list(bars["Calls"].x) == [11, 85, 10]
    assert list(bars["Puts"].x) == [-30, -19, -5]
    assert (bars["Calls, added"].base[1], bars["Calls, added"].x[1]) == (40, 45)
    assert (bars["Puts, gone"].base[0], bars["Puts, gone"].x[0]) == (-30, -5)
    lines = {trace.name: list(trace.y) for trace in found.plot("pcr").data}
    assert lines["max pain"] == found.series.filter(expiry=EXPIRY)["max_pain"].to_list()
    assert lines["PCR, open interest"][0] == 0.75
    heat = found.plot("change").data[0]
    assert [list(line) for line in heat.z][1] == [0.0, 50.0, -5.0]
    assert heat.x[0] == datetime(2025, 1, 2, 9, 30)
    words = found.plot("buildup", at="09:45").data[0].text
    assert len(words[0]) == 2
    for kind in ("strikes", "change", "pcr", "buildup"):
        for frame in (snapshot(7), snapshot(7, calls=(None,) * 3, puts=(0, 0, 0)).drop("spot", "underlying")):
            assert market.open_interest(frame).plot(kind).data


def test_repr_is_a_short_table() -> None:
    text = repr(market.open_interest(three_moments()))
    assert text.splitlines()[0] == "Open interest of NIFTY 2025-01-02, in contracts"
    assert "3 from 09:22 to 09:55; spot as the money" in text
    assert "2025-01-09  PCR 0.51; calls 106, puts 54; max pain 24000, walls 23900 / 24000" in text
    assert "<table>" in market.open_interest(snapshot(7))._repr_html_()


# --- minutes -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def day() -> market.ChainDay:
    return market.simulate("NIFTY", sessions=1, start="2024-01-01", strikes=9, expiries=2, seed=11)[0]


def test_minutes_are_units_known_at_their_end(day: market.ChainDay) -> None:
    found = market.open_interest(day)
    assert (found.unit, found.reference, found.underlying) == ("units", "spot", "NIFTY")
    minute = 200
    row = found.series.filter(expiry=found.expiries[1]).row(minute, named=True)
    assert row["ts"].timestamp() * 1e9 == day.ts[minute] + 60e9
    assert row["avail_ts"] == row["ts"]
    assert row["call_oi"] == day.oi[1, :, 0, minute].sum()
    traded = np.where(day.volume == MISSING, 0, day.volume)
    assert row["put_volume"] == traded[1, :, 1, : minute + 1].sum()
    assert row["spot"] == day.spot[minute] / 100
    assert found.walls["wall"].cast(pl.String).unique().sort().to_list() == ["resistance", "support"]
    volume = found.buildup.filter(expiry=found.expiries[0])["volume"].sum()
    assert volume == traded[0].sum()


def test_open_interest_stands_between_trades(day: market.ChainDay) -> None:
    oi = day.oi.copy()
    oi[0, 3, 0, 100:110] = MISSING
    holed = dataclasses.replace(day, oi=oi)
    found = market.open_interest(holed).series.filter(expiry=date(2024, 1, 4)).row(104, named=True)
    assert (found["contracts"], found["oldest"]) == (18, 5.0)
    assert found["call_oi"] == oi[0, [0, 1, 2, 4, 5, 6, 7, 8], 0, 104].sum() + oi[0, 3, 0, 99]
    bare = market.open_interest(holed, max_age=0).series.filter(expiry=date(2024, 1, 4)).row(104, named=True)
    assert (bare["contracts"], bare["oldest"]) == (17, 0.0)
