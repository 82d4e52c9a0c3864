"""What the margin cap makes of a round: what it has short, however many legs; nothing for what is bought."""

import pytest

from algomaster import backtest, strategy
from hand_made import random_day

DAY = random_day(40)
LOT = 20_000 * 50 * 0.15
"""Margin in rupees of a lot short, nearly: the index stays within a percent of 20,000."""


def lots(name, margin, **params):
    run = backtest.replay(name, DAY, params={"lots": 9, "max_margin": margin} | params, costs=False)
    return run.trades["lots"].to_list()


ONE_MOMENT = {
    "start": "09:50", "end": "09:50", "exit": "10:05", "minutes": 10, "min_value": None, "max_spread_pct": None,
}  # fmt: skip
SHORT_AND_LONG = [
    ("straddle", {"entry": "09:20", "exit": "09:40"}, {"side": "sell"}, {"side": "buy"}),
    ("delta_hedge", {"entry": "09:20", "exit": "09:40", "band": 9_000}, {"side": "sell"}, {"side": "buy"}),
    (
        "threshold",
        {"first_entry": "09:20", "last_entry": "09:40", "exit": "09:50", "max_trades": 1},
        {"on_above": "short_straddle", "on_below": "short_straddle"},
        {"on_above": "long_straddle", "on_below": "long_straddle"},
    ),
    ("momentum", ONE_MOMENT | {"picks": 1}, {"side": "sell"}, {"side": "buy"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "common", "short", "long"), SHORT_AND_LONG)
def test_short_lots_take_margin_and_bought_ones_none(name, common, short, long):
    assert set(lots(name, 3.5 * LOT, **common, **short)) == {3}
    assert lots(name, 0.5 * LOT, **common, **short) == []
    assert set(lots(name, 0.5 * LOT, **common, **long)) == {9}


def test_picks_that_are_sold_together_share_the_margin():
    assert lots("momentum", 7 * LOT, picks=3, max_positions=3, side="sell", **ONE_MOMENT) == [2, 2, 2]


def test_each_position_of_a_threshold_is_a_round_of_its_own():
    """So says its page; the risk of ruin must not take a session's positions for one."""
    assert strategy.get("threshold").params.round_is == "entry"
