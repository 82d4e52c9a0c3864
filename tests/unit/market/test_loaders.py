"""Every format on a few rows written here as the vendors write them; whole real files in tests/integration."""

import gzip
import json
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from algomaster.core.errors import CatalogueError, DataError
from algomaster.market.loaders import LOADERS, choose
from algomaster.market.loaders.parse import Parsed
from algomaster.market.loaders.source import Source

KITE = '"TIME","Open","High","Low","Close","VOLUME","SYMBOL","Date","TIME1"\n'
TEXT = "NIFTY,20130101,09:16,5937.90,5942.05,5935.75,5938.65{more}\nNIFTY,20130101,09:17,5938,5939,5936,5937.25{more}\n"
OLD = (
    "INSTRUMENT,SYMBOL,EXPIRY_DT,STRIKE_PR,OPTION_TYP,OPEN,HIGH,LOW,CLOSE,SETTLE_PR,CONTRACTS,VAL_INLAKH,OPEN_INT,"
    "CHG_IN_OI,TIMESTAMP,\n"
    "FUTIDX,NIFTY,25-Jan-2024,0,XX,21900,21990,21800,21850.5,21850.5,10,109.25,5000,-50,01-JAN-2024,\n"
    "OPTIDX,NIFTY,25-Jan-2024,21800,PE,0,0,0,150.25,149,0,0,100,0,01-JAN-2024,\n"
)
UDIFF_COLUMNS = (
    "TradDt,BizDt,Sgmt,Src,FinInstrmTp,FinInstrmId,ISIN,TckrSymb,SctySrs,XpryDt,FininstrmActlXpryDt,StrkPric,OptnTp,"
    "FinInstrmNm,OpnPric,HghPric,LwPric,ClsPric,LastPric,PrvsClsgPric,UndrlygPric,SttlmPric,OpnIntrst,ChngInOpnIntrst,"
    "TtlTradgVol,TtlTrfVal,TtlNbOfTxsExctd,SsnId,NewBrdLotQty,Rmks,Rsvd1,Rsvd2,Rsvd3,Rsvd4\n"
)
UDIFF = UDIFF_COLUMNS + (
    "2025-01-02,2025-01-02,FO,NSE,IDO,1,,NIFTY,,2025-01-16,2025-01-15,24800.00,PE,NIFTY2511624800PE,0.00,0.00,0.00,"
    "533.35,533.35,533.35,24188.65,620.50,75,0,0,0.00,0,F1,75,,,,,\n"
    "2025-01-02,2025-01-02,FO,NSE,STF,2,,ACC,,2025-01-30,2025-01-30,,,ACC25JANFUT,2060,2070.5,2050,2061,2061,2055,"
    "2058.9,2061,30000,-300,500,309000000,450,F1,300,,,,,\n"
)
CLOSES = (
    "Index Name,Index Date,Open Index Value,High Index Value,Low Index Value,Closing Index Value,Points Change,"
    "Change(%),Volume,Turnover (Rs. Cr.),P/E,P/B,Div Yield\n"
    "Nifty 50,01-01-2025,23637.65,23822.8,23562.8,23742.9,98.1,.41,154921938,14266.26,21.88,3.54,1.27\n"
    "India VIX,01-01-2025,14.4375,15.0,14.0,14.5125,.1,.5,-,-,-,-,-\n"
)


