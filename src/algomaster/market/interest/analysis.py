"""Open interest through a session: who builds up and who leaves, put/call ratios, maximum pain, walls.

1. The session becomes a panel (:mod:`algomaster.market.interest.panel`): snapshots of a chain, or minutes.
2. At every moment (:func:`_series`, :func:`_walls`): sums of calls and puts, their ratios, the strike of maximum pain,
   the strikes with the most open interest and the longest queues of the book.
3. Over intervals of time (:func:`_build_up`): the change of price and of open interest of each contract, and what the
   two together mean; by strikes around the money (:func:`_by_moneyness`).

Nothing here looks ahead: a row depends on what was shown up to its own ``ts`` and on nothing later.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from algomaster.core.errors import DataError, FactError
from algomaster.core.types import MINUTE_NS, FloatArray, IntArray
from algomaster.market import calendar
from algomaster.market.chain_day import ChainDay
from algomaster.market.interest.kernels import carry, edges, largest, max_pain, totals
from algomaster.market.interest.panel import Panel, of_day, of_frame
from algomaster.market.interest.result import BUILD_UP, MONEYNESS, WALLS, OpenInterest
from algomaster.market.schemas import RIGHT, TIMESTAMP

__all__ = ["open_interest"]


def open_interest(
    data: Any,
    *,
    interval: int = 15,
    price_move: float = 0.005,
    oi_move: float = 0.01,
    steps: int = 10,
    max_age: float | None = None,
    unit: str | None = None,
) -> OpenInterest:
    """Analyse one session's open interest by strike.

    Parameters
    ----------
    data : ChainDay, or polars or pandas DataFrame
        A session's minutes (open interest in units), or snapshots of a chain: rows with ``ts``, ``expiry``,
        ``strike``, ``right``, ``ltp`` (or ``price``, ``close``) and ``oi``, optionally ``volume`` (of the session so
        far), ``spot``, ``bid``, ``ask``, ``bid_qty``, ``ask_qty``, ``collected``, ``underlying``, ``session``, as in
        the dataset ``chain_snapshot``. ``ts`` is the exchange's time (without a zone: India's); of several
        collections of one time the first counts. Until a ``spot`` is first shown put-call parity finds the money.
    interval : int
        Minutes of a bucket of time; buckets begin at the open.
    price_move, oi_move : float
        Changes of price and of open interest up to this share of their value at the interval's beginning count as none.
    steps : int
        Strikes are told apart up to so many steps from the money; beyond, they are taken together.
    max_age : float, optional
        Minutes for which a contract's last open interest stands for it where none is shown (``series.oldest`` tells
        the age). By default 0 for snapshots, which show the whole chain, and the whole session for minutes, which show
        what was traded.
    unit : {"contracts", "units"}, optional
        What open interest and volume of a frame count. By default contracts (lots), as the exchange's site does, where
        prices come as ``ltp``; to be said otherwise.

    Returns
    -------
    OpenInterest

    Raises
    ------
    DataError
        Columns are lacking, there are no rows or rows of several underlyings or sessions, or a contract has several
        values at one time.
    ValueError, TypeError
        An argument is out of range or no frame.

    Examples
    --------
    >>> from algomaster import market
    >>> (day,) = market.simulate("NIFTY", sessions=1, start="2024-01-01", strikes=5, seed=7)
    >>> market.open_interest(day).unit
    'units'
    """
    _check(interval, price_move, oi_move, steps, max_age, unit)
    panel = of_day(data) if isinstance(data, ChainDay) else of_frame(data, unit=unit)
    held, age = _standing(panel, max_age)
    series = _series(panel, held, age)
    build_up = _build_up(panel, interval, price_move, oi_move)
    return OpenInterest(
        underlying=panel.underlying,
        session=panel.session,
        unit=panel.unit,
        reference=panel.reference,
        interval=interval,
        price_move=price_move,
        oi_move=oi_move,
        step=panel.step,
        series=series,
        walls=_walls(panel, held),
        buildup=build_up,
        buckets=_by_moneyness(build_up, panel.step, steps),
    )


def _check(
    interval: int, price_move: float, oi_move: float, steps: int, max_age: float | None, unit: str | None
) -> None:
    for name, least, value in (("interval", 1, interval), ("steps", 1, steps)):
        if value != int(value) or value < least:
            raise ValueError(f"{name}: expected a whole number of at least {least}, got {value}")
    for name, share in (("price_move", price_move), ("oi_move", oi_move)):
        if not 0.0 <= share < math.inf:
            raise ValueError(f"{name}: expected a share of at least 0, got {share}")
    if max_age is not None and not max_age >= 0.0:
        raise ValueError(f"max_age: expected minutes of at least 0, got {max_age}")
    if unit not in (None, "contracts", "units"):
        raise ValueError(f"unit: expected 'contracts' or 'units', got {unit!r}")


def _standing(panel: Panel, max_age: float | None) -> tuple[FloatArray, FloatArray]:
    """Give the open interest that stands at each moment (T, C), and its age in minutes."""
    minutes = max_age if max_age is not None else 0.0 if panel.whole else math.inf
    held, age = np.empty((2, *panel.oi.shape))
    carry(panel.oi, panel.ts, minutes * MINUTE_NS, held, age)
    return held, age / MINUTE_NS


# --- at every moment ---------------------------------------------------------------------------------------------


def _series(panel: Panel, held: FloatArray, age: FloatArray) -> pl.DataFrame:
    T, E = panel.ts.size, panel.expiries.size
    oi, volume = np.empty((2, 2, T, E + 1))
    known, traded = np.empty((2, T, E + 1), np.int64)
    totals(held, panel.right, panel.start, oi, known)
    totals(panel.volume, panel.right, panel.start, volume, traded)
    pain, resistance, support = np.full((3, T, E + 1), np.nan)
    least = np.empty((T, E))
    max_pain(held, panel.strike, panel.right, panel.start, least)
    pain[:, :E] = least
    for side, out in ((1, resistance), (-1, support)):
        place = _largest(held, panel, side)
        out[:, :E] = np.where(place >= 0, panel.strike[place], np.nan)
    frame = _moments(panel, E + 1).with_columns(
        spot=pl.Series(np.repeat(panel.spot, E + 1)),
        call_oi=pl.Series(oi[0].ravel()),
        put_oi=pl.Series(oi[1].ravel()),
        pcr_oi=pl.Series(_quotient(oi[1], oi[0]).ravel()),
        call_volume=pl.Series(volume[0].ravel()),
        put_volume=pl.Series(volume[1].ravel()),
        pcr_volume=pl.Series(_quotient(volume[1], volume[0]).ravel()),
        max_pain=pl.Series(pain.ravel()),
        max_pain_drift=pl.Series((pain - _first(pain)).ravel()),
        resistance=pl.Series(resistance.ravel()),
        support=pl.Series(support.ravel()),
        contracts=pl.Series(known.ravel()),
        oldest=pl.Series(_oldest(age, panel.start).ravel()),
    )
    frame = frame.with_columns(pl.selectors.float().fill_nan(None))
    return frame.filter((pl.col("contracts") > 0) | pl.col("call_volume").is_not_null())


def _walls(panel: Panel, held: FloatArray) -> pl.DataFrame:
    """Give the strike and size of every wall at every moment, and how far it has moved since the moment before."""
    E = panel.expiries.size
    sizes = (
        (held, 1, panel.unit), (held, -1, panel.unit), (panel.ask_qty, 1, "units"), (panel.bid_qty, 1, "units"),
        (panel.ask_qty, -1, "units"), (panel.bid_qty, -1, "units"),
    )  # fmt: skip
    frames = []
    for name, (values, side, unit) in zip(WALLS.categories, sizes):
        place = _largest(values, panel, side)
        none = place < 0
        strike = np.where(none, np.nan, panel.strike[place])
        size = np.where(none, np.nan, np.take_along_axis(values, np.maximum(place, 0), axis=1))
        moved = np.full(strike.shape, np.nan)
        moved[1:] = np.diff(strike, axis=0)
        frames.append(
            _moments(panel, E).with_columns(
                wall=pl.lit(name, WALLS),
                strike=pl.Series(strike.ravel()),
                size=pl.Series(size.ravel()),
                unit=pl.lit(unit),
                from_spot=pl.Series((strike - panel.spot[:, None]).ravel()),
                moved=pl.Series(moved.ravel()),
            )
        )
    walls = pl.concat(frames).with_columns(pl.selectors.float().fill_nan(None))
    return walls.filter(pl.col("strike").is_not_null()).sort("ts", "expiry", "wall")


def _moments(panel: Panel, columns: int) -> pl.DataFrame:
    """Give ts, avail_ts and expiry of every moment and expiry; a column more than there are expiries has none."""
    T, E = panel.ts.size, panel.expiries.size
    days = (
        pl.Series(panel.expiries.astype(np.int32))
        .cast(pl.Date)
        .extend(pl.Series([None] * (columns - E), dtype=pl.Date))
    )
    return pl.DataFrame(
        {
            "ts": pl.Series(np.repeat(panel.ts, columns)).cast(TIMESTAMP),
            "avail_ts": pl.Series(np.repeat(panel.avail, columns)).cast(TIMESTAMP),
            "expiry": days.gather(np.tile(np.arange(columns), T)),
        }
    )


def _largest(values: FloatArray, panel: Panel, side: int) -> IntArray:
    place = np.empty((values.shape[0], panel.expiries.size), np.int64)
    largest(values, panel.right, panel.start, side, place)
    return place


def _first(values: FloatArray) -> FloatArray:
    """Give, at each moment, the first value there has been so far (T, E)."""
    known = ~np.isnan(values)
    seen = np.logical_or.accumulate(known, axis=0)
    first = np.take_along_axis(values, known.argmax(axis=0)[None], axis=0)
    return np.where(seen, first, np.nan)


def _oldest(age: FloatArray, start: IntArray) -> FloatArray:
    """Give the age in minutes of the oldest open interest that counts, by expiry and over all (T, E + 1)."""
    found = np.where(np.isnan(age), -1.0, age)
    parts = np.maximum.reduceat(found, start[:-1], axis=1)
    oldest = np.column_stack([parts, parts.max(axis=1)])
    return np.where(oldest < 0.0, np.nan, oldest)


def _quotient(one: FloatArray, other: FloatArray) -> FloatArray:
    return np.asarray(np.divide(one, other, out=np.full(one.shape, np.nan), where=other > 0.0))


# --- over intervals ----------------------------------------------------------------------------------------------


def _build_up(panel: Panel, interval: int, price_move: float, oi_move: float) -> pl.DataFrame:
    """Compare each contract's last price and open interest of every interval with those of the interval before.

    The first interval is compared with its own first values. A value that an interval lacks is not made up.
    """
    bucket, ends = _buckets(panel, interval)
    prices, _, price_change = _steps(panel.price, bucket, ends.size)
    oi, first_oi, oi_change = _steps(panel.oi, bucket, ends.size)
    traded = _steps(panel.volume, bucket, ends.size, from_zero=not panel.whole)[2]
    session = oi - _first(first_oi)
    kind = _kinds(prices, price_change, price_move, oi, oi_change, oi_move)
    spot = _steps(panel.spot[:, None], bucket, ends.size)[0][:, 0]
    avail, seen = np.zeros((2, ends.size), np.int64)
    avail[bucket], seen[bucket] = panel.avail, panel.ts  # the last of a bucket stands, and they never fall
    C = oi.shape[1]
    expiry = np.repeat(panel.expiries, np.diff(panel.start)).astype(np.int32)
    shown = ~(np.isnan(oi) & np.isnan(prices)).ravel()
    at, contract = np.divmod(np.flatnonzero(shown), C)

    def column(values: FloatArray) -> pl.Series:
        return pl.Series(values.ravel()[shown]).fill_nan(None)

    return pl.DataFrame(
        {
            "ts": pl.Series(ends[at]).cast(TIMESTAMP),
            "avail_ts": pl.Series(np.maximum(avail, ends)[at]).cast(TIMESTAMP),
            "expiry": pl.Series(expiry[contract]).cast(pl.Date),
            "strike": pl.Series(panel.strike[contract]),
            "right": _names((panel.right[contract] < 0).astype(np.int64), RIGHT),
            "price": column(prices),
            "price_change": column(price_change),
            "oi": column(oi),
            "oi_change": column(oi_change),
            "oi_session_change": column(session),
            "volume": column(traded),
            "kind": _names(kind.ravel()[shown], BUILD_UP),
            "spot": pl.Series(spot[at]).fill_nan(None),
            "seen": pl.Series(seen[at]).cast(TIMESTAMP),
        }
    )


def _by_moneyness(build_up: pl.DataFrame, step: float, steps: int) -> pl.DataFrame:
    """Add up the changes of every interval by expiry, right and steps from the money, as the spot then was."""
    atm = (pl.col("spot") / step).round() * step
    off = ((pl.col("strike") - atm) / step).round().clip(-steps, steps).fill_nan(None).cast(pl.Int64)
    call = pl.col("right") == pl.lit("CE", RIGHT)
    inside = pl.when(call).then(pl.col("steps") < 0).otherwise(pl.col("steps") > 0)
    money = pl.when(pl.col("steps") == 0).then(pl.lit("ATM")).when(inside).then(pl.lit("ITM")).otherwise(pl.lit("OTM"))
    by = ("ts", "avail_ts", "expiry", "right", "steps")
    placed = build_up.with_columns(steps=off, atm=atm).filter(pl.col("steps").is_not_null())
    sums = [
        pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name)
        for name in ("oi", "oi_change", "volume")
    ]
    grouped = placed.group_by(by).agg(*sums, pl.col("atm").first(), contracts=pl.col("oi").is_not_null().sum())
    told = grouped.with_columns(moneyness=money.cast(MONEYNESS)).sort("ts", "expiry", "right", "steps")
    return told.select(*by, "moneyness", "atm", "oi", "oi_change", "volume", "contracts")


def _buckets(panel: Panel, interval: int) -> tuple[IntArray, IntArray]:
    """Give each moment's bucket (T,), and the ends of the buckets (B,) in nanoseconds UTC; a bucket holds its end."""
    try:
        opening = calendar.session(panel.session).open_ns
    except (DataError, FactError):  # a market or a day the calendar does not know: from midnight on
        opening = calendar.to_ns(panel.session)
    length = interval * MINUTE_NS
    number = -((opening - panel.ts) // length)
    ends = opening + length * np.arange(number[0], number[-1] + 1)
    return np.asarray(number - number[0], np.int64), np.asarray(ends, np.int64)


def _steps(
    values: FloatArray, bucket: IntArray, B: int, *, from_zero: bool = False
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give (B, C) each: the last value of a bucket, its first one, and the change since the bucket before."""
    first, last = np.full((2, B, values.shape[1]), np.nan)
    edges(values, bucket, first, last)
    before = np.empty_like(last)
    before[0], before[1:] = first[0], last[:-1]
    if from_zero:
        before[0] = 0.0
        before = np.where(np.isnan(before), 0.0, before)
    return last, first, last - before


def _kinds(
    price: FloatArray,
    price_change: FloatArray,
    price_move: float,
    oi: FloatArray,
    oi_change: FloatArray,
    oi_move: float,
) -> IntArray:
    """Name what price and open interest did together, as places in ``BUILD_UP``; -1 where either is unknown."""
    rose, fell = (sign * price_change > price_move * (price - price_change) for sign in (1, -1))
    more, less = (sign * oi_change > oi_move * (oi - oi_change) for sign in (1, -1))
    kind = np.zeros(price.shape, np.int64)
    for place, both in enumerate((rose & more, fell & more, rose & less, fell & less), 1):
        kind[both] = place
    kind[np.isnan(price_change) | np.isnan(oi_change)] = -1
    return kind


def _names(places: IntArray, names: pl.Enum) -> pl.Series:
    """Give the names at these places; a place without one (-1) is null."""
    return pl.Series(places).replace_strict(dict(enumerate(names.categories)), default=None, return_dtype=names)
