"""Without the compiler the measures give the same bits."""

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from smiles import SKEWED, VOGT, SviSurface, chain_of
from algomaster.pricing.kernels.density import smile_loop, variance_loop
from algomaster.pricing.measures import density, smile_measures, variance_index
surface = SviSurface([SKEWED, (0.008, 0.03, -0.5, 0.02, 0.12)], [0.08, 0.25])
chain = chain_of(surface, np.arange(70.0, 131.0), spread=0.1)
k = np.concatenate([np.linspace(-3, 3, 301), [np.nan, 50.0, -50.0, 0.0]])
w, slope, bend = (np.ascontiguousarray(row) for row in SviSurface([VOGT], 1.0).derivatives(k, 1.0))
w[10], w[11], w[12] = 0.0, -1.0, np.inf
smile, swap = np.empty((6, k.size)), np.empty((3, k.size))
smile_loop(k, w, slope, bend, smile)
variance_loop(k, w, slope, swap)
found = density(surface, 0.08)
rows = [smile, swap, found.density, found.cumulative, smile_measures(surface).drop("expiry").to_numpy()]
for method in ("cboe", "nse"):
    index = variance_index(chain, method=method, expiries=chain.labels)
    rows += [np.array([index.value]), *(strip.contributions for strip in index.strips)]
json.dump([np.where(np.isnan(row), np.nan, row).tobytes().hex() for row in rows], sys.stdout)
"""


def _bits(*, jit: bool) -> list[str]:
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "0" if jit else "1"}
    command = [sys.executable, "-W", "error", "-c", PROGRAM, str(Path(__file__).parents[1])]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)  # type: ignore[no-any-return]


def test_same_bits() -> None:
    compiled, plain = _bits(jit=True), _bits(jit=False)
    assert [one == other for one, other in zip(compiled, plain)] == [True] * len(compiled)
    assert len(compiled) == len(plain) == 11
