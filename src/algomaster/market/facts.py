"""Facts of NSE index derivatives by date: lots, ticks, strike steps, freeze quantities, expiries, charges, margins.

Every answer comes from a dated row in ``market/data`` that names its source and how sure we are (:func:`table`).
Outside the rows there is a :class:`~algomaster.core.errors.FactError`, never a guess. Only the standard library is
needed here, so that every layer may ask.
"""

from __future__ import annotations

import calendar
import dataclasses
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Final, Literal

from algomaster.core.errors import FactError
from algomaster.market.data.tables import COVERED, Row, closed_reason, rows
from algomaster.pricing.margin_rates import MarginRates

__all__ = [
    "Charges",
    "Expiry",
    "charges",
    "expiries",
    "freeze_quantity",
    "lot_size",
    "margin_rates",
    "monthly_expiry",
    "next_expiries",
    "strike_step_paise",
    "table",
    "tick_paise",
    "underlyings",
]

_PPB_PER_PERCENT: Final = Decimal(10_000_000)
_PPB_PER_RUPEE_IN_A_CRORE: Final = Decimal(100)
_CONTRACT_TABLES: Final = ("lot_size", "tick", "strike_step", "freeze_quantity", "expiry_weekday")
_MARGIN_TABLES: Final = {
    "scan": "margin_scan_percent",
    "sigmas": "margin_sigmas",
    "vol_scan": "margin_vol_scan_points",
    "vol_share": "margin_vol_share_percent",
    "short_minimum": "margin_short_minimum_percent",
    "exposure": "margin_exposure_percent",
    "far_exposure": "margin_far_exposure_percent",
    "expiry_exposure": "margin_expiry_exposure_percent",
    "calendar": "margin_calendar_percent",
    "calendar_on_expiry": "margin_calendar_on_expiry",
}


