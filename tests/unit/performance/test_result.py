"""The result object: showing, saving, giving out."""

import dataclasses
import json
import math
import pickle
from datetime import date
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from algomaster import performance
from algomaster.core.errors import DataError
from algomaster.performance.result import FRAMES, Result, write_metric


@pytest.fixture
def result() -> Result:
    trades = pl.DataFrame(
        {
            "right": ["CE", "PE"],
            "strike": [15800.0, 15800.0],
            "quantity": [-75, -75],
            "entry_time": ["2021-06-11T09:20:00.123456789+05:30", "2021-06-11T09:20:00+05:30"],
            "entry_price": [104.35, 99.35],
            "exit_time": ["2021-06-11T15:20:00+05:30", "2021-06-11T12:12:00+05:30"],
            "exit_price": [91.15, 119.2],
            "exit_reason": ["time", "<stop>"],
        }
    )
    return Result.from_trades(trades, underlying="NIFTY", strategy="<straddle>")


def with_notes(result: Result, *texts: str) -> Result:
    sessions = [date(2021, 6, 11)] * len(texts)
    schema = {"session": pl.Date, "note": pl.String}
    return dataclasses.replace(result, notes=pl.DataFrame({"session": sessions, "note": texts}, schema=schema))


def assert_same(one: Result, other: Result) -> None:
    for name in FRAMES:
        assert getattr(one, name).equals(getattr(other, name), null_equal=True), name
        assert getattr(one, name).schema == getattr(other, name).schema
    assert {name: repr(value) for name, value in one.metrics.items()} == {
        name: repr(value) for name, value in other.metrics.items()
    }
    for name in ("strategy", "underlying", "assumptions", "digest", "fingerprint"):
        assert getattr(one, name) == getattr(other, name)


def test_saved_and_loaded_is_the_same(result: Result, tmp_path: Path) -> None:
    assert math.isnan(result.metrics["sharpe"])  # one day: undefined values travel too
    result = with_notes(result, "entry of the PE waited 3 minutes for a trade")
    path = result.save(tmp_path / "deep" / "run")
    assert_same(Result.load(path), result)
    assert_same(pickle.loads(pickle.dumps(result)), result)
    assert [entry.name for entry in path.parent.iterdir()] == ["run"]


def test_a_result_saved_before_there_were_notes_has_none(result: Result, tmp_path: Path) -> None:
    path = result.save(tmp_path / "run")
    (path / "notes.parquet").unlink()
    with pytest.raises(DataError, match=r"not a complete saved result.*notes\.parquet"):
        Result.load(path)
    make_older(path, 1)
    assert_same(Result.load(path), result)


OLD = {
    "pnl": "net_pnl", "gross": "gross_pnl", "sessions": "days", "winners": "winning_days", "losers": "losing_days",
    "winners_share": "winning_days_share", "max_drawdown": "max_drawdown_daily",
    "max_drawdown_intraday": "max_drawdown",
}  # fmt: skip


def make_older(path: Path, written: int) -> None:
    """Turn a saved result into what an earlier version wrote."""
    header = json.loads((path / "result.json").read_text())
    metrics = {OLD.get(name, name): value for name, value in header["metrics"].items()}
    (path / "result.json").write_text(json.dumps(header | {"format": written, "metrics": metrics}))
    daily = pl.read_parquet(path / "daily.parquet").rename({"date": "session"}).drop("vix")
    daily.write_parquet(path / "daily.parquet")


def test_a_result_of_the_format_before_has_todays_names(result: Result, tmp_path: Path) -> None:
    noted = with_notes(result, "it waited")
    path = noted.save(tmp_path / "run")
    make_older(path, 2)
    assert_same(Result.load(path), noted)


def test_fingerprints_keep_all_64_bits(result: Result, tmp_path: Path) -> None:
    large = dataclasses.replace(result, fingerprint=2**64 - 1, orders=pl.DataFrame())
    back = Result.load(large.save(tmp_path / "run"))
    assert back.fingerprint == 2**64 - 1
    assert back.orders.shape == (0, 0)


