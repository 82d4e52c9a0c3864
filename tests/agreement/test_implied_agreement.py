"""One by one, in an array, by one thread or several, compiled or not: the same bits of every implied volatility."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import numba
import numpy as np
import pytest

from algomaster.pricing import implied, implied_vol, price
from algomaster.pricing.kernels import implied_loops

MODELS = ["black", "bachelier"]
N = 2 * implied.PARALLEL_FROM + 4097 + 3  # several blocks, the last one not full and not a multiple of a vector


def book(model: str) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(21)
    t, vol, spot = 10.0 ** rng.uniform(-5, 0.5, N), rng.uniform(0.05, 0.9, N), rng.uniform(90, 110, N)
    options = {
        "right": rng.choice([-1, 1], N),
        "spot": spot,
        "strike": spot * np.exp(rng.normal(size=N) * 2 * vol * np.sqrt(t)),
        "t": t,
        "rate": rng.uniform(-0.02, 0.12, N),
        "dividend": rng.uniform(0.0, 0.05, N),
        "model": model,
    }
    options["price"] = price(**options, vol=vol if model == "black" else vol * spot)
    options["price"][::97] *= 0.5  # some below their intrinsic value
    options["t"][::101] = 0.0
    options["spot"][::103] = np.nan
    return options


@pytest.fixture
def threads() -> Iterator[None]:
    before = numba.get_num_threads()
    yield
    numba.set_num_threads(before)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.usefixtures("threads")
def test_any_number_of_threads_and_none(model: str) -> None:
    options = book(model)
    vols, statuses = set(), set()
    for count in range(1, numba.config.NUMBA_NUM_THREADS + 1):
        numba.set_num_threads(count)
        found = implied_vol(**options)
        vols.add(found.vol.tobytes())
        statuses.add(found.status.tobytes())
    arrays = [options[name] for name in ("right", "price", "spot", "strike", "t", "rate", "dividend")]
    loop = {"black": implied_loops.black_implied_loop, "bachelier": implied_loops.bachelier_implied_loop}[model]
    vol, status = np.empty(N), np.empty(N, np.int64)
    loop(*arrays, vol, status)
    assert {vol.tobytes()} == vols
    assert {status.tobytes()} == statuses
    assert set(np.unique(status)) >= {0, 1, 3, 4}


@pytest.mark.parametrize("model", MODELS)
def test_one_by_one(model: str) -> None:
    options = book(model)
    together = implied_vol(**options)
    for i in (*range(25), *range(N - 25, N)):
        alone = implied_vol(**{name: x if name == "model" else x[i].item() for name, x in options.items()})
        assert np.float64(alone.vol).tobytes() == together.vol[i].tobytes()
        assert alone.status == together.status[i]


COMPILED_OR_NOT = """
import json
import numpy as np
from algomaster.pricing.kernels import implied_loops as loops
rng = np.random.default_rng(22)
n = 400
t, vol, spot = 10.0 ** rng.uniform(-5, 0.5, n), rng.uniform(0.05, 0.9, n), rng.uniform(90, 110, n)
strike = spot * np.exp(rng.normal(size=n) * 2 * vol * np.sqrt(t))
quote = spot * 10.0 ** rng.uniform(-300, 0.1, n)
quote[::2] = spot[::2] * rng.uniform(0, 1, n // 2)
arrays = [rng.choice([-1, 0, 1], n, p=[0.45, 0.1, 0.45]), quote, spot, strike, t, np.full(n, 0.06), np.full(n, 0.01)]
some = [0.0, 5e-324, 2.2e-308, 2.0**-500, 1e-300, 1e-16, 1.0, 2.0, 100.0, 2.0**500, 1e300, 1.7e308, np.inf, np.nan]
m = 2000
odd = lambda: rng.choice([*some, *(-x for x in some), *[0.5, 1.5, 100.0, 101.0] * 5], m)
fine = lambda: rng.choice([1.0, 1.0 + 2**-52, 2.0, 2.0**500, 2.0**-500, 1e-100], m)
arrays = [np.concatenate([*pair]) for pair in zip(arrays, [rng.choice([-1, 1], m), *(odd() for _ in range(6))])]
arrays = [np.concatenate([*pair]) for pair in zip(
    arrays, [rng.choice([-1, 1], m), odd(), fine(), fine(), odd(), np.zeros(m), np.zeros(m)]
)]
n = len(arrays[0])
vol = np.concatenate([vol, odd(), odd()])
bits = []
for loop, more in (
    (loops.black_implied_loop, []),
    (loops.black_implied_parallel, []),
    (loops.black_improved_loop, [vol]),
    (loops.bachelier_implied_loop, []),
    (loops.bachelier_implied_parallel, []),
):
    found, status = np.empty(n), np.empty(n, np.int64)
    loop(*arrays, *more, found, status)
    bits.append([np.where(np.isnan(found), np.nan, found).tobytes().hex(), status.tolist()])
assert bits[0] == bits[1] and bits[3] == bits[4]
print(json.dumps(bits))
"""


def test_compiled_or_not() -> None:
    ran = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", COMPILED_OR_NOT],
            env=os.environ | {"NUMBA_DISABLE_JIT": off}, capture_output=True, text=True, check=False,
        )
        for off in ("0", "1")
    ]  # fmt: skip
    assert [done.returncode for done in ran] == [0, 0], ran[0].stderr + ran[1].stderr
    assert json.loads(ran[0].stdout) == json.loads(ran[1].stdout)
