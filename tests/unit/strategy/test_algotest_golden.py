"""Each rule of the preset "algotest" on bars made by hand; the figures follow from the rule as said in each test.

Unless a test says otherwise a call of 1000 is sold at 100 at 09:17, which is the close of the bar that starts at 09:16.
Bar ``i`` starts at 09:15 + i. A fill inside a bar carries the bar's start, one at its close the bar's end.
"""

import pytest

from leg_goldens import call, put, session, trades, with_bars, with_index

SOLD = ("CE", 1000, -50, "09:17", 100)
AT_EXIT = ("09:33", 100, "time")


def test_a_time_is_the_end_of_its_candle():
    """09:17 is the close of the candle that brokers call 09:16."""
    day = with_bars(session(), "CE", {0: (90, 90, 90, 90), 1: (100, 103, 99, 101), 2: (105, 105, 105, 105)})
    assert trades(day, call()) == [("CE", 1000, -50, "09:17", 101, "09:33", 105, "time")]


def test_a_stop_acts_on_the_high():
    """20 % above 100 is 120: the high of bar 4 touches it, its close is back at 100."""
    day = with_bars(session(), "CE", {4: (100, 121, 99, 100)})
    assert trades(day, call(stop="20%")) == [(*SOLD, "09:19", 120, "stop")]


def test_a_target_acts_on_the_low():
    day = with_bars(session(), "CE", {4: (100, 101, 69, 100)})
    assert trades(day, call(target="30 points")) == [(*SOLD, "09:19", 70, "target")]


def test_the_minute_of_the_entry_does_not_count():
    """The entry is at the close of bar 1: what its range was before is past."""
    day = with_bars(session(), "CE", {1: (100, 150, 40, 100)})
    assert trades(day, call(stop="20%", target="20%")) == [(*SOLD, *AT_EXIT)]


@pytest.mark.parametrize(
    ("side", "first", "outcome"),
    [
        ("sell", 110, (120, "stop")),  # the high is 15 away, the low 35: the high comes first
        ("sell", 90, (80, "target")),
        ("sell", 100, (120, "stop")),  # equally far: the worse
        ("buy", 110, (120, "target")),
        ("buy", 90, (80, "stop")),
        ("buy", 100, (80, "stop")),
    ],
)
def test_stop_and_target_in_one_candle(side, first, outcome):
    """Both 80 and 120 are touched: what lies nearer the open comes first."""
    day = with_bars(session(), "CE", {4: (first, 125, 75, 100)})
    (trade,) = trades(day, call(side=side, stop="20%", target="20%"))
    assert trade[5:] == ("09:19", *outcome)


def test_a_trailing_stop_acts_on_the_range():
    """Low 89 is 11 in favour: two times 5, so the stop goes from 120 to 110 for the bars that follow."""
    day = with_bars(session(), "CE", {4: (100, 115, 89, 95), 5: (95, 110, 95, 96)})
    assert trades(day, call(stop="20%", trail={"every": "5%", "by": "5%"})) == [(*SOLD, "09:20", 110, "trail")]


def test_re_entry_asap_is_at_the_close_with_a_new_strike():
    """Stopped inside bar 4; at its close (09:20) the index stands at 1050, whose call costs 60."""
    day = with_index(with_bars(session(), "CE", {4: (100, 121, 99, 102)}), {4: 1050})
    assert trades(day, call(stop="20%", on_stop="asap")) == [
        (*SOLD, "09:19", 120, "stop"),
        ("CE", 1050, -50, "09:20", 60, "09:33", 60, "time"),
    ]


def test_re_entry_asap_reversed_buys():
    day = with_bars(session(), "CE", {4: (100, 121, 99, 102)})
    assert trades(day, call(stop="20%", on_stop={"kind": "asap", "reverse": True})) == [
        (*SOLD, "09:19", 120, "stop"),
        ("CE", 1000, 50, "09:20", 102, "09:33", 102, "time"),
    ]


def test_re_entries_are_counted():
    """Sold again at 100, 100, 100: each is stopped at 120 in its next bar; two re-entries are allowed."""
    spikes = {i: (100, 121, 99, 100) for i in (4, 6, 8, 10)}
    quiet = {i: (100, 100, 100, 100) for i in (5, 7, 9, 11)}
    found = trades(with_bars(session(), "CE", spikes | quiet), call(stop="20%", on_stop={"kind": "asap", "times": 2}))
    assert [trade[3] for trade in found] == ["09:17", "09:20", "09:22"]
    assert {trade[7] for trade in found} == {"stop"}


