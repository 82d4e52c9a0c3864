"""Dealer flow of small chains, worked out beside it; what is left out, refused and drawn."""

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from algomaster.core.errors import PricingError
from algomaster.pricing import price
from algomaster.pricing.chain import Chain
from algomaster.pricing.dealer_flow import exposure
from naive import flow as naive

SPOT, RATE = 24_500.0, 0.06
STRIKES = np.arange(23_500.0, 25_501.0, 100.0)
TIMES = (5 / 365, 33 / 365)


def table(seed: int = 0, **columns: Any) -> pl.DataFrame:
    """Two expiries of calls and puts at a smile's prices, with open interest and volume."""
    rng = np.random.default_rng(seed)
    right, t, strike = (a.ravel() for a in np.meshgrid([1, -1], TIMES, STRIKES, indexing="ij"))
    vol = 0.13 + 0.3 * np.log(strike / SPOT) ** 2 - 0.05 * np.log(strike / SPOT)
    rows = {
        "right": np.where(right > 0, "CE", "PE"),
        "strike": strike,
        "t": t,
        "price": price(right, SPOT, strike, t, vol, rate=RATE),
        "oi": rng.integers(0, 5000, strike.size).astype(float),
        "volume": rng.integers(1, 9000, strike.size).astype(float),
    }
    return pl.DataFrame({**rows, **columns})


def chain(frame: Any = None, **settings: Any) -> Chain:
    return Chain.from_frame(table() if frame is None else frame, **{"spot": SPOT, "rate": RATE, **settings})


def quotes(chain: Chain) -> list[naive.Quote]:
    chain = chain.implied_vols()
    assert chain.vol is not None
    return [
        {
            "right": chain.right[i], "strike": chain.strike[i], "t": chain.t[i], "vol": chain.vol[i],
            "forward": chain.forward[chain.expiry[i]], "discount": chain.discount[chain.expiry[i]], "oi": chain.oi[i],
        }
        for i in range(chain.strike.size)
    ]  # fmt: skip


def test_one_call_by_hand() -> None:
    """Conventions to the letter: each measure is the Greek by finite differences times the factors of its formula."""
    terms: dict[str, Any] = {"t": 0.1, "vol": 0.2, "rate": RATE}
    frame = pl.DataFrame(
        {
            "right": ["CE"],
            "strike": [25_000.0],
            "t": [0.1],
            "price": [price("CE", SPOT, 25_000.0, **terms)],
            "oi": [40.0],
        }
    )
    found = exposure(Chain.from_frame(frame, spot=SPOT, rate=RATE), lot=75)

    def delta(spot: float = SPOT, vol: float = 0.2, t: float = 0.1) -> float:
        up, down = (price("CE", spot + h, 25_000.0, t, vol, rate=RATE) for h in (0.5, -0.5))
        return float(up - down)

    held = 40.0 * 75
    assert found.gex == pytest.approx((delta(SPOT + 1) - delta(SPOT - 1)) / 2 * held * SPOT**2 * 0.01, rel=1e-5)
    assert found.dex == pytest.approx(delta() * held * SPOT, rel=1e-6)
    assert found.vex == pytest.approx((delta(vol=0.201) - delta(vol=0.199)) / 0.002 * held * SPOT * 0.01, rel=1e-4)
    assert found.chex == pytest.approx((delta(t=0.0999) - delta(t=0.1001)) / 0.0002 * held * SPOT / 365, rel=1e-4)
    assert found.call_wall == 25_000.0
    assert math.isnan(found.put_wall)
    assert math.isnan(found.flip)
    assert "none from 19,600.00 to 29,400.00" in repr(found)


def test_totals_are_the_naive_sums() -> None:
    whole = chain()
    found = exposure(whole, lot=75)
    expected = naive.flow(quotes(whole), SPOT, 75, (1.0, -1.0))
    for name, value in expected.items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-11)
    assert found.counted == found.quotes == whole.strike.size


@pytest.mark.parametrize(
    ("name", "pair"), [("dealer", (1, -1)), ("reversed", (-1, 1)), ("short", (-1, -1)), ("gross", (1, 1))]
)
def test_signs(name: str, pair: tuple[float, float]) -> None:
    whole = chain()
    found, given = exposure(whole, sign=name), exposure(whole, sign=pair)
    parts = exposure(whole, sign=(1, 0)), exposure(whole, sign=(0, 1))
    assert found.sign == pair
    for measure in ("gex", "vex", "chex"):
        calls, puts = (getattr(part, measure) for part in parts)
        assert getattr(found, measure) == pytest.approx(pair[0] * calls + pair[1] * puts, rel=1e-12)
        assert getattr(found, measure) == getattr(given, measure)
    assert found.dex == parts[0].dex  # the delta of the open interest has no sign of its own


