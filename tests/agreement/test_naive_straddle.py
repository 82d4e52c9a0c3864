"""The compiled replay equals the plain telling of the straddle, trade by trade, over drawn settings and sessions."""

import hypothesis.strategies as st
from hypothesis import HealthCheck, example, given, settings

from algomaster import backtest
from algomaster.core.types import MINUTE_NS
from hand_made import random_day
from naive.straddle import straddle

percent = st.one_of(st.none(), st.sampled_from(["2", "5.5", "12.25", "20", "30", "80"]))
settings_drawn = st.fixed_dictionaries(
    {
        "entry": st.integers(556, 620),
        "length": st.integers(1, 70),
        "strike": st.integers(-2, 2),
        "width": st.integers(0, 3),
        "strikes": st.one_of(st.none(), st.sampled_from([(20_050, 19_950), (20_000, 20_000), (30_000, 20_000)])),
        "strike_at": st.sampled_from(["decision", "fill"]),
        "stop_pct": percent,
        "target_pct": percent,
        "stop_on": st.sampled_from(["range", "close"]),
        "side": st.sampled_from(["sell", "buy"]),
        "patience": st.sampled_from([0, 1, 5, 30]),
        "fills": st.sampled_from(["next_open", "decision_close", "algotest"]),
    }
)


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(p=settings_drawn, seed=st.integers(0, 400), gaps=st.sampled_from([0.0, 0.0, 0.05, 0.3]))
@example(
    p={
        "entry": 560, "length": 40, "strike": 0, "width": 0, "strikes": None, "strike_at": "fill", "stop_pct": "20",
        "target_pct": None, "stop_on": "range", "side": "sell", "patience": 5, "fills": "next_open",
    },
    seed=3,
    gaps=0.3,
)  # fmt: skip
def test_replay_is_the_plain_telling(p, seed, gaps):
    day = random_day(seed, gaps=gaps)
    fills = p["fills"]
    params = {name: value for name, value in p.items() if name not in {"length", "fills"}}
    params["exit"] = p["entry"] + p["length"]
    run = backtest.replay("straddle", day, params=params, fills=fills, costs=False)
    expected = straddle(day, {**params, "fills": fills})
    assert len(run.trades) == len(expected)
    by_right = {row["right"]: row for row in run.trades.to_dicts()}
    for trade in expected:
        row = by_right[("CE", "PE")[trade.right]]
        assert row["strike"] == trade.strike / 100
        assert row["entry_price"] == trade.entry * day.tick / 100
        assert row["exit_price"] == trade.exit_price * day.tick / 100
        assert row["exit_reason"] == trade.reason
        moment = day.ts[trade.exit_bar] + (MINUTE_NS if trade.exit_at == "close" else 0)
        assert row["exit_time"].timestamp() * 1e9 == moment
        units = 50 if p["side"] == "buy" else -50
        assert row["quantity"] == units
        assert round(row["pnl"] * 100) == (trade.exit_price - trade.entry) * units * day.tick
