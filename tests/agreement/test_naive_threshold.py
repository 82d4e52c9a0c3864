"""The threshold strategy equals its plain telling, fill by fill, over drawn settings and sessions."""

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from algomaster import backtest
from naive.paper import fills_of
from naive.spiky import spiky
from naive.threshold import SIDES, threshold

percent = st.one_of(st.none(), st.sampled_from(["3", "7.5", "20", "60"]))
position = st.sampled_from(sorted(SIDES))
levels = st.lists(st.sampled_from([20.0, 35.0, 45.0, 50.0, 55.0, 65.0, 80.0]), min_size=4, max_size=4, unique=True)
drawn = st.fixed_dictionaries(
    {
        "column": st.sampled_from(["score", "score", "score", 0, 1, 7]),
        "levels": levels.map(sorted),
        "off": st.sampled_from(["", "", "above", "below", "exit_above", "exit_below"]),
        "on_above": position,
        "on_below": position,
        "on_neutral": position,
        "width": st.sampled_from([0, 0, 1, 4]),
        "stop_pct": percent,
        "target_pct": percent,
        "first_entry": st.integers(556, 580),
        "last_entry": st.integers(585, 630),
        "exit": st.integers(631, 650),
        "cool_down": st.sampled_from([0, 1, 5, 20]),
        "max_trades": st.sampled_from([1, 3, 50]),
        "lots": st.sampled_from([1, 4]),
        "patience": st.sampled_from([0, 2, 5]),
    }
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    p=drawn, seed=st.integers(0, 300), gaps=st.sampled_from([0.0, 0.05, 0.3]),
    fills=st.sampled_from(["next_open", "decision_close"]),
)  # fmt: skip
def test_replay_is_the_plain_telling(p, seed, gaps, fills):
    days = spiky(seed, gaps=gaps)
    p = p | dict(zip(("below", "exit_below", "exit_above", "above"), p["levels"]))
    if p["off"]:
        p[p["off"]] = None
    params = {name: value for name, value in p.items() if name not in {"levels", "off"}}
    run = backtest.replay("threshold", days, params=params, fills=fills, costs=False)
    assert fills_of(run) == threshold(days, params, fills)
