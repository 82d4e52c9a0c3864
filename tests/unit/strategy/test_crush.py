"""Crush recovery on sessions made by hand: every way through its states, and what its settings may say."""

from datetime import date
from math import ceil

import pytest

from algomaster import backtest, strategy
from algomaster.core.errors import ConfigError
from algomaster.core.types import MISSING
from algomaster.strategy.day import day_of
from naive.spiky import priced
from naive.vols import straddle

MONDAY, TUESDAY, THURSDAY = date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 4)
CALM, SPIKE, HALF = (0, 0.12), (20, 0.24), (30, 0.16)
BACK = (40, 0.12)
PLAIN = {
    "entry": "09:20", "exit": "10:10", "give_up": "10:05", "before": 5, "max_lots": 1000, "max_margin": None,
    "daily_loss_limit": None,
}  # fmt: skip


def path(*levels, minutes=60):
    """Values by minute: each (from, value) holds until the next."""
    values = [value for start, value in levels for _ in range(1)]
    starts = [start for start, _ in levels] + [minutes]
    return [value for value, first, end in zip(values, starts, starts[1:]) for _ in range(first, end)]


def day_with(*levels, minutes=60, session=MONDAY, expiry=THURSDAY, spots=None):
    return priced(session, expiry, spots or [20_000.0] * minutes, path(*levels, minutes=minutes))


def play(days, costs=False, fills="next_open", **params):
    return backtest.replay("crush", days, params=PLAIN | params, costs=costs, fills=fills)


def told(run):
    """(decided at, lots, decided to leave at, reason) of each straddle; a decision is filled at the next open."""
    rows = run.trades.unique(["entry_time", "strike"], maintain_order=True, keep="first").to_dicts()
    clock = "{:%H:%M}".format
    return [(clock(row["entry_time"]), row["lots"], clock(row["exit_time"]), row["exit_reason"]) for row in rows]


def price_at(day, bar, vol):
    """Call and put at the money together in rupees, by the book."""
    return straddle(20_000.0, 20_000.0, day_of(day).years[0, bar], vol)


# --- the way through -------------------------------------------------------------------------------------------------


def test_nothing_happens_and_it_leaves_at_the_exit():
    assert told(play(day_with(CALM))) == [("09:20", 1, "10:10", "time")]


def test_a_spike_that_falls_back_is_sold_again_and_brings_the_loss_back():
    """The spike closes on the bar that ends at 09:36, its half is gone at 09:46, the level before is back at 09:56."""
    day = day_with(CALM, SPIKE, HALF, BACK)
    run = play(day)
    loss = price_at(day, 20, 0.24) - price_at(day, 4, 0.12)
    edge = price_at(day, 30, 0.16) - price_at(day, 30, 0.12)
    lots = ceil(loss / edge)
    assert 2 < lots < 10
    assert told(run) == [("09:20", 1, "09:36", "stop"), ("09:46", lots, "09:56", "target")]
    assert 0 <= run.metrics["pnl"] < edge * 50


def test_the_loss_to_recover_includes_its_costs():
    day = day_with(CALM, SPIKE, (30, 0.1795), BACK)
    run = play(day, costs=True)
    first = run.trades.head(2)
    edge = (price_at(day, 30, 0.1795) - price_at(day, 30, 0.12)) * 50
    exact = -first["net_pnl"].sum() / edge
    assert first["costs"].sum() > 90
    assert run.trades["lots"].to_list() == [1, 1, ceil(exact), ceil(exact)]


def test_decay_alone_is_no_crush():
    """Volatility stays where the spike took it; by the afternoon of the expiry the premium has fallen to a third."""
    day = day_with(CALM, SPIKE, minutes=375, session=THURSDAY)
    run = play(day, exit="15:15", give_up="15:10")
    assert told(run) == [("09:20", 1, "09:36", "stop")]
    k = 4
    at_spike, at_end = (int(day.close[0, k, :, i].sum()) for i in (20, 355))
    assert at_end < at_spike / 3
    assert at_end < int(day.close[0, k, :, 4].sum())


@pytest.mark.parametrize("watch", ["iv", "premium", "either", "both"])
def test_a_move_of_the_index_alone_is_no_spike(watch):
    spots = path((0, 20_000.0), (20, 20_190.0), (30, 20_000.0))
    run = play(day_with(CALM, spots=spots), watch=watch, stop_pct=10, spike_pct=5)
    assert told(run) == [("09:20", 1, "09:36", "stop")]


