"""Every strategy in one visible table; the laws of the test suite run over it."""

from __future__ import annotations

from algomaster.core.registry import Catalogue
from algomaster.strategy.contract import Strategy
from algomaster.strategy.crush import Crush
from algomaster.strategy.delta_hedge import DeltaHedge
from algomaster.strategy.legs import Straddle, Strangle
from algomaster.strategy.manager import Legs
from algomaster.strategy.momentum import Momentum
from algomaster.strategy.steps import crush, delta_hedge, legs, manager, momentum, threshold
from algomaster.strategy.threshold import Threshold

__all__ = ["CATALOGUE", "get", "names"]

CATALOGUE: Catalogue[Strategy] = Catalogue("strategy")

for _entry in (
    Strategy(
        "legs",
        step=manager.step,
        params=Legs,
        state=manager.STATE,
        summary="Up to ten legs, each with its own strike rule, stops and re-entries, and rules over all of them.",
    ),
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
        "crush",
        step=crush.step,
        params=Crush,
        state=crush.STATE,
        summary="Sell a straddle; when a volatility spike has stopped it and falls back, sell again for the loss.",
    ),
    Strategy(
        "threshold",
        step=threshold.step,
        params=Threshold,
        state=threshold.STATE,
        summary="Trade a score: one position above a level, another below one, a third in between.",
    ),
    Strategy(
        "delta_hedge",
        step=delta_hedge.step,
        params=DeltaHedge,
        state=delta_hedge.STATE,
        summary="Sell or buy a straddle and keep its delta near zero with the future or a synthetic one.",
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
