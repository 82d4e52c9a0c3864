"""Tails, capital, exposure and turnover of a run, by hand and against numpy and scipy."""

import dataclasses
import math
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from algomaster import backtest, performance
from algomaster.performance.imported import TIME
from algomaster.performance.result import Result
from algomaster.performance.run_statistics import STATISTICS


def traded(*times: tuple[str, str], quantity: int = -10) -> Result:
    """One trade for each pair of moments, sold at 100, bought back at 90."""
    rows = [
        {
            "right": "CE", "strike": 21_000.0, "quantity": quantity, "entry_time": enter, "entry_price": 100.0,
            "exit_time": leave, "exit_price": 90.0, "costs": 25.0,
        }
        for enter, leave in times
    ]  # fmt: skip
    return backtest.from_trades(pl.DataFrame(rows), underlying="NIFTY")


def of_days(pnl: list[float] | np.ndarray) -> Result:
    """A run with these sessions and nothing else known."""
    run = traded(("2024-01-02T09:20", "2024-01-02T10:00"))
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(len(pnl))]
    daily = pl.DataFrame({"date": days, "pnl": pl.Series(pnl, dtype=pl.Float64)}).with_columns(
        gross="pnl", costs=0.0, trades=pl.lit(1, pl.Int64), vix=pl.lit(None, pl.Float64)
    )
    return dataclasses.replace(run, daily=daily)


def test_exposure_is_the_share_of_session_minutes() -> None:
    """Sessions have 375 minutes; what overlaps counts once, what lasts over night only while the exchange is open."""
    run = traded(("2024-01-02T09:20", "2024-01-02T10:20"), ("2024-01-02T10:00", "2024-01-02T10:35"))
    assert run.statistics()["exposure"] == pytest.approx(75 / 375)
    apart = traded(("2024-01-02T09:20", "2024-01-02T09:30"), ("2024-01-03T15:00", "2024-01-03T15:30"))
    assert apart.statistics()["exposure"] == pytest.approx(40 / 750)
    night = traded(("2024-01-02T15:00", "2024-01-03T09:45"), ("2024-01-02T09:15", "2024-01-02T09:16"))
    assert night.statistics()["exposure"] == pytest.approx(61 / 750)
    whole = traded(("2024-01-02T09:15", "2024-01-02T15:30"))
    assert whole.statistics()["exposure"] == 1.0


def test_exposure_of_a_replay_counts_its_bars() -> None:
    run = traded(("2024-01-02T09:20", "2024-01-02T09:25"))
    ends = pl.Series("ts", [datetime(2024, 1, 2, 9, 16) + timedelta(minutes=n) for n in range(20)])
    equity = pl.DataFrame({"ts": ends.dt.replace_time_zone("Asia/Kolkata").cast(TIME), "equity": [0.0] * 20})
    replayed = dataclasses.replace(run, equity=equity, assumptions={"strategy": "mine"})
    assert replayed.statistics()["exposure"] == pytest.approx(5 / 20)
    assert math.isnan(dataclasses.replace(replayed, equity=equity.head(1)).statistics()["exposure"])


def test_exposure_where_the_calendar_does_not_reach_is_unknown() -> None:
    assert math.isnan(traded(("1999-01-04T09:20", "1999-01-04T10:20")).statistics()["exposure"])


def test_turnover_counts_both_sides() -> None:
    run = traded(("2024-01-02T09:20", "2024-01-02T10:20"), ("2024-01-03T09:20", "2024-01-03T10:20"))
    found = run.with_capital(2_000.0).statistics()
    assert found["turnover"] == 2 * (10 * 100.0 + 10 * 90.0)
    assert found["turnover_ratio"] == found["turnover"] / 2_000.0