@dataclasses.dataclass(frozen=True, order=True)
class Expiry:
    """One expiry date.

    Attributes
    ----------
    date : date
        The session on which the contracts expire, already moved for holidays.
    kind : "weekly" or "monthly"
    """

    date: date
    kind: Literal["weekly", "monthly"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Charges:
    """Rates of one segment on one day; integers in parts per billion of turnover (premium for options).

    Attributes
    ----------
    segment : "option" or "future"
    stt_sell_ppb : int
        Securities transaction tax on the selling side.
    stt_exercise_ppb : int
        The same on the intrinsic value of exercised options; 0 for futures.
    transaction_ppb : int
        Exchange transaction charge, both sides.
    sebi_ppb : int
        SEBI turnover fee, both sides.
    ipft_ppb : int
        Investor-protection levy, both sides; 0 where the transaction charge includes it.
    stamp_buy_ppb : int
        Stamp duty on the buying side.
    gst_percent : int
        Goods and services tax on brokerage + transaction charge + SEBI fee.
    brokerage_paise : int
        Each executed order; the usual discount broker.
    sources : tuple of str
        Where each rate was found and how sure we are.
    """

    segment: str
    stt_sell_ppb: int
    stt_exercise_ppb: int
    transaction_ppb: int
    sebi_ppb: int
    ipft_ppb: int
    stamp_buy_ppb: int
    gst_percent: int
    brokerage_paise: int
    sources: tuple[str, ...]


def underlyings() -> tuple[str, ...]:
    """Names of the indices about which something is on record, sorted."""
    return tuple(sorted({row.keys["underlying"] for kind in _CONTRACT_TABLES for row in rows(kind)}))


def lot_size(underlying: str, *, expiry: date, on: date) -> int:
    """Units in one lot of the contracts of an expiry, on a trade date.

    A revision leaves some listed contracts as they are and changes others on a later day, so both dates count.

    Raises
    ------
    FactError
        No row holds both dates; the message says which ranges are on record.
    ValueError
        The trade date comes after the expiry.
    """
    if on > expiry:
        raise ValueError(f"expected a trade date up to the expiry {expiry}, got {on}")
    found = _of(underlying, "lot_size")
    named = [row for row in found if row.keys["expiry_from"] <= expiry <= row.keys["expiry_to"]]
    for row in named:
        if row.covers(on):
            return int(row.value)
    if named:
        covered = "trade dates " + ", ".join(f"{row.start} to {row.end}" for row in named) + " for that expiry"
    else:
        first, last = min(row.keys["expiry_from"] for row in found), max(row.keys["expiry_to"] for row in found)
        covered = f"expiries from {first} to {last}"
    raise FactError(
        f"No lot size of {underlying} contracts expiring {expiry} is on record for {on}; covered: {covered}.",
        hint="Choose covered dates, or add a row with its source to market/data/contracts.toml.",
        underlying=underlying, expiry=expiry, on=on,
    )  # fmt: skip


def tick_paise(underlying: str, *, on: date, segment: Literal["option", "future", "index"] = "option") -> int:
    """Smallest price step in paise (hundredths of a point) of a segment on a day.

    Raises
    ------
    FactError
        No row holds the day, or nothing is on record for the segment.
    """
    return int(_find(underlying, "tick", on, segment=segment).value)


def strike_step_paise(underlying: str, *, on: date) -> int:
    """Distance in paise between neighbouring strikes near the money of near expiries.

    Raises
    ------
    FactError
        No row holds the day.
    """
    return int(_find(underlying, "strike_step", on).value)


def freeze_quantity(underlying: str, *, on: date) -> int:
    """Largest quantity in units that one order may have.

    Raises
    ------
    FactError
        No row holds the day.
    """
    return int(_find(underlying, "freeze_quantity", on).value)


def expiries(underlying: str, start: date, end: date) -> list[Expiry]:
    """Expiries from ``start`` to ``end`` (both included), in order, moved to the session before a holiday.

    These are the dates on which contracts did expire. When an exchange moves the expiry weekday it moves contracts
    that are already listed, so an older file may still show the date planned at its time.

    Raises
    ------
    FactError
        The range is not within the covered years, or nothing is on record for the underlying.
    """
    known = _all_expiries(underlying)
    first, last = COVERED
    if start < first or end > last:
        raise FactError(
            f"Expiries of {underlying} are on record from {first} to {last}; asked for {start} to {end}.",
            hint="Ask for a covered range, or extend the tables in market/data.",
            underlying=underlying, start=start, end=end,
        )  # fmt: skip
    dates = [expiry.date for expiry in known]
    return list(known[bisect_left(dates, start) : bisect_right(dates, end)])


def monthly_expiry(underlying: str, year: int, month: int) -> date:
    """Give the expiry date of the monthly contract of a month.

    Raises
    ------
    FactError
        The month is not on record.
    """
    for expiry in _all_expiries(underlying):
        if expiry.kind == "monthly" and (expiry.date.year, expiry.date.month) == (year, month):
            return expiry.date
    raise FactError(
        f"No monthly expiry of {underlying} in {year}-{month:02d} is on record; covered: {COVERED[0]} to {COVERED[1]}.",
        hint="Use contracts of a covered month, or extend the tables in market/data.",
        underlying=underlying,
    )


def next_expiries(underlying: str, on: date, count: int) -> list[Expiry]:
    """Give the next ``count`` expiries of a day; an expiry on the day itself is the first.

    Raises
    ------
    FactError
        Fewer are on record within the covered years.
    """
    if count < 1:
        raise ValueError(f"count: expected at least 1, got {count}")
    found = expiries(underlying, on, COVERED[1])
    if len(found) < count:
        raise FactError(
            f"Expected {count} expiries of {underlying} from {on} on; up to {COVERED[1]} there are {len(found)}.",
            hint="Ask for fewer, or extend the tables in market/data.",
            underlying=underlying, on=on, count=count,
        )  # fmt: skip
    return found[:count]


@cache
def charges(segment: Literal["option", "future"], on: date) -> Charges:
    """Charges of index options or futures on a day.

    Raises
    ------
    FactError
        Some rate is not on record for the day; the message names it and its covered ranges.
    """
    if segment not in ("option", "future"):
        raise ValueError(f"segment: expected 'option' or 'future', got {segment!r}")
    kinds = ["stt_sell_percent", "transaction_percent", "ipft_percent", "stamp_buy_percent"]
    found = {kind: _charge(kind, on, segment) for kind in kinds}
    if segment == "option":
        found["stt_exercise_percent"] = _charge("stt_exercise_percent", on, segment)
    for kind in ("sebi_per_crore", "gst_percent", "brokerage_rupees"):
        found[kind] = _charge(kind, on, None)

    def whole(kind: str, unit: Decimal) -> int:
        return _whole(Decimal(found[kind].value) * unit)

    return Charges(
        segment=segment,
        stt_sell_ppb=whole("stt_sell_percent", _PPB_PER_PERCENT),
        stt_exercise_ppb=whole("stt_exercise_percent", _PPB_PER_PERCENT) if segment == "option" else 0,
        transaction_ppb=whole("transaction_percent", _PPB_PER_PERCENT),
        sebi_ppb=whole("sebi_per_crore", _PPB_PER_RUPEE_IN_A_CRORE),
        ipft_ppb=whole("ipft_percent", _PPB_PER_PERCENT),
        stamp_buy_ppb=whole("stamp_buy_percent", _PPB_PER_PERCENT),
        gst_percent=whole("gst_percent", Decimal(1)),
        brokerage_paise=whole("brokerage_rupees", Decimal(100)),
        sources=tuple(f"{kind} {row.value}: {row.source} [{row.confidence}]" for kind, row in found.items()),
    )


@cache
def margin_rates(on: date) -> MarginRates:
    """Margin rates of index derivatives on a day, for :func:`algomaster.pricing.margin`.

    Raises
    ------
    FactError
        Some rate is not on record for the day; the message names it and its covered ranges.
    """
    found = {name: _on(list(rows(kind)), on, kind.replace("_", " ")) for name, kind in _MARGIN_TABLES.items()}

    def number(name: str) -> float:
        whole = name in ("sigmas", "calendar_on_expiry")
        return float(Decimal(found[name].value) / (1 if whole else 100))

    return MarginRates(
        scan=number("scan"),
        sigmas=number("sigmas"),
        vol_scan=number("vol_scan"),
        vol_share=number("vol_share"),
        short_minimum=number("short_minimum"),
        exposure=number("exposure"),
        far_exposure=number("far_exposure"),
        expiry_exposure=number("expiry_exposure"),
        calendar=number("calendar"),
        calendar_on_expiry=number("calendar_on_expiry") > 0.0,
        sources=tuple(f"{name} {row.value}: {row.source} [{row.confidence}]" for name, row in found.items()),
    )


def table(kind: str) -> list[dict[str, object]]:
    """Rows of one table for display: from, to, what the row is for, value, source and confidence.

    ``kind`` is "lot_size", "tick", "strike_step", "freeze_quantity", "expiry_weekday", "holiday", "special_session",
    "session_hours" or one of the charges ("stt_sell_percent", "stt_exercise_percent", "transaction_percent",
    "ipft_percent", "sebi_per_crore", "stamp_buy_percent", "gst_percent", "service_tax_percent", "brokerage_rupees"),
    or of the margin rates ("margin_scan_percent", "margin_sigmas", "margin_exposure_percent", ...).
    """
    return [
        {
            "from": row.start, "to": row.end, **row.keys, "value": row.value,
            "source": row.source, "confidence": row.confidence,
        }
        for row in rows(kind)
    ]  # fmt: skip


@cache
def _all_expiries(underlying: str) -> tuple[Expiry, ...]:
    weekdays = _of(underlying, "expiry_weekday")
    months = dict(_monthly([row for row in weekdays if row.keys["kind"] == "monthly"]))
    weeks = {nominal.isocalendar()[:2] for nominal in months}
    found = {actual: Expiry(actual, "monthly") for actual in months.values()}
    for nominal in _weekly([row for row in weekdays if row.keys["kind"] == "weekly"]):
        if nominal.isocalendar()[:2] not in weeks:
            actual = _session_on_or_before(nominal)
            found.setdefault(actual, Expiry(actual, "weekly"))
    return tuple(sorted(found.values()))


def _monthly(weekdays: list[Row]) -> Iterator[tuple[date, date]]:
    for year in range(COVERED[0].year, COVERED[1].year + 1):
        for month in range(1, 13):
            last = date(year, month, calendar.monthrange(year, month)[1])
            for row in weekdays:
                nominal = last - timedelta(days=(last.isoweekday() - row.value) % 7)
                if row.covers(nominal):
                    yield nominal, _session_on_or_before(nominal)


def _weekly(weekdays: list[Row]) -> Iterator[date]:
    for row in weekdays:
        nominal = row.start + timedelta(days=(row.value - row.start.isoweekday()) % 7)
        while nominal <= row.end:
            yield nominal
            nominal += timedelta(days=7)


def _session_on_or_before(day: date) -> date:
    """Move an expiry off a closed day; an evening session does not count, contracts expire in day sessions."""
    while closed_reason(day) or day in _evenings():
        day -= timedelta(days=1)
    return day


@cache
def _evenings() -> frozenset[date]:
    return frozenset(row.start for row in rows("special_session") if row.keys["kind"] == "muhurat")


def _of(underlying: str, kind: str) -> list[Row]:
    found = [row for row in rows(kind) if row.keys["underlying"] == underlying]
    if not found:
        names = sorted({row.keys["underlying"] for row in rows(kind)})
        raise FactError(
            f"No {kind.replace('_', ' ')} of {underlying!r} is on record; there are: {', '.join(names)}.",
            hint="Names are written as the exchange does (NIFTY, BANKNIFTY).",
            underlying=underlying,
        )
    return found


def _find(underlying: str, kind: str, on: date, **keys: str) -> Row:
    found = [row for row in _of(underlying, kind) if all(row.keys[key] == value for key, value in keys.items())]
    return _on(found, on, " ".join([underlying, *keys.values(), kind.replace("_", " ")]))


def _charge(kind: str, on: date, segment: str | None) -> Row:
    found = [row for row in rows(kind) if row.keys.get("segment") == segment]
    return _on(found, on, " ".join(filter(None, [segment, kind])))


def _on(found: list[Row], on: date, what: str) -> Row:
    for row in found:
        if row.covers(on):
            return row
    ranges = ", ".join(f"{row.start} to {row.end}" for row in found) or "nothing at all"
    raise FactError(
        f"No {what} is on record for {on}; covered: {ranges}.",
        hint="Choose a covered date, or add a row with its source to market/data.",
        on=on,
    )


def _whole(value: Decimal) -> int:
    if value != value.to_integral_value():
        raise FactError(f"Expected a rate in whole parts per billion, got {value}.", hint="Correct the table row.")
    return int(value)
