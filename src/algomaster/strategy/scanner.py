"""Which contracts move: all strikes of one or several underlyings, ranked against one another at one moment.

The ranking is the one that the momentum strategy trades (:mod:`algomaster.strategy.steps.ranking`), over every contract
of every session that is given. It reads nothing later than the bar that has closed at that moment.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np
import polars as pl

from algomaster.core.errors import DataError
from algomaster.core.render import html_table, text_table
from algomaster.core.types import MISSING, PAISE, RIGHTS, FloatArray, IntArray
from algomaster.market.calendar import format_time, parse_time
from algomaster.market.chain_day import ChainDay
from algomaster.strategy.day import day_of
from algomaster.strategy.momentum import Ranked, weights_of
from algomaster.strategy.steps.contract import PPM, Day
from algomaster.strategy.steps.ranking import (
    BUILDUPS,
    CHANGE,
    CRITERIA,
    OI_CHANGE,
    RANK_PARAMS,
    WIDTH,
    measure_all,
    place_all,
)

__all__ = ["Scan", "Scanner", "scan"]

Sessions = ChainDay | Sequence[ChainDay] | Mapping[str, ChainDay | Sequence[ChainDay]]
_SHOWN: Final = 10


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Scan:
    """Contracts ranked at one moment.

    Attributes
    ----------
    at : datetime
        The bar before it had closed (Indian time, without a zone).
    underlyings : tuple of str
    ranked : int
        Contracts that were ranked against one another; ``frame`` has the best of them.
    weights : dict
        Of each criterion.
    frame : polars.DataFrame
        One row a contract, the best first: rank, underlying, expiry, strike, right, price (rupees), score (0 to 100);
        what was measured: momentum, volume, interest, iv, strength, liquidity (rupees traded), change and oi_change
        (percent), buildup; and the place (0 to 100) by each criterion: momentum_place and so on.
    """

    at: datetime
    underlyings: tuple[str, ...]
    ranked: int
    weights: dict[str, float]
    frame: pl.DataFrame

    def plot(self) -> Any:
        """Give the plotly figure of the best contracts: what each criterion adds to their score."""
        from algomaster.strategy.plots import scan_figure

        return scan_figure(self)

    def to_frame(self, *, pandas: bool = False) -> Any:
        """Give the frame as polars, or as pandas where that is installed."""
        return self.frame.to_pandas() if pandas else self.frame

    def _title(self) -> str:
        return f"Scan of {', '.join(self.underlyings)} at {self.at:%Y-%m-%d %H:%M}: {self.ranked} contracts ranked"

    def _rows(self) -> list[tuple[str, str]]:
        return [
            (
                f"{row['rank']}. {row['underlying']} {row['expiry']:%d %b} {row['strike']:g} {row['right']}",
                f"score {row['score']:5.1f}  price {row['price']:9.2f}  {row['change']:+7.2f} %  {row['buildup']}",
            )
            for row in self.frame.head(_SHOWN).iter_rows(named=True)
        ]

    def __repr__(self) -> str:
        return text_table(self._title(), self._rows())

    def _repr_html_(self) -> str:
        return html_table(self._title(), self._rows())


def scan(
    days: Sessions,
    *,
    at: str | datetime | None = None,
    weights: Mapping[str, float] | None = None,
    top: int = 20,
    expiries: int | None = None,
    settings: Mapping[str, Any] | Ranked | None = None,
) -> Scan:
    """Rank every contract at one moment.

    Parameters
    ----------
    days : session, sessions, or a mapping of names to them
        Of one underlying or of several; the names of a mapping are shown instead of the underlyings' own.
    at : str or datetime, optional
        "10:15", or "2024-01-05 10:15" where there are several sessions: the bar before has closed. By default the end
        of the last session.
    weights : mapping, optional
        Of momentum, volume, interest, iv, strength, liquidity; what is not named counts nothing. By default those of
        :class:`~algomaster.strategy.momentum.Ranked`.
    top : int
        Rows of the frame, at most.
    expiries : int, optional
        Only the nearest so many expiries of each underlying.
    settings : mapping, optional
        Other settings of :class:`~algomaster.strategy.momentum.Ranked`, such as ``{"minutes": 5}``.

    Returns
    -------
    Scan

    Raises
    ------
    DataError
        There is no session, or none at that moment.
    ConfigError
        A setting or a criterion is unknown or impossible.

    Examples
    --------
    >>> from algomaster import market, strategy
    >>> days = market.simulate("NIFTY", sessions=1, start="2024-01-01", strikes=11, seed=7)
    >>> strategy.scan(days, at="10:15", weights={"momentum": 1}, top=3).frame["rank"].to_list()
    [1, 2, 3]
    """
    found: Mapping[str, Sequence[ChainDay]] = _by_name(days)
    moment = _moment(at, found)
    return Scanner(found, session=moment.date(), weights=weights, expiries=expiries, settings=settings).at(moment, top)


class Scanner:
    """Sessions of one date made ready to be scanned minute after minute; :func:`scan` is one look through it.

    Parameters
    ----------
    days, weights, expiries, settings
        As for :func:`scan`.
    session : date, optional
        By default the last one.
    """

    def __init__(
        self,
        days: Sessions,
        *,
        session: date | None = None,
        weights: Mapping[str, float] | None = None,
        expiries: int | None = None,
        settings: Mapping[str, Any] | Ranked | None = None,
    ) -> None:
        found = _by_name(days)
        given = settings.model_dump(include=set(Ranked.model_fields)) if isinstance(settings, Ranked) else settings
        self.settings = Ranked.of(dict(given or {}) | weights_of(weights), what="setting of a scan")
        self.session = session or max(day.session for one in found.values() for day in one)
        chosen = {name: day for name, one in found.items() for day in one if day.session == self.session}
        if not chosen:
            held = sorted({str(day.session) for one in found.values() for day in one})
            raise DataError(f"There is no session {self.session}; there are: {', '.join(held)}.")
        self._chains = chosen
        self._days = {name: day_of(chain) for name, chain in chosen.items()}
        self._expiries = expiries
        self._params = np.zeros(1, np.dtype(RANK_PARAMS))
        self.settings.pack_ranking(self._params[0])

    @property
    def minutes(self) -> list[datetime]:
        """Moments at which a bar has closed and enough bars lie before it."""
        longest = max(self._chains.values(), key=lambda chain: chain.ts.size)
        opening = _midnight(self.session) + timedelta(minutes=int(longest.first_minute) + 1)
        return [opening + timedelta(minutes=i) for i in range(self.settings.minutes, longest.ts.size)]

    def at(self, moment: str | datetime, top: int = 20) -> Scan:
        """Rank what was known at a moment of the session."""
        clock = _clock(moment)
        parts = []
        for name, day in self._days.items():
            i = clock - int(day.first_minute) - 1
            if 0 <= i < day.ts.size:
                parts.append(self._measured(name, day, i))
        if not parts:
            one = next(iter(self._chains.values()))
            first, last = int(one.first_minute) + 1, int(one.first_minute) + one.ts.size
            raise DataError(
                f"Session {self.session} has no bar that closed at {format_time(clock)}.",
                hint=f"Its bars close from {format_time(first)} to {format_time(last)}.",
            )
        frame = pl.concat([part for part, _ in parts])
        measures = np.concatenate([values for _, values in parts])
        return Scan(
            at=_midnight(self.session) + timedelta(minutes=clock),
            underlyings=tuple(self._days),
            ranked=frame.height,
            weights=dict(zip(CRITERIA, (weight / 1000 for weight in self.settings.weights()))),
            frame=_ranked(frame, measures, self._params[0]["rank_weights"].copy(), top),
        )

    def _measured(self, name: str, day: Day, i: int) -> tuple[pl.DataFrame, FloatArray]:
        """Give the contracts of an underlying that can be ranked, and their measures (N, WIDTH)."""
        number = min(self._expiries or day.expiries.size, day.expiries.size)
        room = number * day.strikes.size * 2
        contracts, measures = np.zeros(room, np.int64), np.empty(room * WIDTH)
        n = measure_all(day, self._params, i, room, contracts, measures)
        some = contracts[:n]
        row = some // 2
        expiry, strike = row // day.strikes.size, row % day.strikes.size
        frame = pl.DataFrame(
            {
                "underlying": pl.Series([name] * n, dtype=pl.String),
                "expiry": pl.Series(day.expiries[expiry].astype(np.int32)).cast(pl.Date),
                "strike": day.strikes[strike] / PAISE,
                "right": pl.Series([RIGHTS[r] for r in some % 2], dtype=pl.String),
                "price": _last_close(day, expiry, strike, some % 2, i, self.settings.minutes) * day.tick / PAISE,
            }
        )
        return frame, measures[: n * WIDTH].reshape(n, WIDTH)


def _last_close(day: Day, expiry: IntArray, strike: IntArray, right: IntArray, i: int, minutes: int) -> FloatArray:
    """Last traded closes of contracts in ticks; every one that is ranked has one in the window."""
    window = day.close[expiry, strike, right, max(i - minutes, 0) : i + 1][:, ::-1]
    newest = (window != MISSING).argmax(axis=1) if len(window) else np.zeros(0, np.int64)
    return np.asarray(window[np.arange(len(window)), newest], np.float64)


def _ranked(frame: pl.DataFrame, measures: FloatArray, weights: IntArray, top: int) -> pl.DataFrame:
    n = frame.height
    scores, places, kinds = np.zeros(n, np.int64), np.zeros((n, len(CRITERIA)), np.int64), np.zeros(n, np.int64)
    place_all(np.ascontiguousarray(measures).reshape(-1), weights, n, scores, places, kinds)
    order = np.argsort(-scores, kind="stable")[: max(top, 0)]
    full = float(np.abs(weights).sum()) * PPM
    columns = {name: pl.Series(measures[order, c]).fill_nan(None) for c, name in enumerate(CRITERIA)}
    columns |= {"change": pl.Series(measures[order, CHANGE]), "oi_change": pl.Series(measures[order, OI_CHANGE])}
    columns |= {"buildup": pl.Series([BUILDUPS[kind] for kind in kinds[order]], dtype=pl.String)}
    columns |= {f"{name}_place": pl.Series(places[order, c] * 100 / PPM) for c, name in enumerate(CRITERIA)}
    return (
        pl.DataFrame({"rank": pl.Series(np.arange(1, order.size + 1))})
        .hstack(
            [
                *frame[order].get_columns(),
                pl.Series("score", scores[order] * 100 / full),
                *(series.alias(name) for name, series in columns.items()),
            ]
        )
        .with_columns(pl.col("oi_change").fill_nan(None))
    )


# --- what was asked for ------------------------------------------------------------------------------------------


def _by_name(days: Sessions) -> dict[str, list[ChainDay]]:
    """Sort sessions by the name they are shown under."""
    if isinstance(days, Mapping):
        named = [(name, day) for name, one in days.items() for day in ([one] if isinstance(one, ChainDay) else one)]
    else:
        some = [days] if isinstance(days, ChainDay) else list(days) if isinstance(days, Sequence) else [days]
        named = [(getattr(day, "underlying", ""), day) for day in some]
    found: dict[str, list[ChainDay]] = {}
    for name, day in named:
        if not isinstance(day, ChainDay):
            raise DataError(f"Expected sessions, got {type(day).__name__}.", hint="Load or simulate some days first.")
        found.setdefault(name, []).append(day)
    if not found:
        raise DataError("Expected at least one session, got none.", hint="Load or simulate some days first.")
    return found


def _moment(at: str | datetime | None, found: Mapping[str, Sequence[ChainDay]]) -> datetime:
    last = max((day for one in found.values() for day in one), key=lambda day: day.session)
    midnight = _midnight(last.session)
    if at is None:
        return midnight + timedelta(minutes=int(last.first_minute) + last.ts.size)
    if isinstance(at, datetime):
        return at.replace(tzinfo=None)
    if "-" in at:
        try:
            return datetime.fromisoformat(at).replace(tzinfo=None)
        except ValueError:
            raise DataError(f'Expected a moment such as "10:15" or "2024-01-05 10:15", got {at!r}.') from None
    return midnight + timedelta(minutes=_clock(at))


def _clock(at: str | datetime) -> int:
    """Minute of the day."""
    if isinstance(at, datetime):
        return at.hour * 60 + at.minute
    try:
        return parse_time(at)
    except ValueError:
        raise DataError(f'Expected a time such as "10:15", got {at!r}.') from None


def _midnight(session: date) -> datetime:
    return datetime(session.year, session.month, session.day)
