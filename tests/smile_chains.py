"""Chains to fit surfaces to: random ones of known truth, and the real ones, read without the library's own reader."""

import gzip
import json
import re
import types
import zoneinfo
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from algomaster.pricing import implied_vol
from naive.heston import call
from naive.smiles import essvi_variance, sabr_vol, svi_variance
from shared_data import shared_path

Chain = types.SimpleNamespace
YEAR = timedelta(days=365)
INDIA = zoneinfo.ZoneInfo("Asia/Kolkata")


def chain_of(
    k: Any, vol: Any, expiry: Any, years: Any, *, forward: Any = 100.0, discount: Any = 1.0, spot: float = np.nan,
    right: Any = None, labels: Any = None, half_spread: Any = None,
) -> Chain:  # fmt: skip
    """A chain with given volatilities; out of the money unless ``right`` is given."""
    years = np.asarray(years, np.float64)
    expiry = np.asarray(expiry, np.int64)
    forward = np.broadcast_to(np.asarray(forward, np.float64), years.shape).copy()
    nothing = np.full(len(k), np.nan)
    right = np.where(np.asarray(k) >= 0.0, 1, -1) if right is None else np.asarray(right)
    chain = Chain(
        right=right.astype(np.int64), strike=forward[expiry] * np.exp(k), t=years[expiry], price=nothing, bid=nothing,
        ask=nothing, oi=nothing, volume=nothing, expiry=expiry, spot=spot, years=years, forward=forward,
        discount=np.broadcast_to(np.asarray(discount, np.float64), years.shape).copy(), vol=np.asarray(vol, np.float64),
        labels=tuple(f"{year:.4f} y" for year in years) if labels is None else tuple(labels),
        status=np.zeros(len(k), np.int64),
    )  # fmt: skip
    return chain


KINDS = ("svi", "essvi", "sabr")
TRUTHS = (*KINDS, "heston")
"""Heston's model is in none of the three families."""


def random_chain(seed: int, kind: str | None = None) -> tuple[Chain, float, str]:
    """A chain of a random truth with noise in proportion to volatility; the noise, and the truth's name in TRUTHS.

    By default the truth is one of the families. One shape serves all expiries, growing with time, so that a truth has
    little or no calendar arbitrage itself.
    """
    rng = np.random.default_rng(seed)
    years = np.sort(rng.uniform(3 / 365, 2.0, int(rng.integers(1, 8))))
    years += np.arange(years.size) / 365
    level, noise = rng.uniform(0.08, 0.8), float(rng.choice([0.001, 0.003, 0.01]))
    kind = kind or KINDS[rng.integers(len(KINDS))]
    rho, strength = rng.uniform(-0.85, 0.4), rng.uniform(0.15, 0.9)
    width, shift, bend = rng.uniform(0.3, 1.5), rng.uniform(-0.3, 0.3), rng.uniform(0.2, 0.8)
    ks, vols, expiries = [], [], []
    for e, t in enumerate(years):
        n = int(rng.integers(8, 40))
        deviation = level * np.sqrt(t)
        k = np.sort(rng.uniform(-3.0, 2.5, n)) * deviation * rng.uniform(0.6, 1.2)
        if kind == "sabr":
            vol = sabr_vol(k, t, level, 1.0, rho, min(strength * 2.0, strength / np.sqrt(t)))
        elif kind == "svi":
            slope = strength * deviation / (1.0 + abs(rho))
            w = svi_variance(k, deviation**2 * bend, slope, rho, shift * deviation, width * deviation)
            vol = np.sqrt(w / t)
        elif kind == "heston":
            vol = heston_vol(k, t, level, pull=4.0 * width, drift=1.0 + shift, turmoil=5.0 * strength, rho=rho)
        else:
            psi = strength * 1.6 * min(deviation, 1.0) / np.sqrt(1.0 + abs(rho))
            vol = np.sqrt(essvi_variance(k, deviation**2, rho, psi) / t)
        ks.append(k)
        vols.append(vol)
        expiries.append(np.full(n, e))
    truth = np.concatenate(vols)
    noisy = truth * (1.0 + noise * rng.standard_normal(truth.size))
    forward = 100.0 * np.exp(0.03 * years)
    return chain_of(np.concatenate(ks), noisy, np.concatenate(expiries), years, forward=forward), noise, kind


def heston_vol(k: Any, t: float, level: float, *, pull: float, drift: float, turmoil: float, rho: float) -> Any:
    """Volatility by Heston's model that starts at ``level`` and is pulled to ``drift`` times it."""
    price = call(k, t, level**2, pull, (drift * level) ** 2, turmoil * level, rho)
    out_of_the_money = np.where(k >= 0.0, price, price - (1.0 - np.exp(k)))
    return implied_vol(out_of_the_money, np.where(k >= 0.0, 1, -1), None, np.exp(k), t, forward=1.0).vol


