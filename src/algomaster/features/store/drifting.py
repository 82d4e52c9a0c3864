"""Are today's values still those a model was trained on? The population stability index of every feature and day.

    PSI = sum over bins i of (a_i - e_i) ln(a_i / e_i)

with e_i the share of the training window in bin i and a_i that of the day. Bins are the tenths of the training window;
missing values are a bin of their own. So that an empty bin gives a number, half a row is added to each bin. Below 0.1
is no shift, up to 0.25 a moderate one, above a major one (N. Siddiqi, *Credit Risk Scorecards*, Wiley 2006). Without
any shift and with independent rows the index is about chi-squared with B - 1 degrees of freedom times 1/N + 1/M (B.
Yurdakul, J. Naranjo, "Statistical properties of the population stability index", *Journal of Risk Model Validation*
14(4), 2020): its mean is given as ``expected``. Minutes of a day are far from independent where a feature looks back an
hour: compare a feature with its own usual index before calling a day odd, or take several sessions together
(``window``).
"""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from algomaster.core.render import html_table, text_table
from algomaster.core.types import FloatArray
from algomaster.features.store.profiles import read_range
from algomaster.features.store.sessions import in_range
from algomaster.features.store.view import View
from algomaster.market.home import Home

__all__ = ["MAJOR", "MODERATE", "Drift", "drift", "stability_index"]

MODERATE: Final = 0.1
MAJOR: Final = 0.25
_SHOWN: Final = 5


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Drift:
    """The population stability index of each feature and session against a training window.

    Attributes
    ----------
    view : View
    training : (date, date)
    bins, window : int
        Bins besides the one for missing values; sessions that are taken together.
    frame : DataFrame
        A row an underlying, session and feature: psi, level ("none", "moderate", "major") and expected (the mean
        without any shift, if rows were independent).
    """

    view: View
    training: tuple[date, date]
    bins: int
    window: int
    frame: pl.DataFrame

    def to_frame(self) -> pl.DataFrame:
        """Give the indices."""
        return self.frame

    def plot(self, *, underlying: str | None = None) -> Any:
        """Draw the index of all features through the days.

        Parameters
        ----------
        underlying : str, optional
            The view's first by default.
        """
        from algomaster.features.store.plots import drift_figure

        rows = self.frame.filter(pl.col("underlying") == (underlying or self.view.underlying[0]))
        return drift_figure(rows, moderate=MODERATE, major=MAJOR, label=self.view.name)

    def __repr__(self) -> str:
        return text_table(f"Drift of {self.view.name}", self._table())

    def _repr_html_(self) -> str:
        return html_table(f"Drift of {self.view.name}", self._table())

    def _table(self) -> list[tuple[str, str]]:
        levels = dict(self.frame.group_by("level").len().iter_rows())
        worst = self.frame.group_by("feature").agg(pl.col("psi").median()).sort("psi", descending=True)
        shown = (f"{name} {psi:.2f}" for name, psi in worst.head(_SHOWN).iter_rows())
        return [
            ("training", f"{self.training[0]} to {self.training[1]}"),
            ("sessions", f"{self.frame['session'].n_unique():,}"),
            ("feature days", ", ".join(f"{levels.get(level, 0):,} {level}" for level in ("none", "moderate", "major"))),
            ("highest medians", ", ".join(shown)),
        ]


def drift(
    view: View,
    start: str | date,
    end: str | date,
    *,
    training: tuple[str | date, str | date],
    bins: int = 10,
    window: int = 1,
    home: str | Path | Home | None = None,
) -> Drift:
    """Compare the values of each session with those of a training window.

    Parameters
    ----------
    view : View
    start, end : date or ISO text
        First and last session to judge, both included.
    training : (date, date)
        First and last session of the window, both included.
    bins : int
        Quantile bins of the training window; fewer where values repeat.
    window : int
        Sessions that are taken together, the one of the row being the last.
    home : str, Path, Home or None
        Where the feature store lives; by default ``$ALGO_HOME``, else the platform's folder for user data.

    Raises
    ------
    DataError
        Nothing is built in one of the ranges.
    ValueError
        A range, ``bins`` or ``window`` does not do.
    """
    if bins < 2 or window < 1:
        raise ValueError(f"bins, window: expected at least 2 bins and 1 session, got {bins} and {window}")
    first, last = in_range(start, end)
    begun, ended = in_range(*training)
    before = read_range(view, begun, ended, home=home)
    rows = read_range(view, first, last, home=home)
    parts = []
    for underlying in view.underlying:
        known = before.filter(pl.col("underlying") == underlying)
        days = rows.filter(pl.col("underlying") == underlying)
        if known.height and days.height:
            parts += [_of_one(known, days, underlying, name, bins, window) for name in view.features]
    if not parts:
        raise ValueError("training: expected rows of an underlying that the sessions to judge have too")
    frame = pl.concat(parts).with_columns(
        level=pl.when(pl.col("psi") < MODERATE)
        .then(pl.lit("none"))
        .when(pl.col("psi") < MAJOR)
        .then(pl.lit("moderate"))
        .otherwise(pl.lit("major"))
    )
    return Drift(
        view=view,
        training=(begun, ended),
        bins=bins,
        window=window,
        frame=frame.select("underlying", "session", "feature", "psi", "level", "expected"),
    )


def stability_index(expected: FloatArray, actual: FloatArray) -> FloatArray:
    """Give the index of counts (..., B) against counts (B,) of the training window."""
    e = (expected + 0.5) / (expected + 0.5).sum()
    a = (actual + 0.5) / (actual + 0.5).sum(axis=-1, keepdims=True)
    total: FloatArray = ((a - e) * np.log(a / e)).sum(axis=-1)
    return total


def _of_one(
    training: pl.DataFrame, rows: pl.DataFrame, underlying: str, name: str, bins: int, window: int
) -> pl.DataFrame:
    before, values = training[name].to_numpy(), rows[name].to_numpy()
    known = before[np.isfinite(before)]
    edges = np.unique(np.quantile(known, np.arange(1, bins) / bins)) if known.size else np.empty(0)
    sessions = rows["session"].unique().sort()
    day = sessions.search_sorted(rows["session"]).to_numpy()
    width = edges.size + 2
    expected = np.bincount(_bins(before, edges), minlength=width).astype(np.float64)
    daily = np.bincount(day * width + _bins(values, edges), minlength=sessions.len() * width)
    summed = np.cumsum(daily.reshape(-1, width), axis=0).astype(np.float64)
    counts = summed.copy()
    counts[window:] -= summed[:-window]
    used = int((expected > 0).sum())
    noise = max(used - 1, 0) * (1.0 / expected.sum() + 1.0 / counts.sum(axis=1))
    return pl.DataFrame(
        {"session": sessions, "psi": stability_index(expected, counts), "expected": noise}
    ).with_columns(underlying=pl.lit(underlying), feature=pl.lit(name))


def _bins(values: FloatArray, edges: FloatArray) -> NDArray[np.int64]:
    """Give the bin of each value: up to the first edge, between two, from the last on; missing ones the last bin."""
    place = np.searchsorted(edges, values, side="right")
    return np.where(np.isnan(values), edges.size + 1, place).astype(np.int64)
