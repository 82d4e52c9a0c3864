"""Notebooks and the README's Python run from top to bottom."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path):
    pytest.importorskip("nbmake")
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "--nbmake", "--quiet", "-p", "no:cacheprovider", str(path)]
    done = subprocess.run(command, cwd=ROOT, env=outside, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_readme_runs(tmp_path):
    text = (ROOT / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) > 1
    script = tmp_path / "readme.py"
    script.write_text("\n".join(blocks))
    done = subprocess.run([sys.executable, "-W", "error", str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Digest" in done.stdout


def test_the_example_of_the_step_contract_runs(tmp_path):
    """The docstring's strategy trades: one leg a session, on either host the same."""
    from algomaster.strategy import contract

    _, _, indented = contract.__doc__.partition("::\n")
    script = tmp_path / "mine.py"
    lines = [line.removeprefix("    ") for line in indented.splitlines()]
    lines += [
        "from algomaster import backtest, market",
        'days = market.simulate("NIFTY", sessions=2, start="2024-01-01", seed=7)',
        "run = backtest.replay(mine, days)",
        'grid = backtest.sweep(mine, days, grid={"entry": [575]}, digest=True)',
        'assert run.trades["right"].to_list() == ["CE", "CE"]',
        'assert grid.frame["digest"].to_list() == [run.digest]',
    ]
    script.write_text("\n".join(lines))
    done = subprocess.run([sys.executable, "-W", "error", str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
