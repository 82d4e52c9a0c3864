"""The same surface from the same quotes: in another process, without the compiler, by the naive formulas."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from algomaster.pricing.surface import Surface, SurfaceStream
from naive import smiles
from smile_chains import KINDS, random_chain

CODE = """
import json, sys
import numpy as np
from algomaster.pricing.surface import Surface, SurfaceStream
from smile_chains import KINDS, random_chain
found = {}
for seed in (3, 11):
    for method in KINDS:
        chain, _, _ = random_chain(seed)
        chain.vol[::9] *= 1.2
        surface = Surface.fit(chain, method)
        grid = surface.derivatives(np.linspace(-0.4, 0.4, 9)[None, :], np.array([0.01, 0.3, 1.0, 3.0])[:, None])
        stream = SurfaceStream(surface)
        later = stream.update(0.01, float(surface.years[0]), 0.2)
        arrays = (surface.parameters, surface.quotes.weight, *grid, later.parameters)
        found[f"{method} {seed}"] = [array.tolist() for array in arrays]
print(json.dumps(found))
"""


def answer(**env):
    path = str(Path(__file__).resolve().parents[1])
    env = os.environ | {"PYTHONPATH": os.pathsep.join([path, os.environ.get("PYTHONPATH", "")])} | env
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE], env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_with_and_without_the_compiler_and_with_other_thread_counts():
    compiled = answer()
    assert answer(NUMBA_NUM_THREADS="1") == compiled
    assert answer(NUMBA_DISABLE_JIT="1") == compiled


@pytest.mark.parametrize("method", KINDS)
def test_twice_the_same_bits(method):
    for seed in range(20):
        chain, _, _ = random_chain(seed)
        first, second = (Surface.fit(chain, method) for _ in range(2))
        np.testing.assert_array_equal(first.parameters, second.parameters)
        np.testing.assert_array_equal(first.quotes.weight, second.quotes.weight)


@pytest.mark.parametrize("method", KINDS)
def test_scalars_and_arrays_give_the_same_bits(method):
    chain, _, _ = random_chain(5)
    surface = Surface.fit(chain, method)
    k, t = np.linspace(-0.5, 0.5, 13), np.linspace(0.01, 3.0, 7)
    grid = surface.vol(k[None, :], t[:, None])
    assert [[surface.vol(float(x), float(y)) for x in k] for y in t] == grid.tolist()


@pytest.mark.parametrize("method", KINDS)
def test_variance_is_the_papers(method):
    rng = np.random.default_rng(9)
    rows = {
        "svi": ([0.01, 0.1, -0.3, 0.02, 0.1], smiles.svi_variance),
        "essvi": ([0.04, -0.3, 0.3], smiles.essvi_variance),
        "sabr": ([0.2, 1.0, -0.3, 0.6], lambda k, *row: smiles.sabr_vol(k, 0.7, *row) ** 2 * 0.7),
    }
    row, formula = rows[method]
    surface = Surface.from_parameters(method, [0.7], [row])
    k = rng.uniform(-1.0, 1.0, 500)
    np.testing.assert_allclose(surface.variance(k, 0.7), formula(k, *row), rtol=1e-11)


def test_updates_of_a_stream_do_not_change_the_surface_before():
    chain, _, _ = random_chain(5)
    surface = Surface.fit(chain, "essvi")
    before = surface.parameters.copy(), surface.quotes.weight.copy()
    SurfaceStream(surface).update(0.01, float(surface.years[0]), 0.9)
    np.testing.assert_array_equal(surface.parameters, before[0])
    np.testing.assert_array_equal(surface.quotes.weight, before[1])
