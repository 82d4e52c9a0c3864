"""From series to a program: nodes in an order in which each finds its inputs written, rows of the tape for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np

from algomaster.core.types import FloatArray
from algomaster.features.kernels.machine import Code, advance_for
from algomaster.features.series import Node, Series

__all__ = ["Program", "build", "nodes_of"]

CHUNK: Final = 256
"""Columns the tape takes at once: enough that a call of a kernel costs nothing beside its work, and few enough that
the rows stay in the second-level cache."""


@dataclasses.dataclass(frozen=True, eq=False)
class Program:
    """What the machine needs to advance some series.

    Attributes
    ----------
    code : Code
    kernels : tuple of callables
        Those that the lines of the code count.
    inputs : tuple of str
        Names of the series that come with each bar, in the order in which they are handed over.
    history : int
        Columns of the past that are looked back on.
    rows : int
        Of the tape.
    begin : (S,) float64
        State before the first bar.
    width : int
        Series that come out.
    """

    code: Code
    kernels: tuple[Callable[..., None], ...]
    inputs: tuple[str, ...]
    history: int
    rows: int
    begin: FloatArray
    width: int

    @property
    def advance(self) -> Callable[..., int]:
        """The compiled driver."""
        return advance_for(self.kernels)

    def tape(self) -> FloatArray:
        """Give a tape whose past is missing; its cursor stands at ``history``."""
        return np.full((self.rows, self.history + CHUNK), np.nan)


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
    rows, kept, count = _rows(order, outputs)
    which = {kernel: n for n, kernel in enumerate(kernels)}
    wanted: dict[Series, list[int]] = {}
    for place, each in enumerate(outputs):
        wanted.setdefault(each, []).append(place)
    lines: list[list[int]] = []
    places: list[int] = []
    numbers: list[float] = []
    results: list[tuple[int, int]] = []
    begin: list[float] = []
    for node in order:
        if node.kernel is not None:
            first = len(places)
            places += [rows[each] for each in node.inputs]
            middle = len(places)
            places += [rows[Series(node, n)] for n in range(node.outputs)]
            lines.append([
                which[node.kernel], first, middle, len(places), len(begin), len(begin) + len(node.begin), len(numbers),
                len(results),
            ])  # fmt: skip
            begin += node.begin
            numbers += node.numbers
        elif any(Series(node) == each for each in wanted):
            raise ValueError(f"{node.name}: an input is no feature; use it in one")
        results += [
            (rows[Series(node, n)], place) for n in range(node.outputs) for place in wanted.get(Series(node, n), ())
        ]
    lines.append([0, 0, 0, 0, 0, 0, len(numbers), len(results)])
    given = [node for node in order if node.kernel is None]
    code = Code(
        lines=np.array(lines, dtype=np.int64),
        rows=np.array(places, dtype=np.int64),
        numbers=np.array(numbers, dtype=np.float64),
        results=np.array(results, dtype=np.int64).reshape(-1, 2),
        kept=np.array(kept, dtype=np.int64),
        given=np.array([rows[Series(node)] for node in given], dtype=np.int64),
    )
    history = max((node.back for node in order), default=0)
    names = tuple(node.name for node in given)
    return Program(code, kernels, names, history, count, np.array(begin, dtype=np.float64), len(outputs))


def _rows(order: list[Node], outputs: Sequence[Series]) -> tuple[dict[Series, int], list[int], int]:
    """Give each series a row: its own where it is looked back on, else one that is free by then.

    A node's rows are free again after the last node that reads them, so that the rows in use stay few and near.
    """
    last: dict[Any, int] = {}
    looked: set[Any] = set()
    for n, node in enumerate(order):
        for each, back in zip(node.inputs, node.backs):
            last[each] = n
            if back:
                looked.add(each)
    rows: dict[Series, int] = {}
    free: list[int] = []
    count = 0
    kept = []
    leaving: dict[int, list[Series]] = {}
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
                leaving.setdefault(max(last.get(each, n), n), []).append(each)
        for each in leaving.pop(n, ()):
            free.append(rows[each])
    return rows, kept, count
