"""Margins that brokers and their calculators printed, against ours: the error that docs/margin.md states.

Figures are facts with their source. What a source does not print (a date, a premium, a volatility) is assumed here and
marked with a star in the table; a margin hardly depends on it. Nothing is fitted.
"""

import statistics
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from algomaster.market import facts
from algomaster.pricing import margin

PAGE = Path(__file__).resolve().parents[2] / "docs" / "margin.md"


class Example(NamedTuple):
    kind: str
    what: str
    source: str
    day: date
    spot: float
    legs: list
    days: float
    published: float
    daily_vol: float | None = None


A, A_DAY, A_SPOT = "tradingqna.com/t/178234", date(2025, 2, 3), 23_114.1
C1, P1 = ("CE", 23100, -75, 154.7), ("PE", 23100, -75, 123.7)
C2, P2 = ("CE", 23400, 75, 43.8), ("PE", 22800, 75, 37.95)
B, B_DAY, B_SPOT = "marketcalls/marginism", date(2026, 5, 29), 23_547.75
FUT, CALL, PUT = ("FUT", None, 65, 23748.5), ("CE", 23700, -65, 437.65), ("PE", 23700, -65, 389.5)
OLD = "before June 2020"
WILD = "May and June 2020"
CALM = "since June 2020"
STRANGLE = [("CE", 10000, -75, 0.0, None, 0.35), ("PE", 8000, -75, 0.0, None, 0.35)]
IMPLIED = 0.02223
"""Daily volatility for which the scan range is what the published future of 20 May 2020 shows (18.9 %)."""

EXAMPLES = [
    Example(CALM, "NIFTY, sold put at the money", A, A_DAY, A_SPOT, [P1], 4, 192_798),
    Example(CALM, "NIFTY, put spread of 300", A, A_DAY, A_SPOT, [P1, P2], 4, 56_217.9),
    Example(CALM, "NIFTY, sold call at the money", A, A_DAY, A_SPOT, [C1], 4, 196_181),
    Example(CALM, "NIFTY, call spread of 300", A, A_DAY, A_SPOT, [C1, C2], 4, 56_866.7),
    Example(CALM, "NIFTY, sold straddle", A, A_DAY, A_SPOT, [C1, P1], 4, 230_852),
    Example(CALM, "NIFTY, iron butterfly", A, A_DAY, A_SPOT, [C1, P1, C2, P2], 4, 91_537.8),
    Example(CALM, "NIFTY future", B, B_DAY, B_SPOT, [FUT], 32, 174_593),
    Example(CALM, "NIFTY, sold call of a month", B, B_DAY, B_SPOT, [CALL], 32, 172_285),
    Example(CALM, "NIFTY, sold straddle of a month *", B, B_DAY, B_SPOT, [CALL, PUT], 32, 202_898),
    Example(CALM, "NIFTY future and bought put *", B, B_DAY, B_SPOT,
            [FUT, ("PE", 23000, 65, 0.0, None, 0.15)], 32, 78_904),
    Example(CALM, "NIFTY, sold call of a month *", "kite.trade/forum (50240)", date(2025, 7, 9), 25_450.0,
            [("CE", 25700, -75, 232.05)], 22, 197_528.25),
    Example(CALM, "NIFTY, put spread of 1,950 *", "kite.trade/forum (14995)", date(2025, 4, 24), 24_200.0,
            [("PE", 24800, -75, 680.0, None, 0.15), ("PE", 22850, 75, 40.0, None, 0.18)], 6, 183_000),
    Example(CALM, "BANKNIFTY, bought condor on its last day *", "tradingqna.com/t/172759", date(2024, 10, 23),
            51_365.7, [("CE", 51500, 15, 32.0, None, 0.15), ("CE", 51700, -15, 14.3, None, 0.15),
                       ("PE", 51100, 15, 15.05, None, 0.15), ("PE", 50900, -15, 7.35, None, 0.15)], 0.25, 31_522),
    Example(CALM, "NIFTY, sold put at the money *", "thehindubusinessline (68894547)", date(2024, 11, 19), 23_518.5,
            [("PE", 23500, -25, 90.0, None, 0.15)], 2, 73_839),
    Example(CALM, "NIFTY, sold strangle, \"about\" *", "ShoonyaApi-py issue 149", date(2024, 2, 12), 21_616.05,
            [("PE", 21000, -50, 0.0, None, 0.16), ("CE", 22300, -50, 0.0, None, 0.16)], 3, 125_000),
    Example(WILD, "NIFTY future of June", "optionhydra slides", date(2020, 6, 1), 9_482.0,
            [("FUT", None, 75, 9482.0)], 24, 134_571),
    Example(WILD, "NIFTY future of May", "indian-share-tips.com", date(2020, 6, 1), 9_066.65,
            [("FUT", None, 75, 9066.0)], 8, 141_840.23),
    Example(WILD, "NIFTY, sold call at the money *", "indian-share-tips.com", date(2020, 6, 1), 9_066.55,
            [("CE", 9100, -75, 0.0, None, 0.35)], 1.1, 124_958.83),
    Example(WILD, "NIFTY, sold strangle at 10 % *", "indian-share-tips.com", date(2020, 6, 1), 9_066.55, STRANGLE, 36,
            108_692.23),
    Example(OLD, "NIFTY, sold call *", "tradingqna.com/t/1354", date(2014, 10, 8), 7_945.0,
            [("CE", 8100, -50, 0.0, None, 0.13)], 22, 27_128),
    Example(OLD, "NIFTY, sold put *", "tradingqna.com/t/1354", date(2014, 10, 8), 7_945.0,
            [("PE", 7900, -50, 0.0, None, 0.13)], 22, 27_688),
    Example(OLD, "NIFTY, call spread of 100 *", "zerodha.com/z-connect (9831)", date(2014, 6, 10), 7_725.0,
            [("CE", 8100, -50, 15.0, None, 0.15), ("CE", 8200, 50, 7.34, None, 0.15)], 20, 23_470),
    Example(OLD, "NIFTY, sold put far out *", "tradingqna.com/t/3065", date(2015, 9, 1), 8_224.0,
            [("PE", 7600, -275, 13.5)], 20, 139_762),
    Example(OLD, "NIFTY, sold call far out *", "tradingqna.com/t/7462", date(2017, 2, 15), 8_727.0,
            [("CE", 9200, -75, 3.65)], 10, 39_634),
    Example(OLD, "NIFTY, sold put *", "zerodha.com/z-connect (140340)", date(2018, 2, 14), 10_353.0,
            [("PE", 10200, -750, 2.5)], 8, 468_815),
]  # fmt: skip


