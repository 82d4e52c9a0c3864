"""``algo scan`` as a user has it."""

import contextlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from algomaster import market, strategy
from cli_process import SEED, SESSIONS, algo, one_error_line, stored_home


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return stored_home(tmp_path_factory.mktemp("scan"))


def days():
    return market.simulate("NIFTY", sessions=SESSIONS, start="2024-01-01", seed=SEED)


def test_json_is_what_the_library_finds(home):
    command = ("scan", "-u", "NIFTY", "--at", "2024-01-02 11:00", "--top", 7, "--expiries", 1, "--json")
    shown = json.loads(algo(*command, home=home).stdout)
    found = strategy.scan(days(), at="2024-01-02 11:00", top=7, expiries=1)
    assert (shown["at"], shown["underlyings"]) == ("2024-01-02T11:00:00+05:30", ["NIFTY"])
    assert shown["ranked"] == found.ranked
    assert shown["weights"] == found.weights
    assert [row["score"] for row in shown["contracts"]] == found.frame["score"].to_list()
    assert [row["strike"] for row in shown["contracts"]] == found.frame["strike"].to_list()


def test_a_person_reads_a_table(home, tmp_path):
    picture = tmp_path / "scan.html"
    done = algo(
        "scan", "-u", "NIFTY", "--top", 3, "--weight", "momentum=1", "--set", "minutes=5", "--plot", picture, home=home
    )
    lines = done.stdout.splitlines()
    assert lines[0].startswith("NIFTY at 2024-01-03 15:30: ")
    assert [line.split()[0] for line in lines[2:5]] == ["1", "2", "3"]
    assert "plotly" in picture.read_text("utf-8")


def test_watching_steps_through_the_session(home):
    command = ("scan", "-u", "NIFTY", "--watch", "--every", 5, "--at", "15:15", "--top", 2)
    text = algo(*command, home=home).stdout
    assert [f"15:{minute}" in text for minute in (15, 20, 25, 30)] == [True] * 4
    moments = json.loads(algo(*command, "--json", home=home).stdout)["moments"]
    assert [one["at"][11:16] for one in moments] == ["15:15", "15:20", "15:25", "15:30"]
    assert moments[1]["contracts"][0]["score"] == strategy.scan(days(), at="15:20").frame["score"][0]


def test_simulated_underlyings_together():
    command = ("scan", "-u", "NIFTY", "-u", "BANKNIFTY", "--simulate", 1, "--seed", 3, "--at", "10:15", "--json")
    shown = json.loads(algo(*command).stdout)
    assert {row["underlying"] for row in shown["contracts"]} == {"NIFTY", "BANKNIFTY"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("-u", "NIFTY", "--at", "noon"), 2, "10:15"), (("-u", "NIFTY", "--weight", "momentum=much"), 2, "number"),
        ((), 3, "an underlying"), (("-u", "NIFTY", "--weight", "speed=1"), 3, "momentum, volume"),
        (("-u", "NIFTI",), 4, "Did you mean NIFTY?"), (("-u", "NIFTY", "--at", "2023-05-02 10:15"), 4, "2023-05-02"),
        (("-u", "NIFTY", "--set", "minute=5"), 3, "minutes"),
    ],
)  # fmt: skip
def test_what_is_refused(home, arguments, code, said):
    done = algo("scan", *arguments, home=home, code=code)
    assert said in done.stderr
    assert done.stdout == ""
    if code > 2:
        one_error_line(done)


def test_the_example_config_runs():
    file = Path(__file__).resolve().parents[2] / "docs" / "strategies" / "momentum.toml"
    shown = json.loads(algo("backtest", "--config", file, "--simulate", 3, "--seed", 2, "--json").stdout)
    assert shown["strategy"] == "momentum"
    assert shown["metrics"]["trades"] > 0
    assert "risk_of_ruin" in shown["metrics"]
    assert "risk of ruin" in shown["notes"][-1]["note"]


def test_watching_on_a_terminal_draws_one_look_in_the_place_of_the_last(home):
    command = "algo scan -u NIFTY --watch --every 5 --at 15:20 --top 2 --pause 0"
    code = f"import sys; sys.argv = {command.split()!r}\nfrom algo.main import run\nrun()"
    env = os.environ | {"ALGO_HOME": str(home), "TERM": "xterm", "COLUMNS": "160", "LINES": "30"}
    reader, writer = pty.openpty()
    done = subprocess.run([sys.executable, "-c", code], env=env, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    drawn = b""
    with contextlib.suppress(OSError):
        while chunk := os.read(reader, 65536):
            drawn += chunk
    os.close(reader)
    assert done.returncode == 0, done.stderr
    assert b"15:20" in drawn
    assert b"15:30" in drawn
    assert b"\x1b[1A" in drawn  # goes up again over what it drew
