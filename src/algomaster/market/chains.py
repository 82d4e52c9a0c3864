"""Option chains for :mod:`algomaster.pricing`: from a session's minutes, from a snapshot, from a vendor's file.

Prices are the middle of bid and ask where both are known, otherwise the last price; with ``prices="quotes"`` only the
former. Time to expiry is of the plain calendar or of the business clock (:mod:`algomaster.market.clock`).
"""

from __future__ import annotations

import warnings
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from algomaster.core.errors import DataError, DataWarning
from algomaster.core.types import MINUTE_NS, MISSING, PAISE, RIGHTS, IntArray
from algomaster.market.chain_day import ChainDay
from algomaster.market.clock import expiry_ns, t_business, t_calendar
from algomaster.market.loaders import choose
from algomaster.market.loaders.source import Source
from algomaster.market.loading import load
from algomaster.market.schemas import TIMESTAMP
from algomaster.market.store import Store
from algomaster.pricing import Chain

__all__ = ["chain_at", "chain_from_file", "chain_from_frame", "chain_from_store"]

_IST: Final = ZoneInfo("Asia/Kolkata")
_CLOCKS: Final = {"calendar": t_calendar, "business": t_business}
_PRICES: Final = ("best", "quotes", "last")


def chain_at(
    day: ChainDay, at: str, *, clock: str = "calendar", prices: str = "best", rate: float | None = None
) -> Chain:
    """Give the chain of a session at a time of day: what was known when the bar before it had closed.

    Parameters
    ----------
    day : ChainDay
    at : str
        Such as "10:15": the bar stamped 10:14 has closed.
    clock : "calendar" or "business"
        What time to expiry is measured in.
    prices : "best", "quotes" or "last"
        Middle of the quotes, else the close; only the one; only the other.
    rate : float, optional
        As for :meth:`algomaster.pricing.Chain.from_frame`.

    Raises
    ------
    ValueError
        The time is not within the session, or nothing was quoted or traded in that bar.
    """
    i = _minute(at) - day.first_minute - 1
    if not 0 <= i < day.ts.size:
        first, last = (_clock_text(day.first_minute + n) for n in (1, day.ts.size))
        raise ValueError(f"at: expected a time from {first} to {last}, got {at!r}")
    expiry, strike, right = (axis.ravel() for axis in np.indices(day.close.shape[:3]))
    ticks = {name: getattr(day, name)[..., i].ravel() for name in ("bid", "ask", "close")}
    columns: dict[str, object] = {
        "expiry": pl.Series(day.expiry_dates).gather(expiry),
        "strike": day.strikes[strike] / PAISE,
        "right": np.array(RIGHTS)[right],
        **{name: _known(values) * (day.tick / PAISE) for name, values in ticks.items()},
        "oi": _known(day.oi[..., i].ravel()),
        "volume": _known(day.volume[..., i].ravel()),
    }
    spot = day.spot[i] / PAISE if day.spot[i] != MISSING else None
    frame = pl.DataFrame(columns).rename({"close": "ltp"})
    moment = datetime.fromtimestamp((int(day.ts[i]) + MINUTE_NS) // 10**9, _IST)
    return chain_from_frame(frame, at=moment, spot=spot, clock=clock, prices=prices, rate=rate)


def chain_from_frame(
    frame: pl.DataFrame,
    *,
    at: datetime,
    spot: float | None = None,
    clock: str = "calendar",
    prices: str = "best",
    rate: float | None = None,
) -> Chain:
    """Give the chain of rows of one moment with ``expiry`` (dates), ``strike``, ``right``, ``bid``, ``ask``, ``ltp``.

    Rows without any price are left out; so are contracts whose expiry session has closed.

    Raises
    ------
    DataError
        No row is left, or an expiry is no session.
    """
    if clock not in _CLOCKS:
        raise ValueError(f"clock: expected one of {', '.join(_CLOCKS)}, got {clock!r}")
    if prices not in _PRICES:
        raise ValueError(f"prices: expected one of {', '.join(_PRICES)}, got {prices!r}")
    bid, ask, last = (pl.col(name).fill_nan(None) for name in ("bid", "ask", "ltp"))
    middle = pl.when((bid > 0) & (ask >= bid)).then((bid + ask) / 2)
    chosen = {"best": pl.coalesce(middle, last), "quotes": middle, "last": last}[prices]
    now = int(at.timestamp() * 10**6) * 1000
    ends = {day: _expiry_ns(day) for day in frame["expiry"].unique()}
    alive = frame.with_columns(price=chosen).filter(
        (pl.col("price") > 0) & pl.col("expiry").is_in([day for day, end in ends.items() if end > now])
    )
    if alive.is_empty():
        raise DataError("No contract that is alive has a price.", hint='Try prices="best", or another moment.')
    days = alive["expiry"].to_list()
    t = _CLOCKS[clock](np.int64(now), np.array([ends[day] for day in days], np.int64))
    quoted = [] if prices != "last" else ["bid", "ask"]  # the width of quotes says nothing about last prices
    return Chain.from_frame(alive.drop(quoted).with_columns(t=pl.Series(t)), spot=spot, at=at, rate=rate)


def chain_from_store(
    underlying: str,
    at: datetime,
    *,
    home: str | Path | None = None,
    clock: str = "calendar",
    prices: str = "best",
    rate: float | None = None,
) -> Chain:
    """Give the chain of an underlying as it was knowable at a moment: the last snapshot before it, else the minute bar.

    Parameters
    ----------
    underlying : str
    at : datetime
        Asia/Kolkata where it has no zone.
    home, clock, prices, rate
        As for :func:`~algomaster.market.load` and :func:`chain_at`.

    Raises
    ------
    DataError
        The store has neither snapshots nor option minutes of that session.
    """
    moment = at.replace(tzinfo=_IST) if at.tzinfo is None else at.astimezone(_IST)
    session = moment.date()
    rows = Store(home).read("chain_snapshot", underlying=underlying, start=session, end=session)
    known = rows.filter(pl.max_horizontal("ts", "collected") <= _moment(at))
    if not known.is_empty():
        return _of_snapshot(known, clock=clock, prices=prices, rate=rate)
    day = load(underlying, session, session, home=home)[0]
    return chain_at(day, moment.strftime("%H:%M"), clock=clock, prices=prices, rate=rate)


def chain_from_file(
    path: str | Path,
    at: datetime | None = None,
    *,
    underlying: str | None = None,
    format: str = "auto",
    clock: str = "calendar",
    prices: str = "best",
    rate: float | None = None,
) -> Chain:
    """Give the chain in a vendor's snapshot file that ``algo data import`` knows, without storing anything.

    Parameters
    ----------
    path : path of the file
    at : datetime, optional
        The last snapshot at or before this moment (Asia/Kolkata where it has no zone); by default the last of all.
    underlying : str, optional
        Needed where the file holds several.
    format : str
        Name of a loader; recognised by content by default.
    clock, prices, rate
        As for :func:`chain_at`.

    Raises
    ------
    DataError
        Not a file of snapshots, several underlyings, or nothing at or before the moment. Rows that cannot be read are
        told in a :class:`~algomaster.core.errors.DataWarning`.
    """
    source = Source(path)
    loader = choose(source, format)
    if "chain_snapshot" not in loader.datasets:
        raise DataError(
            f"{path} is of the format {loader.name} ({loader.about}), which holds no chains.",
            hint="Import minutes with algo data import, then name the underlying and the moment.",
        )
    parsed = loader.read(source)
    if parsed.rejects.height:
        kinds = ", ".join(f"{n} {kind}" for kind, n in parsed.rejects["kind"].value_counts(sort=True).iter_rows())
        warnings.warn(f"{path}: rows that cannot be used were left out: {kinds}.", DataWarning, stacklevel=2)
    rows = dict(parsed.frames)["chain_snapshot"].drop("_row")
    names = rows["underlying"].unique().sort().to_list()
    if underlying is None and len(names) > 1:
        raise DataError(f"{path} holds several underlyings: {', '.join(names)}.", hint="Name one.")
    rows = rows.filter(underlying=underlying) if underlying is not None else rows
    if at is not None:
        rows = rows.filter(pl.col("ts") <= _moment(at))
    if rows.is_empty():
        held = f"{', '.join(names)}" if names else "nothing"
        raise DataError(f"{path} has no snapshot of {underlying or held} at or before {at}.", hint=f"It holds {held}.")
    return _of_snapshot(rows, clock=clock, prices=prices, rate=rate)


def _of_snapshot(rows: pl.DataFrame, *, clock: str, prices: str, rate: float | None) -> Chain:
    """Take the last moment; of what was collected several times for it, the last."""
    last = rows["ts"].max()
    now = rows.filter(pl.col("ts") == last)
    if "collected" in now.columns:
        now = now.sort("collected", nulls_last=False, maintain_order=True)
    now = now.unique(["expiry", "strike", "right"], keep="last", maintain_order=True)
    needed = {name: pl.lit(None, pl.Float64).alias(name) for name in ("bid", "ask", "ltp") if name not in now.columns}
    moment = pl.Series([last], dtype=TIMESTAMP).dt.convert_time_zone("Asia/Kolkata").dt.cast_time_unit("us").item()
    return chain_from_frame(now.with_columns(*needed.values()), at=moment, clock=clock, prices=prices, rate=rate)


def _moment(at: datetime) -> pl.Expr:
    aware = at.replace(tzinfo=_IST) if at.tzinfo is None else at
    return pl.lit(aware.astimezone(UTC), TIMESTAMP)


def _known(values: IntArray) -> np.ndarray:
    return np.where(values == MISSING, np.nan, values.astype(np.float64))


def _expiry_ns(day: date) -> int:
    """Give the close of the expiry session; of a day that the calendar does not cover, 15:30."""
    try:
        return expiry_ns(day)
    except DataError:
        end = datetime(day.year, day.month, day.day, tzinfo=_IST) + timedelta(hours=15, minutes=30)
        return int(end.timestamp()) * 10**9


def _minute(text: str) -> int:
    try:
        moment = datetime.strptime(text, "%H:%M")
    except (TypeError, ValueError):
        raise ValueError(f'at: expected a time of day such as "10:15", got {text!r}') from None
    return moment.hour * 60 + moment.minute


def _clock_text(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
