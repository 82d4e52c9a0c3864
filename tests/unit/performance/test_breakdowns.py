"""A run by weekday, days to expiry, time and volatility: by hand, and what holds of every breakdown."""

import dataclasses
import math
import statistics
from datetime import date, datetime

import pandas as pd
import polars as pl
import pytest

from algomaster import backtest
from algomaster.performance.breakdowns import KEYS
from algomaster.performance.plots import breakdowns_figure
from algomaster.performance.result import Result

# Two legs a session; 2024-01-04 was a Thursday, 2024-01-08 a Monday, 2024-02-01 a Thursday.
LEGS = [
    (date(2024, 1, 4), "09:20", "CE", 100.0, 90.0, "time", date(2024, 1, 4)),
    (date(2024, 1, 4), "09:20", "PE", 100.0, 130.0, "stop", date(2024, 1, 4)),
    (date(2024, 1, 8), "09:20", "CE", 100.0, 80.0, "time", date(2024, 1, 11)),
    (date(2024, 1, 8), "11:00", "PE", 100.0, 110.0, "time", date(2024, 1, 11)),
    (date(2024, 2, 1), "09:20", "CE", 100.0, 60.0, "time", date(2024, 2, 1)),
    (date(2024, 2, 1), "09:20", "PE", 100.0, 100.0, "time", None),
]


@pytest.fixture
def run() -> Result:
    rows = [
        {
            "right": right, "strike": 21_000.0, "quantity": -10, "expiry": expiry,
            "entry_time": datetime.combine(day, datetime.strptime(clock, "%H:%M").time()), "entry_price": enter,
            "exit_time": datetime.combine(day, datetime.strptime("15:00", "%H:%M").time()), "exit_price": leave,
            "exit_reason": reason, "costs": 1.0,
        }
        for day, clock, right, enter, leave, reason, expiry in LEGS
    ]  # fmt: skip
    return backtest.from_trades(pl.DataFrame(rows))


def rows(frame: pl.DataFrame) -> dict[str, tuple[int, int, float, float, float]]:
    return {row[0]: row[1:6] for row in frame.iter_rows()}


def test_by_hand(run: Result) -> None:
    """Sessions made -202, 98 and 398 rupees after costs."""
    assert run.daily["pnl"].to_list() == [-202.0, 98.0, 398.0]
    assert rows(run.by("weekday")) == {"Monday": (1, 2, 98.0, 1.0, 98.0), "Thursday": (2, 4, 196.0, 0.5, 98.0)}
    assert run.by("weekday")["group"].to_list() == ["Monday", "Thursday"]
    assert rows(run.by("month")) == {"2024-01": (2, 4, -104.0, 0.5, -52.0), "2024-02": (1, 2, 398.0, 1.0, 398.0)}
    assert rows(run.by("year")) == {"2024": (3, 6, 294.0, pytest.approx(2 / 3), 98.0)}
    assert rows(run.by("dte")) == {
        "0": (2, 3, 197.0, 0.5, 98.5), "3": (1, 2, 98.0, 1.0, 98.0), "unknown": (1, 1, -1.0, 0.0, -1.0),
    }  # fmt: skip
    assert rows(run.by("entry")) == {"09:20": (3, 5, 395.0, pytest.approx(2 / 3), pytest.approx(395 / 3)),
                                     "11:00": (1, 1, -101.0, 0.0, -101.0)}  # fmt: skip
    assert rows(run.by("right"))["PE"] == (3, 3, -403.0, 0.0, pytest.approx(-403 / 3))
    assert rows(run.by("reason"))["stop"] == (1, 1, -301.0, 0.0, -301.0)


def test_standard_error_counts_sessions_not_legs(run: Result) -> None:
    frame = run.by("weekday")
    expected = statistics.stdev([-202.0, 398.0]) / math.sqrt(2)
    assert frame.filter(group="Thursday")["mean_se"][0] == pytest.approx(expected)
    assert math.isnan(frame.filter(group="Monday")["mean_se"][0])


