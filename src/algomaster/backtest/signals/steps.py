"""Signal steps that come with the house. Write your own the same way: settings, memory, a compiled step."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator

from algomaster.core.errors import CatalogueError
from algomaster.core.jit import kernel
from algomaster.core.types import Record
from algomaster.execution.bars_rules import LONG_IN, LONG_OUT
from algomaster.strategy.contract import Params, Strategy

__all__ = ["SIGNAL_STEPS", "signal_step"]


class SmaCross(Params):
    """Windows of the two averages, in bars."""

    fast: int = Field(10, ge=1)
    slow: int = Field(30, ge=2)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.fast >= self.slow:
            raise ValueError(f"expected fast below slow, got {self.fast} and {self.slow}")
        return self


@kernel(inline=True, lean=True, inner=True)
def sma_cross(state: Record, params: Record, tape: Any, i: int) -> int:
    """Enter when the fast average goes from below to above the slow one, leave on the way back; a tie is neither.

    Sums of whole ticks are compared across (fast sum times slow window against slow sum times fast window), so that two
    equal averages are equal. Places in ``sums`` are unsigned: they cannot be negative, and not to look whether they are
    saves a third of the time.
    """
    fast = params[0]["fast"]
    slow = params[0]["slow"]
    if i + 1 < slow:
        return 0
    now = tape.sums[np.uint64(i + 1)]
    gap = (now - tape.sums[np.uint64(i + 1 - fast)]) * slow - (now - tape.sums[np.uint64(i + 1 - slow)]) * fast
    before = state[0]["above"]
    if gap > 0 and before <= 0:
        state[0]["above"] = 1
        return LONG_IN if before < 0 else 0
    if gap < 0 and before >= 0:
        state[0]["above"] = -1
        return LONG_OUT if before > 0 else 0
    return 0


SIGNAL_STEPS = {
    "sma_cross": Strategy(
        "sma_cross", step=sma_cross, params=SmaCross, state=np.dtype([("above", np.int64)]),
        summary="long while the fast moving average is above the slow one",
    ),
}  # fmt: skip


def signal_step(step: Strategy | str) -> Strategy:
    """Give a signal step by its name, or the one given."""
    if isinstance(step, Strategy):
        return step
    if step not in SIGNAL_STEPS:
        raise CatalogueError(
            f"Expected a Strategy with a signal step, or one of {', '.join(SIGNAL_STEPS)}, got {step!r}."
        )
    return SIGNAL_STEPS[step]
