"""With the JIT off the stepper's generator runs as Python and gives the same bits."""

import os
import subprocess
import sys
from pathlib import Path

from algomaster import backtest
from hand_made import random_day

PARAMS = {"entry": "09:20", "exit": "09:50", "stop_pct": 6, "strike_at": "fill"}
CODE = """
from algomaster import backtest
from hand_made import random_day
for seed in range(4):
    run = backtest.Stepper("straddle", random_day(seed, minutes=45, gaps=0.1), params=%r)
    run.seek(30)
    run.back(9)
    print(run.finish().digest, run.what_if({"stop_pct": 2.0}, at="09:25").other.digest)
"""


def test_stepping_without_compiling():
    paths = [str(Path(__file__).resolve().parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-W", "error", "-c", CODE % PARAMS]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    for seed, line in enumerate(done.stdout.splitlines()):
        day = random_day(seed, minutes=45, gaps=0.1)
        run = backtest.Stepper("straddle", day, params=PARAMS)
        what_if = run.what_if({"stop_pct": 2.0}, at="09:25")
        assert line.split() == [backtest.replay("straddle", day, params=PARAMS).digest, what_if.other.digest]
