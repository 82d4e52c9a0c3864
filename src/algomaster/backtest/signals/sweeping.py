"""``signal_sweep``: many settings of a compiled signal step over the bars of one symbol, all trades kept."""

from __future__ import annotations

import hashlib
import itertools
import math
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

import algomaster
from algomaster.backtest.signals.curves import WIDTH
from algomaster.backtest.signals.driving import sweep_driver
from algomaster.backtest.signals.inputs import BarInput, as_times, day_ends, duration, read_bars, setting
from algomaster.backtest.signals.notes import ASSUMED
from algomaster.backtest.signals.numbers import metric_rows
from algomaster.backtest.signals.running import costs_of, fill_mode, told, word_of
from algomaster.backtest.signals.steps import signal_step
from algomaster.backtest.signals.sweep_result import SignalSweep, columns_of, sweep_trades
from algomaster.backtest.sweeps.gridding import parameter_sets
from algomaster.core.errors import ConfigError
from algomaster.core.types import MISSING, FloatArray, IntArray, Record
from algomaster.execution.bars_account import ACCOUNT, COLUMN, FILL, Settings
from algomaster.execution.bars_engine import TERMS, Bars
from algomaster.execution.bars_rules import OPPOSITE_ENTRIES, SIZE_TYPES
from algomaster.execution.bars_sweep import SignalTape
from algomaster.execution.bars_trades import HOLDING, TRADE, spans_of
from algomaster.strategy.contract import Params, Strategy

__all__ = ["signal_sweep", "tape_of"]

_CHUNK: Final = 32
_ROOM: Final = 4096
"""Fills of a set that there is room for at first."""


class Part(NamedTuple):
    """What is kept of a chunk of sets; ``trades`` are columns of all its trades, ``counts`` (P,) those of each set."""

    accounts: Record
    trades: dict[str, NDArray[Any]]
    counts: IntArray
    money: FloatArray
    returns: FloatArray
    totals: IntArray
    extras: FloatArray


