"""Whole processes: help, one imported day with warm kernels, the first run ever."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import median_seconds, row

ALGO = [sys.executable, "-m", "algo"]
DAY = ["--underlying", "NIFTY", "--from", "2021-06-11", "--to", "2021-06-11", "--set", "stop_pct=25", "--json"]
SIMULATED = ["--underlying", "NIFTY", "--from", "2024-01-01", "--to", "2024-01-01", "--set", "stop_pct=25", "--json"]


def call(arguments, **env):
    subprocess.run([*ALGO, *arguments], env=os.environ | env, check=True, capture_output=True)


def seconds_before_the_first_bar(arguments):
    """Seconds from the start of the process to the first session that is handed to the compiled loop."""
    code = (
        "import os, sys, time\n"
        "from algomaster.backtest import replayer\n"
        "def first(*_):\n"
        "    print(time.time() - float(os.environ['STARTED']), flush=True)\n"
        "    os._exit(0)\n"
        "replayer.run_session = first\n"
        "sys.argv[0] = 'algo'\n"
        "from algo.main import run\n"
        "run()\n"
    )
    env = os.environ | {"STARTED": repr(time.time())}
    done = subprocess.run([sys.executable, "-c", code, *arguments], env=env, check=True, capture_output=True, text=True)
    return float(done.stdout)


def run():
    shared = Path(os.environ.get("ALGO_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    minutes = shared / "data" / "nse_option_minute" / "nifty_20210611"
    home = tempfile.mkdtemp()
    try:
        if minutes.exists():
            call(["data", "import", str(minutes), "--home", home])
            day, kind = DAY, "real"
        else:
            call(["data", "simulate", "NIFTY", "--sessions", "1", "--start", "2024-01-01", "--home", home])
            day, kind = SIMULATED, "simulated"
        backtest = ["backtest", "straddle", *day, "--home", home]
        rows = [row("algo --help", median_seconds(lambda: call(["--help"]), repeats=7), "s", 0.3)]
        call(backtest)
        warm = median_seconds(lambda: call(backtest), repeats=5)
        rows.append(row(f"algo backtest straddle, one imported day ({kind}), warm kernels", warm, "s", 2))
        before = statistics.median(seconds_before_the_first_bar(backtest) for _ in range(5))
        rows.append(row("the same, before the first bar", before, "s", 1))
        fresh = tempfile.mkdtemp()
        cold = median_seconds(lambda: call(backtest, ALGO_CACHE=fresh), repeats=1)
        shutil.rmtree(fresh)
        return [*rows, row("the same, first run ever (compiling)", cold, "s", 30)]
    finally:
        shutil.rmtree(home)
