import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from algo.commands.data import app
from algomaster import market
from algomaster.core.errors import ConfigError, DataError
from cli_process import algo, one_error_line

LINE = "NIFTY,20210611,{time},15800,15801,15799,15800\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def run(*words: str, home: Path) -> Result:
    return CliRunner().invoke(app, [*words, "--home", str(home)])


def minutes(tmp_path: Path, *times: str) -> str:
    file = tmp_path / "any.txt"
    file.write_text("".join(LINE.format(time=time) for time in times))
    return str(file)


def test_a_clean_import_ends_with_zero(tmp_path: Path, home: Path) -> None:
    result = run("import", minutes(tmp_path, "09:16", "09:17"), "--json", home=home)
    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (told["rows_read"], told["rows_stored"], told["rows_rejected"]) == (2, 2, 0)
    again = json.loads(run("import", minutes(tmp_path, "09:16", "09:17"), "--json", home=home).stdout)
    assert (again["rows_stored"], again["rows_unchanged"]) == (0, 2)


def test_rejected_rows_end_with_ten(tmp_path: Path, home: Path) -> None:
    result = run("import", minutes(tmp_path, "09:16", "15:45"), "--json", home=home)
    assert result.exit_code == 10
    assert Path(json.loads(result.stdout)["rejects_path"]).is_file()
    text = run("import", minutes(tmp_path, "09:16", "15:45"), home=home)
    assert text.exit_code == 10
    assert "after_close" in text.stdout


def test_a_file_of_a_folder_that_cannot_be_used_ends_with_ten(tmp_path: Path, home: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "odd.csv").write_text("colour\nred\n")
    assert run("import", str(folder), home=home).exit_code == 10


def test_list_and_check_say_what_is_there(tmp_path: Path, home: Path) -> None:
    run("import", minutes(tmp_path, "09:16", "09:18"), home=home)
    (held,) = json.loads(run("list", "--json", home=home).stdout)["datasets"]
    assert (held["dataset"], held["underlying"], held["rows"]) == ("index_minute", "NIFTY", 2)
    assert held["first"] == "2021-06-11"
    (gap,) = json.loads(run("check", "NIFTY", "--from", "2021-06-01", "--json", home=home).stdout)["findings"]
    assert (gap["kind"], gap["count"]) == ("gap", 373)
    assert "index_minute" in run("list", home=home).stdout
    assert "gap" in run("check", home=home).stdout


def test_an_empty_path_is_no_import_of_the_current_folder(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minutes(tmp_path, "09:16")
    monkeypatch.chdir(tmp_path)
    for path in ("", " "):
        result = run("import", path, home=home)
        assert result.exit_code == 2
        assert "expected a file or folder" in result.stderr
    assert not home.exists()


@pytest.mark.parametrize("what", ["empty folder", "header alone", "nothing but a README"])
def test_an_import_without_a_row_ends_with_ten_and_says_so(tmp_path: Path, home: Path, what: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    if what == "header alone":
        (folder / "any.csv").write_text("Ticker,Date,Time,Open,High,Low,Close,Volume,Open Interest\n")
    elif what == "nothing but a README":
        (folder / "README.md").write_text("# about\n")
    result = run("import", str(folder), "--json", home=home)
    assert result.exit_code == 10
    assert json.loads(result.stdout)["rows_read"] == 0
    assert "no row was read from" in result.stderr


def test_what_is_not_held_cannot_be_checked(tmp_path: Path, home: Path) -> None:
    run("import", minutes(tmp_path, "09:16"), home=home)
    for words in (("NIFTTY",), ("NIFTY", "--from", "2022-01-01")):
        result = run("check", *words, home=home)
        assert isinstance(result.exception, DataError)
        assert "it holds: NIFTY 2021-06-11 to 2021-06-11 (index_minute)" in str(result.exception)
    result = run("check", "--from", "2021-06-12", "--to", "2021-06-11", home=home)
    assert isinstance(result.exception, ConfigError)


def test_simulated_minutes_fill_the_store(home: Path) -> None:
    words = ("simulate", "NIFTY", "--sessions", "2", "--start", "2024-01-01", "--strikes", "5", "--seed", "3", "--json")
    told = json.loads(run(*words, home=home).stdout)
    assert (told["underlying"], told["sessions"], told["first"]) == ("NIFTY", 2, "2024-01-01")
    assert told["rows_stored"] > 2 * 375
    again = json.loads(run(*words, home=home).stdout)
    assert (again["rows_stored"], again["rows_unchanged"]) == (0, told["rows_stored"])


def test_what_is_simulated_comes_back_from_the_store(home: Path) -> None:
    run("simulate", "NIFTY", "--sessions", "2", "--start", "2024-01-01", "--strikes", "5", "--seed", "3", home=home)
    made = market.simulate("NIFTY", sessions=2, start="2024-01-01", strikes=5, seed=3)
    assert market.load("NIFTY", "2024-01-01", "2024-01-02", home=home).fingerprint == made.fingerprint


def test_simulated_minutes_never_replace_others(home: Path) -> None:
    words = ("simulate", "NIFTY", "--sessions", "1", "--start", "2024-01-01", "--strikes", "5", "--seed")
    assert run(*words, "3", home=home).exit_code == 0
    result = run(*words, "4", home=home)
    assert isinstance(result.exception, DataError)
    assert "another home" in str(result.exception)


ASKED = ("straddle", "--underlying", "NIFTY", "--from", "2024-01-01", "--to", "2024-01-03")


def test_sessions_the_store_lacks_are_told_to_programs_and_people(home: Path) -> None:
    run("simulate", "NIFTY", "--sessions", "2", "--start", "2024-01-01", "--seed", "3", home=home)
    lack = [{"session": "2024-01-03", "reason": "no option minutes"}]
    assert json.loads(algo("backtest", *ASKED, "--json", home=home).stdout)["absent"] == lack
    assert json.loads(algo("sweep", *ASKED, "--grid", "lots=1", "--json", home=home).stdout)["absent"] == lack
    shown = algo("backtest", *ASKED, home=home).stdout
    assert "Sessions the store lacks" in shown
    assert "2024-01-03  no option minutes" in shown
    whole = algo("backtest", *ASKED[:-1], "2024-01-02", "--json", home=home)
    assert json.loads(whole.stdout)["absent"] == []


@pytest.mark.parametrize("command", [("list",), ("check",), ("backtest",)])
def test_a_broken_file_is_one_line_with_its_name(home: Path, command: tuple[str, ...]) -> None:
    run("simulate", "NIFTY", "--sessions", "1", "--start", "2024-01-01", "--strikes", "5", "--seed", "3", home=home)
    file = home / "store/option_minute/NIFTY/2024-01-01.parquet"
    file.write_bytes(file.read_bytes()[:300])
    words = ("backtest", *ASKED) if command == ("backtest",) else ("data", *command)
    said = one_error_line(algo(*words, home=home, code=4))
    assert str(file) in said
    assert "import its sources again" in said


@pytest.mark.parametrize(
    ("command", "option"), [("backtest", "--report"), ("backtest", "--save"), ("sweep", "--save"), ("sweep", "--plot")]
)
def test_where_nothing_can_be_written_is_told_before_the_run(home: Path, command: str, option: str) -> None:
    home.touch()  # a file: with no store at all, loading could not succeed
    grid = ("--grid", "stop_pct=10,20", "--grid", "lots=1,2") if command == "sweep" else ()
    said = one_error_line(algo(command, *ASKED, *grid, option, home / "out", home=home, code=4))
    assert f"Cannot write {home / 'out'}" in said
    assert option in said
