"""The straddle manager sees no future in the rules that need sessions whose premiums hang together with the index."""

import pytest

from algomaster import backtest
from leg_days import leg_days

SETTINGS = [
    {
        "legs": [
            {"right": "CE", "strike": {"delta": 0.4}, "stop": "5%"},
            {"right": "PE", "strike": {"delta_range": [0.2, 0.6]}},
        ]
    },
    {
        "legs": [
            {"right": "PE", "strike": {"straddle_percent": 40}, "expiry": "monthly", "strike_from": "future"},
            {"right": "CE", "strike": {"premium_above": 60}, "stop": "spot 0.1%", "on_stop": "asap"},
        ],
        "vix": [5, 40], "budget": [1, 1_000_000], "dte": [0, 1, 2, 3],
    },
    {"holding": "positional", "overall_stop": "5%", "legs": [{"right": "CE", "stop": "8%"}, {"right": "PE"}]},
]  # fmt: skip


@pytest.mark.parametrize("fills", ["next_open", "algotest"])
@pytest.mark.parametrize("params", SETTINGS)
def test_the_future_changes_nothing(params, fills):
    outcome = backtest.check_look_ahead(
        "legs", leg_days(0, sessions=2), params={"exit": "10:10"} | params, fills=fills, bars=5
    )
    assert outcome.counted > len(outcome.cases) // 2
    assert outcome.passed, outcome
