"""Indicators one by one against TA-Lib: arrays in, arrays out, a million bars, each checked equal before timed."""

import sys
from pathlib import Path

import numpy as np
import talib

from algomaster.features import library
from algomaster.features.program import build
from algomaster.features.tapes import Tape
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
    summed = f"all of them, one after the other: {ours * 1e3:.0f} ms, TA-Lib {theirs * 1e3:.0f} ms"
    return [*table, row(summed, theirs / ours, "x", 1.0), in_one_pass(columns)]


def in_one_pass(columns):
    """All indicators in one program, which shares what they have in common, against TA-Lib's calls."""
    wanted = forms().values()
    program, given = prepared([series for form in wanted for series in form.ours], columns)

    def ours():
        out = np.empty((program.width, BARS))
        Tape(program).advance(given, out, 0, BARS)

    mine, other = fastest_of_each([ours, lambda: [form.theirs(talib, columns) for form in wanted]], repeats=REPEATS)
    said = f"all of them in one pass: {mine * 1e3:.0f} ms, TA-Lib's calls {other * 1e3:.0f} ms"
    return row(said, other / mine, "x", 1.0)


def prepared(wanted, columns):
    program = build(wanted, library.kernels())
    return program, np.array([columns[each] for each in program.inputs])


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
    program, given = prepared(form.ours, columns)

    def ours():
        out = np.empty((len(form.ours), BARS))
        Tape(program).advance(given, out, 0, BARS)
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
