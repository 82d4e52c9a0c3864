"""The offline table of a view: append-only Delta Lake that any engine reads, one Parquet file a commit and underlying.

A row is one bar of one underlying: ``underlying, session, event_ts`` (bar start), ``avail_ts`` (bar end + declared
latency), ``known_ts`` (when this row was written), ``ingest_seq`` (of two rows of one bar the higher stands),
``inputs`` (fingerprint of the bars it was computed from), ``live`` (recorded by a live day), then the features.

1. :meth:`Table.append` writes the files first and names them in one commit, so a crash leaves files that nobody reads,
   never half a commit. Writers need no lock: Delta appends that meet are put one after the other.
2. Nothing is ever changed or removed: a correction is more rows with a higher ``ingest_seq``. What was known at a
   moment is the rows with ``known_ts`` up to it; what a version of the table held is that version.
3. The table is partitioned by underlying only (a folder a day made 26,700 files and ten times the write time); Delta's
   statistics of each file's times say which files a question touches.

Files are written by polars, two to three times as fast as deltalake's own writer here, with snappy and features without
dictionaries. Delta knows microseconds only: times go in and come out as such, and :func:`to_ns` widens them.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

import polars as pl
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    Field,
    Schema,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction

from algomaster.core.errors import DataError
from algomaster.core.types import MINUTE_NS
from algomaster.features.store.view import View
from algomaster.market.home import Home

__all__ = ["FILE_TIME", "META", "AsOf", "Table", "latest", "to_ns"]

AsOf = datetime | str | int | None
FILE_TIME: Final = pl.Datetime("us", "UTC")
META: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "underlying": pl.String, "session": pl.Date, "event_ts": FILE_TIME, "avail_ts": FILE_TIME, "known_ts": FILE_TIME,
    "ingest_seq": pl.Int64, "inputs": pl.Int64, "live": pl.Boolean,
}  # fmt: skip
"""Columns before the features."""

_DELTA = {
    pl.String: "string", pl.Date: "date", FILE_TIME: "timestamp", pl.Int64: "long", pl.Boolean: "boolean",
}  # fmt: skip
_TIMES = ("event_ts", "avail_ts", "known_ts")
_BOUNDED = ("session", *_TIMES, "ingest_seq")
_ROW_GROUP = 250_000
_RETRIES = 1000  # commits that meet are tried again; the default of 15 is few for 40 writers at a time
_COMMIT: Final = CommitProperties(max_commit_retries=_RETRIES)
_SETTINGS = {
    "delta.appendOnly": "true",
    "delta.logRetentionDuration": "interval 36500 days",  # the log is the history that as_of= reads
}


class Table:
    """The offline table of one version of a view.

    Parameters
    ----------
    view : View
    home : str, Path, Home or None
        Where the feature store lives; by default ``$ALGO_HOME``, else the platform's folder for user data.
    storage_options : mapping, optional
        Handed to deltalake and polars for object-store URLs (keys, region, endpoint).
    """

    def __init__(
        self, view: View, home: str | Path | Home | None = None, *, storage_options: Mapping[str, str] | None = None
    ) -> None:
        self.view = view
        self.home = home if isinstance(home, Home) else Home(home)
        self.uri = self.home.path(view.folder)
        self._options = dict(storage_options) if storage_options else None
        self._schema = Schema(
            [Field(name, PrimitiveType(_DELTA[kind])) for name, kind in META.items()]
            + [Field(name, PrimitiveType("double")) for name in view.features]
        )

    def __repr__(self) -> str:
        return f"Table({self.uri})"

    @property
    def delay(self) -> int:
        """Nanoseconds from a bar's start until its values can be used, equal for all rows of a version."""
        return MINUTE_NS + self.view.latency_ms * 1_000_000

    def open(self, version: int | None = None) -> DeltaTable | None:
        """Give the Delta table (as it was at a version); None where nothing was ever written.

        Raises
        ------
        DataError
            There is no such version, or the table cannot be read.
        """
        try:
            return DeltaTable(self.uri, version=version, storage_options=self._options)
        except TableNotFoundError:
            return None
        except (DeltaError, OSError) as problem:
            said = str(problem).splitlines()[0]
            wanted = "" if version is None else f" at version {version}"
            raise DataError(f"Cannot read the table {self.uri}{wanted}: {said}.") from None

    def append(
        self, frame: pl.DataFrame, *, live: bool = False, ingest_seq: int | None = None, known: datetime | None = None
    ) -> int:
        """Add rows in one commit.

        Parameters
        ----------
        frame : DataFrame
            ``underlying, session, event_ts, inputs`` and the features; the rest is added here.
        live : bool
            Whether a live day recorded them.
        ingest_seq, known : int, datetime, optional
            For what is moved from elsewhere; by default now, and above all the table holds.

        Returns
        -------
        int
            The ``ingest_seq`` the rows were given.
        """
        table = self.open() or self._create()
        if ingest_seq is None:
            held = _actions(table)
            last = held["max.ingest_seq"].max() if held.height else None
            ingest_seq = max(time.time_ns(), int(str(last)) + 1 if last is not None else 0)
        moment = known or datetime.fromtimestamp(ingest_seq // 1000 / 1e6, UTC)
        whole = frame.with_columns(pl.col("event_ts").cast(FILE_TIME)).with_columns(
            avail_ts=pl.col("event_ts") + pl.duration(nanoseconds=self.delay, time_unit="us"),
            known_ts=pl.lit(moment).cast(FILE_TIME),
            ingest_seq=pl.lit(ingest_seq, pl.Int64),
            live=pl.lit(live),
        )
        whole = whole.select(pl.col(name).cast(kind) for name, kind in META.items()).hstack(
            whole.select(pl.col(self.view.features).cast(pl.Float64))
        )
        if self.home.is_local:
            self._append_files(table, whole)
        else:
            self._append_remote(table, whole)
        return ingest_seq

    def _append_files(self, table: DeltaTable, whole: pl.DataFrame) -> None:
        """Write a file an underlying side by side, then name them in one commit."""
        with ThreadPoolExecutor(2) as pool:
            added = list(pool.map(lambda item: self._write(*item), _by_underlying(whole)))
        table.create_write_transaction(
            [*added], mode="append", schema=self._schema, partition_by=["underlying"], commit_properties=_COMMIT
        )

    def _append_remote(self, table: DeltaTable, whole: pl.DataFrame) -> None:
        """Let deltalake's own writer do it, whose object stores polars and fsspec need not know."""
        plain = ColumnProperties(dictionary_enabled=False)
        write_deltalake(
            table,
            whole,
            mode="append",
            partition_by=["underlying"],
            storage_options=self._options,
            writer_properties=WriterProperties(
                compression="SNAPPY",
                max_row_group_size=_ROW_GROUP,
                column_properties=dict.fromkeys(self.view.features, plain),
            ),
            commit_properties=_COMMIT,
        )

    def _create(self) -> DeltaTable:
        self.view.save(self.home)
        try:
            return DeltaTable.create(
                self.uri,
                schema=self._schema,
                mode="ignore",
                partition_by=["underlying"],
                name=self.view.name,
                description=f"Feature view {self.view.name}, version {self.view.version}",
                configuration=_SETTINGS,
                storage_options=self._options,
            )
        except CommitFailedError:  # another writer made it in this moment
            made = self.open()
            if made is None:
                raise
            return made

    def _write(self, underlying: str, part: pl.DataFrame) -> AddAction:
        # Other engines read the value from the name of the folder; the commit escapes the name once more.
        name = f"underlying={quote(underlying, safe='')}/{uuid.uuid4().hex}.parquet"
        target = Path(self.uri, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        part.drop("underlying").write_parquet(
            target,
            compression="snappy",
            statistics={"min": True, "max": True, "null_count": True},
            row_group_size=_ROW_GROUP,
        )
        size = target.stat().st_size
        stats = json.dumps(_bounds(part))
        return AddAction(name, size, {"underlying": underlying}, _now_ms(), True, stats)

    # --- reading -------------------------------------------------------------------------------------------------

    def files(
        self,
        *,
        underlyings: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        as_of: AsOf = None,
    ) -> pl.DataFrame:
        """List the files that can hold rows of a question, by their statistics.

        Parameters
        ----------
        underlyings : sequence of str, optional
        start, end : datetime, optional
            Of ``event_ts``, both included.
        as_of : datetime, ISO text, int or None
            What was known then (a moment), or what a version of the table held (an int).

        Returns
        -------
        DataFrame
            path, underlying, rows, first, last (``event_ts``), seq (the lowest ``ingest_seq``) and commits: 1 where all
            rows have one ``ingest_seq``, 2 where they do not (files that were compacted).

        Raises
        ------
        DataError
            Nothing was ever built of this version of the view.
        """
        table = self.open(as_of if isinstance(as_of, int) else None)
        if table is None:
            raise DataError(
                f"Nothing is built of view {self.view.name!r}, version {self.view.version}, in {self.home.where}.",
                hint="Build it first: features.materialize(view, start, end), or algo features build.",
            )
        found = _actions(table)
        moment = moment_of(as_of)
        keep = pl.lit(True)
        if underlyings is not None:
            keep &= pl.col("partition.underlying").is_in(list(underlyings))
        if start is not None:
            keep &= pl.col("max.event_ts") >= start
        if end is not None:
            keep &= pl.col("min.event_ts") <= end
        if moment is not None:
            keep &= pl.col("min.known_ts") <= moment
        kept = found.filter(keep)
        return kept.select(
            pl.Series("path", [f"{self.uri}/{unquote(path)}" for path in kept["path"]], dtype=pl.String),
            underlying="partition.underlying",
            rows="num_records",
            first="min.event_ts",
            last="max.event_ts",
            seq="min.ingest_seq",
            commits=(pl.col("min.ingest_seq") != pl.col("max.ingest_seq")).cast(pl.Int64) + 1,
        ).sort("underlying", "first", "seq")  # fmt: skip

    def read_file(self, path: str, columns: Sequence[str], *, start: int = 0, rows: int | None = None) -> pl.DataFrame:
        """Give columns (never ``underlying``, which the folder says) of a stretch of rows of one file."""
        scan = pl.scan_parquet(path, glob=False, hive_partitioning=False, storage_options=self._options)
        return scan.slice(start, rows).select(columns).collect()

    def scan(
        self,
        *,
        underlyings: Sequence[str] | None = None,
        start: date | None = None,
        end: date | None = None,
        as_of: AsOf = None,
        columns: Sequence[str] | None = None,
    ) -> pl.LazyFrame:
        """Give all rows of a range of sessions, corrections beside what they correct, lazily and in no order."""
        wanted = list(columns) if columns is not None else [*META, *self.view.features]
        files = self.files(underlyings=underlyings, start=_midnight(start), end=_midnight(end, 2), as_of=as_of)
        keep = pl.lit(True)
        if start is not None:
            keep &= pl.col("session") >= start
        if end is not None:
            keep &= pl.col("session") <= end
        moment = moment_of(as_of)
        if moment is not None:
            keep &= pl.col("known_ts") <= moment
        parts = [
            pl.scan_parquet(part["path"].to_list(), glob=False, hive_partitioning=False, storage_options=self._options)
            .filter(keep)
            .with_columns(underlying=pl.lit(name[0]))
            .select(wanted)
            for name, part in files.partition_by("underlying", as_dict=True, maintain_order=True).items()
        ]
        empty = {name: META.get(name, pl.Float64) for name in wanted}
        return pl.concat(parts) if parts else pl.LazyFrame(schema=empty)

    def read(
        self,
        *,
        underlyings: Sequence[str] | None = None,
        start: date | None = None,
        end: date | None = None,
        as_of: AsOf = None,
    ) -> pl.DataFrame:
        """Give the rows that stand (the highest ``ingest_seq`` of each bar), by underlying and time."""
        return latest(self.scan(underlyings=underlyings, start=start, end=end, as_of=as_of)).collect()

    def sessions(self, underlying: str) -> dict[date, int]:
        """Give the sessions that are there, each with the fingerprint of what it was last computed from."""
        if self.open() is None:
            return {}
        rows = self.scan(underlyings=[underlying], columns=["session", "event_ts", "ingest_seq", "inputs"])
        order = pl.struct("ingest_seq", "event_ts")
        found = rows.group_by("session").agg(pl.col("inputs").sort_by(order).last()).collect()
        return dict(zip(found["session"].to_list(), found["inputs"].to_list()))

    def history(self) -> pl.DataFrame:
        """List the commits, oldest first: version, when, operation."""
        table = self.open()
        told = [] if table is None else table.history()
        rows = [{"version": one["version"], "when": one["timestamp"], "operation": one["operation"]} for one in told]
        frame = pl.DataFrame(rows, schema={"version": pl.Int64, "when": pl.Int64, "operation": pl.String})
        return frame.with_columns(pl.from_epoch("when", "ms").dt.replace_time_zone("UTC")).sort("version")


def latest(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Keep, of the rows of each bar, the one with the highest ``ingest_seq``; in the order of underlying and time."""
    ordered = rows.sort("underlying", "event_ts", "ingest_seq")
    bar = pl.col("underlying", "event_ts")
    return ordered.filter(pl.any_horizontal(bar.ne_missing(bar.shift(-1))))


def moment_of(as_of: AsOf) -> datetime | None:
    """Read the moment of ``as_of``; None for a version of the table or for now.

    Raises
    ------
    ValueError
        The text is no moment, or the moment has no zone.
    """
    if as_of is None or (isinstance(as_of, int) and not isinstance(as_of, bool)):
        return None
    try:
        moment = as_of if isinstance(as_of, datetime) else datetime.fromisoformat(str(as_of))
    except ValueError:
        raise ValueError(f"as_of: expected a moment, ISO text or a version of the table, got {as_of!r}") from None
    if moment.tzinfo is None:
        raise ValueError(f"as_of: expected a moment with its zone such as 2015-06-30T18:00:00+05:30, got {as_of!r}")
    return moment.astimezone(UTC)


def to_ns(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the times of a frame in nanoseconds, as the rest of the house has them."""
    return frame.with_columns(pl.col(FILE_TIME).cast(pl.Datetime("ns", "UTC")))


def _actions(table: DeltaTable) -> pl.DataFrame:
    # The copy of arro3 that deltalake brings exports Arrow's stream interface, which polars reads.
    return pl.DataFrame(table.get_add_actions(flatten=True))


def _by_underlying(rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Part rows by underlying; without a copy where those of each stand together."""
    runs = rows["underlying"].rle().struct.unnest()
    if runs["value"].n_unique() < runs.height:
        yield from ((str(name), part) for (name, *_), part in rows.partition_by("underlying", as_dict=True).items())
        return
    start = 0
    for length, name in runs.iter_rows():
        yield name, rows.slice(start, length)
        start += length


def _bounds(part: pl.DataFrame) -> dict[str, Any]:
    low, high = (part.select(getattr(pl.col(_BOUNDED), which)()).row(0, named=True) for which in ("min", "max"))
    return {
        "numRecords": part.height,
        "minValues": {name: _plain(value) for name, value in low.items()},
        "maxValues": {name: _plain(value) for name, value in high.items()},
        "nullCount": dict.fromkeys(_BOUNDED, 0),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value.isoformat() if isinstance(value, date) else value


def _midnight(day: date | None, later: int = -1) -> datetime | None:
    """Widen a session to moments that hold it in any zone."""
    if day is None:
        return None
    return datetime.fromordinal(day.toordinal() + later).replace(tzinfo=UTC)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
