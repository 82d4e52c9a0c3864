"""The exchange's daily files of participant-wise open interest and trading volume (``fao_participant_oi/_vol``).

A file is a title that names the measure and the day, a header, a line each of Client, DII, FII and Pro, and TOTAL::

    ""Participant wise Open Interest (no. of contracts) in Equity Derivatives as on Aug 14, 2026"",,,,
    Client Type,Future Index Long,Future Index Short,Future Stock Long,Future Stock Short   ,Option Index Call Long,...

Every contract has a buyer and a seller, so the four add up to as many contracts long as short in each instrument,
and TOTAL says the same sum. A day is taken whole or not at all (:func:`_day_check`).

What is known of the quirks comes from public descriptions of the archive's files (the collectors of several public
repositories quote heads of real files; a survey of all 3,658 files from January 2012 to October 2026 lists what is
odd in them, GitHub ``reports/wp14-positioning.md``); no real file is at hand here:

- The title is quoted once, twice or not at all, with or without trailing commas, "Oct 07, 2026" or "Oct 07,2026";
  header cells end in blanks or a tab; the first days of 2012 write ``CLIENT_TYPE``.
- Since late 2015 sums miss TOTAL, and long misses short, by up to 10 contracts or 0.01 % in many files: kept.
- Some files of 2012 to 2018 hold fractions of contracts, one groups digits the Indian way in quotes: kept.
- Few miscompute the columns "Total Long Contracts" and "Total Short Contracts"; these are sums and are not stored.
- 2 January 2012 has the labels of FII and DII exchanged and their lines out of order; 22 August 2013 has all labels a
  line too high: such files are rejected. Two files have no title and one has a title without its year: they do not say
  which day they are of, and are refused.
- Where the archive tells when a file was written it is the evening of the session, 17:22 to 23:57, or a later day.
"""

from __future__ import annotations

import csv
import re
from datetime import date, datetime

import polars as pl

from algomaster.core.errors import DataError
from algomaster.market.loaders.loader import Loader
from algomaster.market.loaders.parse import Check, Parsed, number, sift, unreadable
from algomaster.market.loaders.source import Head, Source
from algomaster.market.schemas import EVERY_UNDERLYING, INSTRUMENTS, PARTICIPANT

__all__ = ["PARTICIPANT_OI", "PARTICIPANT_VOLUME"]

_WORDS = {
    "future index": "index_future", "future stock": "stock_future", "option index call": "index_call",
    "option index put": "index_put", "option stock call": "stock_call", "option stock put": "stock_put",
}  # fmt: skip
_COLUMNS = {f"{words} {side}": f"{name}_{side}" for words, name in _WORDS.items() for side in ("long", "short")}
_SIDES = tuple(f"{name}_{side}" for name in INSTRUMENTS for side in ("long", "short"))
_LABELS = ("client", "dii", "fii", "pro")
_TOTAL = "total"
_MEASURE = re.compile(r"participant\s*wise\s+(open\s+interest|trading\s+volume)", re.IGNORECASE)
_DAY = re.compile(r"as\s+on\s+([A-Za-z]{3})[A-Za-z]*\.?\s*(\d{1,2})\s*,?\s*(\d{4})")
_CONTRACTS_OFF, _SHARE_OFF = 10.0, 1e-4  # how far the exchange's own sums are known to miss by rounding


def _read(source: Source) -> Parsed:
    lines = [(row, text) for row, text in source.lines.iter_rows() if text.strip(" \t,")]
    place = next((n for n, (_, text) in enumerate(lines) if _is_header(_cells(text))), None)
    if place is None:
        raise DataError(
            f"{source.path} has no header line (Client Type, Future Index Long, ...).",
            hint="Which number is which cannot be told without it; fetch the file again.",
        )
    day = _day(" ".join(text for _, text in lines[:place]))
    if day is None:
        raise DataError(
            f"{source.path} does not say the day it is of.",
            hint='Its first line should be the title, "Participant wise ... as on Aug 14, 2026"; put it back.',
        )
    header = [_COLUMNS.get(_plain(cell), _plain(cell)) for cell in _cells(lines[place][1])]
    frame, broken = _table(header, lines[place + 1 :])
    return _parsed(frame, broken, day, _name(source.head))


