"""The face of margins: what comes in, what comes out, what is refused."""

import json

import numpy as np
import polars as pl
import pytest

from algomaster import pricing
from algomaster.core.errors import PricingError
from algomaster.pricing import Leg, MarginRates, margin, scan_volatility

SOLD = [("CE", 24000, -75, 200.0), ("PE", 24000, -75, 190.0)]
GIVEN = {"spot": 24_000.0, "t": 7 / 365}


def test_a_future_is_scanned_and_exposed():
    found = margin([("FUT", None, 75, 24_000.0)], spot=24_000.0, t=30 / 365, rate=0.0)
    assert found.span == pytest.approx(0.093 * 24_000 * 75)
    assert found.exposure == pytest.approx(0.02 * 24_000 * 75)
    assert found.total == pytest.approx(203_400)
    assert margin([("FUT", None, -75, 1.0)], spot=24_000.0, t=30 / 365, rate=0.0).total == pytest.approx(203_400)


def test_futures_against_each_other_pay_the_calendar_charge():
    legs = [("FUT", None, 75, 0.0, 10 / 365), ("FUT", None, -75, 0.0, 40 / 365)]
    found = margin(legs, spot=24_000.0, rate=0.0)
    assert found.span == pytest.approx(0.0175 * 24_000 * 75, rel=1e-6)
    assert found.calendar == pytest.approx(found.span)
    assert found.exposure == pytest.approx(2 * 0.02 * 24_000 * 75)


def test_a_spread_risks_its_width():
    legs = [*SOLD[:1], ("CE", 24300, 75, 90.0)]
    found = margin(legs, **GIVEN)
    assert found.span == pytest.approx(300 * 75, rel=0.01)
    assert found.premium == pytest.approx(-110 * 75)
    assert found.option_value == found.premium


def test_a_debit_spread_risks_what_was_paid():
    found = margin([("CE", 24000, 75, 200.0), ("CE", 24300, -75, 90.0)], **GIVEN)
    assert found.span == 0.0
    assert found.exposure == pytest.approx(0.02 * 24_000 * 75)
    assert found.premium == pytest.approx(110 * 75)


def test_far_options_and_the_last_day_are_charged_more():
    near, far = (margin([("CE", k, -75, 1.0, 0.02, 0.15)], spot=24_000.0) for k in (26_399, 26_401))
    assert near.exposure == pytest.approx(0.02 * 24_000 * 75)
    assert far.exposure == pytest.approx(0.05 * 24_000 * 75)
    last, before = (margin(SOLD, spot=24_000.0, t=t) for t in (0.99 / 365, 1.01 / 365))
    assert last.expiry_exposure == pytest.approx(0.02 * 24_000 * 150)
    assert before.expiry_exposure == 0.0


def test_a_wild_market_widens_the_scan():
    calm, wild = margin(SOLD, **GIVEN, daily_vol=0.005), margin(SOLD, **GIVEN, daily_vol=0.02)
    assert (calm.scan, calm.vol_scan) == (0.093, 0.04)
    assert wild.scan == pytest.approx(8.485 * 0.02)
    assert wild.vol_scan == pytest.approx(0.25 * 0.02 * 252**0.5)
    assert wild.total > 1.5 * calm.total


def test_legs_come_in_every_form():
    expected = margin(SOLD, **GIVEN).total
    frame = pl.DataFrame(
        {"right": ["CE", "PE"], "strike": [24000.0] * 2, "quantity": [-1.0] * 2, "price": [200.0, 190]}
    )
    assert margin(frame, lot=75, **GIVEN).total == expected
    assert margin(frame.to_pandas(), lot=75, **GIVEN).total == expected
    assert margin([Leg(*leg) for leg in SOLD], **GIVEN).total == expected


def test_a_price_without_a_volatility_takes_the_others():
    below = ("CE", 22000, -75, 1_900.0)  # under its intrinsic value
    assert margin([*SOLD, below], **GIVEN).span > margin(SOLD, **GIVEN).span
    with pytest.raises(PricingError, match="vol="):
        margin([below], **GIVEN)
    assert margin([below], vol=0.15, **GIVEN).total > 0


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"spot": -1.0}, ValueError, "spot"),
        ({"spot": float("nan")}, ValueError, "spot"),
        ({"spot": "high"}, TypeError, "spot"),
        ({"t": None}, ValueError, "margin\\(\\.\\.\\., t="),
        ({"lot": 0}, ValueError, "lot"),
        ({"daily_vol": 2.0}, ValueError, "daily_vol"),
        ({"vol": -0.1}, ValueError, "vol"),
    ],
)
def test_bad_input_is_refused(change, error, match):
    with pytest.raises(error, match=match):
        margin(SOLD, **GIVEN | change)


def test_bad_legs_and_rates_are_refused():
    with pytest.raises(ValueError, match="leg 1"):
        margin([SOLD[0], ("XX", 1, 1, 1)], **GIVEN)
    with pytest.raises(ValueError, match="scan: expected"):
        MarginRates(scan=9.3)
    with pytest.raises(ValueError, match="exposure: expected"):
        MarginRates(exposure=float("nan"))


def test_result_has_every_face():
    found = margin(SOLD, **GIVEN)
    assert "margin" in repr(found)
    assert "docs/margin.md" in repr(found)
    assert found._repr_html_().startswith("<table>")
    frame = found.to_frame()
    assert frame.shape == (16, 5)
    assert frame["loss"].to_list() == found.scenarios.tolist()
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["total"] == found.total
    assert [leg["margin"] for leg in told["legs"]] == list(found.alone)
    assert found.benefit == pytest.approx(sum(found.alone) - found.total)


def test_scan_volatility():
    """By hand: the variance starts at the first returns' and moves by 0.5 % a day."""
    closes = np.array([100.0, 101.0, 100.0, 102.0])
    squares = np.diff(np.log(closes)) ** 2
    variance = squares.mean()
    for square in squares:
        variance = 0.995 * variance + 0.005 * square
    assert scan_volatility(closes) == pytest.approx(variance**0.5)
    assert scan_volatility(pl.Series(closes)) == scan_volatility(closes.tolist())
    for wrong in ([1.0, 2.0], [1.0, 0.0, 2.0], [1.0, float("nan"), 2.0]):
        with pytest.raises(ValueError, match="closes"):
            scan_volatility(wrong)


def test_it_is_public():
    assert {"Margin", "MarginRates", "margin", "scan_volatility"} <= set(dir(pricing))
