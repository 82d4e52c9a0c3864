"""Chains from sessions, snapshots, files and the store."""

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from algomaster import market
from algomaster.core.errors import DataError, DataWarning
from algomaster.core.types import MISSING
from algomaster.market.chains import chain_from_frame
from algomaster.market.clock import expiry_ns, t_business

AT = datetime(2024, 1, 2, 10, 15)


@pytest.fixture(scope="module")
def day():
    return market.simulate("NIFTY", sessions=2, start="2024-01-01", seed=7)[1]


def test_a_session_at_a_time_of_day_shows_the_bar_that_has_closed(day):
    chain = market.chain_at(day, "10:15")
    i = 10 * 60 + 15 - day.first_minute - 1
    assert chain.spot == day.spot[i] / 100
    row = chain.to_frame().sort((pl.col("strike") - chain.spot).abs()).row(0, named=True)
    e, k, r = day.expiry_dates.index(row["expiry"]), list(day.strikes).index(row["strike"] * 100), row["right"] == "PE"
    assert row["bid"] == day.bid[e, k, int(r), i] * day.tick / 100
    assert row["price"] == (row["bid"] + row["ask"]) / 2
    assert row["oi"] == day.oi[e, k, int(r), i]
    now = int(day.ts[i]) + 60_000_000_000
    assert chain.years[0] == (expiry_ns(row["expiry"]) - now) / (365 * 86_400 * 10**9)
    assert (
        market.chain_at(day, "10:15", prices="last")
        .to_frame()
        .row(by_predicate=(pl.col("strike") == row["strike"]) & (pl.col("right") == row["right"]), named=True)["price"]
        == row["ltp"]
    )


def test_the_future_does_not_matter(day):
    import dataclasses

    i = 10 * 60 + 15 - day.first_minute - 1
    changed = {}
    for name in ("close", "bid", "ask", "oi", "volume", "spot"):
        values = getattr(day, name).copy()
        values[..., i + 1 :] = MISSING
        changed[name] = values
    now, blind = (market.chain_at(d, "10:15").implied_vols() for d in (day, dataclasses.replace(day, **changed)))
    assert now.to_frame().equals(blind.to_frame())


def test_business_time(day):
    chain = market.chain_at(day, "10:15", clock="business")
    now = int(day.ts[10 * 60 + 14 - day.first_minute]) + 60_000_000_000
    expected = t_business(np.int64(now), np.int64(expiry_ns(date.fromisoformat(chain.labels[0]))))
    assert chain.years[0] == pytest.approx(float(expected), rel=1e-14)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"at": "09:15"}, "expected a time from 09:16 to 15:30"),
        ({"at": "16:00"}, "expected a time from 09:16"),
        ({"at": "noon"}, "expected a time of day"),
        ({"at": "10:15", "clock": "lunar"}, "clock: expected one of calendar, business"),
        ({"at": "10:15", "prices": "best of"}, "prices: expected one of"),
    ],
)
def test_what_is_refused(day, settings, told):
    with pytest.raises(ValueError, match=told):
        market.chain_at(day, **settings)


def test_expired_contracts_and_rows_without_a_price_are_left_out():
    frame = pl.DataFrame(
        {
            "expiry": [date(2024, 1, 4), date(2024, 1, 11), date(2024, 1, 11)],
            "strike": [21000.0] * 3, "right": ["CE", "CE", "PE"], "bid": [10.0, 100.0, None], "ask": [11.0, 101.0, 2.0],
            "ltp": [10.0, 100.0, None],
        }
    )  # fmt: skip
    after = datetime(2024, 1, 4, 16, 0, tzinfo=UTC)
    assert chain_from_frame(frame, at=after, spot=21500.0).price.tolist() == [100.5]
    with pytest.raises(DataError, match="alive"):
        chain_from_frame(frame, at=datetime(2025, 1, 1, tzinfo=UTC))


