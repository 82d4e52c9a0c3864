"""The point-in-time join: for each question the last values that could have been used at its moment, never later.

:func:`get_historical`, for each underlying:

1. The times of the rows are read, no features. Of several rows of one bar the highest ``ingest_seq`` stands, among
   those that were known by ``as_of`` (:func:`_standing`).
2. A binary search finds the last row with ``avail_ts <= event_time`` (:func:`_matched`).
3. Features are read file by file, only the stretch of rows that is needed, and gathered by a kernel: nothing of the
   table but one file a thread is in memory at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from algomaster.core.arrays import kind_of
from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.features.store.remembering import History
from algomaster.features.store.table import AsOf, Table, moment_of
from algomaster.features.store.view import View
from algomaster.market.home import Home
from algomaster.market.interest.frames import as_polars, pandas_of
from algomaster.market.schemas import TIMESTAMP

__all__ = ["get_historical"]

_NONE = np.iinfo(np.int64).min  # a moment that is not there
_THREADS = min(os.cpu_count() or 1, 8)


class _Standing(NamedTuple):
    """The rows of one underlying that stand, by time.

    Attributes
    ----------
    avail : (N,) int64
        When each could be used.
    order : (N,) int64 or None
        Its place among all rows of the files, one after the other; None where it is its own.
    starts : (files,) int64
        Place of each file's first row.
    """

    avail: IntArray
    order: IntArray | None
    starts: IntArray


def get_historical(
    questions: Any,
    view: View | History,
    *,
    home: str | Path | Home | None = None,
    as_of: AsOf = None,
    tolerance: timedelta | None = None,
    staleness: bool = False,
    storage_options: Mapping[str, str] | None = None,
) -> Any:
    """Answer what the features of an underlying were at a moment, as they could be known then.

    Parameters
    ----------
    questions : polars or pandas DataFrame (Q rows)
        Columns ``underlying`` and ``event_time`` (a moment with its zone); others are kept.
    view : View or History
        A :class:`~algomaster.features.store.remembering.History` keeps what it has read for the next questions; then
        ``home``, ``as_of`` and ``storage_options`` are its own.
    home : str, Path, Home or None
        Where the feature store lives; by default ``$ALGO_HOME``, else the platform's folder for user data.
    as_of : datetime, ISO text, int or None
        Answer from what was written by that moment, or from that version of the Delta table; all by default.
    tolerance : timedelta, optional
        Values older than this at the moment of the question (``event_time - avail_ts``) count as missing.
    staleness : bool
        Add that age as a column.
    storage_options : mapping, optional
        For object-store URLs.

    Returns
    -------
    DataFrame (Q rows)
        Of the kind that came, the same rows in the same order, duplicates kept, with ``avail_ts`` (UTC nanoseconds,
        null where nothing was available), the features (Float64, NaN where missing) and, if asked, ``staleness``.

    Raises
    ------
    DataError
        Nothing is built of the view.
    ValueError, TypeError
        The questions or an argument do not do.

    Notes
    -----
    The row of a question is the last bar with ``avail_ts <= event_time``; of several rows of that bar the one written
    last (highest ``ingest_seq``) among those known by ``as_of``.
    """
    if tolerance is not None and not isinstance(tolerance, timedelta):
        raise TypeError(f"tolerance: expected a timedelta, got {tolerance!r}")
    if tolerance is not None and tolerance < timedelta(0):
        raise ValueError(f"tolerance: expected no negative time, got {tolerance!r}")
    if isinstance(view, History):
        if home is not None or as_of is not None or storage_options is not None:
            raise ValueError("home, as_of, storage_options: expected none beside a History, which has its own")
        as_of = view.as_of
        table: Table = view
        view = view.view
    else:
        table = Table(view, home, storage_options=storage_options)
    asked = _asked(questions, view, staleness=staleness)
    moments = asked["event_time"].dt.cast_time_unit("ns").to_physical().fill_null(_NONE).to_numpy()
    oldest = None if tolerance is None else tolerance // timedelta(microseconds=1) * 1000
    found = np.full(asked.height, _NONE, np.int64)
    values = _answer(table, asked["underlying"], moments, as_of, oldest, found)
    answer = asked.with_columns(
        pl.Series("avail_ts", found).replace(_NONE, None).cast(TIMESTAMP),
        *(pl.Series(name, values[place]) for place, name in enumerate(view.features)),
    )
    if staleness:
        answer = answer.with_columns(staleness=pl.col("event_time").dt.cast_time_unit("ns") - pl.col("avail_ts"))
    return _as_it_came(answer, questions, asked.columns)


def _answer(
    table: Table, underlying: pl.Series, moments: IntArray, as_of: AsOf, oldest: int | None, found: IntArray
) -> FloatArray:
    """Give the values of each question (F, Q), and fill ``found`` (Q,) with when they could be used."""
    features = table.view.features
    known = moments[moments != _NONE]
    end = None if not known.size else datetime.fromtimestamp(-(-int(known.max()) // 1_000_000_000), UTC)
    names = underlying.drop_nulls().unique().to_list()
    files = table.files(underlyings=names, end=end, as_of=as_of)
    if not files.height or not known.size:
        return np.full((len(features), moments.size), np.nan)
    places = _places(underlying, names)

    def of_one(item: tuple[Any, pl.DataFrame]) -> list[tuple[str, IntArray, IntArray]]:
        """Find the rows of one underlying's questions; say which file gives which row to which question."""
        (name, *_), part = item
        rows = _standing(table, part, as_of)
        at = _matched(rows.avail, moments[places[name]], oldest)
        mine, at = places[name][at >= 0], at[at >= 0]
        found[mine] = rows.avail[at]
        return [(part["path"][file], q, row) for file, q, row in _by_file(rows, mine, at)]

    def gather(one: tuple[str, IntArray, IntArray], begin: int) -> None:
        path, question, row = one
        first = int(row.min())
        held = table.read_file(path, features, start=first, rows=int(row.max()) - first + 1).rechunk()
        row = row - first
        for place, name in enumerate(features):
            _take(held[name].to_numpy(), row, packed[place, begin : begin + row.size])
        where[question] = np.arange(begin, begin + row.size)

    with ThreadPoolExecutor(_THREADS) as pool:
        jobs = [
            one for part in pool.map(of_one, files.partition_by("underlying", as_dict=True).items()) for one in part
        ]
        # Values go side by side first and to their questions last: scattered writes of each file cost twice the time.
        begins = np.cumsum([0, *(question.size for _, question, _ in jobs)]).tolist()
        packed, values = np.empty((len(features), begins[-1])), np.empty((len(features), moments.size))
        where = np.full(moments.size, -1)
        list(pool.map(gather, jobs, begins))
        list(pool.map(lambda place: _take(packed[place], where, values[place]), range(len(features))))
    return values


