"""Features over history: the loop of the same kernels that advance a bar at a time."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np

from algomaster.core.arrays import kind_of
from algomaster.core.errors import DataError
from algomaster.core.types import FloatArray, IntArray
from algomaster.features import library
from algomaster.features.definition import Feature
from algomaster.features.inputs import moments_of, series_of
from algomaster.features.program import Program, build
from algomaster.features.tapes import Tape

__all__ = ["compute", "programs"]

_PRICES: Final = ("open", "high", "low", "close")


def compute(data: Any, names: str | Iterable[str], *, workers: int = 1) -> Any:
    """Compute features over history.

    Parameters
    ----------
    data : polars or pandas DataFrame, or Days
        Bars in ascending order: ``ts`` (start of the bar; times with a zone, or whole nanoseconds UTC), ``open, high,
        low, close`` and usually ``volume``; what else there may be says ``algo features list``. With a column
        ``underlying`` each underlying is a history of its own. Sessions of a chain bring the columns of
        :func:`~algomaster.features.chain_inputs` along.
    names : str or sequence of str
        Features, or a preset. A feature whose inputs are not there is NaN throughout.
    workers : int
        Threads over underlyings.

    Returns
    -------
    DataFrame
        Of the kind that came (polars for sessions): ``ts`` and ``underlying`` as they came, and a float64 column a
        feature, each row's value knowable at the end of its bar. NaN where there is none.

    Raises
    ------
    CatalogueError
        There is no such feature.
    DataError
        A column that every bar has is missing, or bars are out of order.
    ValueError, TypeError
        Times have no zone, or a column is not numbers.

    Notes
    -----
    The values are those of :func:`~algomaster.features.online`, bit for bit.
    """
    chosen = library.choose(names)
    if kind_of(data) == "numpy":
        from algomaster.features.sessions_frame import frame_of_days

        data = frame_of_days(data, chosen)
    _check_columns(data)
    ts = moments_of(data["ts"])
    parts = programs(tuple(library.get(name) for name in chosen))
    out = np.empty((len(chosen), ts.size))
    groups = list(_groups(data, ts))

    def run(rows: slice | IntArray) -> None:
        part = data.iloc[rows] if kind_of(data) == "pandas" else data[rows]
        for program, places in parts:
            _run(program, series_of(part, ts[rows], program.inputs), out, places, rows)

    if workers > 1 and len(groups) > 1:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(run, groups))
    else:
        for rows in groups:
            run(rows)
    return _frame(data, chosen, out)


@functools.lru_cache(maxsize=64)
def programs(chosen: tuple[Feature, ...]) -> tuple[tuple[Program, tuple[int, ...]], ...]:
    """Give the programs for these features and the places of their results: ours, and those of users' own kernels."""
    own = frozenset(library.kernels())
    split: dict[tuple[Any, ...], list[int]] = {}
    for place, feature in enumerate(chosen):
        used = feature.kernels
        split.setdefault(library.kernels() if used <= own else tuple(sorted(used, key=_order)), []).append(place)
    return tuple(
        (build([chosen[place].expression for place in places], kernels), tuple(places))
        for kernels, places in split.items()
    )


def _order(kernel: Any) -> tuple[str, str]:
    return kernel.__module__, kernel.__qualname__


def _run(
    program: Program, series: FloatArray, out: FloatArray, places: tuple[int, ...], rows: slice | IntArray
) -> None:
    count = series.shape[1]
    if isinstance(rows, slice) and len(places) == out.shape[0]:
        Tape(program).advance(series, out, 0, count, rows.start)
        return
    found = np.empty((len(places), count))
    Tape(program).advance(series, found, 0, count)
    for place, values in zip(places, found):
        out[place, rows] = values


def _check_columns(frame: Any) -> None:
    lacking = [name for name in ("ts", *_PRICES) if name not in frame.columns]
    if lacking:
        raise DataError(
            f"Bars need the columns ts, {', '.join(_PRICES)}; lacking: {', '.join(lacking)}.",
            hint=f"The frame has: {', '.join(map(str, frame.columns))}.",
        )


def _groups(frame: Any, ts: IntArray) -> Iterator[slice | IntArray]:
    """Give the rows of each underlying, in order; a slice where they stand together."""
    if "underlying" not in frame.columns:
        _ascending(ts, "")
        yield slice(0, ts.size)
        return
    labels = frame["underlying"].to_numpy()
    found, codes = np.unique(labels.astype(str), return_inverse=True)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=found.size))
    for label, start, stop in zip(found, [0, *ends[:-1].tolist()], ends.tolist()):
        rows = order[start:stop]
        _ascending(ts[rows], f" of {label}")
        together = rows.size and rows[-1] - rows[0] + 1 == rows.size
        yield slice(int(rows[0]), int(rows[-1]) + 1) if together else rows


def _ascending(ts: IntArray, whose: str) -> None:
    falls = np.flatnonzero(np.diff(ts) <= 0)
    if falls.size:
        at = int(falls[0])
        raise DataError(
            f"Expected bars{whose} in ascending order of ts, got {np.datetime64(int(ts[at + 1]), 'ns')} after "
            f"{np.datetime64(int(ts[at]), 'ns')}.",
            hint="Sort by ts and drop duplicates first.",
        )


def _frame(data: Any, chosen: tuple[str, ...], out: FloatArray) -> Any:
    kept = [name for name in ("ts", "underlying") if name in data.columns]
    if kind_of(data) == "pandas":
        import pandas as pd

        features = pd.DataFrame(out.T, columns=list(chosen), index=data.index)
        return pd.concat([data[kept], features], axis=1)
    import polars as pl

    return data.select(kept).hstack([pl.Series(name, row) for name, row in zip(chosen, out)])
