"""What if: stops that follow a change, legs left by hand, what is refused, on hand-made bars."""

import json

import numpy as np
import pytest

from algomaster import backtest, strategy
from algomaster.core.errors import ConfigError
from algomaster.strategy.steps import contract as desk
from hand_made import bars, blank, flat_index, random_day
from walking_strategies import OVER_NIGHTS


def day(minutes=60):
    """The call of 100 is sold at 10 and rises by a rupee every five bars from bar 20 on; the put stands at 8."""
    made = flat_index(blank(minutes=minutes), 100)
    call = [10 + max(0, (i - 15) // 5) for i in range(minutes)]
    bars(made, 100, "CE", [(price, price, price, price) for price in call])
    bars(made, 100, "PE", [(8, 8, 8, 8)] * minutes)
    return made


def stepper(**params):
    return backtest.Stepper("straddle", day(), costs=False, params={"entry": "09:20", "exit": "10:05"} | params)


def legs(result):
    return [
        (row["right"], f"{row['exit_time']:%H:%M}", row["exit_price"], row["exit_reason"], row["net_pnl"])
        for row in result.trades.sort("leg").to_dicts()
    ]


def test_a_resting_stop_goes_where_the_new_setting_puts_it():
    what_if = stepper(stop_pct=50).what_if({"stop_pct": 30}, at="09:30")
    assert legs(what_if.base)[0] == ("CE", "09:55", 15.0, "stop", -250.0)
    assert legs(what_if.other)[0] == ("CE", "09:45", 13.0, "stop", -150.0)
    assert (what_if.difference, what_if.same, what_if.notes) == (100.0, False, ())
    assert what_if.trades.select("leg", "right", "only").rows() == [(0, "CE", None)]


def test_a_stop_that_is_tightened_past_the_market_fills_at_the_next_open():
    what_if = stepper(stop_pct=50).what_if({"stop_pct": 10}, at="09:46")  # the call stands at 13, its stop at 11
    assert legs(what_if.other)[0] == ("CE", "09:46", 13.0, "stop", -150.0)


def test_stops_and_targets_come_and_go():
    assert legs(stepper(stop_pct=None).what_if({"stop_pct": 40}, at="09:30").other)[0][1:4] == ("09:50", 14.0, "stop")
    assert legs(stepper(stop_pct=40).what_if({"stop_pct": None}, at="09:30").other)[0][3] == "time"
    bought = stepper(side="buy", stop_pct=None).what_if({"target_pct": 20}, at="09:30")
    assert legs(bought.other)[0] == ("CE", "09:40", 12.0, "target", 100.0)


def test_other_times_need_no_help():
    assert legs(stepper(stop_pct=None).what_if({"exit": "09:50"}, at="09:30").other)[0][1:4] == ("09:50", 14.0, "time")


@pytest.mark.parametrize("fills", ["next_open", "decision_close"])
def test_legs_left_by_hand_go_at_the_next_open(fills):
    run = backtest.Stepper(
        "straddle", day(), costs=False, fills=fills, params={"entry": "09:20", "exit": "10:05", "stop_pct": None}
    )
    what_if = run.what_if(close="CE", at="09:40")
    assert legs(what_if.other) == [
        ("CE", "09:40", 12.0, "signal", -100.0),
        ("PE", legs(what_if.base)[1][1], 8.0, "time", 0.0),
    ]
    assert [leg[3] for leg in legs(run.what_if(close="all", at="09:40").other)] == ["signal", "signal"]
    assert [leg[3] for leg in legs(run.what_if(close=[1], at="09:40").other)] == ["time", "signal"]
    both = run.what_if({"exit": "09:50"}, close="PE", at="09:40")
    assert [leg[3] for leg in legs(both.other)] == ["time", "signal"]
    assert both.change == {"exit": "09:50", "close": "PE"}


def test_the_stepper_stays_where_it_is():
    run = stepper(stop_pct=50)
    run.seek("09:32")
    before = run.state()
    run.what_if({"stop_pct": 20})
    run.what_if(close="all", at="09:50")
    assert run.at == 17
    assert run.state() == before


def test_a_branch_can_be_walked_and_goes_back_through_the_change():
    branch = stepper(stop_pct=50).branch({"stop_pct": 30}, close="PE", at="09:30")
    digest = branch.finish().digest
    branch.seek("09:25")
    assert branch.settings.stop_pct == 50
    assert [leg.stop for leg in branch.snapshot().positions] == [15.0, 12.0]
    for _ in range(30):
        branch.step()
    assert branch.settings.stop_pct == 30
    assert branch.snapshot().positions[0].stop is None  # stopped at 13 by now
    assert branch.finish().digest == digest
    assert branch.result().assumptions["changes"] == [{"at": "09:30", "params": {"stop_pct": 30.0}, "closed": [1]}]
    assert branch.result().assumptions["params"]["stop_pct"] == 50


def test_a_change_that_is_too_late_says_so():
    what_if = stepper().what_if({"entry": "09:25"}, at="09:30")
    assert what_if.same
    assert "would not have been opened" in what_if.notes[0]
    assert "nothing" in repr(what_if)
    assert not what_if.trades.height


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "Expected something to change, got nothing"),
        ({"change": {"stop": 3}, "at": "09:30"}, "no parameter of straddle 'stop'"),
        ({"change": {"fills": "strict"}, "at": "09:30"}, "no parameter of straddle 'fills'"),
        ({"change": {"stop_pct": -3}, "at": "09:30"}, "'stop_pct' = -3"),
        ({"change": {"stop_pct": 3}, "at": "10:15"}, "At 10:15 the session is over"),
        ({"change": {"stop_pct": 3}, "at": "11:15"}, "Expected a time from 09:15 to 10:15"),
        ({"close": "all", "at": "09:16"}, "there is no open leg 'all'; open legs: none"),
        ({"close": "all", "at": "09:15"}, "Before the first bar"),
        ({"close": "calls", "at": "09:30"}, 'Expected close to be "all", "CE", "PE" or numbers'),
        ({"close": [7], "at": "09:30"}, r"no open leg \[7\]; open legs: 0 \(100 CE\), 1 \(100 PE\)"),
    ],
)
def test_what_cannot_be_is_refused(asked, says):
    with pytest.raises(ConfigError, match=says):
        stepper().what_if(asked.pop("change", None), **asked)


