"""Real chains: our volatilities and Greeks beside those of exchanges and vendors, with the differences explained."""

import datetime as dt
import gzip

import numpy as np
import polars as pl
import pytest

from algomaster.market import chain_from_file
from algomaster.pricing import Chain, greeks, implied_vol
from shared_data import shared_path


def largest(differences, *, quantile=1.0):
    return float(np.quantile(np.abs(differences), quantile))


@pytest.fixture(scope="module")
def spy():
    path = shared_path("data", "us_chain_snapshots", "SPY_20240614152847.csv.gz")
    return pl.read_csv(gzip.decompress(path.read_bytes())).filter(pl.col("mark_iv") > 0)


def test_spy_vendor_vols_and_greeks_on_the_vendors_own_forward(spy):
    """Forward, rate and time are in the rows, so nothing but the solver differs: 4e-6, the vendor's own tolerance."""
    terms = {"rate": spy["interest_rate"].to_numpy(), "forward": spy["forward_price"].to_numpy()}
    options = spy["optiontype"].to_numpy(), None, spy["strike"].to_numpy(), spy["ttm"].to_numpy()
    for side in ("mark", "bid", "ask"):
        vendor = spy[f"{side}_iv"].to_numpy()
        found = implied_vol(spy[f"{side}_price"].to_numpy(), *options, **terms)
        known = vendor > 0
        assert known.sum() > 6000
        assert (found.status[known] == 0).all()
        assert largest(found.vol[known] - vendor[known]) < 4e-6
        assert largest(found.vol[known] - vendor[known], quantile=0.5) < 3e-8
    ours = greeks(*options, spy["mark_iv"].to_numpy(), **terms)
    assert largest(ours.delta - spy["delta"].to_numpy()) < 1e-7
    # the vendor's vega and gamma are of the undiscounted option
    grown = np.exp(terms["rate"] * options[3])
    for name, quantile, bound in (("vega", 0.99, 1e-5), ("gamma", 0.5, 1e-6), ("gamma", 0.99, 2e-3)):
        differences = getattr(ours, name) * grown / spy[name].to_numpy() - 1
        assert largest(differences, quantile=quantile) < bound, name  # the vendor's gamma of wings is a bump of 1e-3


def test_spy_forwards_found_by_parity_are_near_the_vendors(spy):
    """The options are American: beyond a few months early exercise shows in parity, so only the near ones compare."""
    frame = spy.select("strike", right="optiontype", t="ttm", bid="bid_price", ask="ask_price")
    chain = Chain.from_frame(frame)
    vendor = spy.group_by("ttm").agg(pl.col("forward_price").median()).sort("ttm")["forward_price"].to_numpy()
    near = chain.years < 0.14
    assert near.sum() > 10
    assert largest((chain.forward / vendor - 1)[near]) < 4e-4


def test_deribit_mark_prices_vols_and_deltas():
    """Black-76 on the row's own forward and time, zero rate; marks are in BTC, vols in percent with two decimals."""
    path = shared_path("data", "deribit_chain_snapshot", "btc_option_data_20210211.csv")
    rows = pl.read_csv(path)
    name = rows["instrument_name"].str.split("-")
    day = [dt.datetime.strptime(text, "%d%b%y").replace(tzinfo=dt.UTC) for text in name.list.get(1)]
    ends = np.array([one.timestamp() * 1000 for one in day]) + 8 * 3_600_000
    t = (ends - rows["timestamp"].to_numpy()) / (365 * 86_400_000)
    strike, right = name.list.get(2).cast(pl.Float64).to_numpy(), name.list.get(3).to_numpy()
    forward, vol = rows["underlying_price"].to_numpy(), rows["mark_iv"].to_numpy() / 100
    ours = greeks(right, None, strike, t, vol, forward=forward)
    # the vol is rounded to 0.01 %, the price to 1e-6; the rest is the seconds between the fields of a row
    assert largest(ours.price / forward - rows["mark_price"].to_numpy(), quantile=0.5) < 8e-6
    assert largest(ours.price / forward - rows["mark_price"].to_numpy()) < 6e-4
    assert largest(ours.delta - rows["greeks.delta"].to_numpy()) < 1e-4
    assert largest(ours.vega / 100 - rows["greeks.vega"].to_numpy()) < 0.011
    found = implied_vol(rows["mark_price"].to_numpy() * forward, right, None, strike, t, forward=forward)
    felt = (found.status == 0) & (ours.vega / forward > 0.05)
    assert felt.sum() > 300
    assert largest((found.vol - vol)[felt]) < 0.01
    assert largest((found.vol - vol)[felt], quantile=0.5) < 2e-4


