"""The loops over open interest give the same bits compiled and as plain Python."""

import numpy as np
import pytest

from algomaster.core.jit import python_of
from algomaster.market.interest import kernels

T, STRIKES, START = 40, 12, np.array([0, 10, 24])


def chain(seed: int, share_missing: float) -> np.ndarray:
    """Fractions of contracts, as the exchange's site shows them; some are missing."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 400_000, (T, START[-1])) / 3.0
    return np.where(rng.random(values.shape) < share_missing, np.nan, values)


STRIKE = np.repeat(np.concatenate([np.arange(5), np.arange(7)]), 2) * 50.0 + 24_000.0
RIGHT = np.tile(np.array([1, -1]), STRIKES)
ARGUMENTS = {
    "carry": lambda v: (v, np.arange(T) * 60, 150.0, np.empty(v.shape), np.empty(v.shape)),
    "totals": lambda v: (v, RIGHT, START, np.empty((2, T, 3)), np.empty((T, 3), np.int64)),
    "max_pain": lambda v: (v, STRIKE, RIGHT, START, np.empty((T, 2))),
    "largest": lambda v: (v, RIGHT, START, -1, np.empty((T, 2), np.int64)),
    "edges": lambda v: (v, np.arange(T) // 7, np.full((6, v.shape[1]), np.nan), np.full((6, v.shape[1]), np.nan)),
    "parity": lambda v: (v, STRIKE, RIGHT, START, np.empty(T)),
}


@pytest.mark.parametrize("name", kernels.__all__)
@pytest.mark.parametrize("share_missing", [0.0, 0.4, 1.0])
def test_compiled_is_plain(name: str, share_missing: float) -> None:
    for seed in range(5):
        compiled, plain = (ARGUMENTS[name](chain(seed, share_missing)) for _ in range(2))
        getattr(kernels, name)(*compiled)
        python_of(getattr(kernels, name))(*plain)
        for one, other in zip(compiled, plain):
            np.testing.assert_array_equal(one, other)
