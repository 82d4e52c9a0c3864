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
    """A program in arrays.

    ``lines`` (N, 8): kernel, first input, first output, end of both, first and end of state, first number, first result;
    a line's numbers and results end where the next one's begin, so there is a last line that only ends.
    ``rows`` says which rows of the tape inputs and outputs are; ``numbers`` the kernels' parameters; ``results``
    (R, 2) which rows go to which rows of the output; ``kept`` the rows that are looked back on; ``given`` the row of
    each input series.
    """

    lines: IntArray
    rows: IntArray
    numbers: FloatArray
    results: IntArray
    kept: IntArray
    given: IntArray


@functools.cache
def advance_for(kernels: tuple[Callable[..., None], ...]) -> Callable[..., int]:
    """Give the driver ``advance(code, state, tape, history, cursor, series, out, first, last)`` for these kernels.

    It takes columns ``first`` to ``last - 1`` of ``series`` (C, T) through the program and writes the same columns of
    ``out`` (F, T); the tape's columns before ``cursor`` are the past. It gives the new cursor.
    """
    machine = _machine(kernels)

    def advance(
        code: Code,
        state: FloatArray,
        tape: FloatArray,
        history: int,
        cursor: int,
        series: FloatArray,
        out: FloatArray,
        first: int,
        last: int,
    ) -> int:
        capacity = tape.shape[1]
        while first < last:
            if cursor == capacity:
                for r in range(code.kept.size):
                    row = tape[code.kept[r]]
                    for i in range(history):
                        row[i] = row[capacity - history + i]
                cursor = history
            count = min(capacity - cursor, last - first)
            for c in range(code.given.size):
                row = tape[code.given[c]]
                for i in range(count):
                    row[cursor + i] = series[c, first + i]
            machine(code, state, tape, cursor, cursor + count, out, first)
            cursor += count
            first += count
        return cursor

    advance.__module__ = __name__
    driver: Callable[..., int] = kernel(lean=True)(advance)
    return driver


def _machine(kernels: tuple[Callable[..., None], ...]) -> Callable[..., None]:
    """Write the machine: one line of the program after the other, each by its kernel."""
    calls = "\n".join(
        f"        {'if' if n == 0 else 'elif'} which == {n}:\n"
        f"            kernel_{n}(tape, ins, outs, own, numbers, start, stop)"
        for n in range(len(kernels))
    )
    text = f"""
def machine(code, state, tape, start, stop, out, at):
    lines, results = code.lines, code.results
    for n in range(lines.shape[0] - 1):
        which = lines[n, 0]
        ins = code.rows[lines[n, 1]:lines[n, 2]]
        outs = code.rows[lines[n, 2]:lines[n, 3]]
        own = state[lines[n, 4]:lines[n, 5]]
        numbers = code.numbers[lines[n, 6]:lines[n + 1, 6]]
{calls}
        for r in range(lines[n, 7], lines[n + 1, 7]):
            row = tape[results[r, 0]]
            for i in range(stop - start):
                out[results[r, 1], at + i] = row[start + i]
"""
    names: dict[str, Any] = {f"kernel_{n}": each for n, each in enumerate(kernels)}
    names["__name__"] = __name__
    exec(compile(text, __file__, "exec"), names)
    written: Callable[..., None] = kernel(lean=True, inner=True)(names["machine"])
    return written
