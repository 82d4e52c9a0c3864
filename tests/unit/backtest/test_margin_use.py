"""Margin of a run, on records made by hand whose every number can be checked."""

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from algomaster import backtest, market
from algomaster.backtest.holdings import moments_of, moves_of
from algomaster.core.errors import DataError, FactError
from algomaster.market import facts
from algomaster.performance import Result
from algomaster.pricing import MarginRates, margin
from hand_made_runs import EXPIRY, SPOT, at, run_of

IST = ZoneInfo("Asia/Kolkata")
MONDAY, TUESDAY = date(2024, 7, 1), date(2024, 7, 2)
STRADDLE = [
    (at(MONDAY, "09:20"), 0, "CE", 24000.0, -50, 150.0),
    (at(MONDAY, "09:20"), 1, "PE", 24000.0, -50, 140.0),
    (at(MONDAY, "11:00"), 0, "CE", 24000.0, 50, 180.0),
    (at(MONDAY, "15:15"), 1, "PE", 24000.0, 50, 90.0),
]


def years(moment, expiry=EXPIRY):
    end = datetime(expiry.year, expiry.month, expiry.day, 15, 30, tzinfo=IST)
    return (end - moment) / timedelta(days=365)


def test_each_fill_changes_the_margin():
    use = backtest.margin_of(run_of(STRADDLE))
    assert use.at["ts"].to_list() == [at(MONDAY, t) for t in ("09:20", "11:00", "15:15")]
    assert use.at["contracts"].to_list() == [2, 1, 0]
    rates = facts.margin_rates(MONDAY)
    first, second = STRADDLE[0][0], STRADDLE[2][0]
    both = [("CE", 24000, -50, 150.0), ("PE", 24000, -50, 140.0)]
    expected = margin(both, spot=SPOT, t=years(first), rates=rates).total
    assert use.at["margin"][0] == pytest.approx(expected, rel=1e-9)
    # The put is valued with the volatility of its own last fill, in less time.
    iv = backtest.holdings._implied(*(np.array([x]) for x in (140.0, -1, SPOT, 24000.0, years(first))))[0]
    left = margin([("PE", 24000, -50, 1.0, years(second), iv)], spot=SPOT, rates=rates)
    assert use.at["exposure"][1] == pytest.approx(left.exposure)
    assert use.at["margin"][1] == pytest.approx(left.total, rel=0.01)
    assert use.at["margin"][2] == 0.0


def test_peak_and_return():
    use = backtest.margin_of(run_of(STRADDLE, pnl=[1_000.0, -400.0], dates=[MONDAY, TUESDAY]))
    peak = use.at["margin"].max()
    assert use.daily["margin"].to_list() == [peak, 0.0]
    assert use.metrics["margin_peak"] == use.metrics["margin_mean"] == peak
    assert use.metrics["return_on_margin"] == pytest.approx(600.0 / peak)
    assert use.metrics["return_on_margin_se"] == pytest.approx(np.std([1000, -400], ddof=1) * 2**0.5 / peak)
    assert use.metrics["return_on_margin_year"] == pytest.approx(600.0 / peak * 126)
    assert np.isnan(use.daily["return_on_margin"][1])


def test_two_legs_in_one_contract_are_netted():
    fills = [
        (at(MONDAY, "09:20"), 0, "CE", 24000.0, -50, 150.0),
        (at(MONDAY, "09:30"), 1, "CE", 24000.0, 50, 160.0),
    ]
    assert backtest.margin_of(run_of(fills)).at["margin"].to_list()[-1] == 0.0


def test_bought_options_tie_up_what_they_are_worth():
    use = backtest.margin_of(run_of([(at(MONDAY, "09:20"), 0, "CE", 24000.0, 50, 150.0)]))
    assert use.at["span"][0] == 0.0
    assert use.at["premium"][0] == pytest.approx(50 * 150.0)
    assert use.at["margin"][0] == use.at["premium"][0]


def test_what_is_held_overnight_is_margined_in_the_morning():
    fills = [(at(MONDAY, "15:00"), 0, "CE", 24000.0, -50, 150.0), (at(TUESDAY, "10:00"), 0, "CE", 24000.0, 50, 90.0)]
    use = backtest.margin_of(run_of(fills, pnl=[0.0, 3_000.0], dates=[MONDAY, TUESDAY]))
    assert use.at["ts"].to_list() == [at(MONDAY, "15:00"), at(TUESDAY, "09:16"), at(TUESDAY, "10:00")]
    assert use.daily["margin"].min() > 100_000