def signal_sweep(
    step: Strategy | str,
    close: Any,
    *,
    grid: Any,
    params: Mapping[str, Any] | None = None,
    open: Any = None,
    high: Any = None,
    low: Any = None,
    times: Any = None,
    freq: str | None = None,
    tick: float | None = None,
    fill: str | None = None,
    size: float = math.inf,
    size_type: str = "amount",
    size_granularity: float = 0.0,
    fees: float = 0.0,
    fixed_fees: float = 0.0,
    slippage: float = 0.0,
    sl_stop: float | None = None,
    tp_stop: float | None = None,
    trail_stop: float | None = None,
    init_cash: float = 100_000.0,
    upon_opposite_entry: str = "reverse",
    trades: bool = True,
    chunk: int | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SignalSweep:
    """Run every setting of a signal step over one symbol's bars; each is what :func:`from_signals` gives, to the bit.

    Parameters
    ----------
    step : Strategy or str
        "sma_cross", or a :class:`~algomaster.strategy.Strategy` whose step is ``step(state, params, tape, i) -> flags``
        (1 enter long, 2 leave long, 4 enter short, 8 leave short, added up).
    close : (T,)
    grid : mapping or sequence of mappings
        Values to try of each setting, all combinations; or the sets themselves.
    params : mapping, optional
        Settings that all sets share.
    open, high, low, times, freq, fill, size, size_type, size_granularity
        As in :func:`from_signals`, numbers alone.
    fees, fixed_fees, slippage, sl_stop, tp_stop, trail_stop, init_cash, upon_opposite_entry
        As in :func:`from_signals`, numbers alone.
    tick : float, optional
        Grid of the prices; the step sees whole ticks. By default the coarsest power of ten that all closes lie on.
        Fills are at the prices as given.
    trades : bool
        Keep all trades.
    chunk : int, optional
        Sets that a thread takes at once; bounds the memory, changes no number.
    workers : int, optional
        Threads; by default one a core.
    progress : callable, optional
        Called with (sets done, sets in all).

    Returns
    -------
    SignalSweep
        ``frame`` with a row a set (settings, every metric) and ``trades`` with a column ``set``.

    Raises
    ------
    ConfigError
        The grid is empty, a setting is unknown or impossible, or prices lie on no grid and no tick is given.
    ValueError, TypeError
        Values are not numbers, out of range, or of another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from algomaster import backtest
    >>> closes = 100.0 + np.round(5.0 * np.sin(np.arange(400) / 9.0), 2)
    >>> run = backtest.signal_sweep("sma_cross", closes, grid={"fast": [3, 5], "slow": [10, 20]}, fees=0.001)
    >>> run.frame.height, run.trades["set"].n_unique()
    (4, 4)
    """
    step = signal_step(step)
    bars = read_bars(close, open=open, high=high, low=low, times=times, columns=1)
    length = duration(freq)
    if bars.times is None and length:
        bars = bars._replace(times=as_times(np.arange(len(bars.close), dtype=np.int64) * length))
    sets = [dict(params or {}) | one for one in parameter_sets(grid)]
    configured = [step.configure(one) for one in sets]
    shape = bars.close.shape
    terms = np.zeros(1, TERMS)
    terms[0]["size_type"] = word_of(size_type, SIZE_TYPES[:3], "size_type")
    terms[0]["opposite"] = word_of(upon_opposite_entry, OPPOSITE_ENTRIES, "upon_opposite_entry")
    terms[0]["sequence"] = 1
    terms[0]["partial"] = 1
    terms[0]["stops"] = int(any(stop is not None for stop in (sl_stop, tp_stop, trail_stop)))
    terms[0]["fill"] = fill_mode(fill, None, bars)
    settings = Settings(
        size=setting(size, "size", shape, least=0.0, nan=False),
        price=np.full((1, 1), np.nan),
        **costs_of(fees, fixed_fees, slippage, size_granularity, shape),
        stop=setting(sl_stop, "sl_stop", shape, least=0.0, nan=True),
        trail=setting(trail_stop, "trail_stop", shape, least=0.0, nan=True),
        target=setting(tp_stop, "tp_stop", shape, least=0.0, nan=True),
    )
    said = {
        "kind": "sweep", "step": step.name, "size": told(size), "size_type": size_type, "fees": fees,
        "fixed_fees": fixed_fees, "slippage": slippage, "sl_stop": sl_stop, "tp_stop": tp_stop,
        "trail_stop": trail_stop, "upon_opposite_entry": upon_opposite_entry, "init_cash": init_cash,
        "fills": ASSUMED[int(terms[0]["fill"])], "trials": len(sets), "version": algomaster.__version__,
    }  # fmt: skip
    tape, said["tick"] = tape_of(bars, tick)
    if chunk is not None and chunk < 1:
        raise ConfigError(f"Expected chunk to be at least 1, got {chunk}.")
    if workers is not None and workers < 1:
        raise ConfigError(f"Expected workers to be at least 1, got {workers}.")
    packed = np.concatenate([one.pack() for one in configured])
    chunks = [packed[k : k + (chunk or _CHUNK)] for k in range(0, packed.size, chunk or _CHUNK)]
    prices = Bars(bars.open, bars.high, bars.low, bars.close)
    ends, marks = day_ends(bars.times, len(bars.close)), carried(bars.close[:, 0])
    job = Job(step, prices, tape, settings, terms, init_cash, ends, (marks, *spans_of(marks)))
    done = itertools.accumulate(one.size for one in chunks)

    def tell() -> None:
        if progress:
            progress(next(done), len(sets))

    parts = run_chunks(job, chunks, workers or len(os.sched_getaffinity(0)), trades, tell)
    return _result(step, bars, parts, configured, sets, said, trades)


def tape_of(bars: BarInput, tick: float | None) -> tuple[SignalTape, float]:
    """Give the bars in whole ticks, and the tick.

    Raises
    ------
    ConfigError
        Closes lie on no grid of a power of ten, and no tick is given.
    """
    if tick is None:
        for digits in range(9):
            scaled = bars.close[~np.isnan(bars.close)] * 10.0**digits
            if np.all(np.abs(scaled - np.rint(scaled)) <= 1e-6 + 4e-16 * scaled):
                return _ticks(bars, 10.0**digits), 10.0**-digits
        raise ConfigError(
            "Expected closes on a grid, such as whole paise, so that averages can be compared exactly; got prices with "
            "more than 8 digits.", hint="Say tick=...: the signals then see closes rounded to it."
        )  # fmt: skip
    if not tick > 0.0:
        raise ConfigError(f"Expected tick to be above 0, got {tick!r}.")
    return _ticks(bars, 1.0 / tick), tick


def _ticks(bars: BarInput, scale: float) -> SignalTape:
    opens, highs, lows, lasts = (
        np.where(np.isnan(prices), float(MISSING), np.rint(prices * scale)).astype(np.int64)
        for prices in (bars.open[:, 0], bars.high[:, 0], bars.low[:, 0], bars.close[:, 0])
    )
    closes = np.nan_to_num(np.rint(carried(bars.close[:, 0]) * scale)).astype(np.int64)
    ts = np.zeros(closes.size, np.int64)
    if bars.times is not None:
        ts = bars.times.dt.timestamp("ns").to_numpy().astype(np.int64)
    return SignalTape(opens, highs, lows, lasts, np.append(0, np.cumsum(closes)).astype(np.int64), ts)


def carried(closes: FloatArray) -> FloatArray:
    """Give closes with the last one known in the place of a missing one; 0 before the first."""
    known = np.maximum.accumulate(np.where(np.isnan(closes), -1, np.arange(closes.size)))
    return np.where(known >= 0, closes[np.maximum(known, 0)], 0.0)


class Job(NamedTuple):
    """What all chunks share."""

    step: Strategy
    bars: Bars
    tape: SignalTape
    settings: Settings
    terms: Record
    cash: float
    ends: IntArray
    marks: tuple[FloatArray, FloatArray, FloatArray]


def run_chunk(job: Job, params: Record, room: int = _ROOM) -> Part:
    """Run some sets; those with more fills than there is room for are run again with room enough."""
    count = params.size
    states = np.concatenate([job.step.init(params[p : p + 1]) for p in range(count)])
    columns, accounts = np.zeros(count, COLUMN), np.zeros(count, ACCOUNT)
    accounts["cash"] = job.cash
    trades, counts = np.empty(count * (room // 2 + 1) + 1, TRADE), np.zeros(count, np.int64)
    numbers = (
        np.empty((count, WIDTH)), np.empty((count, WIDTH)), np.zeros((count, 6), np.int64), np.zeros((count, 5)),
    )  # fmt: skip
    days = job.ends.size
    sweep_driver(job.step.step)(
        job.bars, job.tape, job.settings, job.terms, params, states, columns, accounts, np.empty(room, FILL), trades,
        counts, job.ends, *numbers, *job.marks, np.zeros(1, HOLDING), np.empty(days), np.empty(days, np.int64),
    )  # fmt: skip
    kept = trades[: int(np.maximum(counts, 0).sum())]
    told = columns_of(kept)
    over = np.flatnonzero(counts < 0)
    if over.size:
        again = run_chunk(job, params[over], 2 * int(accounts["fills"][over].max()) + 2)
        accounts[over] = again.accounts
        for mine, theirs in zip(numbers, again[3:]):
            mine[over] = theirs
        told = _merged(told, counts, again)
        counts[over] = again.counts
    return Part(accounts, told, counts, *numbers)


def _merged(columns: dict[str, NDArray[Any]], counts: IntArray, again: Part) -> dict[str, NDArray[Any]]:
    """Put the trades of sets that were run again (count -1) in their places among the others."""
    sets = np.arange(counts.size)
    first, second = np.repeat(sets, np.maximum(counts, 0)), np.repeat(sets[counts < 0], again.counts)
    order = np.argsort(np.append(first, second), kind="stable")
    return {name: np.append(values, again.trades[name])[order] for name, values in columns.items()}


def run_chunks(job: Job, chunks: list[Record], workers: int, trades: bool, tell: Callable[[], None]) -> list[Part]:
    """Run all chunks, the first one alone, as it may have to compile; then as many threads as asked for take them."""
    parts = []
    with ThreadPoolExecutor(workers) as pool:
        for part in itertools.chain([run_chunk(job, chunks[0])], pool.map(lambda one: run_chunk(job, one), chunks[1:])):
            parts.append(part if trades else part._replace(trades={}))
            tell()
    return parts


def _result(
    step: Strategy, bars: BarInput, parts: list[Part], configured: list[Params], sets: list[dict[str, Any]],
    said: dict[str, Any], trades: bool,
) -> SignalSweep:  # fmt: skip
    accounts, counts, *numbers = (np.concatenate([part[j] for part in parts]) for j in (0, 2, 3, 4, 5, 6))
    rows = metric_rows(*numbers, bars=len(bars.close), orders=accounts["fills"], trials=None)
    names = list(dict.fromkeys(name for one in sets for name in one))
    shown = [one.model_dump(mode="json") for one in configured]
    frame = pl.DataFrame(
        {name: [one[name] for one in shown] for name in names} | {n: pl.Series(v) for n, v in rows.items()}
    )
    known = bars.times is not None
    said["data"] = {
        "bars": len(bars.close),
        "first": str(bars.times[0]) if bars.times is not None and known else None,
        "last": str(bars.times[-1]) if bars.times is not None and known else None,
        "fingerprint": hashlib.sha256(bars.close.tobytes() + bars.open.tobytes()).hexdigest(),
    }
    frame_of_trades = sweep_trades([part.trades for part in parts], counts) if trades else None
    digest = hashlib.sha256(numbers[2].tobytes() + numbers[3].tobytes())
    if frame_of_trades is not None:
        for name in ("entry_bar", "exit_bar", "pnl"):
            digest.update(frame_of_trades[name].to_numpy().tobytes())
    return SignalSweep(
        step=step.name,
        symbol=bars.symbols[0],
        parameters=tuple(names),
        frame=frame,
        trades=frame_of_trades,
        assumptions=said,
        digest=digest.hexdigest(),
    )
