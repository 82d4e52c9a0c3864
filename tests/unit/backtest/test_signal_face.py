"""What may come into a signal backtest, what comes out, and what is said about bad input."""

import json
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

from algomaster import backtest
from algomaster.core.errors import CatalogueError, ConfigError, DataError
from signal_bars import random_bars, random_signals

CLOSE = [10.0, 11.0, 12.0, 11.0, 10.0, 12.0]
OPEN = [10.0, 10.5, 11.5, 12.0, 10.5, 10.0]
INTO = [True, False, False, True, False, False]
OUT = [False, False, True, False, False, False]


def test_the_same_from_numpy_pandas_and_polars():
    index = pd.date_range("2024-01-01 09:15", periods=6, freq="min", tz="Asia/Kolkata")
    plain = backtest.from_signals(np.array(CLOSE), np.array(INTO), np.array(OUT), open=np.array(OPEN))
    pandas = backtest.from_signals(
        pd.Series(CLOSE, index, name="A"), pd.Series(INTO, index), pd.Series(OUT, index), open=pd.Series(OPEN, index)
    )
    polars = backtest.from_signals(pl.Series("A", CLOSE), pl.Series(INTO), pl.Series(OUT), open=pl.Series(OPEN))
    assert plain.digest == pandas.digest == polars.digest
    assert pandas.symbols == polars.symbols == ("A",)
    assert pandas.trades["entry_time"][0] == index[1]
    assert pandas.trades.schema["entry_time"] == pl.Datetime("ns", "Asia/Kolkata")
    assert plain.trades["entry_time"].null_count() == 2
    assert plain.trades["entry_bar"].to_list() == [1, 4]
    assert plain.trades["exit_price"].to_list() == [12.0, 12.0]
    assert plain.trades["status"].to_list() == ["closed", "open"]


def test_frames_of_many_symbols():
    index = pd.date_range("2024-01-01", periods=6)
    close = pd.DataFrame({"A": CLOSE, "B": CLOSE[::-1]}, index)
    into = pd.DataFrame({"A": INTO, "B": INTO}, index)
    run = backtest.from_signals(close, into, fill="close", cash_sharing=True, size=1000.0, size_type="value")
    other = pl.DataFrame({"day": index, "A": CLOSE, "B": CLOSE[::-1]})
    again = backtest.from_signals(
        other, np.stack([INTO, INTO], 1), fill="close", cash_sharing=True, size=1000.0, size_type="value"
    )
    assert run.symbols == again.symbols == ("A", "B")
    assert run.digest == again.digest
    assert run.groups == ("all",)
    assert run.equity.columns == ["time", "all"]
    assert again.trades["entry_time"][0].isoformat() == "2024-01-01T00:00:00"


def test_one_symbol_many_signals_and_groups():
    many = np.stack([INTO, OUT, INTO], axis=1)
    run = backtest.from_signals(CLOSE, many, open=OPEN, cash_sharing=True, group_by=["x", "y", "x"], size=1.0)
    assert run.groups == ("x", "y")
    assert run.symbols == ("0", "2", "1")
    assert run.by_group["group"].to_list() == ["x", "y"]
    assert run.metrics["final_value"] == pytest.approx(run.by_group["final_value"].sum())


def test_missing_signals_are_none_and_none_is_missing():
    run = backtest.from_signals(CLOSE, [None, True, None, None, None, None], open=OPEN)
    same = backtest.from_signals(CLOSE, [np.nan, 1, 0, np.nan, 0, 0], open=OPEN)
    assert run.digest == same.digest
    assert run.trades["entry_bar"].to_list() == [2]


def test_settings_by_bar_and_by_symbol():
    close = np.tile(np.array(CLOSE)[:, None], 2)
    run = backtest.from_signals(close, np.tile(np.array(INTO)[:, None], 2), fill="close", size=[1.0, 2.0], fees=0.0)
    assert run.trades["size"].to_list() == [1.0, 2.0]
    by_bar = backtest.from_signals(CLOSE, INTO, fill="close", size=1.0, fees=[0.01] * 5 + [0.0])
    assert by_bar.trades["entry_fees"].to_list() == pytest.approx([0.1])


