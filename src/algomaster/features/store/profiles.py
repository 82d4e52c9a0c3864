"""What the values of a view look like: for each session and feature how many there are, and how they lie."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from algomaster.core.errors import DataError
from algomaster.core.render import html_table, text_table
from algomaster.features.store.sessions import in_range
from algomaster.features.store.table import AsOf, Table
from algomaster.features.store.view import View
from algomaster.market.home import Home

__all__ = ["QUANTILES", "Profile", "read_range", "statistics"]

QUANTILES: Final = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
_KEYS: Final = ["underlying", "session"]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Profile:
    """Statistics of a view by session and feature.

    Attributes
    ----------
    view : View
    first, last : date
    frame : DataFrame
        A row an underlying, session and feature: rows, coverage (share of rows with a value), mean, std (divided by
        n - 1), min, q05, q25, q50, q75, q95, max of the values there are; null where there is none.
    """

    view: View
    first: date
    last: date
    frame: pl.DataFrame

    def to_frame(self) -> pl.DataFrame:
        """Give the statistics."""
        return self.frame

    def plot(self, feature: str | None = None, *, underlying: str | None = None) -> Any:
        """Draw the coverage of all features through the days, or how the values of one lie.

        Parameters
        ----------
        feature : str, optional
        underlying : str, optional
            The view's first by default.
        """
        from algomaster.features.store.plots import coverage_figure, spread_figure

        rows = self.frame.filter(pl.col("underlying") == (underlying or self.view.underlying[0]))
        if feature is None:
            return coverage_figure(rows, label=self.view.name)
        if feature not in self.view.features:
            raise ValueError(f"feature: expected one of the view's, got {feature!r}")
        return spread_figure(rows.filter(pl.col("feature") == feature), label=feature)

    def __repr__(self) -> str:
        return text_table(f"Statistics of {self.view.name}", self._table())

    def _repr_html_(self) -> str:
        return html_table(f"Statistics of {self.view.name}", self._table())

    def _table(self) -> list[tuple[str, str]]:
        whole = self.frame.group_by("feature").agg(pl.col("coverage").max())
        empty = whole.filter(pl.col("coverage") == 0.0).height
        return [
            ("sessions", f"{self.frame['session'].n_unique():,}, {self.first} to {self.last}"),
            ("features", f"{whole.height:,}, {empty:,} of them without any value"),
            ("coverage", f"{float(str(self.frame['coverage'].mean())):.1%} of all rows"),
        ]


def statistics(
    view: View, start: str | date, end: str | date, *, home: str | Path | Home | None = None, as_of: AsOf = None
) -> Profile:
    """Describe the values that are kept, by session and feature.

    Parameters
    ----------
    view : View
    start, end : date or ISO text
        First and last session, both included.
    home : str, Path, Home or None
        Where the feature store lives; by default ``$ALGO_HOME``, else the platform's folder for user data.
    as_of : datetime, ISO text, int or None
        What was known then.

    Raises
    ------
    DataError
        Nothing is built in the range.
    """
    first, last = in_range(start, end)
    rows = read_range(view, first, last, home=home, as_of=as_of)
    parts = [_of_one(rows, name) for name in view.features]
    frame = pl.concat(parts).sort("underlying", "session", pl.col("feature").cast(pl.Enum(list(view.features))))
    return Profile(view=view, first=first, last=last, frame=frame)


def read_range(
    view: View, first: date, last: date, *, home: str | Path | Home | None, as_of: AsOf = None
) -> pl.DataFrame:
    """Give the rows of a range that stand.

    Raises
    ------
    DataError
        There are none.
    """
    table = Table(view, home)
    rows = table.read(underlyings=view.underlying, start=first, end=last, as_of=as_of)
    if not rows.height:
        held = table.scan(columns=["session"]).select(pl.min("session"), last=pl.max("session")).collect().row(0)
        raise DataError(
            f"View {view.name!r} has no rows from {first} to {last}; it has {held[0]} to {held[1]}.",
            hint="Build them: features.materialize(view, start, end), or algo features build.",
        )
    return rows


def _of_one(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    value = pl.col(name).fill_nan(None)
    return rows.group_by(_KEYS).agg(
        pl.lit(name).alias("feature"),
        rows=pl.len().cast(pl.Int64),
        coverage=value.count() / pl.len(),
        mean=value.mean(),
        std=value.std(),
        min=value.min(),
        **{key: value.quantile(share, "linear") for key, share in QUANTILES.items()},
        max=value.max(),
    )
