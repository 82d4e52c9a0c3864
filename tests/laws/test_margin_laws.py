"""Laws of margins: what must hold for every position."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algomaster.market import facts
from algomaster.pricing import MarginRates, margin, price

SPOT = 24_000.0
SLACK = 1e-6
DAYS = st.sampled_from([date(2015, 6, 1), date(2019, 6, 3), date(2022, 6, 1), date(2025, 6, 2)])
rights = st.sampled_from(["CE", "PE"])
strikes = st.integers(380, 580).map(lambda k: 50.0 * k)
vols = st.floats(0.06, 0.5)
times = st.sampled_from([0.001, 0.01, 0.02, 0.08])
lots = st.integers(1, 6).map(lambda n: 75.0 * n)


@st.composite
def option(draw, sold=None, t=None):
    right, strike, vol = draw(rights), draw(strikes), draw(vols)
    t = draw(times) if t is None else t
    side = draw(st.booleans()) if sold is None else sold
    quantity = draw(lots) * (-1.0 if side else 1.0)
    return right, strike, quantity, price(right, SPOT, strike, t, vol, rate=0.06), t, vol


@st.composite
def of_one_expiry(draw, least=1, most=4):
    t = draw(times)
    return draw(st.lists(option(t=t), min_size=least, max_size=most)), t


def of(legs, day=None):
    return margin(legs, spot=SPOT, rates=None if day is None else facts.margin_rates(day))


@given(st.lists(option(), min_size=1, max_size=4), DAYS)
def test_parts_are_not_negative_and_add_up(legs, day):
    found = of(legs, day)
    parts = found.span, found.exposure, found.expiry_exposure
    assert min(parts) >= 0.0
    assert found.total == pytest.approx(sum(parts))


@given(option(sold=True), DAYS)
def test_selling_needs_more_than_buying_back_costs(leg, day):
    found = of([leg], day)
    assert found.total >= -leg[2] * max(leg[3], 0.02 * SPOT) - SLACK


@given(st.lists(option(sold=False), min_size=1, max_size=4), DAYS)
def test_bought_options_need_nothing_beyond_their_premium(legs, day):
    found = of(legs, day)
    assert found.total <= 1e-9 * SPOT
    assert found.premium >= 0.0


@given(of_one_expiry(), st.data(), DAYS)
def test_a_bought_option_of_the_same_expiry_never_adds(position, data, day):
    legs, t = position
    hedge = data.draw(option(sold=False, t=t))
    assert of([*legs, hedge], day).total <= of(legs, day).total + SLACK


@given(st.lists(option(), min_size=1, max_size=4), option(sold=True), DAYS)
def test_exposure_grows_with_every_option_sold(legs, sold, day):
    assert of([*legs, sold], day).exposure >= of(legs, day).exposure + 0.02 * SPOT * -sold[2] - SLACK


@given(of_one_expiry(), of_one_expiry(), DAYS)
def test_of_one_expiry_together_is_at_most_apart(one, other, day):
    first, t = one
    second = [(*leg[:4], t, leg[5]) for leg in other[0]]
    second = [(r, k, q, price(r, SPOT, k, t, v, rate=0.06), t, v) for r, k, q, _, _, v in second]
    assert of([*first, *second], day).total <= of(first, day).total + of(second, day).total + SLACK


@given(st.lists(option(), min_size=2, max_size=5), DAYS)
def test_together_is_at_most_leg_by_leg(legs, day):
    found = of(legs, day)
    assert found.benefit >= -SLACK
    assert found.total <= sum(found.alone) + SLACK


@given(st.lists(option(), min_size=1, max_size=4), st.integers(2, 9), DAYS)
def test_margin_is_proportional_to_quantity(legs, times_, day):
    many = [(r, k, q * times_, p, t, v) for r, k, q, p, t, v in legs]
    assert of(many, day).total == pytest.approx(times_ * of(legs, day).total, rel=1e-9, abs=SLACK)


@given(st.lists(option(), min_size=2, max_size=5), st.randoms(use_true_random=False), DAYS)
def test_the_order_of_legs_does_not_matter(legs, rng, day):
    mixed = list(legs)
    rng.shuffle(mixed)
    assert of(mixed, day).total == pytest.approx(of(legs, day).total, rel=1e-9, abs=SLACK)


@given(st.lists(option(sold=True), min_size=1, max_size=3), st.floats(0.0, 0.05), st.floats(0.0, 0.05))
def test_a_wider_scan_never_asks_less_of_a_seller_of_one_side(legs, narrow, more):
    same = [("CE", *leg[1:]) for leg in legs]
    same = [(r, k, q, price(r, SPOT, k, t, v, rate=0.06), t, v) for r, k, q, _, t, v in same]
    little, much = (margin(same, spot=SPOT, daily_vol=vol) for vol in (narrow, narrow + more))
    assert much.span >= little.span - SLACK


@given(option(sold=True, t=0.02), st.booleans())
def test_a_calendar_saves_until_the_last_day(sold, allowed):
    """From 2025 a later option bought does not relieve one that expires today."""
    right, strike, quantity, _, _, vol = sold
    rates = MarginRates(calendar_on_expiry=allowed)
    near = (right, strike, quantity, price(right, SPOT, strike, 0.0015, vol, rate=0.06), 0.0015, vol)
    far = (right, strike, -quantity, price(right, SPOT, strike, 0.08, vol, rate=0.06), 0.08, vol)
    both, alone = (margin(legs, spot=SPOT, rates=rates) for legs in ([near, far], [near]))
    if allowed:
        assert both.span <= alone.span + SLACK
    else:
        assert both.span == pytest.approx(alone.span)
