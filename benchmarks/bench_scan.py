"""Scans of two underlyings, minute after minute; the momentum strategy; sizing; risk of ruin."""

import sys
from pathlib import Path

from algomaster import backtest, market, performance, strategy
from measure import fastest_seconds, median_seconds, row

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))


def run():
    from naive.momentum import CRITERIA, measures, scores

    days = {
        name: market.simulate(name, sessions=1, start="2024-01-05", strikes=41, expiries=2, seed=3)
        for name in ("NIFTY", "BANKNIFTY")
    }
    settings = {"minutes": 15, "terms": "volatility", "min_premium": 5.0, "min_value": 50_000.0, "max_spread_pct": 10.0}
    scanner = strategy.Scanner(days, settings=settings)
    one = scanner.at("10:15", 500)
    rows = [
        measures(day[0], 59, (e, k, right), settings)
        for day in days.values()
        for e in range(2)
        for k in range(41)
        for right in (0, 1)
    ]
    plain = scores([found for found in rows if found is not None], {name: one.weights[name] for name in CRITERIA})
    assert sorted(round(float(score) * 100, 6) for score in plain) == sorted(round(s, 6) for s in one.frame["score"])
    with_iv = strategy.Scanner(days, settings=settings | {"iv_weight": 0.5})
    session = median_seconds(lambda: every_minute(scanner), repeats=3)
    results = [
        row("scan of 328 contracts at one minute", median_seconds(lambda: scanner.at("10:15")) * 1e3, "ms", 10),
        row("the same with implied volatilities", median_seconds(lambda: with_iv.at("10:15")) * 1e3, "ms", 15),
        row(f"a session minute by minute ({len(scanner.minutes)} scans)", session, "s", 4),
    ]
    return results + strategies() + ruin()


def every_minute(scanner):
    return [scanner.at(moment) for moment in scanner.minutes]


def strategies():
    days = market.simulate("NIFTY", sessions=20, start="2024-01-01", strikes=41, seed=3)
    sized = {"sizing": "martingale", "max_lots": 8}
    plain = backtest.sweep("momentum", days, grid={"stop_pct": [20.0] * 64}, digest=True)
    assert set(plain.frame["digest"]) == {backtest.replay("momentum", days).digest}
    grid = {"stop_pct": [10.0 + n / 10 for n in range(256)]}
    taken = fastest_seconds(lambda: backtest.sweep("momentum", days, grid=grid))
    martingale = fastest_seconds(lambda: backtest.sweep("momentum", days, grid=grid, params=sized))
    return [
        row("momentum, one set through one session (20 rankings of 22 contracts)", taken / 256 / 20 * 1e6, "us", 400),
        row("the same sized by a martingale, over fixed lots", martingale / taken, "times", 1.3),
    ]


def ruin():
    rounds = [100.0] * 11 + [-100.0] * 9
    given = {"capital": 500.0, "horizon": 250, "block": 1}
    found = performance.risk_of_ruin(rounds, **given)
    assert abs(found.probability - (9 / 11) ** 5) < 0.03  # the gambler's ruin, nearly all of it within 250 rounds
    taken = fastest_seconds(lambda: performance.risk_of_ruin(rounds, {"sizing": "martingale"}, **given))
    return [row("risk of ruin, 10,000 paths of 250 rounds", taken, "s", 0.5)]
