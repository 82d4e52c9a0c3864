"""Made-up bars and signals for tests of signal backtests, and one comparison with the naive twin."""

import numpy as np

from naive import signals as naive

WORDS = ("entries", "exits", "short_entries", "short_exits")
NAIVE_WORDS = dict(zip(WORDS, ("long in", "long out", "short in", "short out")))
NAIVE_NAMES = {
    "size_granularity": "grain", "fixed_fees": "fixed", "sl_stop": "sl", "tp_stop": "tp", "trail_stop": "trail",
    "init_cash": "cash", "upon_conflict": "conflict", "upon_dir_conflict": "dir_conflict",
    "upon_opposite_entry": "opposite", "allow_partial": "partial",
}  # fmt: skip


def random_bars(seed, bars=120, symbols=1, *, gaps=0.0, tick=0.05):
    """Bars (T, N) on a coarse grid, so that prices tie and touch levels often; some missing where asked for."""
    rng = np.random.default_rng(seed)
    close = 100.0 + tick * np.cumsum(rng.integers(-12, 13, (bars, symbols)), axis=0)
    close = np.maximum(close, 5.0)
    opens = np.vstack([close[:1], close[:-1]]) + tick * rng.integers(-10, 11, (bars, symbols))
    high = np.maximum(opens, close) + tick * rng.integers(0, 9, (bars, symbols))
    low = np.minimum(opens, close) - tick * rng.integers(0, 9, (bars, symbols))
    made = {"open": opens, "high": high, "low": low, "close": close}
    missing = rng.random((bars, symbols)) < gaps
    for values in made.values():
        values[missing] = np.nan
    return {name: np.round(values, 2) for name, values in made.items()}


def random_signals(seed, shape, often=0.1, kinds=WORDS):
    rng = np.random.default_rng(seed)
    return {name: rng.random(shape) < often for name in kinds}


def naive_bars(made):
    bars, symbols = made["close"].shape
    return [[{name: float(made[name][i, s]) for name in made} for s in range(symbols)] for i in range(bars)]


def naive_settings(settings):
    found = {NAIVE_NAMES.get(name, name): value for name, value in settings.items()}
    found["sells_first"] = found.pop("call_seq", "sells_first") == "sells_first"
    found["accumulate"] = {False: "none", True: "both"}.get(found.get("accumulate", False), found.get("accumulate"))
    return found


def naive_signals(made, signals, **settings):
    bars, symbols = made["close"].shape
    wanted = [
        [{NAIVE_WORDS[name] for name in signals if signals[name][i, s]} or None for s in range(symbols)]
        for i in range(bars)
    ]
    return naive.run(naive_bars(made), wanted, **naive_settings(settings))


def naive_orders(made, size, **settings):
    wanted = [[None if np.isnan(one) else float(one) for one in row] for row in size]
    return naive.run(naive_bars(made), wanted, orders=True, **naive_settings(settings))


def check_equal(run, twin):
    """The same trades in the same order, and the same value at every close."""
    order = sorted(range(len(twin.trades)), key=lambda k: (twin.trades[k][0], twin.trades[k][3], twin.trades[k][5]))
    theirs = [twin.trades[k] for k in order]
    trades = run.trades
    place = {symbol: s for s, symbol in enumerate(run.symbols)}
    ours = list(
        zip(
            [place[symbol] for symbol in trades["symbol"]], [1 if d == "long" else -1 for d in trades["direction"]],
            trades["size"], trades["entry_bar"], trades["entry_price"], trades["exit_bar"], trades["exit_price"],
            trades["entry_fees"] + trades["exit_fees"], trades["pnl"], trades["exit_reason"],
        )
    )  # fmt: skip
    facts = [(t[0], t[1], t[3], t[5], t[9]) for t in ours]
    assert facts == [(t[0], t[1], t[3], t[5], t[9]) for t in theirs]
    for j in (2, 4, 6, 7, 8):
        np.testing.assert_allclose([t[j] for t in ours], [t[j] for t in theirs], rtol=1e-9, atol=1e-7)
    equity = run.equity.drop(run.equity.columns[0]).sum_horizontal().to_numpy()
    np.testing.assert_allclose(equity, twin.equity, rtol=1e-9)