def test_re_entry_after_a_target_is_counted_apart():
    day = with_bars(session(), "CE", {4: (100, 121, 99, 100), 5: (100, 100, 79, 100)})
    found = trades(day, call(stop="20%", target="20%", on_stop="asap", on_target="asap"))
    assert [trade[7] for trade in found] == ["stop", "target", "time"]


def test_no_re_entry_after_a_time():
    day = with_bars(session(), "CE", {4: (100, 121, 99, 102)})
    assert len(trades(day, call(stop="20%", on_stop="asap"), no_reentry_after="09:20")) == 2
    assert len(trades(day, call(stop="20%", on_stop="asap"), no_reentry_after="09:19")) == 1


def test_simple_momentum_keeps_strike_and_reference():
    """10 % above the 100 of 09:17; the index is at 1050 by then, the contract is still that of 1000."""
    day = with_index(with_bars(session(), "CE", {3: (100, 109.95, 100, 105), 4: (105, 112, 104, 106)}), {3: 1050})
    assert trades(day, call(momentum="+10%")) == [("CE", 1000, -50, "09:19", 110, "09:33", 106, "time")]


def test_simple_momentum_that_never_comes_is_no_trade():
    assert trades(session(), call(momentum="-1 point")) == []


def test_momentum_on_the_underlying_acts_on_the_close():
    """5 points above 1000: the high of bar 3 is beyond, the close of bar 4 is."""
    day = with_index(session(), {4: 1005})
    day.spot_high[3] = 101_000
    assert trades(day, call(momentum="spot +5 points")) == [("CE", 1000, -50, "09:20", 100, "09:33", 100, "time")]


def test_re_entry_by_momentum_acts_on_the_close():
    """Sold at 90 (10 % below 100) inside bar 3, stopped at 108 inside bar 5, which closes at 100: wait for 90."""
    rows = {3: (100, 100, 89, 95), 5: (100, 109, 100, 100), 6: (100, 100, 85, 95), 7: (95, 95, 88, 90)}
    found = trades(with_bars(session(), "CE", rows), call(momentum="-10%", stop="20%", on_stop="momentum"))
    assert found == [
        ("CE", 1000, -50, "09:18", 90, "09:20", 108, "stop"),
        ("CE", 1000, -50, "09:23", 90, "09:33", 90, "time"),
    ]


def test_re_entry_at_cost_waits_for_a_close_at_the_old_entry():
    """Stopped at 120 in bar 4; bar 5 touches 100 but closes above it, bar 6 closes at it."""
    rows = {4: (100, 121, 100, 110), 5: (110, 110, 95, 101), 6: (101, 101, 100, 100)}
    found = trades(with_bars(session(), "CE", rows), call(stop="20%", on_stop="cost"))
    assert found == [(*SOLD, "09:19", 120, "stop"), ("CE", 1000, -50, "09:22", 100, "09:33", 100, "time")]


def test_re_entry_at_cost_by_touch():
    rows = {4: (100, 121, 100, 110), 5: (110, 110, 95, 101), 6: (101, 101, 100, 100)}
    found = trades(with_bars(session(), "CE", rows), call(stop="20%", on_stop={"kind": "cost", "touch": True}))
    assert found[1][3:5] == ("09:20", 100)


def test_re_entry_at_cost_after_a_target_waits_from_the_other_side():
    """Bought back at 70; sold again once a minute closes at 100 or above."""
    rows = {4: (100, 100, 69, 75), 5: (75, 101, 75, 99), 6: (99, 102, 99, 101)}
    found = trades(with_bars(session(), "CE", rows), call(target="30%", on_target="cost"))
    assert found[1][3:5] == ("09:22", 101)


def test_a_lazy_leg_is_started_by_a_stop():
    """The call is stopped in bar 4; at its close a put of 950 is bought at 60, which has a target of its own."""
    day = with_bars(with_bars(session(), "CE", {4: (100, 121, 99, 100)}), "PE", {6: (60, 75, 60, 70)}, strike=950)
    lazy = {"hedge": put(side="buy", strike="OTM1", target="20%")}
    assert trades(day, call(stop="20%", on_stop={"kind": "lazy", "leg": "hedge"}), lazy=lazy) == [
        (*SOLD, "09:19", 120, "stop"),
        ("PE", 950, 50, "09:20", 60, "09:21", 72, "target"),
    ]


