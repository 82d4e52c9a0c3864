"""Series and the nodes that give them: which kernel reads which series with which numbers.

The same node written twice is the same object, so features share whatever they have in common. Nothing is computed
here: :mod:`algomaster.features.program` turns nodes into a program for the machine.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Final

from algomaster.features.kernels import elementwise as one

__all__ = ["NAN", "Kernel", "Node", "Series", "given", "node", "outputs_of"]

Kernel = Callable[..., None]
NAN: Final = float("nan")


@dataclasses.dataclass(frozen=True, eq=False)
class Node:
    """One use of a kernel: equal uses are one object, so identity is equality.

    Attributes
    ----------
    kernel : callable or None
        None for a series that is given.
    inputs : tuple of Series
    numbers : tuple of float
        The kernel's parameters.
    outputs : int
        How many series it writes.
    backs : tuple of int
        How many bars it looks back on each input.
    waits : tuple of int
        How many values of each input it needs before its first value, less one.
    begin : tuple of float
        Its state before the first bar.
    name : str
        Of a given series.
    """

    kernel: Kernel | None
    inputs: tuple[Series, ...] = ()
    numbers: tuple[float, ...] = ()
    outputs: int = 1
    backs: tuple[int, ...] = ()
    waits: tuple[int, ...] = ()
    begin: tuple[float, ...] = ()
    name: str = ""

    @property
    def back(self) -> int:
        """How far it looks back at most."""
        return max(self.backs, default=0)

    @functools.cached_property
    def warm_up(self) -> int:
        """Bars before its first value on a history without gaps."""
        return max((each.node.warm_up + wait for each, wait in zip(self.inputs, self.waits)), default=0)


@dataclasses.dataclass(frozen=True)
class Series:
    """One output of a node; arithmetic with series and numbers gives series."""

    node: Node
    output: int = 0

    def __add__(self, other: Series | float) -> Series:
        return _two(one.add, one.add_number, self, other)

    __radd__ = __add__

    def __sub__(self, other: Series | float) -> Series:
        if isinstance(other, Series):
            return node(one.subtract, self, other)
        return node(one.add_number, self, numbers=(-float(other),))

    def under(self, top: float, divisor: float) -> Series:
        """(top - a) / divisor in one step."""
        return node(one.shift, self, numbers=(float(top), float(divisor)))

    def __rsub__(self, other: float) -> Series:
        return node(one.number_less, self, numbers=(float(other),))

    def __mul__(self, other: Series | float) -> Series:
        return _two(one.multiply, one.multiply_number, self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Series | float) -> Series:
        return _two(one.divide, one.divide_number, self, other)

    def __rtruediv__(self, other: float) -> Series:
        return node(one.number_by, self, numbers=(float(other),))

    def __neg__(self) -> Series:
        return self * -1.0


_nodes: dict[Any, Node] = {}


def node(
    kernel: Kernel,
    *inputs: Series,
    numbers: tuple[float, ...] = (),
    outputs: int = 1,
    back: int | tuple[int, ...] = 0,
    begin: tuple[float, ...] = (),
    wait: int | None = None,
) -> Series:
    """Give the first output of the node that uses ``kernel`` so.

    ``back`` is how far it looks back on all inputs or on each; ``wait`` how many values it needs before its first one,
    ``back`` unless said (see :class:`Node`).
    """
    numbers = tuple(float(number) for number in numbers)
    begin = tuple(float(value) for value in begin)
    backs = back if isinstance(back, tuple) else (back,) * len(inputs)
    waits = backs if wait is None else (wait,) * len(inputs)
    key = (kernel, tuple((id(each.node), each.output) for each in inputs), numbers, outputs, backs, repr(begin), waits)
    if key not in _nodes:
        _nodes[key] = Node(kernel, inputs, numbers, outputs, backs, waits, begin)
    return Series(_nodes[key])


def _two(kernel: Kernel, by_number: Kernel, a: Series, b: Series | float) -> Series:
    return node(kernel, a, b) if isinstance(b, Series) else node(by_number, a, numbers=(float(b),))


def outputs_of(first: Series) -> tuple[Series, ...]:
    """Give all series that the node of ``first`` writes."""
    return tuple(Series(first.node, each) for each in range(first.node.outputs))


def given(name: str) -> Series:
    """Give the series that comes with each bar under this name."""
    if name not in _nodes:
        _nodes[name] = Node(None, name=name)
    return Series(_nodes[name])
