"""Keys of a terminal, one by one, without waiting for Enter."""

from __future__ import annotations

import contextlib
import os
import re
import select
import termios
import tty
from collections.abc import Iterator

__all__ = ["Keyboard", "keyboard", "keys_in"]

_NAMES = {"\x1b[C": "right", "\x1bOC": "right", "\x1b[D": "left", "\x1bOD": "left", "\x1b": "escape", " ": "space"}
_NAMES |= {"\r": "enter", "\n": "enter", "\x7f": "erase", "\x08": "erase", "\x04": "end"}
_ONE = re.compile(r"\x1b[\[O][0-9;]*[A-Za-z~]|.", re.DOTALL)


def keys_in(text: str) -> list[str]:
    """Take what a terminal sent apart into keys: their names, or the character itself."""
    return [_NAMES.get(key, key) for key in _ONE.findall(text) if key in _NAMES or len(key) == 1]


class Keyboard:
    """Keys pressed on a terminal; from :func:`keyboard`."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal

    def read(self, seconds: float) -> list[str]:
        """Give the keys pressed, waiting so long for the first; "end" when the terminal has gone."""
        ready, _, _ = select.select([self._terminal], [], [], max(seconds, 0.0))
        if not ready:
            return []
        try:
            sent = os.read(self._terminal, 1024)
        except OSError:  # the other side of a pseudo-terminal has been closed
            sent = b""
        return keys_in(sent.decode(errors="ignore")) if sent else ["end"]


@contextlib.contextmanager
def keyboard(terminal: int) -> Iterator[Keyboard]:
    """Take over a terminal's keys; its settings come back afterwards."""
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)
        yield Keyboard(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
