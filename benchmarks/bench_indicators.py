"""Indicators one by one against TA-Lib: arrays in, arrays out, a million bars, each checked equal before it is timed."""

import sys
from pathlib import Path

import numpy as np
import talib

from algomaster.features import library
from algomaster.features.program import build
from measure import fastest_of_each, row

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
from talib_forms import begins, difference, forms

BARS = 1_000_000
REPEATS = 7


def run():
    columns = bars(BARS)
    rows = [compared(name, form, columns) for name, form in forms().items()]
    ours, theirs = sum(taken for _, taken, _ in rows), sum(taken for _, _, taken in rows)
    table = [each for each, _, _ in rows]
    together = f"all of them together ({ours * 1e3:.0f} ms; TA-Lib {theirs * 1e3:.0f} ms)"
    return [*table, row(together, theirs / ours, "x", 1.0)]


def bars(count):
    """Minute bars of a random walk, with volume."""
    rng = np.random.default_rng(7)
    path = 20_000.0 * np.exp(np.cumsum(rng.normal(0.0, 2e-4, count)))
    opened = np.concatenate([path[:1], path[:-1]])
    high = np.maximum(opened, path) * (1.0 + np.abs(rng.normal(0.0, 1e-4, count)))
    low = np.minimum(opened, path) * (1.0 - np.abs(rng.normal(0.0, 1e-4, count)))
    volume = rng.integers(1, 10_000, count).astype(float)
    return {"open": opened, "high": high, "low": low, "close": path, "volume": volume}


def compared(name, form, columns):
    """Row, our time and TA-Lib's of one indicator."""
    program = build(form.ours, library.kernels())
    given = np.array([columns[each] for each in program.inputs])
    count = given.shape[1]

    def ours():
        out = np.empty((len(form.ours), count))
        program.tape().advance(given, out, 0, count)
        return out

    def theirs():
        found = form.theirs(talib, columns)
        return found if isinstance(found, (list, tuple)) else (found,)

    for mine, other in zip(ours(), theirs()):
        assert begins(mine) <= begins(other), name
        assert difference(mine, other, form.settles) <= 1e-5, name
    mine, other = fastest_of_each([ours, theirs], repeats=REPEATS)
    said = f"{name}: {mine * 1e3:.2f} ms, TA-Lib {other * 1e3:.2f} ms"
    return row(said, other / mine, "x", 1.0), mine, other
