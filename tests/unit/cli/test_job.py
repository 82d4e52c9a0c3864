from datetime import date

import pytest
import typer

from algo.job import Source, assignments, job_of
from algomaster.core.errors import ConfigError


def job(name="straddle", *, config=None, assigned=(), fills=None, costs=None, **source):
    return job_of(name, config=config, assigned=assigned, source=Source(**source), fills=fills, costs=costs)


def test_what_is_not_given_is_left_to_the_library():
    assert job().rules == {}
    assert job().params == {}


def test_no_costs_is_not_the_same_as_nothing_said(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text("costs = true\nfills = 'decision_close'")
    assert job(config=path, costs=False).rules == {"fills": "decision_close", "costs": False}


def test_the_last_value_of_a_key_counts():
    assert assignments(["a=1", "b = 2 ", "a=3=4"], "--set") == {"a": "3=4", "b": "2"}


def test_parameters_of_the_file_stay_unless_assigned(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text("[params]\nentry = 09:30:00\nstrikes = [44000, 43000]\nlots = 2\n")
    found = job(config=path, assigned=["lots=3"])
    assert found.params == {"entry": "09:30:00", "strikes": [44000, 43000], "lots": "3"}
    assert found.strategy.configure(found.params).strikes == (44000.0, 43000.0)


def test_dates_of_the_file_do_not_reach_the_simulator(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text("from = 2021-06-11\nto = 2021-06-11\nunderlying = 'NIFTY'\n")
    found = job(config=path, last=date(2021, 6, 14)).source
    assert (found.first, found.last, found.underlying) == (date(2021, 6, 11), date(2021, 6, 14), "NIFTY")
    assert job(config=path, simulate=3).source.first is None


@pytest.mark.parametrize(
    "idle",
    [{"seed": 0}, {"start": date(2024, 1, 1)}, {"simulate": 2, "home": "x"}, {"simulate": 2, "last": date(2024, 1, 1)}],
)
def test_options_that_would_do_nothing_are_refused(idle):
    with pytest.raises(typer.BadParameter):
        job(**idle)


def test_a_date_with_a_time_is_refused(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text("from = 2021-06-11T09:15:00\n")
    with pytest.raises(ConfigError):
        job(config=path)
