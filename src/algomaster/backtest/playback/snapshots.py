"""What a person would see of a session at one moment, as plain data: the schema of ``algo replay --json``.

Money is in rupees, prices in rupees a unit, times are ISO 8601 with India's offset. What is not known is None.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

__all__ = ["SCHEMA", "ChainRow", "Event", "Money", "Position", "Quote", "Resting", "Series", "Snapshot"]

SCHEMA: Final = 1
"""Number of this form of a snapshot; it grows when a field changes its meaning or goes away."""


@dataclasses.dataclass(frozen=True, slots=True)
class Quote:
    """One contract of the chain at the last bar's end; ``iv`` is a year's volatility (0.14 is 14 %).

    ``price`` is the middle of the quotes, else the close; ``oi_change`` counts from the session's first bar.
    """

    price: float | None
    bid: float | None
    ask: float | None
    volume: int | None
    oi: int | None
    oi_change: int | None
    iv: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class ChainRow:
    """Call and put of one strike of the nearest expiry."""

    strike: float
    call: Quote
    put: Quote


@dataclasses.dataclass(frozen=True, slots=True)
class Position:
    """One leg of the session; ``pnl`` is net of its charges, ``costs`` are these charges.

    ``state`` is "waiting", "open", "closed" or why there was no trade ("unfilled", "no contract", "too late");
    ``quantity`` is what is held, short negative; ``price`` the last traded close, of a closed leg its last fill.
    """

    leg: int
    contract: str
    expiry: str | None
    right: str | None
    strike: float | None
    state: str
    quantity: int
    entry_time: str | None
    entry_price: float | None
    price: float | None
    pnl: float
    costs: float
    stop: float | None
    target: float | None
    overnight: bool
    tag: int


@dataclasses.dataclass(frozen=True, slots=True)
class Resting:
    """An order that rests; market orders have no price."""

    leg: int
    contract: str
    kind: str
    quantity: int
    price: float | None
    reason: str
    placed: str


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: an order placed or moved ("order"), or a fill ("fill").

    ``bar`` counts from 0; a fill at an open or inside a bar has the bar's start as its time, one at a close its end.
    """

    what: str
    time: str
    bar: int
    leg: int
    contract: str
    kind: str
    quantity: int
    price: float | None
    reason: str
    costs: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class Money:
    """The account: ``pnl`` is what the session has made so far after costs, ``open`` what open legs are worth.

    ``equity`` counts from the run's first session; ``realised`` is what closed legs netted since then, ``drawdown``
    the deepest fall of the equity since then.
    """

    pnl: float
    equity: float
    realised: float
    open: float
    costs: float
    drawdown: float
    trades: int


@dataclasses.dataclass(frozen=True, slots=True)
class Series:
    """Values at the end of each bar that has closed: of ``straddle`` and ``held``, and what the session had made."""

    straddle: tuple[float | None, ...]
    held: tuple[float | None, ...]
    pnl: tuple[float, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot:
    """A session when ``at`` of its ``bars`` have closed.

    ``forward`` is by put-call parity at ``money``, the strike nearest to the index; ``straddle`` is what call and put
    at the money cost together (the strike moves with the index), ``held`` what it costs to leave the open option legs,
    a unit of the largest (known since all of them were open). ``events`` are those since the bar that was asked for,
    ``state`` is the strategy's memory by name.
    """

    schema: int
    strategy: str
    underlying: str
    session: str
    at: int
    bars: int
    time: str
    spot: float | None
    future: float | None
    vix: float | None
    expiry: str
    lot: int
    forward: float | None
    money: float | None
    straddle: float | None
    held: float | None
    chain: tuple[ChainRow, ...]
    positions: tuple[Position, ...]
    orders: tuple[Resting, ...]
    events: tuple[Event, ...]
    account: Money
    state: dict[str, Any]
    series: Series

    def to_dict(self, *, series: bool = True) -> dict[str, Any]:
        """Give everything, or all but the series, as plain values for JSON."""
        plain = dataclasses.asdict(self)
        if not series:
            del plain["series"]
        return plain
