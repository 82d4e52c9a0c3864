"""What the keys of a live replay do: pause, step, jump, change speed, ask what if. Knows no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import typer

from algo.job import assignments
from algomaster.core.errors import AlgoError

if TYPE_CHECKING:
    from algomaster.backtest import Stepper, WhatIf

__all__ = ["SPEEDS", "Player", "change_of"]

SPEEDS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600)
"""Speeds that + and - go through; 60 is a bar a second."""

_MINUTE = 60.0
_LONGEST = 0.25
"""Seconds a frame stands at most while nothing happens."""


def change_of(texts: Sequence[str], option: str = "--what-if") -> tuple[dict[str, str], str | list[int]]:
    """Read ``stop_pct=30`` as a setting and ``close=all``, ``close=CE``, ``close=0,1`` as legs to leave by hand."""
    change = assignments(texts, option)
    close = change.pop("close", "")
    parts = close.split(",")
    return change, [int(part) for part in parts] if all(part.strip().isdigit() for part in parts) else close


class Player:
    """A stepper that is played like a film.

    Attributes
    ----------
    stepper : Stepper
    speed : float
        How many times faster than the market; 0 for a bar a frame.
    paused, over : bool
    asking : str
        What is being typed: "" nothing, "jump" a time, "what if" a change.
    typed, message : str
    what_if : WhatIf or None
        A comparison that is being looked at.
    """

    def __init__(
        self,
        stepper: Stepper,
        *,
        speed: float,
        stride: int = 1,
        until: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stepper = stepper
        self.speed = speed
        self.stride = stride
        self.until = stepper.bars if until is None else until
        self.paused = False
        self.over = False
        self.asking = ""
        self.typed = ""
        self.message = ""
        self.what_if: WhatIf | None = None
        self._asked: tuple[dict[str, str], str | list[int]] = ({}, "")
        self._clock = clock
        self._due = clock() + self._interval

    @property
    def running(self) -> bool:
        """Whether time goes on by itself."""
        return not (self.paused or self.asking or self.what_if or self.stepper.done)

    @property
    def wait(self) -> float:
        """Seconds until something is due."""
        return min(max(self._due - self._clock(), 0.0), _LONGEST) if self.running else _LONGEST

    @property
    def _interval(self) -> float:
        return _MINUTE / self.speed if self.speed else 0.0

    def advance(self) -> None:
        """Let the bars close that are due."""
        now = self._clock()
        if not self.running or now < self._due:
            return
        bars = 1 + int((now - self._due) / self._interval) if self.speed else 1
        stop = self.until if self.stepper.at < self.until else self.stepper.bars
        self.stepper.step(min(bars, stop - self.stepper.at))
        self.paused = self.stepper.at == stop
        self._due += bars * self._interval

    def press(self, key: str) -> None:
        """Do what a key means."""
        if key == "end":
            self.over = True
        elif self.asking:
            self._type(key)
        elif self.what_if is not None:
            self._leave_what_if(key)
        else:
            self.message = ""
            action = self._actions.get(key)
            if action is not None:
                action()
        self._due = max(self._due, self._clock())

    @property
    def _actions(self) -> dict[str, Callable[[], Any]]:
        return {
            "space": self._pause,
            "right": lambda: self._step(self.stride),
            "n": lambda: self._step(self.stride),
            "left": lambda: self._step(-self.stride),
            "b": lambda: self._step(-self.stride),
            "j": lambda: self._ask("jump"),
            "w": lambda: self._ask("what if"),
            "+": lambda: self._faster(1),
            "=": lambda: self._faster(1),
            "-": lambda: self._faster(-1),
            "q": self._quit,
            "escape": self._quit,
        }

    def _pause(self) -> None:
        self.paused = not self.paused
        self._due = self._clock() + self._interval

    def _step(self, bars: int) -> None:
        self.paused = True
        self.stepper.step(bars)

    def _ask(self, what: str) -> None:
        self.asking, self.typed = what, ""

    def _faster(self, by: int) -> None:
        places = [place for place, speed in enumerate(SPEEDS) if speed <= self.speed] or [0]
        self.speed = SPEEDS[max(0, min(len(SPEEDS) - 1, places[-1] + by))]
        self._due = self._clock() + self._interval

    def _quit(self) -> None:
        self.over = True

    def _type(self, key: str) -> None:
        if key == "escape":
            self.asking = ""
        elif key == "erase":
            self.typed = self.typed[:-1]
        elif key == "enter":
            what, text, self.asking = self.asking, self.typed.strip(), ""
            try:
                self._answer(what, text)
            except (AlgoError, typer.BadParameter) as problem:
                self.message = str(problem)
        else:
            self.typed += " " if key == "space" else key if len(key) == 1 else ""

    def _answer(self, what: str, text: str) -> None:
        if what == "jump":
            self.stepper.seek(text)
            self.paused = True
            return
        self._asked = change_of(text.split(), "what if")
        change, close = self._asked
        self.what_if = self.stepper.what_if(change, close=close)

    def _leave_what_if(self, key: str) -> None:
        change, close = self._asked
        self.what_if = None
        self.paused = True
        if key == "t":
            self.stepper = self.stepper.branch(change, close=close)
            self.message = "going on with the change"
