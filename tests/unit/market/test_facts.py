import itertools
import subprocess
import sys
from datetime import date, timedelta

import pytest

from algomaster.core.errors import FactError
from algomaster.market import facts
from algomaster.market.data.tables import COVERED, rows

KINDS = [
    "lot_size",
    "tick",
    "strike_step",
    "freeze_quantity",
    "expiry_weekday",
    "holiday",
    "special_session",
    "session_hours",
    "stt_sell_percent",
    "stt_exercise_percent",
    "transaction_percent",
    "ipft_percent",
    "sebi_per_crore",
    "stamp_buy_percent",
    "gst_percent",
    "service_tax_percent",
    "brokerage_rupees",
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_has_a_range_a_source_and_a_confidence(kind):
    for row in rows(kind):
        assert row.start <= row.end, row
        assert row.source.strip(), row
        assert row.confidence.split(":")[0].split()[0] in {"high", "medium", "low"}, row


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"lot_size", "session_hours"}])
def test_rows_of_one_thing_do_not_overlap(kind):
    spans = {}
    for row in rows(kind):
        of = {"underlying", "segment"} | ({"kind"} if kind == "expiry_weekday" else set())
        key = tuple(sorted((name, value) for name, value in row.keys.items() if name in of))
        spans.setdefault(key, []).append((row.start, row.end))
    for found in spans.values():
        found.sort()
        assert all(before[1] < after[0] for before, after in itertools.pairwise(found))


def test_an_unknown_table_is_refused_by_name():
    with pytest.raises(ValueError, match="lot_size"):
        facts.table("lots")


def test_underlyings():
    assert facts.underlyings() == ("BANKNIFTY", "INDIAVIX", "NIFTY")


@pytest.mark.parametrize(
    ("underlying", "expiry", "on", "lot"),
    [
        ("NIFTY", "2021-06-17", "2021-06-11", 75),
        ("BANKNIFTY", "2023-01-05", "2022-12-30", 25),
        # July 2021: weeklies keep 75, the monthly contract is the first of 50.
        ("NIFTY", "2021-07-22", "2021-07-20", 75),
        ("NIFTY", "2021-07-29", "2021-07-20", 50),
        ("NIFTY", "2021-12-30", "2021-06-24", 75),
        ("NIFTY", "2021-12-30", "2021-06-25", 50),
        ("NIFTY", "2024-05-30", "2024-04-25", 50),
        ("NIFTY", "2024-05-30", "2024-04-26", 25),
        # Around 20 November 2024 old contracts keep 25, new ones have 75, long ones change on 26 December.
        ("NIFTY", "2024-12-26", "2024-12-20", 25),
        ("NIFTY", "2025-01-02", "2024-12-20", 75),
        ("NIFTY", "2025-01-30", "2024-12-20", 25),
        ("NIFTY", "2025-02-27", "2024-12-20", 75),
        ("NIFTY", "2025-03-27", "2024-12-26", 25),
        ("NIFTY", "2025-03-27", "2024-12-27", 75),
        ("NIFTY", "2025-12-30", "2025-12-29", 75),
        ("NIFTY", "2026-01-06", "2025-12-29", 65),
        ("NIFTY", "2026-03-30", "2025-12-30", 75),
        ("NIFTY", "2026-03-30", "2025-12-31", 65),
        ("BANKNIFTY", "2018-10-25", "2018-10-25", 40),
        ("BANKNIFTY", "2018-11-01", "2018-10-26", 20),
        ("BANKNIFTY", "2020-07-23", "2020-07-20", 20),
        ("BANKNIFTY", "2020-07-30", "2020-07-20", 25),
        ("BANKNIFTY", "2023-07-20", "2023-07-10", 25),
        ("BANKNIFTY", "2023-07-27", "2023-07-10", 15),
        ("BANKNIFTY", "2024-11-13", "2024-11-13", 15),
        ("BANKNIFTY", "2025-06-26", "2025-05-05", 30),
        ("BANKNIFTY", "2025-07-31", "2025-05-05", 35),
        ("BANKNIFTY", "2026-01-27", "2025-12-01", 30),
    ],
)
def test_lot_sizes(underlying, expiry, on, lot):
    assert facts.lot_size(underlying, expiry=date.fromisoformat(expiry), on=date.fromisoformat(on)) == lot


def test_no_near_contract_is_without_a_lot():
    """From the day after the third expiry before its own, when even a monthly contract is listed."""
    for underlying in ("NIFTY", "BANKNIFTY"):
        near = [found.date for found in facts.expiries(underlying, *COVERED)]
        for third_before, before, expiry in zip(near, near[2:], near[3:], strict=False):
            for on in (third_before + timedelta(days=1), before, expiry):
                assert facts.lot_size(underlying, expiry=expiry, on=on) > 0


def test_a_lot_outside_the_record_says_what_is_on_record():
    with pytest.raises(FactError, match=r"2012-01-02.*expiries from 2013-01-01 to 2031-12-31"):
        facts.lot_size("NIFTY", expiry=date(2012, 1, 26), on=date(2012, 1, 2))
    with pytest.raises(FactError, match=r"2014-10-31 to 2015-10-29 for that expiry"):
        facts.lot_size("NIFTY", expiry=date(2015, 10, 29), on=date(2012, 7, 31))
    with pytest.raises(ValueError, match="up to the expiry"):
        facts.lot_size("NIFTY", expiry=date(2024, 1, 25), on=date(2024, 1, 26))
    with pytest.raises(FactError, match="BANKNIFTY, NIFTY"):
        facts.lot_size("RELIANCE", expiry=date(2024, 1, 25), on=date(2024, 1, 25))


