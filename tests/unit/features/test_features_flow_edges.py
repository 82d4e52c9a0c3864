"""Volume, microstructure and cross features where bars are odd: nothing infinite, nothing made up, nothing raised."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from algomaster import features
from algomaster.features import library
from algomaster.features.companion_columns import companions
from algomaster.market import calendar

NAMES = [name for name in library.names() if library.get(name).family in ("volume", "microstructure", "cross")]


def bars(size=400, **columns):
    found = calendar.sessions_from(date(2024, 4, 1), -(-size // 375))
    ts = np.concatenate([session.bar_starts() for session in found])[:size]
    close = 1000 * np.exp(np.cumsum(np.random.default_rng(8).normal(0, 1e-3, size)))
    given = {"open": close, "high": close * 1.001, "low": close * 0.999, "close": close, "volume": np.full(size, 50.0)}
    return companions(pl.DataFrame({"ts": ts, **given, **columns}), seed=9)


def finite(frame, *names):
    found = features.compute(frame, NAMES)
    values = found.select(NAMES).to_numpy()
    assert not np.isinf(values).any()
    for n, name in enumerate(NAMES):
        known = values[:, n][~np.isnan(values[:, n])]
        assert ((known >= library.get(name).low) & (known <= library.get(name).high)).all(), name
    return {name: found[name].to_numpy() for name in NAMES}


def test_a_price_that_never_moves():
    still = np.full(400, 500.0)
    found = finite(bars(open=still, high=still, low=still, close=still, peer=still))
    assert found["cmf_20"][-1] == found["obv_slope_20"][-1] == found["ad_slope_20"][-1] == 0.0
    assert found["tick_imb_20"][-1] == found["amihud_20"][-1] == found["roll_spread_60"][-1] == 0.0
    assert found["value_area_pos"][-1] == found["corwin_schultz_20"][-1] == found["vwap_slope_15"][374] == 0.0
    for name in ("hurst_rs_120", "var_ratio_5_60", "beta_bn_60", "corr_bn_60", "resid_bn_60", "regime_vol", "force_13"):
        assert np.isnan(found[name]).all(), name


def test_bars_without_volume():
    found = finite(bars(volume=np.zeros(400)))
    for name in ("vma_ratio_20", "obv_slope_20", "cmf_20", "amihud_20", "bvc_buy_share_20", "vpin_50", "value_area_pos",
                 "corr_c_v_20", "corr_r_dv_20", "wvma_20", "vsumd_20", "vwap_slope_15", "kyle_lambda_60"):  # fmt: skip
        assert np.isnan(found[name]).all(), name
    assert np.isfinite(found["hurst_rs_120"][-1])


def test_an_index_without_a_column_of_volume():
    found = finite(bars().drop("volume"))
    assert np.isnan(found["cmf_20"]).all()
    assert np.isfinite(found["corr_bn_60"][-1])


def test_a_missing_bar_leaves_as_it_came():
    """A window is missing as long as the bar is in it; a memory passes over it."""
    whole = bars()
    hole = whole.with_columns(
        pl.when(pl.int_range(400) == 200).then(None).otherwise(pl.col(name)).alias(name)
        for name in whole.columns
        if name not in ("ts",)
    )
    full, broken = finite(whole), finite(hole)
    for name in NAMES:
        assert np.isnan(broken[name][200]), name
        reach = 2 * 60 + 2
        if name in ("regime_vol", "cusum_state", "force_13", "value_area_pos", "vwap_slope_15"):
            continue
        np.testing.assert_array_equal(broken[name][200 + reach :], full[name][200 + reach :], err_msg=name)
    for name in ("regime_vol", "cusum_state", "force_13", "value_area_pos"):
        assert np.isfinite(broken[name][200 + 65 :]).all(), name
    np.testing.assert_allclose(broken["regime_vol"][-1], full["regime_vol"][-1], rtol=1e-6)


def test_sessions_of_one_bar():
    found = calendar.sessions_from(date(2024, 4, 1), 30)
    ts = np.array([session.open_ns for session in found])
    frame = bars(30).with_columns(ts=ts)
    values = finite(frame)
    assert np.isfinite(values["vol_tod_ratio"][20:]).all()
    assert np.isnan(values["vol_tod_ratio"][:20]).all()
    assert np.isfinite(values["value_area_pos"]).all()
    assert np.isnan(values["vwap_slope_15"]).all()


@pytest.mark.parametrize("name", ["value_area_pos", "vwap_slope_15"])
def test_a_session_does_not_know_the_one_before(name):
    both = bars(750)
    alone = both[375:]
    np.testing.assert_array_equal(
        features.compute(both, name)[name].to_numpy()[375:], features.compute(alone, name)[name].to_numpy()
    )


def test_a_huge_bar_fills_all_buckets_and_a_far_price_the_outermost_step():
    frame = bars(375 * 7)
    volume, close = np.full(375 * 7, 50.0), frame["close"].to_numpy().copy()
    volume[-20], close[-1] = 1e12, close[-2] * 3
    found = finite(frame.with_columns(volume=volume, close=close, high=np.maximum(close, frame["high"].to_numpy())))
    assert 0 <= found["vpin_50"][-20] <= 1
    assert np.isfinite(found["value_area_pos"][-1])


def test_a_book_with_an_empty_side():
    frame = bars().with_columns(bid_qty=pl.lit(0.0), ask_qty=pl.lit(0.0), bid=pl.col("ask"))
    found = finite(frame)
    assert np.isnan(found["microprice_dev"]).all()
    assert (found["spread_bps"] == 0.0).all()
