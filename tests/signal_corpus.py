"""Signals on public bars that other libraries have traded too: the data, the cases, our trades, how two lists differ.

Nothing of the data or of the peers' trades is kept in the project; what is recorded of the peers is a count, sums and a
hash a case (``tests/reference/signal_peers.json``, written by ``benchmarks/signal_peers.py``).
"""

import functools
import gzip
import hashlib
import io

import numpy as np
import polars as pl

from algomaster import backtest
from shared_data import shared_path

COLUMNS = ("column", "direction", "entry_bar", "exit_bar", "size", "entry_price", "exit_price", "fees", "pnl", "open")
SIGNALS = ("entries", "exits", "short_entries", "short_exits")
FILES = {
    "goog": ("ohlcv_packages", "backtesting_py", "GOOG.csv"),
    "eurusd": ("ohlcv_packages", "backtesting_py", "EURUSD.csv"),
    "sp500": ("ohlcv_packages", "arch", "sp500.csv.gz"),
    "aapl": ("ohlcv_packages", "zipline", "AAPL.csv.gz"),
    "msft": ("ohlcv_packages", "zipline", "MSFT.csv.gz"),
    "stocks": ("ohlcv_packages", "skfolio", "sp500_dataset.csv.gz"),
    "nifty": ("nse_index_minute", "NIFTY_2024_1min_barStart.csv.gz"),
    "banknifty": ("nse_index_minute", "BANKNIFTY_15min_epoch_2021-02_2022-06.csv"),
    "euro_future": ("fx_crypto_futures_minute", "6EH4.XCME_1min_bars_20240101_20240131.csv.gz"),
    "bitcoin": ("fx_crypto_futures_minute", "BTCPERP_1m_20211231_20220117.csv.gz"),
}
COSTS = {"fees": 0.0005, "slippage": 0.0002}
CASES = {
    "goog_open": {"data": "goog", "sma": (10, 30), "fees": 0.001, "peers": ("vectorbt", "raptorbt")},
    "goog_close": {"data": "goog", "sma": (10, 30), "fill": "close", "fees": 0.001, "peers": ("vectorbt", "raptorbt")},
    "goog_units": {"data": "goog", "sma": (10, 30), "size": 10.0, "fees": 0.001, "peers": ("vectorbt", "backtrader")},
    "eurusd_open": {"data": "eurusd", "sma": (24, 120), **COSTS, "peers": ("vectorbt", "raptorbt")},
    "eurusd_units": {"data": "eurusd", "sma": (5, 20), "size": 1000.0, **COSTS, "peers": ("vectorbt", "backtrader")},
    "sp500_open": {"data": "sp500", "sma": (50, 200), **COSTS, "peers": ("vectorbt", "raptorbt")},
    "nifty_open": {"data": "nifty", "sma": (20, 100), **COSTS, "peers": ("vectorbt", "raptorbt")},
    "nifty_close": {"data": "nifty", "sma": (5, 15), "fill": "close", "peers": ("vectorbt", "raptorbt")},
    "nifty_units": {"data": "nifty", "sma": (20, 100), "size": 1.0, **COSTS, "peers": ("vectorbt", "backtrader")},
    "future_open": {"data": "euro_future", "sma": (15, 60), **COSTS, "peers": ("vectorbt", "raptorbt")},
    "bitcoin_open": {"data": "bitcoin", "sma": (30, 120), **COSTS, "peers": ("vectorbt", "raptorbt")},
    "banknifty_both": {"data": "banknifty", "sma": (8, 26), "both": True, **COSTS, "peers": ("vectorbt",)},
    "eurusd_both": {
        "data": "eurusd", "sma": (10, 40), "both": True, "fixed_fees": 3.0, **COSTS, "peers": ("vectorbt",)
    },
    "bitcoin_random": {"data": "bitcoin", "random": 0.02, "both": True, "size": 1.5, **COSTS, "peers": ("vectorbt",)},
    "nifty_random": {"data": "nifty", "random": 0.05, **COSTS, "peers": ("vectorbt",)},
    "goog_stops": {"data": "goog", "sma": (10, 30), "sl": 0.05, "tp": 0.10, "peers": ("vectorbt", "raptorbt")},
    "nifty_stops": {
        "data": "nifty", "sma": (20, 100), "sl": 0.002, "tp": 0.004, **COSTS, "peers": ("vectorbt", "raptorbt"),
        "vectorbt": {"stop_exit_price": "stopmarket"},
    },
    "nifty_stops_units": {
        "data": "nifty", "sma": (20, 100), "sl": 0.002, "tp": 0.004, "size": 1.0, "fees": 0.0005,
        "peers": ("vectorbt", "backtrader"),
    },
    "goog_trail": {"data": "goog", "sma": (10, 30), "trail": 0.08, "peers": ("vectorbt", "raptorbt")},
    "pair_sharing": {
        "data": ("aapl", "msft"), "sma": (5, 20), "sharing": True, "size": 400.0, **COSTS, "peers": ("vectorbt",)
    },
    "stocks_sharing": {
        "data": "stocks", "sma": (50, 200), "fill": "close", "sharing": True, "value": 8000.0, **COSTS,
        "peers": ("vectorbt",),
    },
    "stocks_targets": {
        "data": "stocks", "targets": 63, "fill": "close", "sharing": True, "call_seq": "auto", "fees": 0.0005,
        "peers": ("vectorbt",),
    },
}  # fmt: skip
FLAT = (100.0, 100.0, 100.0, 100.0)
MADE = {
    "made_same_bar": {"bars": [FLAT] * 7, "in": [0, 3], "out": [3, 4], "peers": ("vectorbt", "backtrader", "raptorbt")},
    "made_same_bar_flat": {"bars": [FLAT] * 6, "in": [1], "out": [1], "peers": ("vectorbt", "backtrader", "raptorbt")},
    "made_both_touched": {"bars": [FLAT, FLAT, (100, 112, 88, 100), FLAT], "in": [0], "sl": 0.05, "tp": 0.1},
    "made_gap_stop": {"bars": [FLAT, FLAT, (90, 91, 88, 90), FLAT], "in": [0], "sl": 0.05, "tp": 0.1},
    "made_gap_target": {"bars": [FLAT, FLAT, (115, 116, 114, 115), FLAT], "in": [0], "sl": 0.05, "tp": 0.1},
    "made_entry_bar": {"bars": [FLAT, (100, 100, 94, 99), FLAT, FLAT], "in": [0], "sl": 0.05, "tp": 0.1},
    "made_exit_and_stop": {"bars": [FLAT, FLAT, (99, 99, 90, 91), FLAT], "in": [0], "out": [1], "sl": 0.05, "tp": 0.1},
    "made_cash_out": {"bars": [FLAT] * 4, "in": [0], "out": [2], "size": 5000.0, "fees": 0.001},
    "made_open_end": {"bars": [FLAT, FLAT, (110, 110, 110, 110)], "in": [0], "size": 10.0, "fees": 0.001},
    "made_reversal": {
        "bars": [FLAT] * 6, "in": [0], "out": [2], "both": True, "size": 100.0, "fixed_fees": 10.0,
        "peers": ("vectorbt",),
    },
    "made_short_beyond_cash": {
        "bars": [FLAT] * 4, "short": [0], "cover": [2], "size": 1500.0, "peers": ("vectorbt",)
    },
    "made_short_ruin": {
        "bars": [FLAT, FLAT, *[(250.0,) * 4] * 2], "short": [0], "cover": [1], "size": 1000.0, "peers": ("vectorbt",)
    },
    "made_no_bar": {
        "bars": [FLAT, FLAT, (float("nan"),) * 4, FLAT, FLAT], "in": [0], "out": [1], "peers": ("vectorbt",)
    },
}  # fmt: skip
for made in MADE.values():
    made.setdefault("peers", ("vectorbt", "backtrader", "raptorbt"))
    made.setdefault("size", 10.0 if "backtrader" in made["peers"] else None)