def put(tmp_path: Path, name: str, text: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def parsed(path: Path, expected: str) -> Parsed:
    source = Source(path)
    loader = choose(source)
    assert loader.name == expected
    result = loader.read(source)
    rows = {row for _, frame in result.frames for row in frame["_row"]} | set(result.rejects["_row"])
    assert len(rows) == result.rows
    return result


def only(result: Parsed) -> pl.DataFrame:
    ((_, frame),) = result.frames
    return frame


def india(frame: pl.DataFrame) -> list[str]:
    return frame["ts"].dt.convert_time_zone("Asia/Kolkata").dt.strftime("%Y-%m-%d %H:%M").to_list()


def vendor_rows(*rows: tuple[str, ...]) -> pl.DataFrame:
    names = ["date", "time", "symbol", "open", "high", "low", "close", "volume", "oi"]
    return pl.DataFrame(list(rows), schema=dict.fromkeys(names, pl.String), orient="row")


def test_a_table_of_text_holds_index_future_and_options(tmp_path: Path) -> None:
    path = tmp_path / "any.parquet"
    vendor_rows(
        ("2023-03-01", "09:15:00", "BANKNIFTY02MAR2340500CE", "100.05", "101", "99.95", "100", "250", "2500.0"),
        ("2023-03-01", "09:15:00", "BANKNIFTY", "40500.1", "40510", "40490", "40505.25", "0", "nan"),
        ("2023-03-01", "09:15:00", "BANKNIFTY-I", "40606.1484", "40610.0508", "40600", "40601.8516", "75", "100"),
        ("2023-03-01", "09:15:00", "BANKNIFTY29MAR23FUT", "40700", "40700", "40700", "40700", "25", "50"),
    ).write_parquet(path)
    result = parsed(path, "vendor_minute")
    frames = dict(result.frames)
    option = frames["option_minute"].row(0, named=True)
    assert (option["underlying"], option["expiry"], option["strike"]) == ("BANKNIFTY", date(2023, 3, 2), 40500.0)
    assert (option["right"], option["open"], option["volume"], option["oi"]) == ("CE", 100.05, 250, 2500)
    assert india(frames["option_minute"]) == ["2023-03-01 09:15"]
    assert "volume" not in frames["index_minute"].columns
    assert frames["future_minute"]["expiry"].to_list() == [None, date(2023, 3, 29)]
    assert frames["future_minute"].row(0, named=True)["open"] == 40606.15
    assert result.changed == {"price rounded in single precision, brought to the paisa": 3}


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"symbol": "BANKNIFTY99XYZ23CE"}, "unknown_symbol"),
        ({"symbol": "BANKNIFTY-II"}, "unknown_symbol"),
        ({"time": "9 o'clock"}, "bad_time"),
        ({"time": "09:15:30"}, "not_a_minute"),
        ({"open": "1O0"}, "unparseable"),
        ({"open": "nan"}, "missing_price"),
        ({"low": "0"}, "zero_price"),
        ({"high": "99"}, "inconsistent"),
        ({"volume": "-5"}, "bad_quantity"),
        ({"volume": "2.5"}, "bad_quantity"),
        ({"close": "inf"}, "unparseable"),
    ],
)
def test_a_row_that_cannot_be_used_names_its_reason(tmp_path: Path, change: dict[str, str], kind: str) -> None:
    good = ("2023-03-01", "09:15:00", "BANKNIFTY02MAR2340500CE", "100", "101", "99", "100", "250", "2500")
    rows = vendor_rows(good, good)
    spoiled = [
        pl.when(pl.int_range(pl.len()) == 1).then(pl.lit(new)).otherwise(name).alias(name)
        for name, new in change.items()
    ]
    path = tmp_path / "any.parquet"
    rows.with_columns(spoiled).write_parquet(path)
    result = parsed(path, "vendor_minute")
    assert result.rejects.select("_row", "kind").rows() == [(2, kind)]
    assert result.rejects["reason"][0]


def test_instrument_csv_of_minutes(tmp_path: Path) -> None:
    row = '"2021-06-11 09:15:00","215.65","231.5","215.6","230.25","35400","{symbol}",2021-06-11,"09:15:00"\n'
    option = only(parsed(put(tmp_path, "a.csv", KITE + row.format(symbol="NIFTY2161715600CE")), "kite_minute"))
    assert option.select("underlying", "expiry", "strike", "right", "oi").row(0) == (
        "NIFTY", date(2021, 6, 17), 15600.0, "CE", None,
    )  # fmt: skip
    assert india(option) == ["2021-06-11 09:15"]
    for symbol, name in (("NIFTY%2050", "NIFTY"), ("NIFTY%20BANK", "BANKNIFTY"), ("INDIA%20VIX", "INDIAVIX")):
        index = only(parsed(put(tmp_path, "b.csv", KITE + row.format(symbol=symbol)), "kite_minute"))
        assert index["underlying"].to_list() == [name]


