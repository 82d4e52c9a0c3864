"""How sweeps are cut, run anywhere, resumed and put together again; see :func:`algomaster.backtest.sweep`."""
