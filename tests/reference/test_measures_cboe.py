"""Cboe's own worked example of its volatility index: every strike that counts, every step, the published 13.93."""

from pathlib import Path

import numpy as np
import pytest

from algomaster.pricing.chain import Chain
from algomaster.pricing.measures import VarianceIndex, variance_index

T = {"near": 0.0656088, "next": 0.0855289}  # 34,484 and 44,954 minutes, as printed
RATES = (0.00031664, 0.00028797)

NEAR_CONTRIBUTIONS = {  # appendix 5: midpoint, dK, contribution
    1370: (0.2, 5, 0.0000005328), 1375: (0.125, 5, 0.0000003306), 1400: (0.125, 7.5, 0.0000004783),
    1410: (0.225, 10, 0.0000011318), 1420: (0.225, 7.5, 0.0000008369), 1650: (0.675, 5, 0.0000012397),
    1800: (2.525, 5, 0.0000038967), 1955: (19.75, 5, 0.0000258376), 1960: (22.775, 5, 0.0000296432),
    1965: (21.05, 5, 0.0000272588), 2000: (4.95, 5, 0.0000061876), 2095: (0.2, 5, 0.0000002278),
    2100: (0.1, 15, 0.0000003401), 2125: (0.1, 25, 0.0000005536),
}  # fmt: skip
NEXT_CONTRIBUTIONS = {
    1275: (0.075, 50, 0.0000023069), 1325: (0.15, 37.5, 0.0000032041), 1500: (0.4, 17.5, 0.0000031112),
    1700: (1.525, 5, 0.0000026385), 1960: (26.1, 5, 0.0000339711), 2050: (0.575, 7.5, 0.0000010262),
    2075: (0.2, 15, 0.0000006968), 2150: (0.1, 37.5, 0.0000008113), 2200: (0.075, 50, 0.0000007748),
}  # fmt: skip


@pytest.fixture(scope="module")
def index() -> VarianceIndex:
    text = Path(__file__).with_name("cboe_vix_example.csv").read_text()
    rows = []
    for line in text.splitlines():
        if not line.startswith("#"):
            term, right, quotes = line.split(",", 2)
            rows += [(T[term], right, *map(float, quote.split(","))) for quote in quotes.split(";")]
    t, right, strike, bid, ask = map(list, zip(*rows))
    frame = {"t": np.array(t), "right": np.array(right), "strike": np.array(strike), "bid": bid, "ask": ask}
    return variance_index(Chain.from_frame(frame, rate=np.array(RATES)))


def test_the_published_index(index: VarianceIndex) -> None:
    assert index.value / 100 == pytest.approx(0.13927842, abs=1e-7)  # T is printed to seven digits
    assert round(index.value, 2) == 13.93
    assert not index.extrapolated


def test_forwards_and_variances(index: VarianceIndex) -> None:
    near, next_ = index.strips
    assert near.forward == pytest.approx(1962.89996, abs=5e-6)
    assert next_.forward == pytest.approx(1962.40006, abs=5e-6)
    assert (near.at_strike, next_.at_strike) == (1960.0, 1960.0)
    assert near.variance == pytest.approx(0.019233906, abs=2e-8)
    assert next_.variance == pytest.approx(0.019423884, abs=2e-8)
    assert near.contributions.sum() == pytest.approx(0.0006320516, abs=1e-10)
    assert next_.contributions.sum() == pytest.approx(0.0008314016, abs=1e-10)


@pytest.mark.parametrize(("term", "count", "published"), [(0, 146, NEAR_CONTRIBUTIONS), (1, 122, NEXT_CONTRIBUTIONS)])
def test_strikes_that_count(
    index: VarianceIndex, term: int, count: int, published: dict[int, tuple[float, float, float]]
) -> None:
    strip = index.strips[term]
    assert strip.strikes.size == count
    assert (strip.strikes[0], strip.strikes[-1]) == ((1370.0, 2125.0), (1275.0, 2200.0))[term]
    found = {int(k): row for k, *row in zip(strip.strikes, strip.quotes, strip.widths, strip.contributions)}
    for strike, (mid, width, contribution) in published.items():
        assert found[strike][0] == pytest.approx(mid, abs=1e-12)
        assert found[strike][1] == width
        assert found[strike][2] == pytest.approx(contribution, abs=5.1e-11)
    if term == 0:
        assert not {1405, 1415, 2120, 1350, 1355, 2225} & set(found)  # no bid; or a bid beyond two without
