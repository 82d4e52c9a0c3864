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
        taken: pl.DataFrame = pl.from_pandas(frame)
        return taken
    raise TypeError(f"{name}: expected a polars or pandas DataFrame, got {type(frame).__name__}")


def pandas_of(frame: pl.DataFrame) -> Any:
    """Give a frame as pandas."""
    try:
        return frame.to_pandas()
    except ImportError as missing:
        raise ConfigError(f"pandas frames need {missing.name}.", hint=f"pip install {missing.name}") from None
