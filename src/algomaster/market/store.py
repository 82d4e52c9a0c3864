"""The store: partitioned Parquet that any engine can read, written so that importing twice changes nothing.

Writing (:meth:`Store.write`), for each file the rows fall into:

1. Rows of one key inside the frame: the last one stands (:func:`_within`).
2. Rows whose key the file holds already with the same values are *unchanged*; with other values *replaced*;
   the rest is *stored* (:func:`_against`).
3. A file in which nothing is new is not touched; otherwise old and new rows are sorted by the key and the file is
   put in place whole (:class:`~algomaster.market.home.Home`).

Files: ``store/<dataset>/<underlying>/<session, month or year>.parquet``; the end-of-day datasets of all
underlyings share ``store/<dataset>/<session or year>.parquet``. A file that holds simulated rows has one more
column, ``simulated``, which says for each row whether it is one; real rows that take their place clear it.
"""

from __future__ import annotations

import dataclasses
import difflib
import io
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np
import polars as pl
from numpy.typing import NDArray

from algomaster.core.errors import DataError
from algomaster.market.home import Home
from algomaster.market.schemas import DATASETS, Dataset, dataset, validate

__all__ = ["REPLACED", "STORED", "UNCHANGED", "Store", "Written"]

UNCHANGED, STORED, REPLACED = 0, 1, 2
_PERIOD = {"session": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}
_SHARED = "(all)"
_SIMULATED = "simulated"
_AGAIN = "Remove the file and import its sources again."


@dataclasses.dataclass(frozen=True)
class Written:
    """What a write did.

    Attributes
    ----------
    stored, unchanged, replaced : int
        Rows that were new, that the store held already, and that took the place of another value of their key.
    outcome : (rows,) uint8
        The same for each row of the frame: ``STORED``, ``UNCHANGED`` or ``REPLACED``.
    """

    stored: int
    unchanged: int
    replaced: int
    outcome: NDArray[np.uint8] = dataclasses.field(repr=False, compare=False)