def test_a_stop_on_the_underlying_acts_on_the_close():
    """10 points against a sold call: the high of bar 4 is beyond, the close of bar 5 is; sold at its close."""
    day = with_bars(with_index(session(), {5: 1010}), "CE", {5: (104, 109, 104, 108)})
    day.spot_high[4] = 101_500
    assert trades(day, call(stop="spot 10 points")) == [(*SOLD, "09:21", 108, "stop")]


def test_a_target_on_the_underlying_is_the_other_way():
    """One percent of 1000 down is in favour of a sold call and against a sold put."""
    day = with_index(session(), {5: 990})
    found = trades(day, call(target="spot 1%"), put(target="spot 1%"))
    assert [(trade[0], trade[5], trade[7]) for trade in found] == [("CE", "09:21", "target"), ("PE", "09:33", "time")]


def test_overall_rules_act_on_the_close():
    """1000 rupees are 20 points of 50 units: the high of bar 4 is beyond, the close of bar 5 is."""
    day = with_bars(session(), "CE", {4: (100, 150, 100, 110), 5: (110, 121, 110, 120)})
    found = trades(day, call(), put(), overall_stop=1000)
    assert [trade[5:] for trade in found] == [("09:21", 120, "overall_stop"), ("09:21", 100, "overall_stop")]


def test_an_overall_target_in_percent_of_the_premium():
    """5 % of 2 x 100 x 50 rupees is 500: ten points of one leg."""
    day = with_bars(session(), "CE", {4: (100, 100, 80, 91), 5: (91, 91, 90, 90)})
    found = trades(day, call(), put(), overall_target="5%")
    assert [trade[5:] for trade in found] == [("09:21", 90, "overall_target"), ("09:21", 100, "overall_target")]


def test_an_overall_stop_on_the_underlying_looks_both_ways():
    found = trades(with_index(session(), {5: 985}), call(), put(), overall_stop="spot 15 points")
    assert {trade[5:] for trade in found} == {("09:21", 100, "overall_stop")}


def test_complete_square_off_leaves_the_others_at_the_close():
    """The call is stopped inside bar 4, the put goes at the close of bar 4."""
    day = with_bars(with_bars(session(), "CE", {4: (100, 121, 99, 100)}), "PE", {4: (100, 100, 90, 97)})
    assert trades(day, call(stop="20%"), put(stop="20%"), square_off="complete") == [
        (*SOLD, "09:19", 120, "stop"),
        ("PE", 1000, -50, "09:17", 100, "09:20", 97, "square_off"),
    ]


def test_overall_momentum_is_the_combined_premium_without_ratios():
    """10 % above 200 is 220: bar 3 closes at 219 (its highs at 240), bar 4 at 220; the three lots do not weigh."""
    day = with_bars(session(), "CE", {3: (100, 120, 100, 115), 4: (115, 115, 112, 112)})
    day = with_bars(day, "PE", {3: (100, 120, 100, 104), 4: (104, 108, 104, 108)})
    found = trades(day, call(), put(lots=3), overall_momentum="+10%")
    assert [trade[:5] for trade in found] == [("CE", 1000, -50, "09:20", 112), ("PE", 1000, -150, "09:20", 108)]


def test_lazy_legs_are_no_part_of_the_combined_premium():
    day = with_bars(session(), "CE", {4: (100, 110, 100, 110)})
    lazy = {"hedge": put(side="buy", strike="OTM1")}
    leg = call(stop="90%", on_stop={"kind": "lazy", "leg": "hedge"})
    assert [trade[3] for trade in trades(day, leg, lazy=lazy, overall_momentum="+10%")] == ["09:20"]