def _table(header: list[str], lines: list[tuple[int, str]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give label and numbers as text of each line, and the lines with another number of fields."""
    rows, broken = [], []
    places = [header.index(name) for name in _SIDES]
    for row, text in lines:
        cells = _cells(text)
        if len(cells) == len(header):
            rows.append((row, cells[0].lower(), *(cells[place].replace(",", "") for place in places)))
        else:
            broken.append((row, "broken_line", f"expected {len(header)} fields, got {len(cells)}"))
    schema = {"_row": pl.Int64(), "label": pl.String(), **dict.fromkeys(_SIDES, pl.String())}
    reject = {"_row": pl.Int64(), "kind": pl.String(), "reason": pl.String()}
    return pl.DataFrame(rows, schema=schema, orient="row"), pl.DataFrame(broken, schema=reject, orient="row")


def _parsed(frame: pl.DataFrame, broken: pl.DataFrame, day: date, name: str) -> Parsed:
    good, unread = sift(frame, [unreadable(frame, _SIDES)])
    good = good.with_columns(number(side) for side in _SIDES)
    checks: list[Check] = [
        ("unknown_kind", ~pl.col("label").is_in([*_LABELS, _TOTAL]), pl.format("no participant {}", "label")),
        ("bad_quantity", pl.any_horizontal(pl.col(_SIDES).is_null()), "a number of contracts is missing"),
        ("bad_quantity", pl.any_horizontal(pl.col(_SIDES) < 0), "a number of contracts is negative"),
    ]
    good, bad = sift(good, checks)
    good, untied = sift(good, [_day_check(good)])
    rejects = pl.concat([broken, unread, bad, untied])
    total = frame.filter(pl.col("label") == _TOTAL)["_row"]
    rejects = rejects.filter(~pl.col("_row").is_in(total.implode()))  # it is a check, like the header, and no row
    missed = _missed(good)
    kept = {"rounded_sum": (missed, "columns that miss TOTAL or their other side by a rounding")} if missed else {}
    good = good.filter(pl.col("label") != _TOTAL)
    rows = frame.height - total.len() + broken.height
    stored = good.select(
        "_row",
        underlying=pl.lit(EVERY_UNDERLYING),
        session=pl.lit(day),
        participant=pl.col("label").replace_strict(
            dict(zip(_LABELS, PARTICIPANT.categories)), return_dtype=PARTICIPANT
        ),
        **{side: pl.col(side) for side in _SIDES},
    )
    return Parsed(rows, [(name, stored)], rejects, kept=kept)


def _day_check(good: pl.DataFrame) -> Check:
    """Reject the day's lines together unless all are there, in order, and tie out with TOTAL and with each other."""
    reason = _untied(good)
    return "inconsistent", pl.lit(reason is not None), reason or ""


def _untied(good: pl.DataFrame) -> str | None:
    labels = tuple(good["label"])
    if labels != (*_LABELS, _TOTAL):
        wanted = "Client, DII, FII, Pro, TOTAL"
        return f"the day is not whole: expected usable lines of {wanted}, got {', '.join(labels)}"
    table = {side: good[side].to_list() for side in _SIDES}
    for side, (*parts, total) in table.items():
        if not _near(sum(parts), total):
            return f"{side}: the four add up to {sum(parts):g}, TOTAL says {total:g}"
    for each in INSTRUMENTS:
        bought, sold = (sum(table[f"{each}_{side}"][:-1]) for side in ("long", "short"))
        if not _near(bought, sold):
            return f"{each}: {bought:g} contracts long and {sold:g} short; every contract has both"
    return None


def _missed(good: pl.DataFrame) -> int:
    """Count the columns whose four lines do not add up to TOTAL or to the other side exactly."""
    if not good.height:
        return 0
    *four, total = good.select(_SIDES).rows()
    sums = [sum(column) for column in zip(*four)]
    other = [sums[place ^ 1] for place in range(len(sums))]  # long and short of an instrument stand side by side
    return sum(found != said or found != against for found, said, against in zip(sums, total, other))


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= max(_CONTRACTS_OFF, _SHARE_OFF * max(one, other))


def _cells(text: str) -> list[str]:
    """Give the fields of a line, those after the last one that is not empty left out."""
    cells = [" ".join(cell.replace('"', "").split()) for cell in next(csv.reader([text]))]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _plain(cell: str) -> str:
    return " ".join(cell.replace("_", " ").lower().split())


def _is_header(cells: list[str]) -> bool:
    plain = [_plain(cell) for cell in cells]
    return bool(plain) and plain[0] == "client type" and set(_COLUMNS) <= set(plain)


def _day(title: str) -> date | None:
    found = _DAY.search(title)
    if found is None:
        return None
    try:
        return datetime.strptime(" ".join(found.groups()), "%b %d %Y").date()
    except ValueError:
        return None


def _name(head: Head) -> str:
    """Say which dataset a file's rows belong to; empty for any other file."""
    if head.kind != "text":
        return ""
    found = _MEASURE.match(" ".join(head.columns).strip())
    if found is None:  # without a title: known, and refused because it does not say its day
        return "participant_oi" if _is_header(list(head.columns)) else ""
    return "participant_oi" if "interest" in found[1].lower() else "participant_volume"


PARTICIPANT_OI = Loader(
    name="participant_oi",
    about="the exchange's participant-wise open interest of a day (fao_participant_oi), CSV with a title",
    datasets=("participant_oi",),
    stamp="eod",
    recognises=lambda head: _name(head) == "participant_oi",
    read=_read,
)
PARTICIPANT_VOLUME = Loader(
    name="participant_volume",
    about="the exchange's participant-wise trading volume of a day (fao_participant_vol), CSV with a title",
    datasets=("participant_volume",),
    stamp="eod",
    recognises=lambda head: _name(head) == "participant_volume",
    read=_read,
)