CASES |= MADE
DEFAULTS = {
    "fill": "next_open", "fees": 0.0, "fixed_fees": 0.0, "slippage": 0.0, "cash": 100_000.0, "size": None, "sl": None,
    "tp": None, "trail": None, "sharing": False, "both": False, "call_seq": "default",
}  # fmt: skip


@functools.cache
def bars_of(name):
    """Open, high, low, close of a file as (T, N) arrays; bars that other libraries would choke on are taken out."""
    if isinstance(name, tuple):
        parts = [bars_of(one) for one in name]
        return {column: np.concatenate([part[column] for part in parts], axis=1) for column in parts[0]}
    path = shared_path("data", *FILES[name])
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    frame = pl.read_csv(io.BytesIO(text), infer_schema_length=None)
    if name == "stocks":
        close = frame.drop(frame.columns[0]).to_numpy().astype(np.float64)
        return dict.fromkeys(("open", "high", "low", "close"), close)
    frame = frame.rename({column: column.lower() for column in frame.columns})
    found = {column: frame[column].cast(pl.Float64).to_numpy() for column in ("open", "high", "low", "close")}
    found["high"] = np.max([found["high"], found["open"], found["close"]], axis=0)  # some bars of BANKNIFTY break this
    found["low"] = np.min([found["low"], found["open"], found["close"]], axis=0)
    return {column: np.ascontiguousarray(values[:, np.newaxis]) for column, values in found.items()}