@pytest.mark.parametrize(("kind", "entered"), [("asap", "09:22"), ("momentum", "09:24")])
def test_overall_momentum_is_skipped_asap_and_applied_by_momentum(kind, entered):
    """Entered at 95 + 95 (10 below 200) at 09:19; loses 550 at 09:21 and leaves; flat at 09:22 with 106 + 95 = 201.

    At once that is the re-entry; by momentum it is the reference, and 191 comes at 09:24.
    """
    day = with_bars(session(), "CE", {3: (100, 100, 95, 95), 5: (95, 106, 95, 106), 8: (106, 106, 96, 96)})
    day = with_bars(day, "PE", {3: (100, 100, 95, 95)})
    found = trades(day, call(), put(), overall_momentum="-10 points", overall_stop=500, on_overall_stop=kind)
    assert [trade[3] for trade in found] == ["09:19", "09:19", entered, entered]
    assert [trade[7] for trade in found[:2]] == ["overall_stop", "overall_stop"]


def test_overall_re_entry_reversed_buys():
    day = with_bars(session(), "CE", {4: (100, 121, 100, 120)})
    found = trades(day, call(), put(), overall_stop=1000, on_overall_stop={"kind": "asap", "reverse": True})
    assert [trade[2] for trade in found] == [-50, -50, 50, 50]
    assert {trade[3] for trade in found[2:]} == {"09:21"}


@pytest.mark.parametrize(("whose", "free"), [("all", ("09:20", 60, "trail")), ("with_stop", ("09:33", 61, "time"))])
def test_break_even(whose, free):
    """The call is stopped in bar 4: from bar 5 the stops of the puts lie at their entries, 100 and 60."""
    day = with_bars(with_bars(session(), "CE", {4: (100, 121, 99, 100)}), "PE", {5: (95, 101, 95, 99)})
    day = with_bars(
        with_bars(day, "PE", {4: (100, 100, 95, 95), 5: (95, 101, 95, 99)}), "PE", {5: (59, 61, 59, 61)}, strike=950
    )
    found = trades(day, call(stop="20%"), put(stop="50%"), put(strike="OTM1"), break_even=whose)
    assert found[1][5:] == ("09:20", 100, "trail")
    assert found[2][5:] == free


def test_lock_profit():
    """20 points are 1000 rupees: 500 are kept; at a profit of 500 everything is left."""
    day = with_bars(session(), "CE", {4: (100, 100, 80, 80), 5: (80, 95, 80, 89), 6: (89, 90, 89, 90)})
    found = trades(day, call(), lock={"at": 1000, "keep": 500})
    assert found == [(*SOLD, "09:22", 90, "lock")]


def test_lock_and_trail():
    """A profit of 1250 locks 500 and one step of 250 more: 750, which is at 85."""
    day = with_bars(session(), "CE", {4: (100, 100, 75, 75), 5: (75, 90, 75, 84), 6: (84, 85, 84, 85)})
    found = trades(day, call(), lock={"at": 1000, "keep": 500, "every": 250, "by": 250})
    assert found == [(*SOLD, "09:22", 85, "lock")]


def test_overall_trail():
    """A profit of 500 raises the stop from -1000 to -500, which is at 110."""
    day = with_bars(session(), "CE", {4: (100, 100, 90, 90), 5: (90, 115, 90, 109), 6: (109, 110, 109, 110)})
    found = trades(day, call(), overall_stop=1000, overall_trail={"every": 500, "by": 500})
    assert found == [(*SOLD, "09:22", 110, "trail")]


def test_range_breakout_of_the_strike():
    """Lows from 09:17 to 09:20 (bars 2 to 4): 93 at least. The 50 of bar 1 came before. Bar 6 goes a tick below."""
    rows = {1: (100, 100, 50, 100), 2: (100, 101, 95, 100), 3: (100, 102, 93, 100), 4: (100, 100, 96, 97)}
    rows |= {5: (97, 97, 93, 95), 6: (95, 95, 92.9, 94)}
    found = trades(with_bars(session(), "CE", rows), call(breakout={"until": "09:20", "end": "low"}))
    assert found == [("CE", 1000, -50, "09:21", 92.95, "09:33", 94, "time")]


def test_range_breakout_of_the_underlying():
    """High of the index from 09:17 to 09:20: 1003; the close of bar 7 is beyond it."""
    day = with_index(session(), {6: 1003, 7: 1003.05})
    day.spot_high[3] = 100_300
    day.spot_high[1] = 102_000
    found = trades(day, call(breakout={"until": "09:20", "end": "high", "on": "spot"}))
    assert [trade[3:5] for trade in found] == [("09:23", 100)]