# --- real ones -------------------------------------------------------------------------------------------------


def from_quotes(frame: pl.DataFrame, *, rate: float, spot: float = np.nan) -> Chain:
    """Chain of a table with right (+1/-1), strike, t, label, bid, ask and perhaps forward; forwards by parity."""
    frame = frame.filter((pl.col("t") > 0) & (pl.col("strike") > 0)).sort("t", "strike", "right")
    years = frame["t"].unique().sort().to_numpy()
    expiry = np.searchsorted(years, frame["t"].to_numpy())
    bid, ask = (
        frame[side].cast(float).fill_null(np.nan).replace(0.0, np.nan).to_numpy().copy() for side in ("bid", "ask")
    )
    price = np.where(ask >= bid, 0.5 * (bid + ask), np.nan)
    if "price" in frame.columns:
        price = frame["price"].cast(float).to_numpy()
    strike, right = frame["strike"].cast(float).to_numpy(), frame["right"].cast(pl.Int64).to_numpy()
    discount = np.exp(-rate * years)
    if "forward" in frame.columns:
        forward = np.array([np.median(frame["forward"].to_numpy()[expiry == e]) for e in range(years.size)])
    else:
        forward = np.array([parity(right, strike, price, expiry == e, discount[e]) for e in range(years.size)])
    found = implied_vol(price, right, None, strike, years[expiry], rate=rate, forward=forward[expiry])
    nothing = np.full(strike.size, np.nan)
    labels = tuple(frame.filter(pl.col("t") == year)["label"][0] for year in years)
    return Chain(
        right=right, strike=strike, t=years[expiry], price=price, bid=bid, ask=ask, oi=nothing, volume=nothing,
        expiry=expiry.astype(np.int64), spot=spot, years=years, forward=forward, discount=discount, labels=labels,
        vol=found.vol, status=found.status,
    )  # fmt: skip


def parity(right: Any, strike: Any, price: Any, mine: Any, discount: float) -> float:
    """Median over the ten strikes where call and put are nearest to each other."""
    prices: list[dict[float, float]] = [
        dict(zip(strike[mine & (right == side)], price[mine & (right == side)])) for side in (1, -1)
    ]
    pairs = [(x, prices[0][x] - prices[1][x]) for x in prices[0] if x in prices[1]]
    pairs = sorted((pair for pair in pairs if pair[1] == pair[1]), key=lambda pair: abs(pair[1]))[:10]
    return float(np.median([x + gap / discount for x, gap in pairs])) if pairs else np.nan


def real_chains() -> Iterator[tuple[str, Chain]]:
    yield "SPY 2024-06-14", spy()
    yield "BTC 2021-02-11", bitcoin()
    yield from spx()
    yield from nse_website()
    yield "NIFTY 2026-08-19", nse_minute()
    yield "NIFTY 2019-08-23", nse_json()


def spy() -> Chain:
    with gzip.open(shared_path("data", "us_chain_snapshots", "SPY_20240614152847.csv.gz")) as file:
        frame = pl.read_csv(file.read(), infer_schema_length=None)
    columns = {"bid": "bid_price", "ask": "ask_price", "t": "ttm", "forward": "forward_price", "label": "mat_id"}
    right = pl.col("optiontype").replace_strict({"C": 1, "P": -1}).alias("right")
    frame = frame.select(right, "strike", **{name: pl.col(source) for name, source in columns.items()})
    return from_quotes(frame, rate=0.0419)


def bitcoin() -> Chain:
    path = shared_path("data", "deribit_chain_snapshot", "btc_option_data_20210211.csv")
    raw = pl.read_csv(path, infer_schema_length=None)
    at = datetime.fromtimestamp(raw["timestamp"].median() / 1000, tz=zoneinfo.ZoneInfo("UTC"))
    rows = []
    columns = ("instrument_name", "best_bid_price", "best_ask_price", "mark_price", "underlying_price")
    for name, bid, ask, price, forward in raw.select(columns).iter_rows():
        _, date, strike, right = name.split("-")
        expiry = datetime.strptime(date + " 08 +0000", "%d%b%y %H %z")
        row = {"label": expiry.date().isoformat(), "t": (expiry - at) / YEAR, "strike": float(strike)}
        rows.append(
            row | {"right": 1 if right == "C" else -1, "bid": bid, "ask": ask, "price": price} | {"forward": forward}
        )
    frame = pl.DataFrame(rows)
    forward = pl.col("forward").median().over("label")
    frame = frame.with_columns(forward=forward, **{name: pl.col(name) * forward for name in ("bid", "ask", "price")})
    return from_quotes(frame, rate=0.0)


