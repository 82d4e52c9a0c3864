"""Rules of one bar, each on bars made by hand: open first, then the range, stop before target, gaps at the open."""

import pytest

from algomaster import backtest
from algomaster.core.types import MISSING
from hand_made import bars, blank, flat_index

ENTRY = "09:17"  # decided on bar 1, filled at the open of bar 2 or the close of bar 1


def straddle(put_rows, *, fills="next_open", call_rows=None, minutes=12, **params):
    """Replay on one session; both legs open at 100, the call stays there."""
    day = flat_index(blank(minutes=minutes, centre=1000, step=50), 1000)
    quiet = [(100, 100, 100, 100)] * minutes
    bars(day, 1000, "CE", call_rows or quiet)
    bars(day, 1000, "PE", (put_rows + quiet)[:minutes] if len(put_rows) < minutes else put_rows)
    settings = {"entry": ENTRY, "exit": "09:25", "stop_pct": 20, "target_pct": 30} | params
    return backtest.replay("straddle", day, params=settings, fills=fills, costs=False)


def put_of(run):
    row = run.trades.filter(right="PE").row(0, named=True)
    return row["exit_reason"], row["exit_price"], row["exit_time"].strftime("%H:%M"), row["entry_price"]


Q = (100, 100, 100, 100)


@pytest.mark.parametrize(
    ("bar", "outcome"),
    [
        ((100, 119.95, 100, 110), ("time", 100, "09:25")),  # a tick short of the stop
        ((100, 120, 100, 100), ("stop", 120, "09:18")),  # touched
        ((100, 140, 100, 130), ("stop", 120, "09:18")),  # through, filled at its price
        ((125, 140, 125, 130), ("stop", 125, "09:18")),  # gap through, filled at the open
        ((100, 100, 70.05, 80), ("time", 100, "09:25")),  # a tick short of the target
        ((100, 100, 70, 80), ("target", 70, "09:18")),
        ((65, 66, 60, 62), ("target", 65, "09:18")),  # gap through the target
        ((100, 125, 65, 100), ("stop", 120, "09:18")),  # both touched: the stop comes first
        ((65, 125, 60, 100), ("target", 65, "09:18")),  # both touched, but the open was already there
    ],
)
def test_a_bar_after_the_entry(bar, outcome):
    assert put_of(straddle([Q, Q, Q, bar]))[:3] == outcome


def test_the_rest_of_the_entry_bar_counts_after_a_fill_at_its_open():
    assert put_of(straddle([Q, Q, (100, 130, 100, 100)])) == ("stop", 120, "09:17", 100)


def test_nothing_of_the_bar_counts_after_a_fill_at_its_close():
    run = straddle([Q, (100, 150, 50, 100), Q, Q], fills="decision_close")
    assert put_of(run) == ("time", 100, "09:25", 100)


def test_the_bar_after_a_fill_at_the_close_counts_from_its_open():
    run = straddle([Q, Q, (121, 130, 121, 125)], fills="decision_close")
    assert put_of(run) == ("stop", 121, "09:17", 100)


def test_a_timed_exit_outranks_a_stop_touched_later_in_that_bar():
    rows = [Q] * 10 + [(101, 150, 101, 140)]  # bar 10 starts at 09:25
    assert put_of(straddle(rows)) == ("time", 101, "09:25", 100)


def test_a_timed_exit_outranks_a_stop_at_the_same_open():
    rows = [Q] * 10 + [(130, 150, 130, 140)]
    assert put_of(straddle(rows)) == ("time", 130, "09:25", 100)


@pytest.mark.parametrize(
    ("side", "entry", "percent", "stop"),
    [("sell", 104.3, 20, 125.2), ("sell", 99, 20, 118.8), ("buy", 104.3, 20, 83.4), ("sell", 0.05, 1, 0.1)],
)
def test_stops_round_to_the_grid_away_from_the_market(side, entry, percent, stop):
    # 104.30 x 1.20 = 125.16 -> 125.20 for a buy stop; 104.30 x 0.80 = 83.44 -> 83.40 for a sell stop
    far = (entry, 500, 0.05, entry)
    rows = [(entry,) * 4] * 3 + [far]
    run = straddle(rows, side=side, stop_pct=percent, target_pct=None)
    assert put_of(run)[:2] == ("stop", stop)


