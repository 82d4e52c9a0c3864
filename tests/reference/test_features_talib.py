"""Every indicator that TA-Lib has: equal from its first bar on, or once a different beginning is forgotten."""

import json

import numpy as np
import polars as pl
import pytest

from algomaster.features import series as s
from algomaster.features.series import Series
from shared_data import shared_path
from talib_forms import C, aroon, aroon_difference, begins, commodity_channel, difference, evaluate, forms, stochastic

talib = pytest.importorskip("talib")
FORMS = forms()


def random_bars(count: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    path = 200.0 * np.exp(np.cumsum(rng.normal(0.0, 0.004, (count, 6)).ravel())).reshape(count, 6)
    columns = {
        "open": path[:, 0], "high": path.max(axis=1), "low": path.min(axis=1), "close": path[:, -1],
        "volume": rng.integers(1, 10_000, count),
    }  # fmt: skip
    return {name: np.round(values.astype(float), 2) for name, values in columns.items()}


def real_bars(kind: str) -> dict[str, np.ndarray]:
    if kind == "daily":
        frame = pl.read_csv(shared_path("data", "ohlcv_packages", "backtesting_py", "GOOG.csv"))
        names = ("Open", "High", "Low", "Close", "Volume")
    else:
        frame = pl.read_csv(shared_path("data", "fx_crypto_futures_minute", "BTCPERP_1m_20211231_20220117.csv.gz"))
        names = ("open", "high", "low", "close", "volume")
    return {name.lower(): frame[name].cast(pl.Float64).to_numpy().copy() for name in names}


def check(name: str, columns: dict[str, np.ndarray]) -> None:
    form = FORMS[name]
    theirs = form.theirs(talib, columns)
    for ours, their in zip(evaluate(form.ours, columns), theirs if isinstance(theirs, list | tuple) else (theirs,)):
        if not form.settles:
            assert begins(ours) <= begins(their)
        flat = np.isnan(ours[begins(their) :])
        assert flat.mean() < 0.01  # a base of 0 is NaN here and 0 there
        settled = np.where(np.isnan(ours), their, ours)
        assert difference(settled, their, form.settles) <= form.within, name


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("seed", [1, 2])
def test_random_bars(name: str, seed: int) -> None:
    check(name, random_bars(1500, seed))


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("kind", ["daily", "minute"])
def test_real_bars(name: str, kind: str) -> None:
    check(name, real_bars(kind))


def test_flat_bars_are_missing_where_talib_says_zero() -> None:
    columns = {name: np.full(200, 100.1) for name in ("open", "high", "low", "close", "volume")}
    for name in ("RSI", "STOCH", "WILLR", "CCI", "DX", "MFI", "ULTOSC"):
        assert np.isnan(evaluate(FORMS[name].ours, columns)).all(), name
    for name in ("SMA", "EMA", "MAX", "MIN"):
        assert evaluate(FORMS[name].ours, columns)[0, -1] == pytest.approx(100.1, rel=1e-15)
    for name in ("ATR", "STDDEV", "ROC"):
        assert evaluate(FORMS[name].ours, columns)[0, -1] == 0.0


def test_a_missing_bar_is_gone_when_it_leaves_the_window() -> None:
    """Once missing, TA-Lib stays missing for ever; ours is back with the next full window."""
    columns = random_bars(200, 3)
    columns["close"][100] = np.nan
    assert np.isnan(talib.SMA(columns["close"], 20)[-1])
    ours = evaluate([*FORMS["SMA"].ours, *FORMS["RSI"].ours], columns)
    for row, back in zip(ours, (120, 102)):
        assert np.isnan(row[100:back]).all()
        assert np.isfinite(row[back:]).all()


def test_published_points() -> None:
    """Values kept in the shared data, made with TA-Lib's defaults: no TA-Lib is run here."""
    with shared_path("data", "reference", "talib_outputs.json").open() as file:
        entries = json.load(file)["outputs"]
    columns = real_bars("daily")
    down, up = aroon(14)
    line, signal, rest = FORMS["MACD"].ours
    ours: dict[str, list[Series]] = {
        "EMA": [s.ema(C, 30)], "SMA": [s.mean(C, 30)], "AROON": [down, up], "AROONOSC": [aroon_difference(14)],
        "CCI": [commodity_channel(14)], "LINEARREG": [C - s.trend(C, 14).residual], "STDDEV": [s.deviation(C, 5, ddof=0)],
        "LINEARREG_SLOPE": [s.trend(C, 14).slope], "MAX": [s.highest(C, 30)], "MIN": [s.lowest(C, 30)],
        "STOCH": [s.mean(stochastic(5), 3), s.mean(s.mean(stochastic(5), 3), 3)], "MACD": [line, signal, rest],
        **{name: list(FORMS[name].ours) for name in (
            "RSI", "CMO", "ATR", "NATR", "TRANGE", "PLUS_DI", "MINUS_DI", "DX", "ADX", "ROC", "WILLR", "MFI", "ULTOSC",
            "BBANDS",
        )},
    }  # fmt: skip
    checked = 0
    for entry in entries:
        if entry["fn"] in ours:
            values = evaluate([ours[entry["fn"]].pop(0)], columns)[0]
            assert begins(values) <= entry["nan"]
            for row, value in entry["points"]:
                if value is not None and (entry["fn"] != "MACD" or row > 200):
                    assert values[row] == pytest.approx(value, rel=1e-7, abs=1e-9), (entry["fn"], row)
                    checked += 1
    assert not any(ours.values())
    assert checked > 150
