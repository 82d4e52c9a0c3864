"""Run by a Python that has raptorbt: many stops of a straddle through its batch, each leg a series of its own, timed.

raptorbt_peer.py LEGS.npz: reads ``ts``, ``entries``, ``exits`` (T,), of each leg ``open``, ``high``, ``low``, ``close``
(2, T), the contract at the money cut out of every session and joined, and ``stops`` in percent. Prints variants a
second and, for the first stop, the bar of every exit.
"""

import json
import sys
import time

import numpy as np
import raptorbt as rb


def main(source):
    with np.load(source) as stored:
        data = {name: stored[name] for name in stored.files}
    stops = data["stops"].tolist()
    begun = time.perf_counter()
    results = [leg(data, j, stops) for j in range(2)]
    seconds = time.perf_counter() - begun
    exits = [[int(trade.exit_idx) for trade in result[0][1].trades()] for result in results]
    print(json.dumps({"variants_a_second": len(stops) / seconds, "exits": exits}))


def leg(data, j, stops):
    items = [
        rb.BatchSingleItem(str(stop), data["entries"], data["exits"], direction=-1, symbol="LEG", config=rules(stop))
        for stop in stops
    ]
    bars = [np.ascontiguousarray(data[name][j]) for name in ("open", "high", "low", "close")]
    return rb.batch_single_backtest(data["ts"], *bars, np.ones(data["ts"].size), items, config=rules(stops[0]))


def rules(stop):
    """Sell at the open after the signal, a stop on the range, no costs."""
    config = rb.BacktestConfig(initial_capital=1e7, fees=0.0, slippage=0.0, upon_bar_close=False)
    config.set_fixed_stop(stop / 100)
    return config


if __name__ == "__main__":
    main(*sys.argv[1:2])
