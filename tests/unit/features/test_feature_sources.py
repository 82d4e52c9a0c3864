"""Bars out of the market store: which future, which columns, what is missing."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from algomaster import features, market
from algomaster.core.errors import DataError
from algomaster.features.sources import BAR_COLUMNS, bars
from algomaster.features.store import Table, View, materialize
from algomaster.market.loading import store_days
from algomaster.market.store import Store
from feature_home import days, fill, minutes

DAY, NEXT = days(2)


def future(day, expiry, *, close, volume, rows=slice(None)):
    base = minutes("NIFTY", day)[rows]
    return base.with_columns(
        pl.lit(expiry, pl.Date).alias("expiry"),
        pl.lit(close).alias("close"),
        pl.lit(volume, pl.Int64).alias("volume"),
        pl.lit(2 * volume, pl.Int64).alias("oi"),
    )


def test_index_minutes_alone_are_enough(tmp_path):
    found = bars("NIFTY", DAY, NEXT, home=fill(tmp_path, 2))
    assert found.columns == ["underlying", "session", "ts", *BAR_COLUMNS]
    assert found.height == 750
    assert found["ts"].is_sorted()
    assert found.select("open", "high", "low", "close").equals(
        pl.concat([minutes("NIFTY", DAY), minutes("NIFTY", NEXT)]).select("open", "high", "low", "close")
    )
    assert all(found[name].is_nan().all() for name in ("volume", "oi", "future", "vix", "peer"))


def test_the_nearest_living_future_gives_volume(tmp_path):
    store = Store(fill(tmp_path, 2))
    store.write("future_minute", future(DAY, DAY, close=1.0, volume=10))  # expires today: still the nearest
    store.write("future_minute", future(DAY, NEXT, close=2.0, volume=20))
    store.write("future_minute", future(NEXT, NEXT + timedelta(days=30), close=3.0, volume=30, rows=slice(5, None)))
    store.write("future_minute", future(NEXT, DAY, close=4.0, volume=40))  # expired yesterday
    store.write("future_minute", future(NEXT, None, close=5.0, volume=50))  # continuous, while a dated one is there
    found = bars("NIFTY", DAY, NEXT, home=tmp_path)
    first, second = found[:375], found[375:]
    assert first.select("volume", "oi", "future").unique().rows() == [(10.0, 20.0, 1.0)]
    assert second[:5].select(pl.col("volume", "oi", "future").is_nan().all()).row(0) == (True, True, True)
    assert second[5:].select("volume", "oi", "future").unique().rows() == [(30.0, 60.0, 3.0)]


def test_a_continuous_series_does_where_no_dated_one_is(tmp_path):
    Store(fill(tmp_path, 1)).write("future_minute", future(DAY, None, close=5.0, volume=50))
    assert bars("NIFTY", DAY, DAY, home=tmp_path)["volume"].unique().to_list() == [50.0]


def test_the_volatility_index_and_the_peer_come_by_their_minute(tmp_path):
    fill(tmp_path, 2, underlyings=("NIFTY", "BANKNIFTY"))
    Store(tmp_path).write("index_minute", minutes("INDIAVIX", DAY)[10:])
    found = bars("NIFTY", DAY, NEXT, home=tmp_path, columns=["vix", "peer"])
    assert found.columns == ["underlying", "session", "ts", "open", "high", "low", "close", "vix", "peer"]
    assert found["peer"][:375].to_list() == minutes("BANKNIFTY", DAY)["close"].to_list()
    assert found["vix"][10:375].to_list() == minutes("INDIAVIX", DAY)["close"][10:].to_list()
    assert found["vix"].is_nan().sum() == 10 + 375
    assert bars("BANKNIFTY", DAY, DAY, home=tmp_path)["peer"].to_list() == minutes("NIFTY", DAY)["close"].to_list()


def test_what_is_not_there_is_told(tmp_path):
    fill(tmp_path, 1)
    with pytest.raises(DataError, match=r"no index minutes of NIFT from .* it holds: NIFTY .* Did you mean NIFTY\?"):
        bars("NIFT", DAY, NEXT, home=tmp_path)
    with pytest.raises(ValueError, match="columns: expected some of"):
        bars("NIFTY", DAY, NEXT, home=tmp_path, columns=["nope"])
    with pytest.raises(ValueError, match="not before the start"):
        bars("NIFTY", NEXT, DAY, home=tmp_path)


def test_a_session_made_up_in_part_is_refused(tmp_path):
    store = Store(tmp_path)
    store.write("index_minute", minutes("NIFTY", DAY)[:100], simulated=True)
    store.write("index_minute", minutes("NIFTY", DAY)[100:])
    with pytest.raises(DataError, match=f"real and simulated minutes of NIFTY {DAY}"):
        bars("NIFTY", DAY, DAY, home=tmp_path)


def test_columns_of_the_chain_come_from_the_sessions_that_have_one(tmp_path, monkeypatch):
    """The columns themselves are the library's matter: here they are two sums that can be told apart."""
    simulated = market.simulate("NIFTY", sessions=2, start="2024-01-01", strikes=5, seed=3)
    store_days(Store(tmp_path), simulated)
    (tmp_path / "store" / "option_minute" / "NIFTY" / f"{simulated[0].session}.parquet").unlink()
    asked = []

    def chain_inputs(day):
        asked.append(day.session)
        return pl.DataFrame({"ts": day.ts, "made_up": day.oi[0].sum(axis=(0, 1)).astype(np.float64), "other": day.vix})

    monkeypatch.setattr(features, "chain_inputs", chain_inputs, raising=False)
    usual = features.get
    like = usual("MA5")
    renamed = Reading(like, "made_up")
    monkeypatch.setattr(features, "get", lambda name: renamed if name == "MA5" else usual(name), raising=False)
    computed = []
    compute = features.compute

    def spied(frame, names):
        computed.append(frame)
        return compute(frame, names)

    monkeypatch.setattr(features, "compute", spied, raising=False)
    view = View("chain", underlying="NIFTY", features=["MA5", "KMID"])
    built = materialize(view, simulated[0].session, simulated[1].session, home=tmp_path, workers=1)
    assert built.written == 2
    assert asked == [simulated[1].session]
    whole = max(computed, key=len)
    assert whole.columns == ["ts", "open", "high", "low", "close", "made_up"]
    assert whole["made_up"].is_nan().sum() == 375
    assert whole["made_up"][375:].to_list() == simulated[1].oi[0].sum(axis=(0, 1)).astype(float).tolist()
    assert Table(view, tmp_path).read().height == 750


class Reading:
    """A feature that says it reads one more column."""

    def __init__(self, feature, column):
        self._feature = feature
        self.inputs = (*feature.inputs, column)

    def __getattr__(self, name):
        return getattr(self._feature, name)


def test_dates_may_be_text(tmp_path):
    found = bars("NIFTY", str(DAY), str(DAY), home=fill(tmp_path, 1))
    assert found["session"].unique().to_list() == [date.fromisoformat(str(DAY))]
