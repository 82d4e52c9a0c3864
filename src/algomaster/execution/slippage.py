"""How much worse than the bar's price an order fills: ticks, a part of the spread, the impact of its size, the quotes.

Only orders that take what is offered slip: market orders and triggered stops. Limits fill at their price. Quotes and
volume are those of the bar before, for a fill at the open or inside the bar, and of the bar itself for one at its
close: what a trader could see. Where a bar has no quotes or no volume, the rule that needs them adds nothing. Options
only: bars of futures come without quotes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.execution.costs import OPTION
from algomaster.execution.ledger import AT_CLOSE, IN_RANGE
from algomaster.strategy.steps.records import PPM


@kernel(inline=True, lean=True, inner=True)
def slips(terms: Record) -> bool:
    """Whether any rule is on."""
    row = terms[OPTION]
    return row["at_quotes"] + row["slip_ticks"] + row["slip_spread_ppm"] + row["impact_ppm"] > 0


@kernel(lean=True, inner=True)
def slipped(tape: Any, terms: Record, instrument: int, quantity: int, price: int, i: int, moment: int) -> int:
    """Give the price (ticks) at which ``quantity`` units fill where the bar says ``price``; never below one tick.

    Impact is ``impact_ppm`` of the price times the square root of the order's share of the volume (the square-root law:
    Almgren, Thum, Hauptmann and Li, "Direct Estimation of Equity Market Impact", Risk, July 2005, and the literature
    since). What is added is rounded up to a whole tick.
    """
    if instrument < 0 or instrument >= tape.close.shape[0]:
        return price
    row = terms[OPTION]
    bar = i if moment == AT_CLOSE else i - 1
    side = 1 if quantity > 0 else -1
    bid, ask, volume = MISSING, MISSING, 0
    if bar >= 0:
        bid = int(np.int64(tape.bid[instrument, bar]))
        ask = int(np.int64(tape.ask[instrument, bar]))
        volume = int(tape.volume[instrument, bar])
    quoted = bid != MISSING and ask != MISSING and 0 < bid <= ask
    if row["at_quotes"] > 0 and quoted and moment != IN_RANGE:
        price = ask if side > 0 else bid
    worse = row["slip_ticks"]
    if quoted:
        worse += ((ask - bid) * row["slip_spread_ppm"] + PPM - 1) // PPM
    if volume > 0:
        worse += math.ceil(price * row["impact_ppm"] / PPM * math.sqrt(abs(quantity) / volume))
    return max(price + side * worse, 1)
