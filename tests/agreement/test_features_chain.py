"""Features of the chain: the naive twin, batch against bar by bar, with and without the compiler."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

from algomaster import features
from algomaster.features import library, series_chain
from algomaster.features.catalogue import chain, surface
from algomaster.features.kernels.snapshot_arrays import COLUMNS
from algomaster.features.program import build
from algomaster.features.series import given
from algomaster.features.tapes import LiveTape, Tape
from chain_sessions import simulated, with_holes
from naive import features_chain as naive

NAMES = [feature.name for feature in (*chain.FEATURES, *surface.FEATURES)]
DAILY = ["gex", "dex", "iv_rank_252", "iv_pctile_252"]
"""They remember more sessions than these tests have; their own tests below do."""


@pytest.fixture(scope="module")
def days():
    return [with_holes(day, seed) for seed, day in enumerate(simulated(3, strikes=31))]


@pytest.fixture(scope="module")
def bars(days):
    """Rows of all sessions, with a future's open interest."""
    frame = pl.concat([features.chain_inputs(day) for day in days])
    rng = np.random.default_rng(3)
    oi = 1e6 + np.cumsum(rng.integers(-2, 3, frame.height)) * 25.0
    return frame.with_columns(oi=pl.Series(np.where(rng.random(frame.height) < 0.02, np.nan, oi)))


def assert_close(found, expected, name, tolerance):
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    gone = np.isnan(found) != np.isnan(expected)
    assert not gone.any(), f"{name}: one is missing at {np.flatnonzero(gone)[:5]}"
    size = np.nanmax(np.abs(expected), initial=0.0)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * size, err_msg=name)


def test_columns_of_a_chain_are_those_of_the_twin(days):
    for day in days[1:]:
        found, expected = features.chain_inputs(day), naive.columns(day)
        for name in COLUMNS:
            assert np.isfinite(expected[name]).sum() > 200, name
            assert_close(found[name], expected[name], name, 1e-9)


def test_features_are_those_of_the_twin(bars):
    found = features.compute(bars, NAMES)
    day = bars["ts"].dt.convert_time_zone("Asia/Kolkata").dt.date()
    table = pd.DataFrame({name: bars[name].to_numpy() for name in bars.columns if name != "ts"})
    expected = naive.features(table.assign(day=day.to_list()))
    assert set(expected.columns) == set(NAMES)
    for name in NAMES:
        if name not in DAILY:
            assert np.isfinite(expected[name]).sum() > 200, name
        assert_close(found[name], expected[name], name, 1e-9)


def long_history(seed=2, sessions=300, bars=4):
    """Few bars a session over more than a year, holes and equal values in them."""
    rng = np.random.default_rng(seed)
    count = sessions * bars
    ts = (np.repeat(np.arange(19_000, 19_000 + sessions), bars) * 1440 + np.tile(225 + np.arange(bars), sessions)) * 60
    wave = 0.15 + np.repeat(np.where(np.arange(sessions) % 2, 1.0, -1.0) * np.arange(sessions) * 3e-4, bars)
    table = pd.DataFrame({name: np.full(count, np.nan) for name in COLUMNS})
    table["close"] = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, count)))
    for name in ("open", "high", "low"):
        table[name] = table["close"]
    table["volume"] = np.where(rng.random(count) < 0.05, np.nan, rng.integers(0, 500, count) * 50.0)
    table["iv_month"] = np.where(rng.random(count) < 0.1, np.nan, np.round(wave + rng.normal(0, 0.01, count), 2))
    table.loc[bars * 10 : bars * 12 - 1, ["volume", "iv_month"]] = np.nan
    table["gex_net"], table["dex_net"] = rng.normal(0, 1e9, (2, count))
    table["oi"], table["vix"] = np.nan, np.nan
    return table, ts * 1_000_000_000


def test_memories_of_whole_sessions_are_those_of_the_twin():
    table, ts = long_history()
    found = features.compute(table.assign(ts=ts), DAILY)
    expected = naive.features(table.assign(day=np.repeat(np.arange(300), 4)))
    for name in DAILY:
        assert np.isfinite(expected[name]).sum() > 100, name
        assert_close(found[name], expected[name], name, 1e-12)
    assert found["iv_rank_252"].min() == 0.0
    assert found["iv_rank_252"].max() == 1.0


def test_every_law_is_kept(bars):
    verdict = features.verify(NAMES, bars)
    assert verdict, verdict
    assert set(verdict.empty) == set(DAILY)
    table, ts = long_history()
    daily = features.verify(DAILY, pl.DataFrame({"ts": ts, **{name: table[name].to_numpy() for name in table.columns}}))
    assert daily, daily
    assert not daily.empty


def test_three_underlyings_in_one_call_are_three_of_their_own():
    tables = [long_history(seed, sessions=40) for seed in (1, 2, 3)]
    iv = given("iv_month")
    outputs = [*series_chain.rank_among_sessions(iv, 10), series_chain.mean_of_sessions(given("close"), 5)]
    program = build(outputs, library.kernels())
    ts = tables[0][1] / 1e9
    sources = [np.array([ts if name == "ts" else t[name] for name in program.inputs]) for t, _ in tables]
    own = []
    for source in sources:
        own.append(np.empty((3, source.shape[1])))
        Tape(program).advance(source, own[-1], 0, source.shape[1])
    bars = np.ascontiguousarray(np.stack(sources, axis=2).transpose(1, 0, 2))
    out = np.empty((bars.shape[0], 3, 3))
    live = LiveTape(program, 3)
    for bar, values in zip(bars, out):
        live.advance(bar, values)
    for n, single in enumerate(own):
        assert np.isfinite(single).any(axis=1).all()
        np.testing.assert_array_equal(out[:, :, n].T, single)


def test_sessions_at_once_and_minute_by_minute_give_the_same_bits(days):
    whole = features.compute(days, NAMES).select(NAMES).to_numpy()
    live = features.online(NAMES)
    rows = [
        live.update(snapshots.row(i)) for day in days for snapshots in [features.Snapshots(day)] for i in range(375)
    ]
    np.testing.assert_array_equal(np.array(rows), whole)


CODE = """
import json, sys
import numpy as np
from algomaster import features
from algomaster.market import ChainDay
names = json.loads(sys.argv[1])
days = [ChainDay.open_folder(folder) for folder in sys.argv[2:]]
rows = [features.snapshot_row(days[0], 40)]
snapshots = features.Snapshots(days[1])
rows += [snapshots.row(i) for i in range(60)] + [features.snapshot_row(days[1], 374)]
live = features.online(names)
print(json.dumps([live.update(row).view(np.int64).tolist() for row in rows]))
"""


def test_without_compiling_the_bits_are_the_same(tmp_path):
    folders = [str(tmp_path / "0"), str(tmp_path / "1")]
    for folder, day in zip(folders, simulated(2, strikes=9, expiries=2)):
        with_holes(day, 1).save(folder)
    told = []
    for off in ("0", "1"):
        env = os.environ | {"NUMBA_DISABLE_JIT": off}
        command = [sys.executable, "-W", "error", "-c", CODE, json.dumps(NAMES), *folders]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        told.append(np.array(json.loads(done.stdout)).view(np.float64))
    compiled, plain = told
    np.testing.assert_array_equal(compiled, plain)
    assert np.isfinite(compiled).any(axis=0).sum() > 35
