"""The last row of each underlying, in microseconds: a memory-mapped file in front of SQLite.

:class:`Ring` is the file: a slot a key, in it a counter and a few cells that are written in turn.

1. The writer fills the next cell, its checksum included, and only then moves the counter, so a reader that follows the
   counter meets a finished cell.
2. A reader that was overtaken by a whole round, or finds what a crash left, sees it: the number in the cell or the
   checksum does not fit. It tries again, and after some tries says that it has nothing (:meth:`Ring.get`).

:class:`LatestRows` puts every row into SQLite first and into the ring second, and asks the ring first and SQLite
second: a ring that is torn, full or deleted costs time, never a row.

Two methods, ``put`` and ``get``, are all that is asked of another place (Redis in ``live``): :class:`RowPlace`.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import sqlite3
import struct
import threading
import zlib
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import numpy as np

from algomaster.core.errors import ConfigError
from algomaster.core.types import FloatArray
from algomaster.features.store.view import View
from algomaster.market.home import Home

__all__ = ["LatestRow", "LatestRows", "Ring", "RowPlace", "get_online"]


class LatestRow(NamedTuple):
    """The last row of an underlying.

    Attributes
    ----------
    event_ts, avail_ts : int
        Start of the bar, and when the row could be used: nanoseconds UTC.
    values : (F,) float64
        In the order of the view's features.
    """

    event_ts: int
    avail_ts: int
    values: FloatArray


class RowPlace(Protocol):
    """Where last rows are kept."""

    def put(self, key: str, row: LatestRow) -> None:
        """Make ``row`` the last one of ``key``."""
        ...

    def get(self, key: str) -> LatestRow | None:
        """Give the last row of ``key``; None where there never was one."""
        ...


_MAGIC: Final = b"algoring"
_HEADER: Final = struct.Struct("<8sqqq")  # magic, slots, cells, features
_COUNT: Final = struct.Struct("@q")  # native and aligned: one store of eight bytes
_CELL: Final = struct.Struct("@qqqq")  # counter, event_ts, avail_ts, checksum
_KEY_BYTES: Final = 56
_CELLS: Final = 4
_TRIES: Final = 100
_PUT: Final = (
    "INSERT INTO latest (key, event_ts, avail_ts, row) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
    "event_ts = excluded.event_ts, avail_ts = excluded.avail_ts, row = excluded.row RETURNING slot"
)


class Ring:
    """A memory-mapped file of the last rows; one writer a key, any number of readers in any process.

    Parameters
    ----------
    path : Path
    features : int
        Values in a row.
    slots : int
        Keys it has room for, if it is made now.
    """

    def __init__(self, path: Path, features: int, *, slots: int = 64) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = _opened(path, features, slots)
        self._map = mmap.mmap(self._file, 0)
        _, self.slots, self._cells, held = _HEADER.unpack_from(self._map, 0)
        if held != features:
            self.close()
            raise ConfigError(f"{path} holds rows of {held} features, not {features}.", hint="Remove the file.")
        self._cell = _CELL.size + 8 * features
        self._slot = _KEY_BYTES + _COUNT.size + self._cells * self._cell
        self._features = features
        self._places: dict[str, int] = {}

    def put(self, key: str, row: LatestRow, slot: int) -> bool:
        """Write a row into a slot that is this key's alone; False if the ring has no such slot."""
        name = key.encode()
        if slot >= self.slots or not 0 < len(name) <= _KEY_BYTES:
            return False
        begin = _HEADER.size + slot * self._slot
        at = begin + _KEY_BYTES
        (count,) = _COUNT.unpack_from(self._map, at)
        count += 1
        values = np.ascontiguousarray(row.values, np.float64).tobytes()
        start = at + _COUNT.size + (count % self._cells) * self._cell
        total = _checksum(count, row.event_ts, row.avail_ts, values)
        _CELL.pack_into(self._map, start, count, row.event_ts, row.avail_ts, total)
        self._map[start + _CELL.size : start + self._cell] = values
        _COUNT.pack_into(self._map, at, count)
        padded = name.ljust(_KEY_BYTES, b"\0")
        if self._map[begin:at] != padded:
            self._map[begin:at] = padded
        return True

    def get(self, key: str) -> LatestRow | None:
        """Give the last row of a key; None where there is none, or it cannot be read whole."""
        at = self._places.get(key)
        if at is None:
            at = self._find(key)
            if at is None:
                return None
        data, size = self._map, self._cell
        for _ in range(_TRIES):
            (count,) = _COUNT.unpack_from(data, at)
            start = at + _COUNT.size + (count % self._cells) * size
            cell = data[start : start + size]
            number, event, avail, total = _CELL.unpack_from(cell)
            values = cell[_CELL.size :]
            if number == count and total == _checksum(count, event, avail, values):
                return LatestRow(event, avail, np.frombuffer(values)) if count else None
        return None

    def close(self) -> None:
        """Let go of the file."""
        if hasattr(self, "_map"):
            self._map.close()
        os.close(self._file)

    def _find(self, key: str) -> int | None:
        """Give where the counter of a key stands."""
        padded = key.encode().ljust(_KEY_BYTES, b"\0")
        for slot in range(self.slots):
            begin = _HEADER.size + slot * self._slot
            if self._map[begin : begin + _KEY_BYTES] == padded:
                self._places[key] = begin + _KEY_BYTES
                return self._places[key]
        return None


