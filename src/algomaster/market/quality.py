"""The data-quality report: what is wrong with rows, counted, as an object, a table and text.

Kinds of findings.

- Rejected rows: ``broken_line``, ``unparseable``, ``bad_time``, ``unknown_symbol``, ``unknown_kind``, ``not_a_minute``,
  ``not_a_day``, ``missing_price``, ``zero_price``, ``inconsistent``, ``bad_quantity``, ``bad_contract``, ``expired``,
  ``empty_row``, ``no_session``, ``before_open``, ``after_close``, ``off_tick``, ``bad_scale``, ``conflict``.
- Kept rows: ``duplicate`` and ``stale`` (repeats of one observation), ``normalised``, ``zero_is_none``, ``outlier``,
  ``in_halt``, ``off_session``, ``stamp``, ``rounded_sum``.
- Absent rows: ``gap`` (minutes of a session), ``halt`` (minutes a halt explains), ``missing_sessions``.
"""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from algomaster.core.errors import DataError, FactError
from algomaster.core.types import MINUTE_NS, IntArray
from algomaster.market import calendar
from algomaster.market.loaders.parse import IST
from algomaster.market.loading import as_date
from algomaster.market.rules import MINUTES, Judged, hours
from algomaster.market.store import Store

__all__ = ["Finding", "Quality", "check", "of_judged", "survey"]

_COLUMNS = {
    "kind": pl.String(), "rejected": pl.Boolean(), "dataset": pl.String(), "underlying": pl.String(),
    "count": pl.Int64(), "first": pl.Date(), "last": pl.Date(), "detail": pl.String(), "file": pl.String(),
}  # fmt: skip
_CHECKED = (*MINUTES, "chain_snapshot", "index_eod", "participant_oi", "participant_volume")
_FILE_A_DAY = ("option_minute", "future_minute", "participant_oi", "participant_volume")
"""Datasets of which a file holds a session or two, so that only the store can tell what is absent."""
_OUTLIER = 30.0  # robust standard deviations of one-minute returns: a handful of minutes in five years of BANKNIFTY
_LEAST_MOVE = 0.01
_SPIKE = 3.0
_SPIKE_RUPEES = 10.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """One defect, counted.

    Attributes
    ----------
    kind : str
        See the module's list.
    count : int
        Rows, or absent minutes or sessions.
    rejected : bool
        Whether these rows were kept out of the store.
    dataset, underlying : str
    first, last : date or None
        Sessions it was seen in.
    detail : str
        An example or the places.
    file : str
        Where it was seen; empty for the store.
    """

    kind: str
    count: int
    rejected: bool = False
    dataset: str = ""
    underlying: str = ""
    first: date | None = None
    last: date | None = None
    detail: str = ""
    file: str = ""


@dataclasses.dataclass(frozen=True)
class Quality:
    """Findings in the order they were made."""

    findings: tuple[Finding, ...] = ()

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __add__(self, other: Quality) -> Quality:
        return Quality(self.findings + other.findings)

    def count(self, kind: str, *, underlying: str | None = None, on: date | None = None) -> int:
        """Add up the findings of a kind, of one underlying and one session if asked."""
        return sum(
            finding.count
            for finding in self.findings
            if finding.kind == kind
            and underlying in (None, finding.underlying)
            and (
                on is None
                or (finding.first is not None and finding.last is not None and finding.first <= on <= finding.last)
            )
        )

    def to_frame(self) -> pl.DataFrame:
        """Give one row a finding: kind, rejected, dataset, underlying, count, first, last, detail, file."""
        return pl.DataFrame([dataclasses.asdict(finding) for finding in self.findings], schema=_COLUMNS)

    def summary(self) -> pl.DataFrame:
        """Give one row a kind, dataset and underlying: count, findings, first and last session, an example."""
        return (
            self.to_frame()
            .group_by("kind", "rejected", "dataset", "underlying", maintain_order=True)
            .agg(
                pl.col("count").sum(),
                findings=pl.len(),
                first=pl.col("first").min(),
                last=pl.col("last").max(),
                example=pl.col("detail").first(),
            )
        )

    def to_dict(self) -> list[dict[str, Any]]:
        """Give the findings ready for JSON."""
        days = ("first", "last")
        return [
            {name: (str(value) if name in days and value is not None else value) for name, value in row.items()}
            for row in map(dataclasses.asdict, self.findings)
        ]

    def __repr__(self) -> str:
        if not self.findings:
            return "Quality: nothing to report"
        return "\n".join(["Quality", *(f"  {line}" for line in map(_line, self.summary().iter_rows(named=True)))])

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{html.escape(_line(row))}</li>" for row in self.summary().iter_rows(named=True))
        return f"<b>Quality</b><ul>{lines or '<li>nothing to report</li>'}</ul>"


def _line(row: dict[str, Any]) -> str:
    where = " ".join(filter(None, [row["dataset"], row["underlying"]]))
    when = f" {row['first']} to {row['last']}" if row["first"] else ""
    kept = " rejected" if row["rejected"] else ""
    return f"{row['kind']:<17}{row['count']:>9}{kept}  {where}{when}  {row['example'] or ''}".rstrip()