class Store:
    """Market data on a path or an object-store URL.

    Parameters
    ----------
    home : str, Path, Home or None
        Where it lives; by default ``$ALGO_HOME``, else the platform's folder for user data.
    """

    def __init__(self, home: str | Path | Home | None = None) -> None:
        self.home = home if isinstance(home, Home) else Home(home)

    def __repr__(self) -> str:
        return f"Store({self.home.where})"

    def write(self, name: str, frame: pl.DataFrame, *, replace: bool = True, simulated: bool = False) -> Written:
        """Put rows into a dataset; the same rows again change nothing.

        Parameters
        ----------
        name : str
            The dataset.
        frame : DataFrame
            Its columns (see :func:`~algomaster.market.schemas.validate`).
        replace : bool
            Whether other values of a key may take the place of those the store holds.
        simulated : bool
            Whether the rows are made up; the store remembers that of each row.

        Raises
        ------
        DataError
            The rows do not fit the dataset, or would replace others and may not; the file in question is untouched.
        """
        kind = dataset(name)
        clean = validate(frame, name).with_row_index("_row")
        outcome = np.zeros(clean.height, np.uint8)
        with self.home.lock():
            for path, part in _partitions(kind, clean):
                self._merge(kind, path, part.with_columns(pl.lit(simulated).alias(_SIMULATED)), outcome, replace)
        counts = np.bincount(outcome, minlength=3)
        return Written(int(counts[STORED]), int(counts[UNCHANGED]), int(counts[REPLACED]), outcome)

    def _merge(self, kind: Dataset, path: str, part: pl.DataFrame, outcome: NDArray[np.uint8], replace: bool) -> None:
        part = _within(kind, part, outcome)
        result = part.drop("_row")
        if self.home.exists(path):
            old = self._file(kind, path, marked=True)
            verdict = _against(kind, part, old)
            outcome[part["_row"].to_numpy()] = verdict
            if not replace and (verdict == REPLACED).any():
                raise DataError(
                    f"{self.home.path(path)} holds other values for {int((verdict == REPLACED).sum())} of these rows.",
                    hint="Keep the two apart: choose another home.",
                )
            # Real rows clear the mark of the simulated ones they come upon, even where the values agree by chance.
            marked = old.filter(pl.col(_SIMULATED)).join(result, on=kind.key, how="semi", nulls_equal=True)
            cleared = marked.height > 0 and not result[_SIMULATED].any()
            if not verdict.any() and not cleared:
                return
            fresh = result if cleared else result.filter(pl.Series(verdict) != UNCHANGED)
            result = pl.concat([old.join(fresh, on=kind.key, how="anti", nulls_equal=True), fresh])
        else:
            outcome[part["_row"].to_numpy()] = STORED
        if not result[_SIMULATED].any():
            result = result.drop(_SIMULATED)
        buffer = io.BytesIO()
        result.sort(kind.key).write_parquet(buffer, compression="zstd", compression_level=1)
        self.home.write(path, buffer.getvalue())

    def read(
        self,
        name: str,
        *,
        underlying: str | None = None,
        start: date | None = None,
        end: date | None = None,
        columns: Sequence[str] | None = None,
        marked: bool = False,
    ) -> pl.DataFrame:
        """Give rows of a dataset in the order of its key.

        Parameters
        ----------
        name : str
            The dataset.
        underlying : str, optional
            One underlying; all by default.
        start, end : date, optional
            First and last session, both included.
        columns : sequence of str, optional
            Only these columns.
        marked : bool
            Whether to add the column ``simulated``: true for rows that are made up, else false or null.

        Returns
        -------
        DataFrame
            Empty when the store holds nothing of it.

        Raises
        ------
        DataError
            A file cannot be read; the message names it.
        """
        kind = dataset(name)
        paths = self._paths(kind, underlying, start, end)
        if marked and self.home.is_local:
            self._refuse_lacking(kind, paths)
        frame = self._collect(kind, paths, self._scan(kind, paths, underlying, start, end, marked=marked))
        return frame.select(columns) if columns is not None else frame

    def scan(
        self, name: str, *, underlying: str | None = None, start: date | None = None, end: date | None = None
    ) -> pl.LazyFrame:
        """Give the same as a lazy frame; files outside the range are not opened.

        Collecting it raises what polars raises when a file is broken; :meth:`read` names the file.
        """
        kind = dataset(name)
        return self._scan(kind, self._paths(kind, underlying, start, end), underlying, start, end)

    def _scan(
        self,
        kind: Dataset,
        paths: list[str],
        underlying: str | None,
        start: date | None,
        end: date | None,
        *,
        marked: bool = False,
    ) -> pl.LazyFrame:
        schema = kind.schema | ({_SIMULATED: pl.Boolean()} if marked else {})
        if not paths:
            return pl.LazyFrame(schema=schema)
        if self.home.is_local:
            frame = pl.scan_parquet(
                [self.home.path(path) for path in paths],
                glob=False,
                schema=schema,
                missing_columns="insert" if marked else "raise",
                extra_columns="ignore",
            )
        else:
            frame = pl.concat([self._file(kind, path, marked=marked) for path in paths]).lazy()
        conditions = []
        if start is not None:
            conditions.append(pl.col("session") >= start)
        if end is not None:
            conditions.append(pl.col("session") <= end)
        if underlying is not None and not kind.by_underlying:
            conditions.append(pl.col("underlying") == underlying)
        return frame.filter(*conditions) if conditions else frame

    def _refuse_lacking(self, kind: Dataset, paths: list[str]) -> None:
        """Refuse files without the dataset's columns: a scan that may lack the mark would give them as null."""
        for path in paths:
            try:
                whole = kind.schema.keys() <= pl.read_parquet_schema(self.home.path(path)).keys()
            except (pl.exceptions.PolarsError, OSError):
                whole = False
            if not whole:
                self._file(kind, path)  # says what is wrong with it

    def _collect(self, kind: Dataset, paths: list[str], frame: pl.LazyFrame) -> pl.DataFrame:
        """Collect a scan of these files; where that fails, name the file that is broken."""
        try:
            return frame.collect()
        except (pl.exceptions.PolarsError, OSError) as problem:
            for path in paths:
                self._file(kind, path)
            said = str(problem).splitlines()[0]
            raise DataError(f"Cannot read store/{kind.name} of {self.home.where}: {said}.", hint=_AGAIN) from None

    def underlyings(self, name: str) -> list[str]:
        """Underlyings a dataset holds, in order."""
        kind = dataset(name)
        if kind.by_underlying:
            return sorted({unquote(path.split("/")[2]) for path in self._paths(kind, None)})
        return self.read(name)["underlying"].unique().sort().to_list()

    def sessions(self, name: str, *, underlying: str, start: date | None = None, end: date | None = None) -> list[date]:
        """Sessions of an underlying in a dataset, in order; told by the files' names where each holds one."""
        kind = dataset(name)
        if kind.period == "session" and kind.by_underlying:
            paths = self._paths(kind, underlying, start, end)
            return [date.fromisoformat(_period(path)) for path in paths]
        paths = self._paths(kind, underlying, start, end)
        found = self._scan(kind, paths, underlying, start, end).select(pl.col("session").unique())
        return sorted(self._collect(kind, paths, found)["session"].to_list())

    def inventory(self) -> pl.DataFrame:
        """Say what the store holds: dataset, underlying, first and last session, sessions, rows, bytes.

        End-of-day datasets keep all underlyings in one file; their line is "(all)".
        """
        lines = []
        for name, kind in DATASETS.items():
            sizes = self.home.list(f"store/{name}")
            for underlying in self.underlyings(name) if kind.by_underlying else [_SHARED] * bool(sizes):
                chosen = None if underlying == _SHARED else underlying
                paths = self._paths(kind, chosen)
                counted = self._scan(kind, paths, chosen, None, None).select(
                    first=pl.col("session").min(),
                    last=pl.col("session").max(),
                    sessions=pl.col("session").n_unique(),
                    rows=pl.len(),
                )
                held = self._collect(kind, paths, counted)
                size = sum(sizes[path] for path in paths)
                lines.append({"dataset": name, "underlying": underlying, **held.row(0, named=True), "bytes": size})
        types = {"dataset": pl.String, "underlying": pl.String, "first": pl.Date, "last": pl.Date}
        return pl.DataFrame(lines, schema={**types, "sessions": pl.Int64, "rows": pl.Int64, "bytes": pl.Int64})

    def told(self, *names: str) -> str:
        """Say in a line what the store holds (of these datasets, if named), for an error message."""
        held = self.inventory()
        if names:
            held = held.filter(pl.col("dataset").is_in(names))
        lines = [
            f"{row['underlying']} {row['first']} to {row['last']}" + ("" if len(names) == 1 else f" ({row['dataset']})")
            for row in held.iter_rows(named=True)
        ]
        return "; ".join(lines) or "none at all"

    def meant(self, underlying: str, *names: str) -> str:
        """Ask in a sentence whether an underlying that is not held was meant to be one that is; empty if none is."""
        held = {each.upper(): each for name in names for each in self.underlyings(name)}
        near = difflib.get_close_matches(underlying.upper(), held, n=1)
        return f"Did you mean {held[near[0]]}? " if near and held[near[0]] != underlying else ""

    def _paths(
        self, kind: Dataset, underlying: str | None, start: date | None = None, end: date | None = None
    ) -> list[str]:
        inside = f"/{_folder(underlying)}" if kind.by_underlying and underlying is not None else ""
        return [path for path in self.home.list(f"store/{kind.name}{inside}") if _overlaps(kind, path, start, end)]

    def _file(self, kind: Dataset, path: str, *, marked: bool = False) -> pl.DataFrame:
        try:
            frame = pl.read_parquet(io.BytesIO(self.home.read(path)))
            mark = pl.col(_SIMULATED) if _SIMULATED in frame.columns else pl.lit(False).alias(_SIMULATED)
            columns = [pl.col(column).cast(dtype) for column, dtype in kind.schema.items()]
            return frame.select(*columns, *[mark] * marked)
        except (pl.exceptions.PolarsError, OSError) as problem:
            said = str(problem).splitlines()[0]
            raise DataError(f"Cannot read {self.home.path(path)}: {said}.", hint=_AGAIN) from None


