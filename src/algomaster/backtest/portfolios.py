"""Several runs on one capital: who may trade which session, what they make together, and the margin that needs.

1. A run's sessions are cut into blocks: one session each, or several where a position is held overnight.
2. Blocks are gone through in order of their first session, and on one day in the order the runs were given. What is
   held already and the block's own positions are netted contract by contract; the largest margin of that within the
   block, with the net value of bought options, is what it needs.
3. If this is more than the capital with what was made or lost before the block's first session, the block is refused
   (``rule="refuse"``: it is as if it had not been traded) or only reported (``rule="allow"``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from algomaster.backtest.holdings import Book, Move, daily_of, moments_of, moves_of, session_of
from algomaster.backtest.margin_use import moments_frame, needed, openings_of, peaks, return_on
from algomaster.backtest.portfolio_result import Portfolio
from algomaster.backtest.portfolio_statistics import contributions, correlations
from algomaster.backtest.replayer import replay
from algomaster.backtest.session import days_of
from algomaster.core.errors import ConfigError, DataError
from algomaster.core.types import PAISE, FloatArray, IntArray
from algomaster.market.chain_day import ChainDay, Days
from algomaster.performance.metrics import summarize, trade_totals
from algomaster.performance.result import Result
from algomaster.pricing.margin_rates import MarginRates
from algomaster.strategy.contract import Strategy

__all__ = ["portfolio"]

RULES: Final = ("refuse", "allow")


class _Part(NamedTuple):
    name: str
    run: Result
    lots: float
    moves: list[Move]
    dates: list[dt.date]
    pnl: FloatArray
    blocks: list[list[dt.date]]


def portfolio(
    parts: Sequence[Any],
    *,
    capital: float,
    rule: str = "refuse",
    days: Days | ChainDay | Sequence[ChainDay] | None = None,
    fills: str = "next_open",
    rates: MarginRates | None = None,
    daily_vol: float | None = None,
) -> Portfolio:
    """Combine several strategies, or runs of them, on one capital.

    Parameters
    ----------
    parts : list
        Each a Result, a pair (Result, lots), or (strategy, params[, lots]) which is replayed on ``days``. ``lots``
        (above 0; 1 by default) multiplies quantities, profits and costs of the run; brokerage an order is multiplied
        too, so costs are a little too high. The order is the order of priority. Runs may be of different underlyings
        and sessions.
    capital : float
        Rupees.
    rule : "refuse" or "allow"
        Whether a session that the capital cannot carry is left out, or only reported.
    days : Days, optional
        Sessions to replay strategies on, and for premiums at each moment; see :func:`margin_of`.
    fills : str
        For strategies that are replayed.
    rates : MarginRates, optional
    daily_vol : float, optional
        See :func:`margin_of`.

    Returns
    -------
    Portfolio

    Raises
    ------
    ConfigError
        An impossible capital, number of lots or rule; a strategy without days.
    DataError
        No parts; a run without prices of the index.

    Examples
    --------
    >>> from algomaster import backtest, market
    >>> days = market.simulate("NIFTY", sessions=3, start="2024-01-01", strikes=11, seed=7)
    >>> both = backtest.portfolio(
    ...     [("straddle", {"stop_pct": 25}), ("straddle", {"entry": "11:00"}, 2)], capital=400_000, days=days)
    >>> both.names
    ('straddle', 'straddle #2')
    """
    if rule not in RULES:
        raise ConfigError(f"Expected rule to be one of {', '.join(RULES)}, got {rule!r}.")
    if not (isinstance(capital, (int, float)) and 0.0 < capital < 1e15):
        raise ConfigError(f"Expected a capital above 0 rupees, got {capital!r}.")
    chains = None if days is None else days_of(days)
    found = _parts(parts, chains, fills)
    book = Book([part.run for part in found], days=() if chains is None else (chains,), rates=rates,
                daily_vol=daily_vol)  # fmt: skip
    sessions = sorted({date for part in found for date in part.dates})
    openings = _openings(found)
    accepted, breaches = _chosen(found, sessions, openings, book, float(capital), rule)
    return _result(found, sessions, openings, accepted, breaches, book, float(capital), rule)


def _parts(parts: Sequence[Any], days: Days | None, fills: str) -> list[_Part]:
    given = [parts] if isinstance(parts, Result) else list(parts)
    if not given:
        raise DataError("Expected at least one run, got none.", hint="Give a list of results.")
    runs = [_run_and_lots(place, one, days, fills) for place, one in enumerate(given)]
    several = len({run.underlying for run, _ in runs}) > 1
    found: list[_Part] = []
    seen: dict[str, int] = {}
    for run, lots in runs:
        name = f"{run.strategy} {run.underlying}" if several else run.strategy
        seen[name] = seen.get(name, 0) + 1
        name = f"{name} #{seen[name]}" if seen[name] > 1 else name
        dates, pnl = daily_of(run)
        moves = moves_of(run, lots=lots)
        found.append(_Part(name, run, lots, moves, dates, pnl * lots, _blocks(dates, moves)))
    return found


def _run_and_lots(place: int, one: Any, days: Days | None, fills: str) -> tuple[Result, float]:
    rest = tuple(one) if isinstance(one, (tuple, list)) else (one,)
    first, lots = rest[0], 1.0
    if isinstance(first, Result) and len(rest) <= 2:
        run, lots = first, rest[1] if len(rest) == 2 else 1.0
    elif isinstance(first, (str, Strategy)) and len(rest) <= 3:
        if days is None:
            raise ConfigError(f"Part {place} is a strategy to replay; there are no days.", hint="Give days=.")
        settings = rest[1] if len(rest) > 1 else None
        if settings is not None and not isinstance(settings, Mapping):
            raise ConfigError(f"Part {place}: expected (strategy, params[, lots]), got {settings!r} for params.")
        run, lots = replay(first, days, params=settings, fills=fills), rest[2] if len(rest) == 3 else 1.0
    else:
        raise ConfigError(
            f"Part {place}: expected a Result, (Result, lots) or (strategy, params[, lots]), "
            f"got {', '.join(type(item).__name__ for item in rest)}."
        )
    if isinstance(lots, bool) or not isinstance(lots, (int, float)) or not 0.0 < lots <= 1e6:
        raise ConfigError(f"Part {place}: expected lots above 0, got {lots!r}.")
    return run, float(lots)


def _blocks(dates: list[dt.date], moves: list[Move]) -> list[list[dt.date]]:
    """Cut sessions where the run is flat overnight."""
    by_day: dict[dt.date, list[Move]] = {}
    for move in moves:
        by_day.setdefault(session_of(move.ts), []).append(move)
    held: dict[Any, float] = {}
    blocks: list[list[dt.date]] = []
    carried = False
    for date in dates:
        if carried:
            blocks[-1].append(date)
        else:
            blocks.append([date])
        for move in by_day.get(date, ()):
            held[move.contract] = held.get(move.contract, 0.0) + move.quantity
        carried = any(abs(quantity) > 1e-9 for quantity in held.values())
    return blocks


def _openings(parts: Sequence[_Part]) -> dict[dt.date, int]:
    found: dict[dt.date, int] = {}
    for part in parts:
        for ts in openings_of(part.run):
            session = session_of(ts)
            found[session] = min(ts, found.get(session, ts))
    return found


def _chosen(
    parts: Sequence[_Part], sessions: Sequence[dt.date], openings: Mapping[dt.date, int], book: Book, capital: float,
    rule: str,
) -> tuple[list[set[dt.date]], pl.DataFrame]:  # fmt: skip
    """Go through the blocks; give each part's accepted sessions, and what the capital could not carry."""
    queue = sorted((block[0], k, block) for k, part in enumerate(parts) for block in part.blocks)
    made = dict.fromkeys(sessions, 0.0)
    accepted: list[set[dt.date]] = [set() for _ in parts]
    by_day = [_by_day(part.moves) for part in parts]
    pnl = [dict(zip(part.dates, part.pnl.tolist())) for part in parts]
    taken: list[list[Move]] = []
    over: dict[dt.date, list[int]] = {session: [] for session in sessions}
    before, upto = 0.0, 0
    rows = []
    for first, k, block in queue:
        while sessions[upto] < first:
            before += made[sessions[upto]]
            upto += 1
        own = [move for date in block for move in by_day[k].get(date, ())]
        # A block begins and ends flat, so those that share a session with this one tell all that is held in it.
        others = [move for place in sorted({place for date in block for place in over[date]}) for move in taken[place]]
        most, at = _needed(own, others, block, openings, book)
        available = capital + before
        fits = most <= available
        if not fits:
            rows.append((at, first, parts[k].name, most, available, "refused" if rule == "refuse" else "reported"))
        if fits or rule == "allow":
            accepted[k].update(block)
            for date in block:
                over[date].append(len(taken))
                made[date] += pnl[k][date]
            taken.append(own)
    schema = {
        "session": pl.Date, "block": pl.Date, "part": pl.String, "needed": pl.Float64, "available": pl.Float64,
        "action": pl.String,
    }  # fmt: skip
    return accepted, pl.DataFrame(rows, schema=schema, orient="row").sort("session", maintain_order=True)