class Rows(strategy.Params):
    n_legs: int = 2

    def pack(self):
        record = np.zeros(1, [("n_legs", np.int64), ("unused", np.int64, (self.n_legs if self.n_legs > 5 else 1,))])
        record["n_legs"] = self.n_legs
        return record


@strategy.step
def opens_rows(state, params, day, i, book):
    """Open as many legs as there are rows."""
    if i == 5:
        for _ in range(params[0]["n_legs"]):
            desk.enter(book, i, 4, -50, 0, 0)


def test_the_number_of_legs_cannot_change_once_there_are_some():
    run = backtest.Stepper(strategy.Strategy("rows", step=opens_rows, params=Rows), day(), costs=False)
    assert run.what_if({"n_legs": 3}, at="09:18").other.trades.height == 3
    with pytest.raises(ConfigError, match="legs of rows cannot change in number at 09:30"):
        run.what_if({"n_legs": 3}, at="09:30")
    with pytest.raises(ConfigError, match="take another form"):
        run.what_if({"n_legs": 6}, at="09:18")


class Trailing(strategy.Params):
    stop_ppm: int = 500_000


@strategy.step
def trails_once(state, params, day, i, book):
    """Sell the call of 100 with a stop and move that at bar 12."""
    if i == 5:
        desk.enter(book, i, 4, -50, params[0]["stop_ppm"], 0)
    if i == 12:
        desk.move_stop(book, i, 0, 260, desk.TRAIL)


