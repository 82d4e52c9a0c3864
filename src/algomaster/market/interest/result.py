"""What an analysis of open interest gives back: named frames, and the pictures of them."""

from __future__ import annotations

import dataclasses
import math
from datetime import date, datetime
from typing import Any, Final, Literal

import polars as pl

from algomaster.core.render import html_table, text_table
from algomaster.market import calendar
from algomaster.market.interest.frames import pandas_of
from algomaster.market.loading import as_date
from algomaster.market.schemas import RIGHT, TIMESTAMP

__all__ = ["BUILD_UP", "MONEYNESS", "WALLS", "OpenInterest"]

BUILD_UP: Final = pl.Enum(["none", "long_buildup", "short_buildup", "short_covering", "long_unwinding"])
"""What price and open interest did: neither moved; both up; down and up; up and down; both down."""
WALLS: Final = pl.Enum(["resistance", "support", "call_ask", "call_bid", "put_ask", "put_bid"])
"""The call and the put with the most open interest, and the longest queue of the book on each side of each."""
MONEYNESS: Final = pl.Enum(["ITM", "ATM", "OTM"])
_FRAMES: Final = ("series", "walls", "buildup", "buckets")
_PICTURES: Final = ("strikes", "change", "pcr", "buildup")


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class OpenInterest:
    """One session's open interest by strike, as it went.

    Attributes
    ----------
    underlying : str
    session : date
    unit : {"contracts", "units"}
        Of every open interest and volume here.
    reference : {"spot", "parity", "mixed", "none"}
        Whether ``spot`` is the index, the forward of the nearest expiry by put-call parity, parity until the index is
        first shown, or unknown.
    interval : int
        Minutes of a bucket of time.
    price_move, oi_move : float
        Up to this share of its value at the interval's beginning a change counts as none.
    step : float
        Rupees between neighbouring strikes around the money.
    series : polars.DataFrame
        One row a moment and expiry, and one (expiry null) for all together: ts, avail_ts, expiry, spot, call_oi,
        put_oi, pcr_oi (puts / calls), call_volume, put_volume, pcr_volume (of the session so far), max_pain,
        max_pain_drift (since the first one), resistance, support (strikes of the most call and put open interest),
        contracts (that open interest is known of), oldest (minutes: the age of the oldest open interest counted).
    walls : polars.DataFrame
        One row a moment, expiry and wall: ts, avail_ts, expiry, wall (:data:`WALLS`), strike, size, unit (of size:
        quantities of quotes are in units even where open interest is in contracts), from_spot (strike - spot), moved
        (since the moment before).
    buildup : polars.DataFrame
        One row an interval and contract: ts (the interval's end), avail_ts, expiry, strike, right, price, oi (the last
        ones of the interval), price_change, oi_change (since the interval before), oi_session_change (since the first
        known in the session), volume (of the interval), kind (:data:`BUILD_UP`), spot, seen (the last moment shown in
        the interval: after a gap in the collection a change spans more than the interval). An interval that has not
        ended holds what is known so far.
    buckets : polars.DataFrame
        One row an interval, expiry, right and number of steps from the money (at the spot then; the outermost take in
        what lies beyond): ts, avail_ts, expiry, right, steps (above 0: strikes over the spot), moneyness, atm, oi,
        oi_change, volume, contracts. Sums of what is known.

    Missing is null, and so is what is worked out from it. No row depends on anything after its ``ts``.
    """

    underlying: str
    session: date
    unit: str
    reference: str
    interval: int
    price_move: float
    oi_move: float
    step: float
    series: pl.DataFrame
    walls: pl.DataFrame
    buildup: pl.DataFrame
    buckets: pl.DataFrame

    @property
    def expiries(self) -> list[date]:
        """Expiries, the nearest first."""
        return self.series["expiry"].drop_nulls().unique().sort().to_list()

    def strikes(self, *, expiry: str | date | None = None, at: str | datetime | None = None) -> pl.DataFrame:
        """Give an expiry's open interest by strike at the end of an interval.

        Parameters
        ----------
        expiry : date or ISO text, optional
            The nearest by default.
        at : datetime or "HH:MM", optional
            The last interval that ends up to then (text: in India); the last one by default.

        Returns
        -------
        polars.DataFrame
            strike, call_oi, put_oi, call_change, put_change (since the first known in the session).
        """
        chosen = self._at(self.buildup.filter(pl.col("expiry") == self._expiry(expiry)), at)
        sides = [
            chosen.filter(pl.col("right") == pl.lit(right, RIGHT)).select(
                "strike", pl.col("oi").alias(f"{name}_oi"), pl.col("oi_session_change").alias(f"{name}_change")
            )
            for right, name in (("CE", "call"), ("PE", "put"))
        ]
        both = sides[0].join(sides[1], on="strike", how="full", coalesce=True).sort("strike")
        return both.select("strike", "call_oi", "put_oi", "call_change", "put_change")

    def leaders(
        self,
        n: int = 10,
        *,
        over: Literal["session", "interval"] = "session",
        expiry: str | date | None = None,
        at: str | datetime | None = None,
    ) -> pl.DataFrame:
        """Give the contracts whose open interest has changed most, the largest change first.

        Parameters
        ----------
        n : int
        over : {"session", "interval"}
            Since the first known in the session, or in the last interval alone.
        expiry : date or ISO text, optional
            All expiries by default.
        at : datetime or "HH:MM", optional
            The last interval that ends up to then (text: in India); the last one by default.

        Returns
        -------
        polars.DataFrame
            Rows of :attr:`buildup`.
        """
        if over not in ("session", "interval"):
            raise ValueError(f"over: expected 'session' or 'interval', got {over!r}")
        if n < 1:
            raise ValueError(f"n: expected at least 1, got {n}")
        column = "oi_session_change" if over == "session" else "oi_change"
        rows = self.buildup if expiry is None else self.buildup.filter(pl.col("expiry") == self._expiry(expiry))
        moved = self._at(rows, at).filter(pl.col(column).fill_null(0.0) != 0.0)
        order = [pl.col(column).abs(), "expiry", "strike", "right"]
        return moved.sort(order, descending=[True, False, False, False]).head(n)

    def to_frame(
        self, kind: Literal["series", "walls", "buildup", "buckets"] = "series", *, pandas: bool = False
    ) -> Any:
        """Give one of the frames as polars, or as pandas where that is installed."""
        if kind not in _FRAMES:
            raise ValueError(f"kind: expected one of {', '.join(_FRAMES)}, got {kind!r}")
        frame: pl.DataFrame = getattr(self, kind)
        return pandas_of(frame) if pandas else frame

    def plot(
        self,
        kind: Literal["strikes", "change", "pcr", "buildup"] = "strikes",
        *,
        expiry: str | date | None = None,
        at: str | datetime | None = None,
    ) -> Any:
        """Draw the analysis as a plotly figure.

        Parameters
        ----------
        kind : {"strikes", "change", "pcr", "buildup"}
            Open interest by strike, calls and puts mirrored, with its change over the session; a heatmap of its change
            by strike and interval; put/call ratios, maximum pain and walls against the spot; or a map of build-up and
            unwinding.
        expiry : date or ISO text, optional
            The nearest by default.
        at : datetime or "HH:MM", optional
            For "strikes": the interval that ends up to then; for the others: nothing later is drawn.
        """
        if kind not in _PICTURES:
            raise ValueError(f"kind: expected one of {', '.join(_PICTURES)}, got {kind!r}")
        from algomaster.market.interest import plots

        chosen = self._expiry(expiry)
        label = f"{self.underlying} {chosen}".strip()
        if kind == "strikes":
            spot = self._at(self.series.filter(pl.col("expiry") == chosen), at)["spot"]
            level = spot[0] if spot.len() else None
            return plots.strikes_figure(
                self.strikes(expiry=chosen, at=at), spot=level, step=self.step, unit=self.unit, label=label
            )
        if kind == "pcr":
            rows = self._until(self.series.filter(pl.col("expiry") == chosen), at)
            return plots.ratios_figure(rows, reference=self.reference, label=label)
        rows = self._until(self.buildup.filter(pl.col("expiry") == chosen), at)
        if kind == "change":
            return plots.change_figure(rows, step=self.step, unit=self.unit, label=label)
        return plots.build_up_figure(rows, step=self.step, unit=self.unit, label=label)

    def _expiry(self, expiry: str | date | None) -> date:
        held = self.expiries
        if expiry is None:
            return held[0]
        chosen = as_date(expiry, "expiry")
        if chosen not in held:
            raise ValueError(f"expiry: there is no {chosen}; there are {', '.join(map(str, held))}")
        return chosen

    def _until(self, rows: pl.DataFrame, at: str | datetime | None) -> pl.DataFrame:
        return rows if at is None else rows.filter(pl.col("ts") <= self._moment(at))

    def _at(self, rows: pl.DataFrame, at: str | datetime | None) -> pl.DataFrame:
        until = self._until(rows, at)
        return until.filter(pl.col("ts") == pl.col("ts").max())

    def _moment(self, at: str | datetime) -> pl.Expr:
        if isinstance(at, datetime):
            if at.tzinfo is None:
                raise ValueError(f"at: expected a time with a zone or text such as 11:30, got {at}")
            return pl.lit(at).cast(TIMESTAMP)
        return pl.lit(calendar.to_ns(self.session, calendar.parse_time(at))).cast(TIMESTAMP)

    def __repr__(self) -> str:
        return text_table(self._title(), self._rows())

    def _repr_html_(self) -> str:
        return html_table(self._title(), self._rows())

    def _title(self) -> str:
        return f"Open interest of {self.underlying or 'a chain'} {self.session}, in {self.unit}"

    def _rows(self) -> list[tuple[str, str]]:
        moments = self.series["ts"].unique().sort().dt.convert_time_zone("Asia/Kolkata").dt.strftime("%H:%M")
        last = self._at(self.series, None)
        told = [_line(row) for row in last.head(4).iter_rows(named=True)]
        more = [("", f"and {last.height - 5} more expiries")] if last.height > 5 else []
        total = [_line(last.row(-1, named=True))] if last.height > 4 else []
        span = f"{moments.len()} from {moments[0]} to {moments[-1]}; {self.reference} as the money"
        return [("moments", span), *told, *more, *total]


def _line(row: dict[str, Any]) -> tuple[str, str]:
    parts = [f"PCR {_number(row['pcr_oi'], '.2f')}", f"calls {_number(row['call_oi'])}, puts {_number(row['put_oi'])}"]
    if row["expiry"] is None:
        return "all", "; ".join(parts)
    walls = f"{_number(row['support'], 'g')} / {_number(row['resistance'], 'g')}"
    return str(row["expiry"]), "; ".join([*parts, f"max pain {_number(row['max_pain'], 'g')}, walls {walls}"])


def _number(value: float | None, form: str = ",.0f") -> str:
    return "-" if value is None or math.isnan(value) else f"{value:{form}}"
