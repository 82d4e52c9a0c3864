"""What a loader is: one real format, how to know it, how to read it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from algomaster.market.loaders.parse import Parsed
from algomaster.market.loaders.source import Head, Source

__all__ = ["Loader"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Loader:
    """One real format.

    Attributes
    ----------
    name : str
        What ``--format`` calls it.
    about : str
        The format in a line, for people.
    datasets : tuple of str
        Where its rows go; none for a format that is known but refused.
    stamp : {"start", "end", "eod", "moment"}
        What its time labels: a bar's start, a bar's end, a whole session, or the moment itself.
    recognises : callable
        ``(Head) -> bool``: looks at the content, never at the file's name.
    read : callable
        ``(Source) -> Parsed``; a refused format raises DataError saying what to do instead.
    """

    name: str
    about: str
    datasets: tuple[str, ...]
    stamp: str
    recognises: Callable[[Head], bool]
    read: Callable[[Source], Parsed]
