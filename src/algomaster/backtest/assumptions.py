"""What a result rests on, said beside it: settings, fills, costs, data, version."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import algomaster
from algomaster.backtest.slippages import Slippage
from algomaster.market import facts
from algomaster.market.chain_day import Days
from algomaster.strategy.contract import Strategy

__all__ = ["assumptions_of"]

_FILLS: Final = {
    "strict": "market orders fill at the open of the bar after the decision",
    "next_open": "market orders fill at the open of the bar after the decision",
    "decision_close": "market orders fill at the close of the bar they were decided on",
    "algotest": "market orders fill at the close of the bar they were decided on; of a stop and a target that one bar "
    "touches that one fills whose end of the range lies nearer the open",
}
_RULES: Final = (
    "resting orders meet each bar's open first, then its range, stops before targets",
    "a gap through a stop or target fills at the open",
    "stop and target prices are rounded to the tick away from the market",
    "an order whose contract did not trade in a minute waits for the next",
    "legs still open at the end of a session are squared off at their last traded close",
    "legs held overnight come back with their orders; at expiry they settle in cash at the mean of the index over the "
    "last 30 minutes",
    "no limit on size",
)


def assumptions_of(
    strategy: Strategy, days: Days, *, fills: str, costs: bool, slippage: Slippage | None = None, **settings: Any
) -> dict[str, Any]:
    """Give everything a reader needs to judge or repeat a run, ready for JSON; ``settings`` go beside the strategy."""
    return {
        "strategy": strategy.name,
        **settings,
        "fills": {"mode": fills, "meaning": _FILLS[fills], "rules": list(_RULES)},
        "slippage": slippage.model_dump(mode="json") if slippage else "none",
        "costs": _costs(days) if costs else "none",
        "data": {
            "underlying": days.underlying,
            "first": days[0].session.isoformat(),
            "last": days[-1].session.isoformat(),
            "sessions": len(days),
            "sources": sorted({day.source for day in days}),
            "fingerprint": days.fingerprint,
        },
        "version": algomaster.__version__,
    }


def _costs(days: Days) -> list[dict[str, Any]]:
    """Give the rates by the session they first apply to."""
    found: list[dict[str, Any]] = []
    last = None
    for day in days:
        charges = facts.charges("option", day.session)
        if charges == last:
            continue
        last = charges
        rates = dataclasses.asdict(charges)
        rates["sources"] = list(rates["sources"])
        if not found or {**found[-1], "since": None} != {**rates, "since": None}:
            found.append({"since": day.session.isoformat(), **rates})
    return found