def of_judged(name: str, judged: Judged) -> list[Finding]:
    """Turn what the rules did into findings: one for each kind of reject and underlying, and the repeats."""
    found = []
    for row in _grouped(judged.rejects, ["kind", "underlying"], pl.col("reason").first()).iter_rows(named=True):
        found.append(Finding(rejected=True, dataset=name, detail=row.pop("reason"), **row))
    kind = "stale" if name == "chain_snapshot" else "duplicate"
    for row in _grouped(judged.repeats, ["underlying"]).iter_rows(named=True):
        found.append(Finding(kind=kind, dataset=name, detail="repeats of one observation", **row))
    for row in _grouped(judged.shifted, ["underlying"]).iter_rows(named=True):
        detail = "sessions that look stamped at the other end of the bar than the format says"
        found.append(Finding(kind="stamp", dataset=name, detail=detail, **row))
    return found


def _grouped(frame: pl.DataFrame, by: list[str], *more: pl.Expr) -> pl.DataFrame:
    """Count rows and give the first and last session of each group."""
    span = {"first": pl.col("session").min(), "last": pl.col("session").max()}
    return frame.group_by(by, maintain_order=True).agg(*more, count=pl.len(), **span)


def survey(name: str, frame: pl.DataFrame) -> list[Finding]:
    """Look at usable rows of a dataset: gaps, halts, absent sessions, outliers."""
    found: list[Finding] = []
    if not frame.height:
        return found
    if name in MINUTES:
        found += _gaps(name, frame) + _outliers(name, frame)
    if name == "chain_snapshot":
        found += _snapshots(frame)
    if name in ("index_minute", "index_eod"):
        found += _absent_sessions(name, frame)
    return found


def check(
    store: Store, *, underlying: str | None = None, start: str | date | None = None, end: str | date | None = None
) -> Quality:
    """Survey what the store holds.

    Parameters
    ----------
    store : Store
    underlying : str, optional
        All by default.
    start, end : date or ISO text, optional
        First and last session, both included.

    Returns
    -------
    Quality
        Of what comes in a file a day also the absent sessions, which a single file cannot tell.

    Raises
    ------
    DataError
        The store holds nothing of it (the message says what it does hold), or a file cannot be read.
    """
    first, last = (None if day is None else as_date(day, name) for day, name in ((start, "start"), (end, "end")))
    if first is not None and last is not None and last < first:
        raise ValueError(f"end: expected a date not before the start {first}, got {last}")
    found: list[Finding] = []
    rows = 0
    for name in _CHECKED:
        for each in store.underlyings(name) if underlying is None else [underlying]:
            frame = store.read(name, underlying=each, start=first, end=last)
            rows += frame.height
            found += survey(name, frame)
            if name in _FILE_A_DAY:
                found += _absent_sessions(name, frame)
    if not rows:
        raise _nothing(store, underlying, first, last)
    return Quality(tuple(found))


def _nothing(store: Store, underlying: str | None, first: date | None, last: date | None) -> DataError:
    span = (f" from {first}" if first else "") + (f" to {last}" if last else "")
    return DataError(
        f"The store {store.home.where} holds nothing to check{f' of {underlying}' if underlying else ''}{span}; "
        f"it holds: {store.told(*_CHECKED)}.",
        hint=(store.meant(underlying, *_CHECKED) if underlying else "") + "Import some with: algo data import PATH.",
        underlying=underlying,
    )


def _gaps(name: str, frame: pl.DataFrame) -> list[Finding]:
    """Count minutes of the session without a bar, for each contract, and tell those a halt explains apart."""
    contract = [column for column in ("expiry", "strike", "right") if column in frame.columns]
    found: list[Finding] = []
    parts = frame.select("underlying", "session", "ts", *contract).partition_by("underlying", "session", as_dict=True)
    for (underlying, day), part in sorted(parts.items()):
        try:
            session = calendar.session(day)
        except DataError:  # a day without hours on record has no minutes that could be missing
            continue
        contracts = part.select(contract).n_unique() if contract else 1
        bars, traded = _bars(part["ts"], session), _traded(session)
        label = {"dataset": name, "underlying": underlying, "first": day, "last": day}
        if not traded.all():
            stopped = int((~traded & (bars == 0)).sum())
            found.append(Finding(kind="halt", count=stopped, detail=_halts(session.halts), **label))
        if bars[~traded].any():
            detail = "bars while trading was stopped"
            found.append(Finding(kind="in_halt", count=int(bars[~traded].sum()), detail=detail, **label))
        missing = int(traded.sum()) * contracts - int(bars[traded].sum())
        if missing > 0:
            nowhere = session.bar_starts()[traded & (bars == 0)]
            found.append(Finding(kind="gap", count=missing, detail=_missing(nowhere, contracts), **label))
    return found


