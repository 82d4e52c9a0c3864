"""Does history say the same as the live day did? Every value of a day is computed again and compared bit for bit."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from algomaster.core.errors import DataError
from algomaster.core.render import html_table, text_table
from algomaster.features.store.sessions import held_sessions, history_of, load_bars, values_of
from algomaster.features.store.table import META, Table, latest, to_ns
from algomaster.features.store.view import View
from algomaster.market.home import Home
from algomaster.market.loading import as_date

__all__ = ["Parity", "check"]

_SHOWN = 5
_DIFFERENCES: Final[dict[str, Any]] = {
    "underlying": pl.String, "event_ts": pl.Datetime("ns", "UTC"), "feature": pl.String, "recorded": pl.Float64,
    "computed": pl.Float64,
}  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Parity:
    """What comparing a day with its recomputation found.

    Attributes
    ----------
    view : View
    session : date
    recorded : {"live", "offline", "both"}
        Who wrote the rows that were compared; a day's live rows are taken where there are any.
    rows, values : int
        Compared.
    differences : DataFrame
        A row a value that is not the same bits (NaN equals NaN): underlying, event_ts, feature, recorded, computed. A
        bar that only one side has differs in every feature, with null on the side that lacks it.
    """

    view: View
    session: date
    recorded: str
    rows: int
    values: int
    differences: pl.DataFrame

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return self.differences.height == 0

    def to_frame(self) -> pl.DataFrame:
        """Give the differences."""
        return self.differences

    def __repr__(self) -> str:
        text = text_table(f"Check of {self.view.name} on {self.session}", self._table())
        return text if self.ok else f"{text}\n{self.differences.head(_SHOWN)}"

    def _repr_html_(self) -> str:
        return html_table(f"Check of {self.view.name} on {self.session}", self._table())

    def _table(self) -> list[tuple[str, str]]:
        differ = self.differences
        told = "none" if self.ok else f"{differ.height:,} in {differ['feature'].n_unique()} features"
        return [
            ("version", self.view.version),
            ("recorded", self.recorded),
            ("rows", f"{self.rows:,}"),
            ("values compared", f"{self.values:,}"),
            ("differences", told),
        ]


def check(view: View, day: str | date, *, home: str | Path | Home | None = None) -> Parity:
    """Compute a day again from the market store and report every value that was recorded otherwise.

    Parameters
    ----------
    view : View
    day : date or ISO text
        A session.
    home : str, Path, Home or None
        Where the market data and the feature store are.

    Returns
    -------
    Parity
        The promise is that ``differences`` is empty. Bars the vendor corrected after the day, and bars the feed missed,
        show here: those are differences of data, not of formulas.

    Raises
    ------
    DataError
        Nothing of the day was recorded, or the market store has no bars of it.
    ConfigError
        The formulas of the view have changed.
    """
    session = as_date(day, "day")
    view.require_current()
    where = home if isinstance(home, Home) else Home(home)
    parts, kinds, rows = [], set(), 0
    table = Table(view, where)
    for name in view.underlying:
        recorded = _recorded(table, name, session)
        if not recorded.height:
            continue
        kinds.add("live" if recorded["live"][0] else "offline")
        computed = _computed(view, name, session, where)
        rows += recorded.height
        parts.append(_compare(view, name, recorded, computed))
    if not parts:
        raise DataError(
            f"Nothing of view {view.name!r} was recorded on {session}.", hint=f"There is: {_told(table)}.", day=session
        )
    return Parity(
        view=view,
        session=session,
        recorded=kinds.pop() if len(kinds) == 1 else "both",
        rows=rows,
        values=rows * len(view.features),
        differences=pl.concat(parts),
    )


def _recorded(table: Table, underlying: str, session: date) -> pl.DataFrame:
    """Give the rows a live day wrote; where there are none, those of building."""
    rows = table.scan(underlyings=[underlying], start=session, end=session)
    live = latest(rows.filter("live")).collect()
    return to_ns(live if live.height else latest(rows).collect())


def _computed(view: View, underlying: str, session: date, home: Home) -> pl.DataFrame:
    held = held_sessions(view, underlying, home)
    if session not in held:
        raise DataError(
            f"The store {home.where} has no index minutes of {underlying} on {session}, so nothing can be compared.",
            hint="Import the day first: algo data import PATH.",
        )
    chain = load_bars(view, underlying, history_of(view, held, held.index(session)), home)
    values = values_of(view, list(chain.values()))
    columns: dict[str, Any] = dict(zip(view.features, values))
    return pl.DataFrame({"event_ts": chain[session]["ts"], **columns})


def _compare(view: View, underlying: str, recorded: pl.DataFrame, computed: pl.DataFrame) -> pl.DataFrame:
    both = recorded.drop([name for name in META if name != "event_ts"]).join(
        computed, on="event_ts", how="full", suffix=" computed", coalesce=True
    ).sort("event_ts")  # fmt: skip
    one_sided = (
        both.select(pl.col("event_ts").is_in(recorded["event_ts"].implode())).to_series()
        != both.select(pl.col("event_ts").is_in(computed["event_ts"].implode())).to_series()
    ).to_numpy()
    parts = []
    for name in view.features:
        left, right = both[name].to_numpy(), both[f"{name} computed"].to_numpy()
        same = (left.view(np.int64) == right.view(np.int64)) | (np.isnan(left) & np.isnan(right))
        rows = both.filter(pl.Series(~same | one_sided))
        if rows.height:
            parts.append(
                rows.select(
                    pl.lit(underlying).alias("underlying"),
                    "event_ts",
                    pl.lit(name).alias("feature"),
                    pl.col(name).alias("recorded"),
                    pl.col(f"{name} computed").alias("computed"),
                )
            )
    return pl.concat(parts) if parts else pl.DataFrame(schema=_DIFFERENCES)


def _told(table: Table) -> str:
    if table.open() is None:
        return "nothing at all"
    days = table.scan(columns=["session", "live"]).group_by("session").agg(pl.col("live").any()).collect()
    if not days.height:
        return "nothing at all"
    every, live = sorted(days["session"].to_list()), sorted(days.filter("live")["session"].to_list())
    told = f"{every[0]} to {every[-1]}, {len(every)} sessions"
    return told + (f", live: {live[0]} to {live[-1]}" if live else ", none of them live")