def test_ticks_and_strike_steps():
    day = date(2025, 4, 14)
    assert facts.tick_paise("NIFTY", on=day) == facts.tick_paise("NIFTY", on=day, segment="future") == 5
    assert facts.tick_paise("NIFTY", on=date(2025, 4, 15), segment="future") == 10
    assert facts.tick_paise("BANKNIFTY", on=date(2025, 4, 15), segment="future") == 20
    assert facts.tick_paise("BANKNIFTY", on=date(2025, 4, 15)) == 5
    assert facts.tick_paise("INDIAVIX", on=day, segment="index") == 1
    assert facts.strike_step_paise("NIFTY", on=day) == 5_000
    assert facts.strike_step_paise("BANKNIFTY", on=day) == 10_000
    with pytest.raises(FactError, match="nothing at all"):
        facts.tick_paise("INDIAVIX", on=day, segment="option")
    with pytest.raises(FactError, match="2013-01-01 to 2026-12-31"):
        facts.tick_paise("NIFTY", on=date(2012, 12, 31))


def test_freeze_quantities():
    assert facts.freeze_quantity("NIFTY", on=date(2021, 8, 2)) == 2_800
    assert facts.freeze_quantity("NIFTY", on=date(2025, 3, 3)) == 1_800
    assert facts.freeze_quantity("BANKNIFTY", on=date(2025, 3, 3)) == 900
    assert facts.freeze_quantity("BANKNIFTY", on=date(2025, 7, 1)) == 600
    assert facts.freeze_quantity("BANKNIFTY", on=date(2025, 9, 1)) == 900
    with pytest.raises(FactError):
        facts.freeze_quantity("NIFTY", on=date(2022, 6, 1))


def _dates(underlying, start, end):
    return [(str(found.date), found.kind[0]) for found in facts.expiries(underlying, start, end)]


def test_expiries_move_with_holidays_and_rule_changes():
    # BANKNIFTY weeklies go to Wednesday in September 2023, monthlies stay on Thursday until February 2024.
    assert _dates("BANKNIFTY", date(2023, 8, 31), date(2023, 9, 30)) == [
        ("2023-08-31", "m"), ("2023-09-06", "w"), ("2023-09-13", "w"), ("2023-09-20", "w"), ("2023-09-28", "m"),
    ]  # fmt: skip
    # Weeklies end with 13 November 2024; Christmas moves the monthly contract of December to Tuesday.
    assert _dates("BANKNIFTY", date(2024, 11, 1), date(2025, 2, 28)) == [
        ("2024-11-06", "w"), ("2024-11-13", "w"), ("2024-11-27", "m"), ("2024-12-24", "m"), ("2025-01-30", "m"),
        ("2025-02-27", "m"),
    ]  # fmt: skip
    # NIFTY goes to Tuesday in September 2025; Muhurat trading on Tuesday 21 October moves that week to Monday.
    assert _dates("NIFTY", date(2025, 8, 21), date(2025, 9, 10)) == [
        ("2025-08-21", "w"), ("2025-08-28", "m"), ("2025-09-02", "w"), ("2025-09-09", "w"),
    ]  # fmt: skip
    assert ("2025-10-20", "w") in _dates("NIFTY", date(2025, 10, 15), date(2025, 10, 25))
    assert _dates("NIFTY", date(2019, 1, 20), date(2019, 2, 28)) == [
        ("2019-01-31", "m"), ("2019-02-14", "w"), ("2019-02-21", "w"), ("2019-02-28", "m"),
    ]  # fmt: skip


def test_next_expiries_count_the_day_itself():
    assert [found.date.day for found in facts.next_expiries("NIFTY", date(2021, 6, 17), 2)] == [17, 24]
    assert facts.next_expiries("NIFTY", date(2021, 6, 18), 1) == [facts.Expiry(date(2021, 6, 24), "monthly")]
    assert facts.monthly_expiry("NIFTY", 2021, 6) == date(2021, 6, 24)
    with pytest.raises(ValueError, match="count"):
        facts.next_expiries("NIFTY", date(2021, 6, 18), 0)
    with pytest.raises(FactError, match="2026-12-31"):
        facts.next_expiries("NIFTY", date(2026, 12, 20), 5)
    with pytest.raises(FactError, match="2027-01"):
        facts.monthly_expiry("NIFTY", 2027, 1)
    with pytest.raises(FactError, match="2013-01-01 to 2026-12-31"):
        facts.expiries("NIFTY", date(2012, 12, 1), date(2013, 1, 31))


def test_charges_are_frozen_and_name_their_sources():
    charges = facts.charges("option", date(2024, 10, 1))
    assert charges.stt_sell_ppb == 1_000_000
    assert any("transaction_percent 0.03503" in source for source in charges.sources)
    with pytest.raises(AttributeError):
        charges.stt_sell_ppb = 0
    with pytest.raises(ValueError, match="segment"):
        facts.charges("equity", date(2024, 10, 1))


def test_facts_need_only_the_standard_library():
    code = (
        "import sys; from algomaster.market import facts, instruments; facts.underlyings();"
        "print(*[name for name in ('numpy', 'polars', 'pydantic', 'numba') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""
