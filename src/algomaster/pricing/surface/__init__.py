"""Volatility surfaces: fitted to a chain, asked for volatility, price and density, checked for arbitrage."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.pricing.surface.arbitrage import ArbitrageReport
    from algomaster.pricing.surface.streaming import SurfaceStream
    from algomaster.pricing.surface.surface import Surface
    from algomaster.pricing.surface.wings import JumpWings, jump_wings

__all__ = ["ArbitrageReport", "JumpWings", "Surface", "SurfaceStream", "jump_wings"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "ArbitrageReport": "algomaster.pricing.surface.arbitrage",
        "JumpWings": "algomaster.pricing.surface.wings",
        "Surface": "algomaster.pricing.surface.surface",
        "SurfaceStream": "algomaster.pricing.surface.streaming",
        "jump_wings": "algomaster.pricing.surface.wings",
    },
)
