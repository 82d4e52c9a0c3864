"""All formats that can be imported, in the order they are tried; ``auto`` must find exactly one."""

from __future__ import annotations

from algomaster.core.errors import DataError
from algomaster.core.registry import Catalogue
from algomaster.market.loaders.bhavcopy import BHAVCOPY_OLD, BHAVCOPY_UDIFF
from algomaster.market.loaders.chains import CHAIN_GREEKS, CHAIN_JSON, CHAIN_WEBSITE
from algomaster.market.loaders.index_close import INDEX_CLOSE
from algomaster.market.loaders.index_minutes import INDEX_CSV, INDEX_PARQUET, INDEX_TEXT
from algomaster.market.loaders.kite_csv import KITE_DAY, KITE_MINUTE
from algomaster.market.loaders.loader import Loader
from algomaster.market.loaders.participants import PARTICIPANT_OI, PARTICIPANT_VOLUME
from algomaster.market.loaders.refused import CASH_BHAVCOPY, EPOCH_BARS, EXPIRY_DAYS
from algomaster.market.loaders.source import Source
from algomaster.market.loaders.vendor_minute import VENDOR_MINUTE

__all__ = ["LOADERS", "choose"]

LOADERS = Catalogue[Loader]("format")
LOADERS.add("vendor_minute", VENDOR_MINUTE)
LOADERS.add("kite_minute", KITE_MINUTE)
LOADERS.add("kite_day", KITE_DAY)
LOADERS.add("index_parquet", INDEX_PARQUET)
LOADERS.add("index_text", INDEX_TEXT)
LOADERS.add("index_csv", INDEX_CSV)
LOADERS.add("bhavcopy_udiff", BHAVCOPY_UDIFF)
LOADERS.add("bhavcopy_old", BHAVCOPY_OLD)
LOADERS.add("index_close", INDEX_CLOSE)
LOADERS.add("chain_website", CHAIN_WEBSITE)
LOADERS.add("chain_greeks", CHAIN_GREEKS)
LOADERS.add("chain_json", CHAIN_JSON)
LOADERS.add("participant_oi", PARTICIPANT_OI)
LOADERS.add("participant_volume", PARTICIPANT_VOLUME)
LOADERS.add("epoch_bars", EPOCH_BARS)
LOADERS.add("expiry_days", EXPIRY_DAYS)
LOADERS.add("cash_bhavcopy", CASH_BHAVCOPY)


def choose(source: Source, format: str = "auto") -> Loader:
    """Give the loader for a file.

    Parameters
    ----------
    source : Source
    format : str
        "auto" looks at the content; a name of the table is checked against it.

    Raises
    ------
    DataError
        No format fits, several do, or the named one does not.
    CatalogueError
        There is no format of that name.
    """
    fitting = [loader for loader in LOADERS.values() if loader.recognises(source.head)]
    if format != "auto":
        loader = LOADERS[format]
        if loader not in fitting:
            said = f"it looks like {', '.join(other.name for other in fitting)}" if fitting else "no format fits it"
            raise DataError(f"{source.path} is not of the format {format} ({loader.about}): {said}.", hint=_hint())
        return loader
    if len(fitting) != 1:
        said = f"fits several: {', '.join(loader.name for loader in fitting)}" if fitting else "is of no known format"
        columns = ", ".join(source.head.columns[:12])
        raise DataError(f"{source.path} {said} (it begins with: {columns[:200]}).", hint=_hint())
    return fitting[0]


def _hint() -> str:
    return f"Choose with --format; known: {', '.join(LOADERS)}."
