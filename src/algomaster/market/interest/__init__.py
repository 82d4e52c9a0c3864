"""Who holds what, and at which strikes: participants' positions and open interest through the day."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.market.interest.analysis import open_interest
    from algomaster.market.interest.positions import Positioning, positioning
    from algomaster.market.interest.result import OpenInterest

__all__ = ["OpenInterest", "Positioning", "open_interest", "positioning"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "OpenInterest": "algomaster.market.interest.result",
        "Positioning": "algomaster.market.interest.positions",
        "open_interest": "algomaster.market.interest.analysis",
        "positioning": "algomaster.market.interest.positions",
    },
)
