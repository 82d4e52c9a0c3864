"""Trades of vectorbt, backtrader and raptorbt; run by a Python that has them, not by ours.

``signal_oracle.py PEER CASES.npz OUT.npz`` reads ``cases`` (JSON: a list of settings) and the arrays ``N/open`` ...
``N/exits`` of case N, and writes the trades of each, columns in the order of :data:`COLUMNS`, as ``N/trades``.
``signal_oracle.py time:PEER ...`` runs the sweep of ``cases[0]["sweep"]`` (fast, slow) over one series instead and
writes ``seconds`` and ``trades`` (their number).
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

COLUMNS = ("column", "direction", "entry_bar", "exit_bar", "size", "entry_price", "exit_price", "fees", "pnl", "open")
SIGNALS = ("entries", "exits", "short_entries", "short_exits")


def main(peer, source, target):
    with np.load(source) as held:
        arrays = {name: held[name] for name in held.files}
    cases = json.loads(str(arrays.pop("cases")))
    if peer.startswith("time:"):
        np.savez(target, **TIMED[peer[5:]](cases[0], part(arrays, 0)))
        return
    found = {}
    for number, case in enumerate(cases):
        found[f"{number}/trades"] = np.array(PEERS[peer](case, part(arrays, number)), dtype=np.float64).reshape(-1, 10)
    np.savez(target, **found)


def part(arrays, number):
    return {name.split("/")[1]: values for name, values in arrays.items() if name.startswith(f"{number}/")}


# --- vectorbt


def vectorbt(case, bars):
    """A signal of bar i is given on the bar that it fills on, as its users do it: shifted by one, at its open."""
    import pandas as pd
    import vectorbt as vbt

    later = case["fill"] == "next_open"
    settings = {"fees": case["fees"], "slippage": case["slippage"], "fixed_fees": case["fixed_fees"]}
    settings |= {"init_cash": case["cash"], "freq": "1D", "price": bars["open"] if later else bars["close"]}
    settings |= case.get("vectorbt", {})
    if case.get("sharing"):
        settings |= {"cash_sharing": True, "group_by": True, "call_seq": case.get("call_seq", "default")}
    frame = pd.DataFrame(bars["close"])
    if "size" in bars:
        run = vbt.Portfolio.from_orders(
            frame, shift(bars["size"], later, np.nan), size_type=case["size_type"], **settings
        )
    else:
        signals = {name: shift(bars[name], later, False) for name in SIGNALS if name in bars}
        settings["size"] = np.inf if case["size"] is None else case["size"]
        for name, word in (("sl", "sl_stop"), ("tp", "tp_stop")):
            if case.get(name):
                settings[word] = case[name]
        if case.get("trail"):
            settings |= {"sl_stop": case["trail"], "sl_trail": True}
        if {"sl_stop", "tp_stop"} & settings.keys():
            settings |= {name: bars[name] for name in ("open", "high", "low")}
            settings.setdefault("stop_entry_price", "fillprice")
        run = vbt.Portfolio.from_signals(frame, **signals, **settings)
    rows = run.trades.records
    return [
        (r.col, 1 - 2 * r.direction, r.entry_idx, r.exit_idx, r.size, r.entry_price, r.exit_price,
         r.entry_fees + r.exit_fees, r.pnl, 1 - r.status)
        for r in rows.itertuples()
    ]  # fmt: skip


def shift(values, later, empty):
    if not later:
        return values
    moved = np.full_like(values, empty)
    moved[1:] = values[:-1]
    return moved


# --- backtrader


def backtrader(case, bars):
    """Market orders of a fixed size, decided at a close and filled at the next open, as its broker does by itself."""
    import backtrader as bt
    import pandas as pd

    told = []

    class Signals(bt.Strategy):
        def next(self):
            i = len(self) - 1
            held = self.position.size
            into, out = bars["entries"][i, 0], bars["exits"][i, 0]
            if into and out:
                return
            if held and out:
                self.cancel_stops()
                self.close()
            elif not held and into:
                if case.get("sl") or case.get("tp"):
                    self.main = self.buy(size=case["size"])
                else:
                    self.buy(size=case["size"])

        def cancel_stops(self):
            for order in getattr(self, "stops", ()):
                self.cancel(order)
            self.stops = ()

        def notify_order(self, order):
            if order.status != order.Completed:
                return
            if order.isbuy() and (case.get("sl") or case.get("tp")):
                paid = order.executed.price
                stop = self.sell(size=case["size"], exectype=bt.Order.Stop, price=paid * (1 - case["sl"]))
                goal = self.sell(size=case["size"], exectype=bt.Order.Limit, price=paid * (1 + case["tp"]), oco=stop)
                self.stops = (stop, goal)

        def notify_trade(self, trade):
            if trade.isclosed:
                pass

        def stop(self):
            for trade in self._trades[self.data][0]:
                told.append(trade)

    cerebro = bt.Cerebro(stdstats=False, tradehistory=True)
    index = pd.date_range("2000-01-01", periods=len(bars["close"]), freq="D")
    frame = pd.DataFrame({name: bars[name][:, 0] for name in ("open", "high", "low", "close")}, index=index)
    frame["volume"] = 1.0
    cerebro.adddata(bt.feeds.PandasData(dataname=frame))
    cerebro.addstrategy(Signals)
    cerebro.broker.setcash(case["cash"])
    cerebro.broker.set_checksubmit(False)  # an order can then be cancelled on the bar it was given
    cerebro.broker.setcommission(commission=case["fees"])
    if case["slippage"]:
        cerebro.broker.set_slippage_perc(case["slippage"], slip_open=True, slip_match=True, slip_out=True)
    cerebro.run()
    rows = []
    close = bars["close"][:, 0]
    for trade in told:
        first, last = trade.history[0], trade.history[-1]
        size = abs(first.event.size)
        ended = trade.isclosed
        price = last.event.price if ended else close[-1]
        rows.append(
            (0, 1 if first.event.size > 0 else -1, trade.baropen - 1, trade.barclose - 1 if ended else len(close) - 1,
             size, first.event.price, price, trade.commission,
             trade.pnlcomm if ended else size * (price - first.event.price) - trade.commission, 0 if ended else 1)
        )  # fmt: skip
    return rows


# --- raptorbt


def raptorbt_config(case):
    import raptorbt

    timing = case.get("raptorbt", {}).get(
        "fill_timing", "next_bar_open" if case["fill"] == "next_open" else "same_bar_close"
    )
    config = raptorbt.BacktestConfig(
        initial_capital=case["cash"], fees=case["fees"], slippage=case["slippage"], fill_timing=timing
    )
    if case.get("sl"):
        config.set_fixed_stop(case["sl"])
    if case.get("trail"):
        config.set_trailing_stop(case["trail"])
    if case.get("tp"):
        config.set_fixed_target(case["tp"])
    return config


def raptorbt(case, bars):
    import raptorbt as peer

    given = [np.ascontiguousarray(bars[name][:, 0]) for name in ("open", "high", "low", "close")]
    stamps = np.arange(given[0].size, dtype=np.int64) * 86_400_000_000_000
    signals = [np.ascontiguousarray(bars[name][:, 0].astype(bool)) for name in ("entries", "exits")]
    sizes = None
    if case["size"] is not None:  # its sizes are shares of what all the cash would buy
        sizes = case["size"] * given[3] * (1 + case["fees"]) / case["cash"]
    run = peer.run_single_backtest(
        stamps,
        *given,
        np.ones(given[0].size),
        *signals,
        direction=1,
        config=raptorbt_config(case),
        position_sizes=sizes,
    )
    return [
        (0, 1, t.entry_idx, t.exit_idx, t.size, t.entry_price, t.exit_price, t.fees, t.pnl,
         1 if "end" in str(t.exit_reason).lower() else 0)
        for t in run.trades()
    ]  # fmt: skip


PEERS = {"vectorbt": vectorbt, "backtrader": backtrader, "raptorbt": raptorbt}


# --- the sweep


def crosses(means, pair):
    """Entries and exits where two averages cross, by signs carried over ties; numpy, for peers without such a thing."""
    side = np.sign(means[pair[0]] - means[pair[1]])
    seen = np.maximum.accumulate(np.where(np.abs(side) > 0, np.arange(side.size), -1))
    held = np.where(seen >= 0, side[np.maximum(seen, 0)], 0)
    before = np.append(0, held[:-1])
    return (held > 0) & (before < 0), (held < 0) & (before > 0)


def windows_of(case):
    return sorted({n for pair in case["sweep"] for n in pair})


def now():
    """Seconds by the wall and of processors."""
    return np.array([time.perf_counter(), time.process_time()])


def time_vectorbt_kernel(case, bars):
    """Its kernels over two threads: averages once a window, crossings and simulation once a pair; no metrics."""
    import vectorbt as vbt

    simulate, generic = vbt.portfolio.nb.simulate_from_signals_nb, vbt.generic.nb
    close, begin = bars["close"][:, :1], bars["open"][:, :1]
    one, cash, seq = np.array([1]), np.array([case["cash"]]), np.zeros(close.shape, np.int64)
    fees, slippage, size = np.asarray(case["fees"]), np.asarray(case["slippage"]), np.asarray(np.inf)
    direction = np.asarray(0)

    def run(pair):
        fast, slow = means[pair[0]], means[pair[1]]
        into = shift(generic.crossed_above_nb(fast, slow), True, False)
        out = shift(generic.crossed_above_nb(slow, fast), True, False)
        records, _ = simulate(
            close.shape, one, cash, seq, entries=into, exits=out, direction=direction, size=size, price=begin,
            fees=fees, slippage=slippage, close=close, use_stops=False, max_orders=20_000,
        )  # fmt: skip
        return len(records)

    means = {n: generic.rolling_mean_nb(close, n, n) for n in case["sweep"][0]}
    run(case["sweep"][0])
    with ThreadPoolExecutor(2) as pool:
        begun = now()
        means = dict(zip(windows_of(case), pool.map(lambda n: generic.rolling_mean_nb(close, n, n), windows_of(case))))
        orders = list(pool.map(run, case["sweep"]))
        taken = now() - begun
    return {"seconds": taken, "trades": sum((n + 1) // 2 for n in orders)}


def time_vectorbt(case, bars):
    """Its own door, one pair after the other: averages, crossings, portfolio, trades, three metrics of ours."""
    import pandas as pd
    import vectorbt as vbt

    close, begin = pd.Series(bars["close"][:, 0]), pd.Series(bars["open"][:, 0])

    def run(pair):
        fast, slow = vbt.MA.run(close, pair[0]), vbt.MA.run(close, pair[1])
        into, out = fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)
        into, out = (one.vbt.signals.fshift(1) for one in (into, out))
        run = vbt.Portfolio.from_signals(
            close, into, out, price=begin, fees=case["fees"], slippage=case["slippage"], init_cash=case["cash"],
            freq="1min",
        )  # fmt: skip
        run.total_return(), run.max_drawdown(), run.sharpe_ratio()
        return len(run.trades.records)

    run(case["sweep"][0])
    begun = now()
    found = [run(pair) for pair in case["sweep"]]
    return {"seconds": now() - begun, "trades": sum(found)}


def time_raptorbt(case, bars):
    """Its averages once a window, crossings by numpy, its batch in one call over its own threads, trades taken out."""
    import raptorbt as peer

    given = [np.ascontiguousarray(bars[name][:, 0]) for name in ("open", "high", "low", "close")]
    stamps = np.arange(given[0].size, dtype=np.int64) * 60_000_000_000
    config = raptorbt_config(case)
    begun = now()
    means = {n: np.asarray(peer.sma(given[3], n)) for n in windows_of(case)}
    items = [peer.BatchSingleItem(str(k), *crosses(means, pair)) for k, pair in enumerate(case["sweep"])]
    runs = peer.batch_single_backtest(stamps, *given, np.ones(given[0].size), items, config=config)
    found = sum(len(run.trades()) for _, run in runs)
    return {"seconds": now() - begun, "trades": found}


TIMED = {"vectorbt_kernel": time_vectorbt_kernel, "vectorbt": time_vectorbt, "raptorbt": time_raptorbt}

if __name__ == "__main__":
    main(*sys.argv[1:4])
