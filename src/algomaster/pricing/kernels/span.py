"""Margin of positions in one underlying, in the manner of SPAN: the worst loss over sixteen scenarios, and additions.

1. The underlying is moved by 0, 1/3, 2/3 and all of the price scan range, up and down, with volatilities moved up and
   down each time; two more scenarios move it by twice the range and count 35 % of the loss (:data:`MOVES`,
   :data:`VOLS`, :data:`COVERED`). Options are valued a day ahead (Black-76).
2. Scan risk is the largest sum of the legs' losses, at least 0. Legs that expire apart move together in it; for the
   units that one expiry holds against another a calendar charge is added. Joined, they are never charged more than
   expiry by expiry.
3. SPAN margin is the scan risk (or the minimum for sold options) less the net value of the options, at least 0: a
   seller owes what buying back costs, and a bought option needs nothing beyond its premium.
4. Exposure margin is a share of the underlying's value for sold options and futures, more far out of the money and on
   the last day.

Sources: NSE Clearing's description of SPAN and its risk parameters (2024); SEBI circulars of 24 February 2020
(SEBI/HO/MRD2/DCAP/CIR/P/2020/27) and 1 October 2024 (SEBI/HO/MRD/TPD-1/P/CIR/2024/132). The clearing house's own
risk arrays are not used: this is an approximation, whose error ``docs/margin.md`` states.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from algomaster.core.jit import kernel
from algomaster.core.types import FloatArray, IntArray
from algomaster.pricing.kernels.payoff import leg_worth

__all__ = ["COLUMNS", "COVERED", "FAR", "LOOK_AHEAD", "MOVES", "RATES", "SCENARIOS", "VOLS", "margin_rows", "rates_row",
           "scenario_loss"]  # fmt: skip

SCENARIOS: Final = 16
_THIRD: Final = 1.0 / 3.0
MOVES: Final = (
    0.0, 0.0, _THIRD, _THIRD, -_THIRD, -_THIRD, 2.0 * _THIRD, 2.0 * _THIRD, -2.0 * _THIRD, -2.0 * _THIRD,
    1.0, 1.0, -1.0, -1.0, 2.0, -2.0,
)  # fmt: skip
"""Move of the underlying in price scan ranges, scenario by scenario."""
VOLS: Final = (1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 0.0, 0.0)
"""Move of volatilities in volatility scan ranges."""
COVERED: Final = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.35, 0.35)
"""Share of the loss that counts."""

LOOK_AHEAD: Final = 1.0 / 365.0
"""Years after which positions are valued."""
FAR: Final = 0.10
"""How far out of the money an option is far: the share of the spot between that and the strike."""

RATES: Final = (
    "scan", "vol_scan", "short_minimum", "exposure", "far_exposure", "expiry_exposure", "calendar",
    "calendar_on_expiry",
)  # fmt: skip
"""Columns of the rates that :func:`margin_rows` takes."""
COLUMNS: Final = (
    "total", "span", "exposure", "expiry_exposure", "scan_risk", "calendar", "short_minimum", "option_value",
)  # fmt: skip
"""Columns of what it gives. ``exposure`` includes far options, not the last day's ``expiry_exposure``."""


@kernel(inline=True)
def scenario_loss(
    j: int, right: int, spot: float, strike: float, price: float, t: float, vol: float, rate: float, dividend: float,
    scan: float, vol_scan: float,
) -> float:  # fmt: skip
    """Give what one bought unit loses in scenario ``j`` (0 to 15); negative where it gains.

    Parameters
    ----------
    right : int
        +1 call, -1 put, 0 future.
    price : float
        Premium now; of a future nothing is read, it is worth its forward.
    t : float
        Years to expiry, of 365 days.
    vol : float
        Of a future nothing is read.
    scan, vol_scan : float
        Scan ranges: a share of the spot, and an amount of volatility.
    """
    left = t - LOOK_AHEAD
    left = left if left > 0.0 else 0.0
    moved = spot * (1.0 + MOVES[j] * scan)
    moved = moved if moved > 0.0 else 0.0
    shifted = vol + VOLS[j] * vol_scan
    shifted = shifted if shifted > 0.0 else 0.0
    now = leg_worth(0, spot, strike, left, 0.0, rate, dividend) if right == 0 else price
    return COVERED[j] * (now - leg_worth(right, moved, strike, left, 0.0 if right == 0 else shifted, rate, dividend))


@kernel
def _risk(losses: FloatArray, member: IntArray) -> float:
    """Give the largest loss of the members together, at least 0 (nothing happens)."""
    worst = 0.0
    for j in range(SCENARIOS):
        total = 0.0
        for i in range(member.size):
            if member[i]:
                total += losses[i, j]
        worst = total if total > worst else worst
    return worst


