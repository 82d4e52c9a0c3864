"""Charges in whole paise against arithmetic in decimals, and against a real contract note."""

import json
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from types import SimpleNamespace

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from algomaster import backtest
from algomaster.core.errors import FactError
from algomaster.execution.costs import FUTURE, OPTION, charges_of, exercise_charges, terms_of
from algomaster.market import facts
from hand_made import bars, blank, flat_index
from shared_data import shared_path


def paise(amount):
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def by_hand(value, sells, rates):
    """The same charges told in decimals."""
    share = {name: paise(Decimal(value) * getattr(rates, f"{name}_ppb") / 10**9) for name in ("transaction", "sebi")}
    taxed = rates.brokerage_paise + share["transaction"] + share["sebi"]
    gst = paise(Decimal(taxed) * rates.gst_percent / 100)
    duty = paise(Decimal(value) * (rates.stt_sell_ppb if sells else rates.stamp_buy_ppb) / 10**9)
    return taxed + gst + duty + paise(Decimal(value) * rates.ipft_ppb / 10**9)


@settings(deadline=None, max_examples=300)
@given(
    value=st.integers(0, 10**13),
    sells=st.booleans(),
    on=st.dates(date(2021, 1, 1), date(2026, 10, 1)),
)
def test_every_rupee_of_every_dated_rate(value, sells, on):
    rates = facts.charges("option", on)
    terms = terms_of(fill=0, tick=5, option=rates)
    assert charges_of(terms, OPTION, -50 if sells else 50, value) == by_hand(value, sells, rates)


def test_a_real_contract_note_to_the_paisa_of_rounding():
    """Crude-oil options: two buys and two sells, 20 units in all; the tax is rounded to the rupee on the note."""
    file = shared_path("data", "reference", "nse_charges.json")
    (note,) = json.loads(file.read_text())["worked_examples"]
    implied, expected = note["rates_implied"], note["expected"]
    rates = SimpleNamespace(
        stt_exercise_ppb=0,
        stt_sell_ppb=round(implied["ctt_sell_premium_pct"] * 10**7),
        transaction_ppb=round(implied["exchange_txn_pct"] * 10**7),
        sebi_ppb=implied["sebi_per_crore"] * 100,
        ipft_ppb=0,
        stamp_buy_ppb=round(implied["stamp_buy_pct"] * 10**7),
        gst_percent=implied["gst_pct"],
        brokerage_paise=2000,
    )
    terms = terms_of(fill=0, tick=5, option=rates)
    half = {side: round(note[side]["avg_price"] * 100) * note[side]["qty"] // 2 for side in ("buys", "sells")}
    ours = sum(2 * charges_of(terms, OPTION, -10 if side == "sells" else 10, half[side]) for side in ("buys", "sells"))
    theirs = round(100 * (expected["gross"] - expected["net"]))
    rounded_tax = round(100 * expected["ctt"]) - paise(Decimal(str(half["sells"] * 2)) * 5 / 10**4)
    assert abs(ours + rounded_tax - theirs) <= 4  # half a paisa a line and order


def test_costs_are_on_unless_left_out_and_end_in_the_trades():
    day = flat_index(blank(minutes=8, centre=1000, step=50), 1000)
    for right in ("CE", "PE"):
        bars(day, 1000, right, [(100, 100, 100, 100)] * 8)
    params = {"entry": "09:17", "exit": "09:20"}
    free = backtest.replay("straddle", day, params=params, costs=False)
    assert free.trades["costs"].to_list() == [0, 0]
    assert free.assumptions["costs"] == "none"
    paid = backtest.replay("straddle", day, params=params)
    rates = facts.charges("option", day.session)
    each = (by_hand(500_000, True, rates) + by_hand(500_000, False, rates)) / 100
    assert paid.trades["costs"].to_list() == [each, each]
    assert paid.metrics["pnl"] == pytest.approx(-2 * each)
    assert paid.assumptions["costs"][0]["since"] == "2024-01-01"


def test_a_day_without_a_schedule_is_an_error_with_a_way_out():
    day = blank(session=date(2016, 1, 4))
    with pytest.raises(FactError, match="costs=False"):
        backtest.replay("straddle", day)
    assert backtest.replay("straddle", day, costs=False).trades.is_empty()


def test_an_order_above_the_freeze_quantity_pays_brokerage_for_every_slice():
    rates = facts.charges("option", date(2024, 1, 1))
    whole, sliced = (terms_of(fill=0, tick=5, option=rates, freeze=freeze) for freeze in (0, 1800))
    value = 10_000_000
    for quantity, slices in ((1800, 1), (1850, 2), (-3600, 2), (-3601, 3)):
        more = (slices - 1) * rates.brokerage_paise
        extra = charges_of(sliced, OPTION, quantity, value) - charges_of(whole, OPTION, quantity, value)
        assert more <= extra <= more + paise(Decimal(more) * rates.gst_percent / 100) + 1  # and the tax on it


def test_only_the_holder_of_a_settled_option_pays_tax_and_no_one_brokerage():
    before, after = (facts.charges("option", day) for day in (date(2024, 1, 1), date(2026, 5, 1)))
    worth = 1_000_000_00
    for rates, tax in ((before, 125_000), (after, 150_000)):  # 0.125 %, from 1 April 2026 0.15 % of the intrinsic value
        terms = terms_of(fill=0, tick=5, option=rates)
        assert exercise_charges(terms, 50, worth) == tax
        assert exercise_charges(terms, -50, worth) == 0


def test_a_future_pays_the_rates_of_futures():
    rates = facts.charges("future", date(2025, 1, 6))
    terms = terms_of(fill=0, tick=5, option=None, future=rates)
    value = 24_000_00 * 75
    stt = paise(Decimal(value) * Decimal("0.02") / 100)  # 0.02 % on the selling side from October 2024
    assert charges_of(terms, FUTURE, -75, value) == by_hand(value, True, rates)
    assert by_hand(value, True, rates) - by_hand(value, False, rates) > 0.8 * stt
