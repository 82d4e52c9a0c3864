"""Curves, keys and the whole screen of a replay, without a terminal."""

import itertools
from datetime import date

import pytest
from rich.console import Console

from algo.blocks import chart, sparkline
from algo.commands.replay import _moments, _source
from algo.keyboard import keys_in
from algo.player import SPEEDS, Player, change_of
from algo.screen import Playing, screen, snapshot_parts, what_if_parts
from algomaster import backtest
from hand_made import random_day

PARAMS = {"entry": "09:20", "exit": "10:00", "stop_pct": 8}


def stepper(at=0):
    run = backtest.Stepper("straddle", random_day(7), params=PARAMS)
    run.seek(at)
    return run


def test_a_chart_lies_between_its_lowest_and_highest_value():
    assert chart([0, 1, 2, 3], width=4, height=1) == ["▁▃▆█"]
    assert chart([0, 15], width=2, height=2) == [" █", "▁█"]
    assert chart([5, 5], width=2, height=2) == ["  ", "██"]
    assert chart([1, None, 3], width=3, height=1) == ["▁ █"]
    assert chart([], width=3, height=2, length=9) == ["   ", "   "]


def test_what_has_not_happened_stays_empty():
    assert sparkline([1, 2], width=4, length=4) == "▁█  "
    assert sparkline(list(range(100)), width=10, length=200).rstrip() == "▁▃▅▆█"
    assert sparkline([None, None], width=2) == "  "


def test_keys_by_their_names():
    assert keys_in(" n\x1b[C\x1b[Dq") == ["space", "n", "right", "left", "q"]
    assert keys_in("\x1bOC10:45\r\x7f") == ["right", "1", "0", ":", "4", "5", "enter", "erase"]
    assert keys_in("\x1b") == ["escape"]
    assert keys_in("\x1b[5~\x1b[A") == []  # keys that mean nothing


def test_changes_as_they_are_typed():
    assert change_of(["stop_pct=30", "exit=10:00"]) == ({"stop_pct": "30", "exit": "10:00"}, "")
    assert change_of(["close=CE"]) == ({}, "CE")
    assert change_of(["stop_pct=none", "close=0,1"]) == ({"stop_pct": "none"}, [0, 1])


class Film:
    """A player with a clock that is turned by hand."""

    def __init__(self, speed=60.0, at=0, **more):
        self.now = 100.0
        self.player = Player(stepper(at), speed=speed, clock=lambda: self.now, **more)

    def after(self, seconds):
        self.now += seconds
        self.player.advance()
        return self.player.stepper.at

    def press(self, *keys):
        for key in itertools.chain.from_iterable(
            [key] if len(key) > 1 and key[0] != "'" else list(key.strip("'")) for key in keys
        ):
            self.player.press("space" if key == " " else key)
        return self.player.stepper.at


def test_sixty_is_a_bar_a_second():
    film = Film()
    assert film.player.wait == pytest.approx(0.25)
    assert [film.after(0.5) for _ in range(4)] == [0, 1, 1, 2]
    assert film.after(10) == 12
    assert film.after(0.01) == 12


def test_zero_is_a_bar_a_frame():
    film = Film(speed=0.0)
    assert [film.after(0.0) for _ in range(3)] == [1, 2, 3]
    assert film.player.wait == 0.0


def test_it_stops_at_the_end_and_where_it_was_told():
    film = Film(until=5)
    assert film.after(20) == 5
    assert film.player.paused
    film.press("space")
    assert film.after(1000) == 60
    assert film.player.stepper.done
    assert not film.player.running
    assert film.after(10) == 60


def test_pause_and_steps():
    film = Film()
    film.press("space")
    assert film.after(10) == 0
    assert film.press("n") == 1
    assert film.press("right", "right") == 3
    assert film.press("left") == 2
    assert film.press("b", "b", "b") == 0
    assert film.press("space") == 0
    assert film.after(0.5) == 0
    assert film.after(0.6) == 1
    assert film.press("x") == 1


def test_a_key_may_step_further():
    assert Film(stride=15).press("n", "n", "b") == 15


def test_speed():
    film = Film()
    film.press("+")
    assert film.player.speed == 120
    film.press("-", "-", "-")
    assert film.player.speed == 20
    film.press(*["-"] * 20)
    assert film.player.speed == SPEEDS[0]
    film.press(*["="] * 30)
    assert film.player.speed == SPEEDS[-1]
    odd = Film(speed=45)
    odd.press("+")
    assert odd.player.speed == 60


def test_a_jump_is_typed():
    film = Film()
    assert film.press("j", "'9:99'", "erase", "erase", "'45'", "enter") == 30
    assert film.player.paused
    film.press("j", "'25:00'", "enter")
    assert "Expected a time" in film.player.message
    assert film.press("j", "'9'", "escape") == 30
    assert not film.player.asking
    film.press("n")
    assert film.player.message == ""


