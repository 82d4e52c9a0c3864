"""Kinds of settings that strategies share, as a trader writes them, and how they are packed."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from algomaster.strategy.legs import MomentOfDay, Percent
from algomaster.strategy.steps.contract import PPM

__all__ = ["Count", "Minutes", "MomentOfDay", "OptionalLevel", "Percent", "clock", "first_decision", "optional", "ppm"]

NONE: Final = frozenset({"", "none", "null", "off"})
FIRST_DECISION: Final = 9 * 60 + 16
"""The exchange has opened at 09:15 since 18 October 2010; no session opens earlier."""


def optional(value: Any) -> Any:
    """Read "none" or "off" as None; everything else passes."""
    return None if isinstance(value, str) and value.strip().lower() in NONE else value


Count = Annotated[int, Field(ge=1, le=10_000)]
"""A number of lots, trades and the like."""
Minutes = Annotated[int, Field(ge=0, le=1440)]
OptionalLevel = Annotated[Annotated[float, Field(allow_inf_nan=False)] | None, BeforeValidator(optional)]
"""Any number, or None for "not used"."""


def clock(minute: int) -> str:
    """Write a minute of the day: "09:20"."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def first_decision(name: str, minute: int) -> None:
    """Refuse a time at which no bar of a session can have closed."""
    if minute < FIRST_DECISION:
        raise ValueError(
            f"{name} {clock(minute)}: the first decision of a session is at {clock(FIRST_DECISION)}, "
            "when its first bar has closed"
        )


def ppm(percent: float | None) -> int:
    """Give a percentage in parts per million, 0 for None."""
    return 0 if percent is None else round(percent * PPM / 100)
