"""Dated margin rates: every day of the covered years has a full set, and rows say where they come from."""

import itertools
from datetime import date

import pytest

from algomaster.core.errors import FactError
from algomaster.market import facts
from algomaster.market.data.tables import COVERED, rows

KINDS = list(facts._MARGIN_TABLES.values())


@pytest.mark.parametrize("kind", KINDS)
def test_rows_follow_each_other_over_all_covered_years(kind):
    found = rows(kind)
    assert found[0].start == COVERED[0]
    assert found[-1].end == COVERED[1]
    assert all((after.start - before.end).days == 1 for before, after in itertools.pairwise(found))
    for row in found:
        assert row.source.strip(), row
        assert row.confidence.split(":")[0].split()[0] in {"high", "medium", "low"}, row
    assert facts.table(kind)[0]["source"] == found[0].source


@pytest.mark.parametrize(
    ("day", "name", "value"),
    [
        (date(2014, 1, 1), "scan", 0.05),
        (date(2020, 5, 29), "short_minimum", 0.03),
        (date(2020, 6, 1), "short_minimum", 0.0),
        (date(2020, 6, 1), "scan", 0.093),
        (date(2020, 6, 1), "exposure", 0.02),
        (date(2024, 11, 19), "expiry_exposure", 0.0),
        (date(2024, 11, 20), "expiry_exposure", 0.02),
        (date(2025, 1, 31), "calendar_on_expiry", True),
        (date(2025, 2, 1), "calendar_on_expiry", False),
    ],
)
def test_the_days_on_which_rules_changed(day, name, value):
    assert getattr(facts.margin_rates(day), name) == pytest.approx(value)


def test_a_set_names_its_sources():
    found = facts.margin_rates(date(2025, 6, 2))
    assert len(found.sources) == len(KINDS)
    assert any("SEBI" in source for source in found.sources)


def test_outside_there_is_no_guess():
    with pytest.raises(FactError, match="margin scan percent"):
        facts.margin_rates(date(2012, 12, 31))
