"""Numbers in, numbers out: option prices, Greeks and implied volatility; knows no market and no calendar."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.pricing.chain import Chain
    from algomaster.pricing.european import Greeks, greeks, price
    from algomaster.pricing.implied import ImpliedStatus, ImpliedVol, implied_vol

__all__ = ["Chain", "Greeks", "ImpliedStatus", "ImpliedVol", "greeks", "implied_vol", "price"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "Chain": "algomaster.pricing.chain",
        "Greeks": "algomaster.pricing.european",
        "ImpliedStatus": "algomaster.pricing.implied",
        "ImpliedVol": "algomaster.pricing.implied",
        "greeks": "algomaster.pricing.european",
        "implied_vol": "algomaster.pricing.implied",
        "price": "algomaster.pricing.european",
    },
)