@pytest.mark.parametrize("watch", ["iv", "premium", "either", "both"])
def test_each_measure_confirms(watch):
    assert [row[:2] for row in told(play(day_with(CALM, SPIKE, HALF), watch=watch))][1][0] == "09:46"


def test_premium_and_volatility_may_disagree():
    """The index has moved on: the strike at the money now is cheap, the stopped one stays dear for a while."""
    day = day_with(CALM, SPIKE, HALF, spots=path((0, 20_000.0), (30, 20_050.0)))
    day.close[0, 4, :, 30:45] += 600
    assert told(play(day, watch="both", recover_stop_pct=None))[1][0] == "10:01"
    assert told(play(day, watch="iv", recover_stop_pct=None))[1][0] == "09:46"


def test_it_gives_up_at_a_time():
    assert len(told(play(day_with(CALM, SPIKE, HALF), give_up="09:46"))) == 1
    assert len(told(play(day_with(CALM, SPIKE, HALF), give_up="09:47"))) == 2


def test_it_gives_up_at_a_second_spike():
    """Down by 30 % of the spike, then above the old high, then down for good: too late."""
    twice = (CALM, SPIKE, (25, 0.204), (28, 0.25), (33, 0.16))
    assert len(told(play(day_with(*twice)))) == 1
    assert len(told(play(day_with(*twice), again_pct=None))) == 2
    assert len(told(play(day_with(*twice), again_pct=40))) == 2


def test_a_spike_that_grows_is_one_spike():
    run = play(day_with(CALM, SPIKE, (22, 0.3), (24, 0.36), (30, 0.24), (33, 0.23)))
    assert told(run)[1][0] == "09:46"  # half of 0.36 - 0.12 has gone


def test_it_gives_up_at_a_loss():
    day = day_with(CALM, SPIKE, HALF)
    loss = 50 * (price_at(day, 20, 0.24) - price_at(day, 4, 0.12))
    assert told(play(day, daily_loss_limit=round(loss * 0.9)))[0][3] == "loss_limit"
    assert len(told(play(day, daily_loss_limit=round(loss * 0.9)))) == 1


def test_the_second_sale_stops_at_the_loss_limit():
    day = day_with(CALM, SPIKE, HALF, (40, 0.2))
    run = play(day, recover_stop_pct=None, again_pct=None, daily_loss_limit=12_000)
    assert told(run)[1][2:] == ("09:56", "loss_limit")


def test_the_second_sale_has_its_stop_its_exit_and_a_second_spike():
    up = (40, 0.22)
    assert told(play(day_with(CALM, SPIKE, HALF, up)))[1][2:] == ("09:56", "stop")
    assert told(play(day_with(CALM, SPIKE, HALF, up), recover_stop_pct=None))[1][2:] == ("10:10", "time")
    higher = day_with(CALM, SPIKE, HALF, (40, 0.26))
    assert told(play(higher))[1][2:] == ("09:56", "crush")
    assert told(play(higher, again_pct=None))[1][2:] == ("09:56", "stop")


def test_held_to_the_exit_without_a_target():
    day = day_with(CALM, SPIKE, HALF, BACK)
    assert told(play(day, recover_pct=None))[1][2:] == ("10:10", "time")
    half, whole = (told(play(day, recover_pct=part))[1][1] for part in (50, 100))
    assert half == ceil(whole / 2)


def test_a_spike_that_has_gone_altogether_is_not_sold():
    assert len(told(play(day_with(CALM, SPIKE, (30, 0.119))))) == 1


def test_no_loss_nothing_to_recover():
    """The stop is decided at the spike's close and filled at an open that is back below the entry."""
    day = day_with(CALM, SPIKE, HALF)
    day.open[0, 4, :, 21] = day.close[0, 4, :, 4] - 40
    assert len(told(play(day))) == 1


def test_the_first_straddle_has_a_target():
    assert told(play(day_with(CALM, (20, 0.1)), target_pct=10)) == [("09:20", 1, "09:36", "target")]


def test_the_strike_of_the_second_sale():
    spots = path((0, 20_000.0), (25, 20_060.0))
    day = day_with(CALM, SPIKE, HALF, spots=spots)
    strikes = [set(play(day, resell=how).trades["strike"][2:]) for how in ("atm", "same")]
    assert strikes == [{20_050.0}, {20_000.0}]


