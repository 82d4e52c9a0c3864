"""Charges against the schedule on file, row by row, and the worked contract note by independent decimal arithmetic."""

import json
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest

from algomaster.core.errors import FactError
from algomaster.market import facts
from shared_data import shared_path

LAST = date(2026, 12, 31)
PERCENT = Decimal(10_000_000)  # parts per billion in a percent
TABLES = {
    "stt_options_sell_premium": ("stt_sell_percent", "option"),
    "stt_futures_sell": ("stt_sell_percent", "future"),
    "stt_options_exercise_intrinsic": ("stt_exercise_percent", "option"),
    "exchange_txn_options_premium_both_sides": ("transaction_percent", "option"),
    "exchange_txn_futures_both_sides": ("transaction_percent", "future"),
    "sebi_fee_per_crore_inr": ("sebi_per_crore", None),
}
FIELDS = {
    "stt_options_sell_premium": ("option", "stt_sell_ppb"),
    "stt_futures_sell": ("future", "stt_sell_ppb"),
    "stt_options_exercise_intrinsic": ("option", "stt_exercise_ppb"),
    "exchange_txn_options_premium_both_sides": ("option", "transaction_ppb"),
    "exchange_txn_futures_both_sides": ("future", "transaction_ppb"),
}


def _reference():
    text = shared_path("data", "reference", "nse_charges.json").read_text()
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def _span(row):
    return date.fromisoformat(row["from"]), date.fromisoformat(row["to"]) if row["to"] else LAST


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_the_schedule_is_in_our_table(name):
    kind, segment = TABLES[name]
    ours = {
        (row["from"], row["to"]): Decimal(row["value"]) for row in facts.table(kind) if row.get("segment") == segment
    }
    theirs = {_span(row): row.get("pct", row.get("inr")) for row in _reference()["schedule"][name]}
    assert theirs.items() <= ours.items()
    # What we have beyond the schedule lies before its first row, never inside it.
    first = min(start for start, _ in theirs)
    assert all(end < first for start, end in ours.keys() - theirs.keys())


@pytest.mark.parametrize("name", FIELDS)
def test_rates_at_every_boundary(name):
    segment, field = FIELDS[name]
    checked = 0
    for row in _reference()["schedule"][name]:
        for day in _span(row):
            if day < date(2020, 7, 1):
                with pytest.raises(FactError):
                    facts.charges(segment, day)
            else:
                assert getattr(facts.charges(segment, day), field) == row["pct"] * PERCENT, (name, day)
                checked += 1
    assert checked >= 3


def test_other_items_of_the_schedule():
    schedule = _reference()["schedule"]
    option, future = facts.charges("option", date(2025, 6, 18)), facts.charges("future", date(2025, 6, 18))
    assert option.stamp_buy_ppb == schedule["stamp_duty_buy_side"]["options_premium_pct"] * PERCENT
    assert future.stamp_buy_ppb == schedule["stamp_duty_buy_side"]["futures_pct"] * PERCENT
    assert option.gst_percent == schedule["gst"]["pct"]
    assert option.sebi_ppb == 1_000  # ten rupees in ten million
    assert facts.charges("option", date(2021, 3, 31)).sebi_ppb == 500
    assert option.brokerage_paise == schedule["brokerage_discount_broker"]["per_executed_order_inr"] * 100
    assert {row["value"] for row in facts.table("service_tax_percent")} == {"12"}
    assert future.stt_exercise_ppb == 0


def test_rates_hold_from_their_first_to_their_last_day():
    """Walk every day of the covered range: a rate changes only on the first day of a row."""
    starts = {
        row["from"] for kind in ("stt_sell_percent", "transaction_percent", "ipft_percent") for row in facts.table(kind)
    }
    starts |= {row["from"] for kind in ("stt_exercise_percent", "sebi_per_crore") for row in facts.table(kind)}
    day, before = date(2020, 7, 1), None
    while day <= LAST:
        now = facts.charges("option", day)
        assert before is None or now == before or day in starts, day
        before, day = now, day + timedelta(days=1)


def test_investor_protection_levy_is_never_counted_twice():
    """It was a paisa in a crore until March 2023, 50 rupees until 2025, and is inside the transaction charge since."""
    assert facts.charges("option", date(2023, 3, 31)).ipft_ppb == 1
    assert facts.charges("option", date(2023, 4, 1)).ipft_ppb == 5_000
    assert facts.charges("future", date(2023, 4, 1)).ipft_ppb == 1_000
    for segment in ("option", "future"):
        old, new = facts.charges(segment, date(2025, 12, 31)), facts.charges(segment, date(2026, 1, 1))
        assert new.ipft_ppb == 0
        assert new.transaction_ppb == old.transaction_ppb + old.ipft_ppb


@pytest.mark.parametrize("day", [date(2014, 1, 1), date(2018, 6, 1), date(2020, 6, 30), date(2027, 1, 1)])
def test_a_day_without_a_full_set_of_rates_is_refused(day):
    with pytest.raises(FactError, match="covered"):
        facts.charges("option", day)


def _paise(amount):
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_worked_contract_note():
    """MCX options on crude oil, 18 June 2025, with the note's rates; stamp duty, SEBI fee and GST are NSE's as well."""
    (note,) = _reference()["worked_examples"]
    rates, expected = note["rates_implied"], note["expected"]
    bought = note["buys"]["qty"] * note["buys"]["avg_price"]
    sold = note["sells"]["qty"] * note["sells"]["avg_price"]
    brokerage = 20 * note["orders"]
    transaction = (bought + sold) * rates["exchange_txn_pct"] / 100
    sebi = (bought + sold) * rates["sebi_per_crore"] / 10_000_000
    gst = (brokerage + transaction + sebi) * rates["gst_pct"] / 100
    ctt = (sold * rates["ctt_sell_premium_pct"] / 100).quantize(Decimal(1), ROUND_HALF_UP)
    stamp = bought * rates["stamp_buy_pct"] / 100
    parts = {"brokerage": brokerage, "exchange_txn": transaction, "gst": gst, "ctt": ctt, "sebi": sebi, "stamp": stamp}
    assert {name: _paise(amount) for name, amount in parts.items()} == {name: _paise(expected[name]) for name in parts}
    assert sold - bought == expected["gross"]
    assert _paise(sold - bought - sum(_paise(amount) for amount in parts.values())) == expected["net"]

    ours = facts.charges("option", date.fromisoformat(note["date"]))
    assert ours.stamp_buy_ppb == rates["stamp_buy_pct"] * PERCENT
    assert ours.sebi_ppb == rates["sebi_per_crore"] * 100
    assert ours.gst_percent == rates["gst_pct"]
    assert ours.brokerage_paise * note["orders"] == expected["brokerage"] * 100