def _partitions(kind: Dataset, frame: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    period = pl.col("session").dt.strftime(_PERIOD[kind.period]).alias("_period")
    names = ["underlying", "_period"] if kind.by_underlying else ["_period"]
    for values, part in frame.with_columns(period).partition_by(names, as_dict=True).items():
        folder = f"{_folder(str(values[0]))}/" if kind.by_underlying else ""
        yield f"store/{kind.name}/{folder}{values[-1]}.parquet", part.drop("_period")


def _folder(underlying: str) -> str:
    """Name of an underlying's folder ("M&M" and "NIFTY 50" must be safe in paths and URLs)."""
    return quote(underlying, safe="-_.")


def _overlaps(kind: Dataset, path: str, start: date | None, end: date | None) -> bool:
    period = _period(path)
    first, last = (limit.strftime(_PERIOD[kind.period]) if limit else period for limit in (start, end))
    return first <= period <= last


def _period(path: str) -> str:
    return path.rsplit("/", 1)[1].removesuffix(".parquet")


def _within(kind: Dataset, part: pl.DataFrame, outcome: NDArray[np.uint8]) -> pl.DataFrame:
    """Let the last of several rows of one key stand; the others were the same (unchanged) or are replaced."""
    last = part.unique(kind.key, keep="last", maintain_order=True)
    if last.height < part.height:
        earlier = part.join(last, on="_row", how="anti")
        outcome[earlier["_row"].to_numpy()] = np.where(_against(kind, earlier, last) == UNCHANGED, UNCHANGED, REPLACED)
    return last


def _against(kind: Dataset, part: pl.DataFrame, old: pl.DataFrame) -> NDArray[np.uint8]:
    """Judge each row of ``part`` against the row of its key in ``old``; the time of collection is no value."""
    values = [column for column in kind.schema if column not in (*kind.key, "collected")]
    known = old.select(*kind.key, *(pl.col(column).alias(f"_old_{column}") for column in values), _known=pl.lit(True))
    both = part.join(known, on=kind.key, how="left", nulls_equal=True, maintain_order="left")
    same = pl.all_horizontal(pl.col(column).eq_missing(pl.col(f"_old_{column}")) for column in values)
    verdict = pl.when(pl.col("_known").is_null()).then(STORED).when(same).then(UNCHANGED).otherwise(REPLACED)
    return both.select(verdict.cast(pl.UInt8).alias("verdict"))["verdict"].to_numpy()
