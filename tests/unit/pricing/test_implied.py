"""Implied volatility at the door: statuses, what to do about them, kinds of results."""

import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from algomaster.core.errors import DataWarning, PricingError
from algomaster.pricing import ImpliedStatus, implied_vol, price
from algomaster.pricing.kernels import implied as codes

OK, BELOW, ABOVE, EXPIRED, BAD = range(5)


def test_codes_are_part_of_the_interface() -> None:
    assert [member.value for member in ImpliedStatus] == [OK, BELOW, ABOVE, EXPIRED, BAD]
    assert (codes.OK, codes.BELOW_INTRINSIC, codes.ABOVE_MAX, codes.EXPIRED, codes.BAD_INPUT) == (0, 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("quote", "right", "spot", "strike", "t", "status"),
    [
        (12.0, "CE", 100.0, 95.0, 0.5, OK),
        (5.0, "CE", 100.0, 95.0, 0.5, BELOW),  # exactly intrinsic: no volatility is seen
        (4.9, "CE", 100.0, 95.0, 0.5, BELOW),
        (0.0, "CE", 100.0, 105.0, 0.5, BELOW),
        (-0.0, "PE", 100.0, 95.0, 0.5, BELOW),
        (-3.0, "PE", 100.0, 95.0, 0.5, BELOW),
        (5e-324, "PE", 100.0, 95.0, 0.5, OK),
        (100.0, "CE", 100.0, 95.0, 0.5, ABOVE),
        (1e300, "CE", 100.0, 95.0, 0.5, ABOVE),
        (95.0, "PE", 100.0, 95.0, 0.5, ABOVE),
        (np.nextafter(100.0, 0), "CE", 100.0, 95.0, 0.5, OK),
        (np.nextafter(95.0, 0), "PE", 100.0, 95.0, 0.5, OK),
        (12.0, "CE", 100.0, 95.0, 0.0, EXPIRED),
        (12.0, "CE", 100.0, 95.0, -0.0, EXPIRED),
        (12.0, "CE", 100.0, 95.0, -1.0, EXPIRED),
        (12.0, "CE", 100.0, 95.0, 5e-324, OK),
        (math.nan, "CE", 100.0, 95.0, 0.5, BAD),
        (math.inf, "CE", 100.0, 95.0, 0.5, BAD),
        (12.0, "CE", 0.0, 95.0, 0.5, BAD),
        (12.0, "CE", 100.0, -95.0, 0.5, BAD),
        (12.0, "CE", 100.0, 95.0, math.nan, BAD),
        (12.0, "CE", 5e-324, 95.0, 0.5, BAD),
    ],
)
def test_statuses(quote: float, right: str, spot: float, strike: float, t: float, status: int) -> None:
    found = implied_vol(quote, right, spot, strike, t)
    assert (type(found.vol), type(found.status)) == (float, int)
    assert found.status == status
    assert math.isnan(found.vol) == (status != OK)
    if status == OK:
        assert price(right, spot, strike, t, found.vol) == pytest.approx(quote, rel=1e-12)


def test_bachelier_statuses() -> None:
    found = implied_vol([1.0, 5.0, 1e9, 1.0, math.nan], "CE", [-2, 100, 1, 1, 1], [-1, 95, 1, 1, 1], [1, 1, 1, 0, 1],
                        model="bachelier")  # fmt: skip
    assert found.status.tolist() == [OK, BELOW, OK, EXPIRED, BAD]
    assert np.isnan(found.vol).tolist() == [False, True, False, True, True]


def test_discounting_counts() -> None:
    terms: dict[str, Any] = {"rate": 0.07, "dividend": 0.02}
    quote = price("PE", 22_000, 22_500, 0.1, 0.13, **terms)
    assert implied_vol(quote, "PE", 22_000, 22_500, 0.1, **terms).vol == pytest.approx(0.13, rel=1e-13)
    assert implied_vol(quote, "PE", 22_000, 22_500, 0.1).vol != pytest.approx(0.13, rel=1e-3)
    forward = 22_000 * math.exp(0.05 * 0.1)
    on_forward = implied_vol(quote, "PE", None, 22_500, 0.1, rate=0.07, forward=forward)
    assert on_forward.vol == pytest.approx(0.13, rel=1e-13)


