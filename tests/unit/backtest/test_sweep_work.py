"""Trades in files, memory, engines that are missing: what a sweep accepts and refuses besides its grid."""

import builtins

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from algomaster import backtest
from algomaster.backtest.sweeps import engines, planning, sharing
from algomaster.core.errors import ConfigError, DataError
from algomaster.market.chain_day import Days
from hand_made import random_day

DAYS = Days([random_day(seed) for seed in (1, 2, 3)])
PARAMS = {"exit": "10:00"}
GRID = {"entry": ["09:20", "09:25"], "stop_pct": [5, 10, 15]}


def run(**how):
    return backtest.sweep("straddle", DAYS, grid=GRID, params=PARAMS, **how)


def test_trades_in_a_file_are_those_in_memory(tmp_path):
    path = tmp_path / "deep" / "trades.parquet"
    kept, filed = run(trades=True), run(trades=path, chunk=2)
    assert filed.trades.equals(kept.trades)
    assert filed.scan_trades().filter(set=4).collect().equals(kept.scan_trades().filter(set=4).collect())
    assert pl.read_parquet(path).height == kept.trades.height
    assert pq.ParquetFile(path).num_row_groups == 3
    assert [p.name for p in path.parent.iterdir()] == ["trades.parquet"]
    again = backtest.SweepResult.load(filed.save(tmp_path / "sets.parquet"))
    assert again.trades.equals(kept.trades)
    path.unlink()
    with pytest.raises(DataError, match="gone"):
        again.scan_trades()


def test_a_file_that_was_not_finished_has_not_its_name(tmp_path):
    def stop(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(trades=tmp_path / "trades.parquet", chunk=2, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_without_trades_there_are_none(tmp_path):
    found = run()
    assert found.trades is None
    with pytest.raises(ValueError, match="kept its trades"):
        found.scan_trades()
    again = backtest.SweepResult.load(found.save(tmp_path / "sets.parquet"))
    assert np.array_equal(again.daily, found.daily)
    assert again.trades is None


def test_only_every_so_many_curves_are_kept(monkeypatch, tmp_path):
    whole = run(chunk=2)
    monkeypatch.setattr("algomaster.backtest.sweeper.daily_stride", lambda sets, sessions: 4)
    some = run(chunk=1)
    assert some.daily_stride == 4
    assert np.array_equal(some.daily, whole.daily[::4])
    again = backtest.SweepResult.load(some.save(tmp_path / "sets.parquet"))
    assert np.array_equal(again.daily, some.daily)
    assert again.frame.equals(some.frame, null_equal=True)


@pytest.mark.parametrize(
    ("text", "size"),
    [("2GB", 2 * 10**9), ("500 MB", 5 * 10**8), ("1.5g", 15 * 10**8), (4096, 4096), ("10k", 10_000), ("7B", 7)],
)
def test_sizes_are_read(text, size):
    assert planning.bytes_of(text) == size


@pytest.mark.parametrize("text", ["much", "-1", "2XB", True, ""])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ConfigError, match="2GB"):
        planning.bytes_of(text)


def test_memory_bounds_the_chunk_and_refuses_what_cannot_fit():
    with pytest.raises(ConfigError, match="memory of at least"):
        run(memory=1000)
    told = []
    run(memory="110kB", workers=1, progress=lambda done, of: told.append(done))
    assert told[-1] == 6
    assert len(told) > 1
    with pytest.raises(ConfigError, match="Give trades a file"):
        backtest.sweep(
            "straddle", [random_day(1), random_day(2)], grid={"stop_pct": np.linspace(5, 50, 400)}, params=PARAMS,
            trades=True, memory="560kB", workers=1,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"engine": "dask"}, "threads, joblib, ray"),
        ({"workers": 0}, "workers to be at least 1"),
        ({"chunk": 0}, "chunk to be at least 1"),
        ({"address": "auto"}, "'ray' only"),
        ({"share": "/tmp"}, "'joblib' only"),
    ],
)
def test_refused(how, said):
    with pytest.raises(ConfigError, match=said):
        run(**how)


@pytest.mark.parametrize("name", ["ray", "joblib"])
def test_an_engine_that_is_not_installed_says_so(monkeypatch, name):
    usual = builtins.__import__

    def absent(module, *rest, **more):
        if module.split(".")[0] == name:
            raise ImportError(module)
        return usual(module, *rest, **more)

    monkeypatch.setattr(engines.importlib, "import_module", lambda module: absent(module))
    with pytest.raises(ConfigError, match=f"needs the package {name}"):
        run(engine=name)


def test_sessions_in_one_file_are_the_sessions(tmp_path):
    sharing.save_days(DAYS, tmp_path)
    opened = sharing.open_days(tmp_path)
    assert opened.fingerprint == DAYS.fingerprint
    assert [day.source for day in opened] == [day.source for day in DAYS]
    before = (tmp_path / "days.bin").stat().st_mtime_ns
    sharing.save_days(DAYS, tmp_path)
    assert (tmp_path / "days.bin").stat().st_mtime_ns == before
    sharing.save_days(DAYS[:2], tmp_path)
    assert len(sharing.open_days(tmp_path)) == 2


def test_a_given_folder_is_shared_and_kept(tmp_path):
    shared = run(engine="joblib", workers=2, share=tmp_path / "shared")
    assert shared.digest == run().digest
    assert (tmp_path / "shared" / "days.bin").exists()


@pytest.mark.parametrize("kind", ["heatmap", "interaction", "parallel"])
def test_pictures(kind):
    found = run()
    figure = found.plot(metric="pnl", kind=kind)
    assert figure.data
    assert found.plot("stop_pct", "entry", kind=kind).data
    with pytest.raises(ValueError, match="kind"):
        found.plot(kind="pie")
    with pytest.raises(ValueError, match="metric"):
        found.plot(metric="luck", kind=kind)


def test_a_parallel_picture_has_all_settings_and_at_most_so_many_lines():
    stops = [round(5 + 0.01 * k, 2) for k in range(3100)]
    found = backtest.sweep("straddle", DAYS[:1], grid={"stop_pct": stops}, params=PARAMS)
    (lines,) = found.plot(kind="parallel").data
    assert [axis.label for axis in lines.dimensions] == ["stop_pct", "pnl"]
    assert len(lines.dimensions[0]["values"]) == 3000
    assert max(lines.dimensions[1]["values"]) == found.frame["pnl"].max()


def test_lines_of_settings_that_do_not_interact_are_parallel():
    frame = pl.DataFrame({"a": [1, 1, 2, 2, 3, 3], "b": ["x", "y"] * 3, "pnl": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]})
    from algomaster.backtest.sweeps.plots import interaction_figure

    one, other = interaction_figure(frame, x="a", y="b", metric="pnl").data
    assert (np.array(other.y) - np.array(one.y)).tolist() == [1.0, 1.0, 1.0]
