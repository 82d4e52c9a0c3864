"""From the arrays of a running session to what a person sees of it. Any host that has the arrays can use it.

A recorder only reads, and reads of the day what is known when ``at`` bars have closed; it holds nothing that a step
back would have to undo.
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import numpy as np

from algomaster.backtest.playback.chain_view import chain_rows, held_premium, of_the_night, straddle_premium
from algomaster.backtest.playback.snapshots import SCHEMA, Event, Money, Position, Resting, Series, Snapshot
from algomaster.backtest.session import KINDS
from algomaster.core.types import IST_OFFSET_NS, MINUTE_NS, MISSING, PAISE, Record
from algomaster.execution.ledger import AT_CLOSE, Log
from algomaster.strategy.steps.contract import (
    CLOSED,
    LIMIT,
    MARKET,
    N_CONTRACTS,
    N_LEGS,
    N_ORDERS,
    N_PLACED,
    NO_INSTRUMENT,
    OPEN,
    REASONS,
    STOP,
    Book,
    Day,
)

__all__ = ["Recorder", "Scene"]

_EPOCH: Final = date(1970, 1, 1)
_STATES: Final = ("new", "waiting", "open", "closed", "unfilled", "no contract", "too late")
_KINDS: Final = ("", "market", "limit", "stop")
_FUTURE: Final = 2


class Scene(NamedTuple):
    """The arrays of a running session, as its host has them."""

    day: Day
    book: Book
    account: Record
    log: Log
    state: Record


class Recorder:
    """Look at running sessions of one strategy.

    Parameters
    ----------
    underlying, strategy : str
        Names to show.
    opening : int
        Equity in paise at the session's start.
    around : int
        Strikes shown to each side of the money.
    iv : bool
        Whether implied volatilities are computed.

    Examples
    --------
    >>> from algomaster import backtest, market
    >>> day = market.simulate("NIFTY", sessions=1, start="2024-01-01", strikes=11, seed=7)[0]
    >>> run = backtest.Stepper("straddle", day)
    >>> recorder = backtest.Recorder("NIFTY", "straddle")
    >>> run.seek("09:21")
    6
    >>> recorder.snapshot(run.scene, run.at).time
    '2024-01-01T09:21:00+05:30'
    >>> [event.what for event in recorder.events(run.scene, 0, run.at)]
    ['order', 'order', 'fill', 'fill', 'order', 'order']
    """

    def __init__(self, underlying: str, strategy: str, *, opening: int = 0, around: int = 5, iv: bool = True) -> None:
        self.underlying = underlying
        self.strategy = strategy
        self.opening = opening
        self.around = around
        self.iv = iv

    def snapshot(self, scene: Scene, at: int, *, since: int = 0) -> Snapshot:
        """Give what is to be seen when ``at`` bars have closed, with the events from bar ``since`` on."""
        day, last = scene.day, at - 1
        view = chain_rows(day, last, around=self.around, iv=self.iv)
        pnl = (scene.log.equity[:at] - self.opening) / PAISE
        series = Series(straddle_premium(day, at), held_premium(scene, at), tuple(pnl.tolist()))
        return Snapshot(
            schema=SCHEMA,
            strategy=self.strategy,
            underlying=self.underlying,
            session=_date(day.session) or "",
            at=at,
            bars=int(day.ts.size),
            time=_time(int(day.ts[0]) + at * MINUTE_NS),
            spot=_rupees(day.spot[last]) if at else None,
            future=_rupees(day.future[last]) if at else None,
            vix=_rupees(day.vix[last]) if at else None,
            expiry=_date(day.expiries[0]) or "",
            lot=int(day.lot[0]),
            forward=view.forward,
            money=view.money,
            straddle=series.straddle[-1] if at else None,
            held=series.held[-1] if at else None,
            chain=view.rows,
            positions=tuple(self.position(scene, number) for number in range(scene.book.counts[N_LEGS])),
            orders=tuple(_resting(scene, order) for order in scene.book.orders[: scene.book.counts[N_ORDERS]]),
            events=tuple(self.events(scene, since, at)),
            account=self._money(scene, at),
            state=_memory(scene.state),
            series=series,
        )

    def events(self, scene: Scene, since: int, at: int) -> list[Event]:
        """Give what happened from bar ``since`` to bar ``at - 1``, in the order of time."""
        placed = scene.book.log[: scene.book.counts[N_PLACED]]
        filled = scene.log.fills[: scene.log.n_fills[0]]
        found = [_filled(scene, fill) for fill in filled if since <= fill["bar"] < at]
        found += [_placed(scene, order) for order in placed if since <= order["bar"] < at]
        # of one moment a fill comes before the orders that follow from it
        return sorted(found, key=lambda event: (event.bar, event.time, event.what))

    def _money(self, scene: Scene, at: int) -> Money:
        account = scene.account[0]
        equity = int(scene.log.equity[at - 1]) if at else self.opening
        return Money(
            pnl=(equity - self.opening) / PAISE,
            equity=equity / PAISE,
            realised=int(account["realised"]) / PAISE,
            open=(equity - int(account["cash"]) + int(account["charges"])) / PAISE,
            costs=int(account["charges"]) / PAISE,
            drawdown=int(account["drawdown"]) / PAISE,
            trades=int(account["trades"]),
        )

    def position(self, scene: Scene, number: int) -> Position:
        """Give one leg of the session."""
        leg = scene.book.legs[number]
        name = _named(scene, leg["instrument"], leg)
        entered = leg["state"] in (OPEN, CLOSED) and leg["entry_price"] != MISSING
        marked = int(leg["quantity"] * leg["mark"] * leg["unit"]) if entered else 0
        stop, target = (_attached(scene, number, kind) for kind in (STOP, LIMIT))
        return Position(
            leg=number,
            contract=name.text,
            expiry=name.expiry,
            right=name.right,
            strike=name.strike,
            state=_STATES[leg["state"]],
            quantity=int(leg["quantity"]),
            entry_time=_entry_time(scene, number) if entered else None,
            entry_price=int(leg["entry_price"]) * name.unit / PAISE if entered else None,
            price=int(leg["mark"] * leg["unit"]) / PAISE if entered and leg["mark"] != MISSING else None,
            pnl=int(leg["cash"] - leg["charges"] + marked) / PAISE,
            costs=int(leg["charges"]) / PAISE,
            stop=stop,
            target=target,
            overnight=bool(leg["overnight"]),
            tag=int(leg["tag"]),
        )


class _Name(NamedTuple):
    """What a contract is called; ``unit`` is the paise in a unit of its prices."""

    text: str
    expiry: str | None
    right: str | None
    strike: float | None
    unit: int


def _named(scene: Scene, instrument: int, leg: Any) -> _Name:
    day, contracts = scene.day, int(scene.book.counts[N_CONTRACTS])
    if instrument == contracts or (instrument == NO_INSTRUMENT and leg["right"] == _FUTURE):
        return _Name(KINDS[_FUTURE], None, KINDS[_FUTURE], None, 1)
    if instrument == NO_INSTRUMENT:
        if leg["expiry"] == 0:  # its strike is not chosen yet
            return _Name("not chosen yet", None, None, None, int(day.tick))
        days, strike, right = leg["expiry"], leg["strike"], leg["right"]
    else:
        days = day.expiries[instrument // 2 // day.strikes.size]
        strike, right = day.strikes[instrument // 2 % day.strikes.size], instrument % 2
    strike = int(strike) / PAISE
    return _Name(f"{strike:g} {KINDS[right]}", _date(days), KINDS[right], strike, int(day.tick))


def _entry_time(scene: Scene, number: int) -> str | None:
    """When a leg was first filled; nothing for one out of the night, whose bar was of another session."""
    leg = scene.book.legs[number]
    for fill in scene.log.fills[: scene.log.n_fills[0]]:
        if fill["leg"] == number and fill["bar"] == leg["entry_bar"] and not of_the_night(leg):
            return _moment(scene, fill)
    return None


def _moment(scene: Scene, fill: Any) -> str:
    return _time(int(scene.day.ts[fill["bar"]]) + (MINUTE_NS if fill["moment"] == AT_CLOSE else 0))


def _attached(scene: Scene, number: int, kind: int) -> float | None:
    """Price at which a leg would be left by a stop or a limit that rests."""
    for order in scene.book.orders[: scene.book.counts[N_ORDERS]]:
        if order["leg"] == number and order["kind"] == kind and order["live"] and scene.book.legs[number]["quantity"]:
            return _price(scene, order)
    return None


def _price(scene: Scene, order: Any) -> float | None:
    if order["kind"] == MARKET:
        return None
    unit = 1 if order["instrument"] == scene.book.counts[N_CONTRACTS] else int(scene.day.tick)
    return int(order["price"]) * unit / PAISE


def _contract(scene: Scene, order: Any) -> str:
    if order["late"] and order["instrument"] == NO_INSTRUMENT:
        return f"ATM{order['steps']:+d} {KINDS[order['right']]}" if order["steps"] else f"ATM {KINDS[order['right']]}"
    return _named(scene, order["instrument"], scene.book.legs[order["leg"]]).text


def _resting(scene: Scene, order: Any) -> Resting:
    return Resting(
        leg=int(order["leg"]),
        contract=_contract(scene, order),
        kind=_KINDS[order["kind"]],
        quantity=int(order["quantity"]),
        price=_price(scene, order),
        reason=REASONS[order["reason"]],
        placed=_time(int(scene.day.ts[0]) + (int(order["bar"]) + 1) * MINUTE_NS),
    )


def _placed(scene: Scene, order: Any) -> Event:
    return Event(
        what="order",
        time=_time(int(scene.day.ts[order["bar"]]) + MINUTE_NS),
        bar=int(order["bar"]),
        leg=int(order["leg"]),
        contract=_contract(scene, order),
        kind=_KINDS[order["kind"]],
        quantity=int(order["quantity"]),
        price=_price(scene, order),
        reason=REASONS[order["reason"]],
        costs=None,
    )


def _filled(scene: Scene, fill: Any) -> Event:
    return Event(
        what="fill",
        time=_moment(scene, fill),
        bar=int(fill["bar"]),
        leg=int(fill["leg"]),
        contract=_named(scene, fill["instrument"], fill).text,
        kind="buy" if fill["quantity"] > 0 else "sell",
        quantity=int(fill["quantity"]),
        price=int(fill["price"]) / PAISE,
        reason=REASONS[fill["reason"]],
        costs=int(fill["costs"]) / PAISE,
    )


def _memory(state: Record) -> dict[str, Any]:
    return {name: _plain(state[0][name].tolist()) for name in state.dtype.names or ()}


def _plain(value: Any) -> Any:
    """Give a value as JSON knows it: what is no finite number is None."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _rupees(paise: Any) -> float | None:
    return None if paise == MISSING else int(paise) / PAISE


def _date(days: Any) -> str | None:
    return (_EPOCH + timedelta(days=int(days))).isoformat()


def _time(ns: int) -> str:
    return f"{np.datetime64(ns + IST_OFFSET_NS, 'ns').astype('datetime64[s]')}+05:30"
