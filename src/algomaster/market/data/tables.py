"""The dated tables beside this file, read once: rows with ``from``, ``to``, value, source and confidence."""

from __future__ import annotations

import csv
import dataclasses
import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from algomaster.core.errors import FactError

__all__ = ["COVERED", "Row", "closed_reason", "rows", "trading_days"]

COVERED = (date(2013, 1, 1), date(2026, 12, 31))
"""First and last day about which the session tables speak."""

_FOLDER = Path(__file__).parent
_TOMLS = ("contracts.toml", "charges.toml", "margins.toml")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclasses.dataclass(frozen=True)
class Row:
    """One fact: what held from ``start`` to ``end`` (both included).

    Attributes
    ----------
    kind : str
        Which table the row is of ("lot_size", "holiday", ...).
    start, end : date
    value : str or int
        As written in the file.
    keys : mapping
        What else the row is for ("underlying", "segment", "expiry_from", "halts", ...).
    source, confidence : str
        Where it was found and how sure we are.
    """

    kind: str
    start: date
    end: date
    value: Any
    keys: Mapping[str, Any]
    source: str
    confidence: str

    def covers(self, on: date) -> bool:
        """Say whether the row holds on a day."""
        return self.start <= on <= self.end


@cache
def rows(kind: str) -> tuple[Row, ...]:
    """Rows of one table in the order of its file.

    Raises
    ------
    ValueError
        There is no table of that kind.
    """
    for name in _TOMLS:
        if kind in _toml(name):
            return tuple(_row(kind, entry) for entry in _toml(name)[kind])
    csv_kinds = {
        "holiday": "holidays.csv",
        "special_session": "special_sessions.csv",
        "session_hours": "session_hours.csv",
    }
    if kind not in csv_kinds:
        known = [*(kind for name in _TOMLS for kind in _toml(name)), *csv_kinds]
        raise ValueError(f"there is no table of {kind!r}; there are: {', '.join(known)}")
    with (_FOLDER / csv_kinds[kind]).open(encoding="utf-8", newline="") as lines:
        entries = [{**line, "from": _day(line["from"]), "to": _day(line["to"])} for line in csv.DictReader(lines)]
    return tuple(_row(kind, entry) for entry in entries)


@cache
def trading_days() -> tuple[date, ...]:
    """Every day of the covered years on which the exchange traded, evenings included, in order."""
    holidays = {row.start for row in rows("holiday")}
    special = {row.start for row in rows("special_session")}
    first, last = COVERED
    days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    return tuple(day for day in days if day in special or (day.weekday() < 5 and day not in holidays))


@cache
def _trading_set() -> frozenset[date]:
    return frozenset(trading_days())


def closed_reason(day: date) -> str:
    """Why the exchange did not trade on a day; empty if it did.

    Raises
    ------
    FactError
        The day lies outside the covered years.
    """
    first, last = COVERED
    if not first <= day <= last:
        raise FactError(
            f"The trading calendar covers {first} to {last}; {day} lies outside.",
            hint="Ask for a covered day, or add the year's holidays to market/data.",
            day=day,
        )
    if day in _trading_set():
        return ""
    return next((row.value for row in rows("holiday") if row.start == day), _WEEKDAYS[day.weekday()])


@cache
def _toml(name: str) -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads((_FOLDER / name).read_text(encoding="utf-8"))


def _row(kind: str, entry: dict[str, Any]) -> Row:
    rest = dict(entry)
    start, end, source, confidence = (rest.pop(key) for key in ("from", "to", "source", "confidence"))
    value = next((rest.pop(key) for key in ("value", "name", "note") if key in rest), None)
    return Row(kind, start, end, value, MappingProxyType(rest), source, confidence)


def _day(text: str) -> date:
    return date.fromisoformat(text)
