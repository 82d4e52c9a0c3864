"""What a run held at which moment, and the margin of that: from its fills, contract by contract.

Positions are netted by contract, as an account's are: two legs in one contract are one position, and what is held
overnight stays. Premiums and the index are those known at the moment (the last bar that had ended); without chains an
option is valued with the volatility that its own last fill implied.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from algomaster.core.errors import AlgoError, DataError
from algomaster.core.types import DAY_NS, IST_OFFSET_NS, MINUTE_NS, MISSING, PAISE, RIGHTS, FloatArray, IntArray
from algomaster.market import facts
from algomaster.market.chain_day import ChainDay, Days
from algomaster.market.clock import expiry_ns, t_calendar
from algomaster.performance.result import Result
from algomaster.pricing import implied_vol
from algomaster.pricing.kernels.span import COLUMNS, SCENARIOS, margin_rows, rates_row
from algomaster.pricing.margin_rates import MarginRates
from algomaster.pricing.margins import RATE

__all__ = ["Book", "Contract", "Moment", "Move", "daily_of", "moments_of", "moves_of", "session_of"]

_EPOCH: Final = dt.date(1970, 1, 1)
_GUESS: Final = 0.15
"""Volatility of options of which nothing implies one; a margin hardly depends on it."""
_CODES: Final = {RIGHTS[0]: 1, RIGHTS[1]: -1, "FUT": 0}

RatesOf = Callable[[dt.date], MarginRates]


class Contract(NamedTuple):
    """What is netted together."""

    underlying: str
    expiry: dt.date
    right: int
    """+1 call, -1 put, 0 future."""
    strike: float


class Move(NamedTuple):
    """One fill."""

    ts: int
    contract: Contract
    quantity: float
    price: float


class Moment(NamedTuple):
    """What is held from ``ts`` (nanoseconds UTC) on; nothing that nets to 0."""

    ts: int
    held: Mapping[Contract, float]


def session_of(ts: int) -> dt.date:
    """Give the day in India of a moment; midnight counts to the day before."""
    return _EPOCH + dt.timedelta(days=(ts - 1 + IST_OFFSET_NS) // DAY_NS)


def moves_of(run: Result, *, lots: float = 1.0) -> list[Move]:
    """Give a run's fills in order of time; of an imported log, which has none, its entries and exits."""
    fills = run.fills
    if not fills.height and run.trades.height:
        trades = run.trades
        fills = pl.concat(
            [
                trades.select(
                    pl.col(f"{end}_time").alias("ts"), "expiry", "right", "strike",
                    pl.col("quantity") * sign, pl.col(f"{end}_price").alias("price"),
                )
                for end, sign in (("entry", 1), ("exit", -1))
            ]
        )  # fmt: skip
    columns = fills.select(
        pl.col("ts").dt.timestamp("ns"), "expiry", "right", "strike", pl.col("quantity").cast(pl.Float64), "price"
    )
    found = [
        Move(ts, Contract(run.underlying, _expiry(expiry, ts), _CODES[right], strike or 0.0), quantity * lots, price)
        for ts, expiry, right, strike, quantity, price in columns.iter_rows()
    ]
    return sorted(found, key=lambda move: move.ts)


def _expiry(expiry: dt.date | None, ts: int) -> dt.date:
    """Give the expiry; where an imported log does not say, the session's own day, which is charged most."""
    return session_of(ts) if expiry is None else expiry


def moments_of(moves: Iterable[Move], *, openings: Iterable[int] = ()) -> list[Moment]:
    """Give the positions after each moment with a fill, and at ``openings`` (of sessions) where some are carried."""
    by_time: dict[int, list[Move]] = {}
    for move in moves:
        by_time.setdefault(move.ts, []).append(move)
    held: dict[Contract, float] = {}
    found = []
    for ts in sorted(by_time.keys() | set(openings)):
        for move in by_time.get(ts, ()):
            held[move.contract] = held.get(move.contract, 0.0) + move.quantity
            if abs(held[move.contract]) < 1e-9:
                del held[move.contract]
        if held or ts in by_time:
            found.append(Moment(ts, dict(held)))
    return found