def test_nothing_runs_while_something_is_typed():
    film = Film()
    film.press("j")
    assert film.after(30) == 0
    assert film.player.typed == ""


def test_what_if_is_looked_at_and_left():
    film = Film(at=8)
    film.press("w", "'stop_pct=2'", "enter")
    assert film.player.what_if.change == {"stop_pct": "2"}
    assert film.after(30) == 8
    film.press("space")
    assert film.player.what_if is None
    assert film.player.stepper.settings.stop_pct == 8
    film.press("w", "'close=all stop_pct=3'", "enter", "t")
    assert film.player.stepper.settings.stop_pct == 3
    assert "going on" in film.player.message
    assert film.press("n") == 9
    assert {leg.state for leg in film.player.stepper.snapshot().positions} == {"closed"}


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("stop=3", "no parameter of straddle 'stop'"),
        ("30", "expected KEY=VALUE"),
        ("close=call", "Expected close"),
        ("", "got nothing"),
    ],
)
def test_a_what_if_that_cannot_be_is_told(typed, says):
    film = Film(at=20)
    film.press("w", f"'{typed}'", "enter")
    assert film.player.what_if is None
    assert says in film.player.message
    assert not film.player.over


@pytest.mark.parametrize("key", ["q", "escape", "end"])
def test_leaving(key):
    film = Film()
    film.press(key)
    assert film.player.over


def drawn(run, playing, width, height):
    console = Console(width=width, height=height, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(screen(run.snapshot(around=20), playing, width=width, height=height), height=height)
    console.file.close()
    return console.export_text()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (140, 40), (240, 70)])
def test_the_screen_has_everything_at_any_size(width, height):
    run = stepper(30)
    shown = drawn(run, Playing(speed=60, paused=True), width, height)
    lines = shown.splitlines()
    assert len(lines) == height
    assert max(map(len, lines)) <= width
    for words in (
        "straddle on NIFTY",
        "09:45",
        "bar 30/60",
        "paused, x60",
        "chain ",
        "positions",
        "straddle at the money",
        "held",
        "P&L",
        "orders and fills",
        "space pause",
        "stop",
    ):
        assert words in shown, words
    assert "…" not in shown
    leg = run.snapshot().positions[0]
    assert leg.contract in shown
    assert f"{run.snapshot().account.pnl:+,.2f}" in shown


def test_the_screen_while_asking_and_comparing():
    run = stepper(8)
    assert "jump (time, such as 10:45): 9:4_" in drawn(run, Playing(asking="jump", typed="9:4"), 120, 30)
    assert "no such thing" in drawn(run, Playing(message="no such thing"), 120, 30)
    what_if = run.what_if({"stop_pct": 2})
    shown = drawn(run, Playing(what_if=what_if), 120, 30)
    assert "What if stop_pct=2 from 09:23 on" in shown
    assert "Trades that differ" in shown
    assert "t take the change" in shown
    assert "over" in drawn(stepper(60), Playing(done=True, paused=True), 120, 30)
    assert drawn(stepper(0), Playing(), 80, 24)


def test_the_moments_that_are_printed():
    assert _moments(0, 60, 25) == [25, 50, 60]
    assert _moments(45, 85, 15) == [45, 60, 75, 85]
    assert _moments(45, 45, 15) == [45]
    assert _moments(0, 60, 100) == [60]


def test_simulated_sessions_before_it_are_counted():
    first, last = date(2024, 1, 25), date(2024, 1, 30)  # between them a holiday and a weekend
    source = _source(last, "NIFTY", first, None, simulate=True, seed=3)
    assert (source.simulate, source.start, source.seed) == (3, first, 3)
    stored = _source(last, None, None, "home", simulate=False, seed=None)
    assert (stored.first, stored.last, stored.home) == (last, last, "home")


def text_of(parts):
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    for part in parts:
        console.print(part)
    console.file.close()
    return console.export_text()


def test_a_comparison_as_text():
    what_if = stepper(8).what_if({"stop_pct": 2}, close="PE")
    shown = text_of(what_if_parts(what_if))
    assert "What if stop_pct=2, close=PE from 09:23 on" in shown
    assert "Trades that differ: as it was, what if" in shown
    late = text_of(what_if_parts(stepper(30).what_if({"entry": "09:19"})))
    assert "nothing" in late


def test_a_moment_as_text():
    text = text_of(snapshot_parts(stepper(30).snapshot()))
    assert "bar 30/60" in text
    assert "strike" in text
    assert "in at" in text
    assert "reason" in text
