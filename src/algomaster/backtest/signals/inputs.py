"""What may come in: numpy, pandas or polars, one symbol or many, made into the arrays that the loops take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from algomaster.core.arrays import as_array, kind_of
from algomaster.core.types import FloatArray, IntArray

__all__ = ["BarInput", "Matrix", "as_times", "day_ends", "duration", "flags_of", "read_bars", "read_matrix", "setting"]

Flags = NDArray[np.uint8]
_UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "min": 60 * 10**9, "h": 3600 * 10**9}
_UNITS |= {"d": 86_400 * 10**9, "w": 7 * 86_400 * 10**9}


class Matrix(NamedTuple):
    """Values (T, N) with what their columns are called and when their rows are, where that came along."""

    values: FloatArray
    names: tuple[str, ...] | None
    times: Any
    index: Any
    """A pandas index, to be compared with others."""


class BarInput(NamedTuple):
    """Prices (T, N) float64, NaN where there is none; symbols; times of the bars where they are known."""

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    symbols: tuple[str, ...]
    times: pl.Series | None
    has_open: bool
    has_range: bool


def read_matrix(values: Any, name: str) -> Matrix:
    """Take a vector (T,), a matrix (T, N), or a Series or frame of pandas or polars.

    Raises
    ------
    TypeError, ValueError
        The values are not numbers, or have more than two dimensions, or none.
    """
    kind = kind_of(values)
    names: tuple[str, ...] | None = None
    times = index = None
    if kind == "polars" and isinstance(values, pl.DataFrame):
        clocks = [column for column, dtype in values.schema.items() if dtype.is_temporal()]
        times = values[clocks[0]] if clocks else None
        values = values.drop(clocks)
        names = tuple(values.columns)
        array = np.stack([_numbers(values[column], f"{name}[{column!r}]") for column in names], axis=1)
    elif kind == "polars":
        names, array = (values.name,) if values.name else None, _numbers(values, name)
    elif kind == "pandas":
        index = values.index
        times = index if "datetime" in str(index.dtype) else None
        if hasattr(values, "columns"):
            names = tuple(map(_label, values.columns))
            array = np.stack([_numbers(values.iloc[:, j], name) for j in range(values.shape[1])], axis=1)
        else:
            names, array = (None if values.name is None else (_label(values.name),)), _numbers(values, name)
    else:
        array = _numbers(values, name)
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{name}: expected values (T,) or (T, N), got shape {array.shape}")
    return Matrix(np.ascontiguousarray(array), names, times, index)


def _numbers(values: Any, name: str) -> FloatArray:
    if kind_of(values) == "numpy" and str(getattr(values, "dtype", "")) == "object":
        shape = np.shape(values)
        values = [math.nan if value is None else value for value in np.ravel(values)]
        return as_array(np.array(values, dtype=object), name).reshape(shape)
    return as_array(values, name)


def _label(column: Any) -> str:
    return ", ".join(map(str, column)) if isinstance(column, tuple) else str(column)


def as_times(values: Any) -> pl.Series:
    """Take times as a polars Series of nanoseconds; whole numbers are nanoseconds UTC.

    Raises
    ------
    ValueError
        They are no times, are missing somewhere, or do not ascend.
    """
    if kind_of(values) == "pandas":
        zone = getattr(getattr(values, "dt", values), "tz", None)
        moments = values.tz_convert("UTC").tz_localize(None) if zone is not None and hasattr(values, "tz") else values
        series = pl.Series("time", np.asarray(moments, dtype="datetime64[ns]"))
        if zone is not None:
            series = series.dt.replace_time_zone("UTC").dt.convert_time_zone(str(zone))
    else:
        series = pl.Series("time", values)
        if series.dtype.is_integer():
            series = series.cast(pl.Datetime("ns", "UTC"))
        elif series.dtype == pl.Date:
            series = series.cast(pl.Datetime("ns"))
    if not isinstance(series.dtype, pl.Datetime):
        raise ValueError(f"times: expected datetimes, or whole nanoseconds UTC, got {series.dtype}")
    series = series.dt.cast_time_unit("ns").alias("time")
    if series.null_count() or not series.is_sorted() or series.n_unique() < len(series):
        raise ValueError("times: expected ascending times without gaps or doubles; sort the bars and drop doubles")
    return series


def read_bars(close: Any, *, open: Any, high: Any, low: Any, times: Any, columns: int) -> BarInput:
    """Make prices of one shape; ``columns`` is how many symbols or combinations the signals have.

    What is not given: the open is the close, the range is what open and close span. A bar whose open was not given has
    its close as its only price.

    Raises
    ------
    ValueError
        Shapes do not fit, a price is not above 0, or a range does not hold its open and close.
    """
    first = read_matrix(close, "close")
    bars, own = first.values.shape
    if own != columns and own != 1:
        raise ValueError(f"close: expected 1 or {columns} columns as the signals have, got {own}")
    given: dict[str, FloatArray] = {"close": first.values}
    for name, values in (("open", open), ("high", high), ("low", low)):
        if values is not None:
            other = read_matrix(values, name)
            same_rows(first, other, name)
            if other.values.shape[1] not in (1, own):
                raise ValueError(f"{name}: expected {own} columns as close has, got {other.values.shape[1]}")
            given[name] = np.broadcast_to(other.values, (bars, own))
    for name, values in given.items():
        if np.any(values <= 0.0) or np.any(np.isinf(values)):
            raise ValueError(f"{name}: expected prices above 0 (NaN where there is none), got {_worst(values)!r}")
    last = given["close"]
    begin = given.get("open", last)
    top, bottom = given.get("high", np.fmax(begin, last)), given.get("low", np.fmin(begin, last))
    if np.any(top < np.fmax(begin, last)) or np.any(bottom > np.fmin(begin, last)):
        at = np.argwhere((top < np.fmax(begin, last)) | (bottom > np.fmin(begin, last)))[0]
        raise ValueError(f"bar {at[0]}: expected low <= open, close <= high; clean the bars first")
    names = first.names if own == columns else None
    known = times if times is not None else first.times
    series = None if known is None else as_times(known)
    if series is not None and len(series) != bars:
        raise ValueError(f"times: expected {bars} times, one a bar, got {len(series)}")
    wide = (np.broadcast_to(values, (bars, columns)) for values in (begin, top, bottom, last))
    shaped = [np.require(values, requirements=["C", "W"]) for values in wide]
    return BarInput(
        open=shaped[0],
        high=shaped[1],
        low=shaped[2],
        close=shaped[3],
        symbols=names or tuple(str(c) for c in range(columns)),
        times=series,
        has_open="open" in given,
        has_range="high" in given or "low" in given,
    )


def _worst(values: FloatArray) -> float:
    return float(np.nanmin(np.where(np.isinf(values), -np.inf, values)))


def same_rows(first: Matrix, other: Matrix, name: str) -> None:
    """Refuse values whose bars are not those of the prices."""
    bars, rows = first.values.shape[0], other.values.shape[0]
    if rows != bars:
        raise ValueError(f"{name}: expected {bars} bars as close has, got {rows}")
    both = first.index is not None and other.index is not None
    if both and not first.index.equals(other.index):
        raise ValueError(f"{name}: its index is not that of close; align them first (reindex)")


def flags_of(values: Any, name: str, first: Matrix) -> tuple[Flags, tuple[str, ...] | None]:
    """Take signals: yes/no or 1/0, missing is no. Gives (T, 1 or N) and their columns' names."""
    found = read_matrix(values, name)
    same_rows(first, found, name)
    array = np.where(np.isnan(found.values), 0.0, found.values)
    if np.any((array != 0.0) & (array != 1.0)):
        raise ValueError(f"{name}: expected True and False (or 1 and 0), got {array[(array != 0) & (array != 1)][0]!r}")
    return array.astype(np.uint8), found.names