def test_what_is_noted():
    run = backtest.from_signals(CLOSE, INTO, OUT)
    said = " | ".join(run.notes)
    for words in ("no costs", "next close", "still open", "no times"):
        assert words in said
    assert "no costs" in repr(run)
    assert "no costs" in run._repr_html_()
    paid = backtest.from_signals(CLOSE, INTO, OUT, open=OPEN, fees=0.001, freq="1d", size=1e9)
    assert not [note for note in paid.notes if "no costs" in note or "no times" in note]
    assert any("filled in part" in note for note in paid.notes)
    late = backtest.from_signals(CLOSE, [0, 0, 0, 0, 0, 1], open=OPEN)
    assert any("still waiting" in note for note in late.notes)
    refused = backtest.from_signals(CLOSE, INTO, open=OPEN, size=1e9, allow_partial=False)
    assert any("refused" in note for note in refused.notes)
    assert not refused.trades.height


def test_daily_statistics_are_those_of_returns():
    made = random_bars(4, bars=2000)
    run = backtest.from_signals(**made, **random_signals(4, made["close"].shape, 0.05), freq="1h", fees=0.0001)
    ends = run.equity.group_by(pl.col("time").sub(pl.duration(nanoseconds=1)).dt.date(), maintain_order=True).last()
    values = np.append(100_000.0, ends[run.groups[0]].to_numpy())
    returns = values[1:] / values[:-1] - 1.0
    assert run.metrics["sessions"] == returns.size
    assert run.metrics["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1) * np.sqrt(252), rel=1e-5)
    curve = np.append(100_000.0, run.equity[run.groups[0]].to_numpy())
    fall = 1.0 - curve / np.maximum.accumulate(curve)
    assert run.metrics["max_drawdown_share"] == pytest.approx(fall.max(), rel=1e-12)
    assert run.metrics["total_return"] == pytest.approx(curve[-1] / curve[0] - 1.0, rel=1e-12)
    assert run.metrics["sharpe_se"] > 0


def test_own_prices_fill_on_the_bar_of_the_signal():
    run = backtest.from_signals(CLOSE, INTO, OUT, price=[10.2, 0, 11.9, 11.1, 0, 0], fees=0.0)
    assert run.trades["entry_price"].to_list() == [10.2, 11.1]
    assert run.trades["exit_bar"].to_list()[0] == 2
    with pytest.raises(ConfigError, match="fill or price"):
        backtest.from_signals(CLOSE, INTO, price=CLOSE, fill="close")


def test_save_and_load(tmp_path):
    run = backtest.from_signals(CLOSE, INTO, OUT, open=OPEN, fees=0.001, freq="1d")
    back = type(run).load(run.save(tmp_path / "run"))
    assert back.trades.equals(run.trades)
    assert back.equity.equals(run.equity)
    assert back.cash.equals(run.cash)
    assert back.notes == run.notes
    assert repr(back) == repr(run)
    assert json.dumps(run.to_dict())
    assert run.to_frame("orders", pandas=True).shape[0] == run.orders.height
    with pytest.raises(ValueError, match="kind: expected one of"):
        run.to_frame("fills")
    with pytest.raises(DataError, match="not a saved signal backtest"):
        type(run).load(tmp_path)
    (tmp_path / "other").write_text("x")
    with pytest.raises(DataError, match="exists and is not"):
        run.save(tmp_path / "other")


def test_pictures():
    run = backtest.from_signals(CLOSE, INTO, OUT, open=OPEN, freq="1d")
    assert len(run.plot().data) == 3
    assert run.plot("0").data[2].x[0].isoformat().startswith("1970-01-04")
    with pytest.raises(ValueError, match="symbol: expected one of 0"):
        run.plot("B")
    closes = 100.0 + np.round(5.0 * np.sin(np.arange(400) / 9.0), 2)
    sweep = backtest.signal_sweep("sma_cross", closes, grid={"fast": [3, 5], "slow": [10, 20]}, freq="1h")
    assert sweep.plot().data
    assert sweep.best().height == 1
    assert "sma_cross on 0: 4 sets" in repr(sweep)
    assert json.dumps(sweep.to_dict())
    assert sweep.to_frame(pandas=True).shape[0] == 4
    none = backtest.signal_sweep("sma_cross", closes, grid={"fast": [3]}, trades=False)
    assert none.trades is None
    with pytest.raises(ValueError, match="two settings that vary"):
        none.plot()
    with pytest.raises(ValueError, match="metric: expected one of"):
        none.best("nothing")


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        ({"entries": [1, 2, 0, 0, 0, 0]}, "entries: expected True and False"),
        ({"entries": [1, 0]}, "entries: expected 6 bars as close has, got 2"),
        ({"entries": ["a"] * 6}, "entries: expected numbers"),
        ({"close": [10.0, -1.0, 1, 1, 1, 1]}, "close: expected prices above 0"),
        ({"high": [9.0] * 6}, "bar 0: expected low <= open, close <= high"),
        ({"open": np.ones((6, 2))}, "open: expected 1 columns as close has, got 2"),
        ({"fees": -0.1}, "fees: expected numbers from 0 to 1"),
        ({"fees": np.nan}, "fees: expected numbers from 0 to 1"),
        ({"size": [1.0, 2.0]}, "size: expected a number, or values for 6 bars or 1 columns"),
        ({"init_cash": 0.0}, "init_cash: expected money above 0"),
        ({"freq": "soon"}, "freq: expected a number with a unit"),
        ({"times": [3, 2, 1, 4, 5, 6]}, "times: expected ascending times"),
        ({"times": [1, 2, 3]}, "times: expected 6 times"),
        ({"times": CLOSE}, "times: expected datetimes"),
        ({"group_by": ["a"]}, "say cash_sharing=True"),
        ({"group_by": ["a", "b"], "cash_sharing": True}, "group_by: expected a label for each of 1 columns"),
        ({"sl_stop": -0.1}, "sl_stop: expected numbers from 0"),
    ],
)
def test_bad_values(other, problem):
    arguments = {"close": CLOSE, "entries": INTO, "exits": OUT} | other
    with pytest.raises((ValueError, TypeError), match=re.escape(problem)):
        backtest.from_signals(**arguments)


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        ({"fill": "next_open"}, "fill='next_open' needs opens"),
        ({"fill": "now"}, "Expected fill to be one of next_open"),
        ({"size_type": "lots"}, "Expected size_type to be one of amount, value, percent"),
        ({"direction": "up"}, "Expected direction to be one of both, longonly, shortonly"),
        ({"accumulate": "much"}, "Expected accumulate to be one of"),
        ({"call_seq": "auto"}, "Expected call_seq to be one of fixed, sells_first"),
        ({"upon_opposite_entry": "no"}, "Expected upon_opposite_entry to be one of reverse, close, ignore"),
    ],
)
def test_bad_words(other, problem):
    with pytest.raises(ConfigError, match=re.escape(problem)):
        backtest.from_signals(CLOSE, INTO, **other)