def _bars(ts: pl.Series, session: calendar.Session) -> IntArray:
    """Count the bars of every minute of the session over all contracts, (M,)."""
    place = (ts.to_physical().to_numpy() - session.open_ns) // MINUTE_NS
    inside = (place >= 0) & (place < session.minutes)
    return np.bincount(place[inside], minlength=session.minutes)


def _traded(session: calendar.Session) -> NDArray[np.bool_]:
    """Say for every minute of the session, (M,) bool, whether trading was open."""
    minute = session.first_minute + np.arange(session.minutes)
    stopped = [(minute >= start) & (minute < end) for start, end in session.halts]
    return ~np.logical_or.reduce(stopped) if stopped else np.ones(minute.size, np.bool_)


def _halts(halts: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(f"{calendar.format_time(start)}-{calendar.format_time(end)}" for start, end in halts)


def _missing(nowhere: IntArray, contracts: int) -> str:
    """Write the minutes no contract has as ranges."""
    minutes = calendar.minute_of_day(nowhere)
    runs = np.split(minutes, np.flatnonzero(np.diff(minutes) > 1) + 1) if minutes.size else []
    told = [
        calendar.format_time(int(run[0])) + (f"-{calendar.format_time(int(run[-1]))}" if run.size > 1 else "")
        for run in runs
    ]
    text = "no bar at " + ", ".join(told[:6]) + (", ..." if len(told) > 6 else "") if told else ""
    return text if contracts == 1 else f"over {contracts} contracts; {text}".rstrip("; ")


def _outliers(name: str, frame: pl.DataFrame) -> list[Finding]:
    """Find minutes that leap: reported, never rejected, for crashes are real."""
    contract = [column for column in ("underlying", "session", "expiry", "strike", "right") if column in frame.columns]
    moves = frame.sort(*contract, "ts").with_columns(
        _before=pl.col("close").shift(1).over(contract), _after=pl.col("close").shift(-1).over(contract)
    )
    if name == "option_minute":
        top, bottom = pl.max_horizontal("_before", "_after"), pl.min_horizontal("_before", "_after")
        high = (pl.col("high") > _SPIKE * top) & (pl.col("high") - top > _SPIKE_RUPEES)
        low = (pl.col("low") * _SPIKE < bottom) & (bottom - pl.col("low") > _SPIKE_RUPEES)
        between = pl.col("_before").is_not_null() & pl.col("_after").is_not_null()
        odd, what = between & (high | low), pl.format("{} {} low {} high {}", "strike", "right", "low", "high")
    else:
        move = (pl.col("close") / pl.col("_before")).log().abs()
        usual = move.median().over("underlying") * 1.4826
        odd, what = (
            move > pl.max_horizontal(_OUTLIER * usual, pl.lit(_LEAST_MOVE)),
            pl.format("{} to {}", "_before", "close"),
        )
    local = pl.col("ts").dt.convert_time_zone(IST).dt.strftime("%Y-%m-%d %H:%M")
    leaps = moves.filter(odd).select("underlying", "session", detail=pl.concat_str(local, what, separator=" "))
    rows = _grouped(leaps, ["underlying"], pl.col("detail").first()).iter_rows(named=True)
    return [Finding(kind="outlier", dataset=name, **row) for row in rows]


def _snapshots(frame: pl.DataFrame) -> list[Finding]:
    """Tell snapshots collected on another day than they show, and those outside the session's hours."""
    shown = frame.filter(pl.col("collected").dt.convert_time_zone(IST).dt.date() != pl.col("session"))
    bounds = frame.join(hours(frame["session"]), on="session", how="left")
    outside = bounds.filter((pl.col("ts") < pl.col("_open")) | (pl.col("ts") > pl.col("_close")))
    told = [(shown, "off_session", "collected on another day than the exchange's time")]
    told.append((outside, "off_session", "the exchange's time lies outside the session's hours"))
    return [
        Finding(kind=kind, dataset="chain_snapshot", detail=detail, **row)
        for part, kind, detail in told
        for row in _grouped(part, ["underlying"]).iter_rows(named=True)
    ]


def _absent_sessions(name: str, frame: pl.DataFrame) -> list[Finding]:
    """Find sessions of the calendar between the first and the last one at hand that are absent, in runs."""
    found = []
    for (underlying,), part in (
        frame.select("underlying", "session").unique().partition_by("underlying", as_dict=True).items()
    ):
        held = set(part["session"].to_list())
        try:
            expected = [session.date for session in calendar.sessions(min(held), max(held))]
        except FactError:
            continue
        run: list[date] = []
        for day in [*expected, None]:
            if day is not None and day not in held:
                run.append(day)
            elif run:
                found.append(
                    Finding(
                        kind="missing_sessions", count=len(run), dataset=name, underlying=str(underlying),
                        first=run[0], last=run[-1], detail="no row at all",
                    )
                )  # fmt: skip
                run = []
    return found


def tell(findings: Iterable[Finding], file: str) -> list[Finding]:
    """Label findings with the file they were made in."""
    return [dataclasses.replace(finding, file=file) for finding in findings]