def test_a_stop_that_the_strategy_has_moved_stays_with_the_strategy():
    made = day()
    made.high[0, 2, 0, 8] = 230  # 11.50: past a stop of 10 %, not of 50 %
    run = backtest.Stepper(strategy.Strategy("trails", step=trails_once, params=Trailing), made, costs=False)
    what_if = run.what_if({"stop_ppm": 100_000}, at="09:35")
    assert what_if.same
    assert what_if.notes == ("the stop of leg 0 has been moved since: the strategy goes on with it",)
    early = run.what_if({"stop_ppm": 100_000}, at="09:22")  # before the spike and the move
    assert legs(early.other)[0][1:4] == ("09:23", 11.0, "stop")


class Again(strategy.Params):
    stop_ppm: int = 200_000


@strategy.step
def enters_again(state, params, day, i, book):
    """Sell the call of 100, and once more when it has been stopped."""
    if i == 5 or (i > 5 and desk.is_done(book) and book.counts[desk.N_LEGS] == 1):
        desk.enter(book, i, 4, -50, params[0]["stop_ppm"], 0)


def test_a_leg_entered_after_another_was_stopped_follows_too():
    made = day()
    made.high[0, 2, 0, 10] = 245  # 12.25: past a stop of 20 %, not of 30 %
    run = backtest.Stepper(strategy.Strategy("again", step=enters_again, params=Again), made, costs=False)
    what_if = run.what_if({"stop_ppm": 300_000}, at="09:35")
    assert [leg[1:3] for leg in legs(what_if.base)] == [("09:25", 12.0), ("09:40", 12.0)]
    assert [leg[1:3] for leg in legs(what_if.other)] == [("09:25", 12.0), ("09:45", 13.0)]
    assert not what_if.notes


def test_what_came_out_of_the_night_stays():
    days = [random_day(seed, minutes=60) for seed in (5, 6)]
    for one in days:
        for name in ("future_open", "future_high", "future_low", "future"):
            getattr(one, name)[:] = 2_000_000
    run = backtest.Stepper(OVER_NIGHTS, days[1], earlier=days[:1], costs=False)
    said = run.branch({"lots": 2}, at=40).notes
    assert any("came out of the night" in note for note in said)


def test_a_comparison_is_shown_and_ready_for_json():
    what_if = stepper(stop_pct=50).what_if({"stop_pct": 30}, at="09:30")
    shown = repr(what_if)
    assert shown.startswith("What if stop_pct=30 from 09:30 on")
    assert "₹100.00" in shown
    assert "<table>" in what_if._repr_html_()
    plain = json.loads(json.dumps(what_if.to_dict(), allow_nan=False))
    assert plain["difference"] == 100.0
    assert plain["change"] == {"stop_pct": 30}
    (trade,) = plain["trades"]
    assert (trade["exit_price"], trade["exit_price_other"]) == (15.0, 13.0)
    assert trade["exit_time_other"] == "2024-01-01T09:45:00+05:30"
    assert {row["metric"]: (row["base"], row["other"]) for row in plain["metrics"]}["pnl"] == (-250.0, -150.0)


def test_a_trade_that_only_one_way_has():
    run = stepper(entry="09:40", stop_pct=None)
    what_if = run.what_if({"entry": "10:30", "exit": "10:40"}, at="09:30")
    assert what_if.trades["only"].to_list() == ["base", "base"]
    assert what_if.other.trades.height == 0
    assert not what_if.same


def test_the_picture():
    what_if = stepper(stop_pct=50).what_if({"stop_pct": 30}, at="09:30")
    figure = what_if.plot()
    base, other, apart = (np.array(curve.y) for curve in figure.data)
    assert (base[-1], other[-1]) == (-250.0, -150.0)
    assert np.array_equal(apart, other - base)
    assert (apart[:30] == 0).all()
    assert f"{figure.data[0].x[0]:%Y-%m-%d %H:%M}" == "2024-01-01 09:16"
