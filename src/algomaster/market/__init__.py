"""What was observed and when it was knowable: facts, calendar, loaders, store, sessions as arrays, simulator."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.market.chain_day import ChainDay, Days
    from algomaster.market.chains import chain_at, chain_from_file, chain_from_store
    from algomaster.market.loading import load
    from algomaster.market.simulator import simulate
    from algomaster.market.store import Store

__all__ = ["ChainDay", "Days", "Store", "chain_at", "chain_from_file", "chain_from_store", "load", "simulate"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "ChainDay": "algomaster.market.chain_day",
        "Days": "algomaster.market.chain_day",
        "Store": "algomaster.market.store",
        "chain_at": "algomaster.market.chains",
        "chain_from_file": "algomaster.market.chains",
        "chain_from_store": "algomaster.market.chains",
        "load": "algomaster.market.loading",
        "simulate": "algomaster.market.simulator",
    },
)
