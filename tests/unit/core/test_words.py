"""Errors, catalogues, settings and tables: the words every layer shares."""

import pickle

import pytest

from algomaster.core import errors
from algomaster.core.config import Config
from algomaster.core.errors import AlgoError, CatalogueError, ConfigError, DataError, FactError
from algomaster.core.registry import Catalogue
from algomaster.core.render import html_table, rupees, text_table


def kinds(root=AlgoError):
    return [root, *(kind for child in root.__subclasses__() for kind in kinds(child))]


def test_every_error_is_drawn_in_the_tree_with_its_exit_code():
    for kind in kinds():
        assert kind.__name__ in errors.__doc__
        if kind is not AlgoError:
            assert f"(exit code {kind.exit_code})" in errors.__doc__


def test_an_error_says_problem_and_hint_and_survives_a_process_border():
    error = FactError("No lot size for 1999.", hint="Give a later date.", underlying="NIFTY")
    assert str(error) == "No lot size for 1999. Give a later date."
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is FactError
    assert isinstance(again, DataError)
    assert (again.problem, again.hint, again.facts) == (error.problem, error.hint, {"underlying": "NIFTY"})


def test_a_catalogue_refuses_doubles_and_suggests():
    table = Catalogue("loader")
    table.add("udiff", 1)
    assert (table["udiff"], "udiff" in table, len(table), list(table)) == (1, True, 1, ["udiff"])
    with pytest.raises(CatalogueError, match="exists already"):
        table.add("udiff", 2)
    with pytest.raises(CatalogueError, match="Did you mean 'udiff'"):
        table["udif"]
    with pytest.raises(CatalogueError, match="There are: udiff"):
        table["zzz"]


class Settings(Config):
    lots: int = 1
    name: str = "x"


def test_settings_are_frozen_checked_and_hashed():
    one = Settings.of({"lots": "2"})
    assert one.lots == 2
    assert Settings.of(one) is one
    assert Settings.of(None) == Settings()
    assert one.content_hash() == Settings(lots=2).content_hash() != Settings().content_hash()
    with pytest.raises(ConfigError, match="there is no setting 'lot'; there are: lots, name"):
        Settings.of({"lot": 2})
    with pytest.raises(ConfigError, match="setting 'lots' = 'many'"):
        Settings.of({"lots": "many"})


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "₹0.00"),
        (999, "₹999.00"),
        (1234.5, "₹1,234.50"),
        (12345678.9, "₹1,23,45,678.90"),
        (-100000, "-₹1,00,000.00"),
    ],
)  # fmt: skip
def test_rupees_are_grouped_the_indian_way(amount, text):
    assert rupees(amount) == text


def test_tables():
    rows = [("Trades", "4"), ("Win rate", "<b>")]
    assert text_table("Run", rows) == "Run\n  Trades    4\n  Win rate  <b>"
    assert "&lt;b&gt;" in html_table("Run", rows)
