"""Portfolios of runs made by hand: who may trade, what they make together, what they have to do with each other."""

import json
from datetime import date

import numpy as np
import polars as pl
import pytest

from algomaster import backtest, market
from algomaster.core.errors import ConfigError, DataError
from hand_made_runs import at, run_of

DATES = [date(2024, 7, 1), date(2024, 7, 2), date(2024, 7, 3), date(2024, 7, 4)]
A_PNL, B_PNL = [1_000.0, -2_000.0, 500.0, 700.0], [300.0, 900.0, -100.0, -400.0]


def sold(dates, right="CE", clock="09:20", lots=1):
    """Fills that sell an option in the morning and buy it back, each day."""
    fills = []
    for day in dates:
        fills.append((at(day, clock), 0, right, 24000.0, -50 * lots, 150.0))
        fills.append((at(day, "15:15"), 0, right, 24000.0, 50 * lots, 120.0))
    return fills


def first(**more):
    return run_of(sold(DATES), pnl=A_PNL, dates=DATES, **more)


def second(**more):
    return run_of(sold(DATES, "PE", "10:00"), pnl=B_PNL, dates=DATES, **({"strategy": "other"} | more))


ALONE = backtest.margin_of(first()).metrics["margin_peak"]


def test_plenty_of_capital_adds_everything_up():
    both = backtest.portfolio([first(), (second(), 2)], capital=1e7)
    assert both.names == ("made", "other")
    assert both.daily["pnl"].to_list() == [a + 2 * b for a, b in zip(A_PNL, B_PNL)]
    assert both.breaches.height == 0
    assert both.equity.height == 4 * 375
    assert both.equity["equity"][-1] == sum(A_PNL) + 2 * sum(B_PNL)
    assert both.metrics["pnl"] == sum(A_PNL) + 2 * sum(B_PNL)
    assert both.metrics["sessions"] == 4
    assert both.parts["refused"].to_list() == [0, 0]
    assert both.trades["part"].to_list().count("other") == 4
    assert both.trades.filter(pl.col("part") == "other")["pnl"].to_list() == [2 * b for b in B_PNL]


def test_a_sold_call_and_a_sold_put_share_their_scan():
    both = backtest.portfolio([first(), second()], capital=1e7)
    own = both.parts["margin_peak"].to_list()
    assert max(own) < both.metrics["margin_peak"] < sum(own)
    assert both.metrics["margin_saved"] == pytest.approx(1 - both.metrics["margin_peak"] / sum(own))


def test_the_later_part_is_refused_where_the_capital_ends():
    small = backtest.portfolio([first(), second()], capital=ALONE * 1.05)
    assert small.parts["refused"].to_list() == [0, 4]
    assert small.daily["pnl"].to_list() == A_PNL
    assert small.breaches["part"].to_list() == ["other"] * 4
    assert small.breaches["action"].to_list() == ["refused"] * 4
    assert small.breaches["available"].to_list() == pytest.approx(
        [ALONE * 1.05 + made for made in np.concatenate([[0], np.cumsum(A_PNL)[:-1]])]
    )
    assert small.margin["margin"].max() <= ALONE
    # the other order prefers the other part
    assert backtest.portfolio([second(), first()], capital=ALONE * 1.05).parts["refused"].to_list() == [0, 4]


def test_a_loss_can_end_it():
    poor = backtest.portfolio([first()], capital=ALONE * 1.001)
    assert poor.parts["refused"].to_list() == [2]
    assert poor.breaches["session"].to_list() == DATES[2:]
    assert poor.daily["pnl"].to_list() == [1_000.0, -2_000.0, 0.0, 0.0]
    assert poor.equity["equity"][-1] == -1_000.0
    assert poor.trades["session"].to_list() == DATES[:2]


def test_allow_only_reports():
    told = backtest.portfolio([first(), second()], capital=ALONE * 1.05, rule="allow")
    assert told.breaches.height == 4
    assert set(told.breaches["action"]) == {"reported"}
    assert told.daily["pnl"].to_list() == [a + b for a, b in zip(A_PNL, B_PNL)]
    assert told.metrics["margin_share"] > 1.0


def test_what_is_held_overnight_is_one_block():
    fills = [(at(DATES[0], "15:00"), 0, "CE", 24000.0, -50, 150.0), (at(DATES[2], "10:00"), 0, "CE", 24000.0, 50, 90.0)]
    swing = run_of(fills, pnl=[0.0, 200.0, 2_800.0, 0.0], dates=DATES, strategy="swing")
    refused = backtest.portfolio([second(), swing], capital=ALONE * 1.05)
    assert refused.parts["refused"].to_list() == [0, 3]
    assert refused.breaches["block"].to_list() == [DATES[0]]
    # A block that began before comes first, so what does not fit is the other's session under it; on the third day it
    # is closed in the very minute in which the other begins.
    late = run_of(sold(DATES[1:], "PE", "10:00"), pnl=B_PNL[1:], dates=DATES[1:], strategy="late")
    taken = backtest.portfolio([late, swing], capital=ALONE * 1.05)
    assert taken.parts["refused"].to_list() == [1, 0]
    assert taken.breaches["session"].to_list() == DATES[1:2]


def test_two_underlyings_do_not_offset_each_other():
    bank = second(underlying="BANKNIFTY", spot=51_000.0)
    both = backtest.portfolio([first(), bank], capital=1e7)
    assert both.names == ("made NIFTY", "other BANKNIFTY")
    assert both.metrics["margin_peak"] == pytest.approx(sum(both.parts["margin_peak"]), rel=0.05)