def test_raise_tells_what_and_where() -> None:
    told = r"2 of 3 quotes .* \(1 BELOW_INTRINSIC, 1 BAD_INPUT\); .* numbers 1 \(BELOW_INTRINSIC\), 2 \(BAD_INPUT\)"
    with pytest.raises(PricingError, match=told) as caught:
        implied_vol([5, -1, math.nan], "CE", 100, 105, 0.5, on_error="raise")
    assert caught.value.facts == {"BELOW_INTRINSIC": 1, "BAD_INPUT": 1, "first": [1, 2]}


def test_only_the_first_offenders_are_listed() -> None:
    quotes = np.full(1000, -1.0)
    quotes[:7] = 5.0
    with pytest.raises(PricingError, match="993 of 1000") as caught:
        implied_vol(quotes, "CE", 100, 105, 0.5, on_error="raise")
    assert caught.value.facts == {"BELOW_INTRINSIC": 993, "first": [7, 8, 9, 10, 11]}


@pytest.mark.parametrize("start", [0.3, 0.31, 5.0, 1e-9, 0.0, -1.0, math.nan, math.inf, 1e300])
def test_a_start_leads_to_the_same_volatility(start: float) -> None:
    cold = implied_vol([12.0, 4.0, 200.0], "CE", 100.0, 95.0, 0.5, rate=0.05)
    warm = implied_vol([12.0, 4.0, 200.0], "CE", 100.0, 95.0, 0.5, rate=0.05, start=start)
    assert warm.status.tolist() == cold.status.tolist() == [OK, BELOW, ABOVE]
    assert warm.vol[0] == pytest.approx(cold.vol[0], rel=8e-15)


def test_starts_broadcast_and_are_for_black_only() -> None:
    found = implied_vol(5.0, "CE", 100.0, 105.0, 0.5, start=[0.2, 0.3])
    assert found.vol.shape == (2,)
    with pytest.raises(ValueError, match="start: expected none beside model 'bachelier'"):
        implied_vol(5.0, "CE", 100.0, 105.0, 0.5, start=0.2, model="bachelier")


def test_warn_gives_the_result_too() -> None:
    with pytest.warns(DataWarning, match="1 of 2 quotes have no volatility"):
        found = implied_vol([5, 200], "CE", 100, 105, 0.5, on_error="warn")
    assert found.status.tolist() == [OK, ABOVE]


@pytest.mark.parametrize("on_error", ["nan", "raise", "warn"])
def test_nothing_happens_where_all_is_well(on_error: str) -> None:
    assert implied_vol(5, "CE", 100, 105, 0.5, on_error=on_error).status == OK


def test_unknown_choices_say_what_there_is() -> None:
    with pytest.raises(ValueError, match="'nan', 'raise', 'warn', got 'ignore'"):
        implied_vol(5, "CE", 100, 105, 0.5, on_error="ignore")
    with pytest.raises(ValueError, match="'black', 'bachelier'"):
        implied_vol(5, "CE", 100, 105, 0.5, model="sabr")


def test_same_kind_out() -> None:
    quotes = [5.0, 6.0]
    polars = implied_vol(pl.Series("ltp", quotes), "CE", 100, 105, 0.5)
    assert (polars.vol.name, polars.status.name, polars.status.dtype) == ("vol", "status", pl.Int64)
    pandas = implied_vol(pd.Series(quotes, index=[7, 8]), "CE", 100, 105, 0.5)
    assert pandas.status.to_dict() == {7: 0, 8: 0}
    assert pandas.status.dtype == np.int64
    plain = implied_vol(quotes, "CE", 100, 105, 0.5)
    assert plain.status.dtype == np.int64
    assert plain.vol.tolist() == polars.vol.to_list() == pandas.vol.tolist()


def test_result_shows_itself() -> None:
    found = implied_vol([5, 200], "CE", 100, 105, 0.5)
    assert "OK         1" in repr(found)
    assert "ABOVE_MAX" in found._repr_html_()
