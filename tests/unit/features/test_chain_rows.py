"""Rows of a chain: what they hold, what they do where something lacks, and what they say about wrong arguments."""

import dataclasses
import importlib

import numpy as np
import pandas as pd
import polars as pl
import pytest

from algomaster import features
from algomaster.core.errors import DataError
from algomaster.core.types import MISSING
from algomaster.features.catalogue import chain, surface
from algomaster.features.kernels.snapshot_arrays import COLUMNS
from algomaster.features.sessions_frame import frame_of_days
from algomaster.market import Days
from chain_sessions import simulated
from hand_made import blank, flat_index

NAMES = [feature.name for feature in (*chain.FEATURES, *surface.FEATURES)]
BARS = ["ts", "open", "high", "low", "close", "volume", "oi", "future", "vix"]


@pytest.fixture(scope="module")
def days():
    return simulated(2, strikes=21, expiries=2, start="2024-01-04")


def column(frame, name):
    return frame[name].to_numpy()


def test_a_row_a_minute_with_the_bar_and_the_chain(days):
    day = days[0]
    found = features.chain_inputs(day)
    assert found.columns == [*BARS, *COLUMNS]
    assert found["ts"].dtype == pl.Datetime("ns", "UTC")
    assert found["ts"].to_physical().to_list() == day.ts.tolist()
    np.testing.assert_array_equal(column(found, "close"), day.spot / 100)
    np.testing.assert_array_equal(column(found, "future"), day.future / 100)
    np.testing.assert_array_equal(column(found, "vix"), day.vix / 100)
    np.testing.assert_array_equal(column(found, "volume"), day.volume.sum(axis=(0, 1, 2)))
    assert np.isnan(column(found, "oi")).all()


def test_every_column_and_every_input_is_told():
    about = importlib.import_module("algomaster.features.chain_rows").ABOUT_CHAIN
    assert tuple(about) == COLUMNS
    bars = {"ts", "open", "high", "low", "close", "volume", "oi", "vix"}
    assert {name for each in NAMES for name in features.get(each).inputs} <= {*COLUMNS, *bars}


def test_the_volume_of_a_future_takes_the_place_of_the_options(days):
    day = days[0]
    volume, oi = np.arange(375) * 50, 1_000_000 + np.arange(375) * 25
    table = pl.DataFrame({"ts": day.ts, "volume": volume, "oi": oi})
    found = features.chain_inputs(day, future=table[3:].sample(fraction=1.0, shuffle=True, seed=1))
    np.testing.assert_array_equal(column(found, "volume")[3:], volume[3:])
    np.testing.assert_array_equal(column(found, "oi")[3:], oi[3:])
    assert np.isnan(column(found, "oi")[:3]).all()
    assert features.compute(found, ["buildup_state"])["buildup_state"].to_numpy()[4:].max() <= 2.0  # oi only rises
    only = features.chain_inputs(day, future=pd.DataFrame({"ts": day.ts, "oi": oi}))
    np.testing.assert_array_equal(column(only, "volume"), day.volume.sum(axis=(0, 1, 2)))
    with pytest.raises(DataError, match="expected columns ts and volume, oi or both"):
        features.chain_inputs(day, future=pl.DataFrame({"ts": day.ts}))


def test_without_volatilities_the_rest_is_the_same(days):
    whole, bare = features.chain_inputs(days[0]), features.chain_inputs(days[0], volatility=False)
    cut = COLUMNS.index("iv_near")
    assert whole.select(BARS[0], *COLUMNS[:cut]).equals(bare.select(BARS[0], *COLUMNS[:cut]))
    assert np.isnan(bare.select(COLUMNS[cut:]).to_numpy()).all()


def test_one_minute_is_a_row_of_all(days):
    whole = features.chain_inputs(days[0])
    for i in (0, 200, 374):
        row = features.snapshot_row(days[0], i)
        np.testing.assert_array_equal(list(row.values())[1:], whole.row(i)[1:])
        assert row["ts"] == days[0].ts[i]


