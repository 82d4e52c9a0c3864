"""One sweep, one result: whatever the engine, the workers, the chunks, skip lists, or how often it was killed."""

import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from algomaster import backtest, market, strategy
from algomaster.backtest.sweeps import chunks
from algomaster.core.errors import ConfigError
from algomaster.strategy.steps import contract as desk
from hand_made import random_day

GRID = {"entry": ["09:20", "09:40"], "stop_pct": [5, 10, None], "strike_at": ["decision", "fill"]}
KEPT = {"digest": True, "trades": True}


@pytest.fixture(scope="module")
def days():
    return market.simulate("NIFTY", sessions=4, start="2024-01-01", strikes=21, seed=7)


@pytest.fixture(scope="module")
def plain(days):
    return backtest.sweep("straddle", days, grid=GRID, workers=1, **KEPT)


def assert_same(found, plain):
    assert found.digest == plain.digest
    assert found.frame.equals(plain.frame, null_equal=True)
    assert found.trades.equals(plain.trades)
    assert np.array_equal(found.daily, plain.daily)


@pytest.mark.parametrize(
    "how",
    [
        {"workers": 2}, {"workers": 5, "chunk": 1}, {"chunk": 7}, {"skip_lists": False}, {"memory": "50MB"},
        {"engine": "joblib", "workers": 1}, {"engine": "joblib", "workers": 2, "chunk": 5, "skip_lists": False},
    ],
    ids=str,
)  # fmt: skip
def test_nothing_changes_a_bit(days, plain, how):
    assert_same(backtest.sweep("straddle", days, grid=GRID, **how, **KEPT), plain)


def test_ray_gives_the_same(days, plain):
    pytest.importorskip("ray")
    assert_same(backtest.sweep("straddle", days, grid=GRID, engine="ray", workers=2, chunk=5, **KEPT), plain)


def test_the_daily_curves_are_those_of_replays(days, plain):
    run = backtest.replay("straddle", days, params={"entry": "09:20", "stop_pct": 10, "strike_at": "decision"})
    assert plain.daily.shape == (12, 4)
    assert plain.daily[2].tolist() == np.rint(run.daily["pnl"].to_numpy() * 100).astype(int).tolist()
    assert run.digest == plain.frame["digest"][2]


# --- killed and resumed ------------------------------------------------------------------------------------------


class KilledError(Exception):
    pass


def interrupted(days, folder, after, **how):
    def progress(done, of):
        if done >= after:
            raise KilledError

    with pytest.raises(KilledError):
        backtest.sweep("straddle", days, grid=GRID, resume=folder, progress=progress, **how, **KEPT)


def counted(monkeypatch):
    ran = []
    usual = chunks._Run.part

    def part(run):
        ran.append((run._start, run._stop))
        return usual(run)

    monkeypatch.setattr(chunks._Run, "part", part)
    return ran


@pytest.mark.parametrize(
    "then", [{"chunk": 2}, {"chunk": 5}, {"workers": 2}, {"engine": "joblib", "workers": 2}], ids=str
)
def test_a_killed_sweep_goes_on_where_it_was(days, plain, tmp_path, monkeypatch, then):
    interrupted(days, tmp_path, after=6, chunk=2, workers=1)
    done = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("chunk-*")}
    assert len(done) == 3
    ran = counted(monkeypatch)
    assert_same(backtest.sweep("straddle", days, grid=GRID, resume=tmp_path, **then, **KEPT), plain)
    assert all(start >= 6 or stop == 1 for start, stop in ran)  # (0, 1) compiles
    assert all(path.stat().st_mtime_ns == done.get(path.name, path.stat().st_mtime_ns) for path in tmp_path.iterdir())
    ran.clear()
    again = backtest.sweep(
        "straddle", days, grid=GRID, resume=tmp_path, trades=tmp_path / "../all.parquet", digest=True
    )
    assert ran == []
    assert_same(again, plain)


