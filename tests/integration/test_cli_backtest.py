"""``algo backtest`` as a process: what it prints, what it writes, how it fails."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from datetime import date, timedelta

import polars as pl
import pytest

from algo.commands.backtest import result_parts
from algo.console import emit
from algomaster import backtest, market
from algomaster.performance import Result
from cli_process import SEED, SESSIONS, algo, one_error_line, stored_home

RANGE = ("--underlying", "NIFTY", "--from", "2024-01-01", "--to", "2024-01-03")
SIMULATED = ("--underlying", "NIFTY", "--simulate", SESSIONS, "--start", "2024-01-01", "--seed", SEED)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return stored_home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def printed(home):
    return json.loads(algo("backtest", "straddle", *RANGE, "--set", "stop_pct=30", "--json", home=home).stdout)


def test_json_is_one_object_with_what_programs_need(printed):
    parts = "strategy underlying trades metrics assumptions skipped notes digest fingerprint"
    assert set(parts.split()) <= printed.keys()
    assert len(printed["trades"]) == 2 * SESSIONS
    fields = "right strike quantity entry_time entry_price exit_time exit_price exit_reason pnl costs"
    assert all(set(fields.split()) <= trade.keys() for trade in printed["trades"])
    assert re.fullmatch("[0-9a-f]{64}", printed["digest"])


def test_times_are_iso_with_the_indian_offset(printed):
    for trade in printed["trades"]:
        assert re.fullmatch(r"2024-01-0[1-3]T09:20:00\+05:30", trade["entry_time"])
        assert trade["exit_time"].endswith("+05:30")


def test_it_is_the_replay_of_the_library(printed, home):
    days = market.load("NIFTY", "2024-01-01", "2024-01-03", home=home)
    run = backtest.replay("straddle", days, params={"stop_pct": 30.0})
    assert printed["digest"] == run.digest
    assert printed["metrics"]["pnl"] == run.metrics["pnl"]


def test_simulate_runs_what_data_simulate_stores(printed):
    run = json.loads(algo("backtest", "straddle", *SIMULATED, "--set", "stop_pct=30", "--json").stdout)
    assert run["digest"] == printed["digest"]


def test_a_person_reads_summary_trades_and_where_the_report_is(home, tmp_path):
    report, saved = tmp_path / "run.html", tmp_path / "saved"
    shown = algo("backtest", "straddle", *RANGE, "--report", report, "--save", saved, home=home).stdout
    assert "straddle on NIFTY, 2024-01-01 to 2024-01-03" in shown
    assert "Net P&L" in shown
    assert shown.count("09:20:00") == 2 * SESSIONS
    assert str(report) in shown
    assert "<html" in report.read_text("utf-8")
    assert "Net P&L" in algo("report", saved).stdout
    assert (saved / "report.html").read_text("utf-8") == report.read_text("utf-8")


def test_many_trades_are_cut_and_said_to_be():
    shown = algo("backtest", "straddle", "--underlying", "NIFTY", "--simulate", 12).stdout
    assert "Last 20 of 24 trades (4 earlier ones not shown)" in shown
    assert shown.count("09:20:00") >= 20


def shown_of(capsys, *, notes):
    trades = pl.DataFrame(
        {
            "right": ["CE"], "strike": [22000.0], "quantity": [-50], "entry_time": ["2024-01-01T09:20:00"],
            "entry_price": [100.0], "exit_time": ["2024-01-01T15:15:00"], "exit_price": [80.0],
        }
    )  # fmt: skip
    sessions = [date(2024, 1, 1) + timedelta(days=n) for n in range(notes)]
    said = pl.DataFrame({"session": sessions, "note": [f"[PE] waited, {n} min" for n in range(notes)]})
    emit(*result_parts(dataclasses.replace(Result.from_trades(trades, underlying="NIFTY"), notes=said)))
    return capsys.readouterr().out


def test_notes_are_shown(capsys):
    shown = shown_of(capsys, notes=10)
    assert re.findall(r"^(\S+) +\[PE\] waited, (\d) min *$", shown, re.M) == [
        (str(date(2024, 1, 1 + n)), str(n)) for n in range(10)
    ]
    assert "not shown" not in shown
    assert re.search(r"^Notes *$", shown, re.M)


def test_many_notes_are_cut_and_said_to_be(capsys):
    shown = shown_of(capsys, notes=34)
    assert "\n24 more not shown\n" in shown
    assert shown.count("waited") == 10


def test_no_notes_no_word(capsys):
    assert "notes" not in shown_of(capsys, notes=0).lower()


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(
        'strategy = "straddle"\nunderlying = "NIFTY"\nfrom = 2024-01-01\nto = "2024-01-02"\nfills = "decision_close"\n'
        "costs = false\n[params]\nentry = 09:30:00\nstop_pct = 50\n"
    )
    return path


def test_a_config_file_is_enough(config, home):
    run = json.loads(algo("backtest", "--config", config, "--json", home=home).stdout)
    assumed = run["assumptions"]
    assert assumed["params"]["entry"] == "09:30"
    assert assumed["params"]["stop_pct"] == 50.0
    assert assumed["fills"]["mode"] == "decision_close"
    assert assumed["costs"] == "none"
    assert (assumed["data"]["first"], assumed["data"]["last"]) == ("2024-01-01", "2024-01-02")


def test_the_command_line_wins_over_the_config_file(config, home):
    options = ("--set", "stop_pct=none", "--fills", "next_open", "--costs", "--to", "2024-01-03")
    assumed = json.loads(algo("backtest", "strangle", "--config", config, *options, "--json", home=home).stdout)[
        "assumptions"
    ]
    assert assumed["strategy"] == "strangle"
    assert assumed["params"]["stop_pct"] is None
    assert assumed["params"]["entry"] == "09:30"
    assert assumed["fills"]["mode"] == "next_open"
    assert assumed["costs"] != "none"
    assert assumed["data"]["last"] == "2024-01-03"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("straddle", *RANGE, "--set", "stop=3"), 3, "no parameter of straddle 'stop'"),
        (("straddle", *RANGE, "--set", "entry=late"), 3, "expected a time such as 09:20"),
        (("stradle", *RANGE), 3, "Did you mean 'straddle'?"),
        (("straddle", *RANGE, "--fills", "best"), 3, "next_open, strict, decision_close, algotest"),
        (("straddle", "--underlying", "NIFTY"), 3, "--from and --to"),
        (("straddle", "--from", "2024-01-01", "--to", "2024-01-03"), 3, "--underlying NIFTY"),
        (("straddle", "--underlying", "NIFTY", "--from", "2024-01-03", "--to", "2024-01-01"), 3, "Swap them"),
        ((*RANGE,), 3, "There are: legs, straddle"),
        (("straddle", "--underlying", "NIFTY", "--from", "2023-01-02", "--to", "2023-01-03"), 4, "no option minutes"),
        (("straddle", "--underlying", "NIFTY", "--simulate", 1, "--start", "1990-01-01"), 5, ""),
    ],
)
def test_an_error_is_one_line_and_its_exit_code(arguments, code, says, home):
    assert says in one_error_line(algo("backtest", *arguments, "--json", code=code, home=home))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("underlying = ", "is not TOML"),
        ("strategy = 'straddle'\nstop_pct = 3", "no setting stop_pct; there are: strategy, underlying, from"),
        ("costs = 'no'", "expected costs to be true or false"),
        ("from = 'June'", "expected a date such as 2021-06-11"),
        ("params = 3", "expected params to be a table"),
    ],
)
def test_a_bad_config_file_is_refused(text, says, tmp_path):
    path = tmp_path / "job.toml"
    path.write_text(text)
    assert says in one_error_line(algo("backtest", "straddle", *RANGE, "--config", path, code=3))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--from", "2024-13-01"),
        ("--set", "stop_pct"),
        ("--seed", 3),
        ("--simulate", 0),
        ("--simulate", 2, "--from", "2024-01-01"),
        ("--config", "nowhere.toml"),
        ("--nonsense",),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments):
    done = algo("backtest", "straddle", "--underlying", "NIFTY", *arguments, code=2)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_path_that_cannot_be_written_is_one_line(home, tmp_path):
    (tmp_path / "file").write_text("")
    line = one_error_line(
        algo("backtest", "straddle", *RANGE, "--report", tmp_path / "file" / "x.html", home=home, code=4)
    )
    assert str(tmp_path / "file") in line


def test_a_reader_that_goes_away_is_no_error(home):
    command = [sys.executable, "-m", "algo", "backtest", "straddle", *RANGE, "--json"]
    settings = {**os.environ, "ALGO_HOME": str(home)}
    with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_an_interrupt_is_130_without_a_traceback():
    code = (
        "import os, signal, sys; from algomaster import market; from algo.main import run\n"
        "market.simulate = lambda *a, **k: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.argv = ['algo', 'backtest', 'straddle', '-u', 'NIFTY', '--simulate', '2']; run()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_bug_keeps_its_traceback():
    code = (
        "import sys; from algomaster import market; from algo.main import run\n"
        "market.simulate = lambda *a, **k: 1 // 0\n"
        "sys.argv = ['algo', 'backtest', 'straddle', '-u', 'NIFTY', '--simulate', '2', '--json']; run()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError" in done.stderr


def test_nothing_but_the_line_on_compiling_is_said_where_stderr_is_no_terminal(tmp_path):
    (tmp_path / "fresh.py").write_text("from algomaster.core.jit import kernel\n@kernel\ndef add(a): return a + 1\n")
    code = (
        "import sys, fresh; from algomaster import market; from algo.main import run\n"
        "market.simulate = lambda *a, **k: sys.exit(fresh.add(1) - 2)\n"
        "sys.argv = ['algo', 'backtest', 'straddle', '-u', 'NIFTY', '--simulate', '2', *sys.argv[1:]]; run()"
    )
    settings = {**os.environ, "PYTHONPATH": str(tmp_path)}

    def said(cache, *arguments):
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(
            command, env={**settings, "ALGO_CACHE": str(tmp_path / cache)}, capture_output=True, text=True, check=True
        ).stderr

    assert said("one") == "compiling kernels (first run only) ...\n"
    assert said("one") == ""
    assert said("two", "--json") == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_progress_is_drawn_on_a_terminal():
    import pty

    master, slave = pty.openpty()
    command = [sys.executable, "-m", "algo", "backtest", "straddle", *map(str, SIMULATED), "--json"]
    settings = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, stderr=slave) as process:
        os.close(slave)
        drawn = b""
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError:  # Linux says the other end is closed this way
                break
            if not chunk:
                break
            drawn += chunk
        printed = process.stdout.read()
    os.close(master)
    assert process.returncode == 0
    assert b"replaying" in drawn
    assert json.loads(printed)["trades"]


@pytest.mark.parametrize("said", ["2", "ticks=2"])
def test_slippage_makes_every_entry_worse_by_its_ticks(printed, home, said):
    options = ("--set", "stop_pct=30", "--slippage", said, "--json")
    run = json.loads(algo("backtest", "straddle", *RANGE, *options, home=home).stdout)
    worse = [round(one["entry_price"] - two["entry_price"], 2) for one, two in zip(printed["trades"], run["trades"])]
    assert worse == [0.1] * len(printed["trades"])  # sold two ticks of 0.05 lower
    assert run["assumptions"]["slippage"]["ticks"] == 2