def test_a_stop_that_the_open_has_passed_pays_the_open_and_not_the_quotes_before_it():
    """The put opens at 125, above its stop of 120; the ask of the bar before was 101."""
    day = flat_index(blank(minutes=12, centre=1000, step=50), 1000)
    for right in ("CE", "PE"):
        bars(day, 1000, right, [Q] * 12)
    bars(day, 1000, "PE", [(125, 125, 125, 125)], start=3)
    day.bid[:], day.ask[:] = 1980, 2020
    settings = {"entry": ENTRY, "exit": "09:25", "stop_pct": 20}
    run = backtest.replay("straddle", day, params=settings, costs=False, slippage={"quotes": True})
    assert put_of(run) == ("stop", 125, "09:18", 99)


def test_the_stop_follows_the_actual_fill_not_the_decision():
    rows = [Q, Q, (110, 110, 110, 110), (110, 131.95, 110, 110), (110, 132, 110, 110)]
    assert put_of(straddle(rows)) == ("stop", 132, "09:19", 110)


def test_a_market_order_waits_for_a_minute_with_a_trade():
    rows = [Q, Q, None, None, (90, 90, 90, 90)]
    run = straddle(rows)
    row = run.trades.filter(right="PE").row(0, named=True)
    assert (row["entry_price"], row["entry_time"].strftime("%H:%M")) == (90, "09:19")
    assert run.skipped.is_empty()

    assert run.notes["note"].to_list() == ["entry of 1000 PE waited 2 minutes for a trade"]


def test_an_entry_that_is_not_whole_in_time_is_undone():
    run = straddle([Q, Q] + [None] * 10, patience=3)
    assert run.trades["right"].to_list() == ["CE"]
    assert run.trades["exit_reason"].to_list() == ["incomplete"]
    assert run.trades["exit_time"].dt.strftime("%H:%M").to_list() == ["09:21"]  # decided 09:17, 3 minutes, next open
    assert run.notes["note"].to_list() == ["1 of 2 legs found no trade"]


def test_an_entry_of_which_nothing_trades_is_a_skipped_session():
    run = straddle([Q, Q] + [None] * 10, call_rows=[Q, Q] + [None] * 10)
    assert run.trades.is_empty()
    assert run.skipped["reason"].to_list() == ["an entry was not filled: its contract did not trade in time"]
    assert run.metrics["idle_days"] == 1


def test_a_late_exit_is_told_like_a_late_entry():
    rows = [Q] * 10 + [None, None] + [(90, 90, 90, 90)] * 4  # nothing trades at 09:25 and 09:26
    run = straddle(rows, minutes=16)
    assert put_of(run)[:3] == ("time", 90, "09:27")
    assert run.notes["note"].to_list() == ["exit of 1000 PE waited 2 minutes for a trade"]


def test_a_missing_index_is_named_where_a_late_strike_waits_for_it():
    run = missing_index(20, strike_at="fill")
    assert run.skipped["reason"].to_list() == [
        "an entry was not filled: no index to choose its strike by, or no trade of it, in time"
    ]


def missing_index(until, **params):
    day = flat_index(blank(minutes=20, centre=1000, step=50), 1000)
    for right in ("CE", "PE"):
        bars(day, 1000, right, [Q] * 20)
    day.spot[:until] = day.spot_open[:until] = MISSING
    return backtest.replay("straddle", day, params={"entry": ENTRY, "exit": "09:30"} | params, costs=False)


