"""Bars by session, what they are known by, and the features of a session: the part that batch, live and check share."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from algomaster import features as library
from algomaster.core.types import FloatArray
from algomaster.features.inputs import ABOUT
from algomaster.features.sources import BAR_COLUMNS, PRICES, bars
from algomaster.features.store.view import View
from algomaster.market.home import Home
from algomaster.market.loading import as_date, load
from algomaster.market.schemas import TIMESTAMP
from algomaster.market.store import Store

__all__ = [
    "Bars", "columns_of", "digest", "fingerprint", "held_sessions", "history_of", "in_range", "load_bars",
    "values_of", "workers_of",
]  # fmt: skip

Bars = dict[date, pl.DataFrame]
"""The bars of each session: ``ts`` and Float64 columns."""

PARTIAL: Final = 0
"""In place of a fingerprint: rows of a session that was still going on."""


def columns_of(view: View) -> list[str]:
    """Give the columns of bars that a view reads, prices first; a column that no source has is left out."""
    wanted = set(view.inputs)
    return [name for name in BAR_COLUMNS if name in PRICES or name in wanted] + _chain_columns(view)


def _chain_columns(view: View) -> list[str]:
    """Give the columns that are made from the option chain."""
    return [name for name in view.inputs if name not in ABOUT]


def held_sessions(view: View, underlying: str, home: Home) -> list[date]:
    """Give all sessions the market store has bars of, in order."""
    return Store(home).sessions("index_minute", underlying=underlying)


def load_bars(view: View, underlying: str, sessions: Sequence[date], home: Home) -> Bars:
    """Read the bars of sessions that follow each other in the store."""
    if not sessions:
        return {}
    chain = _chain_columns(view)
    columns = [name for name in columns_of(view) if name not in chain]
    frame = bars(underlying, sessions[0], sessions[-1], home=home, columns=columns)
    if chain:
        found = _of_chain(underlying, sessions, home, chain)
        frame = frame.join(found, on="ts", how="left", maintain_order="left")
        frame = frame.with_columns(pl.col(chain).fill_null(float("nan")))
    if "volume" in columns:
        frame = _with_volume(frame, underlying, sessions, home)
    parts = frame.drop("underlying").partition_by("session", as_dict=True, include_key=False)
    return {day: part for (day, *_), part in parts.items() if isinstance(day, date)}


def _of_chain(underlying: str, sessions: Sequence[date], home: Home, columns: Sequence[str]) -> pl.DataFrame:
    """Give what the chain says minute by minute, of those sessions that have option minutes."""
    make: Any = library
    held = Store(home).sessions("option_minute", underlying=underlying, start=sessions[0], end=sessions[-1])
    parts = [pl.DataFrame(schema={"ts": TIMESTAMP, **dict.fromkeys(columns, pl.Float64)})]
    for day in held:
        (loaded,) = load(underlying, day, day, home=home.where)
        found = make.chain_inputs(loaded)
        given = [pl.col(name) if name in found.columns else pl.lit(float("nan")).alias(name) for name in columns]
        parts.append(found.select(pl.col("ts").cast(TIMESTAMP), *(value.cast(pl.Float64) for value in given)))
    return pl.concat(parts)


def _with_volume(frame: pl.DataFrame, underlying: str, sessions: Sequence[date], home: Home) -> pl.DataFrame:
    """Let options' volume stand in for the future's in sessions without any, as in what sessions of a chain give."""
    silent = frame.group_by("session").agg(pl.col("volume").is_nan().all()).filter("volume")["session"].to_list()
    held = Store(home).sessions("option_minute", underlying=underlying, start=sessions[0], end=sessions[-1])
    for day in sorted(set(silent) & set(held)):
        (loaded,) = load(underlying, day, day, home=home.where)
        traded = library.chain_inputs(loaded, chain=False).select(pl.col("ts").cast(TIMESTAMP), traded="volume")
        frame = frame.join(traded, on="ts", how="left", maintain_order="left")
        frame = frame.with_columns(volume=pl.coalesce("traded", "volume")).drop("traded")
    return frame


def digest(frame: pl.DataFrame) -> bytes:
    """Name the bars of one session by their content: columns, times and the bits of every value."""
    known = hashlib.sha256(",".join(frame.columns).encode())
    known.update(frame["ts"].to_physical().to_numpy().tobytes())
    for name in frame.columns[1:]:
        # All NaN are one: a computed one and one read from a file may differ in bits that nobody can see.
        values = frame[name].to_numpy()
        known.update(np.where(np.isnan(values), np.nan, values).tobytes())
    return known.digest()


def fingerprint(digests: Iterable[bytes]) -> int:
    """Name what a session's values depend on: its bars and those of the sessions before it that are run first."""
    known = hashlib.sha256(b"".join(digests)).digest()
    return int.from_bytes(known[:8], "big", signed=True) or 1  # 0 is PARTIAL


def history_of(view: View, held: Sequence[date], place: int) -> Sequence[date]:
    """Give the sessions whose bars make the values of ``held[place]``: the ``memory`` before it, then itself."""
    return held[max(place - view.memory, 0) : place + 1]


def values_of(view: View, chain: Sequence[pl.DataFrame]) -> FloatArray:
    """Compute the last of a run of sessions from fresh states, (F, M)."""
    found = library.compute(pl.concat(chain), view.features)
    rows = found.tail(chain[-1].height)
    return np.stack([rows[name].to_numpy() for name in view.features])


def in_range(start: str | date, end: str | date) -> tuple[date, date]:
    """Read a range of sessions.

    Raises
    ------
    ValueError
        It ends before it starts, or a text is no date.
    """
    first, last = as_date(start, "start"), as_date(end, "end")
    if last < first:
        raise ValueError(f"end: expected a date not before the start {first}, got {last}")
    return first, last


def workers_of(workers: int | None, most: int) -> int:
    """Read how many threads; by default as many as there are cores."""
    if workers is not None and workers < 1:
        raise ValueError(f"workers: expected at least 1, got {workers}")
    return workers or min(os.cpu_count() or 1, most)
