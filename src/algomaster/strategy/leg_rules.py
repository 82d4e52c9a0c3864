"""One leg of the straddle manager as a trader writes it: strike rule, stops, momentum, breakout, re-entries."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_serializer, model_validator

from algomaster.core.config import Config
from algomaster.core.types import PAISE, RIGHTS
from algomaster.strategy.moves import Distance, PremiumDistance, SignedMove
from algomaster.strategy.steps import manager_table as table
from algomaster.strategy.words import NONE_WORDS, MomentOfDay, Rupees, to_ppm

__all__ = ["Again", "Breakout", "Leg", "StrikeRule", "Trail"]

_Delta = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
_Premium = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]


class StrikeRule(Config):
    """How a leg's strike is chosen: exactly one of these.

    Attributes
    ----------
    steps : int
        Strike steps from the money, up or down; "ATM", "ATM+2", and "OTM2", "ITM1" by the leg's right.
    strike : float
        This strike, in rupees.
    premium : float
        Premium closest to this, in rupees.
    premium_range : (low, high)
        Premium within; who sells takes the highest, who buys the lowest.
    premium_above, premium_below : float
        The premium nearest to this that is not below (above) it.
    delta, delta_range : float, (low, high)
        By the Black-76 delta without its sign, as for premiums.
    straddle_width : float
        Strike nearest to the money plus so many prices of the straddle there (minus: below the money).
    straddle_percent : float
        Premium closest to this percentage of the price of the straddle at the money.
    """

    steps: Annotated[int, Field(ge=-200, le=200)] | None = None
    otm: Annotated[int, Field(ge=-200, le=200)] | None = None
    strike: Rupees | None = None
    premium: _Premium | None = None
    premium_range: tuple[_Premium, _Premium] | None = None
    premium_above: _Premium | None = None
    premium_below: _Premium | None = None
    delta: _Delta | None = None
    delta_range: tuple[_Delta, _Delta] | None = None
    straddle_width: Annotated[float, Field(ge=-20, le=20, allow_inf_nan=False)] | None = None
    straddle_percent: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return {"steps": value}
        if not isinstance(value, str):
            return value
        match = re.fullmatch(r"(ATM|OTM|ITM)?\s*([+-]?\d+)?", value.strip().upper())
        if not match or not value.strip() or (match[1] in ("OTM", "ITM") and not match[2]):
            raise ValueError('expected "ATM", "ATM+2", "OTM2", "ITM1" or a table such as {premium = 100}')
        if match[1] in ("OTM", "ITM"):
            return {"otm": int(match[2]) * (1 if match[1] == "OTM" else -1)}
        return {"steps": int(match[2] or 0)}

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = self._given()
        if len(given) != 1:
            names = ", ".join(type(self).model_fields)
            raise ValueError(f"expected exactly one of {names}; got {' and '.join(given) or 'none'}")
        for name in ("premium_range", "delta_range"):
            pair = getattr(self, name)
            if pair is not None and pair[0] > pair[1]:
                raise ValueError(f"expected {name} as low, high; got {pair[0]:g}, {pair[1]:g}")
        return self

    @model_serializer
    def _shown(self) -> dict[str, Any]:
        (name,) = self._given()
        return {name: getattr(self, name)}

    def _given(self) -> list[str]:
        return [name for name in type(self).model_fields if getattr(self, name) is not None]

    def packed(self, right: int) -> tuple[int, int, int]:
        """Give rule, low and high as the step reads them."""
        (name,) = self._given()
        value = getattr(self, name)
        if name == "steps":
            return table.STEPS, value, 0
        if name == "otm":
            return table.STEPS, value if right == 0 else -value, 0
        low, high = value if isinstance(value, tuple) else (value, 0.0)
        if name in ("delta", "delta_range"):
            return _RULES[name], to_ppm(low * 100), to_ppm(high * 100)
        if name == "straddle_width":
            return table.WIDTH, to_ppm(low * 100), 0
        if name == "straddle_percent":
            return table.SHARE, to_ppm(low), 0
        return _RULES[name], round(low * PAISE), round(high * PAISE)


_RULES = {
    "strike": table.EXACT,
    "premium": table.CLOSEST,
    "premium_range": table.BETWEEN,
    "premium_above": table.AT_LEAST,
    "premium_below": table.AT_MOST,
    "delta": table.DELTA,
    "delta_range": table.DELTA_BETWEEN,
}


class Trail(Config):
    """For every ``every`` in favour the stop moves by ``by``; both in percent of the entry price or both in points."""

    every: PremiumDistance
    by: PremiumDistance

    @model_validator(mode="after")
    def _alike(self) -> Self:
        if self.every is None or self.by is None or self.every.unit != self.by.unit:
            raise ValueError("expected every and by, both in percent or both in points")
        return self


class Breakout(Config):
    """Enter when the range from the entry time to ``until`` is broken at its ``end``.

    Attributes
    ----------
    until : time
    end : "high" or "low"
    on : "strike" or "spot"
        Whose range: the contract's, chosen at the entry time, or the index's.
    """

    until: MomentOfDay
    end: Literal["high", "low"]
    on: Literal["strike", "spot"] = "strike"


class Again(Config):
    """What follows a stop or a target.

    Attributes
    ----------
    kind : "asap", "cost", "momentum" or "lazy"
        A new choice of strike at once; the same contract when its price is back at the old entry; a new choice that
        waits for the leg's momentum; another leg.
    times : int
    reverse : bool
        Take the other side each time.
    touch : bool
        Of "cost": at the touch of the old entry instead of a minute's close.
    leg : str
        Of "lazy": the name of the leg that is started.
    """

    kind: Literal["asap", "cost", "momentum", "lazy"]
    times: Annotated[int, Field(ge=1, le=20)] = 1
    reverse: bool = False
    touch: bool = False
    leg: str = ""

    @model_validator(mode="before")
    @classmethod
    def _word(cls, value: Any) -> Any:
        return {"kind": value.strip().lower()} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.touch and self.kind != "cost":
            raise ValueError("touch belongs to kind 'cost'")
        if (self.leg != "") != (self.kind == "lazy"):
            raise ValueError("leg names the leg that kind 'lazy' starts, and belongs to it alone")
        if self.kind == "lazy" and (self.times != 1 or self.reverse):
            raise ValueError("a lazy leg has its own side and is started once an exit: no times, no reverse")
        return self


def _maybe(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip().lower() in NONE_WORDS else value


def _right(value: Any) -> Any:
    if isinstance(value, str):
        return {"C": "CE", "CALL": "CE", "P": "PE", "PUT": "PE"}.get(value.strip().upper(), value.strip().upper())
    return value


_EXPIRIES = {
    "weekly": table.WEEKLY,
    "next_weekly": table.NEXT_WEEKLY,
    "monthly": table.MONTHLY,
    "next_monthly": table.NEXT_MONTHLY,
}


class Leg(Config):
    """One leg.

    Attributes
    ----------
    right : "CE" or "PE"
    side : "sell" or "buy"
    lots : int
    expiry : "weekly", "next_weekly", "monthly", "next_monthly" or int
        "weekly" is the nearest expiry; a number counts from it.
    strike : StrikeRule
    strike_from : "cash", "future" or "synthetic"
        What the money is measured by; the synthetic future is strike + call - put at the strike nearest to the index.
    stop, target : "25%", "30 points", "spot 0.5%", "spot 50 points" or None
        Against and in favour of the leg; on the index they act on closes.
    trail : Trail or None
    momentum : like stop, with a sign, or None
        Wait and trade: contract and reference are fixed at the entry time, the entry waits for the move.
    breakout : Breakout or None
    on_stop, on_target : Again or None
    """

    right: Annotated[Literal["CE", "PE"], BeforeValidator(_right)]
    side: Literal["sell", "buy"] = "sell"
    lots: Annotated[int, Field(ge=1, le=10_000)] = 1
    expiry: Annotated[int, Field(ge=0, le=20)] | Literal["weekly", "next_weekly", "monthly", "next_monthly"] = "weekly"
    strike: StrikeRule = StrikeRule(steps=0)
    strike_from: Literal["cash", "future", "synthetic"] = "cash"
    stop: Distance = None
    target: Distance = None
    trail: Annotated[Trail | None, BeforeValidator(_maybe)] = None
    momentum: SignedMove = None
    breakout: Annotated[Breakout | None, BeforeValidator(_maybe)] = None
    on_stop: Annotated[Again | None, BeforeValidator(_maybe)] = None
    on_target: Annotated[Again | None, BeforeValidator(_maybe)] = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.momentum is not None and self.breakout is not None:
            raise ValueError("momentum and breakout cannot be combined: give one of them")
        if self.trail is not None and (self.stop is None or self.stop.unit not in ("percent", "points")):
            raise ValueError("trail moves a stop on the premium: give a stop in percent or points")
        if self.on_stop is not None and self.stop is None and self.on_stop.kind != "lazy":
            raise ValueError("on_stop follows a stop: give one")
        if self.on_target is not None and self.target is None:
            raise ValueError("on_target follows a target: give one")
        for again in (self.on_stop, self.on_target):
            if again is not None and again.kind == "momentum" and self.momentum is None:
                raise ValueError("re-entry by momentum waits for the leg's momentum: give one")
        return self

    @property
    def expiry_packed(self) -> tuple[int, int]:
        """How the expiry is found, and its number."""
        return (table.BY_INDEX, self.expiry) if isinstance(self.expiry, int) else (_EXPIRIES[self.expiry], 0)

    @property
    def right_packed(self) -> int:
        """0 for a call, 1 for a put."""
        return RIGHTS.index(self.right)
