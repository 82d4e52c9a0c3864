"""A grid of settings as columns: the distinct values of every setting, and which of them each parameter set has.

A million sets of a grid are a few lists of values; no set is written out before it is needed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import polars as pl

from algomaster.core.errors import ConfigError
from algomaster.core.types import IntArray

__all__ = ["NOT_GIVEN", "Grid", "Sets", "parameter_sets"]

Grid = Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]

NOT_GIVEN = -1
"""What stands for a value where a set leaves a setting to its default."""


class Sets:
    """P parameter sets by column.

    Attributes
    ----------
    names : list of str
        Settings that the sets give.
    values : dict
        Values of each, as they were given.
    """

    def __init__(self, values: dict[str, list[Any]], codes: dict[str, IntArray] | None, size: int) -> None:
        self.values = values
        self.names = list(values)
        self._codes = codes
        self._size = size

    @classmethod
    def of(cls, grid: Grid, params: Mapping[str, Any] | None = None) -> Self:
        """Take the combinations of a mapping's values (last name fastest), or a list of sets as it is.

        ``params`` are shared by all; a set's own value goes before.

        Raises
        ------
        ConfigError
            The grid is empty, or of the wrong kind.
        """
        shared = dict(params or {})
        if isinstance(grid, Mapping):
            values = {name: _listed(name, values) for name, values in grid.items()}
            values = {name: [value] for name, value in shared.items()} | values
            size = math.prod(len(each) for each in values.values())
            sets = cls(values, None, size)
        elif isinstance(grid, Sequence) and all(isinstance(one, Mapping) for one in grid):
            sets = cls._written_out([shared | dict(one) for one in grid])
        else:
            raise ConfigError(f"Expected a grid of lists by name, or a list of parameter sets, got {grid!r}.")
        if not len(sets):
            raise ConfigError("Expected at least one parameter set, got an empty grid.")
        return sets

    @classmethod
    def _written_out(cls, given: list[dict[str, Any]]) -> Self:
        values: dict[str, list[Any]] = {}
        codes = {}
        for name in dict.fromkeys(name for one in given for name in one):
            known: dict[Any, int] = {}
            column = np.full(len(given), NOT_GIVEN, np.int64)
            values[name] = []
            for p, one in enumerate(given):
                if name in one:
                    column[p] = known.setdefault(_key(one[name]), len(known))
                    if len(known) > len(values[name]):
                        values[name].append(one[name])
            codes[name] = column
        return cls(values, codes, len(given))

    def __len__(self) -> int:
        return self._size

    def codes(self, name: str, start: int = 0, stop: int | None = None) -> IntArray:
        """Give the number of the value that each of the sets ``start`` to ``stop`` has, NOT_GIVEN for none."""
        stop = self._size if stop is None else stop
        if self._codes is not None:
            return self._codes[name][start:stop]
        behind = self.names[self.names.index(name) + 1 :]
        stride = math.prod(len(self.values[other]) for other in behind)
        return np.arange(start, stop, dtype=np.int64) // stride % len(self.values[name])

    def given(self, number: int) -> dict[str, Any]:
        """Write out one set."""
        codes = {name: int(self.codes(name, number, number + 1)[0]) for name in self.names}
        return {name: self.values[name][code] for name, code in codes.items() if code != NOT_GIVEN}

    def vary(self, name: str) -> bool:
        """Whether not all sets have the same value of a setting."""
        if self._codes is None:
            return len(self.values[name]) > 1
        column = self._codes[name]
        return bool((column != column[0]).any())


def parameter_sets(grid: Grid) -> list[dict[str, Any]]:
    """Write out all sets of a grid: the combinations of a mapping's values (last name fastest), or a list as it is."""
    sets = Sets.of(grid)
    return [sets.given(p) for p in range(len(sets))]


def _listed(name: str, values: Any) -> list[Any]:
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray | pl.Series):
        raise ConfigError(f"Grid {name!r}: expected a list of values, got {values!r}.", hint="Write [value].")
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def _key(value: Any) -> Any:
    """Tell values apart: 1, 1.0 and True are three."""
    try:
        hash(value)
    except TypeError:
        return type(value), repr(value)
    return type(value), value