@pytest.mark.parametrize("days", [1, 19, 20, 21, 250])
def test_tails_against_numpy(days: int) -> None:
    pnl = np.random.default_rng(days).normal(50.0, 900.0, days).round(2)
    found = of_days(pnl).statistics()
    low, high = np.percentile(pnl, [5, 95])
    assert found["var_day"] == pytest.approx(-low)
    assert found["tail_ratio"] == pytest.approx(high / -low if low < 0 else math.nan, nan_ok=True)
    if days > 1:
        factor = pnl[pnl > 0].sum() / -pnl[pnl < 0].sum()
        assert found["common_sense_ratio"] == pytest.approx(factor * high / -low)
    # Acerbi and Tasche: the integral of the quantile function of the sample over the worst 5 %.
    levels = np.linspace(0, 0.05, 500_001)[:-1] + 0.05 / 1_000_000
    steps = np.sort(pnl)[np.floor(levels * days).astype(int)]
    assert found["es_day"] == pytest.approx(-steps.mean(), rel=1e-4)


def test_twenty_sessions_have_their_worst_as_expected_shortfall() -> None:
    assert of_days([*range(1, 20), -700]).statistics()["es_day"] == pytest.approx(700.0)
    assert of_days([*range(1, 39), -700, -500]).statistics()["es_day"] == pytest.approx(600.0)


def test_capital() -> None:
    """126 sessions are half a year of 252: 21 % of return is 46.41 % a year."""
    found = of_days([0.0] * 124 + [-10_000.0, 31_000.0]).with_capital(100_000).statistics()
    assert found["return_on_capital"] == pytest.approx(0.21)
    assert found["cagr"] == pytest.approx(0.4641)
    assert found["max_drawdown_share"] == pytest.approx(0.10)
    assert found["calmar"] == pytest.approx(4.641)
    assert found["longest_drawdown"] == 1
    assert found["capital"] == 100_000.0


def test_a_year_of_sessions_has_the_return_as_its_growth() -> None:
    found = of_days([100.0] * 252).with_capital(100_000).statistics()
    assert found["cagr"] == pytest.approx(found["return_on_capital"]) == pytest.approx(0.252)
    assert math.isnan(found["calmar"])  # it never fell


def test_capital_that_is_used_up() -> None:
    found = of_days([50.0, -2_000.0, 100.0]).with_capital(1_000).statistics()
    assert found["cagr"] == -1.0
    assert found["max_drawdown_share"] == pytest.approx(2_000 / 1_050)


def test_without_a_capital_ratios_to_it_are_undefined_and_said_to_be() -> None:
    run = of_days([50.0, -20.0])
    found = run.statistics()
    for name in ("capital", "return_on_capital", "cagr", "calmar", "max_drawdown_share", "turnover_ratio"):
        assert math.isnan(found[name]), name
    assert repr(run).count("needs a capital") == 4
    assert "needs a capital" not in repr(run.with_capital(1000))
    assert run.to_dict()["statistics"]["cagr"] is None
    for wrong in (0.0, -5.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="positive amount"):
            run.with_capital(wrong)


def test_capital_goes_with_the_result(tmp_path) -> None:
    run = backtest.from_trades(traded(("2024-01-02T09:20", "2024-01-02T10:00")).trades.drop("pnl", "net_pnl"),
                               underlying="NIFTY", capital=500.0)  # fmt: skip
    assert run.statistics()["return_on_capital"] == pytest.approx(75 / 500)
    assert repr(Result.load(run.save(tmp_path / "run")).statistics()) == repr(run.statistics())
    assert run.digest == traded(("2024-01-02T09:20", "2024-01-02T10:00")).digest


def test_all_are_named_and_of_their_kind() -> None:
    found = of_days([50.0, -20.0]).statistics()
    assert list(found) == [statistic.name for statistic in STATISTICS]
    assert list(performance.STATISTICS) == list(STATISTICS)
    for statistic in STATISTICS:
        assert isinstance(found[statistic.name], int if statistic.unit == "count" else float)


def test_nothing_happened() -> None:
    run = traded(("2024-01-02T09:20", "2024-01-02T10:00"))
    empty = Result.from_trades(run.trades.clear().drop("pnl", "net_pnl"), underlying="")
    found = empty.with_capital(1000).statistics()
    assert (found["turnover"], found["longest_drawdown"]) == (0.0, 0)
    for name in ("cagr", "exposure", "var_day", "es_day", "tail_ratio", "shuffled_drawdown"):
        assert math.isnan(found[name]), name
