"""The delta hedge equals its plain telling, fill by fill, over drawn settings and sessions."""

import hypothesis.strategies as st
from hypothesis import HealthCheck, assume, given, settings

from algomaster import backtest
from naive.delta_hedge import delta_hedge
from naive.paper import fills_of
from naive.spiky import spiky

percent = st.one_of(st.none(), st.sampled_from(["3", "7.5", "20", "60"]))
drawn = st.fixed_dictionaries(
    {
        "entry": st.integers(556, 575),
        "exit": st.integers(600, 650),
        "lots": st.sampled_from([1, 4, 10]),
        "side": st.sampled_from(["sell", "buy"]),
        "band": st.sampled_from([None, 0.4, 0.75, 1.5, 3.0]),
        "every": st.sampled_from([None, 1, 7, 30]),
        "hedge_with": st.sampled_from(["future", "synthetic"]),
        "stop_pct": percent,
        "target_pct": percent,
        "patience": st.sampled_from([0, 2, 5]),
    }
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    p=drawn, seed=st.integers(0, 300), gaps=st.sampled_from([0.0, 0.05, 0.3]), wild=st.sampled_from([6.0, 15.0]),
    fills=st.sampled_from(["next_open", "decision_close"]),
)  # fmt: skip
def test_replay_is_the_plain_telling(p, seed, gaps, wild, fills):
    assume(p["band"] or p["every"])
    days = spiky(seed, gaps=gaps, wild=wild)
    run = backtest.replay("delta_hedge", days, params=p, fills=fills, costs=False)
    assert fills_of(run) == delta_hedge(days, p, fills)
