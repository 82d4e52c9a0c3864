"""``algo replay`` as a process: snapshots, what if, and the live view on a pseudo-terminal."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

from algomaster import backtest, market
from cli_process import SEED, algo, one_error_line, stored_home

MADE = ("--simulate", "--seed", SEED, "--underlying", "NIFTY")
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]")


@pytest.fixture(scope="module")
def day():
    return market.simulate("NIFTY", sessions=1, start="2024-01-02", seed=SEED)[0]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return stored_home(tmp_path_factory.mktemp("home"))


def test_one_moment_is_one_snapshot(day):
    shown = json.loads(algo("replay", "2024-01-02", "straddle", *MADE, "--at", "10:15", "--json").stdout)
    run = backtest.Stepper("straddle", day)
    run.seek("10:15")
    assert shown["snapshots"] == [json.loads(json.dumps(run.snapshot().to_dict()))]
    assert shown["result"] is None
    assert shown["what_if"] is None


def test_snapshots_at_steps_and_the_result(day):
    printed = json.loads(algo("replay", "2024-01-02", "straddle", *MADE, "--step", "100", "--json").stdout)
    assert [shot["time"][11:16] for shot in printed["snapshots"]] == ["10:55", "12:35", "14:15", "15:30"]
    assert [("series" in shot) for shot in printed["snapshots"]] == [False, False, False, True]
    events = [event for shot in printed["snapshots"] for event in shot["events"]]
    run = backtest.replay("straddle", day)
    assert sum(event["what"] == "fill" for event in events) == run.fills.height
    assert sum(event["what"] == "order" for event in events) == run.orders.height
    assert printed["result"]["digest"] == run.digest


def test_a_person_reads_moments_and_the_end(home):
    shown = algo("replay", "2024-01-02", "--step", "200", "--set", "stop_pct=30", "--no-costs", home=home).stdout
    assert "bar 200/375" in shown
    assert "bar 375/375" in shown
    assert "21,600" in shown
    assert "Net P&L" in shown
    assert shown.count("09:20:00  fill") == 2


def test_sessions_before_it(home):
    stored = market.load("NIFTY", "2024-01-01", "2024-01-03", home=home)
    whole = ("2024-01-03", "straddle", "--from", "2024-01-01", "--step", "375", "--json")
    printed = json.loads(algo("replay", *whole, home=home).stdout)
    assert printed["result"]["digest"] == backtest.replay("straddle", stored).digest


def test_what_if(day, tmp_path):
    picture = tmp_path / "picture.html"
    asked = ("--what-if", "stop_pct=10", "--what-if", "close=CE", "--what-if-at", "09:30")
    printed = json.loads(algo("replay", "2024-01-02", *MADE, *asked, "--plot", picture, "--json").stdout)
    expected = backtest.Stepper("straddle", day).what_if({"stop_pct": 10}, close="CE", at="09:30")
    assert printed["what_if"]["digests"] == {"base": expected.base.digest, "other": expected.other.digest}
    assert printed["what_if"]["difference"] == expected.difference
    assert printed["what_if"]["change"] == {"stop_pct": "10", "close": "CE"}
    assert [shot["time"][11:16] for shot in printed["snapshots"]] == ["09:30"]
    assert "plotly" in picture.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("2024-01-06", *MADE), 4, "There is no session on 2024-01-06; the nearest is 2024-01-08"),
        (("2024-01-02", *MADE, "--what-if", "stop=3", "--what-if-at", "10:00"), 3, "no parameter of straddle 'stop'"),
        (("2024-01-02",), 4, "no option minutes"),
    ],
)
def test_an_error_is_one_line_and_its_exit_code(arguments, code, says):
    assert says in one_error_line(algo("replay", *arguments, "--json", code=code))


@pytest.mark.parametrize(
    "arguments",
    [
        ("2024-13-01",),
        ("2024-01-02", "--what-if", "stop_pct=3"),
        ("2024-01-02", "--plot", "picture.html"),
        ("2024-01-02", "--from", "2024-01-03"),
        ("2024-01-02", "--simulate", "--home", "somewhere"),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments):
    done = algo("replay", *arguments, code=2)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


class Terminal:
    """``algo`` on a pseudo-terminal of a given size."""

    def __init__(self, *arguments, width=120, height=36):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(
            [sys.executable, "-m", "algo", *map(str, arguments)], stdin=slave, stdout=slave, stderr=slave,
            env=env | {"TERM": "xterm-256color"}, start_new_session=True,
        )  # fmt: skip
        self.text = ""

    def press(self, keys):
        self.text = ""
        os.write(self.master, keys.encode())

    def wait_for(self, pattern, *, seconds=60):
        """Read until the screen has shown what the pattern says."""
        end = time.monotonic() + seconds
        while not re.search(pattern, ANSI.sub("", self.text)):
            left = end - time.monotonic()
            ready, _, _ = select.select([self.master], [], [], max(left, 0))
            assert ready, f"never saw {pattern!r} in:\n{ANSI.sub('', self.text)[-6000:]}"
            self.text += os.read(self.master, 65536).decode(errors="ignore")

    def leave(self, code=0):
        end = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < end:
            ready, _, _ = select.select([self.master], [], [], 0.1)
            if ready:
                self.text += os.read(self.master, 65536).decode(errors="ignore")
        assert self.process.wait(5) == code
        assert termios.tcgetattr(self.slave) == self.before


@pytest.fixture
def terminal():
    started = []

    def start(*arguments, **size):
        started.append(Terminal(*arguments, **size))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()
        os.close(one.master)
        os.close(one.slave)


def test_the_live_view(terminal):
    view = terminal("replay", "2024-01-02", *MADE, "--speed", "60000", "--at", "09:18", "--until", "09:40")
    view.wait_for(r"bar 25/375  paused, x60000")
    view.press("n")
    view.wait_for(r"bar 26/375")
    view.press("\x1b[D\x1b[D\x1b[D")
    view.wait_for(r"bar 23/375")
    view.press("j10:45\r")
    view.wait_for(r"10:45  bar 90/375")
    view.press("jnoon\r")
    view.wait_for(r"Expected a time from 09:15 to 15:30")
    view.press("-")
    view.wait_for(r"x1200")
    view.press("wstop_pct=5\r")
    view.wait_for(r"What if stop_pct=5 from 10:45 on")
    view.press("x")
    view.wait_for(r"bar 90/375  paused")
    view.press("wclose=all\rt")
    view.wait_for(r"going on with the change")
    view.press("n")
    view.wait_for(r"signal")
    view.press("j15:20\r ")
    view.wait_for(r"bar 375/375  over")
    view.press("q")
    view.leave()
    assert "Traceback" not in view.text


def test_the_live_view_ends_with_its_terminal_and_at_an_interrupt(terminal):
    view = terminal("replay", "2024-01-02", *MADE, "--speed", "0", "--at", "15:00")
    view.wait_for(r"bar 375/375  over")
    view.press("\x04")
    view.leave()
    view = terminal("replay", "2024-01-02", *MADE)
    view.wait_for(r"playing, x60")
    view.process.send_signal(signal.SIGINT)
    view.leave(code=130)


def test_no_live_view_on_a_terminal_where_none_is_wanted(terminal):
    view = terminal("replay", "2024-01-02", *MADE, "--no-live", "--at", "10:15")
    view.wait_for(r"bar 60/375")
    view.leave()
