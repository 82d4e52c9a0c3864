"""Paths of rounds through a sizing policy: the loop of :mod:`algomaster.performance.ruin`."""

from __future__ import annotations

from typing import Any

from algomaster.core.jit import kernel
from algomaster.strategy.steps.sizing import lots_for

__all__ = ["paths"]


@kernel
def paths(
    pnl: Any, first: Any, starts: Any, length: int, sessions: int, params: Any, state: Any, base: int, room: int,
    capital: int, final: Any, fall: Any, most: Any, ruined: Any,
) -> None:  # fmt: skip
    """Take every row of block starts through the policy; all amounts in paise."""
    days = first.size - 1
    blank = state.copy()
    for p in range(starts.shape[0]):
        state[0] = blank[0]
        netted = 0
        peak = 0
        for d in range(sessions):
            drawn = (starts[p, d // length] + d % length) % days
            session = d // 5 * 7 + d % 5 - 3  # five sessions a week, the first of them on a Monday
            for k in range(first[drawn], first[drawn + 1]):
                lots = lots_for(state, params, session, netted, room, base)
                netted += lots * pnl[k]
                most[p] = max(most[p], lots)
                peak = max(peak, netted)
                fall[p] = max(fall[p], peak - netted)
                if netted <= -capital:
                    ruined[p] = 1
                    break
            if ruined[p] == 1:
                break
        final[p] = netted
