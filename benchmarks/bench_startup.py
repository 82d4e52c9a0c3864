"""How long a process takes until pricing can be used: the import, and the first answer with kernels compiled before."""

import statistics
import subprocess
import sys
import time

from measure import row

REPEATS = 7
ANSWER = (
    "from algomaster.pricing import greeks, implied_vol; "
    "greeks('CE', 100.0, 100.0, 0.1, 0.2); implied_vol(2.5, 'CE', 100.0, 100.0, 0.1)"
)


def seconds(code):
    """Median wall time of a fresh process that runs ``code``."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def run():
    numpy, both = seconds("import numpy"), seconds("import numpy, algomaster.pricing")
    subprocess.run([sys.executable, "-c", ANSWER], check=True)
    nothing = seconds("")
    return [
        row("import algomaster.pricing, beyond numpy's own", 1000 * (both - numpy), "ms", 50),
        row("first Greeks and implied volatility of a process, kernels cached", seconds(ANSWER) - nothing, "s", 1.0),
    ]
