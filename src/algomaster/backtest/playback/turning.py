"""Turn a session another way at one bar: other settings, or legs left by hand.

The step reads other settings from the next bar on. But memory and resting orders are of the old ones, so the new ones
are put in as early as can be:

1. The session is run anew with them from its beginning, else from its first fill, its second, ... until one of these
   runs has filled just the same by now (:func:`_earliest`). That run's memory and orders are gone on with.
2. For legs opened before that, the decision that opened each is taken again on the state of its moment; the stop and
   the target that it attaches are where those of the leg go (:func:`_moves`).

What cannot follow is refused (:func:`_refuse`) or told in the stepper's notes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from algomaster.backtest.playback.chain_view import of_the_night
from algomaster.core.errors import ConfigError
from algomaster.core.types import RIGHTS, Record
from algomaster.strategy.contract import Params
from algomaster.strategy.steps import contract as desk

if TYPE_CHECKING:
    from algomaster.backtest.playback.stepping import Stepper

__all__ = ["turned"]

S = TypeVar("S", bound="Stepper")

_WORDS: Final = {desk.STOP: "stop", desk.LIMIT: "target"}
_REASONS: Final = {desk.STOP: desk.STOPPED, desk.LIMIT: desk.TARGET}
_COUNT: Final = "n_"
"""Packed settings whose names begin so say how many of something the strategy's memory holds."""


def turned(stepper: S, change: Mapping[str, Any], close: str | Sequence[int], at: int | str | None) -> S:
    """Take a stepper to a bar and turn it there; it is changed, and given back."""
    if at is not None:
        stepper.seek(at)
    stepper.notes = []
    if not change and not close:
        raise ConfigError("Expected something to change, got nothing.", hint="Give change or close.")
    if stepper.done:
        raise ConfigError(f"At {stepper.time} the session is over.", hint="Choose an earlier time.")
    what: dict[str, Any] = {}
    if change:
        settings = stepper.strategy.configure(stepper.settings.model_dump() | dict(change))
        _refuse(stepper, settings)
        since, anew = _earliest(stepper, settings)
        moves = _moves(stepper, settings, since)
        if anew is None:
            stepper.set(settings)
        else:
            stepper.follow(anew)
        for leg, kind, price in moves:
            _move(stepper, leg, kind, price)
        dumped = settings.model_dump(mode="json")
        what["params"] = {name: dumped[name] for name in change}
    if close:
        what["closed"] = _close(stepper, close)
    stepper.changed(what)
    return stepper


def _refuse(stepper: Stepper, settings: Params) -> None:
    """Refuse settings that the memory of a session under way does not fit."""
    old, new = stepper.settings.pack(), settings.pack()
    if old.dtype != new.dtype or stepper.scene.book.counts[desk.N_LEGS] == 0:
        return  # the first is refused by Stepper.set; before the first leg nothing is remembered
    for name in old.dtype.names or ():
        if name.startswith(_COUNT) and not np.array_equal(old[0][name], new[0][name]):
            raise ConfigError(
                f"{name.removeprefix(_COUNT)} of {stepper.strategy.name} cannot change in number at {stepper.time}: "
                f"the strategy has acted on {old[0][name]} of them already, not on {new[0][name]}.",
                hint="Choose a time before its first order, or begin the session with these settings.",
            )


def _earliest(stepper: Stepper, settings: Params) -> tuple[int, Stepper | None]:
    """Give the first bar from which on the settings fill just as it was by now, and the run that did."""
    filled = _filled(stepper)
    bars = sorted({stepper.own_since, *filled["bar"].tolist(), *(filled["bar"] + 1).tolist()})
    for bar in bars:
        if stepper.own_since <= bar < stepper.at:
            anew = stepper.fork()
            anew.seek(bar)
            anew.set(settings)
            anew.seek(stepper.at)
            if np.array_equal(_filled(anew), filled):
                return bar, anew
    return stepper.at, None


def _filled(stepper: Stepper) -> Record:
    log = stepper.scene.log
    found: Record = log.fills[: log.n_fills[0]]
    return found


