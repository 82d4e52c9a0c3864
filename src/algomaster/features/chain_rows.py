"""Sessions of a chain as rows of bars: what :func:`~algomaster.features.compute` and a live service feed to features.

Everything of one minute is one call of :func:`~algomaster.features.kernels.snapshot.snapshots`, over history in a loop
and live for one minute: the same bits. A row holds what is known when its bar has closed.

- Expiries are counted in minutes of trading from the end of the bar to the close of the expiry's session, over
  252 * 375 a year, by the trading calendar; an expiry beyond it has no time and no volatility.
- The nearest expiry is the first that is alive when the bar has closed: in the last minute of an expiry's session the
  next one steps in.
- Open interest is in units and stands until it is told anew; a contract's change since the open counts from when it was
  first told. Volume of options is since the open.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from algomaster.core.arrays import as_vector
from algomaster.core.errors import DataError
from algomaster.core.types import MISSING, PAISE, FloatArray
from algomaster.features.inputs import moments_of
from algomaster.features.kernels.snapshot import snapshots
from algomaster.features.kernels.snapshot_arrays import COLUMNS, Session, memory_of, room_for
from algomaster.market import calendar
from algomaster.market.chain_day import ChainDay
from algomaster.market.data.tables import COVERED

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ABOUT_CHAIN", "RATE", "Snapshots", "chain_inputs", "snapshot_row"]

RATE: Final = 0.065
"""Continuously compounded rate a year where none is said: the repo rate of 2023 and 2024."""

DEALER: Final = (1.0, -1.0)
"""Dealers are taken to hold calls and to have written puts, see :func:`algomaster.pricing.exposure`."""

_EPOCH: Final = date(1970, 1, 1)

ABOUT_CHAIN: Final[Mapping[str, str]] = MappingProxyType({
    "chain_level": "price: the index, or the nearest forward until the index is first seen in the session",
    "near_expiry": "nearest expiry alive at the bar's end, days since 1970-01-01",
    "next_expiry": "the one after it, days since 1970-01-01",
    "t_near": "years of trading to the nearest expiry", "t_next": "years of trading to the next expiry",
    "pcr_oi": "puts' over calls' open interest of the nearest expiry, as all that follows unless said otherwise",
    "pcr_vol": "puts' over calls' volume since the open",
    "pcr_oi_atm5": "puts' over calls' open interest within five strikes of the money",
    "max_pain": "price: strike at which all holders together are paid least",
    "oi_c": "units: open interest of all calls", "oi_p": "units: open interest of all puts",
    "doi_c": "units: change of the calls' open interest since the open",
    "doi_p": "units: change of the puts' open interest since the open",
    "doi_c_atm": "change since the open of calls up to two strikes from the money over the calls' open interest",
    "doi_p_atm": "change since the open of puts up to two strikes from the money over the puts' open interest",
    "doi_c_otm": "change since the open of calls three to ten strikes above over the calls' open interest",
    "doi_p_otm": "change since the open of puts three to ten strikes below over the puts' open interest",
    "oi_wall_up": "distance of the strike above with the most open interest in calls, over the level",
    "oi_wall_dn": "distance of the strike below with the most open interest in puts, over the level",
    "oi_wall_str": "the most open interest in calls of a strike above over the mean of all strikes",
    "oi_com_c": "distance of the calls' mean strike by open interest, over the level",
    "oi_com_p": "distance of the puts' mean strike by open interest, over the level",
    "oi_hhi_c": "sum of the squared shares of strikes in the calls' open interest",
    "oi_entropy_p": "entropy of the shares of strikes in the puts' open interest over its largest possible value",
    "forward": "price: forward of the nearest expiry by put-call parity",
    "forward_next": "price: forward of the next expiry by put-call parity",
    "straddle_atm": "price: call and put of the strike at the money",
    "parity_gap": "discounted distance of the forward of the strike at the money from its neighbours' over the level",
    "iv_near": "volatility at the forward, nearest expiry", "iv_next": "volatility at the forward, next expiry",
    "iv_month": "volatility at the forward of a constant 21 sessions",
    "rr_25d": "volatility of the 25-delta call less that of the 25-delta put",
    "bf_25d": "mean of both less the volatility at the forward",
    "skew_slope": "slope of volatility by ln(K/F) at the money over the volatility there",
    "smile_curv": "second derivative of volatility by ln(K/F) at the money",
    "gex_net": "price times units: net gamma exposure for a move of 1 %, signed by the dealers' assumed side",
    "gex_flip": "price: nearest spot at which it changes its sign, within 5 %",
    "dex_net": "price times units: delta of the open interest as its holders have it, times the level",
    "vanna_net": "sum of open interest times vanna over the sum of sizes",
    "charm_net": "sum of open interest times charm over the sum of sizes",
    "atm_gamma": "gamma for a move of 1 % of the straddle at the money over its price",
    "atm_theta": "price: theta of the straddle at the money for a minute of trading",
    "atm_vega": "vega for 1.00 of volatility of the straddle at the money over its price",
})  # fmt: skip
"""Columns of a chain that features may read, and what they are."""

_BAR: Final = (
    ("open", "spot_open"), ("high", "spot_high"), ("low", "spot_low"), ("close", "spot"), ("future", "future"),
    ("vix", "vix"),
)  # fmt: skip
"""Columns of a bar and the arrays of a session, all in hundredths."""

_Values = TypeVar("_Values")


class Snapshots:
    """Minutes of one session, read in any order; in rising order each takes in the new minute only.

    Parameters
    ----------
    day : ChainDay
        May be filled further while it is read: a minute is read when it is asked for, and never one after it.
    rate : float
        Continuously compounded, per year.
    sign : (float, float)
        How dealers are assumed to stand in calls and in puts, as in :func:`algomaster.pricing.exposure`.
    volatility : bool
        Whether volatilities are implied; else the columns that need them are NaN.
    """

    def __init__(
        self, day: ChainDay, *, rate: float = RATE, sign: tuple[float, float] = DEALER, volatility: bool = True
    ) -> None:
        if not abs(rate) < 1.0:
            raise ValueError(f"rate: expected a rate a year between -1 and 1, got {rate}")
        self.day, self.rate, self.sign, self.volatility = day, float(rate), (float(sign[0]), float(sign[1])), volatility
        self._session = _session_of(day)
        self._memory, self._room = memory_of(day.strikes.size), room_for(day.strikes.size)

    def rows(self, first: int, last: int) -> FloatArray:
        """Give the chain's columns of minutes ``first`` to ``last - 1``, (T, columns)."""
        if not 0 <= first <= last <= self.day.ts.size:
            raise ValueError(f"minutes: expected some of 0 to {self.day.ts.size - 1}, got {first} to {last - 1}")
        out = np.empty((last - first, len(COLUMNS)))
        if first <= self._memory.upto[0]:
            self._memory = memory_of(self.day.strikes.size)
        snapshots(
            self._session, self._memory, *self._room, first, last, self.rate, *self.sign, self.volatility, out
        )  # fmt: skip
        return out

    def row(self, i: int) -> dict[str, float]:
        """Give minute ``i`` as a bar for :meth:`algomaster.features.Online.update`."""
        found = self.rows(i, i + 1)[0].tolist()
        return {"ts": int(self.day.ts[i]), **_bar(self.day, i), **dict(zip(COLUMNS, found))}


