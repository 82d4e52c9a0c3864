"""The straddle manager's settings as the flat record of its compiled step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from algomaster.core.types import PAISE, Record
from algomaster.strategy.leg_rules import Again, Leg
from algomaster.strategy.moves import Move, packed
from algomaster.strategy.steps import manager_table as table
from algomaster.strategy.words import to_ppm

if TYPE_CHECKING:
    from algomaster.strategy.manager import Legs, OverallAgain

__all__ = ["pack"]

_HOLDING = {"intraday": table.INTRADAY, "btst": table.BTST, "positional": table.POSITIONAL}
_BREAK_EVEN = {None: 0, "all": table.BREAK_EVEN_ALL, "with_stop": table.BREAK_EVEN_STOPS}
_AGAIN = {"asap": table.ASAP, "cost": table.COST, "momentum": table.BY_MOMENTUM, "lazy": table.LAZY}
_MONEY = {"cash": table.CASH, "future": table.FUTURE, "synthetic": table.SYNTHETIC}
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NEVER = 1440


def pack(settings: Legs) -> Record:
    """Give the one-element record."""
    record = np.zeros(1, table.PARAMS)
    row = record[0]
    row["entry"], row["exit"], row["patience"] = settings.entry, settings.exit, settings.patience
    row["lots"] = settings.lots
    settings.pack_sizing(row)
    row["holding"] = _HOLDING[settings.holding]
    row["exit_days"], row["settle"] = settings.exit_days, settings.settle
    row["stop_on"] = table.ON_CLOSE if settings.stop_on == "close" else table.ON_RANGE
    row["square_off"] = settings.square_off == "complete"
    row["break_even"] = _BREAK_EVEN[settings.break_even]
    row["no_reentry_after"] = _NEVER if settings.no_reentry_after is None else settings.no_reentry_after
    _overall(row, settings)
    _filters(row, settings)
    legs = [*settings.legs, *settings.lazy.values()]
    row["n_legs"], row["n_rows"] = len(settings.legs), len(legs)
    lazy = {name: len(settings.legs) + k for k, name in enumerate(settings.lazy)}
    for j, leg in enumerate(legs):
        _leg(row, j, leg, lazy)
    row["quiet"] = _is_quiet(settings, legs)
    return record


def _is_quiet(settings: Legs, legs: list[Leg]) -> bool:
    """Whether held legs rest on their orders alone, so that the step may sleep until one fills."""
    watched = (settings.overall_stop, settings.overall_target, settings.lock)
    if settings.stop_on == "close" or any(rule is not None for rule in watched):
        return False
    return not any(leg.trail is not None or _on_index(leg.stop) or _on_index(leg.target) for leg in legs)


def _on_index(move: Move | None) -> bool:
    return move is not None and move.unit.startswith("spot")


def _overall(row: Any, settings: Legs) -> None:
    row["overall_stop_kind"], row["overall_stop"] = packed(settings.overall_stop)
    row["overall_target_kind"], row["overall_target"] = packed(settings.overall_target)
    if settings.overall_trail is not None:
        row["overall_trail_kind"], row["overall_trail_every"] = packed(settings.overall_trail.every)
        row["overall_trail_by"] = packed(settings.overall_trail.by)[1]
    if settings.lock is not None:
        row["lock_at"], row["lock_keep"] = _paise(settings.lock.at), _paise(settings.lock.keep)
        row["lock_every"], row["lock_by"] = _paise(settings.lock.every), _paise(settings.lock.by)
    row["overall_momentum_kind"], row["overall_momentum"] = packed(settings.overall_momentum)
    _overall_again(row, "on_overall_stop", settings.on_overall_stop)
    _overall_again(row, "on_overall_target", settings.on_overall_target)


def _overall_again(row: Any, name: str, again: OverallAgain | None) -> None:
    if again is not None:
        row[name], row[f"{name}_times"], row[f"{name}_reverse"] = _AGAIN[again.kind], again.times, again.reverse


def _filters(row: Any, settings: Legs) -> None:
    weekdays = None if settings.weekdays is None else tuple(_WEEKDAYS.index(day) for day in settings.weekdays)
    row["weekdays"] = _mask(weekdays)
    row["dte"], row["dte_calendar"] = _mask(settings.dte), _mask(settings.dte_calendar)
    if settings.vix is not None:
        row["vix_low"], row["vix_high"] = (round(value * 100) for value in settings.vix)
    if settings.gap is not None:
        row["use_gap"] = 1
        row["gap_low"], row["gap_high"] = (to_ppm(value) for value in settings.gap)
    if settings.budget is not None:
        row["use_budget"] = 1
        row["budget_low"], row["budget_high"] = (_paise(value) for value in settings.budget)


def _mask(numbers: tuple[int, ...] | None) -> int:
    """Give a bit for each number; all bits for None."""
    return -1 if numbers is None else sum(1 << number for number in set(numbers))


def _paise(rupees: float | None) -> int:
    return 0 if rupees is None else round(rupees * PAISE)


def _leg(row: Any, j: int, leg: Leg, lazy: dict[str, int]) -> None:
    right = leg.right_packed
    row["right"][j], row["side"][j], row["ratio"][j] = right, -1 if leg.side == "sell" else 1, leg.lots
    row["expiry_by"][j], row["expiry"][j] = leg.expiry_packed
    row["rule"][j], row["rule_low"][j], row["rule_high"][j] = leg.strike.packed(right)
    row["money_from"][j] = _MONEY[leg.strike_from]
    row["stop_kind"][j], row["stop"][j] = packed(leg.stop)
    row["target_kind"][j], row["target"][j] = packed(leg.target)
    row["momentum_kind"][j], row["momentum"][j] = packed(leg.momentum)
    if leg.trail is not None:
        row["trail_kind"][j], row["trail_every"][j] = packed(leg.trail.every)
        row["trail_by"][j] = packed(leg.trail.by)[1]
    if leg.breakout is not None:
        row["range_until"][j] = leg.breakout.until
        row["range_end"][j] = 1 if leg.breakout.end == "high" else -1
        row["range_on_spot"][j] = leg.breakout.on == "spot"
    _again(row, j, "on_stop", leg.on_stop, lazy)
    _again(row, j, "on_target", leg.on_target, lazy)


def _again(row: Any, j: int, name: str, again: Again | None, lazy: dict[str, int]) -> None:
    if again is None:
        return
    row[name][j], row[f"{name}_times"][j] = _AGAIN[again.kind], again.times
    row[f"{name}_reverse"][j], row[f"{name}_touch"][j] = again.reverse, again.touch
    row[f"{name}_lazy"][j] = lazy.get(again.leg, 0)
