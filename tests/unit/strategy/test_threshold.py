"""The threshold strategy on sessions made by hand: levels, hysteresis, no opinion, cool-down, and its settings."""

import dataclasses
from datetime import date

import numpy as np
import pytest

from algomaster import backtest, strategy
from algomaster.core.errors import ConfigError
from naive.spiky import priced

NAN = float("nan")


def day_with(*scores, minutes=60, spots=None):
    """A calm session with these scores: each (from, value) holds until the next."""
    day = priced(date(2024, 1, 1), date(2024, 1, 4), spots or [20_000.0] * minutes, [0.12] * minutes)
    for start, score in scores:
        day.score[start:] = score
    return day


def play(day, **params):
    rules = {"last_entry": "10:00", "exit": "10:10", "cool_down": 0, "stop_pct": None, "target_pct": None}
    return backtest.replay("threshold", day, params=rules | {"max_trades": 50} | params, costs=False)


def told(run):
    clock = "{:%H:%M}".format
    return [
        (
            row["right"],
            row["lots"] * (1 if row["quantity"] > 0 else -1),
            clock(row["entry_time"]),
            clock(row["exit_time"]),
            row["exit_reason"],
        )
        for row in run.trades.to_dicts()
    ]


def test_a_high_score_buys_the_call_until_it_comes_back():
    """Decided on the bar that ends at 09:26 and 09:36; 55 to 60 is neither here nor there."""
    run = play(day_with((0, 50), (10, 60), (14, 55), (20, 54.9)))
    assert told(run) == [("CE", 1, "09:26", "09:36", "signal")]


def test_a_low_score_buys_the_put_until_it_comes_back():
    run = play(day_with((0, 50), (10, 40), (14, 45), (20, 45.1)))
    assert told(run) == [("PE", 1, "09:26", "09:36", "signal")]


def test_a_level_is_reached_by_equality_and_the_middle_opens_nothing():
    assert not told(play(day_with((0, 59.999), (20, 40.001))))


def test_nan_is_no_opinion():
    """Nothing is opened while it lasts, and what is held stays."""
    assert not told(play(day_with((0, NAN))))
    run = play(day_with((0, NAN), (10, 70), (15, NAN)))
    assert told(run) == [("CE", 1, "09:26", "10:10", "time")]


def test_a_turn_from_high_to_low_trades_both_sides():
    run = play(day_with((0, 50), (10, 70), (20, 30)))
    assert told(run) == [("CE", 1, "09:26", "09:36", "signal"), ("PE", 1, "09:37", "10:10", "time")]
    assert told(play(day_with((0, 50), (10, 70), (20, 30)), cool_down=15))[1][2] == "09:52"


