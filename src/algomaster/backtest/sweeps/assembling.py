"""Records of very many parameter sets put together from those of few.

Packing a set's settings into its record takes as long as a month of sessions. But a word of the record follows from one
setting, or from a few: so

1. one setting at a time is changed, to each of its values, and the words noted that this changes;
2. settings that share a word, or that together do something else than each alone (pairs are tried), make a group, and
   all combinations within a group are packed;
3. a record is then the first set's, with each group's words in their place.

That no more than this happens inside ``pack`` is a rule for the strategies of the catalogue, which a law of the test
suite holds them to; settings of others are packed set by set. Sets drawn at random, and the first and last of every
chunk, are compared with what ``pack`` says.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from algomaster.core.types import IntArray, Record

__all__ = ["Assembly", "assembly_of"]

_DRAWN: Final = 64
_PROBED: Final = 3
"""Values of a setting that are tried together with as many of every other."""

Pack = Callable[[Mapping[str, int]], Record]
"""Packs the first set with some settings changed to other ones of their values, given by number."""


class _NotApartError(Exception):
    """Something about the records does not let them be put together."""


class _Group:
    """Settings that act together: the words they change, and what these are for each combination."""

    def __init__(self, names: list[str], counts: list[int], words: IntArray, table: Any) -> None:
        self.names, self.counts, self.words, self.table = names, counts, words, table

    def rows(self, codes: Mapping[str, IntArray]) -> IntArray:
        """Give the table's row of each set."""
        row = codes[self.names[0]] * 0
        for name, count in zip(self.names, self.counts):
            row = row * count + codes[name]
        return row


class Assembly:
    """Puts records together; see :func:`assembly_of`."""

    def __init__(self, first: Record, groups: list[_Group]) -> None:
        self._first, self._groups = first, groups
        self.names = [name for group in groups for name in group.names]

    def records(self, codes: Mapping[str, IntArray], count: int) -> Record:
        """Give the records of ``count`` sets, whose settings have the values of those numbers."""
        out = np.tile(_words(self._first), (count, 1))
        for group in self._groups:
            out[:, group.words] = group.table[group.rows(codes)]
        return out.view(self._first.dtype).reshape(count)


def assembly_of(counts: Mapping[str, int], sets: int, codes: Callable[[str, int], int], pack: Pack) -> Assembly | None:
    """Find out how records can be put together; None where they cannot, or where it would not save anything.

    Parameters
    ----------
    counts : mapping
        How many values each setting that varies has.
    sets : int
    codes : callable
        ``codes(name, p)`` is the number of the value that set ``p`` has.
    pack : callable
    """
    if sum(counts.values()) > sets // 4:
        return None
    try:
        first = pack({})
        alone = {name: np.stack([_same(first, pack({name: v})) for v in range(n)]) for name, n in counts.items()}
        groups = [
            _together(first, names, counts, alone, pack, sets // 4) for names in _grouped(first, counts, alone, pack)
        ]
        found = Assembly(first, groups)
        drawn = np.random.default_rng(0).integers(0, sets, _DRAWN)
        for p in drawn.tolist():
            one = {name: codes(name, p) for name in counts}
            numbers = {name: np.array([code]) for name, code in one.items()}
            if found.records(numbers, 1).tobytes() != pack(one).tobytes():
                return None
    except Exception:  # a combination that is no parameter set may fail in its own way
        return None
    return found


def _grouped(first: Record, counts: Mapping[str, int], alone: dict[str, Any], pack: Pack) -> list[list[str]]:
    """Join settings that share words of the record, or that do something else together than each alone."""
    base = _words(first)[0]
    masks = {name: (table != base).any(axis=0) for name, table in alone.items()}
    groups = [[name] for name in counts]
    for one, other in itertools.combinations(counts, 2):
        if (masks[one] & masks[other]).any() or _interact(first, counts, alone, pack, one, other):
            mine = next(group for group in groups if one in group)
            theirs = next(group for group in groups if other in group)
            if mine is not theirs:
                groups.remove(theirs)
                mine += theirs
    return groups


def _interact(
    first: Record, counts: Mapping[str, int], alone: dict[str, Any], pack: Pack, one: str, other: str
) -> bool:
    base = _words(first)[0]
    for a, b in itertools.product(_probes(counts[one]), _probes(counts[other])):
        expected = np.where(alone[one][a] != base, alone[one][a], alone[other][b])
        if (_same(first, pack({one: a, other: b})) != expected).any():
            return True
    return False


def _together(
    first: Record, names: list[str], counts: Mapping[str, int], alone: dict[str, Any], pack: Pack, most: int
) -> _Group:
    sizes = [counts[name] for name in names]
    if len(names) == 1:
        table = alone[names[0]]
    elif math.prod(sizes) > most:
        raise _NotApartError
    else:
        combinations = itertools.product(*(range(size) for size in sizes))
        table = np.stack([_same(first, pack(dict(zip(names, numbers)))) for numbers in combinations])
    words = np.flatnonzero((table != _words(first)[0]).any(axis=0))
    return _Group(names, sizes, words, np.ascontiguousarray(table[:, words]))


def _probes(count: int) -> list[int]:
    return sorted({0, count // 2, count - 1, *range(min(_PROBED, count))})


def _words(record: Record) -> Any:
    """View records (n,) as words (n, w)."""
    kind = np.int64 if record.dtype.itemsize % 8 == 0 else np.uint8
    return record.view(kind).reshape(record.size, -1)


def _same(first: Record, record: Record) -> Any:
    if record.dtype != first.dtype or record.size != 1:
        raise _NotApartError
    return _words(record)[0]
