"""The command ``algo`` as a user has it: a process with its own home."""

import os
import subprocess
import sys
from pathlib import Path

SESSIONS = 3
SEED = 5


def algo(*arguments: object, home: Path | None = None, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
    """Run ``algo`` and check its exit code."""
    settings = {**os.environ, "ALGO_HOME": str(home or "/nonexistent"), "COLUMNS": "200", **env}
    done = subprocess.run(
        [sys.executable, "-m", "algo", *map(str, arguments)], env=settings, capture_output=True, text=True
    )
    assert done.returncode == code, f"exit code {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    return done


def one_error_line(done: subprocess.CompletedProcess[str]) -> str:
    """Give the one line an error raised on purpose leaves; nothing may stand on standard output."""
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


def stored_home(folder: Path) -> Path:
    """Fill a store with a few simulated sessions of NIFTY."""
    algo("data", "simulate", "NIFTY", "--sessions", SESSIONS, "--start", "2024-01-01", "--seed", SEED, home=folder)
    return folder