# --- caps ------------------------------------------------------------------------------------------------------------


def second_lots(**params):
    return told(play(day_with(CALM, SPIKE, HALF, BACK), **params))[1][1]


def test_caps_in_lots_margin_and_loss():
    day = day_with(CALM, SPIKE, HALF, BACK)
    free = second_lots()
    assert second_lots(max_lots=2) == 2
    margin = 20_000 * 50 * 0.12
    assert second_lots(max_margin=margin * 3.5, margin_pct=12) == 3
    assert second_lots(max_margin=margin * 100, margin_pct=12) == free
    loss = 50 * (price_at(day, 20, 0.24) - price_at(day, 4, 0.12))
    risk = 50 * price_at(day, 30, 0.16) * 0.2
    assert second_lots(daily_loss_limit=round(loss + 2.5 * risk)) == 2
    assert len(told(play(day, daily_loss_limit=round(loss + 0.5 * risk)))) == 1


def test_the_first_sale_takes_part_in_sizing():
    assert told(play(day_with(CALM), lots=5, max_lots=3)) == [("09:20", 3, "10:10", "time")]
    assert not told(play(day_with(CALM), max_margin=100_000, margin_pct=12))
    monday, tuesday = day_with(CALM, SPIKE, (58, 0.13)), day_with(CALM, session=TUESDAY)
    run = play([monday, tuesday], sizing="martingale", give_up="09:21")
    assert [row[1] for row in told(run)] == [1, 2]


# --- what is missing -------------------------------------------------------------------------------------------------


def test_entries_that_cannot_be():
    day = day_with(CALM)
    day.spot[4:20] = MISSING
    assert "within the time" in play(day).skipped["reason"][0]
    day = day_with(CALM, spots=[20_400.0] * 60)
    assert "no contract" in play(day).skipped["reason"][0]
    day = day_with(CALM)
    day.open[0, 4, 1, 5:20] = MISSING
    assert told(play(day)) == [("09:20", 1, "09:26", "incomplete")]


def test_a_leg_that_cannot_leave_is_waited_for():
    day = day_with(CALM, SPIKE, HALF, BACK)
    day.open[0, 4, 1, 21:34] = MISSING
    run = play(day)
    assert [f"{row:%H:%M}" for row in run.trades["exit_time"]][:2] == ["09:36", "09:49"]
    assert told(run)[1][0] == "09:50"


def test_without_trades_at_the_money_nothing_is_known():
    day = day_with(CALM, SPIKE, HALF, BACK)
    day.close[0, 4, 0, 30:33] = MISSING
    assert told(play(day))[1][0] == "09:49"


def test_the_volatility_before_is_that_of_the_sale_where_nothing_traded_since():
    levels = (0, 0.14), (6, 0.12), SPIKE, HALF
    before, sale = (play(day_with(*levels), before=minutes).trades["lots"][2] for minutes in (5, None))
    assert sale > before  # less is left to come back from 0.16 to 0.14 than to 0.12
    day = day_with(*levels)
    day.close[0, 4, 0, 5:20] = MISSING
    assert play(day, before=5).trades["lots"][2] == sale


# --- events ----------------------------------------------------------------------------------------------------------

EVENT = {"events": [TUESDAY], "entry": "10:00"}


def eve_and_event(*levels, eve=((0, 0.3),)):
    return [day_with(*eve), day_with(*levels, session=TUESDAY), day_with(CALM, session=date(2024, 1, 3))]


def when(run):
    return [(f"{row['entry_time']:%a %H:%M}", row["lots"], f"{row['exit_time']:%a %H:%M}", row["exit_reason"])
            for row in run.trades.to_dicts()][::2]  # fmt: skip


def test_the_crush_of_an_event_is_sold_the_evening_before():
    run = play(eve_and_event((0, 0.15)), target_pct=30, **EVENT)
    assert when(run) == [("Mon 10:00", 1, "Tue 09:16", "target")]
    assert run.metrics["pnl"] > 0


def test_without_a_crush_it_leaves_at_the_exit_of_the_events_session():
    assert when(play(eve_and_event((0, 0.3)), **EVENT)) == [("Mon 10:00", 1, "Tue 10:10", "time")]


