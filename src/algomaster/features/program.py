"""From series to a program: nodes in an order in which each finds its inputs written, rows of the tape for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from algomaster.core.types import FloatArray
from algomaster.features.kernels.machine import Code
from algomaster.features.series import Node, Series

__all__ = ["Program", "build", "nodes_of"]


@dataclasses.dataclass(frozen=True, eq=False)
class Program:
    """What the machine needs to advance some series.

    Attributes
    ----------
    code : Code
        Rows stand in it as -1, -2, ..., numbers by their place among the numbers.
    kernels : tuple of callables
        Those that the lines of the code count.
    inputs : tuple of str
        Names of the series that come with each bar, in the order in which they are handed over; ``ts`` first.
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
    given = sorted((node for node in order if node.kernel is None), key=lambda node: node.name != "ts")
    code = Code(
        lines=np.array(lines, dtype=np.int64).ravel(),
        places=np.array(places, dtype=np.int64),
        results=np.array(results, dtype=np.int64).ravel(),
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
