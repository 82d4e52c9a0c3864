"""The step contract: what a strategy sees (``Day``), how it speaks (``Book``), what it must not do.

A strategy is ``step(state, params, day, i, book) -> None``, called once a bar when bar ``i`` has closed:

1. It reads ``day`` at ``<= i`` only. Beyond ``i`` live sessions hold missing values, and the no-look-ahead law
   replaces them with garbage.
2. It keeps its memory in ``state`` (a one-element record, carried from session to session; what is intraday is
   reset at ``i == 0``) and reads its settings from ``params`` (a one-element record).
3. It speaks through the free functions below: :func:`enter`, :func:`enter_with`, :func:`enter_at_fill`, :func:`place`,
   :func:`move_stop`, :func:`move_target`, :func:`close`, :func:`cancel`, :func:`hold_overnight`, :func:`sleep`, and
   asks :func:`position`, :func:`is_open`, :func:`is_waiting`, :func:`is_leaving`, :func:`is_done`, :func:`realised`.

A *leg* is one position from its first fill until it is flat: what a trade table shows in one line. Orders belong to a
leg; when a leg becomes flat its other orders are cancelled. Prices are integer ticks (of futures: paise), quantities
signed units.
"""

from __future__ import annotations

import numpy as np

from algomaster.core.jit import kernel
from algomaster.strategy.steps.book import call_off, clear, compact, drop, new_book, new_state, note, open_leg, put
from algomaster.strategy.steps.records import (
    BAD_INSTRUMENT,
    BAD_QUANTITY,
    CLOSED,
    CRUSH,
    ENTRY,
    FILLS_FULL,
    FLAGS,
    HEDGE,
    INCOMPLETE,
    LEG,
    LEG_IS_OVER,
    LEGS_FULL,
    LIMIT,
    LOCK,
    LOG_FULL,
    LOSS_LIMIT,
    MARKET,
    MAX_LEGS,
    MAX_ORDERS,
    MAX_OVERNIGHT,
    MOMENTUM,
    N_CONTRACTS,
    N_COUNTS,
    N_LEGS,
    N_OPEN,
    N_ORDERS,
    N_PLACED,
    N_REALISED,
    N_TICK,
    N_WAKE,
    NEW,
    NIGHT_FULL,
    NO_CONTRACT,
    NO_INSTRUMENT,
    OPEN,
    ORDER,
    ORDERS_FULL,
    OVERALL_STOP,
    OVERALL_TARGET,
    PLACED,
    PPM,
    REASONS,
    REENTRY,
    SESSION_END,
    SETTLED,
    SIGNAL,
    SQUARE_OFF,
    STOP,
    STOPPED,
    TARGET,
    TIME,
    TOO_LATE,
    TRAIL,
    UNFILLED,
    WAITING,
    Book,
    Day,
)

__all__ = [
    "BAD_INSTRUMENT",
    "BAD_QUANTITY",
    "CLOSED",
    "CRUSH",
    "ENTRY",
    "FILLS_FULL",
    "FLAGS",
    "HEDGE",
    "INCOMPLETE",
    "LEG",
    "LEGS_FULL",
    "LEG_IS_OVER",
    "LIMIT",
    "LOCK",
    "LOG_FULL",
    "LOSS_LIMIT",
    "MARKET",
    "MAX_LEGS",
    "MAX_ORDERS",
    "MAX_OVERNIGHT",
    "MOMENTUM",
    "NEW",
    "NIGHT_FULL",
    "NO_CONTRACT",
    "NO_INSTRUMENT",
    "N_CONTRACTS",
    "N_COUNTS",
    "N_LEGS",
    "N_OPEN",
    "N_ORDERS",
    "N_PLACED",
    "N_REALISED",
    "N_TICK",
    "N_WAKE",
    "OPEN",
    "ORDER",
    "ORDERS_FULL",
    "OVERALL_STOP",
    "OVERALL_TARGET",
    "PLACED",
    "PPM",
    "REASONS",
    "REENTRY",
    "SESSION_END",
    "SETTLED",
    "SIGNAL",
    "SQUARE_OFF",
    "STOP",
    "STOPPED",
    "TARGET",
    "TIME",
    "TOO_LATE",
    "TRAIL",
    "UNFILLED",
    "WAITING",
    "Book",
    "Day",
    "at_the_money",
    "call_off",
    "cancel",
    "clear",
    "close",
    "close_of",
    "compact",
    "drop",
    "enter",
    "enter_at_fill",
    "enter_with",
    "future",
    "hold_overnight",
    "instrument_of",
    "is_done",
    "is_leaving",
    "is_open",
    "is_waiting",
    "leg_of",
    "move_stop",
    "move_target",
    "new_book",
    "new_state",
    "note",
    "open_leg",
    "place",
    "position",
    "put",
    "realised",
    "sleep",
    "tag",
]  # fmt: skip