def test_saving_replaces_a_result_and_nothing_else(result: Result, tmp_path: Path) -> None:
    path = result.save(tmp_path / "run")
    dataclasses.replace(result, strategy="second").save(path)
    assert Result.load(path).strategy == "second"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    for taken in (tmp_path / "other", tmp_path / "other" / "thesis.txt"):
        with pytest.raises(DataError, match="not a saved result"):
            result.save(taken)
    assert (tmp_path / "other" / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("breakage", ["no folder", "no frame", "broken frame", "broken header", "newer format"])
def test_loading_what_is_no_result(breakage: str, result: Result, tmp_path: Path) -> None:
    path = tmp_path / "run"
    if breakage != "no folder":
        result.save(path)
    if breakage == "no frame":
        (path / "equity.parquet").unlink()
    elif breakage == "broken frame":
        (path / "equity.parquet").write_bytes(b"PAR1")
    elif breakage == "broken header":
        (path / "result.json").write_text("{")
    elif breakage == "newer format":
        (path / "result.json").write_text(json.dumps({"format": 99}))
    says = r"of format 99, expected 1 to 3\." if breakage == "newer format" else "not a complete saved result"
    with pytest.raises(DataError, match=says):
        Result.load(path)


def test_dict_is_ready_for_json(result: Result) -> None:
    record = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert record["trades"][0] == {
        "session": "2021-06-11", "leg": 0, "expiry": None, "right": "PE", "strike": 15800.0, "quantity": -75,
        "entry_time": "2021-06-11T09:20:00+05:30", "entry_price": 99.35,
        "exit_time": "2021-06-11T12:12:00+05:30", "exit_price": 119.2,
        "exit_reason": "<stop>", "pnl": -1488.75, "costs": 0.0, "net_pnl": -1488.75, "lots": None,
    }  # fmt: skip
    assert record["trades"][1]["entry_time"] == "2021-06-11T09:20:00.123456789+05:30"
    assert record["metrics"]["sharpe"] is None
    assert record["metrics"]["trades"] == 2
    assert record["digest"] == result.digest
    assert int(record["fingerprint"], 16) == result.fingerprint
    assert record["assumptions"]["prices"] == "as imported, unrounded"


def test_notes_default_to_none_and_travel_as_records(result: Result) -> None:
    assert result.notes.schema == {"session": pl.Date, "note": pl.String}
    assert result.to_dict()["notes"] == []
    noted = with_notes(result, "an entry not complete within 5 minutes was undone")
    assert noted.to_dict()["notes"] == [
        {"session": "2021-06-11", "note": "an entry not complete within 5 minutes was undone"}
    ]
    assert noted.to_frame("notes").equals(noted.notes)


def test_nan_in_a_frame_is_null(result: Result) -> None:
    odd = dataclasses.replace(result, trades=result.trades.with_columns(costs=pl.lit(math.nan)))
    assert odd.to_dict()["trades"][0]["costs"] is None


def test_shown_as_text_and_html(result: Result) -> None:
    text = repr(result)
    assert text.splitlines()[0] == "<straddle> on NIFTY, 2021-06-11"
    assert "₹-" not in text
    assert "-₹498.75" in text
    assert "50.0 %  (9.5 % to 90.5 %)" in text
    assert result.digest[:16] in text
    page = result._repr_html_()
    assert "&lt;straddle&gt; on NIFTY" in page
    assert "<straddle>" not in page


def test_notes_are_counted_where_there_are_any(result: Result) -> None:
    assert "Notes" not in repr(result) + result._repr_html_()
    noted = with_notes(result, "one", "two", "three")
    (line,) = [line.split() for line in repr(noted).splitlines() if "Notes" in line]
    assert line == ["Notes", "3,", "see", ".notes"]
    assert "3, see .notes" in noted._repr_html_()


def test_no_session_is_shown(result: Result) -> None:
    empty = Result.from_trades(result.trades.clear().drop("pnl", "net_pnl"), underlying="NIFTY")
    assert repr(empty).startswith("imported on NIFTY, no session")


def test_frames_by_name(result: Result) -> None:
    assert result.to_frame().equals(result.trades)
    assert result.to_frame("daily")["date"].to_list() == [date(2021, 6, 11)]
    frame = result.to_frame("trades", pandas=True)
    assert isinstance(frame, pd.DataFrame)
    assert frame["pnl"].tolist() == result.trades["pnl"].to_list()
    with pytest.raises(ValueError, match="trades, fills"):
        result.to_frame("nothing")


def test_frozen(result: Result) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.digest = ""  # type: ignore[misc]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1234567.5, "rupees", "₹12,34,567.50"),
        (0.3456, "share", "34.6 %"),
        (1048, "count", "1,048"),
        (-1.005, "ratio", "-1.00"),
        (math.nan, "count", "–"),
        (math.inf, "ratio", "–"),
    ],
)
def test_metrics_are_written_for_people(value: float, unit: str, text: str) -> None:
    assert write_metric(value, unit) == text


def test_public_names() -> None:
    assert sorted(performance.__all__) == dir(performance)
    assert all(getattr(performance, name) is not None for name in performance.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = performance.nothing
