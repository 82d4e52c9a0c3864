"""Odd bars: flat prices, no volume, missing bars, sessions of one bar; and what the entries of the catalogue say."""

import numpy as np
import polars as pl
import pytest

from algomaster import features
from feature_bars import bars

FAMILIES = ("price", "trend", "momentum", "volatility")
NAMES = [name for name in features.preset("algo170") if features.get(name).family in FAMILIES]
OF_VOLUME = ["vwap_dist", "vwap_z", "mfi_14"]
PRICES = ("open", "high", "low", "close")


def values(frame: pl.DataFrame, names: list[str] = NAMES) -> dict[str, np.ndarray]:
    found = features.compute(frame, names)
    return {name: found[name].to_numpy() for name in names}


def test_the_list_is_complete() -> None:
    assert [sum(features.get(name).family == family for name in NAMES) for family in FAMILIES] == [16, 21, 18, 18]
    assert NAMES[0] == "ret_1"
    assert NAMES[-1] == "kurt_60"


def test_flat_prices() -> None:
    """What divides by a range or a deviation has nothing to divide by; the rest is exactly 0 or 1."""
    frame = bars(2, 130).with_columns(**{name: pl.lit(100.1) for name in PRICES})
    found = {name: value[-1] for name, value in values(frame).items()}
    missing = {name for name, value in found.items() if np.isnan(value)}
    assert missing == {
        "k_body", "k_upsh", "k_losh", "k_shift", "pos_day", "ema_cross_9_21", "ema_slope_21", "macd_12_26",
        "macd_sig_9", "macd_hist", "adx_14", "di_diff_14", "supertrend_dist", "lr_r2_20", "vwap_dist", "vwap_z",
        "kama_er_10", "rsi_14", "rsi_5", "stoch_k_14_3", "stoch_d_3", "willr_14", "cci_20", "mfi_14", "tsi_25_13",
        "cmo_14", "ult_osc_7_14_28", "rsv_20", "sumd_20", "mom_vol_adj_30", "autocorr_1_60", "jump_ratio_60",
        "semivar_ratio_60", "bb_pctb_20", "keltner_pos_20", "donch_pos_20", "skew_60", "kurt_60",
    }  # fmt: skip
    others = {"supertrend_dir_10_3": -1.0, "rank_c_20": 10.5 / 20, "rank_c_60": 30.5 / 60}
    for name in set(found) - missing:
        assert found[name] == pytest.approx(others.get(name, 0.0), abs=1e-12), name


def test_without_volume_only_what_needs_it_is_missing() -> None:
    frame = bars(2, 130)
    with_it, without = values(frame), values(frame.drop("volume"))
    for name in NAMES:
        if name in OF_VOLUME:
            assert np.isnan(without[name]).all(), name
        else:
            np.testing.assert_array_equal(with_it[name], without[name], err_msg=name)


def test_no_volume_traded() -> None:
    found = values(bars(1, 60).with_columns(volume=pl.lit(0.0)), OF_VOLUME)
    assert all(np.isnan(value).all() for value in found.values())


def test_bars_without_trade_between_do_not_move_the_vwap() -> None:
    frame = bars(1, 60)
    quiet = frame.with_columns(volume=pl.when(pl.int_range(pl.len()) % 3 == 1).then(0.0).otherwise(pl.col("volume")))
    only = quiet.filter(pl.col("volume") > 0)
    found = features.compute(quiet, ["vwap_z"]).filter(quiet["volume"] > 0)["vwap_z"]
    np.testing.assert_array_equal(found, features.compute(only, ["vwap_z"])["vwap_z"])


def test_own_vwap_of_the_bar_counts() -> None:
    frame = bars(1, 40)
    middle = frame.with_columns(vwap=(pl.col("high") + pl.col("low")) / 2)
    typical = frame.with_columns(vwap=(pl.col("high") + pl.col("low") + pl.col("close")) / 3)
    one, two, three = (
        features.compute(each, ["vwap_dist"])["vwap_dist"].to_numpy() for each in (frame, middle, typical)
    )
    assert not np.allclose(one[20:], two[20:])
    np.testing.assert_allclose(one, three, rtol=1e-9)


