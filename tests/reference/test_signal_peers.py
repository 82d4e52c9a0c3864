"""Trade by trade what vectorbt, backtrader and raptorbt do on public bars, or a deviation that is named here.

The peers themselves are only run where ``SIGNAL_PEERS_PYTHON`` names a Python that has them; otherwise our trades are
held against what was recorded of theirs (number, sums, a hash of symbol, side and bars).
"""

import functools
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

import signal_corpus as corpus

RECORD = json.loads((Path(__file__).parent / "signal_peers.json").read_text())
PAIRS = [(name, peer) for name, case in corpus.CASES.items() for peer in case["peers"]]
BARS = {  # trades begin or end on other bars; docs/signals.md says why
    ("nifty_stops", "vectorbt"): "the entry's own bar is not looked at",
    ("nifty_stops_units", "vectorbt"): "the entry's own bar is not looked at",
    ("nifty_stops_units", "backtrader"): "the entry's own bar is not looked at",
    ("goog_trail", "vectorbt"): "the high of the entry's own bar does not count",
    ("made_entry_bar", "vectorbt"): "the entry's own bar is not looked at",
    ("made_entry_bar", "backtrader"): "the entry's own bar is not looked at",
    ("made_same_bar_flat", "raptorbt"): "entry and exit on one bar enter",
    ("made_cash_out", "backtrader"): "an order beyond the cash is refused",
    ("made_short_ruin", "vectorbt"): "a short is bought back as far as the cash goes",
    ("made_no_bar", "vectorbt"): "an order on a bar without a price is dropped",
}
MONEY = {  # the same trades at other prices or sizes
    ("goog_stops", "vectorbt"): "a stop of the same bar takes the place of the exit at its open",
    ("nifty_stops", "raptorbt"): "a gap beyond the target fills at the target; targets slip",
    ("goog_stops", "raptorbt"): "a gap beyond the target fills at the target",
    ("bitcoin_random", "vectorbt"): "a short of a given size is not held to the cash",
    ("eurusd_both", "vectorbt"): "the fixed fee of a reversal is shared by its two trades",
    ("stocks_sharing", "vectorbt"): "a value is divided by the price before slippage",
    ("made_exit_and_stop", "vectorbt"): "a stop of the same bar takes the place of the exit at its open",
    ("made_gap_target", "raptorbt"): "a gap beyond the target fills at the target",
    ("made_cash_out", "raptorbt"): "a size beyond the cash borrows",
    ("made_short_beyond_cash", "vectorbt"): "a short of a given size is not held to the cash",
    ("made_reversal", "vectorbt"): "the fixed fee of a reversal is shared by its two trades",
}


@functools.cache
def mine(name):
    return corpus.facts(corpus.table(corpus.ours(name)))


@pytest.mark.parametrize(("name", "peer"), PAIRS)
def test_recorded_trades(name, peer):
    ours, theirs = mine(name), RECORD[name][peer]
    if (name, peer) in BARS:
        assert ours["bars"] != theirs["bars"]
        return
    assert (ours["trades"], ours["bars"]) == (theirs["trades"], theirs["bars"])
    sums = [[side[name] for name in ("pnl", "spread", "fees", "turnover")] for side in (ours, theirs)]
    close = np.allclose(*sums, rtol=1e-9, atol=1e-6)
    assert close == ((name, peer) not in MONEY)


def test_most_agree_in_every_trade_and_every_price():
    equal = [pair for pair in PAIRS if pair not in BARS and pair not in MONEY]
    assert len(equal) >= 30
    assert sum(RECORD[name][peer]["trades"] for name, peer in equal) > 10_000


@pytest.mark.parametrize("peer", ["vectorbt", "raptorbt", "backtrader"])
def test_the_peers_themselves(peer):
    python = os.environ.get("SIGNAL_PEERS_PYTHON")
    if not python:
        pytest.skip("SIGNAL_PEERS_PYTHON names no Python that has vectorbt, backtrader and raptorbt")
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
    from signal_peers import trades_of

    names = [name for name in ("goog_open", "goog_units", *corpus.MADE) if peer in corpus.CASES[name]["peers"]]
    for name, rows in trades_of(python, peer, names).items():
        assert corpus.facts(rows)["bars"] == RECORD[name][peer]["bars"]
