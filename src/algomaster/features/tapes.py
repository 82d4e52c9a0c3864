"""The memory a program works on: one array that holds the rows of all series, then numbers and states.

Two layouts serve the same kernels. Over history a row's bars lie together, so that a kernel goes through hundreds of
them as vector code. Live a bar's rows lie together, so that one step touches a few lines of the cache; one bar earlier
is then a whole bar's rows earlier, which is all the kernels need to know (their ``stride``).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from algomaster.core.types import FloatArray, IntArray
from algomaster.features.kernels.machine import Code, history_for, live_for, packed
from algomaster.features.program import Program

__all__ = ["LiveTape", "Tape"]

CHUNK: Final = 512
"""Bars of history at once: enough that a call of a kernel costs nothing beside its work, and few enough that the rows
stay in the second-level cache."""

ROOM: Final = 256
"""Live bars between two moves of the past to the front."""

LINE: Final = 8
"""Numbers in a line of the cache: rows begin with one, as vector code takes twice as long across two."""


class Tape:
    """History: a program's rows one behind the other, and how far they have come.

    Parameters
    ----------
    program : Program
    """

    def __init__(self, program: Program) -> None:
        self.history = _up(program.history)
        self.capacity = self.history + CHUNK
        self.cursor = self.history
        self._advance = history_for(program.kernels)
        self.array, self.code, _ = _laid(program, self.capacity, program.rows * self.capacity, 1)

    def advance(self, series: FloatArray, out: FloatArray, first: int, last: int, at: int = 0) -> None:
        """Take columns ``first`` to ``last - 1`` of ``series`` through the program, into ``out`` from ``at`` on."""
        self.cursor = self._advance(
            self.code, self.array, self.history, self.capacity, self.cursor, series, out, first, last, at
        )


class LiveTape:
    """Live: bar behind bar, in each a program's rows with a value for every underlying.

    Parameters
    ----------
    program : Program
    underlyings : int
        How many advance together.
    """

    def __init__(self, program: Program, underlyings: int = 1) -> None:
        self.underlyings = underlyings
        self.stride = _up(program.rows * underlyings)
        self.history = program.history
        self.capacity = self.history + ROOM
        self.cursor = self.history
        self._advance = live_for(program.kernels)
        size = self.capacity * self.stride
        self.array, self.code, self._states = _laid(program, underlyings, size, underlyings)

    def advance(self, bars: FloatArray, out: FloatArray) -> None:
        """Take the bars of one moment (C, N) through the program into ``out`` (F, N)."""
        self.cursor = self._advance(
            self.code, self.array, self.history, self.capacity, self.stride, self.cursor, bars, out
        )

    def memory(self) -> FloatArray:
        """Give all that the next bar depends on: states, then the bars that are looked back on."""
        past = self.array[(self.cursor - self.history) * self.stride : self.cursor * self.stride]
        found: FloatArray = np.concatenate([self.array[self._states :], past])
        return found

    def recall(self, memory: FloatArray) -> None:
        """Go on from what :meth:`memory` gave."""
        states = self.array.size - self._states
        self.array[self._states :] = memory[:states]
        self.array[: self.history * self.stride] = memory[states:]
        self.cursor = self.history


def _up(count: int) -> int:
    return -(-count // LINE) * LINE


def _laid(program: Program, row: int, size: int, underlyings: int) -> tuple[FloatArray, IntArray, int]:
    """Give the array, the program with its places in one array, and where states begin.

    ``row`` is how far apart rows begin, ``size`` how much all rows take.
    """
    code = program.code
    states = [np.tile(program.begin[first:end], underlyings) for first, end in program.states]
    begun = size + program.numbers.size
    sizes = np.array([state.size for state in states], dtype=np.int64)

    def rows(values: IntArray) -> IntArray:
        return (-1 - values) * row

    places = np.where(code.places < 0, rows(code.places), code.places)
    heads = code.lines[1:-3:3]
    places[heads] = code.places[heads] + size
    places[heads + 1] = begun + np.cumsum(sizes) - sizes
    results = code.results.copy()
    results[::2] = rows(results[::2])
    array = _aligned([np.full(size, np.nan), program.numbers, *states])
    return array, packed(Code(code.lines, places, results, rows(code.kept), rows(code.given))), begun


def _aligned(parts: list[FloatArray]) -> FloatArray:
    """Put arrays one behind the other into one that begins with a line of the cache."""
    size = sum(part.size for part in parts)
    room = np.empty(size + LINE)
    first = -room.ctypes.data // room.itemsize % LINE
    return np.concatenate(parts, out=room[first : first + size])
