"""Dated tables of facts as files, and :mod:`~algomaster.market.data.tables` that reads them."""
