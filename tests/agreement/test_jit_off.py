"""With the JIT off the same kernels run as Python and give the same bits."""

import json
import os
import subprocess
import sys
from pathlib import Path

from algomaster import backtest
from hand_made import random_day

SETS = [
    {"entry": "09:20", "exit": "09:50", "stop_pct": 10, "target_pct": 12},
    {"entry": "09:25", "exit": "10:05", "stop_pct": 5, "strike_at": "fill", "width": 1},
    {"entry": "09:18", "exit": "10:10", "stop_pct": 8, "stop_on": "close", "side": "buy"},
]
CODE = """
import json, sys
from algomaster import backtest
from hand_made import random_day
sets = json.loads(sys.argv[1])
days = [random_day(seed, gaps=0.1) for seed in range(12)]
grid = backtest.sweep("straddle", days, grid=sets, fills=sys.argv[2], digest=True)
runs = [backtest.replay("straddle", days, params=one, fills=sys.argv[2]) for one in sets]
assert [run.digest for run in runs] == grid.frame["digest"].to_list()
print(json.dumps([grid.frame[name].to_list() for name in ("digest", "fingerprint", "sharpe_se")]))
"""


def test_sweep_and_replay_without_compiling():
    env = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    days = [random_day(seed, gaps=0.1) for seed in range(12)]
    for fills in ("next_open", "decision_close"):
        command = [sys.executable, "-W", "error", "-c", CODE, json.dumps(SETS), fills]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        plain = json.loads(done.stdout)
        grid = backtest.sweep("straddle", days, grid=SETS, fills=fills, digest=True).frame
        assert plain == [grid[name].to_list() for name in ("digest", "fingerprint", "sharpe_se")]