def _opened(path: Path, features: int, slots: int) -> int:
    """Open the file; where there is none, a whole one is put in place at once."""
    if not path.exists():
        size = _HEADER.size + slots * (_KEY_BYTES + _COUNT.size + _CELLS * (_CELL.size + 8 * features))
        aside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
        with open(aside, "wb") as file:
            file.write(_HEADER.pack(_MAGIC, slots, _CELLS, features))
            file.truncate(size)
        try:
            os.link(aside, path)  # fails if another process was first: then its file is the one
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    opened = os.open(path, os.O_RDWR)
    if os.pread(opened, len(_MAGIC), 0) != _MAGIC:
        os.close(opened)
        raise ConfigError(f"{path} is not a ring of rows.", hint="Remove the file.")
    return opened


def _checksum(count: int, event: int, avail: int, values: bytes) -> int:
    return zlib.crc32(values, (count ^ event ^ avail) & 0xFFFFFFFF)


class LatestRows:
    """The last rows of one version of a view: a ring with SQLite behind it.

    Parameters
    ----------
    view : View
    home : str, Path, Home or None
        A local folder; the files stand beside the table.

    Raises
    ------
    ConfigError
        The home is not local: memory cannot be mapped there.
    """

    def __init__(self, view: View, home: str | Path | Home | None = None) -> None:
        where = home if isinstance(home, Home) else Home(home)
        if not where.is_local:
            raise ConfigError(
                f"Last rows are kept in a local folder, and {where.where} is none.",
                hint="Give a local home to go live.",
            )
        base = Path(where.path(view.folder))
        base.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._base = sqlite3.connect(
            base.with_name(f"{view.version}.sqlite"), isolation_level=None, check_same_thread=False, timeout=30
        )
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute("PRAGMA synchronous = NORMAL")
        self._base.execute(
            "CREATE TABLE IF NOT EXISTS latest (slot INTEGER PRIMARY KEY, key TEXT UNIQUE, "
            "event_ts INTEGER, avail_ts INTEGER, row BLOB)"
        )
        ring = base.with_name(f"{view.version}.ring")
        if self._base.execute("SELECT count(*) FROM latest").fetchone()[0] == 0:
            ring.unlink(missing_ok=True)  # of a base that is gone: its slots belong to nobody
        self._ring = Ring(ring, len(view.features), slots=max(64, 2 * len(view.underlying)))

    def put(self, key: str, row: LatestRow) -> None:
        """Make ``row`` the last one of ``key``."""
        held = key, row.event_ts, row.avail_ts, np.ascontiguousarray(row.values, np.float64).tobytes()
        with self._lock:
            # SQLite gives each key a number of its own, even where two processes come with new keys at once.
            (slot,) = self._base.execute(_PUT, held).fetchone()
            self._ring.put(key, row, slot - 1)

    def get(self, key: str) -> LatestRow | None:
        """Give the last row of ``key``; None where there never was one."""
        found = self._ring.get(key)
        return found if found is not None else self._stored(key)

    def _stored(self, key: str) -> LatestRow | None:
        with self._lock:
            row = self._base.execute("SELECT event_ts, avail_ts, row FROM latest WHERE key = ?", (key,)).fetchone()
        return None if row is None else LatestRow(row[0], row[1], np.frombuffer(row[2]))

    def close(self) -> None:
        """Let go of the files."""
        with self._lock, contextlib.suppress(sqlite3.ProgrammingError):
            self._base.close()
            self._ring.close()


_open: dict[tuple[str, str, str | Path | None], LatestRows] = {}
_opening = threading.Lock()


def get_online(view: View, underlying: str, *, home: str | Path | None = None) -> LatestRow | None:
    """Give the last row a live day has written.

    Parameters
    ----------
    view : View
    underlying : str
        Such as "NIFTY".
    home : str, Path or None
        A local folder; by default ``$ALGO_HOME``, else the platform's folder for user data.

    Returns
    -------
    LatestRow or None
        ``event_ts``, ``avail_ts`` (nanoseconds UTC) and ``values`` (F,); None where nothing was ever written.

    Notes
    -----
    The files stay open for the next call of this process; a call takes a few microseconds.
    """
    key = view.name, view.version, os.environ.get("ALGO_HOME") if home is None else home
    rows = _open.get(key)
    if rows is None:
        if not Path(Home(home).path(f"{view.folder}.sqlite")).exists():
            return None  # a question makes no files
        with _opening:
            rows = _open.setdefault(key, _open.get(key) or LatestRows(view, home))
    return rows.get(underlying)
