"""The margin of a position as one writes it on paper: scenario by scenario, leg by leg, with the textbook formula."""

from __future__ import annotations

import math
from typing import Any

DAY = 1.0 / 365.0
SCENARIOS = [(move, vol, 1.0) for move in (0.0, 1 / 3, -1 / 3, 2 / 3, -2 / 3, 1.0, -1.0) for vol in (1.0, -1.0)] + [
    (2.0, 0.0, 0.35),
    (-2.0, 0.0, 0.35),
]

Leg = tuple[int, float, float, float, float, float]
"""right (+1, -1, 0), strike, quantity, price, t, vol."""


def normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def worth(right: int, spot: float, strike: float, t: float, vol: float, rate: float) -> float:
    t = max(t, 0.0)
    forward, discount = spot * math.exp(rate * t), math.exp(-rate * t)
    if right == 0:
        return forward
    deviation = vol * math.sqrt(t)
    if deviation <= 0.0 or spot <= 0.0:
        return discount * max(right * (forward - strike), 0.0)
    d1 = math.log(forward / strike) / deviation + 0.5 * deviation
    return discount * right * (forward * normal(right * d1) - strike * normal(right * (d1 - deviation)))


def loss(
    leg: Leg, scenario: tuple[float, float, float], spot: float, rate: float, scan: float, vol_scan: float
) -> float:
    right, strike, quantity, price, t, vol = leg
    move, shift, covered = scenario
    left = t - DAY
    then = worth(right, max(spot * (1.0 + move * scan), 0.0), strike, left, max(vol + shift * vol_scan, 0.0), rate)
    now = worth(0, spot, strike, left, 0.0, rate) if right == 0 else price
    return quantity * covered * (now - then)


def risk(legs: list[Leg], spot: float, rate: float, scan: float, vol_scan: float) -> float:
    return max([0.0] + [sum(loss(leg, s, spot, rate, scan, vol_scan) for leg in legs) for s in SCENARIOS])


def span(legs: list[Leg], spot: float, rate: float, rates: Any, scan: float, vol_scan: float, charge: float) -> float:
    sold = sum(-leg[2] for leg in legs if leg[0] and leg[2] < 0)
    value = sum(leg[2] * leg[3] for leg in legs if leg[0])
    found = risk(legs, spot, rate, scan, vol_scan) + charge
    return max(0.0, max(found, sold * spot * rates.short_minimum) - value)


def delta(leg: Leg, spot: float, rate: float, scan: float, vol_scan: float) -> float:
    up, down = (sum(loss(leg, SCENARIOS[j], spot, rate, scan, vol_scan) for j in pair) for pair in ((2, 3), (4, 5)))
    return 0.5 * (down - up) / (2.0 / 3.0 * scan * spot)


def margin(legs: list[Leg], spot: float, rate: float, rates: Any, scan: float, vol_scan: float) -> dict[str, float]:
    total_span = 0.0
    today = [leg for leg in legs if leg[4] < DAY and not rates.calendar_on_expiry]
    for group in (today, [leg for leg in legs if leg not in today]):
        by_expiry: dict[float, list[Leg]] = {}
        for leg in group:
            by_expiry.setdefault(leg[4], []).append(leg)
        nets = [sum(delta(leg, spot, rate, scan, vol_scan) for leg in some) for some in by_expiry.values()]
        matched = min(sum(max(net, 0.0) for net in nets), sum(max(-net, 0.0) for net in nets))
        joined = span(group, spot, rate, rates, scan, vol_scan, matched * rates.calendar * spot)
        apart = sum(span(some, spot, rate, rates, scan, vol_scan, 0.0) for some in by_expiry.values())
        total_span += min(joined, apart)
    exposure = last = 0.0
    for right, strike, quantity, _, t, _ in legs:
        if right == 0:
            exposure += abs(quantity) * spot * rates.exposure
        elif quantity < 0:
            far = right * (strike - spot) > 0.10 * spot
            exposure += -quantity * spot * (rates.exposure + (rates.far_exposure if far else 0.0))
            last += -quantity * spot * rates.expiry_exposure if t < DAY else 0.0
    return {"total": total_span + exposure + last, "span": total_span, "exposure": exposure, "expiry_exposure": last}
