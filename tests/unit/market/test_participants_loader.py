"""The exchange's participant-wise files, written here in its layout with made-up numbers (no real file is at hand)."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from algomaster.core.errors import DataError
from algomaster.market.importer import import_path
from algomaster.market.loaders import choose
from algomaster.market.loaders.parse import Parsed
from algomaster.market.loaders.source import Source
from algomaster.market.quality import check
from algomaster.market.schemas import INSTRUMENTS, with_avail_ts
from algomaster.market.store import Store
from participant_files import HEADER, participant_file

TITLE = "Participant wise Open Interest (no. of contracts) in Equity Derivatives as on Jan 02, 2025"


def parsed(tmp_path: Path, text: str | bytes, expected: str = "participant_oi") -> Parsed:
    path = tmp_path / "any.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    source = Source(path)
    loader = choose(source)
    assert loader.name == expected
    result = loader.read(source)
    ((name, frame),) = result.frames
    assert name == expected
    assert sorted([*frame["_row"], *result.rejects["_row"]]) == sorted(set(frame["_row"]) | set(result.rejects["_row"]))
    assert frame.height + result.rejects.height == result.rows
    return result


def rows(result: Parsed) -> pl.DataFrame:
    return result.frames[0][1]


def test_a_day_is_four_rows_in_contracts(tmp_path: Path) -> None:
    result = parsed(tmp_path, participant_file(TITLE))
    frame = rows(result)
    assert result.rows == 4
    assert frame["participant"].to_list() == ["Client", "DII", "FII", "Pro"]
    assert frame["session"].unique().to_list() == [date(2025, 1, 2)]
    fii = frame.row(2, named=True)
    assert (fii["index_future_long"], fii["index_future_short"]) == (30, 270)
    # the exchange writes both longs of options before both shorts
    assert [fii[f"index_{side}"] for side in ("call_long", "put_long", "call_short", "put_short")] == [
        400,
        500,
        450,
        350,
    ]
    for each in INSTRUMENTS:
        assert frame[f"{each}_long"].sum() == frame[f"{each}_short"].sum()


@pytest.mark.parametrize(
    "title",
    [
        f'""{TITLE}"",,,,,,,,,,,,,,',
        f'"{TITLE}",,,',
        TITLE.replace("02, 2025", "2,2025"),
        TITLE.replace("Jan", "January").replace("Equity Derivatives", "Futures & Options"),
        f"\ufeff  {TITLE}\t",
    ],
)
def test_titles_as_the_years_have_them(tmp_path: Path, title: str) -> None:
    assert rows(parsed(tmp_path, participant_file(title)))["session"].unique().to_list() == [date(2025, 1, 2)]


@pytest.mark.parametrize(
    "header",
    [
        HEADER.replace("Future Stock Short", "Future Stock Short       ").replace(
            "Total Long Contracts", "Total Long Contracts\t"
        ),
        HEADER.replace("Client Type", "CLIENT_TYPE").upper(),
        HEADER + ",,",
    ],
)
def test_headers_as_the_years_have_them(tmp_path: Path, header: str) -> None:
    assert rows(parsed(tmp_path, participant_file(TITLE, header=header))).height == 4


def test_carriage_returns_alone_end_lines_too(tmp_path: Path) -> None:
    assert rows(parsed(tmp_path, participant_file(TITLE).replace("\n", "\r"))).height == 4


def test_columns_are_known_by_name_whatever_their_order(tmp_path: Path) -> None:
    lines = participant_file(TITLE).splitlines()
    swapped = [lines[0]]
    for line in lines[1:]:
        cells = line.split(",")
        swapped.append(",".join([cells[0], cells[2], cells[1], *cells[3:]]))
    assert rows(parsed(tmp_path, "\n".join(swapped))).equals(rows(parsed(tmp_path, participant_file(TITLE))))


def test_grouped_digits_and_fractions_are_numbers(tmp_path: Path) -> None:
    text = participant_file(
        TITLE,
        changes={
            ("FII", 3): '"6,00,000.50"',
            ("Client", 3): "100099.5",
            ("TOTAL", 3): "800300",
            ("TOTAL", 4): "800300",
            ("Client", 4): "300100",
        },
    )
    frame = rows(parsed(tmp_path, text))
    assert frame.filter(pl.col("participant") == "FII")["stock_future_long"].item() == 600_000.5


def test_the_volume_twin_goes_to_its_own_dataset(tmp_path: Path) -> None:
    title = TITLE.replace("Open Interest", "Trading Volume")
    assert rows(parsed(tmp_path, participant_file(title), "participant_volume")).height == 4


@pytest.mark.parametrize(
    ("changes", "kind", "reason"),
    [
        ({("FII", 1): "-30"}, "bad_quantity", "negative"),
        ({("FII", 1): ""}, "bad_quantity", "missing"),
        ({("FII", 1): "NA"}, "bad_quantity", "missing"),
        ({("FII", 1): "3O"}, "unparseable", "index_future_long is 3O"),
        ({("FII", 0): "FPI"}, "unknown_kind", "no participant fpi"),
    ],
)
def test_a_line_that_cannot_be_used_takes_the_day_with_it(
    tmp_path: Path, changes: dict[tuple[str, int], str], kind: str, reason: str
) -> None:
    result = parsed(tmp_path, participant_file(TITLE, changes=changes))
    assert rows(result).height == 0
    told = {row: (kind, reason) for row, kind, reason in result.rejects.iter_rows()}
    assert told[5][0] == kind
    assert reason in told[5][1]
    assert {told[row][0] for row in (3, 4, 6)} == {"inconsistent"}
    assert "the day is not whole" in told[3][1]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({("FII", 1): "300"}, "index_future_long: the four add up to 570, TOTAL says 300"),
        ({("TOTAL", 12): "1"}, "stock_put_short: the four add up to"),
        ({("FII", 2): "570", ("TOTAL", 2): "600"}, "index_future: 300 contracts long and 600 short"),
    ],
)
def test_sums_that_do_not_tie_reject_the_day(tmp_path: Path, changes: dict[tuple[str, int], str], reason: str) -> None:
    result = parsed(tmp_path, participant_file(TITLE, changes=changes))
    assert set(result.rejects["kind"]) == {"inconsistent"}
    assert result.rejects.height == 4
    assert reason in result.rejects["reason"][0]


@pytest.mark.parametrize("labels", [("Client", "FII", "DII", "Pro", "TOTAL"), ("Client", "DII", "FII", "Pro")])
def test_exchanged_labels_and_a_missing_total_reject_the_day(tmp_path: Path, labels: tuple[str, ...]) -> None:
    result = parsed(tmp_path, participant_file(TITLE, labels=labels))
    assert set(result.rejects["kind"]) == {"inconsistent"}
    assert "expected usable lines of Client, DII, FII, Pro, TOTAL" in result.rejects["reason"][0]


def test_a_line_with_other_fields_is_broken(tmp_path: Path) -> None:
    lines = participant_file(TITLE).splitlines()
    lines[3] += ",7"
    result = parsed(tmp_path, "\n".join(lines))
    assert result.rejects.filter(pl.col("_row") == 4).select("kind", "reason").row(0) == (
        "broken_line", "expected 15 fields, got 16",
    )  # fmt: skip
    assert result.rejects.height == result.rows == 4


def test_what_the_exchange_rounds_is_kept_and_told(tmp_path: Path) -> None:
    result = parsed(tmp_path, participant_file(TITLE, changes={("FII", 1): "33", ("TOTAL", 1): "302"}))
    assert rows(result).height == 4
    assert [count for count, _ in result.kept.values()] == [2]  # 303 long against 302 in TOTAL and 300 short
    (tmp_path / "in.csv").write_text(participant_file(TITLE, changes={("FII", 1): "33"}))
    assert import_path(tmp_path / "in.csv", home=tmp_path / "home").quality.count("rounded_sum") == 2


def test_miscomputed_columns_of_totals_do_no_harm(tmp_path: Path) -> None:
    assert rows(parsed(tmp_path, participant_file(TITLE, changes={("FII", 13): "1"}))).height == 4


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (participant_file(TITLE).split("\n", 1)[1], "does not say the day"),
        (participant_file(TITLE.replace(", 2025", "")), "does not say the day"),
        (participant_file(TITLE.replace("02", "31").replace("Jan", "Feb")), "does not say the day"),
        (participant_file(TITLE).replace(HEADER + "\n", ""), "no header line"),
    ],
)
def test_a_file_without_day_or_header_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        parsed(tmp_path, text)


def test_a_closed_day_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(participant_file(TITLE.replace("Jan 02", "Jan 26")))
    report = import_path(path, home=tmp_path / "home")
    assert (report.rows_read, report.rows_rejected) == (4, 4)
    assert report.quality.count("no_session") == 4


def test_import_is_idempotent_known_in_the_evening_and_checked(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for day in ("02", "03", "07"):
        (folder / f"oi{day}.csv").write_text(participant_file(TITLE.replace("Jan 02", f"Jan {day}")))
    (folder / "vol.csv").write_text(participant_file(TITLE.replace("Open Interest", "Trading Volume")))
    first, again = (import_path(folder, home=tmp_path / "home") for _ in range(2))
    assert (first.rows_read, first.rows_stored, first.rows_rejected) == (16, 16, 0)
    assert (again.rows_stored, again.rows_replaced, again.rows_unchanged) == (0, 0, 16)
    store = Store(tmp_path / "home")
    frame = with_avail_ts(store.read("participant_oi"), "participant_oi")
    assert frame.height == 12
    assert frame["avail_ts"][0] == datetime(2025, 1, 2, 18, 30, tzinfo=UTC)
    held = store.inventory()
    assert held.select("dataset", "underlying", "sessions", "rows").rows() == [
        ("participant_oi", "ALL", 3, 12), ("participant_volume", "ALL", 1, 4),
    ]  # fmt: skip
    (absent,) = check(store)
    assert (absent.kind, absent.dataset, absent.count, absent.first) == (
        "missing_sessions", "participant_oi", 1, date(2025, 1, 6),
    )  # fmt: skip
