"""What a fill costs: brokerage and the dated charges of the exchange and the state, in whole paise.

Each item is rounded half-up to a paisa per fill. On a broker's contract note the securities transaction tax is rounded
to the rupee over the whole note; a single fill cannot know that, so a day may differ from its note by under a rupee.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import Record

PPB: Final = 1_000_000_000

NEXT_OPEN: Final = 0
DECISION_CLOSE: Final = 1
ALGOTEST: Final = 2
FILL_MODES: Final = {
    "next_open": NEXT_OPEN,
    "strict": NEXT_OPEN,
    "decision_close": DECISION_CLOSE,
    "algotest": ALGOTEST,
}
"""When a step's market order fills: at the next bar's open, or at the close it was decided on. ``algotest`` is the
second, and where one bar touches both stop and target the end of the range that lies nearer the open comes first."""

OPTION: Final = 0
FUTURE: Final = 1
"""Rows of a session's terms."""

_RATES: Final = (
    "stt_sell_ppb",
    "stt_exercise_ppb",
    "transaction_ppb",
    "sebi_ppb",
    "ipft_ppb",
    "stamp_buy_ppb",
    "gst_percent",
    "brokerage_paise",
)
_SLIPPAGE: Final = ("at_quotes", "slip_ticks", "slip_spread_ppm", "impact_ppm")

TERMS: Final = np.dtype([(name, np.int64) for name in ("fill", "tick", "freeze", "settle", *_SLIPPAGE, *_RATES)])
"""Terms of one session, a row for options and one for futures: fill mode, paise in a price unit, units an order may
have (0: any), minutes of the index whose mean settles options; how fills are worsened
(:mod:`algomaster.execution.slippage`); rates in parts per billion of the turnover, GST on brokerage, transaction and
SEBI in percent, brokerage in paise an order."""


class Charges(Protocol):
    """The dated rates as :func:`algomaster.market.facts.charges` gives them."""

    @property
    def stt_sell_ppb(self) -> int: ...  # noqa: D102
    @property
    def stt_exercise_ppb(self) -> int: ...  # noqa: D102
    @property
    def transaction_ppb(self) -> int: ...  # noqa: D102
    @property
    def sebi_ppb(self) -> int: ...  # noqa: D102
    @property
    def ipft_ppb(self) -> int: ...  # noqa: D102
    @property
    def stamp_buy_ppb(self) -> int: ...  # noqa: D102
    @property
    def gst_percent(self) -> int: ...  # noqa: D102
    @property
    def brokerage_paise(self) -> int: ...  # noqa: D102


def terms_of(
    *,
    fill: int,
    tick: int,
    option: Charges | None,
    future: Charges | None = None,
    freeze: int = 0,
    settle: int = 30,
    slippage: Mapping[str, int] | None = None,
) -> Record:
    """Give the terms of a session as the two-element record kernels read; charges of None leave costs out."""
    terms = np.zeros(2, TERMS)
    terms["fill"], terms["freeze"], terms["settle"] = fill, freeze, settle
    for name, value in (slippage or {}).items():
        terms[name] = value
    for row, unit, charges in ((OPTION, tick, option), (FUTURE, 1, future)):
        terms[row]["tick"] = unit
        if charges is not None:
            for name in _RATES:
                terms[row][name] = getattr(charges, name)
    return terms


@kernel(lean=True)
def charges_of(terms: Record, row: int, quantity: int, value: int) -> int:
    """Charges in paise on one order of ``value`` paise (positive), executed as many as the freeze quantity asks for.

    ``row`` is OPTION or FUTURE, ``quantity`` signed units. Every part of a sliced order pays brokerage.
    """
    slices = 1
    if terms[row]["freeze"] > 0:
        slices = (abs(quantity) + terms[row]["freeze"] - 1) // terms[row]["freeze"]
    brokerage = terms[row]["brokerage_paise"] * slices
    transaction = _share(value, terms[row]["transaction_ppb"])
    sebi = _share(value, terms[row]["sebi_ppb"])
    gst = ((brokerage + transaction + sebi) * terms[row]["gst_percent"] + 50) // 100
    duty = _share(value, terms[row]["stt_sell_ppb"]) if quantity < 0 else _share(value, terms[row]["stamp_buy_ppb"])
    return brokerage + transaction + sebi + gst + duty + _share(value, terms[row]["ipft_ppb"])


@kernel(lean=True)
def exercise_charges(terms: Record, quantity: int, value: int) -> int:
    """Charges in paise on settling an option at ``value`` paise of intrinsic value: the holder pays STT on it."""
    return _share(value, terms[OPTION]["stt_exercise_ppb"]) if quantity > 0 else 0


@kernel(lean=True)
def _share(value: int, ppb: int) -> int:
    # in two parts, so that no value a ledger can hold overflows
    return value // PPB * ppb + (value % PPB * ppb + PPB // 2) // PPB