def test_instrument_csv_of_days(tmp_path: Path) -> None:
    row = '"2015-01-01 00:00:00","15.12","15.51","14.76","15.03","0","INDIA%20VIX",2015-01-01,"00:00:00"\n'
    result = parsed(put(tmp_path, "a.csv", KITE + row), "kite_day")
    assert result.frames[0][0] == "index_eod"
    assert only(result).select("underlying", "session", "close", "volume").row(0) == (
        "INDIAVIX", date(2015, 1, 1), 15.03, None,
    )  # fmt: skip


def test_index_parquet_is_stamped_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "any.parquet"
    stamps = pl.Series("ts", ["2013-01-01 09:16", "2013-01-01 15:30"]).str.to_datetime(time_unit="us")
    values = {name: [5937.9, 5938.55] for name in ("open", "high", "low", "close")}
    pl.DataFrame({"symbol": ["NIFTY"] * 2, "ts": stamps, **values}).write_parquet(path)
    assert india(only(parsed(path, "index_parquet"))) == ["2013-01-01 09:15", "2013-01-01 15:29"]
    zoned = stamps.dt.replace_time_zone("Asia/Kolkata").dt.convert_time_zone("UTC")
    pl.DataFrame({"symbol": ["NIFTY"] * 2, "ts": zoned, **values}).write_parquet(path)
    assert india(only(parsed(path, "index_parquet"))) == ["2013-01-01 09:15", "2013-01-01 15:29"]


@pytest.mark.parametrize("more", ["", ",3", ",45,0"])
def test_index_text_is_stamped_at_the_end(tmp_path: Path, more: str) -> None:
    frame = only(parsed(put(tmp_path, "a.txt", TEXT.format(more=more)), "index_text"))
    assert india(frame) == ["2013-01-01 09:15", "2013-01-01 09:16"]
    assert frame["close"].to_list() == [5938.65, 5937.25]


def test_index_csv_is_stamped_at_the_start(tmp_path: Path) -> None:
    text = "Instrument,Date,Time,Open,High,Low,Close\nNIFTY,20240101,09:15,21727.75,21737.35,21701.80,21712.00\n"
    plain = parsed(put(tmp_path, "a.csv", text), "index_csv")
    packed = parsed(put(tmp_path, "b.csv.gz", gzip.compress(text.encode())), "index_csv")
    for result in (plain, packed):
        assert india(only(result)) == ["2024-01-01 09:15"]
        assert only(result)["underlying"].to_list() == ["NIFTY"]


def test_lines_with_another_number_of_fields_are_rejected_by_number(tmp_path: Path) -> None:
    text = (
        TEXT.format(more="")
        + "NIFTY,20130101,09:18,5938\n\nNIFTY,20130101,09:19,1,2,1,2,3,4,5\n"
        + TEXT.format(more=",1")
    )
    result = parsed(put(tmp_path, "a.txt", text), "index_text")
    assert result.rejects.select("_row", "kind").rows() == [(3, "broken_line"), (5, "broken_line")]
    assert only(result)["_row"].to_list() == [1, 2, 6, 7]


def test_old_bhavcopy_with_its_trailing_comma(tmp_path: Path) -> None:
    frame = only(parsed(put(tmp_path, "a.csv", OLD), "bhavcopy_old"))
    future, option = frame.iter_rows(named=True)
    assert (future["kind"], future["session"], future["expiry"]) == (
        "index_future",
        date(2024, 1, 1),
        date(2024, 1, 25),
    )
    assert (future["strike"], future["right"], future["close"]) == (None, None, 21850.5)
    assert (future["contracts"], future["oi"], future["oi_change"]) == (10, 5000, -50)
    assert future["turnover"] == pytest.approx(10_925_000)
    assert (option["right"], option["strike"], option["open"], option["close"]) == ("PE", 21800.0, None, 150.25)


