"""Frames in and out: polars or pandas at the door, polars inside."""

from __future__ import annotations

from typing import Any

import polars as pl

from algomaster.core.arrays import kind_of
from algomaster.core.errors import ConfigError

__all__ = ["as_polars", "pandas_of"]


def as_polars(frame: Any, name: str) -> pl.DataFrame:
    """Take a polars or pandas frame.

    Raises
    ------
    TypeError
        It is neither.
    """
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    if isinstance(frame, pl.DataFrame):
        return frame
    if kind_of(frame) == "pandas" and hasattr(frame, "columns"):
        return _of_pandas(frame)
    raise TypeError(f"{name}: expected a polars or pandas DataFrame, got {type(frame).__name__}")


def _of_pandas(frame: Any) -> pl.DataFrame:
    """Take a pandas frame; moments with a zone go through UTC, as polars reads them in a way pandas warns of."""
    zoned = [name for name, kind in frame.dtypes.items() if getattr(kind, "tz", None) is not None]
    plain = frame.assign(**{name: frame[name].dt.tz_convert(None) for name in zoned})
    taken: pl.DataFrame = pl.from_pandas(plain)
    return taken.with_columns(pl.col(zoned).dt.replace_time_zone("UTC"))


def pandas_of(frame: pl.DataFrame) -> Any:
    """Give a frame as pandas."""
    try:
        return frame.to_pandas()
    except ImportError as missing:
        raise ConfigError(f"pandas frames need {missing.name}.", hint=f"pip install {missing.name}") from None
