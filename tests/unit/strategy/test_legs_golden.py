"""Strikes, expiries, filters and nights of the straddle manager on sessions made by hand."""

import dataclasses
from datetime import date

import pytest

from leg_days import leg_days
from leg_goldens import call, put, run, session, trades, with_bars, with_index

CHAIN = {
    "CE": {900: 110, 950: 70, 1000: 40, 1050: 20, 1100: 8},
    "PE": {900: 6, 950: 18, 1000: 38, 1050: 66, 1100: 108},
}


@pytest.mark.parametrize(
    ("rule", "side", "strike"),
    [
        ("ATM", "sell", 1000), ("ATM+1", "sell", 1050), ("OTM2", "sell", 1100), ("ITM1", "sell", 950),
        (-2, "sell", 900),
        ({"strike": 1100}, "sell", 1100),
        ({"premium": 25}, "sell", 1050),  # 20 is nearer than 40
        ({"premium": 30}, "sell", 1000),  # 40 and 20 are equally near: the lower strike
        ({"premium_range": [15, 75]}, "sell", 950), ({"premium_range": [15, 75]}, "buy", 1050),
        ({"premium_above": 35}, "sell", 1000), ({"premium_below": 35}, "sell", 1050),
        ({"straddle_width": 0.5}, "sell", 1050),  # 1000 + 0.5 x (40 + 38) = 1039
        ({"straddle_width": -0.5}, "sell", 950), ({"straddle_width": 0.3}, "sell", 1000),
        ({"straddle_percent": 25}, "sell", 1050),  # 19.5
        ({"straddle_percent": 60}, "sell", 1000),  # 46.8
        ({"delta": 0.5}, "sell", 1000), ({"delta_range": [0.1, 0.45]}, "sell", 1050),
        ({"delta_range": [0.05, 0.8]}, "sell", 950), ({"delta_range": [0.05, 0.8]}, "buy", 1100),
    ],
)  # fmt: skip
def test_strikes_of_a_call(rule, side, strike):
    (trade,) = trades(session(premiums=CHAIN), call(strike=rule, side=side))
    assert trade[1] == strike


@pytest.mark.parametrize(
    ("rule", "strike"), [("OTM1", 950), ("ITM2", 1100), ({"premium": 20}, 950), ({"delta": 0.3}, 950)]
)
def test_strikes_of_a_put(rule, strike):
    (trade,) = trades(session(premiums=CHAIN), put(strike=rule))
    assert trade[1] == strike


@pytest.mark.parametrize(("source", "strike"), [("cash", 1000), ("future", 1050), ("synthetic", 950)])
def test_what_the_money_is_measured_by(source, strike):
    """Cash 1000; future 1030; the synthetic future is 1000 + 10 - 40 = 970."""
    chain = {right: prices | {1000: 10 if right == "CE" else 40} for right, prices in CHAIN.items()}
    day = session(premiums=chain)
    day.future[:] = 103_000
    (trade,) = trades(day, call(strike_from=source))
    assert trade[1] == strike


def test_a_premium_that_does_not_exist_is_waited_for():
    """Nothing lies between 200 and 300 until bar 3, within the five minutes of patience."""
    day = with_bars(session(premiums=CHAIN), "CE", {3: (250, 250, 250, 250)}, strike=900)
    (trade,) = trades(day, call(strike={"premium_range": [200, 300]}))
    assert trade[1:5] == (900, -50, "09:19", 250)
    assert trades(session(premiums=CHAIN), call(strike={"premium_range": [200, 300]})) == []


@pytest.mark.parametrize(
    ("expiry", "found"),
    [
        ("weekly", date(2024, 1, 4)), ("next_weekly", date(2024, 1, 11)), ("monthly", date(2024, 1, 25)),
        ("next_monthly", date(2024, 2, 29)), (1, date(2024, 1, 11)),
    ],
)  # fmt: skip
def test_expiries(expiry, found):
    trade = run(leg_days(0)[0], call(expiry=expiry)).trades.row(0, named=True)
    assert trade["expiry"] == found


@pytest.mark.parametrize(
    ("filters", "traded"),
    [
        ({"weekdays": ["mon"]}, True), ({"weekdays": ["tue", "fri"]}, False),  # 1 January 2024 was a Monday
        ({"dte": [3]}, True), ({"dte": [0, 1, 2]}, False),  # Tuesday, Wednesday, Thursday the 4th
        ({"dte_calendar": [3]}, True), ({"dte_calendar": [4]}, False),
        ({"vix": [10, 20]}, True), ({"vix": [16, 20]}, False),
        ({"budget": [9_999, 10_001]}, True), ({"budget": [0, 9_999]}, False),  # 2 x 100 x 50 rupees
    ],
)  # fmt: skip
def test_filters(filters, traded):
    day = session()
    day.vix[:] = 1500
    assert bool(trades(day, call(), put(), **filters)) is traded


@pytest.mark.parametrize(("gap", "traded"), [([0.9, 1.1], 2), ([-1, 0.9], 0)])
def test_the_gap_filter_knows_the_session_before(gap, traded):
    """1000 to 1010 is one percent. The first session has none before it, and is not traded."""
    days = [session(spot=1000), session(spot=1010, on=date(2024, 1, 2))]
    assert len(trades(days, call(), put(), gap=gap)) == traded