def test_the_entry_waits_for_the_index_but_not_for_ever():
    assert missing_index(4).trades["entry_time"].dt.strftime("%H:%M").to_list() == ["09:20", "09:20"]
    late = missing_index(10)
    assert late.trades.is_empty()
    assert late.skipped["reason"].to_list() == ["nothing to choose a strike by within the time the strategy waits"]
    assert missing_index(10, patience=30).trades["entry_time"].dt.strftime("%H:%M").to_list() == ["09:26", "09:26"]


def test_given_strikes_do_not_need_the_index():
    run = missing_index(20, strikes="1000,1000")
    assert run.trades["entry_time"].dt.strftime("%H:%M").to_list() == ["09:17", "09:17"]


def test_stops_on_the_close_fill_by_the_mode():
    rows = [Q, Q, Q, (100, 150, 100, 119.95), (119, 121, 100, 120), (122, 122, 122, 122)]
    run = straddle(rows, stop_on="close", target_pct=None)
    assert put_of(run) == ("stop", 122, "09:20", 100)
    run = straddle(rows, stop_on="close", target_pct=None, fills="decision_close")
    assert put_of(run) == ("stop", 120, "09:20", 100)


def test_legs_open_at_the_end_are_squared_off_at_their_last_traded_close():
    rows = [Q, Q, Q, (101, 101, 101, 101), (102, 103, 101, 103), None, None, None, None, None, None, None]
    run = straddle(rows, exit="15:00", target_pct=None)
    assert put_of(run) == ("session_end", 103, "09:27", 100)
    assert run.notes["note"].to_list() == ["1000 PE squared off at the price of 09:20: it did not trade later"]


def test_a_strike_outside_the_data_is_no_trade_and_said_so():
    run = straddle([Q], strike="ATM+9")
    assert run.trades.is_empty()
    assert run.skipped["reason"].to_list() == ["no contract of the chosen strike in the data"]


def test_late_bound_legs_bind_together_or_not_at_all():
    # the index opens the fill's bar at 1100: the centre and the call exist there, the put three steps below does not
    day = flat_index(blank(minutes=8, centre=1000, step=50, strikes=5), 1000)
    day.spot_open[2:] = 110_000
    for strike in (900, 950, 1000, 1050, 1100):
        for right in ("CE", "PE"):
            bars(day, strike, right, [Q] * 8)
    late = {"entry": ENTRY, "exit": "09:22", "strike_at": "fill"}
    run = backtest.replay("straddle", day, params=late, costs=False)
    assert run.trades["strike"].to_list() == [1100, 1100]
    assert run.orders.filter(reason="entry")["steps"].to_list() == [0, 0]
    run = backtest.replay("straddle", day, params=late | {"width": 1}, costs=False)
    assert run.trades.is_empty()
    assert run.skipped.height == 1


def test_a_late_strike_is_chosen_at_the_moment_of_its_own_fill():
    day = flat_index(blank(minutes=10, centre=1000, step=50), 1000)
    day.spot_open[4:] = 110_000
    for strike in (1000, 1100):
        for right in ("CE", "PE"):
            bars(day, strike, right, [Q, Q, None, None] + [Q] * 6)  # nothing trades until the index is at 1100
    params = {"entry": ENTRY, "exit": "09:22", "strike_at": "fill"}
    run = backtest.replay("straddle", day, params=params, costs=False)
    assert run.trades["strike"].to_list() == [1100, 1100]
    assert run.trades["entry_time"].dt.strftime("%H:%M").to_list() == ["09:19", "09:19"]


def test_the_strike_binds_at_the_decision_by_default():
    day = flat_index(blank(minutes=8, centre=1000, step=50), 1000)
    day.spot_open[2:] = 105_000
    for strike in (950, 1000, 1050):
        for right in ("CE", "PE"):
            bars(day, strike, right, [Q] * 8)
    run = backtest.replay("straddle", day, params={"entry": ENTRY, "exit": "09:22"}, costs=False)
    assert run.trades["strike"].to_list() == [1000, 1000]
