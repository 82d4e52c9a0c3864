"""Run by a Python that has pyqlib: Alpha158 of bars in a file, timed; Qlib cannot live beside our own pandas.

qlib_peer.py BARS.npz VALUES.npz: reads open, high, low, close, volume, vwap (N symbols, T) and writes values (158, T)
of the first symbol and the seconds all symbols took.
"""

import sys
import time

import numpy as np
import pandas as pd
from qlib.contrib.data.loader import Alpha158DL
from qlib.data import base, ops
from qlib.utils import parse_field

COLUMNS = {}
"""Series by instrument and name, from memory in the place of Qlib's files."""


def given(self, instrument, start_index, end_index, *args):
    return COLUMNS[instrument, self._name]


def main(source, target):
    with np.load(source) as bars:
        data = {name: bars[name] for name in bars.files}
    base.Feature._load_internal = given
    ops.Operators.register(ops.OpsList)
    settings = {"kbar": {}, "price": {"windows": [0], "feature": ["OPEN", "HIGH", "LOW", "VWAP"]}, "rolling": {}}
    fields, names = Alpha158DL.get_feature_config(settings)
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
    values = np.array([np.asarray(each, dtype=np.float64) for each in found[0]])
    np.savez(target, values=values, names=np.array(names), seconds=seconds)


if __name__ == "__main__":
    main(*sys.argv[1:3])
