"""Lots of the next round told plainly: worked out anew from everything that was asked before, in exact fractions.

An *ask* is (session, lots given, paise netted by the round); sessions are days since 1970-01-01.
"""

from datetime import date, timedelta
from fractions import Fraction
from math import floor, isqrt

DEFAULTS = {
    "sizing": "fixed", "multiplier": 2.0, "max_steps": 4, "after_max": "stay", "reset": "win", "max_lots": None,
    "daily_loss_limit": None, "max_loss": None, "capital": 1_000_000.0, "fraction": 1.0, "risk_per_lot": None,
    "target_volatility": None, "target_volatility_pct": 1.0, "lookback": 20, "kelly_fraction": 0.5,
}  # fmt: skip


def next_lots(asks, session, base, settings, room=10_000):
    p = DEFAULTS | settings
    netted = sum(pnl for _, _, pnl in asks)
    lots = min(wanted(asks, session, base, p, netted), room, 10_000, p["max_lots"] or 10_000)
    lost_today = -sum(pnl for day, _, pnl in asks if day == session)
    for limit, lost in ((p["daily_loss_limit"], lost_today), (p["max_loss"], -netted)):
        if limit is None:
            continue
        left = round(limit * 100) - lost
        if left <= 0:
            return 0
        if p["risk_per_lot"]:
            lots = min(lots, left // round(p["risk_per_lot"] * 100))
    return lots


def wanted(asks, session, base, p, netted):
    if p["sizing"] == "fixed":
        return base
    if p["sizing"] in {"martingale", "antimartingale"}:
        steps = progression(asks, session, p)
        return min(floor(base * exact(p["multiplier"]) ** steps + Fraction(1, 2)), 10_000)
    capital = max(round(p["capital"] * 100) + netted, 0)
    if p["sizing"] == "fraction":
        return floor(capital * exact(p["fraction"]) / 100 / round(p["risk_per_lot"] * 100))
    mean, variance = of_a_lot(asks, session, p["lookback"])
    if not variance:
        return base
    if p["sizing"] == "kelly":
        return min(max(floor(exact(p["kelly_fraction"]) * capital * mean / variance), 0), 10_000)
    target = p["target_volatility"]
    target = floor(capital * exact(p["target_volatility_pct"]) / 100) if target is None else round(target * 100)
    ratio = Fraction(target) ** 2 / variance
    return min(isqrt(floor(ratio)), 10_000)


def exact(number):
    return Fraction(str(number))


def progression(asks, session, p):
    """Steps since the last way back to the base."""
    sign = -1 if p["sizing"] == "antimartingale" else 1
    results = [(day, sign * pnl) for day, _, pnl in asks if pnl]
    if p["reset"] == "recovery":
        results = after_recovery(results, p)
    elif p["reset"] != "never":
        wins = [k for k, (_, pnl) in enumerate(results) if pnl > 0]
        results = results[wins[-1] + 1 :] if wins else results
    if p["reset"] == "day":
        results = [one for one in results if one[0] == session]
    if p["reset"] == "week":
        results = [one for one in results if week(one[0]) == week(session)]
    losses = sum(pnl < 0 for _, pnl in results)
    if p["max_steps"] is None:
        return losses
    if p["after_max"] == "restart":
        return losses % (p["max_steps"] + 1)
    return min(losses, p["max_steps"])


def after_recovery(results, p):
    """What came after the last time that everything lost since the base had come back."""
    start = 0
    for k in range(len(results)):
        part = results[start : k + 1]
        restarts = p["after_max"] == "restart" and p["max_steps"] is not None
        over = restarts and sum(pnl < 0 for _, pnl in part) > p["max_steps"]
        if over or (results[k][1] > 0 and sum(pnl for _, pnl in part) >= 0):
            start = k + 1
    return results[start:]


def week(day):
    return (date(1970, 1, 1) + timedelta(days=day)).isocalendar()[:2]


def of_a_lot(asks, session, lookback):
    """Weighted mean and variance of a lot's result by session, newest heaviest; nothing before enough is known."""
    days = sorted({day for day, _, _ in asks if day != session})
    fade = Fraction(lookback - 1, lookback + 1)
    known = []
    for age, day in enumerate(reversed(days)):
        rounds = [(lots, pnl) for when, lots, pnl in asks if when == day and lots]
        if rounds:
            known.append((fade**age, sum(Fraction(pnl, lots) for lots, pnl in rounds)))
    total = sum(weight for weight, _ in known)
    if total < Fraction(lookback + 1, 4):
        return None, None
    mean = sum(weight * value for weight, value in known) / total
    return mean, sum(weight * (value - mean) ** 2 for weight, value in known) / total