def test_the_sign_of_dealers_and_the_rate_are_parameters(days):
    plain, other = features.chain_inputs(days[0]), features.chain_inputs(days[0], sign=(-1.0, 1.0))
    np.testing.assert_array_equal(column(plain, "gex_net"), -column(other, "gex_net"))
    np.testing.assert_allclose(column(plain, "gex_flip"), column(other, "gex_flip"), rtol=1e-12)
    dear = features.chain_inputs(days[0], rate=0.2)
    assert not np.array_equal(column(plain, "iv_near"), column(dear, "iv_near"))
    with pytest.raises(ValueError, match="rate: expected a rate a year between -1 and 1"):
        features.chain_inputs(days[0], rate=6.5)
    with pytest.raises(ValueError, match="minutes: expected some of 0 to 374, got 375"):
        features.snapshot_row(days[0], 375)


def test_the_next_expiry_steps_in_when_the_nearest_has_ended(days):
    """The first session ends an expiry: its last row, and the next session's, are of the following week."""
    last, first = features.chain_inputs(days[0]), features.chain_inputs(days[1])
    assert column(last, "near_expiry")[:374].tolist() == [days[0].expiries[0]] * 374
    assert column(last, "near_expiry")[374] == column(first, "near_expiry")[0] == days[0].expiries[1]
    assert column(last, "t_near")[373] == 1 / (252 * 375)
    assert np.isnan(column(last, "t_next")[374])
    found = features.compute(days, ["d_pcr_15m", "d_iv_atm_day", "atm_vega_ratio", "iv_atm"])
    assert np.isnan(found["d_pcr_15m"][374])
    assert np.isnan(found["d_iv_atm_day"][374])
    assert np.isfinite(column(found, "iv_atm")).all()
    assert np.isfinite(column(found, "atm_vega_ratio")[60:]).all()  # changes of one expiry, from one to the next


def test_the_only_expiry_ends_without_another(days):
    (day,) = simulated(1, strikes=9, expiries=1, start="2024-01-04")
    found = features.chain_inputs(day)
    assert np.isnan(found.select(COLUMNS).to_numpy()[374]).all()
    assert np.isnan(column(found, "iv_next")).all()
    np.testing.assert_array_equal(column(found, "iv_month"), column(found, "iv_near"))


def test_expiries_that_are_over_do_not_count(days):
    day = days[0]
    stale = dataclasses.replace(day, expiries=(day.expiries - np.array([7, 0])).astype(np.int32))
    found = features.chain_inputs(stale)
    assert set(column(found, "near_expiry").tolist()) == {float(day.expiries[1])}


def test_a_session_whose_expiries_are_all_over_has_no_chain(days):
    day = days[0]
    found = features.chain_inputs(dataclasses.replace(day, expiries=(day.expiries - 30).astype(np.int32)))
    assert np.isnan(found.select(COLUMNS).to_numpy()).all()
    assert np.isfinite(column(found, "close")).all()


def test_an_expiry_beyond_the_calendar_has_no_volatility(days):
    day = days[0]
    far = dataclasses.replace(day, expiries=np.array([day.expiries[0], 30_000], np.int32))
    found = features.chain_inputs(far)
    assert np.isnan(column(found, "iv_next")).all()
    assert np.isfinite(column(found, "iv_near")[:374]).all()


def test_a_session_without_quotes_open_interest_or_trades_is_missing_throughout():
    day = flat_index(blank(minutes=20, expiries=2), 100)
    found = features.compute(day, NAMES)
    assert np.isnan(found.drop("ts").to_numpy()).all()
    assert np.isnan(features.chain_inputs(day).select("volume", "oi_c", "max_pain").to_numpy()).all()


def test_open_interest_of_nothing_gives_no_ratio():
    day = flat_index(blank(minutes=5), 100)
    day.oi[:] = 0
    day.volume[:] = 0
    found = features.compute(day, NAMES).drop("ts")
    assert np.isnan(found.to_numpy()).all()


def test_one_strike_holds_all():
    day = flat_index(blank(minutes=5), 100)
    day.oi[0, 2] = 100
    found = features.compute(day, ["oi_hhi_c", "oi_entropy_p", "max_pain_dist", "oi_com_c", "oi_wall_up", "pcr_oi"])
    assert found.row(4)[1:5] == (1.0, 0.0, 0.0, 0.0)
    assert np.isnan(found["oi_wall_up"][4])
    assert found["pcr_oi"][4] == 1.0


