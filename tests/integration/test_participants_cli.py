"""A participant-wise file (made-up numbers in the exchange's layout) through ``algo data``."""

import json
from pathlib import Path

from algomaster import market
from cli_process import algo
from participant_files import participant_file

TITLE = "Participant wise Open Interest (no. of contracts) in Equity Derivatives as on Jan {day}, 2025"


def test_import_list_check_and_positions(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for day, futures in (("02", "300"), ("03", "400")):
        changes = {("FII", 1): "30", ("Client", 2): "10", ("DII", 1): str(int(futures) - 260)}
        changes |= {("TOTAL", 1): futures, ("TOTAL", 2): futures, ("FII", 2): str(int(futures) - 30)}
        text = participant_file(f'""{TITLE.format(day=day)}"",,,', changes=changes)
        (tmp_path / f"fao_participant_oi_{day}012025.csv").write_text(text)
    told = json.loads(algo("data", "import", tmp_path / "fao_participant_oi_02012025.csv", "--json", home=home).stdout)
    assert (told["rows_read"], told["rows_stored"], told["files"][0]["format"]) == (4, 4, "participant_oi")
    algo("data", "import", tmp_path / "fao_participant_oi_03012025.csv", home=home)
    again = json.loads(algo("data", "import", tmp_path / "fao_participant_oi_03012025.csv", "--json", home=home).stdout)
    assert (again["rows_stored"], again["rows_unchanged"]) == (0, 4)
    (held,) = json.loads(algo("data", "list", "--json", home=home).stdout)["datasets"]
    assert (held["dataset"], held["sessions"], held["rows"]) == ("participant_oi", 2, 8)
    assert json.loads(algo("data", "check", "--json", home=home).stdout) == {"findings": []}
    assert "participant_oi" in algo("data", "list", home=home).stdout
    fii = market.positioning(home=home).ratios.filter(participant="FII")
    assert fii["index_future_long_share"].to_list() == [30 / 300, 30 / 400]


def test_a_day_that_does_not_tie_is_kept_out_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "any.csv"
    path.write_text(participant_file(TITLE.format(day="02"), changes={("FII", 1): "3000"}))
    told = json.loads(algo("data", "import", path, "--json", home=tmp_path / "home", code=10).stdout)
    assert (told["rows_rejected"], told["rows_stored"]) == (4, 0)
    (finding,) = told["quality"]
    assert finding["kind"] == "inconsistent"
    assert "TOTAL says 300" in finding["detail"]
