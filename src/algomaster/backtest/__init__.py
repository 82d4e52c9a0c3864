"""Hosts of history: replay records everything of one run, a sweep runs many parameter sets to the same bits."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.backtest.replayer import replay
    from algomaster.backtest.sweep_result import SweepResult
    from algomaster.backtest.sweeper import sweep

__all__ = ["SweepResult", "replay", "sweep"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "SweepResult": "algomaster.backtest.sweep_result",
        "replay": "algomaster.backtest.replayer",
        "sweep": "algomaster.backtest.sweeper",
    },
)
