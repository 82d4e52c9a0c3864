"""Every strategy in one visible table; the laws of the test suite run over it."""

from __future__ import annotations

from algomaster.core.registry import Catalogue
from algomaster.strategy.contract import Strategy
from algomaster.strategy.legs import Straddle, Strangle
from algomaster.strategy.momentum import Momentum
from algomaster.strategy.steps import legs, momentum

__all__ = ["CATALOGUE", "get", "names"]

CATALOGUE: Catalogue[Strategy] = Catalogue("strategy")

for _entry in (
    Strategy(
        "straddle",
        step=legs.step,
        params=Straddle,
        state=legs.STATE,
        summary="Sell the call and the put at the money, each with its own stop.",
    ),
    Strategy(
        "strangle",
        step=legs.step,
        params=Strangle,
        state=legs.STATE,
        summary="Sell a call above and a put below the money, each with its own stop.",
    ),
    Strategy(
        "momentum",
        step=momentum.step,
        params=Momentum,
        state=momentum.STATE,
        summary="Every so many minutes buy the contracts around the money that rank highest.",
    ),
):
    CATALOGUE.add(_entry.name, _entry)


def get(name: str) -> Strategy:
    """Give the strategy of that name.

    Raises
    ------
    CatalogueError
        There is none; the message names the nearest.
    """
    return CATALOGUE[name]


def names() -> list[str]:
    """Names of all strategies."""
    return list(CATALOGUE)