def test_the_loss_of_the_night_is_recovered_over_the_events_session():
    run = play(eve_and_event((0, 0.6), (20, 0.4), (30, 0.3)), recover_stop_pct=40, **EVENT)
    first, second = when(run)
    assert first == ("Mon 10:00", 1, "Tue 09:16", "stop")
    assert second[0] == "Tue 09:36"
    assert second[1] > 1
    assert second[3] == "target"
    assert run.metrics["pnl"] >= 0


def test_stopped_on_the_eve_it_watches_on_over_the_night():
    run = play(eve_and_event((0, 0.6), (20, 0.4), (30, 0.3), eve=((0, 0.3), (50, 0.6))), recover_stop_pct=40, **EVENT)
    first, second = when(run)
    assert first == ("Mon 10:00", 1, "Mon 10:06", "stop")
    assert second[0] == "Tue 09:36"


def test_on_the_day_it_sells_just_before_and_holds_no_night():
    run = play(eve_and_event((0, 0.3), (20, 0.15)), events=[TUESDAY], entry="09:30", sell="day", target_pct=30)
    assert when(run) == [("Tue 09:30", 1, "Tue 09:36", "target")]
    assert run.skipped["session"].to_list() == [MONDAY, date(2024, 1, 3)]


def test_an_expiry_before_the_event_is_passed_over():
    days = [day_with((0, 0.3), expiry=MONDAY), day_with((0, 0.3), session=TUESDAY)]
    assert "no contract" in play(days, **EVENT).skipped["reason"][0]


# --- settings --------------------------------------------------------------------------------------------------------


def configured(**params):
    return strategy.get("crush").configure(params)


def number(day):
    return (day - date(1970, 1, 1)).days


def test_events_are_read_and_packed_with_the_session_before():
    for text in ("2024-06-04, 2024-01-23", [date(2024, 6, 4), date(2024, 1, 23)], ["2024-06-04", "2024-01-23"]):
        row = configured(events=text).pack()[0]
        assert row["n_events"] == 2
        assert row["event_on"][:2].tolist() == [
            (d - date(1970, 1, 1)).days for d in (date(2024, 1, 23), date(2024, 6, 4))
        ]
        # 22 January 2024 was a holiday and Saturday the 20th a session
        assert row["sell_on"][:2].tolist() == [
            (d - date(1970, 1, 1)).days for d in (date(2024, 1, 20), date(2024, 6, 3))
        ]
    assert configured(events="none").events == configured(events=None).events == ()
    assert configured(events=date(2024, 6, 4)).events == (date(2024, 6, 4),)
    assert configured(events=[TUESDAY], entry="15:20").exit == 915


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"entry": "09:15"}, "first decision"), ({"entry": "15:20"}, "must come before exit"),
        ({"give_up": "15:20"}, "give_up 15:20 must not come after exit 15:15"),
        ({"again_pct": 50}, "must be less than fall_pct 50"), ({"fall_pct": 100}, "less than 100"),
        ({"watch": "vix"}, "'iv', 'premium', 'either' or 'both'"), ({"spike_pct": 0}, "greater than 0"),
        ({"events": "2024-01-22"}, "the exchange is closed on 2024-01-22"), ({"events": "soon"}, "valid date"),
        ({"sell": "eve", "events": [TUESDAY], "stop_pct": "x"}, "valid number"), ({"before": 0}, "or equal to 1"),
        ({"loss_limit": 3}, "there is no parameter of crush 'loss_limit'"),
    ],
)  # fmt: skip
def test_refused_with_what_was_expected(params, said):
    with pytest.raises(ConfigError) as problem:
        configured(**params)
    assert said in str(problem.value)


def test_none_switches_a_rule_off():
    row = configured(
        stop_pct=None, target_pct="none", before=None, again_pct=None, recover_pct=None, recover_stop_pct=None,
        max_lots=None, max_margin="off", daily_loss_limit=None,
    ).pack()[0]  # fmt: skip
    names = ("stop_ppm", "target_ppm", "before", "again", "recover_ppm", "recover_stop_ppm", "size_most_lots")
    assert [row[name] for name in (*names, "size_margin", "size_day_loss")] == [0] * 9
    settings = configured(events=[TUESDAY], entry="09:31")
    assert strategy.get("crush").configure(settings.model_dump(mode="json")) == settings