def snapshot_row(
    day: ChainDay, i: int, *, rate: float = RATE, sign: tuple[float, float] = DEALER, volatility: bool = True
) -> dict[str, float]:
    """Give one minute of a session as a bar with the chain's columns.

    Parameters
    ----------
    day : ChainDay
    i : int
        Which minute; nothing after it is read.
    rate, sign, volatility
        See :class:`Snapshots`, which is faster for minute after minute.

    Returns
    -------
    dict
        ``ts`` in nanoseconds UTC, and the columns of :func:`chain_inputs`, equal to the bit.
    """
    return Snapshots(day, rate=rate, sign=sign, volatility=volatility).row(i)


def chain_inputs(
    day: ChainDay,
    *,
    rate: float = RATE,
    sign: tuple[float, float] = DEALER,
    volatility: bool = True,
    chain: bool = True,
    future: Any = None,
) -> pl.DataFrame:
    """Give a session as bars with the columns of its chain, a row a minute.

    Parameters
    ----------
    day : ChainDay
    rate : float
        Continuously compounded, per year; for discounts and Greeks. Forwards come from put-call parity.
    sign : (float, float)
        How dealers are assumed to stand in calls and in puts, as in :func:`algomaster.pricing.exposure`.
    volatility : bool
        Whether volatilities are implied; else the columns that need them are NaN.
    chain : bool
        Whether there are columns of the chain at all.
    future : polars or pandas DataFrame, optional
        Minutes of the front future with ``ts`` and ``volume``, ``oi`` or both, in units.

    Returns
    -------
    polars DataFrame
        ``ts`` (start of the bar), ``open, high, low, close`` of the index in rupees, ``volume``, ``oi``, ``future``,
        ``vix`` in points, and the columns of :data:`ABOUT_CHAIN`. NaN where nothing was observed.

    Raises
    ------
    DataError
        ``future`` has neither volume nor open interest.

    Notes
    -----
    An index has no volume, and a session keeps none of its future. Without ``future=`` the volume is that of all the
    session's options in the minute, in units of the underlying, and open interest of the future is NaN: features of
    volume then speak of the options' activity.
    """
    import polars as pl

    bars = _bars(day)
    if future is not None:
        _take_future(bars, day, future)
    columns = [pl.Series("ts", day.ts).cast(pl.Datetime("ns", "UTC"))]
    columns += [pl.Series(name, values) for name, values in bars.items()]
    if chain:
        found = Snapshots(day, rate=rate, sign=sign, volatility=volatility).rows(0, day.ts.size)
        columns += [pl.Series(name, np.ascontiguousarray(found[:, c])) for c, name in enumerate(COLUMNS)]
    return pl.DataFrame(columns)


