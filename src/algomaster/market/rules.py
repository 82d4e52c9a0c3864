"""What makes a row usable: the rules that every format's rows must pass before they reach the store.

In this order (:func:`judge`):

1. The day must be a session and a minute bar must lie between open and close (:func:`_hours`): pre-open rows, rows
   after the close and rows of closed days are rejected. Where the calendar has no record nothing is rejected.
2. No contract trades after its expiry; prices must fit the integers of the engine (:func:`_too_large`), those of
   options be no more than an option can be worth (:func:`_beyond_worth`) and be multiples of the tick
   (:func:`_off_tick`).
3. An index or future must be on the scale of the sessions around it (:func:`_bad_scale`). NSE stops the whole market
   when an index moves 20 % in a day, so within three sessions no level can double or halve.
4. Of equal rows of one key one stands and the others are repeats; a key with several values is rejected whole, as
   nothing tells which is true (:func:`_repeats`).
"""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import numpy as np
import polars as pl

from algomaster.core.errors import DataError, FactError
from algomaster.market import calendar, facts
from algomaster.market.loaders.parse import Check, sift
from algomaster.market.schemas import TIMESTAMP, dataset

__all__ = ["MINUTES", "Judged", "hours", "judge"]

MINUTES = ("index_minute", "future_minute", "option_minute")
_SCALE = 2.0
_CALL = 2.0
_MOST = (2**31 - 1) / 100
_TRADED = ("open", "high", "low", "close", "last", "ltp", "bid", "ask")
_PRICES = (*_TRADED, "previous_close", "settle", "spot", "strike")
_NEIGHBOURS = 3
_REACH = timedelta(days=12)


@dataclasses.dataclass(frozen=True)
class Judged:
    """Rows after the rules.

    Attributes
    ----------
    frame : DataFrame
        The usable rows, with ``_row``.
    rejects : DataFrame
        ``_row``, ``kind``, ``reason``, ``underlying``, ``session``.
    repeats : DataFrame
        ``_row``, ``underlying``, ``session`` of rows that repeat an earlier one.
    shifted : DataFrame
        ``_row``, ``underlying``, ``session`` of bars that make their session look stamped at the other end of the bar.
    """

    frame: pl.DataFrame
    rejects: pl.DataFrame
    repeats: pl.DataFrame
    shifted: pl.DataFrame


def judge(name: str, frame: pl.DataFrame, levels: pl.DataFrame | None = None) -> Judged:
    """Apply the rules to rows of a dataset.

    Parameters
    ----------
    name : str
        The dataset.
    frame : DataFrame
        Its columns and ``_row``.
    levels : DataFrame, optional
        ``underlying``, ``session``, ``level``: typical prices of sessions the store holds, as further neighbours.
    """
    marked = frame.join(hours(frame["session"]), on="session", how="left", maintain_order="left")
    checks = _closed_day()
    if name in MINUTES:
        checks += _hours()
    if "expiry" in frame.columns:
        expired = (pl.col("expiry") < pl.col("session")).fill_null(False)
        checks.append(("expired", expired, pl.format("expiry {} before {}", "expiry", "session")))
    if any(name in frame.columns for name in _PRICES):
        checks.append(_too_large(frame.columns))
    if "right" in frame.columns:
        middle = pl.col("strike").median().over("underlying", "session")
        marked = marked.with_columns(_scale=pl.max_horizontal("strike", middle))
        checks.append(_beyond_worth(frame.columns))
    if name == "option_minute":
        marked = marked.join(_ticks(frame), on=["underlying", "session"], how="left", maintain_order="left")
        checks.append(_off_tick())
    rejected = []
    good, bad = sift(marked, checks)
    rejected.append(bad)
    if name in ("index_minute", "future_minute") and good.height:
        good = good.join(_levels(good, levels), on=["underlying", "session"], how="left", maintain_order="left")
        good, bad = sift(good, [_bad_scale()])
        rejected.append(bad)
    good = good.select(frame.columns)
    good, conflicts, repeats = _repeats(name, good)
    rejected.append(conflicts)
    labels = frame.select("_row", "underlying", "session").unique("_row", keep="first")
    rejects = pl.concat(rejected).join(labels, on="_row", how="left", maintain_order="left")
    shifted = _shifted(marked) if name == "index_minute" else marked.head(0)
    return Judged(
        good, rejects.unique("_row", keep="first", maintain_order=True), repeats, shifted.select(labels.columns)
    )


