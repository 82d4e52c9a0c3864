"""The published log of a 9:20 straddle, 2019 to 2023: its own totals out of our arithmetic.

Everything expected is computed here in plain Python from the log's own columns. Its author took 1 point of slippage
a leg off the prices and 100 rupees of brokerage off a day; both go in as costs.
"""

import csv
from decimal import Decimal
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from algomaster.performance.result import Result
from shared_data import shared_path

Row = dict[str, str]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return read(shared_path("data", "published_backtests", "nifty_0920_straddle_20pctSL_2019_2023.csv"))


@cache
def read(path: Path) -> list[Row]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def traded(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["status"] == "TRADED"]


@pytest.fixture(scope="module")
def result(rows: list[Row], traded: list[Row]) -> Result:
    return straddles(rows, traded)


def straddles(rows: list[Row], traded: list[Row]) -> Result:
    legs = [
        {
            "session": row["entry_date"],
            "leg": number,
            "expiry": row["expiry_date"],
            "right": right.upper(),
            "strike": float(row["atm_strike"]),
            "quantity": -int(row["quantity"]),
            "lots": int(row["lots"]),
            "entry_time": row["spot_entry_timestamp"],
            "entry_price": float(row[f"{right}_entry_open"]),
            "exit_time": row[f"{right}_exit_timestamp"],
            "exit_price": float(row[f"{right}_exit_price"]),
            "exit_reason": row[f"{right}_exit_reason"],
            "costs": int(row["quantity"]) * 1.0 + float(row["brokerage"]) / 2,
        }
        for row in traded
        for number, right in enumerate(("ce", "pe"))
    ]
    skipped = [
        {"session": row["entry_date"], "reason": row["skip_reason"]} for row in rows if row["status"] == "SKIPPED"
    ]
    return Result.from_trades(
        pl.DataFrame(legs), underlying="NIFTY", strategy="published straddle", skipped=pl.DataFrame(skipped)
    )


def test_every_day_and_the_sum(result: Result, traded: list[Row]) -> None:
    assert len(traded) == 524
    published = {row["entry_date"]: Decimal(row["net_pnl"]) for row in traded}
    ours = {str(session): Decimal(f"{pnl:.2f}") for session, pnl in result.daily.select("date", "pnl").iter_rows()}
    assert ours == published
    assert Decimal(f"{result.metrics['pnl']:.2f}") == sum(published.values())
    assert result.trades.height == result.metrics["trades"] == 2 * 524
    assert result.metrics["sessions"] == 524


def test_every_leg(result: Result, traded: list[Row]) -> None:
    """The log's points of a leg are after slippage; what is left of a leg is that less half the brokerage."""
    published = {
        (row["entry_date"], right.upper()): Decimal(row[f"{right}_gross_pnl"]) - Decimal(row["brokerage"]) / 2
        for row in traded
        for right in ("ce", "pe")
    }
    columns = result.trades.select(pl.col("session").cast(pl.String), "right", "net_pnl")
    assert {(day, right): Decimal(f"{net:.2f}") for day, right, net in columns.iter_rows()} == published


def test_wins_and_losses(result: Result, traded: list[Row]) -> None:
    days = [Decimal(row["net_pnl"]) for row in traded]
    legs = [Decimal(row[f"{right}_gross_pnl"]) - 50 for row in traded for right in ("ce", "pe")]
    assert result.metrics["winners"] == sum(day > 0 for day in days)
    assert result.metrics["losers"] == sum(day < 0 for day in days)
    assert result.metrics["wins"] == sum(leg > 0 for leg in legs)
    assert result.metrics["losses"] == sum(leg < 0 for leg in legs)
    assert result.metrics["win_rate"] == pytest.approx(sum(leg > 0 for leg in legs) / len(legs), rel=1e-15)
    assert result.metrics["best_day"] == float(max(days))
    assert result.metrics["worst_day"] == float(min(days))


def deepest_fall(steps: list[Decimal]) -> Decimal:
    level = peak = deepest = Decimal(0)
    for step in steps:
        level += step
        peak = max(peak, level)
        deepest = max(deepest, peak - level)
    return deepest


def test_drawdown_at_session_ends(result: Result, traded: list[Row]) -> None:
    days = [Decimal(row["net_pnl"]) for row in sorted(traded, key=lambda row: row["entry_date"])]
    assert result.metrics["max_drawdown"] == float(deepest_fall(days))


def test_drawdown_at_exits(result: Result, traded: list[Row]) -> None:
    exits: dict[str, Decimal] = {}
    for row in traded:
        for right in ("ce", "pe"):
            moment = row[f"{right}_exit_timestamp"]
            exits[moment] = exits.get(moment, Decimal(0)) + Decimal(row[f"{right}_gross_pnl"]) - 50
    assert result.metrics["max_drawdown_intraday"] == float(deepest_fall([exits[moment] for moment in sorted(exits)]))
    assert result.equity.height == len(exits)


def test_skipped_sessions(result: Result, rows: list[Row]) -> None:
    assert result.skipped.height == sum(row["status"] == "SKIPPED" for row in rows) == 594


def test_the_report_shows_them(result: Result, traded: list[Row], tmp_path: Path) -> None:
    page = result.report(tmp_path / "report.html").read_text(encoding="utf-8")
    text = page[: page.index("<h2>Equity")]
    total = sum(Decimal(row["net_pnl"]) for row in traded)
    assert total == 135163  # so that the Indian way of writing it below is that of the log's sum
    wins = sum(Decimal(row[f"{right}_gross_pnl"]) > 50 for row in traded for right in ("ce", "pe"))
    for shown in ("₹1,35,163.00", f"{wins} won", "524 sessions", "1,048 trades", "594 skipped sessions"):
        assert shown in text
    fall = int(deepest_fall([Decimal(row["net_pnl"]) for row in traded]))
    assert f"₹{fall // 100000},{fall // 1000 % 100:02d},{fall % 1000:03d}.00" in text