def ours(example):
    """Give our margin; a premium that is not printed is the model's."""
    from algomaster.pricing import price
    from algomaster.pricing.margins import RATE

    legs = []
    for leg in example.legs:
        right, strike, quantity, premium, *rest = leg
        if right != "FUT" and premium == 0.0:
            premium = price(right, example.spot, strike, example.days / 365, rest[1], rate=RATE)
        legs.append((right, strike, quantity, premium, *rest))
    rates = facts.margin_rates(example.day)
    return margin(legs, spot=example.spot, t=example.days / 365, rates=rates, daily_vol=example.daily_vol).total


def error(example):
    return ours(example) / example.published - 1.0


def errors(kind):
    return [error(example) for example in EXAMPLES if example.kind == kind]


def lines():
    """Give the rows of the table in docs/margin.md."""
    return [
        f"| {one.kind} | {one.what} | {one.source} | {one.published:,.0f} | {ours(one):,.0f} "
        f"| {100 * error(one):+.1f} % |"
        for one in EXAMPLES
    ]


def test_in_calm_markets_the_error_is_small():
    found = errors(CALM)
    assert len(found) == 15
    assert statistics.median(map(abs, found)) < 0.015
    assert -0.11 < min(found) < max(found) < 0.04


def test_under_the_old_rules_the_error_is_small():
    found = errors(OLD)
    assert len(found) == 6
    assert statistics.median(map(abs, found)) < 0.01
    assert -0.01 < min(found) < max(found) < 0.07


def test_the_least_scan_range_is_far_too_little_in_a_wild_market():
    """What the page warns of: the range follows volatility, and 9.3 % is only its floor."""
    found = errors(WILD)
    assert len(found) == 4
    assert -0.5 < min(found) < max(found) < -0.2


@pytest.mark.parametrize(("place", "most"), [(17, 0.12), (18, 0.05)])
def test_with_the_volatility_of_the_day_it_is_near_again(place, most):
    example = EXAMPLES[place]._replace(daily_vol=IMPLIED)
    assert abs(error(example)) < most


def test_the_page_states_what_is_measured():
    page = PAGE.read_text("utf-8")
    missing = [line for line in lines() if line not in page]
    assert not missing, "\n".join(lines())


def test_the_addition_on_the_last_day():
    """A broker's worked example: NIFTY at 23,500, lot of 75: 35,250 (support.zerodha.com, additional ELM)."""
    found = margin([("CE", 24000, -75, 40.0, 0.001, 0.2)], spot=23_500.0, rates=facts.margin_rates(date(2025, 3, 6)))
    assert found.expiry_exposure == pytest.approx(35_250)
    before = margin([("CE", 24000, -75, 40.0, 0.001, 0.2)], spot=23_500.0, rates=facts.margin_rates(date(2024, 11, 14)))
    assert before.expiry_exposure == 0.0
