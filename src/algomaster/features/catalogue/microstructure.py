"""Family F: microstructure. Proxies from bars work without a book; the last three need quotes.

``bid_qty`` and ``ask_qty`` are the units at the best prices, ``bid_qty_5`` and ``ask_qty_5`` those at the best five
together: with one pair for both, the microprice's deviation would be half the imbalance and say nothing new.
"""

from __future__ import annotations

import math
from typing import Final

from algomaster.features import series as s
from algomaster.features import series_flow as flow
from algomaster.features.definition import SAME_BAR, Feature
from algomaster.features.series import Series
from algomaster.features.series_bars import log_return

__all__ = ["FEATURES"]

_RATE: Final = 0.065
"""Interest a year in the carry of a future: near the repo rate of the Reserve Bank over the years on record."""

_h, _l, _c, _v = (s.given(name) for name in ("high", "low", "close", "volume"))
_change = _c - s.earlier(_c, 1)
_return = log_return()
_bought = flow.normal_share(_change / s.deviation(_change, 20))
_PRICE: Final = frozenset({"price"})
_EASLEY: Final = "Easley, Lopez de Prado and O'Hara 2012, Flow Toxicity and Liquidity in a High-frequency World"
_QUOTED: Final = "NaN where a side of the book is missing or empty"


def _roll(n: int) -> Series:
    """Give Roll's spread; a trend makes the covariance positive and the spread 0."""
    covariance = s.comoment(_return, s.earlier(_return, 1), n) / (n - 1.0)
    return 2.0 * s.root(s.clip(-covariance, 0.0, math.inf))


def _kyle(n: int) -> Series:
    signed = s.sign(_return) * s.log(_v, 1.0)
    return s.comoment(_return, signed, n) / s.moments(signed, n)[1]


def _variance_ratio(q: int, n: int) -> Series:
    return s.moments(log_return(q), n)[1] / (s.moments(_return, n)[1] * float(q))


def _basis() -> Series:
    """Give the future over spot in basis points, less interest for the nights to its expiry."""
    carry = flow.trading_day().nights_to_monthly * (_RATE / 365.0 * 1e4)
    return s.ratio_less_one(s.given("future"), _c) * 1e4 - carry


def _book() -> tuple[Series, Series, Series]:
    bid, ask = s.given("bid"), s.given("ask")
    at_bid, at_ask = s.given("bid_qty"), s.given("ask_qty")
    deep_bid, deep_ask = s.given("bid_qty_5"), s.given("ask_qty_5")
    middle, width = (bid + ask) * 0.5, ask - bid
    micro = (bid * at_ask + ask * at_bid) / (at_bid + at_ask)
    return (
        width / middle * 1e4,
        s.share(deep_bid - deep_ask, deep_bid + deep_ask),
        s.clip((micro - middle) / width, -0.5, 0.5),
    )


_spread, _imbalance, _micro = _book()