def _moves(stepper: Stepper, settings: Params, since: int) -> list[tuple[int, int, int | None]]:
    """Say where stops and targets of legs opened before a bar go: leg, kind, price (None: it goes away)."""
    book = stepper.scene.book
    moves: list[tuple[int, int, int | None]] = []
    for leg in book.open_legs[: book.counts[desk.N_OPEN]].tolist():
        if of_the_night(book.legs[leg]):
            stepper.notes.append(f"leg {leg} came out of the night: its stop and target stay where they are")
            continue
        if _decided(stepper, leg) >= since:
            continue
        before = _attached(book, leg)
        after = _asked_anew(stepper, settings, leg)
        if after is None:
            stepper.notes.append(f"leg {leg} would not have been opened: its stop and target stay where they are")
            continue
        for kind in (desk.STOP, desk.LIMIT):
            if before[kind] == after[kind]:
                continue
            if _has_moved(book, leg, kind, before[kind]):
                stepper.notes.append(
                    f"the {_WORDS[kind]} of leg {leg} has been moved since: the strategy goes on with it"
                )
            else:
                moves.append((leg, kind, after[kind]))
    return moves


def _decided(stepper: Stepper, leg: int) -> int:
    """Bar at which a leg was ordered."""
    log = stepper.scene.book.log[: stepper.scene.book.counts[desk.N_PLACED]]
    return int(log[log["leg"] == leg][0]["bar"])


def _asked_anew(stepper: Stepper, settings: Params, leg: int) -> dict[int, int | None] | None:
    """Give stop and target that other settings attach to the leg; None where they would not open it."""
    log = stepper.scene.book.log[: stepper.scene.book.counts[desk.N_PLACED]]
    filled = int(stepper.scene.book.legs[leg]["entry_bar"])
    probe = stepper.fork()
    probe.seek(_decided(stepper, leg))
    probe.set(settings)
    probe.seek(filled + 1)
    there, here = probe.scene.book.legs[leg], stepper.scene.book.legs[leg]
    same = all(there[name] == here[name] for name in ("instrument", "entry_bar", "entry_price"))
    bought = log[log["leg"] == leg][0]["quantity"] > 0
    asked = probe.scene.book.log[: probe.scene.book.counts[desk.N_PLACED]]
    mine = asked[asked["leg"] == leg]
    if not same or not mine.size or (mine[0]["quantity"] > 0) != bought:
        return None
    return _attached(probe.scene.book, leg)


def _attached(book: desk.Book, leg: int) -> dict[int, int | None]:
    """Give the prices of stop and target as they were attached by the fill that opened the leg."""
    log = book.log[: book.counts[desk.N_PLACED]]
    log = log[(log["leg"] == leg) & (log["bar"] == book.legs[leg]["entry_bar"])]
    found: dict[int, int | None] = {}
    for kind in (desk.STOP, desk.LIMIT):
        mine = log[(log["kind"] == kind) & (log["reason"] == _REASONS[kind])]
        found[kind] = int(mine[0]["price"]) if mine.size else None
    return found


def _has_moved(book: desk.Book, leg: int, kind: int, attached: int | None) -> bool:
    order = _resting(book, leg, kind)
    return (None if order is None else int(order["price"])) != attached


def _resting(book: desk.Book, leg: int, kind: int) -> Record | None:
    orders: Record = book.orders[: book.counts[desk.N_ORDERS]]
    slots = np.flatnonzero((orders["leg"] == leg) & (orders["kind"] == kind) & (orders["live"] == 1))
    found: Record | None = orders[slots[0]] if slots.size else None
    return found


def _move(stepper: Stepper, leg: int, kind: int, price: int | None) -> None:
    book, bar = stepper.scene.book, stepper.at - 1
    if price is not None:
        move = desk.move_stop if kind == desk.STOP else desk.move_target
        move(book, bar, leg, price, _REASONS[kind])
        return
    order = _resting(book, leg, kind)
    if order is not None:
        order["live"] = 0
        desk.compact(book)


def _close(stepper: Stepper, close: str | Sequence[int]) -> list[int]:
    """Leave open legs at the market; gives their numbers."""
    book = stepper.scene.book
    if not stepper.at:
        raise ConfigError("Before the first bar has closed nothing can be left.", hint="Choose a later time.")
    held = {leg: stepper.recorder().position(stepper.scene, leg) for leg in book.open_legs[: book.counts[desk.N_OPEN]]}
    if isinstance(close, str):
        word = close.strip().upper()
        if word not in ("ALL", *RIGHTS):
            raise ConfigError(f'Expected close to be "all", "CE", "PE" or numbers of legs, got {close!r}.')
        legs = [leg for leg, one in held.items() if word in ("ALL", one.right)]
    else:
        legs = [int(leg) for leg in close]
    shown = ", ".join(f"{leg} ({one.contract})" for leg, one in held.items()) or "none"
    if not legs or set(legs) - held.keys():
        raise ConfigError(f"At {stepper.time} there is no open leg {close!r}; open legs: {shown}.")
    for leg in legs:
        desk.close(book, stepper.at - 1, leg, desk.SIGNAL)
    return [int(leg) for leg in legs]
