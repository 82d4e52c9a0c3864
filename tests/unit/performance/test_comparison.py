"""Runs side by side, by hand and against scipy."""

import dataclasses
import json
import math
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from scipy import stats

from algomaster import backtest, performance
from algomaster.performance.result import Result


def run_of(pnl, *, start=date(2024, 1, 1), strategy="straddle") -> Result:
    log = pl.DataFrame(
        {
            "right": ["CE"] * len(pnl), "strike": [100.0] * len(pnl), "quantity": [1] * len(pnl),
            "entry_time": [f"{start + timedelta(days=n)}T09:20" for n in range(len(pnl))],
            "entry_price": [1000.0] * len(pnl),
            "exit_time": [f"{start + timedelta(days=n)}T10:20" for n in range(len(pnl))],
            "exit_price": [1000.0 + amount for amount in pnl],
        }
    )  # fmt: skip
    return backtest.from_trades(log, strategy=strategy)


def test_difference_of_sessions_against_scipy() -> None:
    draw = np.random.default_rng(4)
    one = draw.integers(-50, 60, 40).astype(float)
    other = (0.7 * one).round() + draw.integers(-20, 25, 40)
    found = performance.compare({"one": run_of(one), "other": run_of(other)})
    (pair,) = found.pairs
    paired = stats.ttest_rel(other, one)
    assert (pair.name, pair.base, pair.sessions) == ("other", "one", 40)
    assert pair.difference == pytest.approx((other - one).mean())
    assert pair.difference_se == pytest.approx(stats.sem(other - one))
    assert pair.t == pytest.approx(paired.statistic)
    assert pair.correlation == pytest.approx(stats.pearsonr(one, other).statistic)
    assert found.correlation == pytest.approx(np.corrcoef(one, other))


def test_only_sessions_of_both_are_paired() -> None:
    early, late = run_of([10, 20, 30]), run_of([1, 2, 3], start=date(2024, 1, 2))
    found = performance.compare({"early": early, "late": late})
    assert found.daily.rows() == [
        (date(2024, 1, 1), 10.0, None), (date(2024, 1, 2), 20.0, 1.0), (date(2024, 1, 3), 30.0, 2.0),
        (date(2024, 1, 4), None, 3.0),
    ]  # fmt: skip
    assert (found.pairs[0].sessions, found.pairs[0].difference) == (2, -23.5)
    apart = performance.compare({"a": early, "b": run_of([1], start=date(2025, 1, 1))})
    assert apart.pairs[0].sessions == 0
    assert math.isnan(apart.pairs[0].difference)
    assert "no session in common" in repr(apart)


def test_figures_and_their_differences() -> None:
    found = performance.compare([run_of([10, -5]), run_of([7, 7]).with_capital(1000), run_of([1, 1], strategy="x")])
    assert found.names == ("straddle 1", "straddle 2", "x")
    row = found.metrics.row(by_predicate=pl.col("metric") == "pnl", named=True)
    assert [row[name] for name in found.names] == [5.0, 14.0, 2.0]
    assert (row["straddle 2 - straddle 1"], row["x - straddle 1"]) == (9.0, -3.0)
    known = {metric.name for metric in (*performance.METRICS, *performance.STATISTICS)}
    assert set(found.metrics["metric"]) == known
    capital = found.metrics.row(by_predicate=pl.col("metric") == "return_on_capital", named=True)
    assert math.isnan(capital["straddle 1"])
    assert capital["straddle 2"] == pytest.approx(0.014)


def test_a_run_against_itself() -> None:
    run = run_of([10, -5, 7])
    (pair,) = performance.compare([run, run]).pairs
    assert (pair.difference, pair.difference_se, pair.correlation) == (0.0, 0.0, pytest.approx(1.0))
    assert math.isnan(pair.t)
    flat = performance.compare([run, run_of([3, 3, 3])]).pairs[0]
    assert math.isnan(flat.correlation)


def test_shown(tmp_path) -> None:
    found = performance.compare({"tight": run_of([10, -5, 7]), "<wide>": run_of([7, 7, -2])})
    assert "<wide> less tight" in repr(found)
    assert "&lt;wide&gt;" in found._repr_html_()
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert record["runs"] == ["tight", "<wide>"]
    assert record["pairs"][0]["sessions"] == 3
    figure = found.plot()
    assert [list(part.y) for part in figure.data] == [[10, 5, 12], [7, 14, 12], [-3, 9, 0]]
    page = found.report(tmp_path / "new" / "page.html").read_text("utf-8")
    assert "<wide>" not in page[: page.index("<script")]
    for words in ("Session by session", "&lt;wide&gt; less tight", "Correlation of the sessions", "Net P&amp;L"):
        assert words in page, words


def test_refused() -> None:
    run = run_of([1, 2])
    with pytest.raises(ValueError, match="two at least, got 1"):
        performance.compare([run])
    with pytest.raises(TypeError, match="b: expected a Result, got dict"):
        performance.compare({"a": run, "b": {}})
    with pytest.raises(ValueError, match="may not be called 'unit'"):
        performance.compare({"a": run, "unit": run})


def test_results_without_some_metric() -> None:
    """A result of an earlier version lacks what was not computed then."""
    old = run_of([1, 2])
    old = dataclasses.replace(old, metrics={k: v for k, v in old.metrics.items() if k != "peak"})
    found = performance.compare([old, run_of([1, 2])])
    assert math.isnan(found.metrics.row(by_predicate=pl.col("metric") == "peak", named=True)["straddle 1"])