@pytest.mark.parametrize("packing", ["csv", "zip", "parquet"])
def test_udiff_bhavcopy_in_its_packings(tmp_path: Path, packing: str) -> None:
    path = put(tmp_path, "plain.csv", UDIFF)
    if packing == "zip":
        path = tmp_path / "packed.csv.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("inside.csv", UDIFF)
    if packing == "parquet":
        path = tmp_path / "table.parquet"
        pl.read_csv(UDIFF.encode()).write_parquet(path)
    frame = only(parsed(path, "bhavcopy_udiff"))
    option, future = frame.iter_rows(named=True)
    assert (option["kind"], option["strike"], option["right"]) == ("index_option", 24800.0, "PE")
    assert (option["expiry"], option["actual_expiry"]) == (date(2025, 1, 16), date(2025, 1, 15))
    assert (option["open"], option["close"], option["settle"], option["lot"]) == (None, 533.35, 620.5, 75)
    assert (future["kind"], future["underlying"], future["strike"]) == ("stock_future", "ACC", None)
    assert (future["contracts"], future["oi"], future["trades"]) == (500, 30000, 450)


def test_index_closes(tmp_path: Path) -> None:
    nifty, vix = only(parsed(put(tmp_path, "a.csv", CLOSES), "index_close")).iter_rows(named=True)
    assert (nifty["underlying"], nifty["close"], nifty["volume"]) == ("NIFTY", 23742.9, 154921938)
    assert nifty["turnover"] == pytest.approx(142_662_600_000)
    assert nifty["dividend_yield"] == pytest.approx(0.0127)
    assert (vix["underlying"], vix["close"], vix["pe"], vix["volume"]) == ("INDIAVIX", 14.5125, None, None)


def website(**changes: object) -> pl.DataFrame:
    side = {"OI": 4.5, "Chng_in_OI": 1.0, "Volume": 3, "IV": 12.5, "LTP": 100.05, "Net_Chng": 1.0, "Bid_Qty": 75}
    side |= {"Bid_Price": 99.95, "Ask_Price": 0.0, "Ask_Qty": 0}
    row = {"Fetch_Time": "29-Aug-2025 09:22:45", "Symbol": "NIFTY", "Expiry_Date": "02-Sep-2025", "Strike_Price": 24500}
    row |= {f"CALLS_{name}": value for name, value in side.items()}
    row |= {f"PUTS_{name}": 0.0 for name in side}
    row |= {"collection_timestamp": "20250829_092416", "index_name": "NIFTY", "date": date(2025, 8, 29)}
    return pl.DataFrame([row | changes])


def test_website_chain_zeros_mean_none(tmp_path: Path) -> None:
    path = tmp_path / "any.parquet"
    website().write_parquet(path)
    frame = only(parsed(path, "chain_website"))
    row = frame.row(0, named=True)
    assert frame.height == 1  # nothing on the put's side
    assert (row["right"], row["strike"], row["expiry"], row["ltp"]) == ("CE", 24500.0, date(2025, 9, 2), 100.05)
    assert (row["bid"], row["ask"], row["bid_qty"], row["ask_qty"]) == (99.95, None, 75.0, None)
    assert (row["iv"], row["oi"], row["volume"]) == (0.125, 4.5, 3.0)
    assert india(frame) == ["2025-08-29 09:22"]
    assert row["collected"].strftime("%H:%M:%S") == "03:54:16"


def test_a_row_of_the_website_with_nothing_on_it_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "any.parquet"
    empty = {name: 0.0 for name in website().columns if name.startswith("CALLS_")}
    pl.concat([website(), website(**empty)], how="vertical_relaxed").write_parquet(path)
    assert parsed(path, "chain_website").rejects.select("_row", "kind").rows() == [(2, "empty_row")]


