"""The straddle manager in every host: sweep = replay, skipping or not; what a plain straddle can say is one run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from algomaster import backtest, market
from hand_made import random_day
from leg_days import leg_days

SETS = [
    {"legs": [{"right": right, "stop": "10%", "on_stop": {"kind": "asap", "times": 3}} for right in ("CE", "PE")]},
    {
        "legs": [
            {
                "right": "CE", "strike": {"delta": 0.4}, "momentum": "-3%", "stop": "8%",
                "trail": {"every": "3%", "by": "2%"},
            },
            {"right": "PE", "strike": {"premium": 90}, "stop": "8%", "on_stop": {"kind": "cost", "touch": True}},
        ],
        "break_even": "all", "overall_target": "5%", "on_overall_target": {"kind": "asap", "times": 2},
    },
    {
        "legs": [{"right": "CE", "breakout": {"until": "09:30", "end": "low"}, "target": "10%", "on_target": "cost"}],
        "stop_on": "close", "lock": {"at": 500, "keep": 200},
    },
    {
        "legs": [{"right": "PE", "stop": "10%", "expiry": "monthly", "on_stop": {"kind": "lazy", "leg": "b"}}],
        "lazy": {"b": {"right": "CE", "side": "buy", "stop": "spot 5 points", "strike": "OTM1"}},
        "holding": "btst", "entry": "09:50", "exit": "09:25",
    },
    {"holding": "positional", "settle": True, "sizing": "martingale", "gap": [-5, 5]},
]  # fmt: skip
PARAMS = [{"exit": "10:10"} | one for one in SETS]
CODE = """
import json, sys
from algomaster import backtest
from leg_days import leg_days
days = leg_days(1, sessions=3, gaps=0.05)
sets = json.loads(sys.argv[1])
print(json.dumps([backtest.replay("legs", days, params=one, fills=fills).digest for one in sets
                  for fills in ("next_open", "algotest")]))
"""


@pytest.fixture(scope="module")
def days():
    return leg_days(1, sessions=3, gaps=0.05)


@pytest.mark.parametrize("fills", ["next_open", "algotest"])
@pytest.mark.parametrize("skip_lists", [True, False])
def test_a_row_of_a_sweep_is_its_replay(days, fills, skip_lists):
    """The sets give different settings, so each is swept alone, in a grid of its lots."""
    for one in PARAMS:
        grid = backtest.sweep(
            "legs", days, grid={"lots": [1, 2]}, params=one, fills=fills, digest=True, skip_lists=skip_lists
        )
        for row, lots in zip(grid.frame.to_dicts(), (1, 2)):
            run = backtest.replay("legs", days, params=one | {"lots": lots}, fills=fills)
            assert (row["digest"], row["fingerprint"]) == (run.digest, run.fingerprint)
            assert run.trades.height


def test_without_compiling(days):
    env = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-W", "error", "-c", CODE, json.dumps(PARAMS)]
    home = Path(__file__).resolve().parents[1]
    done = subprocess.run(command, env=env, cwd=home, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    compiled = [
        backtest.replay("legs", days, params=one, fills=fills).digest
        for one in PARAMS
        for fills in ("next_open", "algotest")
    ]
    assert json.loads(done.stdout) == compiled


straddles = st.fixed_dictionaries(
    {
        "entry": st.integers(556, 600), "exit": st.integers(601, 640), "strike": st.integers(-2, 2),
        "width": st.integers(0, 2), "stop_on": st.sampled_from(["range", "close"]),
        "stop_pct": st.one_of(st.none(), st.floats(1, 90).map(lambda x: round(x, 2))),
        "target_pct": st.one_of(st.none(), st.floats(1, 90).map(lambda x: round(x, 2))),
        "strikes": st.sampled_from([None, None, (20_050, 19_950), (30_000, 20_000)]),
        "side": st.sampled_from(["sell", "buy"]), "lots": st.integers(1, 9), "patience": st.sampled_from([0, 1, 5]),
        "sizing": st.sampled_from(["fixed", "martingale"]),
    }
)  # fmt: skip


def as_legs(p):
    """The same straddle in the words of the manager."""
    legs = []
    for right, width in (("CE", p["width"]), ("PE", -p["width"])):
        strike = {"strike": p["strikes"][right == "PE"]} if p["strikes"] else {"steps": p["strike"] + width}
        percents = {name: p[f"{name}_pct"] and {"percent": p[f"{name}_pct"]} for name in ("stop", "target")}
        legs.append({"right": right, "side": p["side"], "strike": strike, "expiry": 0} | percents)
    shared = ("entry", "exit", "stop_on", "lots", "patience", "sizing")
    return {name: p[name] for name in shared} | {"legs": legs}


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    p=straddles, fills=st.sampled_from(["next_open", "decision_close", "algotest"]), seed=st.integers(0, 50),
    gaps=st.sampled_from([0.0, 0.2]),
)  # fmt: skip
def test_a_plain_straddle_is_the_same_run(p, fills, seed, gaps):
    days = [random_day(seed + k, minutes=90, gaps=gaps) for k in range(3)]
    lean = backtest.replay("straddle", days, params=p, fills=fills)
    managed = backtest.replay("legs", days, params=as_legs(p), fills=fills)
    assert (lean.digest, lean.fingerprint) == (managed.digest, managed.fingerprint)


def test_defaults_run_on_a_plain_day():
    simulated = market.simulate("NIFTY", sessions=2, start="2024-01-01", strikes=21, seed=7)
    lean, managed = (backtest.replay(name, simulated) for name in ("straddle", "legs"))
    assert lean.trades.height == 4
    assert lean.digest == managed.digest
