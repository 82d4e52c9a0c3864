"""What was observed and when it was knowable: facts, calendar, loaders, store, sessions as arrays, simulator."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.market.chain_day import ChainDay, Days
    from algomaster.market.chains import chain_at, chain_from_file, chain_from_store
    from algomaster.market.interest import OpenInterest, Positioning, open_interest, positioning
    from algomaster.market.loading import load
    from algomaster.market.simulator import simulate, simulate_participants
    from algomaster.market.store import Store

__all__ = [
    "ChainDay", "Days", "OpenInterest", "Positioning", "Store", "chain_at", "chain_from_file", "chain_from_store",
    "load", "open_interest", "positioning", "simulate", "simulate_participants",
]  # fmt: skip

__getattr__, __dir__ = attach(
    __name__,
    {
        "ChainDay": "algomaster.market.chain_day",
        "Days": "algomaster.market.chain_day",
        "OpenInterest": "algomaster.market.interest",
        "Positioning": "algomaster.market.interest",
        "Store": "algomaster.market.store",
        "chain_at": "algomaster.market.chains",
        "chain_from_file": "algomaster.market.chains",
        "chain_from_store": "algomaster.market.chains",
        "load": "algomaster.market.loading",
        "open_interest": "algomaster.market.interest",
        "positioning": "algomaster.market.interest",
        "simulate": "algomaster.market.simulator",
        "simulate_participants": "algomaster.market.simulator",
    },
)