def test_greeks_layout(tmp_path: Path) -> None:
    path = tmp_path / "any.parquet"
    row = {"timestamp": "202608191127", "symbol": "NIFTY50", "expiry": "25-Aug-2026", "strike": 21200.0}
    row |= {"option_type": "PE", "spot": 24052.400390625, "ltp": 0.7, "volume": 31720.0, "oi": 45830.0, "oi_chg": 5.0}
    row |= {"iv": 35.43, "delta": -0.0024, "gamma": 7e-06, "theta": -0.6602, "vega": 0.2271, "rho": -0.0095}
    pl.DataFrame([row]).write_parquet(path)
    found = only(parsed(path, "chain_greeks")).row(0, named=True)
    assert (found["underlying"], found["right"], found["spot"]) == ("NIFTY", "PE", 24052.4)
    assert found["iv"] == pytest.approx(0.3543)
    assert (found["delta"], found["theta"], found["bid"]) == (-0.0024, -0.6602, None)


def test_option_chain_json(tmp_path: Path) -> None:
    side = {"underlying": "NIFTY", "openInterest": 119, "changeinOpenInterest": 0, "totalTradedVolume": 0}
    side |= {"impliedVolatility": 0, "lastPrice": 0, "bidQty": 75, "bidprice": 0.05, "askQty": 0, "askPrice": 0}
    side |= {"underlyingValue": 10829.35}
    entry = {"strikePrice": 4600, "expiryDate": "26-Dec-2019"}
    data = [entry | {"PE": side}, entry | {"strikePrice": 4700, "CE": side, "PE": side}, entry]
    answer = {"records": {"timestamp": "23-Aug-2019 15:30:00", "data": data}}
    result = parsed(put(tmp_path, "a.json", json.dumps(answer)), "chain_json")
    frame = only(result)
    assert frame.select("_row", "strike", "right").rows() == [(1, 4600.0, "PE"), (2, 4700.0, "CE"), (2, 4700.0, "PE")]
    assert frame.select("oi", "bid", "ask", "ltp", "iv", "spot").row(0) == (119.0, 0.05, None, None, None, 10829.35)
    assert result.rejects.select("_row", "kind").rows() == [(3, "empty_row")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Time,Open,High,Low,Close\n1612151100,1,2,1,2\n1612152000,1,2,1,2\n", "bars of 15 minutes"),
        ("expDays\n01/15/2015\n", "list of expiry days"),
        ("SYMBOL, SERIES, DATE1, PREV_CLOSE\nACC, EQ, 03-Mar-2025, 1\n", "cash market"),
    ],
)
def test_known_formats_that_are_not_stored_say_what_to_do(tmp_path: Path, text: str, said: str) -> None:
    source = Source(put(tmp_path, "a.csv", text))
    with pytest.raises(DataError, match=said):
        choose(source).read(source)


def test_an_unknown_file_names_the_formats(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no known format.*index_text"):
        choose(Source(put(tmp_path, "a.csv", "colour,shape\nred,round\n")))


def test_a_named_format_must_fit(tmp_path: Path) -> None:
    source = Source(put(tmp_path, "a.csv", OLD))
    assert choose(source, "bhavcopy_old").name == "bhavcopy_old"
    with pytest.raises(DataError, match="it looks like bhavcopy_old"):
        choose(source, "index_csv")
    with pytest.raises(CatalogueError, match="bhavcopy_old"):
        choose(source, "bhavcopy_odd")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n \n", "is empty"),
        ("a.parquet", b"PAR1 and then nothing", "not readable Parquet"),
        ("a.json", b'{"records": ', "not valid JSON"),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-6], "cannot be unpacked"),
        ("a.zip", b"PK\x03\x04 broken", "cannot be unpacked"),
    ],
)
def test_a_broken_file_is_told(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        choose(Source(put(tmp_path, name, content)))


def test_a_json_of_another_kind_is_told(tmp_path: Path) -> None:
    source = Source(put(tmp_path, "a.json", json.dumps({"records": {"timestamp": "x"}})))
    with pytest.raises(DataError, match="'data'"):
        choose(source).read(source)


def test_the_table_says_what_each_format_is() -> None:
    for name, loader in LOADERS.items():
        assert loader.name == name
        assert loader.about
        assert loader.stamp in {"start", "end", "eod", "moment"}