class Book:
    """Prices of everything some runs traded, and the margin of what is held.

    Parameters
    ----------
    runs : list of Result
    days : sequence of Days, optional
        Chains of the same sessions, for premiums at each moment.
    rates : MarginRates, optional
        Instead of those of each day.
    daily_vol : float, optional
        See :func:`algomaster.pricing.margin`.
    """

    def __init__(
        self, runs: Sequence[Result], *, days: Sequence[Days] = (), rates: MarginRates | None = None,
        daily_vol: float | None = None,
    ) -> None:  # fmt: skip
        self._daily_vol = daily_vol
        self._rates_of: RatesOf = facts.margin_rates if rates is None else lambda _: rates
        self._chains = {(day.underlying, day.session): day for some in days for day in some}
        self._spots = _spots(runs, self._chains.values())
        self._vols = self._implied([move for run in runs for move in moves_of(run)])

    def margins(self, moments: Sequence[Moment]) -> FloatArray:
        """Give the margin of each moment: (P, 8) float64, columns :data:`~algomaster.pricing.kernels.span.COLUMNS`.

        Underlyings do not offset each other: theirs are added up.
        """
        out = np.zeros((len(moments), len(COLUMNS)))
        for name in sorted({contract.underlying for moment in moments for contract in moment.held}):
            some = [
                (p, moment.ts, {c: q for c, q in moment.held.items() if c.underlying == name})
                for p, moment in enumerate(moments)
            ]
            chosen = [(p, ts, held) for p, ts, held in some if held]
            out[[p for p, _, _ in chosen]] += self._of(name, [(ts, held) for _, ts, held in chosen])
        return out

    def _of(self, name: str, positions: list[tuple[int, dict[Contract, float]]]) -> FloatArray:
        legs = [(ts, contract, quantity) for ts, held in positions for contract, quantity in held.items()]
        ts = np.array([leg[0] for leg in legs], np.int64)
        contracts = [leg[1] for leg in legs]
        right, strike, years = _terms(contracts, ts)
        moments = np.array([at for at, _ in positions], np.int64)
        spot = self._spot(name, moments)
        per_leg = np.repeat(np.arange(len(positions)), [len(held) for _, held in positions])
        spots = spot[per_leg]
        strike = np.where(right == 0, spots, strike)
        price = np.array([self._quote(c, at) for at, c, _ in legs])
        vol = _implied(price, right, spots, strike, years)
        last = np.array([self._vol(c, at) for at, c, _ in legs])
        vol = np.where(right == 0, 0.0, np.where(np.isnan(vol), last, vol))
        price = np.where(np.isnan(price), _model(right, spots, strike, years, vol), price)
        rates = []
        for at in moments.tolist():
            day = self._rates_of(session_of(at))
            rates.append(rates_row(day, *day.ranges(self._daily_vol)))
        start = np.concatenate([[0], np.cumsum([len(held) for _, held in positions])]).astype(np.int64)
        ends_today = np.array([contract.expiry == session_of(at) for at, contract, _ in legs], np.int64)
        out, scenarios = np.empty((len(positions), len(COLUMNS))), np.empty((len(positions), SCENARIOS))
        margin_rows(
            start, right, strike, np.array([leg[2] for leg in legs]), price, years, vol, ends_today, spot, RATE, 0.0,
            np.array(rates), out, scenarios,
        )  # fmt: skip
        return out

    def _spot(self, name: str, ts: IntArray) -> FloatArray:
        """Give the index known at each moment: the last bar that had ended, before the first bar that one's."""
        times, values = self._spots.get(name, (np.empty(0, np.int64), np.empty(0)))
        if not times.size:
            raise DataError(
                f"The margin of {name} needs the index, and the run carries no prices of it.",
                hint="Give the sessions: margin_of(run, days).",
                underlying=name,
            )
        return np.asarray(values[np.maximum(np.searchsorted(times, ts, side="right") - 1, 0)])

    def _quote(self, contract: Contract, ts: int) -> float:
        """Give the close of the last ended bar of a contract in the session's chain; NaN where there is none."""
        day = self._chains.get((contract.underlying, session_of(ts)))
        if day is None or contract.right == 0:
            return np.nan
        bar = int((ts - int(day.ts[0])) // MINUTE_NS) - 1
        e = int(np.searchsorted(day.expiries, (contract.expiry - _EPOCH).days))
        k = int(np.searchsorted(day.strikes, round(contract.strike * PAISE)))
        if not (bar >= 0 and e < day.expiries.size and k < day.strikes.size):
            return np.nan
        if day.expiries[e] != (contract.expiry - _EPOCH).days or day.strikes[k] != round(contract.strike * PAISE):
            return np.nan
        ticks = int(day.close[e, k, 0 if contract.right > 0 else 1, min(bar, day.ts.size - 1)])
        return np.nan if ticks == MISSING else ticks * day.tick / PAISE

    def _vol(self, contract: Contract, ts: int) -> float:
        known = self._vols.get(contract)
        if known is None:
            return self._usual
        return known[1][max(bisect.bisect_right(known[0], ts) - 1, 0)]

    def _implied(self, moves: list[Move]) -> dict[Contract, tuple[list[int], list[float]]]:
        """Give each contract's volatilities in order of time, as its fills implied them."""
        self._usual = _GUESS
        found: dict[Contract, tuple[list[int], list[float]]] = {}
        options = [move for move in moves if move.contract.right != 0]
        if not options:
            return found
        ts = np.array([move.ts for move in options], np.int64)
        right, strike, years = _terms([move.contract for move in options], ts)
        spots = np.empty(len(options))
        for name in {move.contract.underlying for move in options}:
            of = np.array([move.contract.underlying == name for move in options])
            spots[of] = self._spot(name, ts[of])
        vols = _implied(np.array([move.price for move in options]), right, spots, strike, years)
        self._usual = float(np.nanmedian(vols)) if not np.isnan(vols).all() else _GUESS
        for i in np.argsort(ts, kind="stable").tolist():
            if not np.isnan(vols[i]):
                times, values = found.setdefault(options[i].contract, ([], []))
                times.append(int(ts[i]))
                values.append(float(vols[i]))
        return found


def _terms(contracts: Sequence[Contract], ts: IntArray) -> tuple[IntArray, FloatArray, FloatArray]:
    right = np.array([contract.right for contract in contracts], np.int64)
    strike = np.array([contract.strike for contract in contracts])
    ends = np.array([_end(contract.expiry) for contract in contracts], np.int64)
    return right, strike, np.nan_to_num(t_calendar(ts, ends))


@cache
def _end(expiry: dt.date) -> int:
    """Give when a contract expires; 15:30 where the calendar does not know the day."""
    try:
        return expiry_ns(expiry)
    except AlgoError:
        return (expiry - _EPOCH).days * DAY_NS - IST_OFFSET_NS + 930 * MINUTE_NS


def _implied(price: FloatArray, right: IntArray, spot: FloatArray, strike: FloatArray, years: FloatArray) -> FloatArray:
    vol = np.full(price.size, np.nan)
    asked = (right != 0) & ~np.isnan(price) & (years > 0.0)
    if asked.any():
        quotes = price[asked], right[asked], spot[asked], strike[asked], years[asked]
        vol[asked] = implied_vol(*quotes, rate=RATE).vol
    return vol


def _model(right: IntArray, spot: FloatArray, strike: FloatArray, years: FloatArray, vol: FloatArray) -> FloatArray:
    from algomaster.pricing import price

    value = np.zeros(right.size)
    options = right != 0
    if options.any():
        terms = right[options], spot[options], strike[options], years[options], vol[options]
        value[options] = price(*terms, rate=RATE)
    return value


def _spots(runs: Iterable[Result], days: Iterable[ChainDay]) -> dict[str, tuple[IntArray, FloatArray]]:
    """Give the index at the end of each bar by underlying, from runs and chains together."""
    known: dict[str, dict[int, float]] = {}
    for run in runs:
        ts = run.prices["ts"].dt.timestamp("ns").to_list() if run.prices.height else []
        known.setdefault(run.underlying, {}).update(zip(ts, run.prices["spot"].to_list()))
    for day in days:
        there = day.spot != MISSING
        ends, spots = (day.ts[there] + MINUTE_NS).tolist(), (day.spot[there] / PAISE).tolist()
        known.setdefault(day.underlying, {}).update(zip(ends, spots))
    return {
        name: (np.array(sorted(prices), np.int64), np.array([prices[ts] for ts in sorted(prices)]))
        for name, prices in known.items()
        if prices
    }


def daily_of(run: Result) -> tuple[list[dt.date], FloatArray]:
    """Give a run's sessions and what each made after costs, in rupees."""
    return run.daily["date"].to_list(), run.daily["pnl"].cast(pl.Float64).to_numpy()
