"""``algo oi`` and ``algo positions`` as a user has them."""

import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from algo.console import signed
from algomaster import market
from algomaster.market.importer import import_path
from algomaster.market.schemas import TIMESTAMP
from algomaster.market.store import Store
from cli_process import SEED, SESSIONS, algo, one_error_line, stored_home
from participant_files import participant_file
from shared_data import shared_path

INDIA = ZoneInfo("Asia/Kolkata")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return stored_home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def minutes():
    days = market.simulate("NIFTY", sessions=SESSIONS, start="2024-01-01", seed=SEED)
    return {str(day.session): market.open_interest(day) for day in days}


def told(frame):
    """Rows as the command prints them: times in India, names and days as text."""
    rows = []
    for row in frame.to_dicts():
        moments = {name: at.astimezone(INDIA).isoformat() for name, at in row.items() if isinstance(at, datetime)}
        days = {name: str(day) for name, day in row.items() if type(day) is date}
        rows.append({**row, **moments, **days})
    return rows


# --- algo oi -----------------------------------------------------------------------------------------------------


def test_json_is_what_the_library_finds_in_the_minutes(home, minutes):
    shown = json.loads(algo("oi", "NIFTY", "--session", "2024-01-02", "--json", home=home).stdout)
    found = minutes["2024-01-02"]
    expiry = found.expiries[0]
    assert (shown["source"], shown["unit"], shown["reference"]) == ("minutes", "units", "spot")
    assert (shown["session"], shown["expiry"]) == ("2024-01-02", str(expiry))
    for name in ("series", "walls", "buildup", "buckets"):
        assert shown[name] == told(found.to_frame(name).filter(pl.col("expiry") == expiry)), name
    assert shown["strikes"] == told(found.strikes())
    assert shown["leaders"] == told(found.leaders(8, over="interval", expiry=expiry))


def test_the_last_session_and_the_nearest_expiry_are_shown(home, minutes):
    found = list(minutes.values())[-1]
    text = algo("oi", "NIFTY", "--strikes", 3, "--leaders", 4, home=home).stdout
    assert text.startswith(repr(found))
    for title, rows in ((" through the session", 25), (" by strike at 15:30", 7), (": most changed in", 4)):
        table = text.split(f"{found.expiries[0]}{title}")[1].split("\n\n")[0]
        assert len(table.splitlines()[2:]) == rows, title
    walls = text.split(": walls")[1]
    assert f"{found.series['resistance'][-2]:,.0f}" in walls.split("most calls")[1].splitlines()[0]


@pytest.mark.parametrize("kind", ["strikes", "change", "pcr", "buildup"])
def test_a_picture_of_open_interest(home, tmp_path, kind):
    picture = tmp_path / "oi.html"
    algo("oi", "NIFTY", "--plot", picture, "--kind", kind, "--until", "12:00", home=home)
    assert "plotly" in picture.read_text("utf-8")


def test_nothing_after_until_is_used(tmp_path):
    """A real day of snapshots: what a store that never saw the afternoon tells of ended intervals."""
    file = shared_path("data", "nse_chain_snapshots", "nse_website_20250829", "NIFTY_20250829_all.parquet")
    import_path(file, home=tmp_path)
    rows = Store(tmp_path).read("chain_snapshot", underlying="NIFTY")
    quarter_past = pl.lit(datetime(2025, 8, 29, 6, 45, tzinfo=UTC)).cast(TIMESTAMP)
    found = market.open_interest(rows.filter(pl.col("ts") <= quarter_past), interval=30)
    shown = json.loads(algo("oi", "NIFTY", "--until", "12:15", "--interval", 30, "--json", home=tmp_path).stdout)
    assert (shown["source"], shown["unit"], shown["reference"]) == ("snapshots", "contracts", "parity")
    for name in ("series", "walls", "buildup", "buckets"):
        assert shown[name] == told(found.to_frame(name).filter(pl.col("expiry") == found.expiries[0])), name
    assert shown["strikes"] == told(found.strikes())
    text = algo("oi", "NIFTY", "--until", "09:25", "--expiry", found.expiries[1], home=tmp_path).stdout
    assert f"{found.expiries[1]} through the session" in text
    assert "2025-08-29, in contracts" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--kind", "heat", "--plot", "x.html"), "strikes, change, pcr, buildup"), (("--until", "noon"), "09:20"),
        (("--until", "09:00"), "09:16"), (("--expiry", "2024-02-30"), "2024-02-30"),
        (("--expiry", "2030-01-01"), "2024-01-04"), (("--interval", 0), "--interval"),
    ],
)  # fmt: skip
def test_wrong_usage(home, arguments, said):
    done = algo("oi", "NIFTY", *arguments, home=home, code=2)
    assert done.stdout == ""
    assert said in done.stderr