def _by_day(moves: Sequence[Move]) -> dict[dt.date, list[Move]]:
    found: dict[dt.date, list[Move]] = {}
    for move in moves:
        found.setdefault(session_of(move.ts), []).append(move)
    return found


def _needed(
    own: list[Move], others: list[Move], block: list[dt.date], openings: Mapping[dt.date, int], book: Book
) -> tuple[float, dt.date]:
    """Give the largest margin within a block with everything accepted so far, and the session it is needed in."""
    if not own:
        return 0.0, block[0]
    opened = [openings[date] for date in block if date in openings]
    found = moments_of([*others, *own], openings=opened)
    moments = [moment for moment in found if block[0] <= session_of(moment.ts) <= block[-1]]
    tied = needed(book.margins(moments))
    worst = int(tied.argmax())
    return float(tied[worst]), session_of(moments[worst].ts)


def _result(
    parts: Sequence[_Part], sessions: list[dt.date], openings: Mapping[dt.date, int], accepted: list[set[dt.date]],
    breaches: pl.DataFrame, book: Book, capital: float, rule: str,
) -> Portfolio:  # fmt: skip
    place = {session: d for d, session in enumerate(sessions)}
    pnl = np.zeros((len(sessions), len(parts)))
    ran = np.zeros((len(sessions), len(parts)), bool)
    taken = np.zeros((len(sessions), len(parts)), bool)
    for k, part in enumerate(parts):
        for date, made in zip(part.dates, part.pnl):
            d = place[date]
            ran[d, k], taken[d, k] = True, date in accepted[k]
            pnl[d, k] = made if taken[d, k] else 0.0
    moves = [move for k, part in enumerate(parts) for move in part.moves if session_of(move.ts) in accepted[k]]
    moments = moments_of(moves, openings=openings.values())
    margins = moments_frame(moments, book.margins(moments))
    peak = peaks(margins, sessions)
    own = [_own_peaks(part, accepted[k], sessions, openings, book) for k, part in enumerate(parts)]
    names = tuple(part.name for part in parts)
    equity = _equity(parts, accepted, names)
    total = pnl.sum(axis=1)
    trades = _trades(parts, accepted)
    daily = pl.DataFrame({"date": sessions}, schema={"date": pl.Date}).with_columns(
        *(pl.Series(name, pnl[:, k]) for k, name in enumerate(names)),
        pnl=pl.Series(total), margin=pl.Series(peak),
    )  # fmt: skip
    return Portfolio(
        names=names,
        capital=capital,
        rule=rule,
        sessions=sessions,
        daily=daily,
        equity=equity,
        margin=margins,
        correlation=correlations(names, np.where(taken, pnl, np.nan)),
        parts=contributions(names, [part.lots for part in parts], pnl, ran, taken, own, peak),
        breaches=breaches,
        trades=trades,
        metrics=_metrics(total, equity, trades, capital, peak, own, breaches),
        assumptions={
            "capital": capital, "rule": rule, "margin": "SPAN-like approximation, see docs/margin.md",
            "parts": [
                {"name": part.name, "lots": part.lots, "underlying": part.run.underlying, "digest": part.run.digest}
                for part in parts
            ],
        },
    )  # fmt: skip


