"""Positions of several legs: profit and loss now and at expiry, breakevens, chances, pictures."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.pricing.positions.legs import Leg
    from algomaster.pricing.positions.result import Payoff, payoff

__all__ = ["Leg", "Payoff", "payoff"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "Leg": "algomaster.pricing.positions.legs",
        "Payoff": "algomaster.pricing.positions.result",
        "payoff": "algomaster.pricing.positions.result",
    },
)