def test_what_the_store_lacks(home):
    assert "Did you mean NIFTY?" in one_error_line(algo("oi", "nifty", home=home, code=4))
    line = one_error_line(algo("oi", "NIFTY", "--session", "2023-05-02", home=home, code=4))
    assert "2023-05-02" in line
    assert "2024-01-01 to 2024-01-03" in line


# --- algo positions ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def participants(tmp_path_factory):
    """Three sessions of made-up participants, in which FII sell index futures to clients."""
    folder = tmp_path_factory.mktemp("participants")
    for day, sold in (("01", 0), ("02", 30), ("03", 90)):
        title = f"Participant wise Open Interest (no. of contracts) in Equity Derivatives as on Jan {day}, 2025"
        sides = {("FII", 2): 270 + sold, ("TOTAL", 2): 300 + sold, ("Client", 1): 200 + sold, ("TOTAL", 1): 300 + sold}
        text = participant_file(title, changes={place: str(value) for place, value in sides.items()})
        (folder / f"fao_participant_oi_{day}012025.csv").write_text(text)
    algo("data", "import", folder, home=folder / "home")
    return folder / "home"


def test_positions_are_what_the_library_finds(participants):
    shown = json.loads(algo("positions", "--window", 2, "--json", home=participants).stdout)
    found = market.positioning(home=participants, window=2)
    assert (shown["measure"], shown["window"], shown["simulated"]) == ("oi", 2, False)
    assert shown["positions"] == told(found.frame)
    assert shown["ratios"] == told(found.ratios)
    fii = [row for row in shown["positions"] if (row["participant"], row["instrument"]) == ("FII", "index_future")]
    assert [row["net"] for row in fii] == [-240, -270, -330]
    assert [row["net_change"] for row in fii] == [None, -30, -60]
    assert fii[1]["avail_ts"] == "2025-01-03T00:00:00+05:30"


def test_positions_as_tables(participants):
    text = algo("positions", "--sessions", 2, home=participants).stdout
    held, ratios, by_session = (text.split(title)[1] for title in ("Contracts on 2025-01-03", "Ratios on", "Net index"))
    line = next(row for row in held.splitlines() if row.startswith("FII") and "index future" in row)
    assert line.split() == ["FII", "index", "future", "30", "360", "-330", "-60"]
    line = next(row for row in ratios.splitlines() if row.startswith("FII"))
    assert line.split()[1:3] == [f"{100 * 30 / 390:.1f}", f"{100 * (30 / 390 - 30 / 330):+.1f}"]
    rows = [row.split() for row in by_session.splitlines()[2:] if row.strip()]
    assert rows == [["2025-01-02", "+220", "+35", "-270", "+15"], ["2025-01-03", "+280", "+35", "-330", "+15"]]


@pytest.mark.parametrize("kind", ["net", "long_short", "options"])
def test_a_picture_of_positions(participants, tmp_path, kind):
    picture = tmp_path / "positions.html"
    arguments = ("--plot", picture, "--kind", kind, "--instrument", "index_put")
    assert "Net index puts" in algo("positions", *arguments, home=participants).stdout
    assert "plotly" in picture.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--measure", "premium"), "'oi' or 'volume'"), (("--instrument", "bonds"), "index_future"),
        (("--kind", "pie", "--plot", "x.html"), "long_short"), (("--from", "soon"), "2021-06-11"),
    ],
)  # fmt: skip
def test_wrong_usage_of_positions(participants, arguments, said):
    done = algo("positions", *arguments, home=participants, code=2)
    assert done.stdout == ""
    assert said in done.stderr


def test_positions_the_store_lacks(home, participants):
    assert "algo data import" in one_error_line(algo("positions", home=home, code=4))
    assert "2025-01-03" in one_error_line(algo("positions", "--from", "2026-01-01", home=participants, code=4))


def test_changes_are_coloured_by_their_sign():
    assert [(str(text), text.style) for text in map(signed, (3.0, -2.0, 0.0, None))] == [
        ("+3", "green"), ("-2", "red"), ("+0", ""), ("", "")
    ]  # fmt: skip
