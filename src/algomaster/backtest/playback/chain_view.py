"""The part of a snapshot that shows the market: the chain around the money and premiums through the session."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from algomaster.backtest.playback.snapshots import ChainRow, Quote
from algomaster.core.types import MISSING, PAISE, FloatArray
from algomaster.pricing.implied import implied_vol
from algomaster.strategy.steps.contract import N_CONTRACTS, N_OPEN, Day

__all__ = ["View", "chain_rows", "held_premium", "of_the_night", "straddle_premium"]

_CALL, _PUT = 0, 1


class View(NamedTuple):
    """Strikes around the money of the nearest expiry, its forward by put-call parity, the strike at the money."""

    rows: tuple[ChainRow, ...]
    forward: float | None
    money: float | None


def chain_rows(day: Day, bar: int, *, around: int, iv: bool) -> View:
    """Give the chain at the end of a bar; nothing before the first bar has closed or where the index is not known."""
    if bar < 0 or day.spot[bar] == MISSING:
        return View((), None, None)
    middle = int(np.argmin(np.abs(day.strikes - day.spot[bar])))
    shown = slice(max(middle - around, 0), middle + around + 1)
    strikes = day.strikes[shown] / PAISE
    quotes = (getattr(day, name)[0, shown, :, bar].astype(np.int64) for name in ("bid", "ask", "close"))
    bid, ask, close = (np.where(ticks == MISSING, np.nan, ticks * int(day.tick)) for ticks in quotes)
    price = np.where((bid > 0) & (ask >= bid), (bid + ask) / 2, close) / PAISE
    at = middle - shown.start
    forward = float(strikes[at] + price[at, _CALL] - price[at, _PUT])  # parity without interest, over days
    vol = np.full(price.shape, np.nan)
    years = float(day.years[0, bar])
    if iv and forward == forward and years > 0:
        sides = np.broadcast_to(np.array(["CE", "PE"]), price.shape)
        on = np.broadcast_to(strikes[:, None], price.shape)
        vol = implied_vol(price, sides, day.spot[bar] / PAISE, on, years, forward=forward).vol
    first_oi = day.oi[0, shown, :, 0]
    rows = []
    for k in range(strikes.size):
        sides_of = [
            Quote(
                price=_known(price[k, r]), bid=_known(bid[k, r] / PAISE), ask=_known(ask[k, r] / PAISE),
                volume=_count(day.volume[0, shown.start + k, r, bar]), oi=_count(day.oi[0, shown.start + k, r, bar]),
                oi_change=_change(day.oi[0, shown.start + k, r, bar], first_oi[k, r]), iv=_known(vol[k, r]),
            )
            for r in (_CALL, _PUT)
        ]  # fmt: skip
        rows.append(ChainRow(float(strikes[k]), *sides_of))
    return View(tuple(rows), _known(forward), float(strikes[at]))


def straddle_premium(day: Day, at: int) -> tuple[float | None, ...]:
    """Give what call and put at the money cost together at the end of each of the first ``at`` bars."""
    spot, bars = day.spot[:at], np.arange(at)
    step = int(day.strike_step[0])
    strike = (2 * spot + step) // (2 * step) * step
    k = np.minimum(np.searchsorted(day.strikes, strike), day.strikes.size - 1)
    call, put = (day.close[0, k, right, bars].astype(np.int64) for right in (_CALL, _PUT))
    known = (spot != MISSING) & (day.strikes[k] == strike) & (call != MISSING) & (put != MISSING)
    premium = np.where(known, (call + put) * int(day.tick) / PAISE, np.nan)
    return tuple(_known(value) for value in premium.tolist())


def held_premium(scene: Any, at: int) -> tuple[float | None, ...]:
    """Give what leaving the open option legs cost, a unit of the largest, at the end of each bar since all were open.

    Positive where leaving costs money (what is short), negative where it brings some.
    """
    day, book = scene.day, scene.book
    legs = [book.legs[number] for number in book.open_legs[: book.counts[N_OPEN]]]
    legs = [leg for leg in legs if 0 <= leg["instrument"] < book.counts[N_CONTRACTS]]
    if not legs or not at:
        return (None,) * at
    total = np.zeros(at)
    for leg in legs:
        total -= int(leg["quantity"]) * _last_closes(day, leg["instrument"], at)
    total /= max(abs(int(leg["quantity"])) for leg in legs)
    total[: max(0 if of_the_night(leg) else int(leg["entry_bar"]) for leg in legs)] = np.nan
    return tuple(_known(value) for value in total.tolist())


def of_the_night(leg: Any) -> bool:
    """Whether a leg came out of an earlier session: only then its contract is written into it."""
    return bool(leg["expiry"] != 0 or leg["right"] != 0)


def _last_closes(day: Day, instrument: int, at: int) -> FloatArray:
    """Give a contract's last traded close at each bar's end in rupees; NaN before the first."""
    closes = day.close.reshape(-1, day.ts.size)[instrument, :at]
    last = np.maximum.accumulate(np.where(closes != MISSING, np.arange(at), -1))
    paise = closes[np.maximum(last, 0)].astype(np.int64) * int(day.tick)
    return np.where(last >= 0, paise / PAISE, np.nan)


def _known(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _count(value: Any) -> int | None:
    return None if value == MISSING else int(value)


def _change(now: Any, first: Any) -> int | None:
    return None if MISSING in (now, first) else int(now) - int(first)
