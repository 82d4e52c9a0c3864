"""A live day: the same kernels advance with each bar, and what they said is written down.

:class:`LiveDay` starts as building does: fresh states run over the ``memory`` sessions before the day, from the market
store, then over the bars of today it has seen (its own journal), so a restart in the middle of a session ends with the
bits an uninterrupted run has. Then, for every bar: advance, journal, put the last row in its place. At the session's
end, or every so many bars, the rows are appended to the offline table, marked ``live``, with the fingerprint that
building will compute from the same bars: it then finds the session there and leaves it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from algomaster import features as library
from algomaster.core.errors import ConfigError, DataError
from algomaster.core.types import MINUTE_NS
from algomaster.features.store.building import rows_of
from algomaster.features.store.latest import LatestRow, LatestRows, RowPlace
from algomaster.features.store.sessions import (
    PARTIAL,
    columns_of,
    digest,
    fingerprint,
    held_sessions,
    load_bars,
)
from algomaster.features.store.table import Table
from algomaster.features.store.view import View
from algomaster.market import calendar
from algomaster.market.home import Home
from algomaster.market.loading import as_date
from algomaster.market.schemas import TIMESTAMP

__all__ = ["LiveDay"]


class LiveDay:
    """One underlying's features through one session, bar by bar.

    Parameters
    ----------
    view : View
    underlying : str
        One of the view's.
    session : date or ISO text
        Today.
    home : str, Path, Home or None
        A local folder with the market data of earlier sessions, where the feature store is too.
    every : int
        Append to the offline table every so many bars; 0 only at the end.
    place : RowPlace, optional
        Where the last row goes; by default the ring of the home.

    Raises
    ------
    ConfigError
        The view's formulas have changed, the underlying is not of the view, or the home is not local.
    DataError
        Bars of the journal do not follow each other.

    Examples
    --------
    >>> with LiveDay(view, "NIFTY", "2015-06-30", home="/data/algo") as day:  # doctest: +SKIP
    ...     for bar in feed:
    ...         row = day.update(bar)
    """

    def __init__(
        self,
        view: View,
        underlying: str,
        session: str | date,
        *,
        home: str | Path | Home | None = None,
        every: int = 0,
        place: RowPlace | None = None,
    ) -> None:
        view.require_current()
        if underlying not in view.underlying:
            raise ConfigError(f"View {view.name!r} is of {', '.join(view.underlying)}, not of {underlying!r}.")
        if every < 0:
            raise ValueError(f"every: expected a number of bars, or 0, got {every}")
        self.view, self.underlying, self.session = view, underlying, as_date(session, "session")
        self.home = home if isinstance(home, Home) else Home(home)
        self._rows = LatestRows(view, self.home)  # refuses a home that is not local
        self._place: RowPlace = place or self._rows
        self._table = Table(view, self.home)
        self._columns = columns_of(view)
        self._every = every
        self._closed = False
        self._bars: list[dict[str, Any]] = []
        self._values: list[np.ndarray[Any, Any]] = []
        self._online = library.online(view.features)
        self._digests = self._run_earlier()
        self._journal = _Journal(Path(self.home.path(f"{view.folder}.journal")), underlying, self.session)
        self._appended = self._count_appended()
        for bar in self._journal.read():
            self._advance(bar)

    def __enter__(self) -> LiveDay:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close(ended=problem[0] is None)

    def __repr__(self) -> str:
        return f"LiveDay({self.view.name} of {self.underlying} {self.session}: {len(self._bars)} bars)"

    @property
    def last_ts(self) -> int | None:
        """Start of the last bar seen (nanoseconds UTC), so that a feed knows where to go on."""
        return int(self._bars[-1]["ts"]) if self._bars else None

    def update(self, bar: Mapping[str, Any]) -> LatestRow:
        """Take a closed bar and give its row.

        Parameters
        ----------
        bar : mapping
            ``ts`` (its start: a time with a zone, or nanoseconds UTC), prices, and what else the features read; what it
            lacks is missing.

        Raises
        ------
        DataError
            The bar is not of the session, or not after the last one; nothing has changed.
        """
        if self._closed:
            raise DataError(f"{self!r} is closed.", hint="Make another one to go on.")
        clean = self._clean(bar)
        if int(calendar.session_ids(clean["ts"])) != (self.session - date(1970, 1, 1)).days:
            raise DataError(f"Expected a bar of {self.session}, got one of {calendar.session_date(clean['ts'])}.")
        values = self._advance(clean)
        self._journal.add(clean)
        avail = clean["ts"] + MINUTE_NS + self.view.latency_ms * 1_000_000
        row = LatestRow(clean["ts"], avail, values)
        self._place.put(self.underlying, row)
        if self._every and len(self._bars) - self._appended >= self._every:
            self._append(PARTIAL)
        return row

    def close(self, *, ended: bool = True) -> None:
        """Append what is not in the offline table yet, and let go of the files.

        Parameters
        ----------
        ended : bool
            Whether the session is over; else another run goes on from the journal.
        """
        if self._closed:
            return
        if ended and self._bars:
            self._append(fingerprint([*self._digests, digest(self._frame())]))
        self._closed = True
        self._journal.close()
        self._rows.close()

    def _run_earlier(self) -> list[bytes]:
        """Advance over the sessions before today; give the digests of their bars."""
        earlier = [day for day in held_sessions(self.view, self.underlying, self.home) if day < self.session]
        bars = load_bars(self.view, self.underlying, earlier[-self.view.memory :], self.home)
        for frame in bars.values():
            for bar in frame.with_columns(pl.col("ts").to_physical()).iter_rows(named=True):
                self._online.update(bar)
        return [digest(frame) for frame in bars.values()]

    def _clean(self, bar: Mapping[str, Any]) -> dict[str, Any]:
        ts = bar.get("ts")
        if isinstance(ts, datetime):
            if ts.tzinfo is None:
                raise DataError(f"Expected a bar's start with its zone, got {ts}.")
            ts = pl.Series([ts]).dt.cast_time_unit("ns").to_physical()[0]
        if isinstance(ts, bool) or not isinstance(ts, (int, np.integer)):
            raise DataError(f"Expected a bar with its start under 'ts', got {bar.get('ts')!r}.")
        known = {name: bar.get(name) for name in self._columns}
        return {"ts": int(ts), **{name: float("nan") if v is None else float(v) for name, v in known.items()}}

    def _advance(self, bar: dict[str, Any]) -> np.ndarray[Any, Any]:
        values = self._online.update(bar)
        self._bars.append(bar)
        self._values.append(values)
        return values

    def _frame(self) -> pl.DataFrame:
        schema = {"ts": pl.Int64, **dict.fromkeys(self._columns, pl.Float64)}
        return pl.DataFrame(self._bars, schema=schema).with_columns(pl.col("ts").cast(TIMESTAMP))

    def _append(self, inputs: int) -> None:
        """Append the rows that are not there; the last row carries the fingerprint of the whole session."""
        first = self._appended
        if inputs != PARTIAL and first == len(self._bars):
            if self._table.sessions(self.underlying).get(self.session) == inputs:
                return
            first -= 1
        ts = self._frame()["ts"][first:]
        values = np.stack(self._values[first:], axis=1)
        self._table.append(rows_of(self.view, self.underlying, self.session, ts, values, inputs), live=True)
        self._appended = len(self._bars)

    def _count_appended(self) -> int:
        """Count the rows of today that an earlier run has appended."""
        if self._table.open() is None:
            return 0
        columns = ["underlying", "session", "event_ts", "live"]
        rows = self._table.scan(
            underlyings=[self.underlying], start=self.session, end=self.session, columns=columns
        ).filter("live")
        return int(rows.select(pl.col("event_ts").n_unique()).collect().item())


class _Journal:
    """The bars of a session as they came, so that a restart needs nobody else's memory of them."""

    def __init__(self, path: Path, underlying: str, session: date) -> None:
        self._key = underlying, session.isoformat()
        self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute("PRAGMA synchronous = NORMAL")
        self._base.execute(
            "CREATE TABLE IF NOT EXISTS bar "
            "(underlying TEXT, session TEXT, ts INTEGER, bar TEXT, PRIMARY KEY (underlying, session, ts))"
        )
        # Earlier days are in the offline table; the journal is for the one under way.
        self._base.execute("DELETE FROM bar WHERE underlying = ? AND session < ?", self._key)

    def add(self, bar: Mapping[str, Any]) -> None:
        self._base.execute("INSERT INTO bar VALUES (?, ?, ?, ?)", (*self._key, bar["ts"], json.dumps(bar)))

    def read(self) -> list[dict[str, Any]]:
        rows = self._base.execute("SELECT bar FROM bar WHERE underlying = ? AND session = ? ORDER BY ts", self._key)
        return [json.loads(text) for (text,) in rows.fetchall()]

    def close(self) -> None:
        self._base.close()