@pytest.mark.parametrize("width", [1, 3])
def test_missing_bars_come_back(width: int) -> None:
    """Three windows after a hole (120 bars at most) everything is there again, and what has no memory is as if it had
    never been."""
    frame = bars(1, 300)
    hole = pl.int_range(pl.len()).is_between(100, 99 + width)
    holed = frame.with_columns(
        pl.when(hole).then(None).otherwise(pl.col(name)).alias(name) for name in (*PRICES, "volume")
    )
    whole, found = values(frame), values(holed)
    session = {"ret_open", "pos_day", "ret_gap", "ret_prevclose", "dist_pdh", "dist_pdl"}
    for name in NAMES:
        feature = features.get(name)
        if feature.sessions == 2:
            continue
        if name not in session | {"rv_day"}:
            assert np.isnan(found[name][100 : 100 + width]).all(), name
        assert np.isfinite(found[name][220:]).all(), name
        if "window" in feature.nan_rule or "bar is missing" in feature.nan_rule:
            np.testing.assert_array_equal(found[name][220:], whole[name][220:], err_msg=name)


def test_sessions_of_one_bar() -> None:
    """Each bar is the first of its day: the day's own measures begin anew, the day before is the bar before."""
    frame = bars(40, 1)
    found = values(frame)
    o, h, l, c = (frame[name].to_numpy() for name in PRICES)  # noqa: E741
    np.testing.assert_allclose(found["ret_open"], np.log(c / o), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(found["rv_day"], np.abs(np.log(c / o)), rtol=1e-9)
    np.testing.assert_allclose(found["pos_day"], (c - l) / (h - l), rtol=1e-12)
    np.testing.assert_allclose(found["ret_gap"][1:], np.log(o[1:] / c[:-1]), rtol=1e-9)
    np.testing.assert_allclose(found["ret_prevclose"][1:], found["ret_1"][1:], rtol=1e-9)
    np.testing.assert_allclose(found["dist_pdh"][1:], np.log(c[1:] / h[:-1]), rtol=1e-9)
    np.testing.assert_allclose(found["dist_pdl"][1:], np.log(c[1:] / l[:-1]), rtol=1e-9)
    assert np.isnan(found["vwap_z"]).all()


def test_a_session_forgets_the_one_before() -> None:
    """What depends on its own session only is the same without the sessions before it."""
    frame = bars(3, 100)
    names = [name for name in NAMES if features.get(name).sessions == 1]
    assert {"ret_open", "pos_day", "vwap_z", "rv_day", "k_body"} <= set(names)
    whole, alone = values(frame, names), values(frame[200:], names)
    for name in names:
        np.testing.assert_array_equal(whole[name][200:], alone[name], err_msg=name)


def test_two_sessions_are_enough_for_the_day_before() -> None:
    frame = bars(4, 50)
    names = [name for name in NAMES if features.get(name).sessions == 2]
    assert names == ["ret_gap", "ret_prevclose", "dist_pdh", "dist_pdl"]
    whole, part = values(frame, names), values(frame[100:], names)
    for name in names:
        assert np.isnan(whole[name][:50]).all()
        np.testing.assert_array_equal(whole[name][150:], part[name][50:], err_msg=name)


def test_supertrend_turns_with_the_price() -> None:
    """Up for an hour, down for an hour: the side follows, and the line trails on the other side of the price."""
    close = 100.0 + np.concatenate([np.arange(60.0), 59.0 - np.arange(1.0, 61.0)])
    frame = bars(1, 120).with_columns(
        open=pl.Series(close), high=pl.Series(close + 0.5), low=pl.Series(close - 0.5), close=pl.Series(close)
    )
    found = values(frame, ["supertrend_dir_10_3", "supertrend_dist"])
    side, gap = found["supertrend_dir_10_3"], found["supertrend_dist"]
    assert (side[11:60] == 1.0).all()
    assert (side[75:] == -1.0).all()
    assert (np.sign(gap[10:]) == side[10:]).all()


def test_the_bands_of_a_breakout() -> None:
    """A Donchian position above 1 is a close above the highest of the 20 bars before."""
    frame = bars(1, 200)
    found = values(frame, ["donch_pos_20"])["donch_pos_20"]
    top = frame["high"].to_pandas().rolling(20).max().shift(1).to_numpy()
    known = np.isfinite(found)
    np.testing.assert_array_equal(found[known] > 1.0, (frame["close"].to_numpy() > top)[known])
    assert (found[known] > 1.0).any()
