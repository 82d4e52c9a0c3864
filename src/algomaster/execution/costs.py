"""What a fill costs: brokerage and the dated charges of the exchange and the state, in whole paise.

Each item is rounded half-up to a paisa per fill. On a broker's contract note the securities transaction tax is rounded
to the rupee over the whole note; a single fill cannot know that, so a day may differ from its note by under a rupee.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import Record

PPB: Final = 1_000_000_000

NEXT_OPEN: Final = 0
DECISION_CLOSE: Final = 1
FILL_MODES: Final = ("next_open", "decision_close")
"""When a step's market order fills: at the next bar's open, or at the close it was decided on."""

_RATES: Final = (
    "stt_sell_ppb",
    "transaction_ppb",
    "sebi_ppb",
    "ipft_ppb",
    "stamp_buy_ppb",
    "gst_percent",
    "brokerage_paise",
)

TERMS: Final = np.dtype([(name, np.int64) for name in ("fill", "tick", *_RATES)])
"""Terms of one session: fill mode, paise in a tick, rates in parts per billion of the turnover, GST on brokerage,
transaction and SEBI in percent, brokerage in paise per order."""


class Charges(Protocol):
    """The dated rates as :func:`algomaster.market.facts.charges` gives them."""

    @property
    def stt_sell_ppb(self) -> int: ...  # noqa: D102
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


def terms_of(*, fill: int, tick: int, charges: Charges | None) -> Record:
    """Give the terms of a session as the one-element record kernels read; ``charges`` None leaves costs out."""
    terms = np.zeros(1, TERMS)
    terms[0]["fill"] = fill
    terms[0]["tick"] = tick
    if charges is not None:
        for name in _RATES:
            terms[0][name] = getattr(charges, name)
    return terms


@kernel(lean=True)
def charges_of(terms: Record, value: int, sells: bool) -> int:
    """Charges in paise on one executed order of ``value`` paise."""
    brokerage = terms[0]["brokerage_paise"]
    transaction = _share(value, terms[0]["transaction_ppb"])
    sebi = _share(value, terms[0]["sebi_ppb"])
    gst = ((brokerage + transaction + sebi) * terms[0]["gst_percent"] + 50) // 100
    duty = _share(value, terms[0]["stt_sell_ppb"]) if sells else _share(value, terms[0]["stamp_buy_ppb"])
    return brokerage + transaction + sebi + gst + duty + _share(value, terms[0]["ipft_ppb"])


@kernel(lean=True)
def _share(value: int, ppb: int) -> int:
    # in two parts, so that no value a ledger can hold overflows
    return value // PPB * ppb + (value % PPB * ppb + PPB // 2) // PPB