def arrays_of(name):
    """Everything a case needs: bars, and signals or sizes."""
    case = DEFAULTS | CASES[name]
    if "bars" in case:
        return made_arrays(case)
    bars = bars_of(case["data"])
    shape = bars["close"].shape
    if "targets" in case:
        size = np.full(shape, np.nan)
        rng = np.random.default_rng(5)
        for i in range(0, shape[0], case["targets"]):
            weights = rng.random(shape[1])
            size[i] = 0.95 * weights / weights.sum()
        return bars | {"size": size}
    if "random" in case:
        rng = np.random.default_rng(7)
        kinds = SIGNALS if case["both"] else SIGNALS[:2]
        return bars | {kind: rng.random(shape) < case["random"] for kind in kinds}
    into, out = crosses(bars["close"], *case["sma"])
    shorts = {"short_entries": out, "short_exits": into} if case["both"] else {}
    return bars | {"entries": into, "exits": out} | shorts


def made_arrays(case):
    """A few bars by hand, with the bars of each kind of signal."""
    table = np.array(case["bars"], dtype=np.float64)
    found = {name: np.ascontiguousarray(table[:, j : j + 1]) for j, name in enumerate(("open", "high", "low", "close"))}
    words = dict(zip(SIGNALS, ("in", "out", "short", "cover")))
    if case["both"]:
        words = dict(zip(SIGNALS, ("in", "out", "out", "in")))
    if "short" in case or case["both"]:
        kinds = SIGNALS
    else:
        kinds = SIGNALS[:2]
    for kind in kinds:
        found[kind] = np.isin(np.arange(len(table)), case.get(words[kind], []))[:, np.newaxis]
    return found


def crosses(close, fast, slow):
    """Entries and exits of two moving averages, compared in whole millionths so that a tie is one."""
    ticks = np.rint(close * 1e6).astype(np.int64)
    sums = np.vstack([np.zeros((1, close.shape[1]), np.int64), np.cumsum(ticks, axis=0)])
    gap = np.zeros(close.shape, np.int64)
    late = slice(slow - 1, None)
    quick, slow_sums = ((sums[slow:] - sums[slow - n : len(sums) - n]).astype(object) for n in (fast, slow))
    gap[late] = np.sign(quick * slow - slow_sums * fast).astype(np.int64)
    into, out = np.zeros(close.shape, bool), np.zeros(close.shape, bool)
    last = np.zeros(close.shape[1], np.int64)
    for i in range(close.shape[0]):
        into[i] = (gap[i] > 0) & (last < 0)
        out[i] = (gap[i] < 0) & (last > 0)
        last = np.where(gap[i] != 0, gap[i], last)
    return into, out