def test_sessions_may_overlap_in_part():
    late = run_of(sold(DATES[2:], "PE"), pnl=B_PNL[2:], dates=DATES[2:], strategy="late")
    both = backtest.portfolio([first(), late], capital=1e7)
    assert both.sessions == DATES
    assert both.daily["late"].to_list() == [0.0, 0.0, -100.0, -400.0]
    assert both.correlation["sessions"].to_list() == [2]
    assert np.isnan(both.correlation["correlation"][0])
    assert both.parts["sessions"].to_list() == [4, 2]


def test_correlation_and_its_error():
    rng = np.random.default_rng(3)
    dates = [date(2024, 7, d) for d in range(1, 31) if date(2024, 7, d).weekday() < 5 and d != 17]
    x = rng.normal(0, 1_000, len(dates))
    y = 0.6 * x + rng.normal(0, 800, len(dates))
    runs = [run_of([], pnl=np.round(v, 2).tolist(), dates=dates, strategy=n) for n, v in (("x", x), ("y", y))]
    both = backtest.portfolio(runs, capital=1e6)
    row = both.correlation.row(0, named=True)
    rho = np.corrcoef(np.round(x, 2), np.round(y, 2))[0, 1]
    z = np.arctanh(rho) + np.array([-1.959964, 1.959964]) / np.sqrt(len(dates) - 3)
    assert row["correlation"] == pytest.approx(rho)
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.tanh(z)), rel=1e-6)
    assert row["se"] == pytest.approx((1 - rho**2) / np.sqrt(len(dates) - 3))
    assert sum(both.parts["risk_share"]) == pytest.approx(1.0)
    total = np.round(x, 2) + np.round(y, 2)
    shares = [np.cov(v, total)[0, 1] / np.var(total, ddof=1) for v in (np.round(x, 2), np.round(y, 2))]
    assert both.parts["risk_share"].to_list() == pytest.approx(shares)


def test_strategies_are_replayed():
    days = market.simulate("NIFTY", sessions=3, start="2024-01-01", strikes=11, seed=7)
    ready = backtest.replay("straddle", days, params={"stop_pct": 25})
    both = backtest.portfolio([ready, ("straddle", {"stop_pct": 25}, 2), ("straddle",)], capital=1e6, days=days)
    assert both.names == ("straddle", "straddle #2", "straddle #3")
    assert both.daily["straddle #2"].to_list() == pytest.approx((2 * both.daily["straddle"]).to_list())
    assert both.correlation["correlation"].is_nan().all()  # three sessions tell nothing
    margin = backtest.margin_of(ready, days)
    one = backtest.portfolio([ready], capital=1e6, days=days)
    assert one.daily["margin"].to_list() == margin.daily["margin"].to_list()
    assert one.equity["equity"].to_list() == ready.equity["equity"].to_list()
    for name in ("pnl", "sharpe", "trades", "wins", "costs", "max_drawdown"):
        assert one.metrics[name] == pytest.approx(ready.metrics[name], rel=0, abs=0, nan_ok=True), name


@pytest.mark.parametrize(
    ("parts", "more", "error", "match"),
    [
        ([], {}, DataError, "at least one"),
        ([("straddle", {})], {}, ConfigError, "days="),
        ([("made", 3)], {"days": "given"}, ConfigError, "params"),
        ([42], {}, ConfigError, "Part 0"),
        (["run"], {"capital": 0.0}, ConfigError, "capital"),
        (["run"], {"rule": "hope"}, ConfigError, "refuse, allow"),
    ],
)
def test_bad_input_is_refused(parts, more, error, match):
    if more.get("days"):
        more = more | {"days": market.simulate("NIFTY", sessions=1, start="2024-01-01", strikes=11, seed=7)}
    given = [first() if part == "run" else part for part in parts]
    with pytest.raises(error, match=match):
        backtest.portfolio(given, **{"capital": 1e6} | more)


@pytest.mark.parametrize("lots", [0, -1, float("nan"), True, "two"])
def test_lots_are_above_zero(lots):
    with pytest.raises(ConfigError, match="lots"):
        backtest.portfolio([(first(), lots)], capital=1e6)


def test_every_face(tmp_path):
    both = backtest.portfolio([first(), second()], capital=ALONE * 1.05)
    assert "refused" in repr(both)
    assert "<table>" in both._repr_html_()
    assert len(both.plot().data) >= 6
    told = json.loads(json.dumps(both.to_dict(), allow_nan=False))
    assert told["breaches"][0]["part"] == "other"
    assert both.to_frame("parts").equals(both.parts)
    with pytest.raises(ValueError, match="daily, equity"):
        both.to_frame("bars")
    both.save(tmp_path / "kept")
    again = backtest.Portfolio.load(both.save(tmp_path / "kept"))
    assert repr(again) == repr(both)
    for name in ("daily", "equity", "margin", "correlation", "parts", "breaches", "trades"):
        assert getattr(again, name).equals(getattr(both, name)), name
    with pytest.raises(DataError, match="not a saved portfolio"):
        both.save(tmp_path / "kept" / "daily.parquet")
    with pytest.raises(DataError, match="not a complete saved portfolio"):
        backtest.Portfolio.load(tmp_path)
