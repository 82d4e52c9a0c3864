"""Hedge sensitivities against 50-digit arithmetic; max pain and put-call ratio of real chains worked out apart."""

import csv
import json
from datetime import datetime
from typing import Any

import mpmath
import numpy as np
import polars as pl
import pytest

from algomaster.pricing.chain import Chain
from algomaster.pricing.dealer_flow import exposure
from algomaster.pricing.kernels.dealer_flow import hedge_greeks_loop
from naive.black import MP, on_spot
from shared_data import shared_path


def kernel(right: int, spot: float, strike: float, t: float, vol: float, forward: float, discount: float) -> Any:
    out = np.empty((4, 1))
    row = [np.array([x]) for x in (strike, t, vol, forward, discount)]
    hedge_greeks_loop(np.array([right]), spot, *row, out)
    return out[:, 0]


def test_generated_grid() -> None:
    """Delta, gamma, vanna and charm to 50 digits, from a minute to five years and 1 % to 300 %."""
    with shared_path("data", "reference", "bsm_mpmath_grid.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 200
    for row in rows:
        s, k, t, vol, r, q = (float(row[name]) for name in ("S", "K", "T", "sigma", "r", "q"))
        forward, discount = s * np.exp((r - q) * t), np.exp(-r * t)
        delta, gamma, vanna, charm = kernel(1 if row["type"] == "c" else -1, s, k, t, vol, forward, discount)
        deviation = vol * np.sqrt(t)
        d2 = abs(np.log(forward / k) / deviation - deviation / 2)
        # forward and discount come as doubles: an error of 1 part in 1e16 moves d1 by that over the deviation, and the
        # rate and carry that are read back from them by that over t
        shift = 2e-15 * (1.0 + d2) * (1.0 + 1.0 / deviation)
        density = gamma * s * deviation
        assert delta == pytest.approx(float(row["delta"]), rel=1e-13, abs=shift * density)
        assert gamma == pytest.approx(float(row["gamma"]), rel=shift + 1e-14)
        assert vanna == pytest.approx(float(row["vanna"]), rel=1e-13, abs=shift * density * (1.0 + d2) / vol)
        lost = shift * density * (1.0 + d2 + deviation) / t + 1e-15 * (density / deviation + abs(delta)) / t
        assert charm == pytest.approx(float(row["charm_dDelta_dt"]), rel=1e-13, abs=lost)


@pytest.mark.parametrize("right", [1, -1])
@pytest.mark.parametrize("strike", [80.0, 97.0, 101.5, 130.0])
@pytest.mark.parametrize(("t", "vol", "rate", "dividend"), [(0.02, 0.14, 0.065, 0.012), (1.5, 0.35, 0.03, 0.08)])
def test_vanna_and_charm_are_derivatives_of_delta(
    right: int, strike: float, t: float, vol: float, rate: float, dividend: float
) -> None:
    """By differences with 80 digits; charm by calendar time (less time to expiry) at constant spot, rate and yield."""
    spot = 100.0
    h = mpmath.mpf(10) ** -20

    def delta(v: Any = vol, years: Any = t) -> Any:
        up, down = (on_spot("black", right, MP.mpf(spot) + e, strike, years, v, rate, dividend) for e in (h, -h))
        return (up - down) / (2 * h)

    forward, discount = spot * np.exp((rate - dividend) * t), np.exp(-rate * t)
    found = kernel(right, spot, strike, t, vol, forward, discount)
    step = MP.mpf(10) ** -15
    assert found[0] == pytest.approx(float(delta()), rel=1e-13)
    assert found[2] == pytest.approx(float((delta(v=vol + step) - delta(v=vol - step)) / (2 * step)), rel=1e-11)
    expected = -(delta(years=t + step) - delta(years=t - step)) / (2 * step)
    assert found[3] == pytest.approx(float(expected), rel=1e-11)


def website(*parts: str, place: int = 0) -> tuple[pl.DataFrame, datetime]:
    """One collection of NSE's website chain in long form; zero prices are none."""
    wide = pl.read_parquet(shared_path("data", "nse_chain_snapshots", *parts))
    stamps = wide["collection_timestamp"].unique().sort()
    wide = wide.filter(pl.col("collection_timestamp") == stamps[place])
    at = datetime.strptime(wide["Fetch_Time"][0], "%d-%b-%Y %H:%M:%S")
    sides = []
    for side, right in (("CALLS", "CE"), ("PUTS", "PE")):
        quote = {n: pl.col(f"{side}_{c}") for n, c in (("bid", "Bid_Price"), ("ask", "Ask_Price"))}
        sides.append(
            wide.select(
                pl.lit(right).alias("right"),
                pl.col("Strike_Price").cast(float).alias("strike"),
                pl.col("Expiry_Date").str.to_date("%d-%b-%Y").alias("expiry"),
                *(pl.when(c > 0).then(c.cast(float)).alias(n) for n, c in quote.items()),
                pl.col(f"{side}_OI").cast(float).alias("oi"),
                pl.col(f"{side}_Volume").cast(float).alias("volume"),
            )
        )
    return pl.concat(sides), at


NIFTY = ("nse_website_20250829", "NIFTY_20250829_all.parquet")
BANKNIFTY = ("nse_website_20250827_holiday", "BANKNIFTY_20250827_094517.parquet")


@pytest.mark.parametrize(("parts", "place"), [(NIFTY, 0), (NIFTY, 150), (NIFTY, -1), (BANKNIFTY, 0)])
def test_max_pain_and_ratios_of_real_chains(parts: tuple[str, str], place: int) -> None:
    """Payouts by one outer product in numpy, ratios by polars: nothing of ours in either."""
    frame, at = website(*parts, place=place)
    found = exposure(Chain.from_frame(frame, at=at, rate=0.06), lot=75)
    groups = [("all", found.max_pain, found.pcr, found.pcr_volume, frame)]
    rows = found.by_expiry.select("expiry", "max_pain", "pcr", "pcr_volume").rows()
    for label, pain, pcr, pcr_volume in rows:
        groups.append((label, pain, pcr, pcr_volume, frame.filter(pl.col("expiry").cast(str) == label)))
    assert len(groups) >= 5
    compared = 0
    for label, pain, pcr, pcr_volume, part in groups:
        calls, puts = (part.filter(pl.col("right") == right) for right in ("CE", "PE"))
        levels = part["strike"].unique().sort().to_numpy()
        paid = np.clip(levels[:, None] - calls["strike"].to_numpy(), 0, None) @ calls["oi"].to_numpy()
        paid = paid + np.clip(puts["strike"].to_numpy() - levels[:, None], 0, None) @ puts["oi"].to_numpy()
        if paid.max() > 0.0:
            at_pain = paid[np.searchsorted(levels, pain)]
            assert at_pain == pytest.approx(paid.min(), rel=1e-12), label
            if np.sort(paid)[1:2].size and np.sort(paid)[1] > paid.min() * (1 + 1e-9):
                assert pain == levels[paid.argmin()]
                compared += 1
        if calls["oi"].sum() > 0:
            assert pcr == pytest.approx(puts["oi"].sum() / calls["oi"].sum(), rel=1e-12)
        if calls["volume"].sum() > 0:
            assert pcr_volume == pytest.approx(puts["volume"].sum() / calls["volume"].sum(), rel=1e-12)
    assert compared >= 4


def test_exchange_totals_of_the_2019_chain() -> None:
    """The exchange's own sums of the nearest expiry, total OI of calls and puts, give its put-call ratio."""
    path = shared_path("data", "nse_option_chain_json", "option-chain-indices_NIFTY_20190823.json")
    answer = json.loads(path.read_text())
    rows: list[dict[str, Any]] = []
    for entry in answer["records"]["data"]:
        for right in ("CE", "PE"):
            if right in entry:
                side = entry[right]
                rows.append(
                    {
                        "right": right,
                        "strike": float(entry["strikePrice"]),
                        "expiry": datetime.strptime(entry["expiryDate"], "%d-%b-%Y").date(),
                        "bid": side["bidprice"] or None,
                        "ask": side["askPrice"] or None,
                        "oi": float(side["openInterest"]),
                        "volume": float(side["totalTradedVolume"]),
                    }
                )
    spot = answer["records"]["underlyingValue"]
    chain = Chain.from_frame(pl.DataFrame(rows, infer_schema_length=None), at=datetime(2019, 8, 23, 15, 29), spot=spot)
    found = exposure(chain, lot=75, expiries=0)
    totals = answer["filtered"]
    assert found.pcr == pytest.approx(totals["PE"]["totOI"] / totals["CE"]["totOI"], rel=1e-12)
    assert found.pcr_volume == pytest.approx(totals["PE"]["totVol"] / totals["CE"]["totVol"], rel=1e-12)
    assert found.spot == spot
    assert spot * 0.9 < found.max_pain < spot * 1.1
