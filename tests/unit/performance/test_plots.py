"""What the figures hold."""

from datetime import date, datetime

import numpy as np
import polars as pl
import pytest

from algomaster.performance.imported import TIME, TRADES
from algomaster.performance.plots import calendar_figure, equity_figure, sweep_figure, thin, trades_figure
from algomaster.performance.result import Result


def minutes(*days: date, count: int = 5) -> pl.Series:
    moments = [datetime(day.year, day.month, day.day, 9, 15 + n) for day in days for n in range(count)]
    return pl.Series("ts", moments).dt.replace_time_zone("Asia/Kolkata").cast(TIME)


DAYS = (date(2021, 6, 10), date(2021, 6, 14))


def test_equity_starts_at_zero_for_its_drawdown() -> None:
    frame = pl.DataFrame({"ts": minutes(DAYS[0]), "equity": [-10.0, 20.0, 5.0, 25.0, 24.0]})
    figure = equity_figure(frame)
    assert list(figure.data[0].y) == [-10.0, 20.0, 5.0, 25.0, 24.0]
    assert list(figure.data[1].y) == [-10.0, 0.0, -15.0, 0.0, -1.0]
    assert figure.data[0].x[0] == datetime(2021, 6, 10, 9, 15)  # the clock on the wall in India


def test_nights_and_holidays_are_left_out_of_a_short_axis() -> None:
    frame = pl.DataFrame({"ts": minutes(*DAYS), "equity": np.zeros(10)})
    breaks = equity_figure(frame).layout.xaxis.rangebreaks
    assert list(breaks[1].values) == ["2021-06-11", "2021-06-12", "2021-06-13"]
    night = breaks[0].bounds
    assert night[1] == 9.25
    assert 9.25 + 4 / 60 < night[0] < 10.0


def test_calendar() -> None:
    daily = pl.DataFrame({"date": [*DAYS, date(2021, 8, 31)], "pnl": [10.0, -4.0, 7.0]})
    figure = calendar_figure(daily)
    cells = np.array(figure.data[0].z, dtype=float)
    assert list(figure.data[0].y) == ["Jun 2021", "Aug 2021"]
    assert (cells[0, 9], cells[0, 13], cells[1, 30]) == (10.0, -4.0, 7.0)
    assert np.isnan(cells).sum() == 62 - 3
    assert [note.text for note in figure.layout.annotations] == [" +6", " +7"]
    assert figure.data[0].zmin == -figure.data[0].zmax


def trades() -> pl.DataFrame:
    log = pl.DataFrame(
        {
            "right": ["CE", "PE"],
            "strike": [15800.0, 15700.0],
            "quantity": [-75, 75],
            "entry_time": ["2021-06-10T09:15:00", "2021-06-10T09:16:00"],
            "entry_price": [100.0, 50.0],
            "exit_time": ["2021-06-10T09:17:00", "2021-06-10T09:19:00"],
            "exit_price": [90.0, 55.5],
            "exit_reason": ["time", "<b>stop"],
        }
    )
    return Result.from_trades(log, underlying="NIFTY").trades


def test_trades_on_price() -> None:
    prices = pl.DataFrame({"ts": minutes(DAYS[0]), "spot": [15700.0, 15710.0, 15720.0, 15730.0, 15740.0]})
    figure = trades_figure(trades(), prices)
    parts = {part.name: part for part in figure.data}
    assert list(parts["Spot"].y) == prices["spot"].to_list()
    assert list(parts["Entry"].y) == [15700.0, 15710.0]
    assert list(parts["Exit"].y) == [15720.0, 15740.0]
    assert parts["Exit"].text == ("CE 15800 time", "PE 15700 &lt;b&gt;stop")
    assert list(parts["CE"].y) == [100.0, 90.0, None]
    assert list(parts["PE"].y) == [50.0, 55.5, None]
    assert list(parts["PE"].marker.symbol) == ["triangle-up", "x", "circle"]
    assert list(parts["CE"].marker.symbol) == ["triangle-down", "x", "circle"]
    assert "net ₹750.00" in parts["CE"].text[1]


def test_without_spot_the_premiums_alone() -> None:
    figure = trades_figure(trades(), pl.DataFrame(schema={"ts": TIME, "spot": pl.Float64()}))
    assert [part.name for part in figure.data] == ["CE", "PE"]


def test_nothing_to_draw_is_an_empty_figure() -> None:
    empty = pl.DataFrame(schema={"ts": TIME, "equity": pl.Float64(), "spot": pl.Float64()})
    assert len(equity_figure(empty).data[0].x) == 0
    assert len(calendar_figure(pl.DataFrame(schema={"date": pl.Date, "pnl": pl.Float64})).data[0].y) == 0
    assert len(trades_figure(pl.DataFrame(schema=TRADES), empty).data[0].x) == 0


def test_sweep_shows_the_median_of_what_else_was_varied() -> None:
    frame = pl.DataFrame(
        {
            "stop": [10.0, 10.0, 10.0, 20.0],
            "entry": ["09:20", "09:20", "09:20", "09:30"],
            "other": [1, 2, 3, 1],
            "sharpe": [1.0, 5.0, 2.0, float("nan")],
        }
    )
    figure = sweep_figure(frame, x="stop", y="entry", metric="sharpe")
    cells = np.array(figure.data[0].z)
    assert cells[0, 0] == 2.0
    assert np.isnan(cells).sum() == 3
    assert np.array(figure.data[0].customdata)[0, 0] == 3
    assert figure.data[0].x == ("10.0", "20.0")
    with pytest.raises(ValueError, match="no column nothing; it has stop"):
        sweep_figure(frame, x="stop", y="nothing", metric="sharpe")


def test_thinning_keeps_ends_highs_and_lows() -> None:
    values = np.random.default_rng(1).normal(size=100_000).cumsum()
    values[:50] = np.nan
    places = thin(values, most=400)
    assert places.size <= 402
    assert {0, values.size - 1, int(np.nanargmax(values)), int(np.nanargmin(values))} <= set(places.tolist())
    assert thin(values[:400], most=400).tolist() == list(range(400))


def test_a_rule_that_is_off_stands_at_the_end_of_its_axis() -> None:
    frame = pl.DataFrame({"stop": [None, 10.0, 50.0] * 2, "entry": ["09:20"] * 3 + ["09:30"] * 3, "pnl": range(6)})
    (heatmap,) = sweep_figure(frame, x="entry", y="stop", metric="pnl").data
    assert list(heatmap.y) == ["10.0", "50.0", "none"]
    assert heatmap.z[2].tolist() == [0, 3]
