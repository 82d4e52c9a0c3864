"""Hosts of history: replay records everything of one run, a sweep runs many parameter sets to the same bits."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.backtest.look_ahead import LookAhead, check_look_ahead
    from algomaster.backtest.margin_use import MarginUse, margin_of
    from algomaster.backtest.playback.recorder import Recorder
    from algomaster.backtest.playback.stepping import Stepper
    from algomaster.backtest.playback.what_if import WhatIf
    from algomaster.backtest.portfolio_result import Portfolio
    from algomaster.backtest.portfolios import portfolio
    from algomaster.backtest.replayer import replay
    from algomaster.backtest.searching import search
    from algomaster.backtest.signals.ordering import from_orders
    from algomaster.backtest.signals.result import SignalResult
    from algomaster.backtest.signals.running import from_signals
    from algomaster.backtest.signals.sweep_result import SignalSweep
    from algomaster.backtest.signals.sweeping import signal_sweep
    from algomaster.backtest.slippages import Slippage
    from algomaster.backtest.sweep_result import SweepResult
    from algomaster.backtest.sweeper import sweep
    from algomaster.backtest.trade_log import from_trades
    from algomaster.backtest.walking import WalkForward, walk_forward
    from algomaster.backtest.warming import warm

__all__ = [
    "LookAhead",
    "MarginUse",
    "Portfolio",
    "Recorder",
    "SignalResult",
    "SignalSweep",
    "Slippage",
    "Stepper",
    "SweepResult",
    "WalkForward",
    "WhatIf",
    "check_look_ahead",
    "from_orders",
    "from_signals",
    "from_trades",
    "margin_of",
    "portfolio",
    "replay",
    "search",
    "signal_sweep",
    "sweep",
    "walk_forward",
    "warm",
]

__getattr__, __dir__ = attach(
    __name__,
    {
        "LookAhead": "algomaster.backtest.look_ahead",
        "MarginUse": "algomaster.backtest.margin_use",
        "Portfolio": "algomaster.backtest.portfolio_result",
        "Recorder": "algomaster.backtest.playback.recorder",
        "SignalResult": "algomaster.backtest.signals.result",
        "SignalSweep": "algomaster.backtest.signals.sweep_result",
        "Slippage": "algomaster.backtest.slippages",
        "Stepper": "algomaster.backtest.playback.stepping",
        "SweepResult": "algomaster.backtest.sweep_result",
        "WalkForward": "algomaster.backtest.walking",
        "WhatIf": "algomaster.backtest.playback.what_if",
        "check_look_ahead": "algomaster.backtest.look_ahead",
        "from_orders": "algomaster.backtest.signals.ordering",
        "from_signals": "algomaster.backtest.signals.running",
        "from_trades": "algomaster.backtest.trade_log",
        "margin_of": "algomaster.backtest.margin_use",
        "portfolio": "algomaster.backtest.portfolios",
        "replay": "algomaster.backtest.replayer",
        "search": "algomaster.backtest.searching",
        "signal_sweep": "algomaster.backtest.signals.sweeping",
        "sweep": "algomaster.backtest.sweeper",
        "walk_forward": "algomaster.backtest.walking",
        "warm": "algomaster.backtest.warming",
    },
)
