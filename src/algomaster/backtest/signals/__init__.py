"""Backtests of signals on bars: given arrays of entries and exits, orders, or a compiled step over many settings."""
