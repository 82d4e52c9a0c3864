"""Momentum and sizing give the same bits with the JIT off, in sweep and replay, with bars skipped and not."""

import json
import os
import subprocess
import sys
from pathlib import Path

from algomaster import backtest
from hand_made import random_day

COMMON = {"start": "09:25", "end": "10:00", "exit": "10:10", "minutes": 5, "max_spread_pct": None, "min_value": 1000}
SETS = [
    COMMON | {"every": 5, "sizing": "martingale", "max_lots": 6},
    COMMON | {"every": 3, "side": "sell", "picks": 2, "max_positions": 4, "trail_pct": 4, "sizing": "volatility",
              "lookback": 3, "target_volatility": 9000},
    COMMON | {"every": 7, "hold": 6, "iv_weight": 1, "terms": "percent", "stop_ticks": 40, "target_pct": 8,
              "sizing": "kelly", "lookback": 3, "max_margin": 900_000},
]  # fmt: skip
CODE = """
import json, sys
from algomaster import backtest, strategy
from hand_made import random_day
sets = json.loads(sys.argv[1])
days = [random_day(seed, gaps=0.1) for seed in range(8)]
runs = [backtest.replay("momentum", days, params=one) for one in sets]
scan = strategy.scan(days, settings={"iv_weight": 1, "min_value": None})
print(json.dumps([[run.digest, run.metrics.get("risk_of_ruin")] for run in runs] + [scan.frame["score"].to_list()]))
"""


def test_without_compiling():
    from algomaster import strategy

    days = [random_day(seed, gaps=0.1) for seed in range(8)]
    env = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": f"{Path(__file__).resolve().parents[1]}{os.pathsep}"
                        f"{os.environ.get('PYTHONPATH', '')}"}  # fmt: skip
    command = [sys.executable, "-W", "error", "-c", CODE, json.dumps(SETS)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    runs = [backtest.replay("momentum", days, params=one) for one in SETS]
    scan = strategy.scan(days, settings={"iv_weight": 1, "min_value": None})
    told = [[run.digest, run.metrics.get("risk_of_ruin")] for run in runs] + [scan.frame["score"].to_list()]
    assert json.loads(done.stdout) == told
    assert all(run.trades.height > 8 for run in runs), [run.trades.height for run in runs]
    for skips in (True, False):
        grid = backtest.sweep("momentum", days, grid=SETS, digest=True, skip_lists=skips).frame["digest"].to_list()
        assert grid == [run.digest for run in runs]
        assert [backtest.replay("momentum", days, params=one, skip_lists=skips).digest for one in SETS] == grid
