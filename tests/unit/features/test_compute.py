"""The doors: frames in, frames out, and what is said of bad input."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

from algomaster import features
from algomaster.core.errors import CatalogueError, DataError
from feature_bars import bars

NAMES = ["MA5", "ROC10", "RSV20"]


def test_ts_and_underlying_come_back_as_they_came() -> None:
    frame = bars(1, 50).with_columns(underlying=pl.lit("NIFTY"))
    found = features.compute(frame, NAMES)
    assert found.columns == ["ts", "underlying", *NAMES]
    assert found["ts"].equals(frame["ts"])
    assert found.dtypes[2:] == [pl.Float64] * 3


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York"])
@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_a_moment_is_a_moment_in_any_zone_and_unit(zone: str, unit: str) -> None:
    frame = bars(2, 40)
    other = frame.with_columns(pl.col("ts").dt.convert_time_zone(zone).dt.cast_time_unit(unit))  # type: ignore[arg-type]
    assert features.compute(other, NAMES).drop("ts").equals(features.compute(frame, NAMES).drop("ts"))
    whole = frame.with_columns(pl.col("ts").dt.timestamp("ns"))
    assert features.compute(whole, NAMES).drop("ts").equals(features.compute(frame, NAMES).drop("ts"))
    panda = frame.to_pandas()
    panda["ts"] = panda["ts"].dt.tz_convert(zone).dt.as_unit(unit)
    assert np.array_equal(
        features.compute(panda, NAMES)[NAMES].to_numpy(),
        features.compute(frame, NAMES).select(NAMES).to_numpy(),
        equal_nan=True,
    )


def test_times_need_a_zone() -> None:
    frame = bars(1, 10)
    for bad in (
        frame.with_columns(pl.col("ts").dt.replace_time_zone(None)),
        frame.to_pandas().assign(ts=pd.Timestamp(0)),
    ):
        with pytest.raises(ValueError, match="with a zone"):
            features.compute(bad, NAMES)
    with pytest.raises(ValueError, match="missing"):
        features.compute(frame.with_columns(ts=pl.lit(None, pl.Datetime("ns", "UTC"))), NAMES)
    with pytest.raises(TypeError, match="times"):
        features.compute(frame.with_columns(ts=pl.lit("now")), NAMES)


def test_what_every_bar_has_must_be_there() -> None:
    frame = bars(1, 10)
    with pytest.raises(DataError, match="lacking: close"):
        features.compute(frame.drop("close"), NAMES)
    with pytest.raises(TypeError, match="close: expected numbers"):
        features.compute(frame.with_columns(close=pl.lit("high")), NAMES)


def test_other_inputs_that_are_not_there_make_nan() -> None:
    found = features.compute(bars(1, 30).drop("volume"), ["MA5", "VMA5"])
    assert found["VMA5"].is_nan().all()
    assert found["MA5"].is_finite().sum() == 26


def test_names_are_checked() -> None:
    frame = bars(1, 10)
    with pytest.raises(CatalogueError, match="MA5"):
        features.compute(frame, ["MA55"])
    with pytest.raises(ValueError, match="twice: MA5"):
        features.compute(frame, ["MA5", "MA5"])
    with pytest.raises(ValueError, match="none"):
        features.compute(frame, [])
    with pytest.raises(CatalogueError, match="algo170"):
        features.preset("algo17")


def test_underlyings_are_histories_of_their_own_whatever_their_order() -> None:
    one, two = (bars(2, 60, seed=n).with_columns(underlying=pl.lit(name)) for n, name in enumerate("AB"))
    apart = [features.compute(each, NAMES) for each in (one, two)]
    turns = pl.concat([two, one]).sort("ts", maintain_order=True)
    for workers in (1, 2):
        found = features.compute(turns, NAMES, workers=workers)
        assert found["underlying"].equals(turns["underlying"])
        for name, each in zip("AB", apart):
            assert found.filter(pl.col("underlying") == name).equals(each, null_equal=True)


def test_a_bar_comes_once_and_in_order() -> None:
    frame = bars(1, 10)
    with pytest.raises(DataError, match="ascending"):
        features.compute(frame.reverse(), NAMES)
    with pytest.raises(DataError, match="of B in ascending"):
        features.compute(pl.concat([frame, frame]).with_columns(underlying=pl.lit("B")), NAMES)
    live = features.online(NAMES)
    rows = frame.rows(named=True)
    live.update(rows[0])
    before = live.state()
    with pytest.raises(DataError, match="after the last one"):
        live.update(rows[0])
    assert live.state() == before


def test_a_bar_as_a_mapping_or_a_row() -> None:
    frame = bars(1, 20)
    named, plain = features.online(NAMES), features.online(NAMES)
    for bar in frame.rows(named=True):
        moment = bar["ts"]
        whole = (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(seconds=1)
        row = [float(whole)] + [bar[name] for name in plain.inputs[1:]]
        assert np.array_equal(named.update({**bar, "more": 1}), plain.update(row), equal_nan=True)
    with pytest.raises(ValueError, match="expected numbers"):
        plain.update([1.0])
    with pytest.raises(DataError, match="'ts'"):
        named.update({"close": 1.0})
    with pytest.raises(ValueError, match="zone"):
        named.update({"ts": dt.datetime(2030, 1, 1), "close": 1.0})


def test_a_state_is_of_its_features() -> None:
    state = features.online(["MA5"]).state()
    with pytest.raises(DataError, match="other features"):
        features.online(["MA10"], state=state)
    features.online(["MA5"], state=state)


def test_several_underlyings_in_one_call() -> None:
    frames = {name: bars(1, 30, seed=n) for n, name in enumerate("ABC")}
    live = features.online(NAMES, underlyings=frames)
    found = [
        live.update(dict(zip(frames, rows))) for rows in zip(*(frame.rows(named=True) for frame in frames.values()))
    ]
    for n, frame in enumerate(frames.values()):
        alone = features.compute(frame, NAMES).select(NAMES).to_numpy()
        assert np.array_equal(np.array(found)[:, n], alone, equal_nan=True)
    with pytest.raises(DataError, match="one moment"):
        live.update({"A": {"ts": 2 * 10**18}, "B": {"ts": 3 * 10**18}})


def test_a_missing_underlying_has_a_missing_bar() -> None:
    frame = bars(1, 12)
    live = features.online(["MA5"], underlyings=["A", "B"])
    found = np.array([live.update({"A": bar}) for bar in frame.rows(named=True)])
    assert np.isnan(found[:, 1]).all()
    assert np.isfinite(found[4:, 0]).all()


def test_a_feature_shows_itself() -> None:
    feature = features.get("RANK10")
    assert "Rank(c,n)" in repr(feature)
    assert "Rank(c,n)" in feature._repr_html_()
    page = feature.page()
    assert page.startswith("## RANK10")
    assert "**warm up**: 9" in page


def test_ones_own_feature_is_checked() -> None:
    with pytest.raises(CatalogueError, match="built-in"):
        features.define("MA5", features.get("MA5").expression, formula="x")
    with pytest.raises(TypeError, match="state"):

        @features.feature(formula="c")
        def wrong(close: float) -> float:
            return close


def test_nothing_but_bars_no_value() -> None:
    found = features.compute(bars(1, 10)[:0], NAMES)
    assert found.height == 0
    assert found.columns == ["ts", *NAMES]
