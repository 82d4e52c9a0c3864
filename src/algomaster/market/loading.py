"""From the store to sessions as arrays, and back.

:func:`load` reads the minutes of a range and gives a :class:`~algomaster.market.chain_day.ChainDay` for each session:

1. Minutes of options, the index, the future and the volatility index are read a few weeks at a time
   (:func:`_blocks`), so that memory stays with the arrays that are returned.
2. The grid of a session comes from the calendar, lots, tick and strike step from the dated facts
   (:func:`day_from_frames`).
3. Rows are scattered onto the grid by their flat place, without a loop over rows (:func:`_scatter`); rupees become
   whole ticks or paise.

:func:`~algomaster.market.frames.frames_of` is the way back: what it gives, stored and loaded again, is the same
session bit for bit.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from algomaster.core.errors import DataError, DataWarning, FactError
from algomaster.core.types import MINUTE_NS, MISSING, PAISE, IntArray
from algomaster.market import calendar, facts
from algomaster.market.chain_day import CHAIN_FIELDS, ChainDay, Days
from algomaster.market.frames import FUTURE, SPOT, VIX, chain_frame, frames_of, future_frame, index_frame
from algomaster.market.schemas import RIGHT
from algomaster.market.store import Store, Written

__all__ = ["VIX", "absent_sessions", "as_date", "day_from_frames", "frames_of", "load", "store_days"]

_BLOCK = timedelta(days=28)
_EPOCH = date(1970, 1, 1)
_NAMED = 8  # sessions told by name in a warning
_NO_OPTIONS, _NO_INDEX = "no option minutes", "no index minutes"


def load(
    underlying: str,
    start: str | date,
    end: str | date,
    *,
    home: str | Path | None = None,
    expiries: int | None = None,
) -> Days:
    """Read the sessions of a range from the store.

    Parameters
    ----------
    underlying : str
        Such as "NIFTY".
    start, end : date or ISO text
        First and last session, both included.
    home : str, Path, optional
        Where the store lives; by default ``$ALGO_HOME``, else the platform's folder for user data.
    expiries : int, optional
        Only the nearest so many expiries of each session; all by default.

    Returns
    -------
    Days
        The sessions that have option minutes. Sessions of the range without any, and sessions without index
        minutes, are told in one :class:`~algomaster.core.errors.DataWarning` each.

    Raises
    ------
    DataError
        The store has no option minutes in the range (the message says what it does hold), a file of it cannot be
        read, or a session holds both real and simulated minutes.
    FactError
        Lot, tick, strike step or session hours of a date are not on record.
    """
    first, last = _range(start, end)
    if expiries is not None and expiries < 1:
        raise ValueError(f"expiries: expected at least 1, got {expiries}")
    store = Store(home)
    held = store.sessions("option_minute", underlying=underlying, start=first, end=last)
    if not held:
        raise _nothing(store, underlying, first, last)
    days = [
        day_from_frames(underlying, session, **frames, nearest=expiries, source=f"store {store.home.where}")
        for block in _blocks(held)
        for session, frames in _sessions(store, underlying, block)
    ]
    _tell(underlying, store, held, first, last)
    return Days(days)


def absent_sessions(
    underlying: str, start: str | date, end: str | date, *, home: str | Path | None = None
) -> list[tuple[date, str]]:
    """Give the sessions of a range that the store holds no minutes of, and what they lack.

    Parameters
    ----------
    underlying : str
        Such as "NIFTY".
    start, end : date or ISO text
        First and last session, both included.
    home : str, Path, optional
        Where the store lives; by default ``$ALGO_HOME``, else the platform's folder for user data.

    Returns
    -------
    list of (date, str)
        In the order of the sessions: "no option minutes" (:func:`load` leaves these out) or "no index minutes".

    Raises
    ------
    DataError
        A file of the store cannot be read.
    FactError
        The store holds nothing of the range, and the range reaches beyond the calendar.
    """
    first, last = _range(start, end)
    store = Store(home)
    held = store.sessions("option_minute", underlying=underlying, start=first, end=last)
    return _absent(store, underlying, held, _expected(held, first, last))


def day_from_frames(
    underlying: str,
    session: date,
    *,
    options: pl.DataFrame,
    index: pl.DataFrame | None = None,
    futures: pl.DataFrame | None = None,
    vix: pl.DataFrame | None = None,
    nearest: int | None = None,
    source: str = "",
) -> ChainDay:
    """Build a session from the frames of one day.

    Parameters
    ----------
    underlying : str
    session : date
    options : DataFrame
        Rows of ``option_minute`` of this underlying and session.
    index, futures, vix : DataFrame, optional
        Rows of ``index_minute``, ``future_minute`` and ``index_minute`` of the volatility index. Of several futures
        the nearest dated one is taken, a continuous series only without any.
    nearest : int, optional
        Only the nearest so many expiries.
    source : str
        Where the bars came from.

    Raises
    ------
    DataError
        The exchange was closed that day.
    FactError
        A fact about a contract is not on record.
    """
    hours = calendar.session(session)
    ts = hours.bar_starts()
    chain = options.filter(pl.col("expiry") >= session)
    dates: list[date] = sorted(chain["expiry"].unique().to_list())[:nearest]
    chain = chain.filter(pl.col("expiry").is_in(dates))
    paise = _paise(chain["strike"])
    strikes = np.unique(paise)
    step = facts.strike_step_paise(underlying, on=session)
    day = ChainDay.empty(
        underlying=underlying,
        session=session,
        ts=ts,
        first_minute=hours.first_minute,
        tick=facts.tick_paise(underlying, on=session, segment="option"),
        expiries=np.array([(expiry - _EPOCH).days for expiry in dates], np.int32),
        strikes=strikes,
        strike_step=np.full(len(dates), step, np.int64),
        lot=np.array([facts.lot_size(underlying, expiry=expiry, on=session) for expiry in dates], np.int64),
        source=source,
    )
    _fill_chain(day, chain, np.searchsorted(strikes, paise))
    _fill_series(day, index, SPOT)
    _fill_series(day, _nearest_future(futures, session), FUTURE)
    _fill_series(day, vix, {"close": "vix"})
    return day


def store_days(
    store: Store, days: Iterable[ChainDay], *, progress: Callable[[int, int, str], None] | None = None
) -> dict[str, int]:
    """Write made-up sessions into the store, marked as such; the same sessions again change nothing.

    Parameters
    ----------
    store : Store
    days : iterable of ChainDay
    progress : callable, optional
        Called as ``progress(done, all, session)`` before each session and once at the end.

    Returns
    -------
    dict
        Rows ``stored`` and ``unchanged`` over all datasets.

    Raises
    ------
    DataError
        The store holds other values for some of the minutes: made-up sessions never take the place of real ones.
    """
    days = list(days)
    totals = {"stored": 0, "unchanged": 0}
    for make, name in ((index_frame, "index_minute"), (future_frame, "future_minute")):
        if days:  # files of a month: written once, not once a session
            _add(totals, store.write(name, pl.concat(map(make, days)), replace=False, simulated=True))
    for place, day in enumerate(days):
        if progress:
            progress(place, len(days), str(day.session))
        _add(totals, store.write("option_minute", chain_frame(day), replace=False, simulated=True))
    if progress:
        progress(len(days), len(days), "")
    return totals


def _add(totals: dict[str, int], written: Written) -> None:
    for name in totals:
        totals[name] += getattr(written, name)


# --- reading ---------------------------------------------------------------------------------------------------


def as_date(value: str | date, name: str) -> date:
    """Read a date or ISO text.

    Raises
    ------
    ValueError
        The text is no date; the message names the argument.
    """
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected a date such as 2021-06-11, got {value!r}") from None


def _blocks(sessions: Sequence[date]) -> Iterator[list[date]]:
    block: list[date] = []
    for session in sessions:
        if block and session - block[0] > _BLOCK:
            yield block
            block = []
        block.append(session)
    yield block


def _sessions(store: Store, underlying: str, block: list[date]) -> Iterator[tuple[date, dict[str, Any]]]:
    def parts(name: str, of: str) -> dict[Any, pl.DataFrame]:
        frame = store.read(name, underlying=of, start=block[0], end=block[-1], marked=True).drop("underlying")
        return {key[0]: part for key, part in frame.partition_by("session", as_dict=True).items()}

    options, index = parts("option_minute", underlying), parts("index_minute", underlying)
    futures, vix = parts("future_minute", underlying), parts("index_minute", VIX)
    for day in block:
        frames = {"options": options[day], "index": index.get(day), "futures": futures.get(day), "vix": vix.get(day)}
        _refuse_mix(store, underlying, day, [part for part in frames.values() if part is not None])
        yield day, frames


def _refuse_mix(store: Store, underlying: str, day: date, parts: list[pl.DataFrame]) -> None:
    """Refuse a session whose minutes are made up in part: no market ever looked like that."""
    made_up = sum(int(part["simulated"].sum()) for part in parts)
    every = sum(part.height for part in parts)
    if 0 < made_up < every:
        raise DataError(
            f"The store {store.home.where} holds real and simulated minutes of {underlying} {day} "
            f"({made_up} of {every} rows are simulated).",
            hint="Import the real data into another home (--home), or delete the files of the simulated session "
            f"(store/*/{underlying} and store/index_minute/{VIX}) and import the real ones again.",
            underlying=underlying,
            session=day,
        )


def _range(start: str | date, end: str | date) -> tuple[date, date]:
    first, last = as_date(start, "start"), as_date(end, "end")
    if last < first:
        raise ValueError(f"end: expected a date not before the start {first}, got {last}")
    return first, last


def _nothing(store: Store, underlying: str, first: date, last: date) -> DataError:
    return DataError(
        f"The store {store.home.where} has no option minutes of {underlying} from {first} to {last}; "
        f"it holds: {store.told('option_minute')}.",
        hint=store.meant(underlying, "option_minute")
        + "Import some with: algo data import PATH, or make some with: algo data simulate.",
        underlying=underlying,
    )


def _expected(held: list[date], first: date, last: date) -> list[date]:
    try:
        return [session.date for session in calendar.sessions(first, last)]
    except FactError:  # a range wider than the calendar: the sessions themselves were found in it
        if not held:
            raise
        return [session.date for session in calendar.sessions(held[0], held[-1])]


def _absent(store: Store, underlying: str, held: list[date], expected: list[date]) -> list[tuple[date, str]]:
    lack = dict.fromkeys(set(expected) - set(held), _NO_OPTIONS)
    if held:
        index = store.read("index_minute", underlying=underlying, start=held[0], end=held[-1])
        priced = index.filter(pl.col("close").is_not_null())["session"].unique().to_list()
        lack |= dict.fromkeys(set(held) - set(priced), _NO_INDEX)
    return sorted(lack.items())


def _tell(underlying: str, store: Store, held: list[date], first: date, last: date) -> None:
    expected = _expected(held, first, last)
    absent = _absent(store, underlying, held, expected)
    for lack in (_NO_OPTIONS, _NO_INDEX):
        sessions = [session for session, reason in absent if reason == lack]
        if sessions:
            named = ", ".join(map(str, sessions[:_NAMED])) + (", ..." if len(sessions) > _NAMED else "")
            lacking = lack.removeprefix("no ")
            told = (
                f"{underlying} {first} to {last}: {len(sessions)} of {len(expected)} sessions lack {lacking}: {named}"
            )
            warnings.warn(told, DataWarning, stacklevel=3)


# --- frames to arrays ------------------------------------------------------------------------------------------


def _fill_chain(day: ChainDay, chain: pl.DataFrame, strike: NDArray[np.intp]) -> None:
    minute, inside = _minutes(chain["ts"], day.ts)
    expiry = np.searchsorted(day.expiries, chain["expiry"].to_physical().to_numpy())
    right = chain["right"].cast(RIGHT).to_physical().to_numpy().astype(np.int64)
    flat = ((expiry * day.strikes.size + strike) * 2 + right) * day.ts.size + minute
    flat = flat[inside]
    for name in CHAIN_FIELDS:
        values = chain[name]
        if values.null_count() == values.len():
            continue
        units = _whole(values) if name in ("volume", "oi") else _ticks(values, day, name)
        getattr(day, name).reshape(-1)[flat] = units[inside]


def _fill_series(day: ChainDay, frame: pl.DataFrame | None, fields: dict[str, str]) -> None:
    if frame is None or not frame.height:
        return
    minute, inside = _minutes(frame["ts"], day.ts)
    for column, field in fields.items():
        getattr(day, field)[minute[inside]] = _paise(frame[column])[inside]


def _minutes(ts: pl.Series, grid: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
    """Give each row's place on the session's grid, and whether it has one."""
    minute, rest = np.divmod(ts.to_physical().to_numpy() - grid[0], MINUTE_NS)
    return minute, (rest == 0) & (minute >= 0) & (minute < grid.size)


def _ticks(values: pl.Series, day: ChainDay, name: str) -> IntArray:
    paise = _paise(values)
    whole, rest = np.divmod(paise, day.tick)
    if np.any((rest != 0) & (paise != MISSING)):
        raise DataError(
            f"{day.underlying} {day.session}: {int(np.sum((rest != 0) & (paise != MISSING)))} values of {name} are not "
            f"multiples of the tick of {day.tick} paise.",
            hint="Run algo data check, and import the day from another source.",
        )
    return np.where(paise == MISSING, MISSING, whole)


def _paise(values: pl.Series) -> IntArray:
    rupees = values.cast(pl.Float64).to_numpy()
    return np.where(np.isnan(rupees), MISSING, np.rint(np.nan_to_num(rupees) * PAISE)).astype(np.int64)


def _whole(values: pl.Series) -> IntArray:
    return np.asarray(values.fill_null(MISSING).to_numpy(), dtype=np.int64)


def _nearest_future(futures: pl.DataFrame | None, session: date) -> pl.DataFrame | None:
    if futures is None:
        return None
    nearest = futures.filter(pl.col("expiry") >= session)["expiry"].min()
    return futures.filter(pl.col("expiry").is_null() if nearest is None else pl.col("expiry") == nearest)
