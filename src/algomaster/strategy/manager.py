"""Settings of the straddle manager (``legs``): a table of legs, and the rules over all of them."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from algomaster.core.config import Config
from algomaster.core.types import Record
from algomaster.strategy.leg_rules import Leg
from algomaster.strategy.manager_packing import pack
from algomaster.strategy.moves import Limit, Money, Move, PremiumMove
from algomaster.strategy.sizing import Sized
from algomaster.strategy.words import FIRST_DECISION, NONE_WORDS, MomentOfDay, clock

__all__ = ["Legs", "Lock", "OverallAgain", "OverallTrail"]

_Rupees = Annotated[float, Field(gt=0, le=1e8, allow_inf_nan=False)]
_Days = Annotated[int, Field(ge=0, le=61)]


def _maybe(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip().lower() in NONE_WORDS else value


def _parsed(value: Any) -> Any:
    """Read JSON text, as a command line has it."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError("expected JSON text, or a table in a config file") from None
    return value


class OverallTrail(Config):
    """For every ``every`` of profit the overall stop rises by ``by``: rupees, or percent of the premium taken."""

    every: Money
    by: Money

    @model_validator(mode="after")
    def _alike(self) -> Self:
        if self.every is None or self.by is None or self.every.unit != self.by.unit:
            raise ValueError("expected every and by, both in rupees or both in percent")
        return self


class Lock(Config):
    """At a profit of ``at`` keep ``keep``; then for every ``every`` more, ``by`` more. Rupees."""

    at: _Rupees
    keep: Annotated[float, Field(ge=0, le=1e8, allow_inf_nan=False)]
    every: _Rupees | None = None
    by: _Rupees | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.keep >= self.at:
            raise ValueError(f"keep {self.keep:g} must be less than at {self.at:g}")
        if (self.every is None) != (self.by is None):
            raise ValueError("every and by belong together")
        return self


class OverallAgain(Config):
    """Enter all legs again after an overall stop or target: at once, or by momentum; ``reverse`` takes other sides."""

    kind: Literal["asap", "momentum"]
    times: Annotated[int, Field(ge=1, le=20)] = 1
    reverse: bool = False

    @model_validator(mode="before")
    @classmethod
    def _word(cls, value: Any) -> Any:
        return {"kind": value.strip().lower()} if isinstance(value, str) else value


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_STRADDLE = (
    Leg(right="CE", stop=Move(unit="percent", amount=25)),
    Leg(right="PE", stop=Move(unit="percent", amount=25)),
)