FEATURES: Final = (
    Feature(
        name="amihud_20", family="microstructure", formula="mean(|r|/(c*v);20)",
        expression=s.mean(s.absolute(_return) / (_c * _v), 20), parameters={"n": 20}, unit="log return a rupee traded",
        low=0.0, same_under=frozenset(), source="Amihud 2002, Illiquidity and Stock Returns, equation 1, by bars",
        nan_rule="NaN until its window is full, while a missing value or a bar without volume is in it",
    ),
    Feature(
        name="roll_spread_60", family="microstructure", formula="2*sqrt(max(0,-cov(r,r1;60))), divisor 59",
        expression=_roll(60), parameters={"n": 60}, unit="log return", low=0.0,
        source="Roll 1984, A Simple Implicit Measure of the Effective Bid-Ask Spread, equation 1; 0 where undefined",
    ),
    Feature(
        name="corwin_schultz_20", family="microstructure", formula="mean(max(0,S);20), S of two bars' high and low",
        expression=s.mean(flow.spread_of_ranges(_h, _l, _c), 20), parameters={"n": 20}, low=0.0, high=2.0,
        source=(
            "Corwin and Schultz 2012, A Simple Way to Estimate Bid-Ask Spreads, equations 14 and 18, with their "
            "adjustment for gaps between bars; negative estimates of two bars count as 0"
        ),
    ),
    Feature(
        name="kyle_lambda_60", family="microstructure", formula="OLS slope of r on sign(r)*ln(1+v), 60 bars",
        expression=_kyle(60), parameters={"n": 60}, unit="log return a log unit", same_under=_PRICE,
        source="Kyle 1985, Continuous Auctions and Insider Trading: price impact, here of bars signed by their return",
    ),
    Feature(
        name="bvc_buy_share_20", family="microstructure", formula="sum(v*N(dc/std(dc;20));20)/sum(v;20)",
        expression=s.clip(s.total(_v * _bought, 20) / s.total(_v, 20), 0.0, 1.0), parameters={"n": 20}, low=0.0,
        high=1.0, source=f"{_EASLEY}: bulk volume classification",
        nan_rule="NaN until its windows are full, while a missing value is in them and where no price or volume moved",
    ),
    Feature(
        name="vpin_50", family="microstructure", formula="mean of |2*buyshare-1| over the last 50 buckets of volume",
        expression=flow.imbalance(_v, _bought, parts=50, buckets=50, sessions=5),
        parameters={"buckets": 50, "parts": 50, "sessions": 5, "n": 20}, low=0.0, high=1.0, sessions=11,
        nan_rule="NaN until 5 sessions have gone by and 50 buckets are full, and on bars without a buy share",
        source=(
            f"{_EASLEY}. A bucket is 1/50 of the mean volume of the last 5 sessions, as known at the open; each "
            "session begins with an empty bucket"
        ),
    ),
    Feature(
        name="tick_imb_20", family="microstructure", formula="mean(sign(c-c1);20)",
        expression=s.mean(s.sign(_change), 20), parameters={"n": 20}, low=-1.0, high=1.0,
        source="tick rule of Lee and Ready 1991 by bars",
    ),
    Feature(
        name="hurst_rs_120", family="microstructure", formula="ln(R/S)/ln(120) of r", expression=flow.hurst(_c, 120),
        parameters={"n": 120}, unit="exponent", low=0.0, high=1.0,
        source="Hurst 1951; Mandelbrot and Wallis 1969: rescaled range, S with divisor 120",
        nan_rule="NaN until its window is full, while a missing value is in it and where all its returns are equal",
    ),
    Feature(
        name="var_ratio_5_60", family="microstructure", formula="var(ln(c/c5);60)/(5*var(r;60))",
        expression=_variance_ratio(5, 60), parameters={"q": 5, "n": 60}, low=0.0,
        source="Lo and MacKinlay 1988: overlapping variance ratio, without their corrections for small samples",
    ),
    Feature(
        name="fut_basis_bps", family="microstructure", formula="(Fut/S-1)*1e4 - 1e4*rate*nights/365",
        expression=_basis(), parameters={"rate": _RATE}, unit="basis points", sessions=1, wait=0,
        nan_rule=f"{SAME_BAR}, or outside the hours of a session on record",
        source="cost of carry; nights to the monthly expiry, as interest is paid by the night",
    ),
    Feature(
        name="spread_bps", family="microstructure", formula="(ask-bid)/((ask+bid)/2)*1e4", expression=_spread,
        unit="basis points", sessions=1, nan_rule=_QUOTED, source="quoted spread; negative where the book is crossed",
    ),
    Feature(
        name="book_imb_5", family="microstructure", formula="(bidq-askq)/(bidq+askq), best five levels",
        expression=_imbalance, low=-1.0, high=1.0, sessions=1, nan_rule=_QUOTED,
        source="Cao, Hansch and Wang 2009, The Information Content of an Open Limit-order Book",
    ),
    Feature(
        name="microprice_dev", family="microstructure", expression=_micro,
        formula="(micro-mid)/(ask-bid), micro=(bid*askq+ask*bidq)/(bidq+askq)", low=-0.5, high=0.5, sessions=1,
        nan_rule=f"{_QUOTED}, and where bid and ask are equal",
        source="Stoikov 2018, The Micro-price: the weighted mid-price; quantities of the best level",
    ),
)  # fmt: skip