# --- what a step asks --------------------------------------------------------------------------------------------


@kernel(inline=True, lean=True, inner=True)
def position(book: Book, leg: int) -> int:
    """Signed units a leg holds."""
    return book.legs[leg]["quantity"]


@kernel(inline=True, lean=True, inner=True)
def is_open(book: Book, leg: int) -> bool:
    """Whether a leg holds a position."""
    return book.legs[leg]["state"] == OPEN


@kernel(inline=True, lean=True, inner=True)
def is_waiting(book: Book, leg: int) -> bool:
    """Whether a leg's entry order is still resting."""
    return book.legs[leg]["state"] == WAITING


@kernel(lean=True, inner=True)
def is_leaving(book: Book, leg: int) -> bool:
    """Whether a market order on an open leg still waits for its price."""
    for slot in range(book.counts[N_ORDERS]):
        order = book.orders[slot]
        if order["leg"] == leg and order["kind"] == MARKET and order["live"] == 1:
            return True
    return False


@kernel(inline=True, lean=True, inner=True)
def is_done(book: Book) -> bool:
    """Whether nothing is held and nothing rests."""
    return book.counts[N_OPEN] == 0 and book.counts[N_ORDERS] == 0


@kernel(inline=True, lean=True, inner=True)
def realised(book: Book) -> int:
    """Paise that all closed legs netted, charges taken off, since the run began."""
    return book.counts[N_REALISED]


@kernel(inline=True, lean=True, inner=True)
def future(book: Book) -> int:
    """Instrument of the nearest future: quantities in units, prices in paise."""
    return book.counts[N_CONTRACTS]


@kernel(lean=True, inner=True)
def leg_of(book: Book, number: int) -> int:
    """Newest leg with that tag, or -1."""
    for leg in range(book.counts[N_LEGS] - 1, -1, -1):
        if book.legs[leg]["tag"] == number:
            return leg
    return -1


@kernel(lean=True, inner=True)
def instrument_of(day: Day, expiry: int, strike: int, right: int) -> int:
    """Index of a contract, or NO_INSTRUMENT where the session has no such strike.

    ``expiry`` is the index on the expiries axis, ``strike`` in paise, ``right`` 0 for the call, 1 for the put.
    """
    low, high = 0, day.strikes.size
    while low < high:
        middle = (low + high) // 2
        if day.strikes[middle] < strike:
            low = middle + 1
        else:
            high = middle
    if low >= day.strikes.size or day.strikes[low] != strike or expiry >= day.expiries.size:
        return NO_INSTRUMENT
    return (expiry * day.strikes.size + low) * 2 + right


@kernel(lean=True, inner=True)
def at_the_money(day: Day, expiry: int, spot: int) -> int:
    """Strike (paise) nearest to ``spot`` (paise) on the expiry's strike step; halfway goes up."""
    step = day.strike_step[expiry]
    return (2 * spot + step) // (2 * step) * step