def hours(sessions: pl.Series) -> pl.DataFrame:
    """Give open, close and, of closed days, the reason for each day: null throughout where nothing is on record."""
    rows: list[tuple[date, int | None, int | None, str | None]] = []
    for day in sessions.unique().drop_nulls().to_list():
        try:
            found = calendar.session(day)
            rows.append((day, found.open_ns, found.close_ns, None))
        except FactError:
            rows.append((day, None, None, None))
        except DataError as closed:
            rows.append((day, None, None, closed.problem))
    schema = {"session": pl.Date(), "_open": pl.Int64(), "_close": pl.Int64(), "_closed": pl.String()}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("_open", "_close").cast(TIMESTAMP))


def _closed_day() -> list[Check]:
    return [("no_session", pl.col("_closed").is_not_null(), pl.col("_closed"))]


def _hours() -> list[Check]:
    local = pl.col("ts").dt.convert_time_zone("Asia/Kolkata").dt.strftime("%Y-%m-%d %H:%M")
    early, late = pl.col("ts") < pl.col("_open"), pl.col("ts") >= pl.col("_close")
    return [
        ("before_open", early.fill_null(False), pl.format("the minute from {} lies before the open", local)),
        ("after_close", late.fill_null(False), pl.format("the minute from {} lies after the close", local)),
    ]


def _shifted(marked: pl.DataFrame) -> pl.DataFrame:
    """Find the odd bars of sessions that look stamped at the wrong end of the bar.

    Such a session has a bar of the minute before the open and none of the last minute, or one of the minute of the
    close and none of the first.
    """
    minute = pl.duration(minutes=1, time_unit="ns")
    by = ["underlying", "session"]
    early, late = pl.col("ts") == pl.col("_open") - minute, pl.col("ts") == pl.col("_close")
    first, last = pl.col("ts") == pl.col("_open"), pl.col("ts") == pl.col("_close") - minute
    wrong = (early & ~last.any().over(by)) | (late & ~first.any().over(by))
    return marked.filter(wrong.fill_null(False))


