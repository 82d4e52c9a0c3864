"""Formats that are known and not stored, each with what to do instead."""

from __future__ import annotations

from typing import NoReturn

from algomaster.core.errors import DataError
from algomaster.market.loaders.loader import Loader
from algomaster.market.loaders.parse import number
from algomaster.market.loaders.source import Head, Source

__all__ = ["CASH_BHAVCOPY", "EPOCH_BARS", "EXPIRY_DAYS"]

_EPOCH = ("Time", "Open", "High", "Low", "Close")


def _is_epoch(head: Head) -> bool:
    place = head.columns.index("Time") if "Time" in head.columns else 0
    stamps = [row[place] for row in head.rows if len(row) > place]
    return head.kind == "text" and head.columns == _EPOCH and bool(stamps) and all(map(str.isdigit, stamps))


def _refuse_epoch(source: Source) -> NoReturn:
    stamps = source.table().frame.select(number("Time"))["Time"].drop_nulls()
    steps = stamps.diff().drop_nulls().filter(stamps.diff().drop_nulls() > 0)
    length = f"{steps.mode()[0] / 60:g} minutes" if steps.len() else "an unknown length"
    raise DataError(
        f"{source.path} holds bars of {length} and does not name its instrument; the store holds named minute bars.",
        hint="Import minute bars of the index instead; longer bars are made from minutes.",
    )


def _refuse_expiries(source: Source) -> NoReturn:
    raise DataError(
        f"{source.path} is a list of expiry days; expiries come from the package's own dated tables.",
        hint="Nothing to import; see algomaster.market.facts.expiries.",
    )


def _refuse_cash(source: Source) -> NoReturn:
    raise DataError(
        f"{source.path} is a bhavcopy of the cash market; the store holds index derivatives and indices.",
        hint="Import the F&O bhavcopy or the index close file of that day.",
    )


EPOCH_BARS = Loader(
    name="epoch_bars",
    about="CSV with Time in epoch seconds, Open, High, Low, Close (15-minute bars): refused",
    datasets=(),
    stamp="start",
    recognises=_is_epoch,
    read=_refuse_epoch,
)
EXPIRY_DAYS = Loader(
    name="expiry_days",
    about="a list of expiry days (expDays): refused",
    datasets=(),
    stamp="eod",
    recognises=lambda head: head.kind == "text" and head.columns == ("expDays",),
    read=_refuse_expiries,
)
CASH_BHAVCOPY = Loader(
    name="cash_bhavcopy",
    about="bhavcopy of the cash market with delivery (SYMBOL, SERIES, DATE1, ...): refused",
    datasets=(),
    stamp="eod",
    recognises=lambda head: head.kind == "text" and head.has("SYMBOL", "SERIES", "DATE1"),
    read=_refuse_cash,
)
