"""Run by a Python that has pyqlib: Alpha158 of bars in a file, timed; Qlib cannot live beside our own pandas.

qlib_peer.py BARS.npz VALUES.npz: reads open, high, low, close, volume, vwap (N symbols, T) and writes values (158, T)
of the first symbol in float64, and two times for all symbols: that of Qlib's expressions on series in memory, and that
of its own door, ``D.features``, on its own files.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import qlib
from qlib.contrib.data.loader import Alpha158DL
from qlib.data import D, base, ops
from qlib.utils import parse_field

COLUMNS = {}
"""Series by instrument and name, from memory in the place of Qlib's files."""

SETTINGS = {"kbar": {}, "price": {"windows": [0], "feature": ["OPEN", "HIGH", "LOW", "VWAP"]}, "rolling": {}}


def given(self, instrument, start_index, end_index, *args):
    return COLUMNS[instrument, self._name]


def main(source, target):
    with np.load(source) as bars:
        data = {name: bars[name] for name in bars.files}
    fields, names = Alpha158DL.get_feature_config(SETTINGS)
    door = by_its_door(data, fields)
    values, expressions = by_its_expressions(data, fields)
    np.savez(target, values=values, names=np.array(names), expressions=expressions, door=door)


def by_its_door(data, fields):
    symbols, bars = data["close"].shape
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), data)
        qlib.init(provider_uri=folder, kernels=1, expression_cache=None, dataset_cache=None)
        begun = time.perf_counter()
        found = D.features([f"S{n}" for n in range(symbols)], fields, freq="1min")
        seconds = time.perf_counter() - begun
    assert found.shape == (symbols * bars, len(fields)), found.shape
    return seconds


def write(folder, data):
    """Write a store as Qlib has it: a calendar, instruments, and float32 columns that begin with their place in it."""
    symbols, bars = data["close"].shape
    moments = pd.date_range("2000-01-01", periods=bars, freq="1min").strftime("%Y-%m-%d %H:%M:%S")
    for name in ("calendars", "instruments"):
        (folder / name).mkdir()
    (folder / "calendars" / "1min.txt").write_text("\n".join(moments) + "\n")
    lines = [f"S{n}\t{moments[0]}\t{moments[-1]}" for n in range(symbols)]
    (folder / "instruments" / "all.txt").write_text("\n".join(lines) + "\n")
    for n in range(symbols):
        home = folder / "features" / f"s{n}"
        home.mkdir(parents=True)
        for name, values in data.items():
            np.concatenate([[0.0], values[n]]).astype("<f4").tofile(home / f"{name}.1min.bin")


def by_its_expressions(data, fields):
    base.Feature._load_internal = given
    known = {"Feature": base.Feature, "Operators": ops.Operators}
    expressions = [eval(parse_field(field), known) for field in fields]
    symbols = data["close"].shape[0]
    for symbol in range(symbols):
        for name, values in data.items():
            COLUMNS[symbol, name] = pd.Series(values[symbol])
    found = []
    begun = time.perf_counter()
    for symbol in range(symbols):
        found.append([expression.load(symbol, 0, None, "day") for expression in expressions])
    seconds = time.perf_counter() - begun
    return np.array([np.asarray(each, dtype=np.float64) for each in found[0]]), seconds


if __name__ == "__main__":
    main(*sys.argv[1:3])
