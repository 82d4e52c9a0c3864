"""Signal backtests with the JIT off give the same bits."""

import json
import os
import subprocess
import sys
from pathlib import Path

CODE = """
import json
import numpy as np
from algomaster import backtest
from signal_bars import random_bars, random_signals
made = random_bars(5, bars=300, symbols=3, gaps=0.05)
rules = dict(fees=0.001, fixed_fees=1.0, slippage=0.0005, sl_stop=0.01, tp_stop=0.02, trail_stop=0.015)
signals = random_signals(5, made["close"].shape, 0.1)
runs = [backtest.from_signals(**made, **signals, fill=fill, cash_sharing=True, freq="1h", **rules)
        for fill in ("next_open", "close")]
size = np.where(np.random.default_rng(1).random(made["close"].shape) < 0.1, 0.3, np.nan)
runs.append(backtest.from_orders(size=size, size_type="target_percent", cash_sharing=True, fees=0.001, **made))
close = 100.0 + np.round(5.0 * np.sin(np.arange(600) / 9.0), 2)
sweep = backtest.signal_sweep("sma_cross", close, grid={"fast": [3, 5], "slow": [10, 20]}, fees=0.001, freq="1h")
print(json.dumps([run.digest for run in runs] + [sweep.digest] + [run.metrics["sharpe"] for run in runs[:2]]
                 + sweep.frame["sharpe"].to_list()))
"""


def test_the_same_without_compiling():
    env = os.environ | {
        "PYTHONPATH": str(Path(__file__).resolve().parents[1]) + os.pathsep + os.environ.get("PYTHONPATH", "")
    }
    told = []
    for off in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", CODE], env=env | {"NUMBA_DISABLE_JIT": off}, capture_output=True,
            text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told.append(json.loads(done.stdout))
    assert told[0] == told[1]