def test_a_process_that_is_killed_leaves_whole_chunks(days, plain, tmp_path):
    code = (
        "import os, sys\n"
        "from algomaster import backtest, market\n"
        "days = market.simulate('NIFTY', sessions=4, start='2024-01-01', strikes=21, seed=7)\n"
        f"backtest.sweep('straddle', days, grid={GRID!r}, resume=sys.argv[1], digest=True, trades=True, chunk=3,\n"
        "    progress=lambda done, of: os.kill(os.getpid(), 9) if done > 5 else None)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == -9
    assert len(list(tmp_path.glob("chunk-*.npz"))) == 2
    assert_same(backtest.sweep("straddle", days, grid=GRID, resume=tmp_path, chunk=1, **KEPT), plain)


def test_another_sweep_is_refused(days, tmp_path):
    interrupted(days, tmp_path, after=3, chunk=3)
    for other in (
        {"grid": GRID | {"stop_pct": [5, 10, 20]}},
        {"costs": False},
        {"fills": "decision_close"},
        {"slippage": 1},
        {"params": {"lots": 2}},
        {"trades": False},
    ):
        with pytest.raises(ConfigError, match="another sweep"):
            backtest.sweep("straddle", days, **{"grid": GRID, **KEPT} | other, resume=tmp_path)
    with pytest.raises(ConfigError, match=r"another sweep: .*days.* differ"):
        backtest.sweep("straddle", days[:3], grid=GRID, resume=tmp_path, **KEPT)
    with pytest.raises(ConfigError, match=r"another sweep: strategy"):
        backtest.sweep("strangle", days, grid=GRID, resume=tmp_path, **KEPT)
    (tmp_path / "sweep.json").unlink()
    with pytest.raises(ConfigError, match="something else"):
        backtest.sweep("straddle", days, grid=GRID, resume=tmp_path, **KEPT)


# --- nights ------------------------------------------------------------------------------------------------------


class Held(strategy.Params):
    lots: int = 1
    hold: int = 1


@strategy.step
def sells_and_holds(state, params, day, i, book):
    """Sell the call at the money every session, hold it overnight or not, add to it and buy back in parts."""
    if i == 3:
        contract = desk.instrument_of(day, 0, desk.at_the_money(day, 0, day.spot[i]), day.session % 2)
        if contract >= 0:
            leg = desk.enter(book, i, contract, -2 * params[0]["lots"] * day.lot[0], 0, 0)
            if params[0]["hold"] == 1:
                desk.hold_overnight(book, leg)
    if i == 20 and day.session % 3 == 0:
        for number in range(book.counts[desk.N_OPEN]):
            leg = book.open_legs[number]
            desk.place(book, i, leg, desk.MARKET, day.lot[0], 0, desk.SIGNAL)


HOLDER = strategy.Strategy("holder", step=sells_and_holds, params=Held)


@pytest.mark.parametrize("room", [1, 8])
def test_trades_over_nights_and_in_parts_are_those_of_replays(monkeypatch, room):
    monkeypatch.setattr(chunks, "_ROOM", room)
    days = [random_day(seed, minutes=40) for seed in range(1, 8)]
    grid = {"lots": [1, 2], "hold": [0, 1]}
    found = backtest.sweep(HOLDER, days, grid=grid, chunk=3, **KEPT)
    lean = backtest.sweep(HOLDER, days, grid=grid, trades=True)
    assert lean.trades.equals(found.trades)
    for p, row in enumerate(found.frame.to_dicts()):
        run = backtest.replay(HOLDER, days, params={"lots": row["lots"], "hold": row["hold"]})
        assert run.digest == row["digest"]
        assert found.trades.filter(set=p).drop("set").equals(run.trades)
    nights = found.trades.filter(pl.col("session") > pl.col("entry_time").dt.date())
    assert nights.height > 0
    assert (found.trades["quantity"].abs() // 2 > 0).all()