def _own_peaks(
    part: _Part, accepted: set[dt.date], sessions: list[dt.date], openings: Mapping[dt.date, int], book: Book
) -> FloatArray:
    """Give the peak margin of one part by itself in each session."""
    moments = moments_of(
        [move for move in part.moves if session_of(move.ts) in accepted],
        openings=[openings[date] for date in sorted(accepted) if date in openings],
    )
    return peaks(moments_frame(moments, book.margins(moments)), sessions)


def _equity(parts: Sequence[_Part], accepted: list[set[dt.date]], names: Sequence[str]) -> pl.DataFrame:
    """Give the cumulated P&L at the end of every minute, of each part and together; refused sessions add nothing."""
    curves: list[tuple[IntArray, IntArray]] = []
    for part, kept in zip(parts, accepted):
        ts = part.run.equity["ts"].dt.timestamp("ns").to_numpy()
        paise = np.rint(part.run.equity["equity"].to_numpy() * part.lots * PAISE).astype(np.int64)
        steps = np.diff(paise, prepend=np.int64(0))
        inside = np.array([session_of(moment) in kept for moment in ts.tolist()], bool)
        curves.append((ts, np.cumsum(np.where(inside, steps, 0))))
    moments = np.unique(np.concatenate([ts for ts, _ in curves]))
    columns = {}
    total = np.zeros(moments.size, np.int64)
    for name, (ts, curve) in zip(names, curves):
        known = np.concatenate([[0], curve])[np.searchsorted(ts, moments, side="right")]
        columns[name] = known / PAISE
        total += known
    return pl.DataFrame({"ts": moments, **columns, "equity": total / PAISE}).with_columns(
        pl.col("ts").cast(pl.Datetime("ns", "UTC")).dt.convert_time_zone("Asia/Kolkata")
    )