def nights(*, spots=(1000, 1000, 1000)):
    return [session(on=date(2024, 1, 2 + k), spot=spot) for k, spot in enumerate(spots)]


def test_btst_leaves_on_the_next_session():
    """Entered at 09:25 of the 2nd, left at 09:20 of the 3rd, entered again at 09:25, left on the 4th; then too late."""
    days = nights()
    found = run(days, call(strike={"strike": 1000}), entry="09:25", exit="09:20", holding="btst").trades.to_dicts()
    moments = [(f"{row['entry_time']:%d %H:%M}", f"{row['exit_time']:%d %H:%M}", row["exit_reason"]) for row in found]
    assert moments[:2] == [("02 09:25", "03 09:20", "time"), ("03 09:25", "04 09:20", "time")]


def test_a_stop_rests_over_the_night():
    days = nights()
    with_bars(days[1], "CE", {0: (100, 130, 100, 100)})
    found = run(days[:2], call(stop="20%"), entry="09:25", exit="09:20", holding="btst").trades.to_dicts()
    assert (found[0]["exit_price"], found[0]["exit_reason"], f"{found[0]['exit_time']:%d %H:%M}") == (
        120,
        "stop",
        "03 09:15",
    )


def test_positional_leaves_days_before_the_expiry():
    """The expiry is Thursday the 4th: one trading day before it is the 3rd."""
    found = run(nights(), call(), holding="positional", exit_days=1).trades.to_dicts()
    assert [(f"{row['entry_time']:%d}", f"{row['exit_time']:%d %H:%M}") for row in found[:1]] == [("02", "03 09:33")]


def test_positional_enters_nothing_after_the_exit_of_its_last_session():
    """Entries come after the exit: that of the 3rd leaves on the 4th, the expiry, on which none is left to enter."""
    found = run(nights(), call(), entry="09:25", exit="09:20", holding="positional").trades.to_dicts()
    assert [(f"{row['entry_time']:%d}", f"{row['exit_time']:%d %H:%M}") for row in found] == [("02", "04 09:20")]


def test_margin_is_that_of_all_short_legs():
    """Three calls and a put short take three lots: 3 x 1000 x 50 x 15 % is 22,500 rupees. What is bought takes none."""
    legs = [call(lots=3), put(), put(side="buy", lots=9)]
    for margin, calls in ((45_000, -300), (44_999, -150), (22_499, None)):
        found = trades(session(), *legs, lots=9, max_margin=margin)
        assert [trade[2] for trade in found[:1]] == ([] if calls is None else [calls])
    assert trades(session(), call(side="buy"), lots=9, max_margin=1)[0][2] == 450


def test_the_daily_loss_limit_knows_what_the_night_lost():
    """Sold at 100 on the 2nd, bought at 130 on the morning of the 3rd: 1500 rupees, before the next round is asked."""
    days = nights()
    for day in days[1:]:
        with_bars(day, "CE", {0: (130, 130, 130, 130)})
    rules = {"entry": "09:25", "exit": "09:20", "holding": "btst"}
    leg = call(strike={"strike": 1000})
    entries = [f"{row['entry_time']:%d}" for row in run(days, leg, daily_loss_limit=1500, **rules).trades.to_dicts()]
    assert entries == ["02", "04"]
    entries = [f"{row['entry_time']:%d}" for row in run(days, leg, daily_loss_limit=1501, **rules).trades.to_dicts()]
    assert entries == ["02", "03", "04"]


def test_positional_is_settled_at_its_expiry():
    """The index closes at 1012: a call of 1000 is worth 12."""
    (row,) = run(nights(spots=(1000, 1004, 1012)), call(), holding="positional", settle=True).trades.to_dicts()
    assert (row["strike"], row["exit_price"], row["exit_reason"]) == (1000, 12, "settled")
    assert f"{row['exit_time']:%d}" == "04"


def test_overall_rules_reach_over_the_night():
    """Twenty points against, a night later, are 1000 rupees."""
    days = nights()
    with_bars(days[1], "CE", {6: (100, 125, 100, 120)})
    found = run(days, call(), holding="positional", overall_stop=1000).trades.to_dicts()
    assert (f"{found[0]['exit_time']:%d %H:%M}", found[0]["exit_reason"]) == ("03 09:22", "overall_stop")


def test_an_entry_that_is_not_whole_is_undone():
    day = session()
    for name in ("open", "high", "low", "close"):
        getattr(day, name)[0, 2, 1, 2:] = -(2**31)  # the put of 1000 stops trading when it should be sold
    found = trades(day, call(), put(), fills="next_open", patience=2)
    assert found == [("CE", 1000, -50, "09:17", 100, "09:20", 100, "incomplete")]


def test_the_default_is_a_plain_straddle():
    day = leg_days(2)[0]
    day = dataclasses.replace(day, source="a copy")
    legs = run(day, call(stop="25%"), put(stop="25%"))
    assert legs.trades.height == 2
    index = with_index(session(), {})
    assert [trade[0] for trade in trades(index, call(), put())] == ["CE", "PE"]
