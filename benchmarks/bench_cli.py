"""Whole processes: help, one imported day with warm kernels, the first run ever."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import median_seconds, row

ALGO = [sys.executable, "-m", "algo"]
DAY = ["--underlying", "NIFTY", "--from", "2021-06-11", "--to", "2021-06-11", "--set", "stop_pct=25", "--json"]
SIMULATED = ["--underlying", "NIFTY", "--from", "2024-01-01", "--to", "2024-01-01", "--set", "stop_pct=25", "--json"]


def call(arguments, **env):
    subprocess.run([*ALGO, *arguments], env=os.environ | env, check=True, capture_output=True)


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
        fresh = tempfile.mkdtemp()
        cold = median_seconds(lambda: call(backtest, ALGO_CACHE=fresh), repeats=1)
        shutil.rmtree(fresh)
        return [*rows, row("the same, first run ever (compiling)", cold, "s", 30)]
    finally:
        shutil.rmtree(home)
