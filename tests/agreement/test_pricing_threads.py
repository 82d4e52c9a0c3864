"""One thread or all, scalars or arrays, few options or many: the same bits, and the same bits without the compiler."""

import json
import os
import subprocess
import sys
from typing import Any

import numba
import numpy as np
import polars as pl
import pytest

from algomaster.pricing import greeks, price
from algomaster.pricing.kernels.blocks import BLOCK, PARALLEL_FROM, PIECE, Options
from algomaster.pricing.kernels.loops import GREEKS, PRICES, ROWS

MODELS = ["black", "bachelier"]


def book(n: int, seed: int = 31) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "right": rng.choice(np.array([-1, 1]), n),
        "spot": rng.uniform(90, 110, n),
        "strike": rng.uniform(60, 150, n),
        "t": rng.uniform(0.0, 2.0, n),
        "vol": rng.uniform(0.0, 0.9, n),
        "rate": rng.uniform(-0.02, 0.1, n),
        "dividend": rng.uniform(0.0, 0.04, n),
    }


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("n", [1, BLOCK - 1, BLOCK, BLOCK + 1, PIECE + 1, 2 * PIECE + 137])
def test_any_number_of_threads(model: str, n: int) -> None:
    options = Options(**book(n))
    jobs = [(PRICES[model], 1), *((GREEKS[model, order], len(ROWS[order])) for order in ROWS)]
    before = numba.get_num_threads()
    try:
        for loops, rows in jobs:
            alone = np.empty((rows, n))
            loops.serial(options, False, alone)
            for threads in {1, min(2, numba.config.NUMBA_NUM_THREADS)}:
                numba.set_num_threads(threads)
                together = np.empty((rows, n))
                loops.parallel(options, False, together)
                assert together.tobytes() == alone.tobytes()
    finally:
        numba.set_num_threads(before)


@pytest.mark.parametrize("n", [PARALLEL_FROM - 1, PARALLEL_FROM, PARALLEL_FROM + 1])
def test_around_the_size_from_which_all_threads_work(n: int) -> None:
    options = book(n)
    many = price(**options)
    for part in (slice(0, 777), slice(n - 777, n)):
        few = price(**{name: values[part] for name, values in options.items()})
        assert many[part].tobytes() == few.tobytes()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_scalar_is_an_array_of_equals(model: str, order: int) -> None:
    n = 2 * BLOCK + 7
    options = book(n)
    scalars = {"spot": 101.0, "t": 0.3, "rate": 0.05, "dividend": 0.01}
    terms: dict[str, Any] = {"model": model, "order": order}
    thin = greeks(**{**options, **scalars}, **terms)
    wide = greeks(**{**options, **{name: np.full(n, value) for name, value in scalars.items()}}, **terms)
    strided = greeks(**{**options, "strike": np.repeat(options["strike"], 2)[::2]}, **terms)
    plain = greeks(**options, **terms)
    for name in ROWS[order]:
        assert getattr(thin, name).tobytes() == getattr(wide, name).tobytes()
        assert getattr(strided, name).tobytes() == getattr(plain, name).tobytes()
    one = greeks(**{**{name: values[5] for name, values in options.items()}, **scalars}, **terms)
    assert [getattr(one, name) for name in ROWS[order]] == [getattr(thin, name)[5] for name in ROWS[order]]


CODE = """
import json, sys
import numpy as np
import polars as pl
from algomaster.pricing import greeks
rng = np.random.default_rng(32)
odd = np.array([0.0, -0.0, 5e-324, 1e-124, 2.0**-500, 1.0, 2.0, 100.0, 1e150, 1e308, -1.0, np.inf, -np.inf, np.nan])
n, m = 300, 500
plain = rng.uniform(90, 110, n), rng.uniform(60, 150, n), rng.uniform(0, 2, n), rng.uniform(0, 0.9, n)
spot, strike, t, vol, rate, dividend = (
    np.concatenate([values, rng.choice(odd, m)]) for values in (*plain, np.full(n, 0.05), np.full(n, 0.01))
)
rate[-m // 2:] = dividend[-m // 2:] = 0.0
right = rng.choice([-1, 1], n + m)
bits = {}
for model in ("black", "bachelier"):
    for order in (1, 2, 3):
        found = greeks(right, spot, strike, t, vol, rate=rate, dividend=dividend, model=model, order=order).to_frame()
        for name in found.columns:
            values = found[name].to_numpy()
            bits[f"{model} {order} {name}"] = np.where(np.isnan(values), np.nan, values).tobytes().hex()
json.dump(bits, sys.stdout)
"""


def test_without_the_compiler_the_same_bits() -> None:
    found = []
    for off in ("0", "1"):
        ran = subprocess.run(
            [sys.executable, "-W", "error", "-c", CODE],
            env=os.environ | {"NUMBA_DISABLE_JIT": off},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        found.append(json.loads(ran.stdout))
    assert found[0] == found[1]
    assert len(found[0]) == 2 * (6 + 13 + 17)
    for model in MODELS:  # of every order the same price, delta and so on
        for name in ROWS[2]:
            of = [found[0][f"{model} {order} {name}"] for order in ROWS if name in ROWS[order]]
            assert len(set(of)) == 1


def test_read_only_input_needs_no_other_machine_code() -> None:
    """A polars column is read-only, to numba another type; mixtures of both would each be compiled for seconds."""
    options = book(40)
    true = greeks(**options)
    kernel = GREEKS["black", 1].serial
    before = len(getattr(kernel, "signatures", ()))
    for frozen in range(len(options)):
        mixed = {name: values.copy() for name, values in options.items()}
        for name in list(mixed)[: frozen + 1]:
            mixed[name].flags.writeable = False
        assert greeks(**mixed).delta.tobytes() == true.delta.tobytes()
        in_polars = {
            name: pl.Series(values) if name in list(mixed)[: frozen + 1] else values for name, values in mixed.items()
        }
        assert greeks(**in_polars).delta.to_numpy().tobytes() == true.delta.tobytes()
    assert len(getattr(kernel, "signatures", ())) == before
