"""A table that is asked again and again: what was read once stays in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from algomaster.features.store.table import AsOf, Table
from algomaster.features.store.view import View
from algomaster.market.home import Home

__all__ = ["History"]


class History(Table):
    """The rows of a view as they are now (or were), kept in memory for many questions.

    :func:`~algomaster.features.store.joining.get_historical` takes one in place of the view. Columns are read when a
    question first touches their file, and stay: eight bytes a value. What is written later is not seen.

    Parameters
    ----------
    view : View
    home : str, Path, Home or None
        Where the feature store lives; by default ``$ALGO_HOME``, else the platform's folder for user data.
    as_of : datetime, ISO text, int or None
        What was known then, or what a version of the table held.
    storage_options : mapping, optional
        For object-store URLs.

    Raises
    ------
    DataError
        Nothing is built of the view.

    Examples
    --------
    >>> history = History(view, home="/data/algo")  # doctest: +SKIP
    >>> get_historical(questions, history)  # doctest: +SKIP
    """

    def __init__(
        self,
        view: View,
        *,
        home: str | Path | Home | None = None,
        as_of: AsOf = None,
        storage_options: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(view, home, storage_options=storage_options)
        table = self.open(as_of if isinstance(as_of, int) else None)
        self.as_of: AsOf = as_of if isinstance(as_of, int) or table is None else (as_of or table.version())
        self._files = super().files(as_of=self.as_of)
        self._read: dict[tuple[str, tuple[str, ...]], pl.DataFrame] = {}

    def __repr__(self) -> str:
        return f"History({self.uri}: {self._files['rows'].sum():,} rows, {self.nbytes / 1e6:,.0f} MB in memory)"

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return int(sum(frame.estimated_size() for frame in self._read.values()))

    def files(
        self,
        *,
        underlyings: Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        as_of: AsOf = None,
    ) -> pl.DataFrame:
        """List the files as :meth:`Table.files` does, of the moment the history was opened at."""
        del as_of  # it was said when the history was opened
        keep = pl.lit(True)
        if underlyings is not None:
            keep &= pl.col("underlying").is_in(list(underlyings))
        if start is not None:
            keep &= pl.col("last") >= start
        if end is not None:
            keep &= pl.col("first") <= end
        return self._files.filter(keep)

    def read_file(self, path: str, columns: Sequence[str], *, start: int = 0, rows: int | None = None) -> pl.DataFrame:
        """Give columns of a stretch of rows of one file, read once."""
        key = path, tuple(columns)
        if key not in self._read:
            self._read[key] = super().read_file(path, columns).rechunk()
        return self._read[key].slice(start, rows)
