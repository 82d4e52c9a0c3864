"""Settings of the straddle family in a trader's words, packed into the leg table of the compiled step."""

from __future__ import annotations

import re
from datetime import time
from numbers import Real
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from algomaster.core.types import PAISE, RIGHTS, Record
from algomaster.strategy.contract import Params
from algomaster.strategy.steps.contract import PPM
from algomaster.strategy.steps.legs import AT_DECISION, AT_FILL, ON_CLOSE, ON_RANGE, PARAMS

__all__ = ["MomentOfDay", "Straddle", "Strangle"]

_FIRST_DECISION = 9 * 60 + 16
"""The exchange has opened at 09:15 since 18 October 2010; no session opens earlier."""
_NONE = {"", "none", "null", "off"}


def _minute(value: Any) -> Any:
    """Read "09:20" (also "9:20", "09:20:00") as a minute of the day; whole numbers pass."""
    if isinstance(value, time):  # what TOML makes of an unquoted 09:20:00
        value = value.isoformat()
    if isinstance(value, bool):
        raise ValueError("expected a time such as 09:20")
    if isinstance(value, str):
        match = re.fullmatch(r"(\d{1,2}):([0-5]\d)(?::00)?", value.strip())
        if not match or int(match[1]) > 23:
            raise ValueError("expected a time such as 09:20")
        return int(match[1]) * 60 + int(match[2])
    return value


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


MomentOfDay = Annotated[
    int, BeforeValidator(_minute), Field(ge=0, lt=1440), PlainSerializer(_clock, return_type=str, when_used="json")
]
"""Minute of the day in India, written "09:20"."""


def _percent(value: Any) -> Any:
    """Read "25", "25%" or "none"."""
    if isinstance(value, str):
        text = value.strip().removesuffix("%")
        return None if text.lower() in _NONE else text
    return value


_Positive = Annotated[float, Field(ge=0.0001, le=10_000, allow_inf_nan=False)]
Percent = Annotated[_Positive | None, BeforeValidator(_percent)]
"""A percentage of the entry price, or None for "not used"."""


def _steps(value: Any) -> Any:
    """Read "ATM", "ATM+2", "ATM-1" as strike steps from the money; whole numbers pass."""
    if isinstance(value, str):
        text = value.strip().upper().replace(" ", "")
        match = re.fullmatch(r"(?:ATM)?([+-]?\d+)?", text)
        if not match or not text:
            raise ValueError("expected ATM, ATM+k or ATM-k (k strike steps)")
        return int(match[1] or 0)
    return value


def _atm(steps: int) -> str:
    return f"ATM{steps:+d}" if steps else "ATM"


Strike = Annotated[
    int, BeforeValidator(_steps), Field(ge=-200, le=200), PlainSerializer(_atm, return_type=str, when_used="json")
]
"""Strike steps from the money, written "ATM", "ATM+2", "ATM-1"."""


def _pair(value: Any) -> Any:
    """Read "44000,43000", "CE:44000,PE:43000", {"CE": 44000, "PE": 43000} or a pair as (call, put) strikes."""
    if isinstance(value, str):
        if value.strip().lower() in _NONE:
            return None
        parts = [part.strip() for part in re.split(r"[,/;]", value.strip("()[]{} "))]
        named = [re.fullmatch(r"['\"]?(CE|PE)['\"]?\s*[:=@]?\s*([\d.]+)", part, re.IGNORECASE) for part in parts]
        value = {m[1].upper(): m[2] for m in named if m} if all(named) else parts
    if isinstance(value, dict):
        if set(value) != set(RIGHTS):
            raise ValueError('expected strikes of both rights, such as {"CE": 44000, "PE": 43000}')
        return tuple(value[right] for right in RIGHTS)
    if isinstance(value, Real):
        return (float(value), float(value))
    if isinstance(value, (list, tuple)) and len(value) == 1:
        return (value[0], value[0])
    return value


