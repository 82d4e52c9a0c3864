"""From series to a program: nodes in an order in which each finds its inputs written, rows of the tape for each."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np

from algomaster.core.types import FloatArray
from algomaster.features.kernels.machine import Code, advance_for
from algomaster.features.series import Node, Series

__all__ = ["Program", "Tape", "build", "nodes_of"]

CHUNK: Final = 256
"""Bars the tape takes at once: enough that a call of a kernel costs nothing beside its work, and few enough that the
rows stay in the second-level cache."""


LINE: Final = 8
"""Numbers in a line of the cache: rows begin with one, as vector code takes twice as long across two."""


@dataclasses.dataclass(frozen=True, eq=False)
class Program:
    """What the machine needs to advance some series.

    Attributes
    ----------
    code : Code
        Places are those on the tape of one underlying.
    kernels : tuple of callables
        Those that the lines of the code count.
    inputs : tuple of str
        Names of the series that come with each bar, in the order in which they are handed over.
    history : int
        Bars of the past that are looked back on.
    rows : int
        Of the tape.
    numbers : (Q,) float64
        What stands on the tape behind its rows.
    begin : tuple of float
        State before the first bar, which stands behind the numbers.
    states : (N, 2) int64
        Where in ``begin`` each line's state stands: first and end.
    width : int
        Series that come out.
    """

    code: Code
    kernels: tuple[Callable[..., None], ...]
    inputs: tuple[str, ...]
    history: int
    rows: int
    numbers: FloatArray
    begin: tuple[float, ...]
    states: tuple[tuple[int, int], ...]
    width: int

    def tape(self, underlyings: int = 1, *, bars: int = CHUNK) -> Tape:
        """Give a tape whose past is missing, for so many underlyings that take turns and so many bars at once."""
        return Tape(self, underlyings, bars)


class Tape:
    """A program's rows, numbers and states in one array, and how far they have come.

    Parameters
    ----------
    program : Program
    stride : int
        Underlyings that take turns in the columns.
    bars : int
        New bars the rows have room for beside their past.
    """

    def __init__(self, program: Program, stride: int = 1, bars: int = CHUNK) -> None:
        self.program = program
        self.stride = stride
        line = math.lcm(stride, LINE)
        self.history = -(-program.history * stride // line) * line
        self.capacity = self.history + -(-bars * stride // line) * line
        self.cursor = self.history
        self._advance = advance_for(program.kernels)
        states = [np.tile(program.begin[first:end], stride) for first, end in program.states]
        self._from = program.rows * self.capacity + program.numbers.size
        self.array = _aligned([np.full(program.rows * self.capacity, np.nan), program.numbers, *states])
        self.code = self._placed()

    def _placed(self) -> Code:
        """Give the code with the places of this tape: rows are counted in it as -1 - row, the rest from 0."""
        code, capacity = self.program.code, self.capacity

        def rows(values: np.ndarray) -> np.ndarray:
            return (-1 - values) * capacity

        places = np.where(code.places < 0, rows(code.places), code.places)
        size = self.program.rows * capacity
        sizes = np.array([end - first for first, end in self.program.states], dtype=np.int64) * self.stride
        ends = np.cumsum(sizes)
        heads = code.lines[:-1, 1]
        places[heads] = code.places[heads] + size
        places[heads + 1] = self._from + ends - sizes
        results = code.results.copy()
        results[:, 0] = rows(results[:, 0])
        return Code(code.lines, places, results, rows(code.kept), rows(code.given))

    def advance(self, series: FloatArray, out: FloatArray, first: int, last: int) -> None:
        """Take columns ``first`` to ``last - 1`` of ``series`` through the program into those of ``out``."""
        self.cursor = self._advance(
            self.code, self.array, self.history, self.capacity, self.stride, self.cursor, series, out, first, last
        )

    def memory(self) -> FloatArray:
        """Give all that the next bar depends on: states, then the past of each row that is looked back on."""
        past = self.code.kept[:, None] + np.arange(self.cursor - self.history, self.cursor)
        found: FloatArray = np.concatenate([self.array[self._from :], self.array[past].ravel()])
        return found

    def recall(self, memory: FloatArray) -> None:
        """Go on from what :meth:`memory` gave."""
        states = self.array.size - self._from
        self.array[: self.program.rows * self.capacity] = np.nan
        self.array[self._from :] = memory[:states]
        self.cursor = self.history
        past = self.code.kept[:, None] + np.arange(self.history)
        self.array[past] = memory[states:].reshape(past.shape)


def _aligned(parts: list[FloatArray]) -> FloatArray:
    """Put arrays one behind the other into one that begins with a line of the cache."""
    size = sum(part.size for part in parts)
    room = np.empty(size + LINE)
    first = -room.ctypes.data // room.itemsize % LINE
    return np.concatenate(parts, out=room[first : first + size])


def nodes_of(outputs: Iterable[Series]) -> list[Node]:
    """Give every node that the series need, each after its inputs."""
    order: list[Node] = []
    seen: set[int] = set()
    stack = [(each.node, False) for each in reversed(list(outputs))]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((each.node, False) for each in reversed(node.inputs))
    return order


def build(outputs: Sequence[Series], kernels: tuple[Callable[..., None], ...]) -> Program:
    """Write the program that gives ``outputs`` in their order.

    Parameters
    ----------
    outputs : sequence of Series
    kernels : tuple of callables
        What the machine is compiled for; must have every kernel that is used.
    """
    order = nodes_of(outputs)
    rows, kept, count = _rows(order)
    which = {kernel: n for n, kernel in enumerate(kernels)}
    wanted: dict[Series, list[int]] = {}
    for place, each in enumerate(outputs):
        wanted.setdefault(each, []).append(place)
    lines: list[tuple[int, int, int]] = []
    places: list[int] = []
    numbers: list[float] = []
    results: list[tuple[int, int]] = []
    begin: list[float] = []
    states: list[tuple[int, int]] = []
    for node in order:
        series = [Series(node, n) for n in range(node.outputs)]
        if node.kernel is None:
            if series[0] in wanted:
                raise ValueError(f"{node.name}: an input is no feature; use it in one")
            continue
        lines.append((which[node.kernel], len(places), len(results)))
        places += [len(numbers), 0]
        places += [-1 - rows[each] for each in (*node.inputs, *series)]
        numbers += node.numbers
        states.append((len(begin), len(begin) + len(node.begin)))
        begin += node.begin
        results += [(-1 - rows[each], place) for each in series for place in wanted.get(each, ())]
    lines.append((0, len(places), len(results)))
    given = [node for node in order if node.kernel is None]
    code = Code(
        lines=np.array(lines, dtype=np.int64),
        places=np.array(places, dtype=np.int64),
        results=np.array(results, dtype=np.int64).reshape(-1, 2),
        kept=np.array([-1 - row for row in kept], dtype=np.int64),
        given=np.array([-1 - rows[Series(node)] for node in given], dtype=np.int64),
    )
    return Program(
        code=code, kernels=kernels, inputs=tuple(node.name for node in given), rows=count, width=len(outputs),
        history=max((node.back for node in order), default=0), numbers=np.array(numbers, dtype=np.float64),
        begin=tuple(begin), states=tuple(states),
    )  # fmt: skip


def _rows(order: list[Node]) -> tuple[dict[Series, int], list[int], int]:
    """Give each series a row: its own where it is looked back on, else one that is free by then.

    A node's rows are free again after the last node that reads them, so that the rows in use stay few and near.
    """
    last: dict[Series, int] = {}
    looked: set[Series] = set()
    for n, node in enumerate(order):
        for each, back in zip(node.inputs, node.backs):
            last[each] = n
            if back:
                looked.add(each)
    rows: dict[Series, int] = {}
    free: list[int] = []
    kept: list[int] = []
    count = 0
    leaving: dict[int, list[int]] = {}
    for n, node in enumerate(order):
        for output in range(node.outputs):
            each = Series(node, output)
            lasting = each in looked or node.kernel is None
            if lasting or not free:
                rows[each] = count
                count += 1
            else:
                rows[each] = free.pop()
            if each in looked:
                kept.append(rows[each])
            if not lasting:
                leaving.setdefault(max(last.get(each, n), n), []).append(rows[each])
        free += leaving.pop(n, ())
    return rows, kept, count
