"""The compiled momentum strategy equals its plain telling, trade by trade, over drawn settings and sessions."""

import hypothesis.strategies as st
from hypothesis import HealthCheck, assume, given, settings

from algomaster import backtest, strategy
from hand_made import random_day
from naive.momentum import CRITERIA, measures, momentum, places, scores

weight = st.sampled_from([0.0, 1.0, 0.5, -1.0, 0.25])
percent = st.sampled_from([None, 2.0, 7.5, 30.0])
ticks = st.sampled_from([None, None, 15, 60])
drawn = st.fixed_dictionaries(
    {
        "start": st.integers(558, 575),
        "end": st.integers(580, 600),
        "length": st.integers(1, 25),
        "every": st.sampled_from([1, 4, 7, 15]),
        "side": st.sampled_from(["buy", "sell"]),
        "rights": st.sampled_from(["both", "both", "CE", "PE"]),
        "reach": st.integers(0, 4),
        "picks": st.integers(1, 3),
        "max_positions": st.integers(1, 4),
        "min_score": st.sampled_from([None, None, 50.0, 75.0]),
        "lots": st.integers(1, 2),
        "stop_pct": percent,
        "target_pct": percent,
        "stop_ticks": ticks,
        "target_ticks": ticks,
        "trail_pct": percent,
        "trail_ticks": ticks,
        "hold": st.sampled_from([None, None, 1, 9]),
        "minutes": st.sampled_from([2, 5, 12]),
        "terms": st.sampled_from(["volatility", "percent"]),
        "weights": st.fixed_dictionaries({name: weight if name != "iv" else st.just(0.0) for name in CRITERIA}),
        "min_premium": st.sampled_from([None, 15.0]),
        "min_value": st.sampled_from([None, 20_000.0]),
        "max_spread_pct": st.sampled_from([None, 40.0]),
    }
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(p=drawn, seed=st.integers(0, 400), gaps=st.sampled_from([0.0, 0.05, 0.3]))
def test_replay_is_the_plain_telling(p, seed, gaps):
    assume(any(p["weights"].values()))
    day = random_day(seed, gaps=gaps)
    p["exit"] = p["end"] + p["length"]
    params = {name: value for name, value in p.items() if name not in {"length", "weights"}}
    params |= {f"{name}_weight": value for name, value in p["weights"].items()}
    run = backtest.replay("momentum", day, params=params, costs=False)
    expected = momentum(day, p)
    found = [
        (row["right"], row["strike"], row["quantity"], row["entry_price"], row["exit_price"], row["exit_reason"])
        for row in run.trades.sort("leg").to_dicts()
    ]
    sign = 1 if p["side"] == "buy" else -1
    assert found == [
        (("CE", "PE")[one.contract[2]], day.strikes[one.contract[1]] / 100, sign * one.lots * 50,
         one.entry * day.tick / 100, one.exit_price * day.tick / 100, one.reason)
        for one in expected
    ]  # fmt: skip


@given(seed=st.integers(0, 100), gaps=st.sampled_from([0.0, 0.2]), i=st.integers(5, 59))
def test_a_scan_is_the_plain_ranking(seed, gaps, i):
    """Of all contracts of two underlyings together."""
    one, two = random_day(seed, gaps=gaps), random_day(seed + 1000, gaps=gaps)
    p = {"minutes": 5, "terms": "volatility", "min_premium": 5.0, "min_value": None, "max_spread_pct": None}
    weights = {"momentum": 1.0, "volume": 0.5, "interest": -0.5, "iv": 0.0, "strength": 0.25, "liquidity": 0.5}
    rows = [
        (name, day.strikes[k] / 100, ("CE", "PE")[right], measures(day, i, (0, k, right), p))
        for name, day in (("A", one), ("B", two))
        for k in range(day.strikes.size)
        for right in (0, 1)
    ]
    rows = [row for row in rows if row[3] is not None]
    points = scores([row[3] for row in rows], weights)
    order = sorted(range(len(rows)), key=lambda a: -points[a])
    clock = f"{(556 + i) // 60:02d}:{(556 + i) % 60:02d}"
    found = strategy.scan({"A": one, "B": two}, at=clock, weights=weights, top=99, settings=p)
    assert found.ranked == len(rows)
    assert found.frame.select("underlying", "strike", "right").rows() == [rows[a][:3] for a in order]
    assert [round(score, 9) for score in found.frame["score"]] == [round(float(points[a] * 100), 9) for a in order]
    for name in CRITERIA:
        assert found.frame[name].to_list() == [rows[a][3][name] for a in order]
        expected = places([row[3][name] for row in rows])
        assert [round(x * 10_000) for x in found.frame[f"{name}_place"]] == [expected[a] for a in order]