def _whole_paise(rupees: float) -> float:
    if round(rupees * PAISE) / PAISE != rupees:
        raise ValueError("expected whole paise, such as 15800 or 15800.05")
    return rupees


Rupees = Annotated[float, Field(gt=0, lt=10_000_000, allow_inf_nan=False), AfterValidator(_whole_paise)]
Strikes = Annotated[tuple[Rupees, Rupees] | None, BeforeValidator(_pair)]
"""Strikes of the call and the put, in that order, or None to choose from the money."""


class Straddle(Params):
    """Sell (or buy) a call and a put at one time, leave at another, each leg with its own stop.

    Attributes
    ----------
    entry, exit : time
        Moments: "09:20" decides on the bar that ends at 09:20.
    strike : "ATM", "ATM+k", "ATM-k"
        Strike both legs are centred on, in strike steps from the money.
    width : int
        Steps the call lies above and the put below the centre; 0 for a straddle.
    strikes : (call, put) or None
        Given strikes in rupees instead.
    strike_at : "decision" or "fill"
        Whether the money is where the index stood at the decision or stands at the fill.
    stop_pct, target_pct : float or None
        Percent of the leg's own entry price against it, or in its favour.
    stop_on : "range" or "close"
        Whether stop and target rest in the market or are watched on one-minute closes.
    lots : int
        Lots a leg.
    patience : int
        Minutes the entry may wait for the index, and for a trade of every leg; an entry that is not whole by then is
        undone (reason "incomplete").
    side : "sell" or "buy"
        Whether both legs are opened by selling or by buying.
    expiry : int
        0 for the nearest expiry of the session's data, 1 for the next, and so on.
    """

    entry: MomentOfDay = 560
    exit: MomentOfDay = 915
    strike: Strike = 0
    width: Annotated[int, Field(ge=0, le=200)] = 0
    strikes: Strikes = None
    strike_at: Literal["decision", "fill"] = "decision"
    stop_pct: Percent = 25.0
    target_pct: Percent = None
    stop_on: Literal["range", "close"] = "range"
    lots: Annotated[int, Field(ge=1, le=10_000)] = 1
    patience: Annotated[int, Field(ge=0, le=1440)] = 5
    side: Literal["sell", "buy"] = "sell"
    expiry: Annotated[int, Field(ge=0, le=20)] = 0

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.entry < _FIRST_DECISION:
            raise ValueError(
                f"entry {_clock(self.entry)}: the first decision of a session is at {_clock(_FIRST_DECISION)}, "
                "when its first bar has closed"
            )
        if self.entry >= self.exit:
            raise ValueError(f"entry {_clock(self.entry)} must come before exit {_clock(self.exit)}")
        return self

    def pack(self) -> Record:
        """Give the leg table: row 0 the call, row 1 the put."""
        record = np.zeros(1, PARAMS)
        row = record[0]
        row["entry"], row["exit"] = self.entry, self.exit
        row["patience"] = self.patience
        row["strike_at"] = AT_FILL if self.strike_at == "fill" else AT_DECISION
        row["stop_on"] = ON_CLOSE if self.stop_on == "close" else ON_RANGE
        row["n_legs"] = len(RIGHTS)
        for j in range(len(RIGHTS)):
            row["expiry"][j] = self.expiry
            row["right"][j] = j
            row["side"][j] = -1 if self.side == "sell" else 1
            row["steps"][j] = self.strike + (self.width if j == 0 else -self.width)
            row["strike"][j] = round(self.strikes[j] * PAISE) if self.strikes else 0
            row["lots"][j] = self.lots
            row["stop_ppm"][j] = _ppm(self.stop_pct)
            row["target_ppm"][j] = _ppm(self.target_pct)
        return record


class Strangle(Straddle):
    """A straddle whose strikes lie ``width`` steps on either side of the money."""

    width: Annotated[int, Field(ge=0, le=200)] = 4


def _ppm(percent: float | None) -> int:
    return 0 if percent is None else round(percent * PPM / 100)