def test_by_strike_and_by_expiry_add_up() -> None:
    found = exposure(chain(), lot=75)
    for measure in ("gex", "dex", "vex", "chex"):
        total = getattr(found, measure)
        assert found.frame[measure].sum() == pytest.approx(total, rel=1e-11)
        assert found.by_expiry[measure].sum() == pytest.approx(total, rel=1e-11)
        assert np.nansum(found.grids[measure]) == pytest.approx(total, rel=1e-11)
    np.testing.assert_allclose(found.frame["gex"], found.frame["call_gex"] + found.frame["put_gex"], rtol=1e-12)
    assert found.frame["strike"].to_list() == STRIKES.tolist()
    assert found.call_wall == found.frame.sort("call_gex")["strike"][-1]
    assert found.put_wall == found.frame.sort("put_gex")["strike"][0]
    assert found.to_frame().equals(found.frame)


def test_pain_and_ratios() -> None:
    whole = chain()
    found = exposure(whole, lot=75)
    listed = quotes(whole)
    assert found.max_pain == naive.pain(listed)[0]
    calls, puts = (sum(q["oi"] for q in listed if q["right"] == right) for right in (1, -1))
    assert found.pcr == puts / calls
    for e in range(2):
        assert found.by_expiry["max_pain"][e] == naive.pain([q for q in listed if q["t"] == whole.years[e]])[0]
    assert found.frame["payout"].min() == pytest.approx(75 * naive.pain(listed)[1], rel=1e-12)


def test_profile_and_flip() -> None:
    whole = chain()
    found = exposure(whole, lot=75)
    listed = quotes(whole)
    profile = found.profile
    assert profile.spots.size == 201
    assert profile.gex[100] == pytest.approx(found.gex, rel=1e-11)
    for place in (0, 37, 90, 140, 200):
        expected = naive.gex_at(listed, float(profile.spots[place]), SPOT, 75, (1, -1))
        assert profile.gex[place] == pytest.approx(expected, rel=1e-10, abs=1e-9 * abs(found.gex))
    np.testing.assert_allclose(profile.by_expiry.sum(axis=0), profile.gex, rtol=1e-12)
    assert found.flips.size
    largest = np.abs(profile.gex).max()
    for flip in found.flips:
        assert abs(naive.gex_at(listed, float(flip), SPOT, 75, (1, -1))) < 1e-11 * largest
    assert found.flip == found.flips[np.abs(found.flips - SPOT).argmin()]
    assert profile.to_frame().columns == ["spot", "gex", *whole.labels]
    assert "201 from" in repr(profile)


def test_all_flips_are_found() -> None:
    """Calls at two strikes far apart around puts: net gamma turns twice, nearer to the spot at the lower."""
    strike = np.array([22_000.0, 25_000.0, 28_000.0])
    right = np.array([1, -1, 1])
    frame = pl.DataFrame(
        {
            "right": right,
            "strike": strike,
            "t": [0.02] * 3,
            "price": price(right, SPOT, strike, 0.02, 0.3),
            "oi": [9.0] * 3,
        }
    )
    found = exposure(Chain.from_frame(frame, spot=SPOT, rate=0.0, forward=SPOT))
    assert found.flips.size == 2
    assert 22_000 < found.flips[0] < 25_000 < found.flips[1] < 28_000
    assert found.flip == min(found.flips, key=lambda x: abs(x - SPOT))
    assert "also" in repr(found)
    lower = exposure(Chain.from_frame(frame, spot=SPOT, rate=0.0, forward=SPOT), spots=np.linspace(22_000, 25_000, 50))
    np.testing.assert_allclose(lower.flips, found.flips[:1], rtol=1e-14)


def test_hours_to_expiry_the_grid_is_cut_finer() -> None:
    """A quarter of an hour to go, net gamma is positive within a few points of one strike only."""
    t, vol = 0.25 / 24 / 365, 0.15
    strike, right = np.array([24_400.0, 24_500.0, 24_600.0]), np.array([-1, 1, -1])
    frame = pl.DataFrame(
        {
            "right": right,
            "strike": strike,
            "t": [t] * 3,
            "price": price(right, SPOT, strike, t, vol) + 0.0,
            "oi": [9.0] * 3,
        }
    )
    found = exposure(
        dataclasses.replace(
            Chain.from_frame(frame, spot=SPOT, rate=0.0, forward=SPOT),
            vol=np.full(3, vol), status=np.zeros(3, np.int64),
        )
    )  # fmt: skip
    assert found.flips.size == 2
    assert np.all(np.abs(found.flips - SPOT) < 100)


