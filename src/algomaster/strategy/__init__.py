"""The step contract and the strategies: pure step functions that sweep, replay and live run unchanged."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.strategy.catalogue import CATALOGUE, get, names
    from algomaster.strategy.contract import Params, Strategy, step

__all__ = ["CATALOGUE", "Params", "Strategy", "get", "names", "step"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "CATALOGUE": "algomaster.strategy.catalogue",
        "Params": "algomaster.strategy.contract",
        "Strategy": "algomaster.strategy.contract",
        "get": "algomaster.strategy.catalogue",
        "names": "algomaster.strategy.catalogue",
        "step": "algomaster.strategy.contract",
    },
)
