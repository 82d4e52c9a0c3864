"""What holds for every curve of daily P&L and every log of trades."""

import math
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from algomaster.performance.metrics import METRICS, summarize, table, trade_totals, wilson_interval
from algomaster.performance.result import FRAMES, Result
from algomaster.performance.statistics import DAILY_STATISTICS, daily_statistics

amounts = st.integers(-50_000_000, 50_000_000)
curves = st.lists(amounts, max_size=40)


def statistics_of(daily: list[int]) -> dict[str, float]:
    out = np.empty(len(DAILY_STATISTICS))
    daily_statistics(np.array(daily, dtype=np.int64), out)
    return dict(zip(DAILY_STATISTICS, out.tolist()))


@given(curves)
@settings(deadline=None)
def test_drawdown_is_the_worst_of_all_pairs(daily: list[int]) -> None:
    levels = [0, *np.cumsum(np.array(daily, dtype=np.int64)).tolist()]
    falls = [levels[i] - levels[j] for i in range(len(levels)) for j in range(i, len(levels))]
    found = statistics_of(daily)
    assert found["max_drawdown"] == max(falls)
    assert (found["drawdown_days"] == 0) == (max(falls) == 0)
    assert found["drawdown_days"] <= len(daily)


@given(curves, st.sampled_from([2, 4, 1024]))
@settings(deadline=None)
def test_size_scales_money_and_leaves_ratios(daily: list[int], size: int) -> None:
    """Powers of two: float arithmetic scales exactly, so the ratios keep their bits."""
    one, many = statistics_of(daily), statistics_of([size * amount for amount in daily])
    for name in ("total", "mean", "sd", "best", "worst", "max_drawdown", "peak"):
        assert many[name] == size * one[name] or math.isnan(one[name])
    for name in (
        "sessions",
        "skewness",
        "kurtosis",
        "sharpe",
        "sharpe_se",
        "sortino",
        "drawdown_days",
        "profit_factor",
    ):
        assert many[name] == one[name] or (math.isnan(one[name]) and math.isnan(many[name]))


@given(curves)
@settings(deadline=None)
def test_the_other_side_of_the_trade(daily: list[int]) -> None:
    one, other = statistics_of(daily), statistics_of([-amount for amount in daily])
    for name in ("total", "mean", "skewness", "sharpe"):
        assert one[name] == -other[name] or math.isnan(one[name])
    assert (one["winners"], one["losers"]) == (other["losers"], other["winners"])
    assert one["sd"] == other["sd"] or math.isnan(one["sd"])


@given(curves)
@settings(deadline=None)
def test_moments_obey_their_inequality(daily: list[int]) -> None:
    """Kurtosis is at least skewness squared plus one, and the standard error is a number of 0 or more."""
    found = statistics_of(daily)
    if not math.isnan(found["sd"]) and found["sd"] > 0:
        assert found["kurtosis"] >= found["skewness"] ** 2 + 1 - 1e-9 * found["kurtosis"]
        assert found["sharpe_se"] >= 0.0 or len(daily) < 10


@given(st.integers(1, 6), st.integers(0, 12), st.integers(0, 2**32 - 1), st.integers(1, 50))
@settings(deadline=None)
def test_a_row_of_a_sweep_is_the_summary_to_the_bit(rows: int, days: int, seed: int, trials: int) -> None:
    rng = np.random.default_rng(seed)
    daily = rng.integers(-1000, 1000, (rows, days))
    totals = np.array([trade_totals(rng.integers(-500, 500, n), rng.integers(0, 50, n)) for n in range(rows)])
    deepest = rng.integers(0, 9999, rows)
    statistics = np.array([list(statistics_of(row.tolist()).values()) for row in daily])
    columns = table(statistics, totals=totals, intraday_drawdown_paise=deepest, trials=trials, trial_variance=0.3)
    for row in range(rows):
        alone = summarize(
            daily[row], totals=totals[row], intraday_drawdown_paise=deepest[row], trials=trials, trial_variance=0.3
        )
        assert [m.name for m in METRICS] == list(alone) == list(columns)
        for name, value in alone.items():
            same = columns[name][row].item()
            assert type(same) is type(value)
            assert same == value or (math.isnan(same) and math.isnan(value)), name