def ours(name, **other):
    """Our run of a case."""
    case = DEFAULTS | CASES[name]
    arrays = arrays_of(name)
    settings = {
        "fill": case["fill"], "fees": case["fees"], "fixed_fees": case["fixed_fees"], "slippage": case["slippage"],
        "init_cash": case["cash"], "cash_sharing": case["sharing"],
        "call_seq": "sells_first" if case["call_seq"] == "auto" else "fixed",
    } | other  # fmt: skip
    if "size" in arrays:
        return backtest.from_orders(size_type="target_percent", **arrays, **settings)
    if case["size"] is not None or "value" in case:
        settings |= {"size": case.get("value", case["size"]), "size_type": "value" if "value" in case else "amount"}
    settings |= {"sl_stop": case["sl"], "tp_stop": case["tp"], "trail_stop": case["trail"]}
    return backtest.from_signals(**arrays, **settings)


def table(run):
    """Our trades as rows of :data:`COLUMNS`."""
    place = {symbol: c for c, symbol in enumerate(run.symbols)}
    trades = run.trades
    columns = [
        [place[symbol] for symbol in trades["symbol"]], np.where(trades["direction"] == "long", 1, -1),
        trades["entry_bar"], trades["exit_bar"], trades["size"], trades["entry_price"], trades["exit_price"],
        trades["entry_fees"] + trades["exit_fees"], trades["pnl"], trades["status"] == "open",
    ]  # fmt: skip
    return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)


def in_order(rows):
    return rows[np.lexsort((rows[:, 8], rows[:, 3], rows[:, 2], rows[:, 0]))]


def facts(rows):
    """What is recorded of a list of trades: number, sums, and a hash over who, when in, when out.

    ``spread`` is the root of the summed squares of P&L: it tells trades apart whose sums are alike.
    """
    rows = in_order(rows)
    keys = rows[:, [0, 1, 2, 3, 9]].astype(np.int32)
    return {
        "trades": len(rows),
        "pnl": float(rows[:, 8].sum()),
        "spread": float(np.sqrt((rows[:, 8] ** 2).sum())),
        "fees": float(rows[:, 7].sum()),
        "turnover": float((rows[:, 4] * (rows[:, 5] + rows[:, 6])).sum()),
        "bars": hashlib.sha256(np.ascontiguousarray(keys).tobytes()).hexdigest()[:16],
    }


def difference(mine, theirs):
    """How two lists differ: trades in one alone, largest relative difference of the others, the first that differs."""
    mine, theirs = in_order(mine), in_order(theirs)
    keyed = [{tuple(row[:4].astype(int)): row for row in rows} for rows in (mine, theirs)]
    both = sorted(keyed[0].keys() & keyed[1].keys())
    far = {}
    for j in (4, 5, 6, 8):
        a, b = (np.array([side[key][j] for key in both]) for side in keyed)
        scale = np.abs(b) if j != 8 else np.array([abs(keyed[1][key][4] * keyed[1][key][5]) for key in both])
        far[COLUMNS[j]] = float(np.max(np.abs(a - b) / scale)) if both else float("nan")
    odd = sorted(keyed[0].keys() ^ keyed[1].keys(), key=lambda key: key[2:])
    return {"both": len(both), "only_ours": len(keyed[0]) - len(both), "only_theirs": len(keyed[1]) - len(both),
            "far": far, "first": odd[0] if odd else None}  # fmt: skip
