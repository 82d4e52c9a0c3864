from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algomaster.core.errors import DataError, FactError
from algomaster.market.instruments import Future, Index, Option, parse, parse_symbol, right_code, right_text
from shared_data import shared_path

names = st.from_regex(r"[A-Z][A-Z0-9&_-]{0,12}", fullmatch=True)
exchanges = st.sampled_from(["NSE", "NFO", "BSE", "BFO", "MCX"])
dates = st.dates(date(2000, 1, 1), date(2099, 12, 31))


def _plain(name):
    try:
        Index(name)
    except ValueError:
        return False
    return True


plain = names.filter(_plain)
instruments = st.one_of(
    st.builds(Index, plain, exchanges),
    st.builds(Future, plain, dates, exchanges),
    st.builds(Option, plain, dates, st.integers(1, 10**9), st.sampled_from([1, -1]), exchanges),
)


@settings(deadline=None, max_examples=300)
@given(instruments)
def test_what_is_written_is_read_back(instrument):
    assert parse(str(instrument)) == instrument


def test_canonical_forms():
    assert str(Index("NIFTY")) == "NSE:NIFTY"
    assert str(Future("NIFTY", date(2026, 1, 27))) == "NFO:NIFTY26JAN27FUT"
    assert str(Option("NIFTY", date(2026, 1, 27), 2_400_000, "CE")) == "NFO:NIFTY26JAN27-24000-CE"
    assert str(Option("ITC", date(2026, 1, 27), 40_250, "p")) == "NFO:ITC26JAN27-402.5-PE"
    assert str(Option("ITC", date(2026, 1, 27), 40_205, -1)) == "NFO:ITC26JAN27-402.05-PE"


def test_rights_at_the_door():
    assert [right_code(right) for right in ("CE", "c", "call", 1, "PE", "p", "Put", -1)] == [1] * 4 + [-1] * 4
    assert (right_text(1), right_text("p")) == ("CE", "PE")
    for wrong in ("X", 0, 2, True, None):
        with pytest.raises(ValueError, match="right"):
            right_code(wrong)


def test_bad_parts_are_refused():
    with pytest.raises(ValueError, match="strike"):
        Option("NIFTY", date(2026, 1, 27), 0, 1)
    with pytest.raises(ValueError, match="strike"):
        Option("NIFTY", date(2026, 1, 27), 24000.0, 1)
    with pytest.raises(ValueError, match="name"):
        Index("nifty")
    with pytest.raises(ValueError, match="name"):
        Index("NIFTY26JAN27FUT")
    with pytest.raises(ValueError, match="exchange"):
        Index("NIFTY", "N")
    with pytest.raises(ValueError, match="expiry"):
        Future("NIFTY", date(1999, 1, 27))


@pytest.mark.parametrize("text", ["NIFTY", "NSE:", "NSE:nifty", "NFO:NIFTY26FEB30FUT", "NFO:NIFTY26XYZ27-24000-CE", ""])
def test_other_texts_are_refused(text):
    with pytest.raises(DataError, match="Cannot read the symbol"):
        parse(text)


@pytest.mark.parametrize(
    ("symbol", "style", "canonical"),
    [
        ("BANKNIFTY05JAN2343000CE", "ddmonyy", "NFO:BANKNIFTY23JAN05-43000-CE"),
        ("BANKNIFTY25JAN23FUT", "ddmonyy", "NFO:BANKNIFTY23JAN25FUT"),
        ("NIFTY2161715800CE", "kite", "NFO:NIFTY21JUN17-15800-CE"),
        ("NIFTY21O0715800PE", "kite", "NFO:NIFTY21OCT07-15800-PE"),
        ("NIFTY21D0215800PE", "kite", "NFO:NIFTY21DEC02-15800-PE"),
        ("NIFTY21JUN15800CE", "kite", "NFO:NIFTY21JUN24-15800-CE"),
        ("NIFTY21JUNFUT", "kite", "NFO:NIFTY21JUN24FUT"),
        ("BANKNIFTY26MAR60000PE", "nse_fo", "NFO:BANKNIFTY26MAR30-60000-PE"),
        # The broker's own table of one contract, weekly and monthly.
        ("NIFTY2611324000CE", "kite", "NFO:NIFTY26JAN13-24000-CE"),
        ("NIFTY26JAN24000CE", "kite", "NFO:NIFTY26JAN27-24000-CE"),
        ("NIFTY13JAN2624000CE", "ddmonyy", "NFO:NIFTY26JAN13-24000-CE"),
    ],
)
def test_symbols_of_vendors(symbol, style, canonical):
    assert str(parse_symbol(symbol, style=style)) == canonical


def test_symbols_that_cannot_be_read():
    for symbol, style in [("NIFTY", "kite"), ("NIFTY2113215800CE", "kite"), ("BANKNIFTY31FEB2343000CE", "ddmonyy")]:
        with pytest.raises(DataError, match=symbol):
            parse_symbol(symbol, style=style)
    with pytest.raises(FactError, match="2030-06"):
        parse_symbol("NIFTY30JUN25000CE", style="kite")
    with pytest.raises(ValueError, match="style"):
        parse_symbol("NIFTY21JUNFUT", style="upstox")


def test_every_name_in_a_bhavcopy_reads_as_its_columns_say():
    path = shared_path("data", "nse_fo_bhavcopy_udiff", "fo_udiff_NIFTY_BANKNIFTY_2025-01-01_2026-02-27.parquet")
    frame = pl.read_parquet(path, columns=["TradDt", "TckrSymb", "XpryDt", "StrkPric", "OptnTp", "FinInstrmNm"])
    # 2026 only: the monthly names of January 2025 meant dates that were moved later.
    frame = frame.filter(pl.col("TradDt") >= "2026-01-01", pl.col("XpryDt") <= "2026-12-31").unique("FinInstrmNm")
    assert frame.height > 3000
    for _, name, expiry, strike, right, symbol in frame.iter_rows():
        read = parse_symbol(symbol, style="nse_fo")
        assert (read.underlying, str(read.expiry)) == (name, expiry), symbol
        if isinstance(read, Option):
            assert (read.strike, right_text(read.right)) == (round(strike * 100), right), symbol