def snapshot_rows(*, collected, price):
    ts = datetime(2024, 1, 2, 4, 45, tzinfo=UTC)
    rows = [
        {"underlying": "NIFTY", "session": date(2024, 1, 2), "ts": ts, "collected": collected,
         "expiry": date(2024, 1, 4), "strike": strike, "right": right, "bid": price, "ask": price + 1, "spot": 21700.0}
        for strike in (21600.0, 21700.0) for right in ("CE", "PE")
    ]  # fmt: skip
    return pl.DataFrame(rows).with_columns(
        pl.col("ts", "collected").cast(pl.Datetime("ns", "UTC")), pl.col("right").cast(pl.Enum(["CE", "PE"]))
    )


def test_the_store_gives_the_last_snapshot_that_was_collected_by_then_else_minutes(tmp_path, day):
    store = market.Store(tmp_path)
    store.write("chain_snapshot", snapshot_rows(collected=datetime(2024, 1, 2, 4, 50, tzinfo=UTC), price=100.0))
    chain = market.chain_from_store("NIFTY", datetime(2024, 1, 2, 10, 21), home=tmp_path)
    assert chain.price.tolist() == [100.5] * 4
    assert chain.spot == 21700.0
    with pytest.raises(DataError, match="NIFTY"):  # at 10:19 the snapshot was not there yet, and there are no minutes
        market.chain_from_store("NIFTY", datetime(2024, 1, 2, 10, 19), home=tmp_path)
    from algomaster.market.frames import frames_of

    for name, frame in frames_of(day).items():
        store.write(name, frame)
    minutes = market.chain_from_store("NIFTY", datetime(2024, 1, 2, 10, 19), home=tmp_path)
    assert (
        minutes.to_frame()
        .select("strike", "price")
        .equals(market.chain_at(day, "10:19").to_frame().select("strike", "price"))
    )


SITE = (
    "Fetch_Time,Symbol,Expiry_Date,Strike_Price,CALLS_LTP,PUTS_LTP,CALLS_Bid_Price,CALLS_Ask_Price,PUTS_Bid_Price,"
    "PUTS_Ask_Price,CALLS_OI,PUTS_OI,CALLS_Chng_in_OI,PUTS_Chng_in_OI,CALLS_Volume,PUTS_Volume,CALLS_IV,PUTS_IV,"
    "CALLS_Bid_Qty,PUTS_Bid_Qty,CALLS_Ask_Qty,PUTS_Ask_Qty"
)


def site_file(folder, *times):
    lines = [SITE]
    for number, time in enumerate(times):
        lines += [
            f"02-Jan-2024 {time},NIFTY,04-Jan-2024,{strike},{c},{p},{c},{c + 1 + number},{p},{p + 1}"
            ",1,2,0,0,5,6,0,0,1,1,1,1"
            for strike, c, p in ((21600, 180, 60), (21700, 120, 100), (21800, 70, 150))
        ]
    path = folder / "site.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_file_gives_its_last_snapshot_or_the_one_asked_for(tmp_path):
    path = site_file(tmp_path, "10:15:00", "10:16:00")
    assert market.chain_from_file(path).price[0] == 181.0
    assert market.chain_from_file(path, AT).price[0] == 180.5
    with pytest.raises(DataError, match="at or before"):
        market.chain_from_file(path, datetime(2024, 1, 2, 10, 14))
    with pytest.raises(DataError, match="no snapshot of BANKNIFTY"):
        market.chain_from_file(path, underlying="BANKNIFTY")


def test_a_file_with_unusable_rows_tells_and_a_file_without_chains_is_refused(tmp_path):
    path = site_file(tmp_path, "10:15:00")
    path.write_text(path.read_text() + path.read_text().splitlines()[1].replace("04-Jan-2024", "soon") + "\n")
    with pytest.warns(DataWarning, match="1 bad_time"):
        assert market.chain_from_file(path).price.size == 6
    other = tmp_path / "minutes.csv"
    other.write_text("date,open,high,low,close,volume\n2024-01-02 09:15:00+05:30,1,1,1,1,1\n")
    with pytest.raises(DataError, match=r"holds no chains|no known format"):
        market.chain_from_file(other)
