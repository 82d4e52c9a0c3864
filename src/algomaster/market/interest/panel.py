"""One session's open interest as arrays (T moments, C contracts), from snapshots of a chain or a session's minutes.

The two differ, and the panel says how: snapshots count contracts (lots) and show the whole chain with the volume of
the session so far; minute bars count units, show what was traded, and their volume is the minute's own (it is added
up here). ``ts`` is the moment a row shows: the exchange's time of a snapshot, the end of a bar.
"""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from algomaster.core.errors import DataError, FactError
from algomaster.core.types import MINUTE_NS, MISSING, PAISE, FloatArray, IntArray
from algomaster.market import facts
from algomaster.market.chain_day import ChainDay
from algomaster.market.interest.frames import as_polars
from algomaster.market.interest.kernels import parity
from algomaster.market.loaders.parse import IST, either
from algomaster.market.schemas import RIGHT, TIMESTAMP

__all__ = ["Panel", "of_day", "of_frame"]

_PRICES: Final = ("ltp", "price", "close")
_VALUES: Final = ("price", "oi", "volume", "bid", "ask", "bid_qty", "ask_qty")
_EPOCH: Final = date(1970, 1, 1)
_FEW: Final = 10  # strikes around the money by which a step between strikes is told


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Panel:
    """See the module; contracts stand by expiry, strike, call before put.

    Attributes
    ----------
    underlying : str
    session : date
    unit : {"contracts", "units"}
        Of open interest and volume; quantities of quotes are always in units.
    whole : bool
        Whether every moment shows the whole chain.
    ts, avail : (T,) int64
        Nanoseconds UTC: the moment shown, and when it could be used (never falling).
    expiries : (E,) int64
        Days since 1970-01-01.
    start : (E + 1,) int64
        Where each expiry's contracts begin.
    strike, right : (C,)
        Rupees; +1 call, -1 put.
    price, oi, volume, bid_qty, ask_qty : (T, C) float64
        NaN where missing; volume is that of the session so far.
    spot : (T,) float64
        Index in rupees; see ``reference``.
    reference : {"spot", "parity", "mixed", "none"}
        Whether ``spot`` is the index itself, the forward of the nearest expiry by put-call parity, parity until the
        index is first shown, or unknown.
    step : float
        Rupees between neighbouring strikes around the money; NaN if unknown.
    """

    underlying: str
    session: date
    unit: str
    whole: bool
    ts: IntArray
    avail: IntArray
    expiries: IntArray
    start: IntArray
    strike: FloatArray
    right: IntArray
    price: FloatArray
    oi: FloatArray
    volume: FloatArray
    bid_qty: FloatArray
    ask_qty: FloatArray
    spot: FloatArray
    reference: str
    step: float


def of_frame(frame: Any, *, unit: str | None) -> Panel:
    """Take snapshots of a chain; see :func:`~algomaster.market.interest.analysis.open_interest`."""
    rows = _rows(as_polars(frame, "data"), unit)
    ts, when = np.unique(rows["ts"].to_physical().to_numpy(), return_inverse=True)
    paise = np.rint(rows["strike"].to_numpy() * PAISE).astype(np.int64)
    days = rows["expiry"].to_physical().to_numpy().astype(np.int64)
    key = (days << 34) + (paise << 1) + rows["right"].to_physical().to_numpy()
    keys, which = np.unique(key, return_inverse=True)
    T, C = ts.size, keys.size
    flat = when * C + which
    rows, flat = _each_once(rows, flat, T * C)
    arrays = {name: np.full((T, C), np.nan) for name in _VALUES}
    for name, values in arrays.items():
        values.reshape(-1)[flat] = rows[name].to_numpy()
    moments = rows.group_by("ts").agg(pl.col("collected").max(), pl.col("spot").median()).sort("ts")
    avail = np.maximum(ts, moments["collected"].fill_null(moments["ts"]).to_physical().to_numpy())
    expiries, start = np.unique(keys >> 34, return_index=True)
    strike, right = ((keys >> 1) & ((1 << 33) - 1)) / PAISE, 1 - 2 * (keys & 1)
    start = np.append(start, C).astype(np.int64)
    bid, ask = arrays.pop("bid"), arrays.pop("ask")
    middle = np.where(np.isnan(bid) | np.isnan(ask), arrays["price"], 0.5 * (bid + ask))
    spot, reference = _reference(moments["spot"].to_numpy(), middle, strike, right, start)
    underlying, session = rows["underlying"][0], rows["session"][0]
    step = _step(underlying, session, arrays["oi"], strike, start, spot)
    said = unit or "contracts"
    return Panel(
        underlying=underlying, session=session, unit=said, whole=True, ts=ts, avail=np.maximum.accumulate(avail),
        expiries=expiries, start=start, strike=strike, right=right, spot=spot, reference=reference, step=step, **arrays,
    )  # fmt: skip


