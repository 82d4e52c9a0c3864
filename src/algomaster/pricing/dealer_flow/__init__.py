"""What dealers must trade to stay hedged: exposure of a chain's open interest, its levels and its pictures."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.pricing.dealer_flow.profile import Profile
    from algomaster.pricing.dealer_flow.result import Exposure, exposure

__all__ = ["Exposure", "Profile", "exposure"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "Exposure": "algomaster.pricing.dealer_flow.result",
        "Profile": "algomaster.pricing.dealer_flow.profile",
        "exposure": "algomaster.pricing.dealer_flow.result",
    },
)