def test_an_index_that_does_not_fit():
    index = pd.date_range("2024-01-01", periods=6)
    with pytest.raises(ValueError, match="its index is not that of close"):
        backtest.from_signals(pd.Series(CLOSE, index), pd.Series(INTO, index[::-1]))


def test_bad_orders():
    with pytest.raises(ValueError, match="shares from -1 to 1"):
        backtest.from_orders(CLOSE, 50.0, size_type="target_percent")
    with pytest.raises(ConfigError, match="Expected size_type to be one of"):
        backtest.from_orders(CLOSE, 1.0, size_type="lots")
    with pytest.raises(ValueError, match="size: expected 6 bars"):
        backtest.from_orders(CLOSE, [1.0])


def test_bad_sweeps():
    with pytest.raises(CatalogueError, match="sma_cross"):
        backtest.signal_sweep("ema", CLOSE, grid={"fast": [1]})
    with pytest.raises(ConfigError, match="expected fast below slow"):
        backtest.signal_sweep("sma_cross", CLOSE, grid={"fast": [5], "slow": [5]})
    with pytest.raises(ConfigError, match="closes on a grid"):
        backtest.signal_sweep("sma_cross", np.array(CLOSE) * np.pi, grid={"fast": [1], "slow": [2]})
    with pytest.raises(ConfigError, match="tick to be above 0"):
        backtest.signal_sweep("sma_cross", CLOSE, grid={"fast": [1], "slow": [2]}, tick=0.0)
    with pytest.raises(ConfigError, match="chunk to be at least 1"):
        backtest.signal_sweep("sma_cross", CLOSE, grid={"fast": [1], "slow": [2]}, chunk=0)
    rounded = backtest.signal_sweep("sma_cross", np.array(CLOSE) * np.pi, grid={"fast": [1], "slow": [2]}, tick=0.01)
    assert rounded.assumptions["tick"] == 0.01


def test_a_short_is_held_to_the_cash_and_bought_back_whole():
    run = backtest.from_signals(
        [100.0, 100.0, 250.0, 250.0], [1, 0, 0, 0], [0, 1, 0, 0], fill="next_close", direction="shortonly", size=5e3
    )
    assert run.trades["size"].to_list() == [1000.0]
    assert run.trades["pnl"].to_list() == [-150_000.0]
    assert any("cash is negative" in note for note in run.notes)
    assert run.metrics["max_drawdown_share"] == pytest.approx(1.5)