def spx() -> Iterator[tuple[str, Chain]]:
    raw = pl.read_parquet(shared_path("data", "spx_spy_eod_chains", "SPX_EOD_20190425_20190610.parquet"))
    for name in ("expiration", "quotedate"):
        if raw[name].dtype == pl.String:
            raw = raw.with_columns(pl.col(name).str.to_date("%m/%d/%Y"))
    settled = pl.col("optionroot").str.starts_with("SPXW").replace_strict({True: 16.0, False: 9.5}, return_dtype=float)
    raw = raw.with_columns(
        t=(
            (pl.col("expiration").cast(pl.Date) - pl.col("quotedate").cast(pl.Date)).dt.total_days() * 24.0
            + settled
            - 16.0
        )
        / (24.0 * 365.0),
        right=pl.col("type").replace_strict({"call": 1, "put": -1}),
        label=pl.col("expiration").cast(pl.Date).cast(pl.String) + pl.col("optionroot").str.slice(0, 4),
    )
    for (day,), part in raw.group_by("quotedate", maintain_order=True):
        yield f"SPX {day}", from_quotes(part.select("right", "strike", "t", "label", "bid", "ask"), rate=0.025)


def nse_website() -> Iterator[tuple[str, Chain]]:
    folder = shared_path("data", "nse_chain_snapshots")
    files = sorted(folder.glob("nse_website_20250829/original/*.parquet")) + sorted(
        folder.glob("nse_website_20250827_holiday/*.parquet")
    )
    for path in files:
        yield path.stem, website(pl.read_parquet(path))


def website(raw: pl.DataFrame) -> Chain:
    at = moment(str(raw["Fetch_Time"][0]))
    sides = []
    for side, right in (("CALLS", 1), ("PUTS", -1)):
        sides.append(
            raw.select(
                pl.lit(right).alias("right"), pl.col("Strike_Price").cast(float).alias("strike"),
                pl.col("Expiry_Date").cast(pl.String).alias("label"),
                pl.col(f"{side}_Bid_Price").cast(float).alias("bid"),
                pl.col(f"{side}_Ask_Price").cast(float).alias("ask"),
            )
        )  # fmt: skip
    return from_quotes(dated(pl.concat(sides), at), rate=0.06)


def moment(text: str) -> datetime:
    for form in ("%d-%b-%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%d-%b-%Y %H:%M"):
        try:
            return datetime.strptime(text[:20].strip(), form).replace(tzinfo=INDIA)
        except ValueError:
            continue
    raise ValueError(text)


def dated(frame: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """Years to half past three of the day that the label names."""
    known = {}
    for label in frame["label"].unique():
        form = "%Y-%m-%d" if re.match(r"\d{4}-", label) else "%d-%b-%Y"
        close = datetime.strptime(label[:11].strip(), form).replace(hour=15, minute=30, tzinfo=INDIA)
        known[label] = (close - at) / YEAR
    return frame.with_columns(t=pl.col("label").replace_strict(known, return_dtype=float))


def nse_minute() -> Chain:
    raw = pl.read_parquet(
        shared_path("data", "nse_chain_snapshots", "minute_greeks_20260819", "option_chain_20260819.parquet")
    )
    last = raw["timestamp"].max()
    frame = raw.filter(pl.col("timestamp") == last).select(
        pl.col("option_type").replace_strict({"CE": 1, "PE": -1}).alias("right"), pl.col("strike").cast(float),
        pl.col("expiry").cast(pl.String).alias("label"), pl.col("ltp").cast(float).alias("bid"),
        pl.col("ltp").cast(float).alias("ask"),
    )  # fmt: skip
    return from_quotes(dated(frame, datetime.strptime(str(last), "%Y%m%d%H%M").replace(tzinfo=INDIA)), rate=0.06)


def nse_json() -> Chain:
    path = shared_path("data", "nse_option_chain_json", "option-chain-indices_NIFTY_20190823.json")
    records = json.loads(path.read_text())["records"]
    rows = [
        {"right": sign, "strike": float(entry["strikePrice"]), "label": entry["expiryDate"],
         "bid": float(entry[side]["bidprice"]), "ask": float(entry[side]["askPrice"])}
        for entry in records["data"] for side, sign in (("CE", 1), ("PE", -1)) if side in entry
    ]  # fmt: skip
    return from_quotes(dated(pl.DataFrame(rows), moment(records["timestamp"])), rate=0.06)
