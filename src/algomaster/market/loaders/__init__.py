"""Readers of real vendor formats, one idea a file, and the table of them."""

from algomaster.market.loaders.loader import Loader
from algomaster.market.loaders.table import LOADERS, choose

__all__ = ["LOADERS", "Loader", "choose"]
