"""The delta hedge on sessions made by hand: band, interval, future and synthetic, through zero, one stop for all."""

from datetime import date

import pytest

from algomaster import backtest, strategy
from algomaster.core.errors import ConfigError
from algomaster.core.types import MISSING
from algomaster.strategy.day import day_of
from naive.spiky import priced
from naive.vols import call_delta


def day_with(*moves, minutes=60, vol=0.12):
    """A session whose index stands at 20,000 and at these levels: each (from, value) holds until the next."""
    spots = [20_000.0] * minutes
    for start, value in moves:
        spots[start:] = [value] * (minutes - start)
    return priced(date(2024, 1, 1), date(2024, 1, 4), spots, [vol] * minutes)


def play(day, **params):
    rules = {"exit": "10:10", "lots": 10, "stop_pct": None}
    return backtest.replay("delta_hedge", day, params=rules | params, costs=False)


def hedges(run, right="FUT"):
    """(time, lots) of the fills of the hedge."""
    fills = run.fills.filter((run.fills["right"] == right) & (run.fills["leg"] > 1))
    return [(f"{row['ts']:%H:%M}", row["quantity"] // 50, row["reason"]) for row in fills.to_dicts()]


def delta_at(day, bar, spot, lots=-10):
    """Net delta of the straddle at 20,000 in lots, by the book."""
    return lots * (2 * call_delta(spot, 20_000.0, day_of(day).years[0, bar], 0.12) - 1)


def test_a_move_of_the_index_is_hedged_by_the_future():
    """The move closes on the bar that ends at 09:36; the order fills at 09:36, the next bar's open."""
    day = day_with((20, 20_100.0))
    net = delta_at(day, 20, 20_100.0)
    assert net < -2
    assert hedges(play(day)) == [("09:36", round(-net), "entry"), ("10:10", -round(-net), "time")]
    bought = hedges(play(day_with((20, 20_100.0)), side="buy"))
    assert bought[0] == ("09:36", -round(-net), "entry")


def test_within_the_band_nothing_is_done():
    net = abs(delta_at(day_with(), 20, 20_100.0))
    assert not hedges(play(day_with((20, 20_100.0)), band=net + 0.2))
    assert hedges(play(day_with((20, 20_100.0)), band=net - 0.2))


def test_hedges_grow_shrink_and_go_through_zero():
    day = day_with((20, 20_050.0), (30, 20_100.0), (40, 19_900.0))
    first, second, third = (
        round(-delta_at(day, bar, spot)) for bar, spot in ((20, 20_050), (30, 20_100), (40, 19_900))
    )
    assert 0 < first < second
    assert third < 0
    run = play(day)
    assert hedges(run)[:4] == [
        ("09:36", first, "entry"), ("09:46", second - first, "hedge"), ("09:56", -second, "hedge"),
        ("09:56", third, "entry"),
    ]  # fmt: skip
    assert run.trades.filter(run.trades["right"] == "FUT")["exit_reason"].to_list() == ["hedge", "time"]
    shrunk = hedges(play(day_with((20, 20_100.0), (30, 20_050.0))))
    assert shrunk[1][1] < 0
    assert shrunk[1][2] == "hedge"


def test_every_so_many_minutes():
    """The straddle is whole on the bar that ends at 09:21; ten minutes later the delta is looked at, small or not."""
    day = day_with((8, 20_030.0))
    assert hedges(play(day, band=None, every=10))[0][0] == "09:31"
    assert not hedges(play(day_with((8, 20_030.0)), band=3.0))
    both = hedges(play(day_with((8, 20_030.0), (20, 20_170.0)), band=2.5, every=10))
    assert [row[0] for row in both[:2]] == ["09:31", "09:36"]


def test_a_synthetic_future_is_a_call_bought_and_a_put_sold():
    day = day_with((20, 20_100.0), (30, 20_000.0))
    run = play(day, hedge_with="synthetic")
    lots = round(-delta_at(day, 20, 20_100.0))
    legs = run.trades.filter(run.trades["strike"] == 20_100.0)
    assert sorted(zip(legs["right"], legs["quantity"])) == [("CE", lots * 50), ("PE", -lots * 50)]
    assert legs["exit_reason"].to_list() == ["hedge", "hedge"]
    # a synthetic bought and sold again gains what the forward did
    assert legs["pnl"].sum() == pytest.approx(-100 * lots * 50, abs=lots * 50 * 0.2)


def test_a_day_without_the_future():
    day = day_with((20, 20_100.0))
    for name in ("future_open", "future_high", "future_low", "future"):
        getattr(day, name)[:] = MISSING
    run = play(day)
    assert run.trades["right"].to_list() == ["CE", "PE"]
    day = day_with((20, 20_100.0))
    for name in ("future_open", "future_high", "future_low", "future"):
        getattr(day, name)[:] = MISSING
    assert hedges(play(day, hedge_with="synthetic"), "CE")


def test_a_hedge_waits_for_prices():
    day = day_with((20, 20_100.0))
    day.future[20:23] = MISSING
    assert hedges(play(day))[0][0] == "09:39"
    day = day_with((20, 20_100.0))
    day.close[0, 6, 0, 20:24] = MISSING  # the forward's own strike
    assert hedges(play(day))[0][0] == "09:40"
    day = day_with((20, 20_100.0))
    day.future_open[21:26] = MISSING  # decided, not filled: no second order meanwhile
    assert [row[0] for row in hedges(play(day))] == ["09:41", "10:10"]


def test_the_whole_book_has_one_stop_and_one_target():
    run = play(day_with((20, 20_180.0)), stop_pct=15, band=20.0)
    assert set(run.trades["exit_reason"]) == {"overall_stop"}
    hedged = play(day_with((20, 20_090.0), (30, 20_180.0)), stop_pct=5, band=0.5)
    assert set(hedged.trades["exit_reason"]) == {"overall_stop"}
    assert {"FUT", "CE", "PE"} == set(hedged.trades["right"])
    bought = play(day_with((20, 20_180.0)), side="buy", target_pct=15, band=20.0)
    assert set(bought.trades["exit_reason"]) == {"overall_target"}


def test_a_hedge_keeps_the_delta_within_its_rounding():
    """After every fill of a hedge the net delta is at most half a lot, by the book."""
    day = day_with((20, 20_070.0), (30, 20_110.0), (40, 20_020.0), (50, 19_940.0))
    fills = hedges(play(day))[:-1]
    assert {clock for clock, _, _ in fills} == {"09:36", "09:46", "09:56", "10:06"}
    for clock in {clock for clock, _, _ in fills}:
        held = sum(lots for moment, lots, _ in fills if moment <= clock)
        bar = int(clock[:2]) * 60 + int(clock[3:]) - 556
        assert abs(delta_at(day, bar, day.spot[bar] / 100) + held) <= 0.5 + 1e-3


def test_entries_that_cannot_be():
    day = day_with()
    day.spot[4:20] = MISSING
    assert "within the time" in play(day).skipped["reason"][0]
    assert "no contract" in play(day_with((0, 20_400.0))).skipped["reason"][0]
    day = day_with()
    day.open[0, 4, 1, 5:20] = MISSING
    assert play(day).trades["exit_reason"].to_list() == ["incomplete"]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"band": None}, "band and every are both none"), ({"band": 0}, "greater than 0"),
        ({"every": 0}, "or equal to 1"), ({"hedge_with": "spot"}, "'future' or 'synthetic'"),
        ({"entry": "15:15"}, "must come before exit"), ({"entry": "09:10"}, "first decision"),
    ],
)  # fmt: skip
def test_refused_with_what_was_expected(params, said):
    with pytest.raises(ConfigError) as problem:
        strategy.get("delta_hedge").configure(params)
    assert said in str(problem.value)


def test_sizing():
    assert play(day_with(), max_lots=4).trades["lots"].to_list() == [4, 4]