@kernel(inline=True, lean=True, inner=True)
def close_of(day: Day, instrument: int, i: int) -> int:
    """Close of bar ``i``: of a contract in ticks, of the future in paise."""
    right = instrument % 2
    row = instrument // 2
    strikes = day.strikes.size
    if row >= strikes * day.expiries.size:
        return int(day.future[i])
    return int(np.int64(day.close[row // strikes, row % strikes, right, i]))


# --- what a step says --------------------------------------------------------------------------------------------


@kernel(inline=True, lean=True, inner=True)
def sleep(book: Book, until: int) -> None:
    """Promise that calls before bar ``until`` has closed would change nothing, unless an order of this book fills.

    A host may then leave those calls out (or not). The promise lasts until the next call.
    """
    book.counts[N_WAKE] = until


@kernel(inline=True, lean=True, inner=True)
def tag(book: Book, leg: int, number: int) -> None:
    """Mark a leg with a number of the strategy's own; see :func:`leg_of`. Legs without one have 0."""
    book.legs[leg]["tag"] = number


@kernel(inline=True, lean=True, inner=True)
def hold_overnight(book: Book, leg: int) -> None:
    """Let a leg stay open at the session's end: it opens the next session, its stop and target still resting.

    At its expiry it is settled in cash (reason ``settled``). Slots are given anew each session: see :func:`leg_of`.
    """
    book.legs[leg]["overnight"] = 1


@kernel(lean=True, inner=True)
def place(book: Book, i: int, leg: int, kind: int, quantity: int, price: int, reason: int) -> int:
    """Place an order on a waiting or open leg; it meets the market after bar ``i``. Gives its slot, or -1.

    ``kind`` is MARKET, LIMIT or STOP, ``price`` the limit or trigger (ignored for MARKET). An order never
    takes a leg through zero: at most what is held is left.
    """
    slot = put(book, i, leg, kind, quantity, price, reason, 0, 0)
    note(book, slot)
    return slot


@kernel(lean=True, inner=True)
def enter(book: Book, i: int, instrument: int, quantity: int, stop_ppm: int, target_ppm: int) -> int:
    """Open a new leg at the market; its stop and target (parts per million, 0 for none) live from its fill.

    Gives the leg, or -1 when the book is full.
    """
    return enter_with(book, i, instrument, quantity, MARKET, 0, stop_ppm, target_ppm, 0, 0)


@kernel(lean=True, inner=True)
def enter_with(
    book: Book, i: int, instrument: int, quantity: int, kind: int, price: int,
    stop_ppm: int, target_ppm: int, stop_ticks: int, target_ticks: int,
) -> int:  # fmt: skip
    """Open a new leg by an order of any kind; what :func:`enter` does, and more.

    A STOP or LIMIT rests at ``price`` until it is filled or called off by :func:`close`. Stop and target stand a part
    (ppm) or a number of price units (ticks) from the fill; where both are given they add up.
    """
    leg = open_leg(book)
    if leg >= 0:
        book.legs[leg]["instrument"] = instrument
        book.legs[leg]["state"] = WAITING
        if instrument == book.counts[N_CONTRACTS]:
            book.legs[leg]["unit"] = 1
        slot = put(book, i, leg, kind, quantity, price, ENTRY, 0, 0)
        _attach(book, slot, stop_ppm, target_ppm, stop_ticks, target_ticks)
        note(book, slot)
    return leg


@kernel(lean=True, inner=True)
def enter_at_fill(
    book: Book, i: int, expiry: int, right: int, steps: int, quantity: int, stop_ppm: int, target_ppm: int
) -> int:
    """Open a new leg whose strike is chosen at the moment of the fill: ``steps`` strikes from the money then.

    Late orders that wait bind together: at a moment when one of them finds no contract, all of them are called off.
    """
    leg = open_leg(book)
    if leg >= 0:
        book.legs[leg]["state"] = WAITING
        slot = put(book, i, leg, MARKET, quantity, 0, ENTRY, 0, 1)
        if slot >= 0:
            order = book.orders[slot]
            order["expiry"] = expiry
            order["right"] = right
            order["steps"] = steps
        _attach(book, slot, stop_ppm, target_ppm, 0, 0)
        note(book, slot)
    return leg


@kernel(inline=True, lean=True, inner=True)
def _attach(book: Book, slot: int, stop_ppm: int, target_ppm: int, stop_ticks: int, target_ticks: int) -> None:
    if slot >= 0:
        order = book.orders[slot]
        order["stop_ppm"] = stop_ppm
        order["target_ppm"] = target_ppm
        order["stop_ticks"] = stop_ticks
        order["target_ticks"] = target_ticks


@kernel(lean=True, inner=True)
def move_stop(book: Book, i: int, leg: int, price: int, reason: int) -> None:
    """Give an open leg's stop a new trigger and reason, for the bars after ``i``; one that has none gets one."""
    _move(book, i, leg, STOP, price, reason)


@kernel(lean=True, inner=True)
def move_target(book: Book, i: int, leg: int, price: int, reason: int) -> None:
    """Give an open leg's target a new price and reason, for the bars after ``i``; one that has none gets one."""
    _move(book, i, leg, LIMIT, price, reason)


@kernel(lean=True, inner=True)
def _move(book: Book, i: int, leg: int, kind: int, price: int, reason: int) -> None:
    if not is_open(book, leg) or book.legs[leg]["instrument"] < 0:
        return
    slot = -1
    for k in range(book.counts[N_ORDERS]):
        order = book.orders[k]
        if order["leg"] == leg and order["kind"] == kind and order["live"] == 1:
            slot = k
    if slot < 0:
        slot = put(book, i, leg, kind, -book.legs[leg]["quantity"], price, reason, 1, 0)
    else:
        order = book.orders[slot]
        order["price"] = price
        order["reason"] = reason
        order["bar"] = i
        order["since"] = i + 1
    note(book, slot)


@kernel(lean=True, inner=True)
def close(book: Book, i: int, leg: int, reason: int) -> None:
    """Leave a leg at the market, once; a leg that still waits for its entry is called off instead.

    A leg out of the night whose contract the session's data lacks cannot be left today.
    """
    if is_waiting(book, leg):
        cancel(book, leg)
        book.legs[leg]["state"] = UNFILLED
    elif is_open(book, leg) and book.legs[leg]["instrument"] >= 0 and not is_leaving(book, leg):
        note(book, put(book, i, leg, MARKET, -book.legs[leg]["quantity"], 0, reason, 1, 0))


@kernel(lean=True, inner=True)
def cancel(book: Book, leg: int) -> None:
    """Cancel every resting order of a leg."""
    drop(book, leg)
    compact(book)