def _places(underlying: pl.Series, names: list[str]) -> dict[str, IntArray]:
    """Give the places of each underlying's questions, in order."""
    codes = underlying.cast(pl.Enum(sorted(names))).to_physical().cast(pl.Int32).fill_null(len(names)).to_numpy()
    small = codes.astype(np.int16) if len(names) < np.iinfo(np.int16).max else codes  # sorted by radix
    order = np.argsort(small, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(names) + 1))
    return {name: order[ends[n - 1] if n else 0 : ends[n]] for n, name in enumerate(sorted(names))}


def _standing(table: Table, files: pl.DataFrame, as_of: AsOf) -> _Standing:
    """Give the rows of one underlying that stand, in the order of time."""
    moment = moment_of(as_of)
    events, sequences, kept = [], [], []
    for path, sequence, commits in files.select("path", "seq", "commits").iter_rows():
        # A file as it was committed has one ingest_seq and was known at one moment: the statistics say so.
        part = table.read_file(path, ["event_ts"] if commits == 1 else ["event_ts", "ingest_seq", "known_ts"])
        events.append(part["event_ts"].to_physical().to_numpy())
        whole = commits == 1
        sequences.append(np.full(part.height, sequence) if whole else part["ingest_seq"].to_numpy())
        known = None if whole or moment is None else (part["known_ts"] <= moment).to_numpy()
        kept.append(np.ones(part.height, np.bool_) if known is None else known)
    event, keep = np.concatenate(events), np.concatenate(kept)
    starts = np.cumsum([0, *(part.size for part in events[:-1])])
    order = None
    if not (keep.all() and (event[1:] > event[:-1]).all()):
        order = np.lexsort((np.concatenate(sequences), event))
        order = order[keep[order]]
        event = event[order]
        last = np.append(event[1:] > event[:-1], True)  # the last row of each bar has its highest ingest_seq
        order, event = order[last], event[last]
    return _Standing(event * 1000 + table.delay, order, starts)


def _matched(avail: IntArray, moments: IntArray, oldest: int | None) -> IntArray:
    """Give for each moment the place of the last row that was available, -1 for none."""
    order = np.argsort(moments)  # a search in order stays in the processor's cache: twice as fast, sorting included
    at = np.empty(moments.size, np.int64)
    at[order] = np.searchsorted(avail, moments[order], side="right") - 1
    if oldest is not None and avail.size:
        at[(at >= 0) & (moments - avail[at] > oldest)] = -1
    return at


def _by_file(rows: _Standing, question: IntArray, at: IntArray) -> Iterator[tuple[int, IntArray, IntArray]]:
    """Part questions by the file that answers them: file, question, row of the file."""
    place = at if rows.order is None else rows.order[at]
    file = np.searchsorted(rows.starts, place, side="right") - 1
    for each in np.unique(file).tolist():
        mine = file == each
        yield each, question[mine], place[mine] - rows.starts[each]


@kernel(lean=True)
def _take(column: FloatArray, row: IntArray, out: FloatArray) -> None:
    """Take values by their row; NaN for -1."""
    for k in range(row.size):
        out[k] = column[row[k]] if row[k] >= 0 else np.nan


# --- questions ---------------------------------------------------------------------------------------------------


def _asked(questions: Any, view: View, *, staleness: bool) -> pl.DataFrame:
    asked = as_polars(questions, "questions")
    lacking = [name for name in ("underlying", "event_time") if name not in asked.columns]
    if lacking:
        raise ValueError(f"questions: expected columns underlying and event_time, {' and '.join(lacking)} is not there")
    moments = asked["event_time"].dtype
    if not isinstance(moments, pl.Datetime) or moments.time_zone is None:
        raise ValueError(f"questions.event_time: expected moments with their zone, got {moments}")
    if asked["underlying"].dtype not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        raise ValueError(f"questions.underlying: expected names, got {asked['underlying'].dtype}")
    ours = {"avail_ts", *view.features} | ({"staleness"} if staleness else set())
    taken = sorted(ours & set(asked.columns))
    if taken:
        raise ValueError(f"questions: {', '.join(taken)} would be added, but are there already; rename them")
    return asked.with_columns(pl.col("underlying").cast(pl.String))


def _as_it_came(answer: pl.DataFrame, questions: Any, columns: list[str]) -> Any:
    if kind_of(questions) == "polars":
        return answer.with_columns(questions["underlying"])
    added = pandas_of(answer.drop(columns))
    added.index = questions.index
    return questions.assign(**{name: added[name] for name in added.columns})
