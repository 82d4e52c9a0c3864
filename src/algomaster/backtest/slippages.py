"""How fills are made worse than the bar's price, in a trader's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from algomaster.core.config import Config
from algomaster.strategy.steps.records import PPM

__all__ = ["Slippage"]

_Share = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]


class Slippage(Config):
    """Slippage of market orders and triggered stops; what is given adds up. Limits fill at their price.

    Attributes
    ----------
    ticks : int
        Ticks an order.
    spread : float
        Part of the quoted spread, where there are quotes: 0.5 for half of it.
    impact : float
        Part of the price at an order as large as the minute's volume; it goes with the square root of the order's share
        of that volume (square-root law).
    quotes : bool
        Fill market orders at the bid and the ask, where there are quotes, instead of the bar's open or close.
    """

    ticks: Annotated[int, Field(ge=0, le=10_000)] = 0
    spread: _Share = 0.0
    impact: _Share = 0.0
    quotes: bool = False

    def pack(self) -> dict[str, int]:
        """Give the fields of the terms of a session."""
        return {
            "at_quotes": int(self.quotes),
            "slip_ticks": self.ticks,
            "slip_spread_ppm": round(self.spread * PPM),
            "impact_ppm": round(self.impact * PPM),
        }


def slippage_of(given: Slippage | Mapping[str, Any] | int | None) -> Slippage | None:
    """Read slippage: None, ticks an order, or the settings by name.

    Raises
    ------
    ConfigError
        An unknown name or an impossible value.
    """
    if given is None:
        return None
    values: Slippage | Mapping[str, Any] = {"ticks": given} if isinstance(given, int) else given
    found = Slippage.of(values, what="slippage")
    return None if found == Slippage() else found
