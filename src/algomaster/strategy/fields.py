"""Kinds of settings that strategies of volatility and score share, beside those of :mod:`algomaster.strategy.words`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from algomaster.strategy.words import FIRST_DECISION, NONE_WORDS, clock

__all__ = ["Count", "Minutes", "OptionalLevel", "first_decision", "optional"]


def optional(value: Any) -> Any:
    """Read "none" or "off" as None; everything else passes."""
    return None if isinstance(value, str) and value.strip().lower() in NONE_WORDS else value


Count = Annotated[int, Field(ge=1, le=10_000)]
"""A number of lots, trades and the like."""
Minutes = Annotated[int, Field(ge=0, le=1440)]
OptionalLevel = Annotated[Annotated[float, Field(allow_inf_nan=False)] | None, BeforeValidator(optional)]
"""Any number, or None for "not used"."""


def first_decision(name: str, minute: int) -> None:
    """Refuse a time at which no bar of a session can have closed."""
    if minute < FIRST_DECISION:
        raise ValueError(
            f"{name} {clock(minute)}: the first decision of a session is at {clock(FIRST_DECISION)}, "
            "when its first bar has closed"
        )
