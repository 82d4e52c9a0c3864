"""Pictures by strike: a chain as a heatmap of strike and expiry, and a Greek over the spot."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.pricing.heatmaps.plots import chain_heatmap, greek_profile

__all__ = ["chain_heatmap", "greek_profile"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "chain_heatmap": "algomaster.pricing.heatmaps.plots",
        "greek_profile": "algomaster.pricing.heatmaps.plots",
    },
)