def _trades(parts: Sequence[_Part], accepted: list[set[dt.date]]) -> pl.DataFrame:
    money = ("quantity", "lots", "pnl", "costs", "net_pnl")
    frames = []
    for part, kept in zip(parts, accepted):
        trades = part.run.trades.filter(pl.col("session").is_in(sorted(kept)))
        scaled = [pl.col(name) * part.lots for name in money if name in trades.columns]
        frames.append(
            trades.with_columns(pl.lit(part.name).alias("part"), *(column.cast(pl.Float64) for column in scaled))
        )
    return pl.concat(frames, how="diagonal_relaxed").sort("exit_time", maintain_order=True)


def _metrics(
    total: FloatArray, equity: pl.DataFrame, trades: pl.DataFrame, capital: float, peak: FloatArray,
    own: list[FloatArray], breaches: pl.DataFrame,
) -> dict[str, float | int]:  # fmt: skip
    paise = np.rint(total * PAISE).astype(np.int64)
    curve = np.rint(equity["equity"].to_numpy() * PAISE).astype(np.int64)
    fall = int((np.maximum.accumulate(np.maximum(curve, 0)) - curve).max(initial=0))
    gross, costs = (np.rint(trades[name].to_numpy() * PAISE).astype(np.int64) for name in ("pnl", "costs"))
    found = summarize(paise, totals=trade_totals(gross, costs), intraday_drawdown_paise=fall)
    apart = float(sum(each.max(initial=0.0) for each in own))
    most = float(peak.max(initial=0.0))
    return {
        **found,
        **return_on(total, peak),
        "capital": capital,
        "return_on_capital": float(total.sum()) / capital,
        "margin_share": most / capital,
        "margin_saved": 1.0 - most / apart if apart else float("nan"),
        "breaches": breaches.height,
    }