def test_a_future_needs_no_volatility():
    use = backtest.margin_of(run_of([(at(MONDAY, "09:20"), 0, "FUT", 0.0, 50, 24_050.0)]))
    assert use.at["margin"][0] == pytest.approx(0.113 * SPOT * 50, rel=0.002)


def test_the_last_day_is_known_by_its_date():
    day = date(2024, 11, 21)
    fills = [(at(day, "09:20"), 0, "CE", 24000.0, -50, 40.0)]
    late = backtest.margin_of(run_of(fills, dates=[day], expiry=day))
    assert late.at["expiry_exposure"][0] == pytest.approx(0.02 * SPOT * 50)
    week = backtest.margin_of(run_of(fills, dates=[day], expiry=date(2024, 11, 28)))
    assert week.at["expiry_exposure"][0] == 0.0


def test_chains_give_premiums_of_the_moment():
    days = market.simulate("NIFTY", sessions=2, start="2024-01-01", strikes=11, seed=7)
    run = backtest.replay("straddle", days)
    with_chains, without = backtest.margin_of(run, days), backtest.margin_of(run)
    assert with_chains.at["margin"].to_numpy() == pytest.approx(without.at["margin"].to_numpy(), rel=0.02)
    bare = backtest.margin_of(bare_of(run), days)
    assert bare.at.equals(with_chains.at)


def bare_of(run):
    import dataclasses

    return dataclasses.replace(run, prices=run.prices.clear())


def test_without_the_index_it_says_what_to_do():
    with pytest.raises(DataError, match="margin_of\\(run, days\\)"):
        backtest.margin_of(bare_of(run_of(STRADDLE)))


def test_own_rates_and_days_off_record():
    strange = run_of([(at(date(2012, 7, 2), "09:20"), *STRADDLE[0][1:])], dates=[date(2012, 7, 2)])
    with pytest.raises(FactError, match="margin"):
        backtest.margin_of(strange)
    none = MarginRates(scan=0.0, vol_scan=0.0, exposure=0.01, sigmas=0.0, vol_share=0.0, expiry_exposure=0.0)
    use = backtest.margin_of(run_of(STRADDLE), rates=none)
    assert use.at["exposure"][0] == pytest.approx(0.01 * SPOT * 100)
    wide = backtest.margin_of(run_of(STRADDLE), daily_vol=0.02)
    assert wide.metrics["margin_peak"] > 1.5 * backtest.margin_of(run_of(STRADDLE)).metrics["margin_peak"]


def test_an_imported_log_is_margined_by_its_entries_and_exits():
    trades = pl.DataFrame(
        {
            "right": ["CE"], "strike": [24000.0], "quantity": [-50], "entry_time": [at(MONDAY, "09:20")],
            "entry_price": [150.0], "exit_time": [at(MONDAY, "11:00")], "exit_price": [120.0], "expiry": [EXPIRY],
        }
    )  # fmt: skip
    log = Result.from_trades(trades, underlying="NIFTY")
    assert [move.quantity for move in moves_of(log)] == [-50.0, 50.0]
    assert len(moments_of(moves_of(log))) == 2
    with pytest.raises(DataError, match="index"):
        backtest.margin_of(log)


def test_every_face():
    use = backtest.margin_of(run_of(STRADDLE))
    assert "Peak margin" in repr(use)
    assert "<table>" in use._repr_html_()
    assert len(use.plot().data) == 3
    told = json.loads(json.dumps(use.to_dict(), allow_nan=False))
    assert told["metrics"]["margin_peak"] == use.metrics["margin_peak"]
    assert told["at"][0]["ts"].startswith("2024-07-01T09:20:00+05:30")


def test_a_run_without_a_trade_has_no_margin():
    use = backtest.margin_of(run_of([]))
    assert use.metrics["margin_peak"] == 0.0
    assert np.isnan(use.metrics["return_on_margin"])
    assert "Peak margin" in repr(use)
    assert use.plot() is not None
