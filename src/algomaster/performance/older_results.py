"""Names that saved results had in earlier formats, and those they have now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

__all__ = ["FORMAT", "OLDEST", "frames_of", "modernised"]

FORMAT: Final = 3
OLDEST: Final = 1
"""Results of this format had no notes."""

_RENAMED: Final = {
    "net_pnl": "pnl", "gross_pnl": "gross", "days": "sessions", "winning_days": "winners", "losing_days": "losers",
    "winning_days_share": "winners_share", "max_drawdown_daily": "max_drawdown",
    "max_drawdown": "max_drawdown_intraday",
}  # fmt: skip
"""Metrics up to format 2; the daily frame had its date in a column ``session`` then."""


def frames_of(frames: Sequence[str], written: int) -> list[str]:
    """Give the frames that a result of a format has."""
    return [name for name in frames if name != "notes" or written > OLDEST]


def modernised(
    metrics: dict[str, float | int], frames: dict[str, pl.DataFrame], written: int
) -> tuple[dict[str, float | int], dict[str, pl.DataFrame]]:
    """Give metrics and frames of an earlier format today's names."""
    if written >= FORMAT:
        return metrics, frames
    daily = frames["daily"].rename({"session": "date"}).with_columns(vix=pl.lit(None, dtype=pl.Float64))
    return {_RENAMED.get(name, name): value for name, value in metrics.items()}, frames | {"daily": daily}
