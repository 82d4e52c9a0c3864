"""The machine that advances a program of features over the tape, and its driver over a history.

A program is data: arrays that say which kernel reads which rows with which numbers. The machine is compiled once for a
set of kernels, not for a set of features, so that asking for other features compiles nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray

__all__ = ["Code", "advance_for"]


class Code(NamedTuple):
    """A program in arrays; what they say of places counts from the beginning of the tape.

    Attributes
    ----------
    lines : (N + 1, 3) int64
        For each use of a kernel: which one, where its places begin, where its results begin. They end where the next
        line's begin; the last line only ends.
    places : (P,) int64
        What a kernel is handed as its ``line``.
    results : (R, 2) int64
        Place of a row, and the row of the output it goes to.
    kept : (K,) int64
        Places of the rows that are looked back on.
    given : (C,) int64
        Places of the rows of the series that come with each bar.
    """

    lines: IntArray
    places: IntArray
    results: IntArray
    kept: IntArray
    given: IntArray


@functools.cache
def advance_for(kernels: tuple[Callable[..., None], ...]) -> Callable[..., int]:
    """Give the driver ``advance(code, tape, history, capacity, stride, cursor, series, out, first, last)``.

    It takes columns ``first`` to ``last - 1`` of ``series`` (C, T) through the program and writes the same columns of
    ``out`` (F, T). Rows of the tape have ``capacity`` columns, those before ``cursor`` are the past, of which the last
    ``history`` are ever looked at. It gives the new cursor. All counts of columns are multiples of ``stride``.
    """
    machine = _machine(kernels)

    def advance(
        code: Code,
        tape: FloatArray,
        history: int,
        capacity: int,
        stride: int,
        cursor: int,
        series: FloatArray,
        out: FloatArray,
        first: int,
        last: int,
    ) -> int:
        while first < last:
            if cursor == capacity:
                for r in range(code.kept.size):
                    begun = tape[code.kept[r] : code.kept[r] + history]
                    end = tape[code.kept[r] + capacity - history : code.kept[r] + capacity]
                    for i in range(history):
                        begun[i] = end[i]
                cursor = history
            count = min(capacity - cursor, last - first)
            for c in range(code.given.size):
                row = tape[code.given[c] + cursor : code.given[c] + cursor + count]
                values = series[c, first : first + count]
                for i in range(count):
                    row[i] = values[i]
            machine(code, tape, cursor, cursor + count, stride, out, first)
            cursor += count
            first += count
        return cursor

    advance.__module__ = __name__
    driver: Callable[..., int] = kernel(lean=True)(advance)
    return driver


def _machine(kernels: tuple[Callable[..., None], ...]) -> Callable[..., None]:
    """Write the machine: one line of the program after the other, each by its kernel."""
    calls = "\n".join(
        f"        {'if' if n == 0 else 'elif'} which == {n}:\n            kernel_{n}(tape, line, start, stop, stride)"
        for n in range(len(kernels))
    )
    text = f"""
def machine(code, tape, start, stop, stride, out, at):
    lines, results = code.lines, code.results
    for n in range(lines.shape[0] - 1):
        which = lines[n, 0]
        line = code.places[lines[n, 1]:lines[n + 1, 1]]
{calls}
        for r in range(lines[n, 2], lines[n + 1, 2]):
            row = tape[results[r, 0] + start:results[r, 0] + stop]
            target = out[results[r, 1], at:at + stop - start]
            for i in range(stop - start):
                target[i] = row[i]
"""
    names: dict[str, Any] = {f"kernel_{n}": each for n, each in enumerate(kernels)}
    names["__name__"] = __name__
    exec(compile(text, __file__, "exec"), names)
    written: Callable[..., None] = kernel(lean=True, inner=True)(names["machine"])
    return written
