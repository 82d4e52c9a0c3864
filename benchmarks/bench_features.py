"""Features over history and bar by bar, beside Qlib where it is installed.

Qlib pins other versions of our libraries: make it an environment of its own and name its Python in ``QLIB_PYTHON``.
"""

import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from algomaster import features
from measure import fastest_seconds, median_seconds, row

BARS = 1_000_000
SYMBOLS = 50
EACH = 100_000
PEER_BARS = 200_000
"""Bars Qlib is timed on, and ours beside it: its time grows with the bars."""


def run():
    long = bars(BARS)
    many = pl.concat([bars(EACH, seed=n).with_columns(underlying=pl.lit(f"S{n:02d}")) for n in range(SYMBOLS)])
    rows = []
    for preset, seconds in (("alpha158", 0.33), ("algo170", 0.33)):
        names = features.preset(preset)
        checked(long[:3000], names)
        taken = fastest_seconds(partial(features.compute, long, names), repeats=5, seconds=30.0)
        rows.append(row(f"{preset}: 1M bars, one thread, into a frame", taken, "s", seconds))
        taken = median_seconds(partial(features.compute, many, names, workers=2), repeats=3)
        rows.append(row(f"{preset}: {SYMBOLS} underlyings x {EACH:,} bars, two threads", taken, "s", 1.0))
        wide = (len(names), BARS)
        touched = fastest_seconds(lambda wide=wide: np.empty(wide).fill(1.0), repeats=5)
        rows.append(row(f"{preset}: 1M bars, what writing as many numbers into new memory takes", touched, "s"))
        rows += one_bar(long, preset)
    return rows + beside_qlib()


def bars(count, *, seed=1):
    """Made-up minutes with everything a bar may bring."""
    rng = np.random.default_rng(seed)
    path = 20_000.0 * np.exp(np.cumsum(rng.normal(0.0, 2e-4, count + 1)))
    opens, closes = path[:-1], path[1:]
    ts = 1_600_054_500 + np.arange(count) // 375 * 86_400 + np.arange(count) % 375 * 60
    return pl.DataFrame({
        "ts": pl.Series(ts * 1_000_000_000).cast(pl.Datetime("ns", "UTC")),
        "open": opens,
        "high": np.maximum(opens, closes) * np.exp(rng.exponential(1e-4, count)),
        "low": np.minimum(opens, closes) * np.exp(-rng.exponential(1e-4, count)),
        "close": closes,
        "volume": np.floor(rng.lognormal(9.0, 1.0, count)),
    })  # fmt: skip


def checked(frame, names):
    """History and live are equal to the bit before either is timed."""
    live = features.online(names)
    stepped = np.array([live.update(bar) for bar in frame.iter_rows(named=True)])
    assert np.array_equal(stepped, features.compute(frame, names).select(names).to_numpy(), equal_nan=True)


def one_bar(frame, preset):
    """Time an update of one underlying and of fifty, past every warm-up."""
    live = features.online(preset)
    taken = timed_updates(live, rows_of(frame, live))
    rows = [row(f"{preset}: one bar from Python, median", taken[0], "us", 5.0)]
    rows.append(row(f"{preset}: one bar from Python, 99 %", taken[1], "us"))
    many = features.online(preset, underlyings=[f"S{n:02d}" for n in range(SYMBOLS)])
    taken = timed_updates(many, np.repeat(rows_of(frame, many)[:, None, :], SYMBOLS, axis=1))
    return [*rows, row(f"{preset}: one bar of {SYMBOLS} underlyings, median", taken[0], "us", 50.0)]


def rows_of(frame, live, count=4000):
    ts = frame["ts"].dt.timestamp("ns").to_numpy()[:count] / 1e9
    missing = np.full(count, np.nan)
    columns = [frame[name].to_numpy()[:count] if name in frame.columns else missing for name in live.inputs[1:]]
    return np.ascontiguousarray(np.stack([ts, *columns], axis=1))


def timed_updates(live, rows):
    taken = []
    for bar in rows:
        begun = time.perf_counter()
        live.update(bar)
        taken.append(time.perf_counter() - begun)
    return np.quantile(np.array(taken[1000:]) * 1e6, [0.5, 0.99]).tolist()


def beside_qlib():
    python = os.environ.get("QLIB_PYTHON")
    if not python:
        print("no Qlib here (name a Python that has pyqlib in QLIB_PYTHON): not measured beside it")
        return []
    frame = bars(PEER_BARS)
    names = features.preset("alpha158")
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "bars.npz"), Path(folder, "values.npz")
        columns = {name: frame[name].to_numpy()[None] for name in ("open", "high", "low", "close", "volume")}
        columns["vwap"] = (columns["high"] + columns["low"] + columns["close"]) / 3.0
        np.savez(given, **columns)
        peer = Path(__file__).with_name("qlib_peer.py")
        subprocess.run([python, str(peer), str(given), str(found)], check=True, stdout=sys.stderr)
        with np.load(found) as values:
            theirs, order = values["values"], list(values["names"])
            expressions, door = float(values["expressions"]), float(values["door"])
    ours = features.compute(frame, order).select(order).to_numpy().T
    typical = float(np.median([far(one, other) for one, other in zip(ours, theirs)]))
    taken = fastest_seconds(lambda: features.compute(frame, names), repeats=7)
    size = f"{PEER_BARS:,} bars of one symbol, one thread"
    return [
        row("alpha158 against Qlib: median over features of the largest relative difference", typical, "", 1e-6),
        row(f"alpha158 against Qlib's D.features, {size}", door / taken, "x", 100.0),
        row(f"alpha158 against Qlib's expressions on series in memory, {size}", expressions / taken, "x"),
    ]


def far(ours, theirs):
    """Largest difference where both have full windows, beside the largest value."""
    both = np.isfinite(ours) & np.isfinite(theirs)
    both[:60] = False
    return float(np.max(np.abs(ours[both] - theirs[both])) / np.max(np.abs(ours[both])))
