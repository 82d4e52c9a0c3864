"""The machine that advances a program of features over the tape, and its drivers over history and live.

A program is data: arrays that say which kernel reads which rows with which numbers. The machine is compiled once for a
set of kernels, not for a set of features, so that asking for other features compiles nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from algomaster.core.jit import kernel, python_of
from algomaster.core.types import FloatArray, IntArray

__all__ = ["Code", "history_for", "live_for", "packed"]


class Code(NamedTuple):
    """A program in arrays; what they say of places counts from the beginning of the tape.

    Attributes
    ----------
    lines : (3 (N + 1),) int64
        For each use of a kernel: which one, where its places begin, where its results begin. They end where the next
        line's begin; the last line only ends.
    places : (P,) int64
        What a kernel is handed as its ``line``.
    results : (2 R,) int64
        For each result: place of a row, and the row of the output it goes to.
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


def packed(code: Code) -> IntArray:
    """Give a program as one array, for handing over many cost more than a bar: where its five arrays end, then they."""
    ends = len(code) + np.cumsum([part.size for part in code])
    return np.concatenate([ends, *code])


@functools.cache
def history_for(kernels: tuple[Callable[..., None], ...]) -> Callable[..., int]:
    """Give the driver ``history(program, tape, past, capacity, cursor, series, out, first, last, at)``.

    It takes columns ``first`` to ``last - 1`` of ``series`` (C, T) through the program and writes the columns ``at``
    further on of ``out``. Rows of the tape have ``capacity`` columns; those before ``cursor`` are the past, of which
    the last ``past`` are ever looked at. It gives the new cursor.
    """
    machine = _machine(kernels)

    def history(
        program: IntArray,
        tape: FloatArray,
        past: int,
        capacity: int,
        cursor: int,
        series: FloatArray,
        out: FloatArray,
        first: int,
        last: int,
        at: int,
    ) -> int:
        a, b, c, d, e = program[0], program[1], program[2], program[3], program[4]
        code = Code(program[5:a], program[a:b], program[b:c], program[c:d], program[d:e])
        while first < last:
            if cursor == capacity:
                for r in range(code.kept.size):
                    _move(tape, code.kept[r], code.kept[r] + capacity - past, past)
                cursor = past
            count = min(capacity - cursor, last - first)
            for g in range(code.given.size):
                row = tape[code.given[g] + cursor : code.given[g] + cursor + count]
                values = series[g, first : first + count]
                for i in range(count):
                    row[i] = values[i]
            machine(code, tape, cursor, cursor + count, 1, out, at + first)
            cursor += count
            first += count
        return cursor

    history.__module__ = __name__
    driver: Callable[..., int] = kernel(lean=True)(history)
    return driver


@functools.cache
def live_for(kernels: tuple[Callable[..., None], ...]) -> Callable[..., int]:
    """Give the driver ``live(program, tape, past, capacity, stride, cursor, bars, out)`` for these kernels.

    It takes the bars of one moment (C, N) through the program into ``out`` (F, N). The tape has ``capacity`` bars of
    ``stride`` numbers; those before ``cursor`` are the past, of which the last ``past`` are ever looked at. It gives
    the new cursor.
    """
    machine = _machine(kernels)

    def live(
        program: IntArray,
        tape: FloatArray,
        past: int,
        capacity: int,
        stride: int,
        cursor: int,
        bars: FloatArray,
        out: FloatArray,
    ) -> int:
        a, b, c, d, e = program[0], program[1], program[2], program[3], program[4]
        code = Code(program[5:a], program[a:b], program[b:c], program[c:d], program[d:e])
        if cursor == capacity:
            _move(tape, 0, (capacity - past) * stride, past * stride)
            cursor = past
        start, count = cursor * stride, bars.shape[1]
        for g in range(code.given.size):
            for i in range(count):
                tape[code.given[g] + start + i] = bars[g, i]
        machine(code, tape, start, start + count, stride, out, 0)
        return cursor + 1

    live.__module__ = __name__
    driver: Callable[..., int] = kernel(lean=True)(live)
    return driver


@kernel(lean=True, inner=True)
def _move(tape: FloatArray, to: int, origin: int, count: int) -> None:
    target, source = tape[to : to + count], tape[origin : origin + count]
    for i in range(count):
        target[i] = source[i]


@functools.cache
def _machine(kernels: tuple[Callable[..., None], ...]) -> Callable[..., None]:
    """Write the machine: one line of the program after the other, each by its kernel.

    The kernels are part of it, as a call costs as much as the work on one bar. Few results leave the tape with as
    little ado as possible, many as vector code.
    """
    kernels = tuple(_inlined(each) for each in kernels)
    calls = "\n".join(
        f"        {'if' if n == 0 else 'elif'} which == {n}:\n            kernel_{n}(tape, line, start, stop, stride)"
        for n in range(len(kernels))
    )
    text = f"""
def machine(code, tape, start, stop, stride, out, at):
    lines, results = code.lines, code.results
    for n in range(lines.size // 3 - 1):
        which = lines[3 * n]
        line = code.places[lines[3 * n + 1]:lines[3 * n + 4]]
{calls}
        for r in range(lines[3 * n + 2], lines[3 * n + 5]):
            if stop - start < 8:
                for i in range(stop - start):
                    out[results[2 * r + 1], at + i] = tape[results[2 * r] + start + i]
            else:
                row = tape[results[2 * r] + start:results[2 * r] + stop]
                target = out[results[2 * r + 1], at:at + stop - start]
                for i in range(stop - start):
                    target[i] = row[i]
"""
    names: dict[str, Any] = {f"kernel_{n}": each for n, each in enumerate(kernels)}
    names["__name__"] = __name__
    exec(compile(text, __file__, "exec"), names)
    written: Callable[..., None] = kernel(lean=True, inner=True)(names["machine"])
    return written


def _inlined(each: Callable[..., None]) -> Callable[..., None]:
    """Give one of our kernels as a part of its caller; those of users may need what ours do without."""
    if not each.__module__.startswith(f"{__package__}."):
        return each
    inlined: Callable[..., None] = kernel(inline=True, lean=True, inner=True)(python_of(each))
    return inlined