def _ticks(frame: pl.DataFrame) -> pl.DataFrame:
    rows = []
    for underlying, session in frame.select("underlying", "session").unique().iter_rows():
        rows.append((underlying, session, _tick(underlying, session)))
    schema = {"underlying": pl.String(), "session": pl.Date(), "_tick": pl.Int64()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _tick(underlying: str, session: date) -> int | None:
    try:
        return facts.tick_paise(underlying, on=session, segment="option")
    except FactError:
        return None


def _too_large(columns: list[str]) -> Check:
    """Find prices whose paise do not fit 32 bits."""
    prices = [name for name in _PRICES if name in columns]
    largest = pl.max_horizontal(pl.col(name).abs() for name in prices)
    return "bad_scale", (largest > _MOST).fill_null(False), pl.format("a price of {}", largest)


def _beyond_worth(columns: list[str]) -> Check:
    """Find option prices that no index could make true.

    A put is worth less than its strike. A call is worth less than its index, which is not at hand: the strike, or the
    middle one of the session's if higher, stands for it, and no index is at three times both. Settlements are left
    out: on the last day they are the index's.
    """
    price = pl.max_horizontal(name for name in _TRADED if name in columns)
    cap = pl.when(pl.col("right").cast(pl.String) == "PE").then(pl.col("strike")).otherwise(_CALL * pl.col("_scale"))
    reason = pl.format("a {} at {} for a strike of {}", pl.col("right").cast(pl.String), price, "strike")
    return "bad_scale", (price > cap).fill_null(False), reason


def _off_tick() -> Check:
    prices = [pl.col(name) for name in ("open", "high", "low", "close")]
    off = [((price * 100).round() % pl.col("_tick") != 0) | ((price - price.round(2)).abs() > 1e-9) for price in prices]
    reason = pl.format("a price of {}, {}, {}, {} is not a multiple of {} paise", *prices, pl.col("_tick"))
    return "off_tick", pl.any_horizontal(off).fill_null(False), reason


def _bad_scale() -> Check:
    worst = pl.max_horizontal(pl.col("high"), pl.col("close")) / pl.col("_level")
    least = pl.min_horizontal(pl.col("low"), pl.col("close")) / pl.col("_level")
    off = ((worst > _SCALE) | (least < 1 / _SCALE)).fill_null(False)
    return "bad_scale", off, pl.format("close {}, while the sessions around are near {}", "close", "_level")


def _levels(frame: pl.DataFrame, known: pl.DataFrame | None) -> pl.DataFrame:
    """Give each session the median level of up to three sessions on either side, without itself.

    A session with no other one around is measured by its own first minute, as trading opens from a true price. The
    volatility index may well double and has no level.
    """
    own = frame.group_by("underlying", "session").agg(
        level=pl.col("close").median(), first=pl.col("close").sort_by("ts").first()
    )
    own = own.filter(pl.col("underlying") != "INDIAVIX")
    every = own.select("underlying", "session", "level")
    if known is not None and known.height:
        every = pl.concat([every, known.join(every, on=["underlying", "session"], how="anti")], how="diagonal")
    rows = []
    for (underlying,), part in own.partition_by("underlying", as_dict=True).items():
        around = every.filter(pl.col("underlying") == underlying).sort("session")
        dates, values = around["session"].to_list(), around["level"].to_numpy()
        place = {day: position for position, day in enumerate(dates)}
        for day, first in part.select("session", "first").iter_rows():
            rows.append((underlying, day, _around(dates, values, place[day], first)))
    schema = {"underlying": pl.String(), "session": pl.Date(), "_level": pl.Float64()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _around(dates: list[date], values: np.ndarray, at: int, first: float) -> float:
    window = range(max(at - _NEIGHBOURS, 0), min(at + _NEIGHBOURS + 1, len(dates)))
    near = [values[i] for i in window if i != at and abs(dates[i] - dates[at]) <= _REACH]
    return float(np.median(near)) if near else first


def _repeats(name: str, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Split rows into one of each key, rows that contradict their key's others and rows that repeat it.

    Where rows were collected at different times the earliest time stands, which is a matter of their content; which
    row comes first in the file decides nothing.
    """
    key = list(dataset(name).key)
    labels = ["_row", "underlying", "session"]
    nothing = pl.DataFrame(schema={"_row": pl.Int64, "kind": pl.String, "reason": pl.String})
    twice = frame.select(pl.struct(key).is_duplicated().alias("twice"))["twice"]
    if not twice.any():
        return frame, nothing, frame.head(0).select(labels)
    several = frame.filter(twice).sort(*(["collected"] if "collected" in frame.columns else []), "_row")
    conflicts = _contradictions(several, key)
    rows = conflicts["_row"].implode()
    agreeing = several.filter(~pl.col("_row").is_in(rows))
    first = agreeing.unique(key, keep="first", maintain_order=True)
    later = agreeing.join(first.select("_row", *key), on=["_row", *key], how="anti", nulls_equal=True)
    stands = pl.concat([frame.filter(~twice), first]).filter(~pl.col("_row").is_in(rows))
    return stands, conflicts, later.select(labels).unique("_row", keep="first")


def _contradictions(several: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Find the rows of keys with several values: all of them, or those collected after the earliest if it is one."""
    values = [c for c in several.columns if c not in (*key, "_row", "collected", "session")]
    first = several.unique(key, keep="first", maintain_order=True)
    pairs = several.join(first, on=key, how="left", nulls_equal=True, suffix="_first", maintain_order="left")
    names = [pl.when(~pl.col(c).eq_missing(pl.col(f"{c}_first"))).then(pl.lit(c)) for c in values]
    pairs = pairs.with_columns(_differing=pl.concat_str(names, separator=", ", ignore_nulls=True))
    differs = pl.col("_differing") != ""
    together = pl.lit(True)
    if "collected" in several.columns:
        together = pl.col("collected").eq_missing(pl.col("collected_first"))
    pairs = pairs.with_columns(
        _open=(differs & together).any().over(key),
        _other=pl.col("_row").filter(differs & together).first().over(key),
        _what=pl.col("_differing").filter(differs & together).first().over(key),
    )
    told = pl.format(
        "row {} has the same key and another {}",
        pl.when(differs).then("_row_first").otherwise("_other"),
        pl.when(differs).then("_differing").otherwise("_what"),
    )
    found = pairs.filter(differs | pl.col("_open")).select("_row", kind=pl.lit("conflict"), reason=told)
    return found.unique("_row", keep="first", maintain_order=True)