def test_spx_end_of_day_vols_on_our_own_forwards_and_rates():
    """The vendor's forward and rate are unknown; ours come from parity and boxes alone. Weekly (PM-settled) roots."""
    path = shared_path("data", "spx_spy_eod_chains", "SPX_EOD_20190425_20190610.parquet")
    rows = pl.read_parquet(path).filter(pl.col("optionroot").str.starts_with("SPXW"))
    for moment in rows["quotedate"].unique().sort():
        if moment.date() == dt.date(2019, 5, 27):  # a holiday: the quotes are Friday's, the times are not
            continue
        day = rows.filter(quotedate=moment)
        frame = day.select("strike", "bid", "ask", right="type", expiry="expiration", iv="impliedvol", theirs="delta")
        chain = Chain.from_frame(
            frame, spot=day["underlying_last"][0], at=f"{moment:%Y-%m-%d} 16:15", expiry_time="16:00",
            zone="America/New_York",
        ).greeks()  # fmt: skip
        rates = chain.rate[(chain.years > 0.25)]
        assert ((rates > 0.018) & (rates < 0.03)).all()  # the Treasury bills of that spring paid 2.1 to 2.4 %
        liquid = chain.to_frame().filter(
            (pl.col("status") == 0) & (pl.col("iv") > 0) & pl.col("theirs").abs().is_between(0.05, 0.5)
        )
        assert liquid.height > 1000
        assert largest(liquid["vol"] - liquid["iv"], quantile=0.5) < 1e-3
        assert largest(liquid["delta"] - liquid["theirs"], quantile=0.5) < 5e-4


def test_the_exchanges_own_vols_are_of_the_last_price_on_the_spot_at_ten_percent():
    """NSE's site: Black-Scholes on the spot, 10 % rate, calendar time to 15:30; 0.01 % is its rounding."""
    path = shared_path("data", "nse_option_chain_json", "option-chain-indices_NIFTY_20190823.json")
    chain = chain_from_file(path, prices="last")
    rows = chain.to_frame().filter(pl.col("iv") > 0)
    assert rows.height > 290
    options = (rows[name].to_numpy() for name in ("ltp", "right", "spot", "strike", "t"))
    found = implied_vol(*options, rate=0.10)
    assert (found.status == 0).all()
    assert largest(found.vol - rows["iv"].to_numpy()) < 5.2e-5


def test_the_exchanges_rate_makes_its_calls_and_puts_disagree_and_parity_mends_it():
    """At one strike call and put have one volatility; on spot and 10 % they differ by a point, on our forward not.

    Around the money only: that evening's options in the money closed below parity, whatever the forward.
    """
    path = shared_path("data", "nse_option_chain_json", "option-chain-indices_NIFTY_20190823.json")
    rows = (
        chain_from_file(path, prices="quotes")
        .implied_vols()
        .to_frame()
        .filter(pl.col("expiry") == dt.date(2019, 8, 29))
    )
    calls, puts = (
        rows.filter(pl.col("right") == right).select("strike", "vol", "iv").fill_nan(None) for right in ("CE", "PE")
    )
    both = calls.join(puts, on="strike", suffix="_put").filter(pl.col("strike").is_between(10800, 10900))
    both = both.drop_nulls().filter((pl.col("iv") > 0) & (pl.col("iv_put") > 0))
    assert both.height == 3
    ours = (both["vol"] - both["vol_put"]).abs().median()
    theirs = (both["iv"] - both["iv_put"]).abs().median()
    assert ours < 0.25 * theirs
