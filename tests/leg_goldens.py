"""Sessions made by hand for the straddle manager: twenty minutes from 09:15, the index at 1000, quiet contracts."""

import dataclasses
from datetime import date

import numpy as np

from algomaster import backtest
from hand_made import bars, blank, flat_index

MINUTES = 20
PREMIUMS = {
    "CE": {900: 150, 950: 120, 1000: 100, 1050: 60, 1100: 30},
    "PE": {900: 30, 950: 60, 1000: 100, 1050: 120, 1100: 150},
}


def session(*, premiums=None, spot=1000, on=date(2024, 1, 1), expiry=date(2024, 1, 4)):
    day = flat_index(blank(minutes=MINUTES, centre=1000, step=50, session=on), spot)
    day = dataclasses.replace(day, expiries=np.array([(expiry - date(1970, 1, 1)).days], np.int32))
    for right, prices in (premiums or PREMIUMS).items():
        for strike, price in prices.items():
            bars(day, strike, right, [(price,) * 4] * MINUTES)
    return day


def with_bars(day, right, rows, *, strike=1000):
    """Write (open, high, low, close) into single bars: ``rows`` is {bar: row}; the last close stays afterwards."""
    last = None
    for i in range(MINUTES):
        if i in rows:
            bars(day, strike, right, [rows[i]], start=i)
            last = rows[i][3]
        elif last is not None:
            bars(day, strike, right, [(last,) * 4], start=i)
    return day


def with_index(day, closes):
    """Let the index close at these values (rupees) from the given bars on."""
    for i, value in closes.items():
        for name in ("spot_open", "spot_high", "spot_low", "spot"):
            getattr(day, name)[i:] = round(value * 100)
    return day


def run(days, *legs, fills="algotest", **params):
    """Entry decided at 09:17 (bar 1), exit at 09:33 (bar 17), one lot of 50 a leg."""
    settings = {"entry": "09:17", "exit": "09:33", "legs": list(legs)} | params
    return backtest.replay("legs", days, params=settings, fills=fills, costs=False)


def trades(days, *legs, **params):
    """Trades as (right, strike, quantity, entry, price, exit, price, reason), with times "HH:MM"."""
    return [
        (
            row["right"], row["strike"], row["quantity"], f"{row['entry_time']:%H:%M}", row["entry_price"],
            f"{row['exit_time']:%H:%M}", row["exit_price"], row["exit_reason"],
        )
        for row in run(days, *legs, **params).trades.to_dicts()
    ]  # fmt: skip


def call(**rules):
    return {"right": "CE"} | rules


def put(**rules):
    return {"right": "PE"} | rules