def of_day(day: ChainDay) -> Panel:
    """Take a session's minutes; a bar is known at its end."""
    M = day.ts.size

    def table(values: Any) -> FloatArray:
        found = np.moveaxis(values, -1, 0).reshape(M, -1)
        return np.where(found == MISSING, np.nan, found).astype(np.float64)

    E, K = day.expiries.size, day.strikes.size
    price = table(day.close) * day.tick / PAISE
    traded = table(day.volume)
    volume = np.nancumsum(traded, axis=0)
    volume[np.logical_and.accumulate(np.isnan(traded), axis=0)] = np.nan
    strike, right = np.repeat(np.tile(day.strikes / PAISE, E), 2), np.tile(np.array([1, -1]), E * K)
    start = np.arange(E + 1, dtype=np.int64) * K * 2
    index = np.where(day.spot == MISSING, np.nan, day.spot / PAISE)
    spot, reference = _reference(index, price, strike, right, start)
    nothing = np.full(price.shape, np.nan)
    ts = day.ts + MINUTE_NS
    return Panel(
        underlying=day.underlying, session=day.session, unit="units", whole=False, ts=ts, avail=ts,
        expiries=day.expiries.astype(np.int64), start=start, strike=strike, right=right, price=price, oi=table(day.oi),
        volume=volume, bid_qty=nothing, ask_qty=nothing, spot=spot, reference=reference,
        step=float(day.strike_step[0]) / PAISE,
    )  # fmt: skip


def _rows(frame: pl.DataFrame, unit: str | None) -> pl.DataFrame:
    """Give the columns read here, typed; missing ones as null."""
    price = next((name for name in _PRICES if name in frame.columns), None)
    lacking = [name for name in ("ts", "expiry", "strike", "right", "oi") if name not in frame.columns]
    lacking += ["ltp (or price, close)"] * (price is None)
    if lacking:
        raise DataError(f"The rows lack {', '.join(lacking)}.", hint="Expected the columns of chain_snapshot.")
    if not frame.height:
        raise DataError("There are no rows.", hint="Give the snapshots of one session.")
    if price != "ltp" and unit is None:
        raise ValueError(
            f"unit: expected 'contracts' or 'units' with prices in {price!r}; only snapshots of the exchange's site "
            "(with ltp) are known to count contracts"
        )
    frame = frame.with_columns(price=pl.col(price)) if price else frame
    frame = frame.with_columns(_moment(frame, "ts"))
    columns: list[pl.Expr] = [pl.col("ts"), _day(frame, "expiry"), _right(frame)]
    columns += [_number(frame, name) for name in ("strike", *_VALUES, "spot")]
    columns.append(
        _moment(frame, "collected") if "collected" in frame.columns else pl.lit(None, TIMESTAMP).alias("collected")
    )
    local = pl.col("ts").dt.convert_time_zone(IST).dt.date().alias("session")
    columns.append(_day(frame, "session") if "session" in frame.columns else local)
    named = "underlying" in frame.columns
    columns.append(pl.col("underlying").cast(pl.String) if named else pl.lit("").alias("underlying"))
    rows = frame.select(columns)
    broken = rows.select(pl.any_horizontal(pl.col("ts", "expiry", "strike", "right").is_null()).sum()).item()
    if broken:
        raise DataError(
            f"{broken} rows have no time, expiry, strike or right that can be read.", hint="Leave such rows out."
        )
    sound = (pl.col("strike") > 0) & pl.all_horizontal(pl.col("strike", *_VALUES).fill_null(0.0).is_finite())
    counts = pl.all_horizontal(pl.col("oi", "volume", "bid_qty", "ask_qty").fill_null(0.0) >= 0)
    broken = rows.filter(~(sound & counts)).height
    if broken:
        raise DataError(
            f"{broken} rows have a negative quantity, a strike that is not above 0 or an infinite number.",
            hint="Leave such rows out, or give what is missing as null.",
        )
    for name in ("underlying", "session"):
        if rows[name].n_unique() > 1:
            several = ", ".join(map(str, rows[name].unique().sort().head(4)))
            raise DataError(f"Expected rows of one {name}, got {several}.", hint="Filter them first.")
    return rows


