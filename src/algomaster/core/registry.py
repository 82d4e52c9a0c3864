"""A catalogue: an explicit table from names to objects that refuses duplicates."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from algomaster.core.errors import CatalogueError

__all__ = ["Catalogue"]

Entry = TypeVar("Entry")


class Catalogue(Mapping[str, Entry], Generic[Entry]):
    """Names and what they stand for, written by hand in one visible place.

    Parameters
    ----------
    kind : str
        What the entries are ("strategy", "loader"), used in messages.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._entries: dict[str, Entry] = {}

    def add(self, name: str, entry: Entry) -> Entry:
        """Enter ``entry`` under ``name``; a second entry of that name is refused."""
        if name in self._entries:
            raise CatalogueError(f"A {self._kind} named {name!r} exists already.", hint="Choose another name.")
        self._entries[name] = entry
        return entry

    def replace(self, name: str, entry: Entry) -> Entry:
        """Enter ``entry`` under ``name``, in the place of what stood there."""
        self._entries[name] = entry
        return entry

    def __getitem__(self, name: str) -> Entry:
        if name not in self._entries:
            near = difflib.get_close_matches(name, self._entries, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(self._entries)}."
            raise CatalogueError(f"There is no {self._kind} named {name!r}.", hint=hint)
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"Catalogue({self._kind}: {', '.join(self._entries)})"
