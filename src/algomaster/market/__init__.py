"""What was observed and when it was knowable: facts, calendar, loaders, store, sessions as arrays, simulator."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.market.chain_day import ChainDay, Days
    from algomaster.market.loading import load
    from algomaster.market.simulator import simulate
    from algomaster.market.store import Store

__all__ = ["ChainDay", "Days", "Store", "load", "simulate"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "ChainDay": "algomaster.market.chain_day",
        "Days": "algomaster.market.chain_day",
        "Store": "algomaster.market.store",
        "load": "algomaster.market.loading",
        "simulate": "algomaster.market.simulator",
    },
)