def _each_once(rows: pl.DataFrame, flat: IntArray, size: int) -> tuple[pl.DataFrame, IntArray]:
    """Keep one row of each contract and exchange time: the one collected first; refuse several values at once."""
    if np.bincount(flat, minlength=size).max() == 1:
        return rows, flat
    rows = rows.with_columns(_flat=pl.Series(flat)).sort("_flat", "collected", maintain_order=True, nulls_last=True)
    rows = rows.unique(maintain_order=True)
    first = rows.unique("_flat", keep="first", maintain_order=True)
    rivals = rows.join(first.select("_flat", "collected"), on=["_flat", "collected"], nulls_equal=True)
    if rivals.height > first.height:
        row = rivals.filter(pl.col("_flat").is_duplicated()).row(0, named=True)
        raise DataError(
            f"{row['expiry']} {row['strike']:g} {row['right']} has several values at {row['ts']}.",
            hint="Keep one observation of a contract at a time; a column collected says which came first.",
        )
    return first, first["_flat"].to_numpy()


def _reference(
    index: FloatArray, price: FloatArray, strike: FloatArray, right: IntArray, start: IntArray
) -> tuple[FloatArray, str]:
    """Give the index, and until it is first shown the forward by parity: what comes later must not change the past."""
    estimate = np.empty(price.shape[0])
    parity(price, strike, right, start, estimate)
    shown = np.logical_or.accumulate(~np.isnan(index))
    spot = np.where(shown, index, estimate)
    if np.isnan(spot).all():
        return spot, "none"
    return spot, "spot" if shown.all() else "mixed" if shown.any() else "parity"


def _step(
    underlying: str, session: date, oi: FloatArray, strike: FloatArray, start: IntArray, spot: FloatArray
) -> float:
    """Give the step between strikes on record, else the smallest near the money in the first moment that has a spot."""
    try:
        return facts.strike_step_paise(underlying, on=session) / PAISE
    except FactError:
        pass
    known = np.flatnonzero(~np.isnan(spot))
    if not known.size:
        return float("nan")
    shown = np.flatnonzero(~np.isnan(oi[known[0]]))
    if not shown.size:
        return float("nan")
    # the nearest expiry of that moment: one that is first shown later must not matter
    end = start[np.searchsorted(start, shown[0], side="right")]
    listed = np.unique(strike[shown[shown < end]])
    near = np.sort(listed[np.argsort(np.abs(listed - spot[known[0]]), kind="stable")[:_FEW]])
    return float(np.diff(near).min()) if near.size > 1 else float("nan")


def _number(frame: pl.DataFrame, name: str) -> pl.Expr:
    if name not in frame.columns:
        return pl.lit(None, pl.Float64).alias(name)
    return pl.col(name).cast(pl.Float64).fill_nan(None).alias(name)


def _day(frame: pl.DataFrame, name: str) -> pl.Expr:
    text = frame.schema[name] == pl.String
    return (pl.col(name).str.to_date(strict=False) if text else pl.col(name).cast(pl.Date)).alias(name)


def _moment(frame: pl.DataFrame, name: str) -> pl.Expr:
    """Read moments as nanoseconds UTC; times without a zone are India's."""
    kind = frame.schema[name]
    if not isinstance(kind, pl.Datetime):
        raise TypeError(f"{name}: expected moments (datetime), got {kind}")
    moment = pl.col(name).cast(pl.Datetime("ns", kind.time_zone))
    moment = moment if kind.time_zone else moment.dt.replace_time_zone(IST)
    return moment.dt.convert_time_zone("UTC").alias(name)


def _right(frame: pl.DataFrame) -> pl.Expr:
    kind = frame.schema["right"]
    if kind == RIGHT:
        return pl.col("right")
    if kind.is_numeric():
        return (
            pl.when(pl.col("right") == 1)
            .then(pl.lit("CE"))
            .when(pl.col("right") == -1)
            .then(pl.lit("PE"))
            .cast(RIGHT)
            .alias("right")
        )
    return either("right")
