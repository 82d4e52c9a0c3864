"""``algo walkforward`` and what ``algo sweep`` says of its work, as processes."""

import json

import polars as pl
import pytest

from algomaster.backtest import SweepResult, WalkForward
from cli_process import algo, one_error_line

DATA = ("-u", "NIFTY", "--simulate", "7", "--seed", "3")
GRID = ("--grid", "stop_pct=20,40", "--grid", "entry=09:20,09:40")
WALK = ("--train", "3", "--test", "2", "--metric", "pnl")


def test_a_walk_is_told_kept_and_drawn(tmp_path):
    options = ("--save", tmp_path / "walk", "--plot", tmp_path / "walk.html", "--report", tmp_path / "report.html")
    told = json.loads(algo("walkforward", "straddle", *DATA, *GRID, *WALK, *options, "--json").stdout)
    assert [fold["test_sessions"] for fold in told["folds"]] == [2, 2]
    assert [fold["train_sessions"] for fold in told["folds"]] == [3, 3]
    assert all(fold["train_last"] < fold["test_first"] for fold in told["folds"])
    assert told["result"]["metrics"]["trials"] == 4
    assert told["assumptions"]["walk_forward"]["start"] == "every test window starts afresh"
    again = WalkForward.load(tmp_path / "walk")
    assert again.result.metrics["pnl"] == told["result"]["metrics"]["pnl"]
    assert "plotly" in (tmp_path / "walk.html").read_text("utf-8")
    assert "<html" in (tmp_path / "report.html").read_text("utf-8")


def test_a_person_reads_the_folds():
    shown = algo("walkforward", "straddle", *DATA, *GRID, *WALK, "--anchored", "--embargo", "1", "--step", "3").stdout
    assert "walked forward" in shown
    assert "2 folds, chosen by pnl" not in shown
    assert "1 folds, chosen by pnl" in shown
    assert "out of sample, a day" in shown


@pytest.mark.parametrize(
    ("options", "code"),
    [(("--train", "9", "--test", "2"), 3), (("--train", "3", "--test", "2", "--step", "1"), 3), (("--train", "3"), 2)],
)
def test_windows_that_cannot_be(options, code):
    done = algo("walkforward", "straddle", *DATA, *GRID, *options, code=code)
    assert done.stdout == ""


def test_a_sweep_writes_trades_and_goes_on(tmp_path):
    kept = ("--trades", tmp_path / "all.parquet", "--save", tmp_path / "sets.parquet", "--resume", tmp_path / "chunks")
    work = ("--engine", "joblib", "--workers", "2", "--chunk", "1", "--memory", "100MB")
    told = json.loads(algo("sweep", "straddle", *DATA, *GRID, *kept, *work, "--json").stdout)
    assert len(list((tmp_path / "chunks").glob("chunk-*.npz"))) == 4
    trades = pl.read_parquet(tmp_path / "all.parquet")
    assert trades.height == sum(row["trades"] for row in told["sets"])
    assert SweepResult.load(tmp_path / "sets.parquet").scan_trades().filter(set=3).collect().height == 14
    again = json.loads(algo("sweep", "straddle", *DATA, *GRID, *kept, "--json").stdout)
    assert again == told
    other = algo("sweep", "straddle", *DATA, *GRID, "--set", "lots=2", *kept, code=3)
    assert "another sweep" in one_error_line(other)


def test_a_search_tries_so_many(tmp_path):
    options = ("--search", "sobol", "--trials", "8", "--plot", tmp_path / "sets.html", "--kind", "parallel")
    space = ("--grid", "stop_pct=10..60", "--grid", "entry=09:20,09:40", "--grid", "lots=1..3")
    told = json.loads(algo("sweep", "straddle", *DATA, *space, *options, "--json").stdout)
    assert len(told["sets"]) == 8
    assert all(10 <= row["stop_pct"] <= 60 and row["lots"] in (1, 2, 3) for row in told["sets"])
    assert told["assumptions"]["search"]["method"] == "sobol"
    assert "parcoords" in (tmp_path / "sets.html").read_text("utf-8")
    seeded = json.loads(algo("sweep", "straddle", *DATA, *space, *options, "--search-seed", "1", "--json").stdout)
    assert seeded["digest"] != told["digest"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--engine", "dask"), 3), (("--memory", "much"), 3), (("--memory", "1kB"), 3), (("--address", "auto"), 3),
        (("--search", "luck"), 3), (("--trials", "5"), 2), (("--kind", "pie"), 2), (("--workers", "0"), 2),
        (("--search", "random", "--grid", "lots=3..1"), 2),
    ],
)  # fmt: skip
def test_work_that_cannot_be(options, code):
    done = algo("sweep", "straddle", *DATA, *GRID, *options, code=code)
    assert done.stdout == ""
