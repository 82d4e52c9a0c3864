"""Volatility indices from chains whose volatility is known."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from algomaster.core.errors import PricingError
from algomaster.pricing.chain import Chain
from algomaster.pricing.measures import swap_vol, variance_index
from smiles import SKEWED, SviSurface, chain_of, flat

YEARS = np.array([23, 37]) / 365
DENSE = np.arange(4_000, 16_000, 10.0)


def test_a_flat_chain_gives_its_volatility() -> None:
    """Strikes every 0.1 % leave an error of 2e-5 points from the sum over strikes and the step at K0."""
    chain = chain_of(flat(0.2, YEARS, spot=10_003.0, rate=0.06), DENSE, spread=0.01)
    for method in ("cboe", "nse"):
        found = variance_index(chain, method=method, expiries=chain.labels)
        assert found.value == pytest.approx(20.0, abs=1e-3)
        assert not found.extrapolated
    assert found.strips[0].forward == pytest.approx(10_003 * np.exp(0.06 * YEARS[0]), rel=1e-9)


def test_quotes_agree_with_the_integral_under_a_skew() -> None:
    surface = SviSurface([SKEWED, (0.003, 0.015, -0.5, 0.01, 0.08)], YEARS, spot=10_003.0)
    chain = chain_of(surface, np.arange(2_000, 40_000, 10.0))
    total = np.interp(30 / 365, YEARS, YEARS * swap_vol(surface, YEARS) ** 2)
    assert variance_index(chain).value == pytest.approx(100 * np.sqrt(total / (30 / 365)), abs=1e-3)
    smooth = variance_index(surface, method="smooth")
    assert smooth.value == 100 * swap_vol(surface, 30 / 365)
    # the surface interpolates smiles strike by strike, the exchanges interpolate the two sums
    assert smooth.value == pytest.approx(variance_index(chain).value, abs=0.01)


def test_smooth_on_a_flat_surface_is_the_volatility() -> None:
    surface = flat(0.2, YEARS)
    assert variance_index(surface, method="smooth").value == pytest.approx(20.0, rel=1e-13)
    assert variance_index(surface, method="smooth", days=90).extrapolated
    assert swap_vol(surface, [0.1, -1.0, np.nan, 0.0])[0] == pytest.approx(0.2, rel=1e-13)
    assert np.isnan(swap_vol(surface, [0.1, -1.0, np.nan, 0.0])[1:]).all()


def test_flat_wings_beyond_given_strikes() -> None:
    """By a surface that is flat there; its kinks cost the plain integral digits."""
    surface = SviSurface([SKEWED], YEARS[1])
    ends = np.log(np.array([85.0, 110.0]) / 100.0)

    class Flat(SviSurface):
        def derivatives(self, k: Any, t: Any) -> Any:
            rows = super().derivatives(np.clip(k, *ends), t)
            inside = (k > ends[0]) & (k < ends[1])
            return rows[0], rows[1] * inside, rows[2] * inside

    exact = swap_vol(Flat([SKEWED], YEARS[1]), YEARS[1])
    found = swap_vol(surface, YEARS[1], strikes=(85.0, 110.0))
    assert found == pytest.approx(exact, rel=2e-5)
    assert found < swap_vol(surface, YEARS[1])
    assert swap_vol(surface, YEARS[1], strikes=(0.0, np.inf)) == pytest.approx(swap_vol(surface, YEARS[1]), rel=1e-12)
    assert swap_vol(flat(0.2, YEARS), YEARS, strikes=(99.0, 101.0)) == pytest.approx(0.2, rel=1e-13)
    with pytest.raises(ValueError, match="around the forward"):
        swap_vol(surface, YEARS[1], strikes=(101.0, 110.0))


def test_smooth_from_a_chain() -> None:
    """Its own surface, believed between the outermost strikes that are quoted."""
    surface = SviSurface([SKEWED, (0.003, 0.015, -0.5, 0.01, 0.08)], YEARS)

    @dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
    class Known(Chain):
        def surface(self, method: str = "essvi", **settings: Any) -> Any:
            return surface

    quoted = chain_of(surface, np.arange(85.0, 111.0))
    chain = Known(**vars(quoted))
    expected = 100 * swap_vol(surface, 30 / 365, strikes=(85.0, 110.0))
    assert variance_index(chain, method="smooth").value == expected
    # the same strikes in a sum: it stops where flat wings go on
    assert variance_index(chain).value == pytest.approx(expected, abs=0.5)


def quotes(**changed: dict[float, tuple[float, float]]) -> Chain:
    """Two expiries at 20 % with strikes 80 to 120; quotes of the near expiry can be replaced."""
    chain = chain_of(flat(0.2, YEARS), np.arange(80.0, 121.0, 2.0), spread=0.1)
    bid, ask = chain.bid.copy(), chain.ask.copy()
    for word, new in changed.items():
        for strike, (low, high) in new.items():
            at = np.flatnonzero(
                (chain.expiry == 0) & (chain.strike == strike) & (chain.right == (1, -1)[word == "put"])
            )
            bid[at], ask[at] = low, high
    frame = {"right": chain.right, "strike": chain.strike, "t": chain.t, "bid": bid, "ask": ask}
    return Chain.from_frame(frame, rate=0.0, spot=100.0)


def test_two_strikes_without_a_bid_end_a_wing() -> None:
    lone = variance_index(quotes(put={90.0: (0.0, 0.1)})).strips[0]
    assert 90.0 not in lone.strikes
    assert 88.0 in lone.strikes
    assert lone.widths[lone.strikes == 88.0] == 3.0  # (92 - 86) / 2
    pair = variance_index(quotes(put={90.0: (0.0, 0.1), 88.0: (0.0, 0.1)})).strips[0]
    assert pair.strikes[0] == 92.0
    assert pair.widths[0] == 2.0


def test_nse_replaces_wide_quotes_by_a_spline() -> None:
    plain = variance_index(quotes(), method="nse", expiries=quotes().labels).strips[0]
    chain = quotes(put={94.0: (0.01, 3.0)})
    wide = variance_index(chain, method="nse", expiries=chain.labels).strips[0]
    at = wide.strikes == 94.0
    assert (plain.filled, wide.filled) == (0, 1)
    assert wide.quotes[at] == pytest.approx(plain.quotes[at], rel=0.02)
    assert wide.quotes[~at] == pytest.approx(plain.quotes[~at], rel=1e-12)
    assert variance_index(chain).strips[0].quotes[at] == pytest.approx(1.505)  # Cboe takes it as it is
    assert variance_index(chain, method="nse", expiries=chain.labels, max_spread=5.0).strips[0].filled == 0
    end = quotes(put={80.0: (0.001, 3.0), 82.0: (0.001, 3.0)})
    assert variance_index(end, method="nse", expiries=end.labels).strips[0].strikes[0] == 84.0


def test_prices_stand_for_mids_where_nothing_is_quoted() -> None:
    chain = quotes()
    frame = {"right": chain.right, "strike": chain.strike, "t": chain.t, "price": chain.price}
    bare = Chain.from_frame(frame, rate=0.0, spot=100.0)
    for method in ("cboe", "nse"):
        one, other = (variance_index(c, method=method, expiries=c.labels).value for c in (chain, bare))
        assert one == pytest.approx(other, rel=1e-14)


def dated(*expiries: str) -> Chain:
    surface = flat(0.2, [0.1], spot=100.0)
    one = chain_of(surface, np.arange(80.0, 121.0, 2.0))
    n = one.strike.size
    frame = {
        "right": np.tile(one.right, len(expiries)),
        "strike": np.tile(one.strike, len(expiries)),
        "price": np.tile(one.price, len(expiries)),
        "expiry": np.repeat(np.array(expiries, dtype="datetime64[D]"), n),
    }
    return Chain.from_frame(frame, rate=0.0, at="2025-09-01 15:30")


WEEKS = ("2025-09-02", "2025-09-09", "2025-09-23", "2025-09-30", "2025-10-07", "2025-10-28", "2025-11-25")


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({}, ("2025-09-30", "2025-10-07")),
        ({"days": 7}, ("2025-09-02", "2025-09-09")),
        ({"days": 7, "least_days": 2}, ("2025-09-09", "2025-09-23")),
        ({"days": 365}, ("2025-10-28", "2025-11-25")),
        ({"method": "nse"}, ("2025-09-30", "2025-10-28")),
        ({"method": "nse", "least_days": 29.0}, ("2025-10-28", "2025-11-25")),
        ({"expiries": ("2025-10-28", "2025-09-09")}, ("2025-09-09", "2025-10-28")),
    ],
)
def test_which_expiries(terms: dict[str, object], expected: tuple[str, str]) -> None:
    found = variance_index(dated(*WEEKS), **terms)  # type: ignore[arg-type]
    assert tuple(strip.label for strip in found.strips) == expected


def test_nse_passes_over_the_last_five_days() -> None:
    chain = dated("2025-09-05", "2025-10-28", "2025-11-25")
    assert variance_index(chain, method="nse").strips[0].label == "2025-10-28"
    assert variance_index(chain, method="nse").extrapolated


def test_what_is_missing_is_told() -> None:
    chain = quotes(put={k: (0.0, 0.1) for k in np.arange(80.0, 121.0, 2.0)})
    found = variance_index(chain)
    assert np.isnan(found.value)
    assert found.strips[0].problem == "no strike has both a call and a put"
    assert "no strike has both" in repr(found)
    given = variance_index(chain, forward=[100.5, 100.5])
    assert given.strips[0].problem == "call and put at 100 are not both quoted"
    low = variance_index(quotes(), forward=[50.0, np.nan]).strips[0]
    assert low.problem == "all strikes are above the forward 50"


def test_wrong_input() -> None:
    chain = quotes()
    with pytest.raises(ValueError, match=r'"?method"?: expected one of'):
        variance_index(chain, method="vix")
    with pytest.raises(ValueError, match="days: expected a positive number"):
        variance_index(chain, days=0)
    with pytest.raises(ValueError, match="expiries: expected two of"):
        variance_index(chain, expiries=("2025-01-01", "2025-02-02"))
    with pytest.raises(ValueError, match="labels that are dates"):
        variance_index(chain, method="nse")
    with pytest.raises(ValueError, match="one for each of the 2 expiries, got 3"):
        variance_index(chain, forward=[1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match='use method="smooth"'):
        variance_index(flat(0.2, YEARS))
    with pytest.raises(PricingError, match="needs two expiries with more than 0 days left, the chain has 1"):
        variance_index(chain_of(flat(0.2, 0.1), [90.0, 100.0, 110.0]))


def test_frame_and_words() -> None:
    found = variance_index(quotes())
    frame = found.to_frame()
    assert frame.columns == ["expiry", "strike", "quote", "width", "contribution"]
    assert frame.height == sum(strip.strikes.size for strip in found.strips)
    assert "VarianceIndex (cboe)" in repr(found)
    assert "strikes" in found._repr_html_()
    smooth = variance_index(flat(0.2, YEARS), method="smooth")
    assert smooth.to_frame().columns == frame.columns
    assert smooth.to_frame().is_empty()
