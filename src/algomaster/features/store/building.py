"""Building a view: every session of a range whose values are not there, or came from other bars, is computed and added.

:func:`materialize`, for each underlying:

1. The sessions the market store has are listed, and the bars of the range read a batch at a time, with the sessions
   before it that the values depend on.
2. A session whose fingerprint the table holds is skipped; a corrected bar changes the fingerprint of its session and of
   those whose values depend on it, and only they are computed again (:func:`_stale`).
3. Sessions are computed in threads (the kernels release the GIL), each from fresh states, and a batch is added in one
   commit. A crash loses the batch that was under way; what was committed is whole, and the next run skips it.

One builder of a view works at a time on a local home, a second waits for it and then finds everything there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from algomaster.core.errors import DataError
from algomaster.core.render import html_table, text_table
from algomaster.features.store.sessions import (
    Bars,
    digest,
    fingerprint,
    held_sessions,
    history_of,
    in_range,
    load_bars,
    values_of,
    workers_of,
)
from algomaster.features.store.table import Table
from algomaster.features.store.view import View
from algomaster.market.home import Home
from algomaster.market.store import Store

__all__ = ["Built", "materialize", "rows_of"]

_BATCH_VALUES = 8_000_000
"""Values in a commit: few large files read faster than many, and a crash costs no more than seconds of work."""
_BARS = 375

Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Built:
    """What building a view did.

    Attributes
    ----------
    view : View
    where : str
        The Delta table.
    written, skipped : int
        Sessions that were computed and added, and that were there already.
    rows : int
        Rows added.
    commits : int
    """

    view: View
    where: str
    written: int
    skipped: int
    rows: int
    commits: int

    def __repr__(self) -> str:
        return text_table(f"Built {self.view.name}", self._table())

    def _repr_html_(self) -> str:
        return html_table(f"Built {self.view.name}", self._table())

    def _table(self) -> list[tuple[str, str]]:
        return [
            ("version", self.view.version),
            ("sessions written", f"{self.written:,}"),
            ("sessions skipped", f"{self.skipped:,}"),
            ("rows", f"{self.rows:,}"),
            ("commits", f"{self.commits:,}"),
            ("table", self.where),
        ]

    def to_frame(self) -> pl.DataFrame:
        """Give the counts as a frame of one row."""
        counts = {name: getattr(self, name) for name in ("written", "skipped", "rows", "commits")}
        return pl.DataFrame([{"view": self.view.name, "version": self.view.version, **counts}])


def materialize(
    view: View,
    start: str | date,
    end: str | date,
    *,
    home: str | Path | Home | None = None,
    workers: int | None = None,
    batch: int | None = None,
    progress: Progress | None = None,
    storage_options: Mapping[str, str] | None = None,
) -> Built:
    """Compute a view over a range of sessions and keep the values; what is there already is not computed again.

    Parameters
    ----------
    view : View
    start, end : date or ISO text
        First and last session, both included.
    home : str, Path, Home or None
        Where the market data are and the feature store goes; by default ``$ALGO_HOME``, else the platform's folder.
    workers : int, optional
        Threads; by default one a core. The values do not depend on it.
    batch : int, optional
        Sessions in a commit; by default as many as make some 64 MB.
    progress : callable, optional
        Called as ``progress(done, all)`` with sessions, before the first and after each batch.
    storage_options : mapping, optional
        For object-store URLs, as deltalake takes them.

    Returns
    -------
    Built

    Raises
    ------
    DataError
        The market store has no bars of an underlying in the range (the message says what it does hold).
    ConfigError
        The formulas of the view have changed since it was made.
    ValueError
        The range, ``workers`` or ``batch`` does not do.

    Examples
    --------
    >>> materialize(view, "2015-06-01", "2015-06-30", home="/data/algo")  # doctest: +SKIP
    """
    first, last = in_range(start, end)
    view.require_current()
    size = batch if batch is not None else max(_BATCH_VALUES // (_BARS * len(view.features)), 16)
    if size < 1:
        raise ValueError(f"batch: expected at least 1 session, got {batch}")
    where = home if isinstance(home, Home) else Home(home)
    table = Table(view, where, storage_options=storage_options)
    held = {name: held_sessions(view, name, where) for name in view.underlying}
    places = {name: _places(name, days, first, last, where) for name, days in held.items()}
    every, done = sum(map(len, places.values())), 0
    counts = {"written": 0, "skipped": 0, "rows": 0, "commits": 0}
    # The lock of a view's folder, not the home's: importing goes on while features are built.
    with Home(where.path(f"features/{view.name}")).lock(), ThreadPoolExecutor(workers_of(workers, size)) as pool:
        view.save(where)
        if progress:
            progress(0, every)
        for name, days in held.items():
            there = table.sessions(name)
            for chosen in _batches(places[name], size):
                low = max(chosen[0] - view.memory, 0)
                bars = load_bars(view, name, days[low : chosen[-1] + 1], where)
                todo = _stale(view, days, chosen, bars, there)
                if todo:
                    frame = pl.concat(list(pool.map(partial(_rows, view, name, days, bars), todo, todo.values())))
                    table.append(frame)
                    counts["rows"] += frame.height
                    counts["commits"] += 1
                done += len(chosen)
                counts["written"] += len(todo)
                counts["skipped"] += len(chosen) - len(todo)
                if progress:
                    progress(done, every)
    return Built(view=view, where=table.uri, **counts)


def rows_of(
    view: View, underlying: str, day: date, ts: pl.Series, values: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    inputs: int,
) -> pl.DataFrame:  # fmt: skip
    """Give rows as :meth:`Table.append` takes them, from the values of a session (F, M)."""
    return pl.DataFrame(
        [
            pl.Series("event_ts", ts),
            *(pl.Series(name, values[place]) for place, name in enumerate(view.features)),
        ]
    ).with_columns(underlying=pl.lit(underlying), session=pl.lit(day), inputs=pl.lit(inputs, pl.Int64))


def _places(underlying: str, held: Sequence[date], first: date, last: date, home: Home) -> list[int]:
    places = [place for place, day in enumerate(held) if first <= day <= last]
    if not places:
        store = Store(home)
        raise DataError(
            f"The store {home.where} has no index minutes of {underlying} from {first} to {last}; "
            f"it holds: {store.told('index_minute')}.",
            hint=store.meant(underlying, "index_minute") + "Import some with: algo data import PATH.",
            underlying=underlying,
        )
    return places


def _batches(places: Sequence[int], size: int) -> list[Sequence[int]]:
    return [places[start : start + size] for start in range(0, len(places), size)]


def _stale(
    view: View, held: Sequence[date], chosen: Sequence[int], bars: Bars, there: Mapping[date, int]
) -> dict[int, int]:
    """Give the places of the sessions to compute, each with the fingerprint of what it is computed from."""
    digests = {day: digest(part) for day, part in bars.items()}
    found = {}
    for place in chosen:
        if held[place] in bars:
            inputs = fingerprint(digests[day] for day in history_of(view, held, place) if day in digests)
            if there.get(held[place]) != inputs:
                found[place] = inputs
    return found


def _rows(view: View, underlying: str, held: Sequence[date], bars: Bars, place: int, inputs: int) -> pl.DataFrame:
    chain = [bars[day] for day in history_of(view, held, place) if day in bars]
    return rows_of(view, underlying, held[place], chain[-1]["ts"], values_of(view, chain), inputs)