@pytest.mark.parametrize("key", KEYS)
def test_nothing_is_lost(run: Result, key: str) -> None:
    frame = run.by(key)
    assert round(100 * frame["pnl"].sum()) == round(100 * run.metrics["pnl"])
    assert frame["trades"].sum() == run.trades.height
    assert frame["group"].is_unique().all()


def test_volatility_index(run: Result) -> None:
    assert rows(run.by("vix")) == {"unknown": (3, 6, 294.0, pytest.approx(2 / 3), 98.0)}
    levels = {date(2024, 1, 4): 12.0, date(2024, 1, 8): 11.99, date(2024, 2, 1): math.nan}
    by = run.by("vix", vix=levels, edges=[12, 20])
    assert by["group"].to_list() == ["below 12", "12 to 20", "unknown"]
    assert by["pnl"].to_list() == [98.0, -202.0, 398.0]
    frame = pl.DataFrame({"date": list(levels), "vix": list(levels.values())})
    assert run.by("vix", vix=frame, edges=[12, 20]).equals(by, null_equal=True)
    assert run.by("vix", vix=pd.DataFrame(frame.to_dict(as_series=False)), edges=[12, 20]).equals(by, null_equal=True)
    known = dataclasses.replace(run, daily=run.daily.with_columns(vix=pl.Series([9.0, 15.0, 99.0])))
    assert known.by("vix")["group"].to_list() == ["below 10", "14 to 16", "25 and above"]


def test_many_entry_times_become_half_hours(run: Result) -> None:
    one = run.trades.drop("pnl", "net_pnl").head(1)
    many = pl.concat(
        one.with_columns(pl.col("entry_time").dt.offset_by(f"{7 * n}m"), pl.lit(n, pl.Int32).alias("leg"))
        for n in range(13)
    )
    by = backtest.from_trades(many).by("entry")
    assert by["group"].to_list() == ["09:00 to 09:30", "09:30 to 10:00", "10:00 to 10:30", "10:30 to 11:00"]
    assert by["trades"].sum() == 13


def test_sessions_without_a_trade_are_left_out_and_held_positions_count(run: Result) -> None:
    idle = pl.DataFrame({"date": [date(2024, 2, 2), date(2024, 2, 5)], "pnl": [0.0, 50.0]}).with_columns(
        pl.lit(0.0).alias("gross"), pl.lit(0.0).alias("costs"), pl.lit(0, pl.Int64).alias("trades"),
        pl.lit(None, pl.Float64).alias("vix"),
    )  # fmt: skip
    held = dataclasses.replace(run, daily=pl.concat([run.daily, idle.select(run.daily.columns)]))
    assert rows(held.by("weekday"))["Monday"][:3] == (2, 2, 148.0)
    assert "Friday" not in rows(held.by("weekday"))


def test_none_and_wrong(run: Result) -> None:
    empty = Result.from_trades(run.trades.clear().drop("pnl", "net_pnl"), underlying="")
    for key in KEYS:
        assert empty.by(key).schema == run.by(key).schema
        assert empty.by(key).height == 0
    with pytest.raises(ValueError, match=r"expected one of weekday, dte, .*, got 'luck'"):
        run.by("luck")
    with pytest.raises(ValueError, match="ascending"):
        run.by("vix", edges=[20, 12])
    with pytest.raises(ValueError, match="columns date and vix"):
        run.by("vix", vix=pl.DataFrame({"day": []}))


def test_picture(run: Result) -> None:
    figure = breakdowns_figure({"Weekday": run.by("weekday"), "Right": run.by("right")})
    assert list(figure.data[0].x) == ["Monday", "Thursday"]
    assert list(figure.data[0].y) == [98.0, 98.0]
    assert figure.data[0].error_y.array[0] is None
    assert figure.data[0].error_y.array[1] == pytest.approx(1.96 * 300)