@kernel
def _calendar(delta: FloatArray, t: FloatArray, member: IntArray) -> float:
    """Give the units that some expiries hold against others: the smaller of all that are long and all short."""
    long, short = 0.0, 0.0
    for i in range(member.size):
        first = member[i] == 1
        for k in range(i):
            first = first and not (member[k] == 1 and t[k] == t[i])
        if first:
            net = 0.0
            for k in range(member.size):
                net += delta[k] if member[k] == 1 and t[k] == t[i] else 0.0
            long += net if net > 0.0 else 0.0
            short -= net if net < 0.0 else 0.0
    return min(long, short)


@kernel
def _apart(losses: FloatArray, least: FloatArray, value: FloatArray, t: FloatArray, member: IntArray) -> float:
    """Give the SPAN margin of the members with every expiry for itself."""
    total = 0.0
    alike = np.zeros(member.size, np.int64)
    for i in range(member.size):
        first = member[i] == 1
        for k in range(i):
            first = first and not (member[k] == 1 and t[k] == t[i])
        if first:
            minimum, net = 0.0, 0.0
            for k in range(member.size):
                alike[k] = 1 if member[k] == 1 and t[k] == t[i] else 0
                minimum += least[k] * alike[k]
                net += value[k] * alike[k]
            total += max(0.0, max(_risk(losses, alike), minimum) - net)
    return total


@kernel
def margin_rows(
    start: IntArray, right: IntArray, strike: FloatArray, quantity: FloatArray, price: FloatArray, t: FloatArray,
    vol: FloatArray, last_day: IntArray, spot: FloatArray, rate: float, dividend: float, rates: FloatArray,
    out: FloatArray, scenarios: FloatArray,
) -> None:  # fmt: skip
    """Write the margins of P positions, each in one underlying.

    Parameters
    ----------
    start : (P + 1,) int64
        Legs of position p are ``start[p]`` to ``start[p + 1] - 1``.
    right, strike, quantity, price, t, vol : (n,)
        Of the legs, as for :func:`scenario_loss`; quantities in units, sold negative.
    last_day : (n,) int64
        1 for a leg that expires today.
    spot : (P,) float64
    rate, dividend : float
        Continuously compounded.
    rates : (P, 8) float64
        See :data:`RATES`.
    out : (P, 8) float64
        See :data:`COLUMNS`; in money.
    scenarios : (P, 16) float64
        Loss of the whole position in each scenario.
    """
    for p in range(start.size - 1):
        first, n = start[p], start[p + 1] - start[p]
        s = float(spot[p])
        scan, vol_scan = rates[p, 0], rates[p, 1]
        losses = np.empty((n, SCENARIOS))
        delta, least, value = np.empty(n), np.empty(n), np.empty(n)
        exposed, ending = 0.0, 0.0
        for i in range(n):
            leg = first + i
            held, kind = quantity[leg], right[leg]
            for j in range(SCENARIOS):
                losses[i, j] = held * scenario_loss(
                    j, kind, s, float(strike[leg]), float(price[leg]), float(t[leg]), float(vol[leg]), rate, dividend,
                    scan, vol_scan,
                )  # fmt: skip
            reach = 2.0 * _THIRD * scan * s
            moved = 0.5 * (losses[i, 4] + losses[i, 5] - losses[i, 2] - losses[i, 3])
            delta[i] = moved / reach if reach > 0.0 else 0.0
            sold = -held if kind != 0 and held < 0.0 else 0.0
            least[i] = sold * s * rates[p, 2]
            value[i] = held * price[leg] if kind != 0 else 0.0
            far = kind * (strike[leg] - s) > FAR * s
            exposed += (sold if kind != 0 else abs(held)) * rates[p, 3] + (sold * rates[p, 4] if far else 0.0)
            ending += sold * rates[p, 5] if last_day[leg] == 1 else 0.0
        for j in range(SCENARIOS):
            total = 0.0
            for i in range(n):
                total += losses[i, j]
            scenarios[p, j] = total
        span, risks, charges, minimums, net_all = 0.0, 0.0, 0.0, 0.0, 0.0
        member = np.zeros(n, np.int64)
        for group in range(2):
            minimum, net = 0.0, 0.0
            for i in range(n):
                alone = last_day[first + i] == 1 and rates[p, 7] == 0.0
                member[i] = 1 if alone == (group == 1) else 0
                minimum += least[i] * member[i]
                net += value[i] * member[i]
            risk = _risk(losses, member)
            charge = _calendar(delta, t[first : first + n], member) * rates[p, 6] * s
            joined = max(0.0, max(risk + charge, minimum) - net)
            span += min(joined, _apart(losses, least, value, t[first : first + n], member))
            risks += risk
            charges += charge
            minimums += minimum
            net_all += net
        out[p, 1], out[p, 2], out[p, 3] = span, exposed * s, ending * s
        out[p, 0] = span + exposed * s + ending * s
        out[p, 4], out[p, 5], out[p, 6], out[p, 7] = risks, charges, minimums, net_all


def rates_row(values: Any, scan: float, vol_scan: float) -> list[float]:
    """Give a row of :data:`RATES` from an object that has them as fields."""
    return [scan, vol_scan, *(float(getattr(values, name)) for name in RATES[2:])]
