"""A feature view: a named, versioned set of features, and where its values are kept.

What a view promises, and what makes building parallel, restartable and equal to live:

    The values of a session are a pure function of that session's bars and of the bars of the ``memory`` sessions
    before it: fresh states run over those, then over the session, whose rows are kept. ``memory`` is the largest number
    of sessions any feature of the view remembers, at least 5; at the very beginning of the data there are fewer.

A live day starts the same way in the morning. The version of a view is a content hash of its features (names in order,
definitions and the kernels they are compiled from), of ``memory`` and of the declared latency; values of two versions
never meet, because each version has a table of its own: ``<home>/features/<name>/<version>``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import PrivateAttr

import algomaster
from algomaster import features as library
from algomaster.core.config import Config
from algomaster.core.errors import CatalogueError, ConfigError, DataError
from algomaster.core.render import html_table, text_table
from algomaster.market.home import Home

__all__ = ["LEAST_MEMORY", "View", "open_view", "saved_views"]

LEAST_MEMORY = 5
"""Sessions every view runs before the one it keeps: recursive features (RSI, EMA) have settled by then."""

RESERVED = (
    "underlying", "session", "event_ts", "avail_ts", "known_ts", "ingest_seq", "inputs", "live",
    "event_time", "staleness",
)  # fmt: skip
_FORMAT = 1  # raised when the same definition would be computed or stored differently
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class View(Config):
    """A named set of features of some underlyings.

    Parameters
    ----------
    name : str
        Lower-case letters, digits and underscores; names the folder and, in SQL, the table.
    underlying : str or sequence of str
        Such as "NIFTY". It is not part of the version: another underlying may join later.
    features : sequence of str
        Names in the catalogue, in the order of the columns.
    latency_ms : int
        Milliseconds from the end of a bar until its values can be used; part of the version.
    version : str, optional
        Read the values of this version, whatever the formulas are now. Only a view whose version is that of the
        formulas as they are (``is_current``) can be built, run live or checked.

    Raises
    ------
    ConfigError
        The name or an argument does not do.
    CatalogueError
        There is no feature of that name.

    Examples
    --------
    >>> View("probe", underlying="NIFTY", features=["ret_1", "rsi_14"])  # doctest: +SKIP
    """

    name: str
    underlying: tuple[str, ...]
    features: tuple[str, ...]
    latency_ms: int = 0
    _version: str = PrivateAttr()

    def __init__(
        self,
        name: str,
        *,
        underlying: str | Sequence[str],
        features: Sequence[str],
        latency_ms: int = 0,
        version: str | None = None,
    ) -> None:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ConfigError(
                f"Expected a view's name of lower-case letters, digits and _ (a letter first), got {name!r}."
            )
        if isinstance(latency_ms, bool) or not isinstance(latency_ms, int) or latency_ms < 0:
            raise ConfigError(f"View {name!r}: expected whole milliseconds of latency, 0 or more, got {latency_ms!r}.")
        underlyings = _texts([underlying] if isinstance(underlying, str) else underlying, name, "underlying")
        chosen = _texts(features, name, "feature")
        taken = sorted(set(chosen) & set(RESERVED))
        if taken:
            told = f"View {name!r}: {', '.join(taken)} are columns of the table."
            raise ConfigError(told, hint="Rename the feature.")
        super().__init__(**{"name": name, "underlying": underlyings, "features": chosen, "latency_ms": latency_ms})
        self._version = version or _content(chosen, latency_ms)
        if not re.fullmatch(r"[0-9a-f]{16}", self._version):
            raise ConfigError(f"View {name!r}: expected a version of 16 hexadecimal digits, got {version!r}.")

    @cached_property
    def version(self) -> str:
        """Content hash of the definition (16 hexadecimal digits), taken when the view was made."""
        return self._version

    @property
    def is_current(self) -> bool:
        """Whether the formulas in this process are those of the version."""
        try:
            return _content(self.features, self.latency_ms) == self._version
        except CatalogueError:
            return False

    @property
    def memory(self) -> int:
        """Sessions that are run before the one whose rows are kept."""
        return _memory(self.features)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Columns of bars that the features read, sorted."""
        return tuple(sorted({column for name in self.features for column in library.get(name).inputs}))

    @property
    def folder(self) -> str:
        """Where the table stands, relative to the home."""
        return f"features/{self.name}/{self.version}"

    def require_current(self) -> None:
        """Refuse to compute where the formulas are not those of the version.

        Raises
        ------
        ConfigError
            They have changed since, or the view was opened at an older version.
        """
        if not self.is_current:
            raise ConfigError(
                f"View {self.name!r} has version {self.version}, but its formulas are others now.",
                hint="Its values can still be read; to compute, make the view again: that gives it a new version.",
            )

    def save(self, home: Home) -> None:
        """Write the definition beside the table (``<version>.json``); underlyings it names already stay."""
        path = f"{self.folder}.json"
        held = _read(home, path)["underlying"] if home.exists(path) else []
        every = list(dict.fromkeys([*held, *self.underlying]))
        if every == held:
            return
        described = {
            "name": self.name,
            "version": self.version,
            "underlying": every,
            "latency_ms": self.latency_ms,
            "memory": self.memory,
            "made": datetime.now(UTC).isoformat(timespec="microseconds"),
            "algomaster": algomaster.__version__,
            "features": [_described(name) for name in self.features],
        }
        home.write(path, json.dumps(described, indent=1).encode())

    def __repr__(self) -> str:
        return text_table(f"View {self.name}", self._rows())

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return html_table(f"View {self.name}", self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        shown = ", ".join(self.features[:6]) + (", ..." if len(self.features) > 6 else "")
        state = "" if self.is_current else " (its formulas are others now: can only be read)"
        return [
            ("version", self.version + state),
            ("underlying", ", ".join(self.underlying)),
            ("features", f"{len(self.features)}: {shown}"),
            ("latency", f"{self.latency_ms} ms"),
        ]


def saved_views(home: str | Path | Home | None = None) -> pl.DataFrame:
    """List the views a home holds, oldest first: name, version, underlying, features, made.

    Parameters
    ----------
    home : str, Path, Home or None
        Where the feature store lives; by default ``$ALGO_HOME``, else the platform's folder for user data.

    Returns
    -------
    DataFrame
        A row a version; ``underlying`` and ``features`` are lists.
    """
    where = home if isinstance(home, Home) else Home(home)
    found = [_read(where, path) for path in where.list("features", ".json") if path.count("/") == 2]
    schema: dict[str, Any] = {
        "name": pl.String, "version": pl.String, "underlying": pl.List(pl.String), "features": pl.List(pl.String),
        "latency_ms": pl.Int64, "made": pl.String,
    }  # fmt: skip
    rows = [{**{key: one[key] for key in schema}, "features": [f["name"] for f in one["features"]]} for one in found]
    return pl.DataFrame(rows, schema=schema).sort("made", "version")


def open_view(name: str, *, home: str | Path | Home | None = None, version: str | None = None) -> View:
    """Give a saved view.

    Parameters
    ----------
    name : str
    home : str, Path, Home or None
        Where the feature store lives.
    version : str, optional
        One of its versions (the beginning is enough); the one made last by default.

    Raises
    ------
    DataError
        The home holds no such view; the message says which there are.
    """
    where = home if isinstance(home, Home) else Home(home)
    views = saved_views(where)
    found = views.filter((pl.col("name") == name) & pl.col("version").str.starts_with(version or ""))
    if not found.height:
        held = ", ".join(f"{row['name']} ({row['version']})" for row in views.iter_rows(named=True)) or "none"
        wanted = f"{name!r}" + (f" of version {version}" if version else "")
        raise DataError(
            f"The home {where.where} has no view {wanted}; it has: {held}.", hint="Build one: algo features build."
        )
    row = found.row(-1, named=True)
    return View(
        name, underlying=row["underlying"], features=row["features"], latency_ms=row["latency_ms"],
        version=row["version"],
    )  # fmt: skip


def _read(home: Home, path: str) -> dict[str, Any]:
    try:
        return dict(json.loads(home.read(path)))
    except ValueError:
        raise DataError(
            f"{home.path(path)} is not the definition of a view.", hint="Remove it and build the view again."
        ) from None


def _texts(values: Sequence[str], name: str, what: str) -> tuple[str, ...]:
    if isinstance(values, str) or not all(isinstance(value, str) and value.strip() for value in values):
        raise ConfigError(f"View {name!r}: expected a list of {what} names, got {values!r}.")
    chosen = tuple(values)
    twice = sorted({value for value in chosen if chosen.count(value) > 1})
    if twice or not chosen:
        told = f"{', '.join(twice)} twice" if twice else "none"
        raise ConfigError(f"View {name!r}: expected each {what} once and at least one, got {told}.")
    return chosen


def _memory(names: Sequence[str]) -> int:
    return max(LEAST_MEMORY, *(library.get(name).sessions for name in names))


def _content(names: Sequence[str], latency_ms: int) -> str:
    known = {
        "format": _FORMAT,
        "features": [[name, library.get(name).identity] for name in names],
        "memory": _memory(names),
        "latency_ms": latency_ms,
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]


def _described(name: str) -> dict[str, Any]:
    feature = library.get(name)
    kept = ("name", "family", "formula", "inputs", "parameters", "warm_up", "sessions", "unit", "source", "identity")
    return dict(json.loads(json.dumps({key: getattr(feature, key) for key in kept}, default=str)))