def test_cancelled_to_rounding_is_no_flip() -> None:
    """As many calls as puts of the same strikes and volatilities: the sum is 0 or rounding everywhere."""
    right, strike = (a.ravel() for a in np.meshgrid([1, -1], STRIKES, indexing="ij"))
    quote = {"right": right, "strike": strike, "t": np.full(strike.size, 0.1), "price": np.full(strike.size, 1.0)}
    oi = np.tile(np.linspace(3.3, 77.7, STRIKES.size), 2)
    balanced = dataclasses.replace(
        Chain.from_frame({**quote, "oi": oi}, spot=SPOT, rate=0.0, forward=SPOT),
        vol=np.full(strike.size, 0.2), status=np.zeros(strike.size, np.int64),
    )  # fmt: skip
    found = exposure(balanced)
    assert math.isnan(found.flip)
    assert abs(found.gex) < 1e-9 * exposure(balanced, sign="gross").gex


def test_unknown_is_left_out_and_said() -> None:
    whole = table()
    oi = whole["oi"].to_numpy().copy()
    oi[[3, 50]] = np.nan
    quote = whole["price"].to_numpy().copy()
    quote[[7, 60, 61]] = np.nan
    part = chain(whole.with_columns(pl.Series("oi", oi), pl.Series("price", quote)))
    found = exposure(part, lot=75)
    assert (found.quotes, found.counted, found.no_oi, found.no_vol) == (84, 79, 2, 3)
    assert "79 of 84  (left out: 2 without OI, 3 without volatility)" in repr(found)
    known = [q for q in quotes(part) if not math.isnan(q["oi"])]
    priced = [q for q in known if not math.isnan(q["vol"])]
    assert found.gex == pytest.approx(naive.flow(priced, SPOT, 75, (1, -1))["gex"], rel=1e-11)
    assert found.max_pain == naive.pain(known)[0]
    assert found.frame["call_oi"].sum() == sum(q["oi"] for q in known if q["right"] == 1)
    assert found.by_expiry["counted"].sum() == 79


def test_garbage_is_unknown_not_infinite() -> None:
    """Counts and volatilities beyond any market are left out and counted like missing ones."""
    whole = chain().implied_vols()
    assert whole.vol is not None
    oi, vol = whole.oi.copy(), whole.vol.copy()
    oi[:3] = [math.inf, -5.0, 1e300]
    vol[3:7] = [1e308, 5e-324, 0.0, math.inf]
    found = exposure(dataclasses.replace(whole, oi=oi, vol=vol), lot=75)
    assert (found.no_oi, found.no_vol) == (3, 4)
    assert np.isfinite([found.gex, found.dex, found.vex, found.chex, found.max_pain, found.pcr]).all()


def test_a_strike_without_open_interest_is_nan_not_zero() -> None:
    whole = table()
    hidden = whole.with_columns(pl.when(pl.col("strike") == 24_000).then(None).otherwise(pl.col("oi")).alias("oi"))
    row = exposure(chain(hidden)).frame.filter(pl.col("strike") == 24_000)
    assert (
        row.select("gex", "dex", "call_gex", "put_oi", "call_oi").fill_nan(None).null_count().sum_horizontal()[0] == 5
    )
    assert row["payout"][0] > 0


def test_nothing_known() -> None:
    found = exposure(chain(table().drop("oi")))
    for name in ("gex", "dex", "vex", "chex", "flip", "call_wall", "put_wall", "max_pain", "pcr"):
        assert math.isnan(getattr(found, name)), name
    assert np.isnan(found.profile.gex).all()
    assert found.pcr_volume > 0
    assert "0 of 84  (left out: 84 without OI)" in repr(found)
    for kind in ("flow", "heatmap"):
        found.plot(kind)


def test_expiries() -> None:
    whole = chain()
    near, far = exposure(whole, expiries=[whole.labels[0]]), exposure(whole, expiries=1)
    both = exposure(whole)
    assert near.gex + far.gex == pytest.approx(both.gex, rel=1e-12)
    assert near.labels == whole.labels[:1]
    assert (near.quotes, far.quotes) == (42, 42)
    assert exposure(whole, expiries=[-1, -2]).gex == both.gex
    assert exposure(whole, expiries=whole.labels).frame.equals(both.frame)
    np.testing.assert_allclose(near.profile.gex, both.profile.by_expiry[0], rtol=1e-12)


