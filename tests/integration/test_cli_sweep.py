"""``algo sweep`` and ``algo report`` as processes."""

import json

import polars as pl
import pytest

from algomaster.backtest import SweepResult
from cli_process import algo, one_error_line, stored_home

RANGE = ("--underlying", "NIFTY", "--from", "2024-01-01", "--to", "2024-01-03")
GRID = ("--grid", "stop_pct=20:40:10", "--grid", "entry=09:20,09:30")
TRADES = (
    "right,strike,quantity,entry_time,entry_price,exit_time,exit_price,costs\n"
    "CE,15800,-75,2021-06-11T09:20:00,104.30,2021-06-11T15:15:00,91.00,60.5\n"
    "PE,15800,-75,2021-06-11T09:20:00,99.00,2021-06-11T12:12:00,123.75,61.67\n"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return stored_home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return tmp_path_factory.mktemp("sweep")


@pytest.fixture(scope="module")
def printed(home, saved):
    options = ("--digest", "--save", saved / "sets.parquet", "--plot", saved / "heat.html")
    return json.loads(algo("sweep", "straddle", *GRID, *RANGE, *options, "--json", home=home).stdout)


def test_json_has_every_combination(printed):
    assert printed["parameters"] == ["stop_pct", "entry"]
    assert [(row["stop_pct"], row["entry"]) for row in printed["sets"]] == [
        (stop, entry) for stop in (20.0, 30.0, 40.0) for entry in ("09:20", "09:30")
    ]
    assert {"sharpe", "sharpe_se", "deflated_sharpe", "pnl", "fingerprint", "digest"} <= printed["sets"][0].keys()
    assert all(row["trials"] == 6 for row in printed["sets"])
    assert {"assumptions", "digest", "strategy", "underlying"} <= printed.keys()


def test_a_set_has_the_digest_of_its_backtest(printed, home):
    options = ("--set", "stop_pct=30", "--set", "entry=09:30", "--json")
    run = json.loads(algo("backtest", "straddle", *RANGE, *options, home=home).stdout)
    row = next(row for row in printed["sets"] if (row["stop_pct"], row["entry"]) == (30.0, "09:30"))
    assert row["digest"] == run["digest"]
    assert row["pnl"] == run["metrics"]["pnl"]


def test_files_are_written(printed, saved):
    again = SweepResult.load(saved / "sets.parquet")
    assert again.digest == printed["digest"]
    assert again.frame["stop_pct"].to_list() == [20.0, 20.0, 30.0, 30.0, 40.0, 40.0]
    assert "plotly" in (saved / "heat.html").read_text("utf-8")


def test_a_person_reads_the_best_with_its_error_and_the_number_of_trials(home):
    options = ("--set", "lots=2", "--metric", "pnl", "--top", 2)
    shown = algo("sweep", "straddle", *GRID, *RANGE, *options, home=home).stdout
    assert "2 of 6 sets, best pnl first" in shown
    heading = next(line for line in shown.splitlines() if "deflated_sharpe" in line)
    assert {"sharpe", "sharpe_se", "trials", "deflated_sharpe"} <= set(heading.split())
    assert sum(line.startswith("2 ") and "09:" in line for line in shown.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--grid", "stop=1,2"), 3),
        (("--grid", "entry=soon"), 3),
        (("--grid", "stop_pct=20", "--metric", "luck"), 3),
    ],
)
def test_a_wrong_setting_is_one_line(arguments, code):
    assert one_error_line(algo("sweep", "straddle", *arguments, *RANGE, "--json", code=code))


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--grid", "stop_pct"),
        ("--grid", "stop_pct="),
        ("--grid", "stop_pct=10:20:0"),
        ("--grid", "stop_pct=1", "--grid", "stop_pct=2"),
        ("--grid", "stop_pct=10,20", "--plot", "heat.html"),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments):
    assert algo("sweep", "straddle", *arguments, *RANGE, code=2).stdout == ""


def test_a_log_of_trades_becomes_a_report(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text(TRADES)
    told = json.loads(algo("report", "--trades", log, "--underlying", "NIFTY", "--json").stdout)
    # By hand: (91.00 - 104.30) * -75 = 997.50 and (123.75 - 99.00) * -75 = -1856.25, less 122.17 of costs.
    assert [trade["pnl"] for trade in told["trades"]] == [-1856.25, 997.5]
    assert told["metrics"]["pnl"] == -980.92
    assert told["report"] == str(tmp_path / "log.html")
    assert "<html" in (tmp_path / "log.html").read_text("utf-8")


@pytest.mark.parametrize("text", ["", "right,strike\nCE,15800\n", TRADES.replace("CE,", "call,"), "a,b\n1,2,3\n"])
def test_a_log_that_cannot_be_used_is_one_line(text, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text(text)
    assert one_error_line(algo("report", "--trades", log, "--underlying", "NIFTY", code=4))
    assert not (tmp_path / "log.html").exists()


def test_what_is_no_result_is_one_line(tmp_path):
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "trades.parquet")
    assert "not a complete saved result" in one_error_line(algo("report", tmp_path, code=4))


@pytest.mark.parametrize("arguments", [(), ("--trades", __file__), (".", "--underlying", "NIFTY")])
def test_a_report_of_nothing_is_wrong_usage(arguments):
    assert algo("report", *arguments, code=2).stdout == ""


def test_plain_python_gives_the_same_bits(printed, home):
    run = algo("sweep", "straddle", *GRID, *RANGE, "--digest", "--json", home=home, NUMBA_DISABLE_JIT="1")
    assert json.loads(run.stdout) == printed


def test_every_sweep_says_how_much_of_its_best_set_is_luck(printed, home):
    verdict = printed["overfitting"]
    assert (verdict["trials"], verdict["sessions"]) == (6, 3)
    assert {"pbo", "reality_check_p", "spa_p", "deflated_sharpe", "drawdown"} <= verdict.keys()
    assert "10 are needed" in verdict["remark"]  # three sessions say nothing, and it is told
    shown = algo("sweep", "straddle", *GRID, *RANGE, home=home).stdout
    assert all(word in shown for word in ("PBO", "Reality Check p", "SPA p", "Drawdown of shuffled days"))
