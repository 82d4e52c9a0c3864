"""Large calls from several Python threads at once, and from forked processes: never an abort, always the same bits."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import multiprocessing, sys, threading
import numpy as np
from algomaster.pricing import greeks, implied_vol, price
n = 100_000  # above the number from which price, greeks and implied_vol use several threads
strikes = np.linspace(80.0, 125.0, n)
def work(_=None):
    quote = price("CE", 100.0, strikes, 0.5, 0.2)
    found = implied_vol(quote, "CE", 100.0, strikes, 0.5)
    return quote.tobytes(), greeks("CE", 100.0, strikes, 0.5, 0.2).delta.tobytes(), found.vol.tobytes()
if __name__ == "__main__":
    here = work()
    if sys.argv[1] == "threads":
        different = []
        def repeat():
            different.extend(1 for _ in range(15) if work() != here)
        workers = [threading.Thread(target=repeat) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert not different
    else:
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map_async(work, range(4)).get(timeout=60) == [here] * 4
        assert work() == here
"""


@pytest.mark.parametrize("layer", ["default", "workqueue"])  # the second ends a process in which two calls meet
@pytest.mark.parametrize("how", ["threads", "forked"])
def test_large_calls_at_once(layer: str, how: str) -> None:
    if how == "forked" and not hasattr(os, "fork"):
        pytest.skip("only where processes fork")
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, how], env=os.environ | {"NUMBA_THREADING_LAYER": layer},
        capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