class Legs(Sized):
    """Up to ten legs entered together, each with its own rules, and rules over all of them: docs/strategies/legs.md.

    Attributes
    ----------
    entry, exit : time
        Moments: "09:20" decides on the bar that ends at 09:20.
    legs : table of Leg
    lazy : table of Leg by name
        Legs that others start (``on_stop = {kind = "lazy", leg = "name"}``).
    lots : int
        How many times the whole table is traded; sizing policies grow it.
    holding : "intraday", "btst" or "positional"
        Leave the same day, on the next session, or ``exit_days`` trading days before the nearest expiry, at ``exit``.
    settle : bool
        Of "positional": hold to the expiry, to be settled in cash.
    patience : int
        Minutes an entry may wait for the index, a premium that suits, and a trade of every leg.
    stop_on : "range" or "close"
        Whether stops and targets on premiums rest in the market or are watched on one-minute closes.
    square_off : "partial" or "complete"
        Whether a leg's stop or target ends that leg or all of them.
    break_even : "all", "with_stop" or None
        Whose stops go to their entry prices when a leg is stopped.
    no_reentry_after : time or None
    overall_stop, overall_target : 5000 (rupees), "20%" of the premium taken, "spot 1%", "spot 100 points" or None
    overall_trail : OverallTrail or None
    lock : Lock or None
    overall_momentum : "+10%", "-20 points" of the combined premium, or None
    on_overall_stop, on_overall_target : OverallAgain or None
    weekdays : list of "mon" ... or None
    dte, dte_calendar : list of int or None
        Trading (calendar) days to the nearest expiry on which to enter.
    vix, gap, budget : (low, high) or None
        Volatility index; percent from the last index of the session before to the first of this; net premium of all
        legs in rupees, without its sign. Looked at on the bar of the entry.
    """

    entry: MomentOfDay = 560
    exit: MomentOfDay = 915
    legs: Annotated[tuple[Leg, ...], BeforeValidator(_parsed), Field(min_length=1, max_length=10)] = _STRADDLE
    lazy: Annotated[dict[str, Leg], BeforeValidator(_parsed), Field(max_length=10)] = Field(default={})
    lots: Annotated[int, Field(ge=1, le=10_000)] = 1
    holding: Literal["intraday", "btst", "positional"] = "intraday"
    exit_days: Annotated[int, Field(ge=0, le=60)] = 0
    settle: bool = False
    patience: Annotated[int, Field(ge=0, le=1440)] = 5
    stop_on: Literal["range", "close"] = "range"
    square_off: Literal["partial", "complete"] = "partial"
    break_even: Annotated[Literal["all", "with_stop"] | None, BeforeValidator(_maybe)] = None
    no_reentry_after: Annotated[MomentOfDay | None, BeforeValidator(_maybe)] = None
    overall_stop: Limit = None
    overall_target: Limit = None
    overall_trail: Annotated[OverallTrail | None, BeforeValidator(_maybe)] = None
    lock: Annotated[Lock | None, BeforeValidator(_maybe)] = None
    overall_momentum: PremiumMove = None
    on_overall_stop: Annotated[OverallAgain | None, BeforeValidator(_maybe)] = None
    on_overall_target: Annotated[OverallAgain | None, BeforeValidator(_maybe)] = None
    weekdays: tuple[Weekday, ...] | None = None
    dte: tuple[_Days, ...] | None = None
    dte_calendar: tuple[_Days, ...] | None = None
    vix: tuple[float, float] | None = None
    gap: tuple[float, float] | None = None
    budget: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _times(self) -> Self:
        if self.entry < FIRST_DECISION:
            raise ValueError(
                f"entry {clock(self.entry)}: the first decision of a session is at {clock(FIRST_DECISION)}, "
                "when its first bar has closed"
            )
        if self.holding == "intraday" and self.entry >= self.exit:
            raise ValueError(f"entry {clock(self.entry)} must come before exit {clock(self.exit)}")
        if self.holding != "positional" and (self.exit_days or self.settle):
            raise ValueError("exit_days and settle belong to holding 'positional'")
        if self.settle and self.exit_days:
            raise ValueError("settle holds to the expiry: exit_days must be 0")
        for leg in (*self.legs, *self.lazy.values()):
            if leg.breakout is not None and leg.breakout.until <= self.entry:
                raise ValueError(
                    f"breakout until {clock(leg.breakout.until)} must come after entry {clock(self.entry)}"
                )
        return self

    @model_validator(mode="after")
    def _ranges(self) -> Self:
        for name in ("vix", "gap", "budget"):
            pair = getattr(self, name)
            if pair is not None and not (pair[0] <= pair[1] and abs(pair[0]) < 1e9 and abs(pair[1]) < 1e9):
                raise ValueError(f"expected {name} as low, high; got {pair[0]:g}, {pair[1]:g}")
        if self.vix is not None and self.vix[1] <= 0:
            raise ValueError("expected a vix range above 0")
        return self

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.overall_momentum is not None and any(leg.momentum or leg.breakout for leg in self.legs):
            raise ValueError(
                "overall_momentum takes the place of the legs' own momentum and breakout: give one or other"
            )
        for name in ("on_overall_stop", "on_overall_target"):
            again = getattr(self, name)
            if again is None:
                continue
            if getattr(self, name.removeprefix("on_")) is None:
                raise ValueError(f"{name} follows {name.removeprefix('on_')}: give one")
            moving = self.overall_momentum is not None or any(leg.momentum for leg in self.legs)
            if again.kind == "momentum" and not moving:
                raise ValueError(f"{name} by momentum: give overall_momentum, or momentum to a leg")
        if self.overall_trail is not None and (
            self.overall_stop is None or self.overall_stop.unit not in ("rupees", "percent")
        ):
            raise ValueError("overall_trail raises an overall_stop in rupees or percent: give one")
        if self.square_off == "complete" and any(leg.on_stop or leg.on_target for leg in self.legs):
            raise ValueError("square_off 'complete' ends all legs with the first: no on_stop or on_target")
        return self

    @model_validator(mode="after")
    def _lazy_legs(self) -> Self:
        for leg in (*self.legs, *self.lazy.values()):
            for name in _started(leg):
                if name not in self.lazy:
                    raise ValueError(f"there is no lazy leg {name!r}; there are: {', '.join(self.lazy) or 'none'}")
        for name in self.lazy:
            seen, queue = set(), [name]
            while queue:
                for following in _started(self.lazy[queue.pop()]):
                    if following == name:
                        raise ValueError(f"lazy leg {name!r} would start itself again without end")
                    if following not in seen:
                        seen.add(following)
                        queue.append(following)
        return self

    def pack(self) -> Record:
        """Give the record that the step reads."""
        return pack(self)


def _started(leg: Leg) -> list[str]:
    """Names of the lazy legs that a leg starts."""
    return [again.leg for again in (leg.on_stop, leg.on_target) if again is not None and again.kind == "lazy"]