def test_constant_prices():
    """Nothing moves: changes are 0, what divides by a movement is missing."""
    day = flat_index(blank(minutes=80, strikes=9, expiries=2, step=1), 100)
    for k, strike in enumerate(day.strikes / 100):
        for r, right in enumerate((1, -1)):
            value = max(right * (100 - strike), 0) + 2 * np.exp(-abs(strike - 100) / 4)
            for name in ("open", "high", "low", "close"):
                getattr(day, name)[0, k, r] = round(value * 20)
                getattr(day, name)[1, k, r] = round(value * 30)
    day.oi[:] = 50
    found = features.compute(day, NAMES)
    assert found["d_pcr_15m"][40] == 0.0
    assert found["d_iv_atm_day"][79] != 0.0  # time passes: the same price is more volatility
    assert found["used_move"][79] == 0.0
    for name in ("corr_s_iv_60", "iv_rv_ratio", "atm_theta_ratio"):
        assert np.isnan(found[name][79]), name
    assert 0.0 < found["iv_atm"][79] < 2.0


def test_the_level_is_the_forward_until_the_index_is_seen(days):
    day = days[1]
    hidden = day.spot.copy()
    hidden[:10] = MISSING
    hidden[50] = MISSING
    found = features.chain_inputs(dataclasses.replace(day, spot=hidden))
    level, forward = column(found, "chain_level"), column(found, "forward")
    np.testing.assert_array_equal(level[:10], forward[:10])
    np.testing.assert_array_equal(level[10:50], day.spot[10:50] / 100)
    assert np.isnan(level[50])
    assert np.isfinite(column(found, "iv_near")[50])
    assert np.isnan(column(found, "gex_net")[50])


def test_one_wild_price_does_not_move_the_forward(days):
    day = days[1]
    plain = features.snapshot_row(day, 100)
    k = int(np.argmin(np.abs(day.strikes / 100 - plain["forward"]))) + 1
    wild = {name: getattr(day, name).copy() for name in ("bid", "ask")}
    for values in wild.values():
        values[0, k, 0, 100] += 200
    found = features.snapshot_row(dataclasses.replace(day, **wild), 100)
    assert found["forward"] == pytest.approx(plain["forward"], abs=0.2)


def test_frames_of_days(days):
    one, two = frame_of_days(days[0], NAMES), frame_of_days(list(days), NAMES)
    assert (one.height, two.height) == (375, 750)
    assert frame_of_days(days, ["KMID"]).columns == BARS
    bare = frame_of_days(days, ["pcr_oi"])
    assert np.isnan(column(bare, "iv_near")).all()
    assert np.isfinite(column(bare, "pcr_oi")).all()
    whole = features.compute(days, ["iv_atm", "pcr_oi"])
    assert whole.columns == ["ts", "iv_atm", "pcr_oi"]
    assert isinstance(days, Days)


def test_several_underlyings_are_histories_of_their_own(days):
    other = dataclasses.replace(days[0], underlying="BANKNIFTY")
    both = features.compute([*days, other], ["d_pcr_15m"])
    alone = features.compute(days, ["d_pcr_15m"])
    assert both.columns == ["ts", "underlying", "d_pcr_15m"]
    found = both.filter(underlying="NIFTY")["d_pcr_15m"].to_numpy()
    np.testing.assert_array_equal(found, alone["d_pcr_15m"].to_numpy())


@pytest.mark.parametrize("wrong", [{"close": [1.0]}, 7, "NIFTY", [1, 2], np.zeros((3, 4))])
def test_what_is_no_session_is_refused(wrong):
    with pytest.raises(
        TypeError, match="data: expected a polars or pandas DataFrame of bars, a ChainDay, Days or a list"
    ):
        features.compute(wrong, ["pcr_oi"])


def test_no_session_is_refused():
    with pytest.raises(ValueError, match="data: expected at least one session, got none"):
        features.compute([], ["pcr_oi"])


def test_a_frozen_session_and_one_from_the_disk_give_the_same(days, tmp_path):
    day = days[0]
    plain = features.chain_inputs(day)
    day.save(tmp_path / "day")
    assert features.chain_inputs(type(day).open_folder(tmp_path / "day")).equals(plain)
    assert day.spot.flags.writeable  # reading a session does not freeze it
    assert features.chain_inputs(day.freeze()).equals(plain)
