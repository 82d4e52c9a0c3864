"""A seeded market: index path, option chain, future and volatility index with the look of NSE's."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.market.simulator.model import MODELS, MarketModel, start_level
    from algomaster.market.simulator.participants import simulate_participants
    from algomaster.market.simulator.sessions import simulate

__all__ = ["MODELS", "MarketModel", "simulate", "simulate_participants", "start_level"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "MODELS": "algomaster.market.simulator.model",
        "MarketModel": "algomaster.market.simulator.model",
        "simulate": "algomaster.market.simulator.sessions",
        "simulate_participants": "algomaster.market.simulator.participants",
        "start_level": "algomaster.market.simulator.model",
    },
)
