"""The step contract and the strategies: pure step functions that sweep, replay and live run unchanged."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.strategy.catalogue import CATALOGUE, get, names
    from algomaster.strategy.contract import Params, Strategy, step
    from algomaster.strategy.scanner import Scan, Scanner, scan
    from algomaster.strategy.sizing import Sized

__all__ = ["CATALOGUE", "Params", "Scan", "Scanner", "Sized", "Strategy", "get", "names", "scan", "step"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "CATALOGUE": "algomaster.strategy.catalogue",
        "Params": "algomaster.strategy.contract",
        "Scan": "algomaster.strategy.scanner",
        "Scanner": "algomaster.strategy.scanner",
        "Sized": "algomaster.strategy.sizing",
        "Strategy": "algomaster.strategy.contract",
        "get": "algomaster.strategy.catalogue",
        "names": "algomaster.strategy.catalogue",
        "scan": "algomaster.strategy.scanner",
        "step": "algomaster.strategy.contract",
    },
)