def setting(
    values: Any, name: str, shape: tuple[int, int], *, least: float = -math.inf, most: float = math.inf, nan: bool
) -> FloatArray:
    """Take a number, one a bar (T,), one a column (N,) or (1, N), or a matrix: gives (T or 1, N or 1).

    Raises
    ------
    ValueError
        The shape fits neither bars nor columns, or a value lies outside ``least`` to ``most``.
    """
    bars, columns = shape
    if values is None:
        values = math.nan
    array = read_matrix([values], name).values if np.ndim(values) == 0 else read_matrix(values, name).values
    pandas_like = kind_of(values) != "numpy"
    if np.ndim(values) == 1 and not pandas_like and array.shape == (columns, 1) and columns != bars:
        array = np.ascontiguousarray(array.T)
    elif np.ndim(values) == 1 and not pandas_like and bars == columns > 1:
        raise ValueError(f"{name}: {bars} values fit both bars and columns; write them as (T, 1) or (1, N)")
    if array.shape[0] not in (1, bars) or array.shape[1] not in (1, columns):
        raise ValueError(
            f"{name}: expected a number, or values for {bars} bars or {columns} columns, got shape {array.shape}"
        )
    missing = np.isnan(array)
    if (missing.any() and not nan) or np.any((array < least) | (array > most)):
        raise ValueError(f"{name}: expected numbers from {least:g} to {most:g}, got {array[~(array >= least)][:1]}")
    return np.require(array, requirements=["C", "W"])


def duration(freq: str | int | None) -> int:
    """Give the length of a bar in nanoseconds: "1m", "15min", "1h", "1d"; 0 where it is not said.

    Raises
    ------
    ValueError
        It is not a number with a unit.
    """
    if freq is None:
        return 0
    text = str(freq).strip().lower()
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = text[len(digits) :]
    if unit not in _UNITS or not (digits == "" or digits.isdigit()):
        raise ValueError(f"freq: expected a number with a unit ({', '.join(_UNITS)}) such as '1m', got {freq!r}")
    return int(digits or 1) * _UNITS[unit]


def day_ends(times: pl.Series | None, bars: int) -> IntArray:
    """Give the last bar of each day of the clock that the times are in; without times the whole run is one."""
    if times is None:
        return np.array([bars - 1], np.int64)
    days = times.dt.date().to_physical().to_numpy()
    return np.append(np.flatnonzero(np.diff(days)), bars - 1).astype(np.int64)


def groups_of(group_by: Any, cash_sharing: bool, symbols: Sequence[str]) -> tuple[list[str], IntArray]:
    """Give group names and each column's group: all one with shared cash, each its own without."""
    if group_by is None:
        if cash_sharing:
            return ["all"], np.zeros(len(symbols), np.int64)
        return list(symbols), np.arange(len(symbols), dtype=np.int64)
    if not cash_sharing:
        raise ValueError("group_by: symbols of a group share their cash here; say cash_sharing=True")
    labels = [str(label) for label in group_by]
    if len(labels) != len(symbols):
        raise ValueError(f"group_by: expected a label for each of {len(symbols)} columns, got {len(labels)}")
    names = list(dict.fromkeys(labels))
    return names, np.array([names.index(label) for label in labels], np.int64)
