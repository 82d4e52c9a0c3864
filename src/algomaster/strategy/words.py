"""How traders write times, percentages, strikes and money, read into numbers: the types of strategies' settings."""

from __future__ import annotations

import re
from datetime import time
from numbers import Real
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from algomaster.core.types import PAISE, RIGHTS
from algomaster.strategy.steps.contract import PPM

__all__ = ["FIRST_DECISION", "NONE_WORDS", "MomentOfDay", "Percent", "Rupees", "Strike", "Strikes", "clock", "to_ppm"]

FIRST_DECISION = 9 * 60 + 16
"""The exchange has opened at 09:15 since 18 October 2010; no session opens earlier."""
NONE_WORDS = frozenset({"", "none", "null", "off"})
"""What a command line says for None."""


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


def clock(minute: int) -> str:
    """Write a minute of the day as "09:20"."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


MomentOfDay = Annotated[
    int, BeforeValidator(_minute), Field(ge=0, lt=1440), PlainSerializer(clock, return_type=str, when_used="json")
]
"""Minute of the day in India, written "09:20"."""


def _percent(value: Any) -> Any:
    """Read "25", "25%" or "none"."""
    if isinstance(value, str):
        text = value.strip().removesuffix("%")
        return None if text.lower() in NONE_WORDS else text
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
        if value.strip().lower() in NONE_WORDS:
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


def to_ppm(percent: float | None) -> int:
    """Give a percentage as parts per million, None as 0."""
    return 0 if percent is None else round(percent * PPM / 100)