def test_open_interest_in_units_and_lots_that_differ() -> None:
    whole = table()
    lots = chain(whole)
    units = chain(whole.with_columns(pl.col("oi") * 75))
    assert exposure(units, oi_unit="units", lot=75).gex == pytest.approx(exposure(lots, lot=75).gex, rel=1e-12)
    assert exposure(units, oi_unit="units").gex == pytest.approx(exposure(lots, lot=75).gex, rel=1e-12)
    each = np.where(lots.expiry == 0, 75.0, 25.0)
    parts = exposure(lots, lot=75, expiries=0).gex + exposure(lots, lot=25, expiries=1).gex
    assert exposure(lots, lot=each).gex == pytest.approx(parts, rel=1e-12)


def test_frames_in_the_callers_kind() -> None:
    whole = table()
    ours, theirs = exposure(chain(whole)), exposure(chain(pd.DataFrame(whole.to_dict(as_series=False))))
    assert isinstance(ours.frame, pl.DataFrame)
    assert isinstance(theirs.frame, pd.DataFrame)
    assert isinstance(theirs.by_expiry, pd.DataFrame)
    assert theirs.gex == ours.gex
    assert isinstance(theirs.to_frame(), pl.DataFrame)
    assert isinstance(exposure(chain(whole.to_dict())).frame, pl.DataFrame)


def test_without_a_spot_the_nearest_forward_stands_for_it() -> None:
    found = exposure(chain(spot=None))
    assert found.spot_from == "forward"
    assert found.spot == pytest.approx(SPOT * math.exp(RATE * TIMES[0]), rel=1e-9)
    assert "(the nearest forward)" in repr(found)
    # spot**2 * gamma by spot is forward**2 * gamma by forward: nothing changes but charm
    assert found.gex == pytest.approx(exposure(chain()).gex, rel=1e-9)
    assert found.dex == pytest.approx(exposure(chain()).dex, rel=1e-9)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"lot": 0}, ValueError, "lot: expected positive"),
        ({"lot": float("nan")}, ValueError, "lot: expected positive"),
        ({"lot": [75, 25]}, ValueError, "one for each of the 84 quotes"),
        ({"lot": "x"}, TypeError, "lot: expected numbers"),
        ({"sign": "market maker"}, ValueError, "'dealer', 'reversed'"),
        ({"sign": (1, 2, 3)}, ValueError, "a pair"),
        ({"oi_unit": "shares"}, ValueError, "'contracts', 'units'"),
        ({"expiries": "2030-01-01"}, ValueError, "labels or places"),
        ({"expiries": 2}, ValueError, "labels or places"),
        ({"expiries": True}, ValueError, "labels or places"),
        ({"expiries": []}, ValueError, "at least one"),
        ({"reach": 1.5}, ValueError, "share of the spot"),
        ({"spots": [2.0, 1.0]}, ValueError, "ascending"),
        ({"spots": [0.0, 1.0]}, ValueError, "ascending"),
    ],
)
def test_refusals(settings: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        exposure(chain(), **settings)


def test_not_a_chain() -> None:
    with pytest.raises(TypeError, match=r"Chain\.from_frame makes one"):
        exposure(table())  # type: ignore[arg-type]
    blind = dataclasses.replace(chain(), spot=math.nan)
    blind = dataclasses.replace(blind, forwards=dataclasses.replace(blind.forwards, forward=np.full(2, np.nan)))
    with pytest.raises(PricingError, match="neither"):
        exposure(blind)


@pytest.mark.parametrize("value", ["gex", "dex", "vex", "chex"])
@pytest.mark.parametrize("kind", ["flow", "heatmap"])
def test_pictures(kind: str, value: str) -> None:
    found = exposure(chain(), lot=75)
    figure = found.plot(kind, value=value)
    assert figure.data
    if kind == "flow":
        assert {note.text.rsplit(" ", 1)[0] for note in figure.layout.annotations} >= {"spot", "call wall", "put wall"}
    else:
        np.testing.assert_array_equal(figure.data[0].customdata, found.grids[value][:, : STRIKES.size])
    with pytest.raises(ValueError, match="kind"):
        found.plot("3d")


def test_html_says_the_same() -> None:
    found = exposure(chain())
    assert "GEX per 1 %" in found._repr_html_()
    assert "Profile" in found.profile._repr_html_()
