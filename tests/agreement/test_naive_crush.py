"""Crush recovery equals its plain telling, fill by fill, over drawn settings and sessions."""

from datetime import date

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from algomaster import backtest
from naive.crush import crush
from naive.paper import fills_of
from naive.spiky import spiky

percent = st.one_of(st.none(), st.sampled_from(["3", "6.5", "12", "25"]))
drawn = st.fixed_dictionaries(
    {
        "entry": st.integers(556, 575),
        "exit": st.integers(615, 650),
        "give_up": st.integers(590, 615),
        "patience": st.sampled_from([0, 2, 5]),
        "lots": st.sampled_from([1, 3]),
        "stop_pct": st.sampled_from(["2", "4.25", "8", "15"]),
        "target_pct": percent,
        "before": st.sampled_from([None, 1, 5, 15]),
        "watch": st.sampled_from(["iv", "premium", "either", "both"]),
        "spike_pct": st.sampled_from(["1", "5", "20"]),
        "fall_pct": st.sampled_from(["20", "50", "80"]),
        "again_pct": st.sampled_from([None, "10", "19"]),
        "resell": st.sampled_from(["atm", "same"]),
        "recover_pct": st.sampled_from([None, "50", "100"]),
        "recover_stop_pct": percent,
        "max_lots": st.sampled_from([2, 10, 1000]),
        "margin_pct": st.sampled_from(["8", "12.5"]),
        "max_margin": st.sampled_from([None, 90_000, 500_000, 5_000_000]),
        "daily_loss_limit": st.sampled_from([None, 1_500, 6_000, 30_000]),
    }
)
quick = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


FILLS = ["next_open", "decision_close"]


def check(days, params, fills, sales=None, **more):
    run = backtest.replay("crush", days, params=params | more, fills=fills, costs=False)
    assert fills_of(run) == crush(days, params | {"events": sales}, fills)


@quick
@given(p=drawn, seed=st.integers(0, 300), gaps=st.sampled_from([0.0, 0.0, 0.05]), fills=st.sampled_from(FILLS))
def test_replay_is_the_plain_telling(p, seed, gaps, fills):
    check(spiky(seed, gaps=gaps), p, fills)


@settings(quick, max_examples=150)
@given(
    p=drawn, seed=st.integers(0, 300), gaps=st.sampled_from([0.0, 0.05]), fills=st.sampled_from(FILLS),
    sell=st.sampled_from(["eve", "day"]), sale=st.integers(0, 2), late=st.booleans(),
)  # fmt: skip
def test_an_event_over_its_night(p, seed, gaps, fills, sell, sale, late):
    days = spiky(seed, gaps=gaps, count=4)
    event = days[sale + 1].session
    sold = days[sale].session if sell == "eve" else event
    if late and sell == "eve":
        p = p | {"entry": 643, "exit": 630}
    epoch = date(1970, 1, 1)
    sales = {(sold - epoch).days: (event - epoch).days}
    check(days, p, fills, sales, sell=sell, events=[event])


def test_every_way_out_is_drawn():
    """The drawn sessions reach every reason, so that the agreement above means something."""
    seen = set()
    p = {
        "entry": 560, "exit": 640, "give_up": 615, "stop_pct": 4, "spike_pct": 5, "fall_pct": 50, "again_pct": 19,
        "recover_stop_pct": 6, "daily_loss_limit": 30_000, "max_margin": None, "max_lots": 50,
    }  # fmt: skip
    for seed in range(120):
        for more in ({}, {"recover_pct": None}, {"daily_loss_limit": 4_000}):
            run = backtest.replay("crush", spiky(seed), params=p | more, costs=False)
            again = run.trades.filter(run.trades["lots"] > 1)
            seen |= set(again["exit_reason"].to_list())
            if {"crush", "stop", "time", "target", "loss_limit"} <= seen:
                return
    raise AssertionError(seen)