def _bars(day: ChainDay) -> dict[str, FloatArray]:
    """Give the bars of a session; :func:`_bar` is the same for one minute, for which numpy takes too long."""
    values = {name: getattr(day, field) for name, field in _BAR}
    bars = {name: np.where(each == MISSING, np.nan, each / PAISE) for name, each in values.items()}
    seen = day.volume != MISSING
    total = np.where(seen, day.volume, 0).sum(axis=(0, 1, 2)).astype(np.float64)
    volume = {"volume": np.where(seen.any(axis=(0, 1, 2)), total, np.nan), "oi": np.full(day.ts.size, np.nan)}
    return _ordered(bars | volume)


def _bar(day: ChainDay, i: int) -> dict[str, float]:
    """Give minute ``i`` as :func:`_bars` does."""
    values = {name: int(getattr(day, field)[i]) for name, field in _BAR}
    bar = {name: math.nan if value == MISSING else value / PAISE for name, value in values.items()}
    volume = day.volume[..., i]
    traded = volume[volume != MISSING]
    return _ordered(bar | {"volume": float(traded.sum()) if traded.size else math.nan, "oi": math.nan})


def _ordered(bar: dict[str, _Values]) -> dict[str, _Values]:
    return {name: bar[name] for name in ("open", "high", "low", "close", "volume", "oi", "future", "vix")}


def _take_future(bars: dict[str, FloatArray], day: ChainDay, future: Any) -> None:
    held = [name for name in ("volume", "oi") if name in future.columns]
    if not held or "ts" not in future.columns:
        raise DataError(
            "future: expected columns ts and volume, oi or both.",
            hint=f"It has: {', '.join(map(str, future.columns))}.",
        )
    ts = moments_of(future["ts"])
    place = np.searchsorted(day.ts, ts)
    inside = (place < day.ts.size) & (day.ts[np.minimum(place, day.ts.size - 1)] == ts)
    for name in held:
        bars[name] = np.full(day.ts.size, np.nan)
        bars[name][place[inside]] = as_vector(future[name], name)[inside]


def _session_of(day: ChainDay) -> Session:
    """Take the arrays of a session, without copies, from its first expiry that is not over on."""
    first = int(np.searchsorted(day.expiries, (day.session - _EPOCH).days))
    chain = {name: _read_only(getattr(day, name)[first:]) for name in ("bid", "ask", "close", "volume", "oi")}
    expiries = day.expiries[first:]
    return Session(
        **chain,
        spot=_read_only(day.spot),
        strikes=day.strikes / float(PAISE),
        step=day.strike_step[first:] / float(PAISE),
        expiries=expiries.astype(np.float64),
        after=np.array([_minutes_after(day.session, int(expiry)) for expiry in expiries]),
        tick=day.tick / PAISE,
    )


def _read_only(values: Any) -> Any:
    """Give a view that nothing writes to: frozen sessions and others are then of one kind to the compiler."""
    view = values.view(np.ndarray)
    view.flags.writeable = False
    return view


@functools.lru_cache(maxsize=4096)
def _minutes_after(session: date, expiry: int) -> float:
    """Give the minutes of trading between a session's close and an expiry, NaN beyond the calendar."""
    last = date.fromordinal(_EPOCH.toordinal() + expiry)
    if last > COVERED[1]:
        return float("nan")
    return float(sum(each.minutes for each in calendar.sessions(session, last) if each.date > session))
