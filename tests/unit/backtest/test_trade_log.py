"""``backtest.from_trades``: the metrics the issue names, from plain logs."""

import csv
import itertools
from datetime import date

import polars as pl
import pytest

from algomaster import backtest
from algomaster.core.errors import DataError
from algomaster.performance import Result
from shared_data import shared_path

LOG = pl.DataFrame(
    {
        "right": ["CE", "PE", "CE", "PE"],
        "strike": [15800, 15800, 15750, 15900],
        "quantity": [-75, -75, 75, -25],
        "entry_time": ["2021-06-10T09:20", "2021-06-10T09:20", "2021-06-11T09:20", "2021-06-14T09:20"],
        "entry_price": [100.0, 100.0, 100.0, 80.0],
        "exit_time": ["2021-06-10T15:20", "2021-06-10T12:12", "2021-06-11T15:20", "2021-06-14T15:20"],
        "exit_price": [90.0, 80.0, 50.0, 80.0],
        "costs": [40.0, 40.0, 40.0, 10.0],
    }
)


def test_named_metrics_by_session() -> None:
    run = backtest.from_trades(LOG)
    # Sessions: 750 + 1,500 - 80; -3,750 - 40; 0 - 10.
    assert run.daily.select("date", "pnl").rows() == [
        (date(2021, 6, 10), 2170.0), (date(2021, 6, 11), -3790.0), (date(2021, 6, 14), -10.0),
    ]  # fmt: skip
    names = ("sessions", "winners", "losers", "gross", "pnl", "peak", "max_drawdown")
    assert [run.metrics[name] for name in names] == [3, 1, 2, -1500.0, -1630.0, 2170.0, 3800.0]
    assert repr(run).startswith("imported, 2021-06-10 to 2021-06-14")


def test_the_same_as_the_method_and_from_any_kind(tmp_path) -> None:
    expected = Result.from_trades(LOG, underlying="NIFTY", strategy="mine")
    LOG.write_csv(tmp_path / "log.csv")
    for given in (LOG, LOG.to_pandas(), tmp_path / "log.csv", str(tmp_path / "log.csv")):
        found = backtest.from_trades(given, underlying="NIFTY", strategy="mine")
        assert (found.digest, found.strategy, found.underlying) == (expected.digest, "mine", "NIFTY")


def test_what_cannot_be_used_is_named() -> None:
    with pytest.raises(DataError, match="lack exit_price"):
        backtest.from_trades(LOG.drop("exit_price"))


def test_report_without_an_underlying(tmp_path) -> None:
    assert "<h1>imported</h1>" in backtest.from_trades(LOG).report(tmp_path / "r.html").read_text("utf-8")


def test_a_published_strangle_of_half_a_year() -> None:
    """BANKNIFTY, July to December 2022: days as their author printed them, and what follows by plain arithmetic."""
    path = shared_path("data", "published_backtests", "banknifty_delta30_strangle_2022H2.csv")
    with path.open(newline="") as file:
        printed = list(csv.DictReader(file))
    legs = [
        {
            "right": right, "strike": float(row[f"{right}_Symbol"][-7:-2]), "quantity": -25,
            "entry_time": f"{row['Entry_Date']}T09:16", "entry_price": float(row[f"{right}_Entry_Price"]),
            "exit_time": f"{row['Entry_Date']}T{row[f'{right}_Exit_Time']}",
            "exit_price": float(row[f"{right}_Exit_price"]),
        }
        for row in printed
        for right in ("CE", "PE")
    ]  # fmt: skip
    run = backtest.from_trades(pl.DataFrame(legs), underlying="BANKNIFTY")
    days = [round(float(row["PnL"]), 2) for row in sorted(printed, key=lambda row: row["Entry_Date"])]
    assert run.daily["pnl"].to_list() == pytest.approx(days, abs=0.011)
    levels = list(itertools.accumulate(days, initial=0.0))
    peaks = list(itertools.accumulate(levels, max))
    expected = {
        "sessions": 124, "winners": sum(day > 0 for day in days), "losers": sum(day < 0 for day in days),
        "pnl": sum(days), "gross": sum(days), "peak": max(levels),
        "max_drawdown": max(peak - level for peak, level in zip(peaks, levels)),
    }  # fmt: skip
    assert {name: run.metrics[name] for name in expected} == pytest.approx(expected, abs=0.5)
    assert [run.metrics[name] for name in ("sessions", "winners", "losers")] == list(expected.values())[:3]
