"""Quant research, backtesting and live trading of index options.

Subpackages, in the order data flows: ``core``, ``pricing``, ``market``, ``strategy``, ``execution``,
``performance``, ``backtest``. Importing ``algomaster`` loads none of them; each is imported by name.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