@given(st.integers(1, 10_000), st.data())
def test_interval_holds_the_share(number: int, data: st.DataObject) -> None:
    wins = data.draw(st.integers(0, number))
    low, high = wilson_interval(wins, number)
    assert 0.0 <= low <= wins / number <= high <= 1.0
    assert low < high


@st.composite
def logs(draw: st.DrawFn) -> pl.DataFrame:
    start = datetime(2024, 1, 1, 9, 20)
    rows = []
    for _ in range(draw(st.integers(0, 12))):
        entry = start + timedelta(days=draw(st.integers(0, 5)), minutes=draw(st.integers(0, 100)))
        rows.append(
            {
                "right": draw(st.sampled_from(["CE", "PE"])),
                "strike": 100.0 * draw(st.integers(1, 300)),
                "quantity": draw(st.integers(1, 2000)) * draw(st.sampled_from([-1, 1])),
                "entry_time": entry,
                "entry_price": draw(st.integers(0, 5_000_000)) / 1000.0,
                "exit_time": entry + timedelta(minutes=draw(st.integers(0, 200))),
                "exit_price": draw(st.integers(0, 5_000_000)) / 1000.0,
                "costs": draw(st.integers(0, 100_000)) / 100.0,
            }
        )
    schema = {
        "right": pl.String, "strike": pl.Float64, "quantity": pl.Int64, "entry_time": pl.Datetime("us"),
        "entry_price": pl.Float64, "exit_time": pl.Datetime("us"), "exit_price": pl.Float64, "costs": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def paise(column: pl.Series) -> int:
    return sum(round(100 * value) for value in column)


@given(logs())
@settings(deadline=None, max_examples=50)
def test_no_paisa_is_lost(log: pl.DataFrame) -> None:
    result = Result.from_trades(log, underlying="NIFTY")
    net = paise(result.trades["net_pnl"])
    assert net == paise(result.trades["pnl"]) - paise(result.trades["costs"])
    assert net == paise(result.daily["pnl"]) == paise(result.equity["equity"].tail(1))
    assert result.metrics["pnl"] == net / 100
    assert result.daily["trades"].sum() == result.trades.height == log.height
    assert result.metrics["max_drawdown_intraday"] >= result.metrics["max_drawdown"]


@given(logs())
@settings(deadline=None, max_examples=50)
def test_the_counterparty_has_the_opposite(log: pl.DataFrame) -> None:
    ours = Result.from_trades(log, underlying="NIFTY")
    theirs = Result.from_trades(log.with_columns(-pl.col("quantity")), underlying="NIFTY")
    assert paise(ours.trades["pnl"]) == -paise(theirs.trades["pnl"])


@given(logs(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=50)
def test_the_order_of_rows_does_not_matter(log: pl.DataFrame, random: object) -> None:
    rows = list(range(log.height))
    random.shuffle(rows)  # type: ignore[attr-defined]
    one, other = (Result.from_trades(frame, underlying="NIFTY") for frame in (log, log[rows]))
    assert one.digest == other.digest
    assert one.daily.equals(other.daily)


@given(logs())
@settings(deadline=None, max_examples=20)
def test_saved_and_loaded_is_the_same(log: pl.DataFrame) -> None:
    result = Result.from_trades(log, underlying="NIFTY")
    with tempfile.TemporaryDirectory() as folder:
        back = Result.load(result.save(Path(folder) / "run"))
    for name in FRAMES:
        assert getattr(back, name).equals(getattr(result, name), null_equal=True)
    assert repr(back.metrics) == repr(result.metrics)
