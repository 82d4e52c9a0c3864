"""Crush recovery, threshold and delta hedge where they trade a lot: no look-ahead, one result in every host."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from algomaster import backtest
from naive.spiky import spiky

RULES = {"entry": "09:20", "exit": "10:40"}
SETS = {
    "crush": [
        RULES | {"give_up": "10:30", "stop_pct": 4, "spike_pct": 5, "recover_stop_pct": 6},
        RULES | {"give_up": "10:30", "stop_pct": 8, "watch": "both", "resell": "same", "before": None, "fall_pct": 30},
        RULES | {"give_up": "10:30", "stop_pct": 6, "watch": "iv", "daily_loss_limit": 4000, "lots": 3},
    ],
    "threshold": [
        {"last_entry": "10:30", "exit": "10:40", "on_neutral": "short_straddle", "max_trades": 9},
        {"last_entry": "10:30", "exit": "10:40", "column": 1, "cool_down": 0, "stop_pct": 10, "max_trades": 99},
    ],
    "delta_hedge": [
        RULES | {"lots": 10, "band": 0.6},
        RULES | {"lots": 10, "every": 5, "hedge_with": "synthetic", "side": "buy", "target_pct": 10},
    ],
}
SEEDS = (3, 8, 9)
CODE = """
import json, sys
from algomaster import backtest
from naive.spiky import spiky
for name, sets in json.loads(sys.argv[1]).items():
    runs = [backtest.replay(name, spiky(8, count=3, gaps=0.02), params=one) for one in sets]
    print(json.dumps([[run.digest, run.fingerprint] for run in runs]))
"""


@pytest.mark.parametrize("fills", ["next_open", "decision_close"])
@pytest.mark.parametrize("name", SETS)
def test_the_future_changes_nothing(name, fills):
    days = [day for seed in SEEDS[:2] for day in spiky(seed, gaps=0.02)]
    for params in SETS[name]:
        outcome = backtest.check_look_ahead(name, days, params=params, fills=fills, bars=5, seed=1)
        assert outcome.passed, outcome
        assert outcome.counted > len(outcome.cases) // 2


@pytest.mark.parametrize("fills", ["next_open", "decision_close"])
@pytest.mark.parametrize("name", SETS)
def test_sweep_replay_and_skipping_give_one_result(name, fills):
    for seed in SEEDS:
        days = spiky(seed, count=3, gaps=0.02)
        grids = [
            backtest.sweep(name, days, grid=SETS[name], fills=fills, digest=True, skip_lists=skip)
            for skip in (True, False)
        ]
        assert grids[0].frame.equals(grids[1].frame)
        for one, row in zip(SETS[name], grids[0].frame.to_dicts()):
            runs = [backtest.replay(name, days, params=one, fills=fills, skip_lists=skip) for skip in (True, False)]
            assert {(run.digest, run.fingerprint) for run in runs} == {(row["digest"], row["fingerprint"])}
            assert runs[0].trades.height >= 2


def test_an_event_gives_one_result():
    days = spiky(8, count=3)
    sets = [{"entry": "10:35", "exit": "10:30", "give_up": "10:20", "events": [days[1].session], "stop_pct": 3}]
    grid = backtest.sweep("crush", days, grid=sets, digest=True)
    run = backtest.replay("crush", days, params=sets[0], skip_lists=False)
    assert grid.frame["digest"].to_list() == [run.digest]
    assert {"entry", "stop"} <= set(run.fills["reason"])
    assert len(set(run.fills["session"])) == 2


def test_without_compiling_the_bits_are_the_same():
    env = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(
        [str(Path(__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", "")])}  # fmt: skip
    command = [sys.executable, "-W", "error", "-c", CODE, json.dumps(SETS)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    for (name, sets), line in zip(SETS.items(), done.stdout.splitlines(), strict=True):
        runs = [backtest.replay(name, spiky(8, count=3, gaps=0.02), params=one) for one in sets]
        assert json.loads(line) == [[run.digest, run.fingerprint] for run in runs]
