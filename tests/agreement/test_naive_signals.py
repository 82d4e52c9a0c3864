"""Signals and orders on bars, compiled, equal the naive twin trade by trade."""

import itertools

import numpy as np
import pytest

from algomaster import backtest
from signal_bars import check_equal, naive_orders, naive_signals, random_bars, random_signals

COSTS = {"fees": 0.001, "fixed_fees": 2.0, "slippage": 0.0005}
CASES = [
    {},
    {"fees": 0.002},
    COSTS,
    COSTS | {"sl_stop": 0.01},
    COSTS | {"sl_stop": 0.01, "tp_stop": 0.015},
    COSTS | {"trail_stop": 0.012, "tp_stop": 0.02},
    {"sl_stop": 0.008, "trail_stop": 0.01, "tp_stop": 0.01, "size": 100.0},
    COSTS | {"accumulate": True, "size": 150.0},
    COSTS | {"accumulate": "add_only", "size": 20_000.0, "size_type": "value", "trail_stop": 0.02},
    COSTS | {"accumulate": "remove_only", "size": 0.5, "size_type": "percent"},
    COSTS | {"size": 900.0, "allow_partial": False},
    COSTS | {"size": 900.0, "size_granularity": 25.0},
    COSTS | {"upon_conflict": "entry", "upon_dir_conflict": "long", "upon_opposite_entry": "close"},
    COSTS | {"upon_conflict": "exit", "upon_dir_conflict": "short", "upon_opposite_entry": "ignore"},
    COSTS | {"upon_conflict": "adjacent", "upon_dir_conflict": "adjacent", "accumulate": True, "size": 100.0},
    COSTS | {"upon_conflict": "opposite", "upon_dir_conflict": "opposite", "sl_stop": 0.02},
]


@pytest.mark.parametrize("fill", ["next_open", "next_close", "close"])
@pytest.mark.parametrize("case", range(len(CASES)))
def test_signals_of_one_symbol(case, fill):
    for seed in range(3):
        made = random_bars(seed, gaps=0.1 * (seed == 2))
        signals = random_signals(100 + seed, made["close"].shape, often=0.15)
        run = backtest.from_signals(**made, **signals, fill=fill, **CASES[case])
        check_equal(run, naive_signals(made, signals, fill=fill, **CASES[case]))
        assert run.trades.height > 5


@pytest.mark.parametrize("call_seq", ["sells_first", "fixed"])
@pytest.mark.parametrize("fill", ["next_open", "close"])
def test_signals_of_symbols_on_one_cash(fill, call_seq):
    for seed, size in itertools.product(range(3), (np.inf, 0.4)):
        made = random_bars(seed, bars=80, symbols=4, gaps=0.05)
        signals = random_signals(seed, made["close"].shape, often=0.1)
        settings = COSTS | {"size": size, "size_type": "percent" if size < 1 else "amount", "sl_stop": 0.02}
        settings |= {"fill": fill, "call_seq": call_seq}
        run = backtest.from_signals(**made, **signals, cash_sharing=True, **settings)
        check_equal(run, naive_signals(made, signals, **settings))


SIZES = {
    "amount": [-400.0, -50.0, 30.0, 300.0, 2000.0], "value": [-30_000.0, 5_000.0, 20_000.0],
    "percent": [-1.0, -0.3, 0.2, 0.7, 1.0], "target_amount": [-100.0, 0.0, 50.0, 300.0],
    "target_value": [-20_000.0, 0.0, 15_000.0], "target_percent": [-0.3, 0.0, 0.2, 0.5],
}  # fmt: skip


@pytest.mark.parametrize("size_type", SIZES)
@pytest.mark.parametrize("symbols", [1, 3])
def test_orders(size_type, symbols):
    for seed, direction in enumerate(("both", "longonly", "both")):
        rng = np.random.default_rng(seed)
        made = random_bars(seed, bars=80, symbols=symbols, gaps=0.05 * (seed == 2))
        size = rng.choice(SIZES[size_type], made["close"].shape)
        size[rng.random(size.shape) < 0.8] = np.nan
        settings = COSTS | {"size_type": size_type, "direction": direction, "fill": "next_open"}
        settings |= {"call_seq": ["sells_first", "fixed"][seed % 2]}
        run = backtest.from_orders(size=size, cash_sharing=True, **made, **settings)
        check_equal(run, naive_orders(made, size, **settings))