def test_the_neutral_band():
    rules = {"on_above": "none", "on_below": "none", "on_neutral": "short_straddle"}
    run = play(day_with((0, 58), (10, 55), (14, 59.9), (20, 60), (30, 42), (40, 45)), **rules)
    assert told(run) == [
        ("CE", -1, "09:26", "09:36", "signal"), ("PE", -1, "09:26", "09:36", "signal"),
        ("CE", -1, "09:56", "10:10", "time"), ("PE", -1, "09:56", "10:10", "time"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("position", "sides"),
    [
        ("long_call", {"CE": 1}), ("short_call", {"CE": -1}), ("long_put", {"PE": 1}), ("short_put", {"PE": -1}),
        ("long_straddle", {"CE": 1, "PE": 1}), ("short_straddle", {"CE": -1, "PE": -1}),
        ("long_synthetic", {"CE": 1, "PE": -1}), ("short_synthetic", {"CE": -1, "PE": 1}), ("none", {}),
    ],
)  # fmt: skip
def test_positions(position, sides):
    run = play(day_with((0, 50), (10, 70)), on_above=position, lots=3, width=1)
    assert {row[0]: row[1] for row in told(run)} == {right: 3 * side for right, side in sides.items()}
    wanted = {"CE": 20_050.0, "PE": 19_950.0}
    assert all(row["strike"] == wanted[row["right"]] for row in run.trades.to_dicts())


def test_stop_and_target_rest_in_the_market():
    falling = [20_000.0] * 20 + [20_000.0 - 4 * i for i in range(40)]
    run = play(day_with((0, 70), spots=falling), stop_pct=20, max_trades=1)
    assert told(run)[0][4] == "stop"
    assert run.trades["exit_price"][0] == pytest.approx(run.trades["entry_price"][0] * 0.8, abs=0.06)
    run = play(day_with((0, 30), spots=falling), target_pct=20, max_trades=1)
    assert told(run)[0][4] == "target"


def test_after_a_stop_it_cools_down_and_trades_are_counted():
    falling = [20_000.0 - 4 * i for i in range(60)]
    rules = {"stop_pct": 5, "width": 0}
    many = told(play(day_with((0, 70), spots=falling), **rules))
    few = told(play(day_with((0, 70), spots=falling), cool_down=10, **rules))
    assert len(many) > len(few) > 2
    assert len(told(play(day_with((0, 70), spots=falling), max_trades=2, **rules))) == 2


def test_times():
    """The first moment is the bar that ends then; after the last nothing is opened."""
    assert told(play(day_with((0, 70)), first_entry="09:30"))[0][2] == "09:30"
    assert told(play(day_with((0, 50), (20, 70)), last_entry="09:36"))[0][2] == "09:36"
    assert not told(play(day_with((0, 50), (21, 70)), last_entry="09:36"))
    assert told(play(day_with((0, 70)), exit="10:05"))[0][3:] == ("10:05", "time")


def test_feature_columns():
    day = day_with((0, NAN))
    features = np.full((60, 2), 50.0)
    features[10:, 1] = 70.0
    day = dataclasses.replace(day, features=features)
    assert told(play(day, column=1)) == [("CE", 1, "09:26", "10:10", "time")]
    assert not told(play(day, column=0))
    assert not told(play(day, column=2)), "a column that the day lacks is no opinion"


def test_an_entry_that_is_not_whole_is_undone():
    day = day_with((0, 50), (10, 70))
    day.open[0, 4, 1, 11:30] = day.close.dtype.type(-2147483648)
    assert told(play(day, on_above="long_straddle", max_trades=1)) == [("CE", 1, "09:26", "09:32", "incomplete")]


def test_no_contract_ends_the_session():
    run = play(day_with((0, 70)), width=9)
    assert "no contract" in run.skipped["reason"][0]


def test_defaults_run_on_a_day_without_scores():
    assert backtest.replay("threshold", day_with((0, NAN), minutes=375)).skipped["reason"][0] == "no order was placed"
    assert backtest.replay("threshold", day_with((0, 70), minutes=375)).trades.height > 0


def test_sizing():
    falling = [20_000.0 - 4 * i for i in range(60)]
    run = play(day_with((0, 70), spots=falling), stop_pct=5, sizing="martingale", max_steps=2)
    assert run.trades["lots"].to_list()[:4] == [1, 2, 4, 4]


def configured(**params):
    return strategy.get("threshold").configure(params)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"above": 50}, "exit_above 55 and above 50"), ({"below": 50}, "below 50 and exit_below 45"),
        ({"exit_above": 40}, "exit_below 45 and exit_above 40"), ({"on_above": "long"}, "'long_call'"),
        ({"above": 50, "below": 50, "exit_above": None, "exit_below": None}, "below and above are both 50"),
        ({"column": "rsi"}, "column"), ({"column": -1}, "or equal to 0"), ({"above": "nan"}, "finite"),
        ({"first_entry": "09:15"}, "first decision"),
        ({"first_entry": "14:50"}, "must not come after last_entry 14:45"),
        ({"last_entry": "15:15"}, "must come before exit"), ({"max_trades": 0}, "or equal to 1"),
    ],
)  # fmt: skip
def test_refused_with_what_was_expected(params, said):
    with pytest.raises(ConfigError) as problem:
        configured(**params)
    assert said in str(problem.value)


def test_a_side_that_is_off_is_not_traded():
    assert configured(column="3").column == 3
    row = configured(above=None, exit_below="none").pack()[0]
    assert row["above"] == row["exit_above"] == np.inf
    assert row["below"] == row["exit_below"] == 40
    assert row["side"].tolist() == [[0, 0], [0, 1], [0, 0]]
    assert not told(play(day_with((0, np.inf)), above=None))
