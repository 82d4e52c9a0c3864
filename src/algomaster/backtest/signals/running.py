"""``from_signals``: entries and exits given as arrays, one symbol or many, each on its own cash or on one together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from algomaster.backtest.signals.inputs import (
    BarInput,
    Flags,
    Matrix,
    as_times,
    duration,
    flags_of,
    groups_of,
    read_bars,
    read_matrix,
    setting,
)
from algomaster.backtest.signals.result import SignalResult, result_of
from algomaster.core.errors import ConfigError
from algomaster.core.types import FloatArray, IntArray, Record
from algomaster.execution.bars_account import ACCOUNT, COLUMN, FILL, Settings
from algomaster.execution.bars_engine import CLOSE, NEXT_CLOSE, NEXT_OPEN, PRICE, TERMS, Bars, run_groups
from algomaster.execution.bars_rules import (
    ACCUMULATE,
    CONFLICTS,
    DIR_CONFLICTS,
    DIRECTIONS,
    LONG_IN,
    LONG_OUT,
    OPPOSITE_ENTRIES,
    SHORT_IN,
    SHORT_OUT,
    SIZE_TYPES,
)

__all__ = ["from_signals"]

FILL_MODES: Final = {
    "next_open": NEXT_OPEN, "strict": NEXT_OPEN, "next_close": NEXT_CLOSE, "close": CLOSE, "decision_close": CLOSE,
}  # fmt: skip
SEQUENCES: Final = ("fixed", "sells_first")
_ROOM: Final = 1 << 16
"""Fills that the first pass has room for, at least; a run with more is counted and done again."""


def from_signals(
    close: Any,
    entries: Any,
    exits: Any = None,
    *,
    short_entries: Any = None,
    short_exits: Any = None,
    open: Any = None,
    high: Any = None,
    low: Any = None,
    times: Any = None,
    freq: str | None = None,
    fill: str | None = None,
    price: Any = None,
    size: Any = math.inf,
    size_type: str = "amount",
    size_granularity: Any = 0.0,
    fees: Any = 0.0,
    fixed_fees: Any = 0.0,
    slippage: Any = 0.0,
    sl_stop: Any = None,
    tp_stop: Any = None,
    trail_stop: Any = None,
    init_cash: Any = 100_000.0,
    cash_sharing: bool = False,
    group_by: Sequence[Any] | None = None,
    call_seq: str = "sells_first",
    direction: str = "longonly",
    accumulate: bool | str = False,
    allow_partial: bool = True,
    upon_conflict: str = "ignore",
    upon_dir_conflict: str = "ignore",
    upon_opposite_entry: str = "reverse",
) -> SignalResult:
    """Trade entries and exits on bars; a signal of bar ``i`` is known at its close and filled after that.

    Parameters
    ----------
    close : (T,) or (T, N)
        Prices of one symbol or many: numpy, pandas or polars. NaN where a symbol has no bar. One column of prices
        serves signals of many columns.
    entries, exits : (T,) or (T, N) of bool
        Signals to open and to close; missing is no. With ``direction="shortonly"`` they are those of shorts, with
        "both" (and no short signals) an exit is an entry into a short.
    short_entries, short_exits : optional
        Signals of shorts, beside those of longs; they set ``direction`` to "both".
    open, high, low : optional
        Without an open the fill is at the next close. Without a range it is what open and close span.
    times : optional
        Start of each bar; a pandas index or a polars column of times is taken by itself.
    freq : str, optional
        Length of a bar ("1m", "1d"). A fill at a close is then stamped with the bar's end.
    fill : "next_open", "next_close", "close", optional
        Where a signal is filled: at the next bar's open (default where an open is given), at its close (default where
        none is), or at the very close it was decided on. "strict" and "decision_close" name the first and the last.
    price : optional
        Own fill prices: a signal of bar ``i`` fills on bar ``i`` at ``price[i]``. That the price could be had is then
        your word.
    size : float or array
        What an entry buys; infinite is all the free cash.
    size_type : "amount", "value" or "percent"
        Units, money, or a share (0 to 1) of the free cash.
    size_granularity : float or array
        Units are whole multiples of it (1 for shares); 0 leaves fractions.
    fees, fixed_fees, slippage : float or array
        Share of the value, money an order, share of the price. All 0 unless said, and the result says so.
    sl_stop, trail_stop, tp_stop : float or array, optional
        Shares of the entry price (of the best price since, for the trailing stop). Read on the bar of the decision.
        A target is a limit order and has no slippage.
    init_cash : float or sequence
        Of each group.
    cash_sharing : bool
        Whether symbols share one cash: all of them, or those of a label in ``group_by``.
    call_seq : "sells_first" or "fixed"
        Who comes first on one bar: closings and then entries, or column by column.
    direction : "longonly", "shortonly" or "both"
    accumulate : bool, "add_only" or "remove_only"
        Whether an entry adds to a position and an exit takes ``size`` off it.
    allow_partial : bool
        Whether an order beyond the cash is filled as far as it goes, or refused.
    upon_conflict : "ignore", "entry", "exit", "adjacent", "opposite"
        Entry and exit on one bar. "adjacent" adds to a position, "opposite" closes it; without one both do nothing.
    upon_dir_conflict : "ignore", "long", "short", "adjacent", "opposite"
        Entries into both directions on one bar.
    upon_opposite_entry : "reverse", "close", "ignore"
        An entry against the position.

    Returns
    -------
    SignalResult
        Trades, orders, equity, metrics, and notes on whatever a reader should know.

    Raises
    ------
    ConfigError
        A word is none of those above, or words do not go together.
    ValueError, TypeError
        Values are not numbers, out of range, or of another shape; the message names the argument.

    Examples
    --------
    >>> from algomaster import backtest
    >>> run = backtest.from_signals(
    ...     [10.0, 11.0, 12.0, 11.0], [1, 0, 0, 0], [0, 0, 1, 0], open=[10.0, 10.5, 12.0, 11.5], fees=0.001
    ... )
    >>> run.trades["entry_price"].item(), run.trades["exit_price"].item()
    (10.5, 11.5)
    """
    first = read_matrix(close, "close")
    given = {"entries": entries, "exits": exits, "short_entries": short_entries, "short_exits": short_exits}
    shorts = short_entries is not None or short_exits is not None
    flags, names = _flags(given, first, word_of(direction, DIRECTIONS, "direction"), shorts)
    columns = max(first.values.shape[1], flags.shape[1])
    bars = read_bars(close, open=open, high=high, low=low, times=times, columns=columns)
    if names is not None and first.values.shape[1] == 1 < columns:
        bars = bars._replace(symbols=names)
    flags = np.ascontiguousarray(np.broadcast_to(flags, bars.close.shape))
    shape = bars.close.shape
    kinds = SIZE_TYPES[:3]
    terms = np.zeros(1, TERMS)
    terms[0]["size_type"] = word_of(size_type, kinds, "size_type")
    terms[0]["accumulate"] = _accumulate(accumulate)
    terms[0]["conflict"] = word_of(upon_conflict, CONFLICTS, "upon_conflict")
    terms[0]["dir_conflict"] = word_of(upon_dir_conflict, DIR_CONFLICTS, "upon_dir_conflict")
    terms[0]["opposite"] = word_of(upon_opposite_entry, OPPOSITE_ENTRIES, "upon_opposite_entry")
    terms[0]["sequence"] = word_of(call_seq, SEQUENCES, "call_seq")
    terms[0]["partial"] = int(allow_partial)
    terms[0]["stops"] = int(any(stop is not None for stop in (sl_stop, trail_stop, tp_stop)))
    terms[0]["fill"] = fill_mode(fill, price, bars)
    settings = Settings(
        size=setting(size, "size", shape, least=0.0, nan=False),
        price=setting(price, "price", shape, nan=True),
        **costs_of(fees, fixed_fees, slippage, size_granularity, shape),
        stop=setting(sl_stop, "sl_stop", shape, least=0.0, nan=True),
        trail=setting(trail_stop, "trail_stop", shape, least=0.0, nan=True),
        target=setting(tp_stop, "tp_stop", shape, least=0.0, nan=True),
    )
    said = {
        "kind": "signals", "size": told(size), "size_type": size_type, "sl_stop": told(sl_stop),
        "tp_stop": told(tp_stop), "trail_stop": told(trail_stop), "direction": "both" if shorts else direction,
        "accumulate": accumulate, "upon_conflict": upon_conflict, "upon_dir_conflict": upon_dir_conflict,
        "upon_opposite_entry": upon_opposite_entry,
    }  # fmt: skip
    said |= {"fees": told(fees), "fixed_fees": told(fixed_fees), "slippage": told(slippage)}
    said |= {"size_granularity": told(size_granularity), "allow_partial": allow_partial, "call_seq": call_seq}
    groups = groups_of(group_by, cash_sharing, bars.symbols)
    return run_and_tell(bars, flags, settings, terms, groups=groups, init_cash=init_cash, freq=freq, said=said)


def _flags(
    given: dict[str, Any], first: Matrix, direction: int, shorts: bool
) -> tuple[Flags, tuple[str, ...] | None]:  # fmt: skip
    """Put the four kinds of signals into one array of flags (T, 1 or N)."""
    weights = {"entries": LONG_IN, "exits": LONG_OUT, "short_entries": SHORT_IN, "short_exits": SHORT_OUT}
    if not shorts and DIRECTIONS[direction] == "shortonly":
        weights = {"entries": SHORT_IN, "exits": SHORT_OUT}
    elif not shorts and DIRECTIONS[direction] == "both":
        weights = {"entries": LONG_IN, "exits": SHORT_IN}
    found = {name: flags_of(values, name, first) for name, values in given.items() if values is not None}
    wide = max(flags.shape[1] for flags, _ in found.values())
    wide = max(wide, first.values.shape[1])
    total = np.zeros((first.values.shape[0], max(flags.shape[1] for flags, _ in found.values())), np.uint8)
    names = None
    for name, (flags, own) in found.items():
        if flags.shape[1] not in (1, wide):
            raise ValueError(f"{name}: expected 1 or {wide} columns, got {flags.shape[1]}")
        total |= flags * np.uint8(weights[name])
        names = own if own is not None and flags.shape[1] == wide else names
    return total, names


def word_of(word: str, words: Sequence[str], name: str) -> int:
    text = str(word).lower()
    plain = [known.replace("_", "") for known in words]
    if text.replace("_", "") not in plain:
        raise ConfigError(f"Expected {name} to be one of {', '.join(words)}, got {word!r}.")
    return plain.index(text.replace("_", ""))


def _accumulate(accumulate: bool | str) -> int:
    if isinstance(accumulate, bool):
        return int(accumulate)
    return word_of(accumulate, ACCUMULATE, "accumulate")


def told(value: Any) -> Any:
    """Write a setting for the assumptions: a number as it is, an array as its shape."""
    if value is None or isinstance(value, int | float | str):
        return "all the free cash" if value == math.inf else value
    return f"values {np.shape(value)}"


def fill_mode(fill: str | None, price: Any, bars: BarInput) -> int:
    """Give the number of a fill rule; by default the next price that is known after the decision."""
    if price is not None:
        if fill is not None:
            raise ConfigError(f"Expected fill or price, got both (fill={fill!r}).", hint="price says where it fills.")
        return PRICE
    if fill is None:
        return NEXT_OPEN if bars.has_open else NEXT_CLOSE
    mode = FILL_MODES.get(fill)
    if mode is None:
        raise ConfigError(f"Expected fill to be one of {', '.join(FILL_MODES)}, got {fill!r}.")
    if mode == NEXT_OPEN and not bars.has_open:
        raise ConfigError(f"fill={fill!r} needs opens.", hint="Give open=..., or fill='next_close' or 'close'.")
    return mode


def costs_of(fees: Any, fixed_fees: Any, slippage: Any, granularity: Any, shape: tuple[int, int]) -> dict[str, Any]:
    """Give the settings of costs, checked."""
    return {
        "fees": setting(fees, "fees", shape, least=0.0, most=1.0, nan=False),
        "fixed_fees": setting(fixed_fees, "fixed_fees", shape, least=0.0, nan=False),
        "slippage": setting(slippage, "slippage", shape, least=0.0, most=1.0, nan=False),
        "granularity": setting(granularity, "size_granularity", shape, least=0.0, nan=False),
    }


def run_and_tell(
    bars: BarInput, flags: Flags, settings: Settings, terms: Record, *, groups: tuple[list[str], IntArray],
    init_cash: Any, freq: str | None, said: dict[str, Any],
) -> SignalResult:  # fmt: skip
    """Run groups in the order of their columns and make the result."""
    names, member = groups
    step = duration(freq)
    if bars.times is None and step:
        bars = bars._replace(times=as_times(np.arange(len(bars.close), dtype=np.int64) * step))
    order = np.argsort(member, kind="stable")
    if not np.array_equal(order, np.arange(order.size)):
        moved: dict[str, Any] = {n: np.ascontiguousarray(getattr(bars, n)[:, order]) for n in Bars._fields}
        bars = bars._replace(**moved, symbols=tuple(bars.symbols[c] for c in order))
        flags = np.ascontiguousarray(flags[:, order])
        settings = Settings(
            *(np.ascontiguousarray(one[:, order]) if one.shape[1] > 1 else one for one in settings)
        )  # fmt: skip
    starts = np.searchsorted(member[order], np.arange(len(names) + 1)).astype(np.int64)
    cash = np.array(np.broadcast_to(np.asarray(init_cash, dtype=np.float64), (len(names),)))
    if not np.all((cash > 0.0) & np.isfinite(cash)):
        raise ValueError(f"init_cash: expected money above 0, got {init_cash!r}")
    tape = Bars(*(getattr(bars, name) for name in Bars._fields))
    fills, rooms, accounts = run_all(tape, flags, settings, terms, starts, cash)
    return result_of(
        bars, fills, rooms, accounts, starts=starts, groups=names, cash=cash, terms=terms, step=step, said=said
    )


def run_all(
    tape: Bars, flags: Flags, settings: Settings, terms: Record, starts: IntArray, cash: FloatArray
) -> tuple[Record, IntArray, Record]:
    """Run all groups; where a group had more fills than there was room for, all are run again with room enough."""
    groups = starts.size - 1
    room = np.full(groups, max(_ROOM // groups, 16), np.int64)
    while True:
        rooms = np.append(0, np.cumsum(room)).astype(np.int64)
        fills = np.empty(int(rooms[-1]), FILL)
        columns, accounts = np.zeros(flags.shape[1], COLUMN), np.zeros(groups, ACCOUNT)
        accounts["cash"] = cash
        run_groups(tape, flags, settings, terms, columns, accounts, fills, starts, rooms)
        if np.all(accounts["fills"] <= room):
            break
        room = np.maximum(accounts["fills"], 1)
    kept = [fills[rooms[g] : rooms[g] + accounts["fills"][g]] for g in range(groups)]
    ends = np.append(0, np.cumsum(accounts["fills"])).astype(np.int64)
    return np.concatenate(kept) if kept else fills[:0], ends, accounts
