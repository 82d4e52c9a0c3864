"""What a view is, what its version depends on, and how one is found again."""

import dataclasses
import json
import subprocess
import sys

import pytest

from algomaster import features
from algomaster.core.errors import CatalogueError, ConfigError, DataError
from algomaster.features.store import View, materialize, open_view, saved_views
from algomaster.market.home import Home
from feature_home import FEATURES, days, fill, probe


def test_the_version_is_of_the_definition_and_nothing_else():
    base = probe()
    assert base.version == probe("other", underlying=["NIFTY", "BANKNIFTY"]).version
    assert base.version != probe(latency_ms=250).version
    assert base.version != View("probe", underlying="NIFTY", features=FEATURES[::-1]).version
    assert base.version != View("probe", underlying="NIFTY", features=FEATURES[1:]).version
    assert base.is_current
    assert base.memory == 5
    assert base.inputs == ("close", "high", "open")


def test_the_version_is_equal_in_every_process():
    code = f"from algomaster.features.store import View; print(View('x', underlying='N', features={FEATURES}).version)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == probe().version


@pytest.fixture
def changed_formula(monkeypatch):
    """Let ROC5 be computed as MA5 is."""
    usual = features.get
    other = dataclasses.replace(usual("ROC5"), expression=usual("MA5").expression)
    return lambda: monkeypatch.setattr(
        features, "get", lambda name: other if name == "ROC5" else usual(name), raising=False
    )


def test_a_changed_formula_is_another_version_and_never_written_into_the_old(tmp_path, changed_formula):
    before = probe()
    materialize(before, days(1)[0], days(1)[0], home=fill(tmp_path, 1))
    changed_formula()
    after = probe()
    assert after.version != before.version
    assert after.folder != before.folder
    assert not before.is_current
    assert "can only be read" in repr(before)
    with pytest.raises(ConfigError, match="formulas are others now"):
        materialize(before, days(1)[0], days(1)[0], home=tmp_path)
    reopened = open_view("probe", home=tmp_path)
    assert reopened.version == before.version
    assert not reopened.is_current


def test_a_view_is_found_again(tmp_path):
    home = Home(tmp_path)
    probe(latency_ms=5).save(home)
    probe("second", underlying=["NIFTY", "BANKNIFTY"]).save(home)
    assert saved_views(tmp_path)["name"].to_list() == ["probe", "second"]
    assert open_view("probe", home=tmp_path) == probe(latency_ms=5)
    assert open_view("probe", home=tmp_path, version=probe(latency_ms=5).version[:4]).latency_ms == 5
    with pytest.raises(DataError, match=r"no view 'nope'; it has: probe \("):
        open_view("nope", home=tmp_path)
    with pytest.raises(DataError, match="of version ffff"):
        open_view("probe", home=tmp_path, version="ffff")
    told = json.loads(home.read(f"{probe(latency_ms=5).folder}.json"))
    assert [one["name"] for one in told["features"]] == FEATURES
    assert told["features"][0]["identity"] == features.get(FEATURES[0]).identity


def test_an_underlying_may_join_later(tmp_path):
    home = Home(tmp_path)
    probe().save(home)
    probe(underlying="BANKNIFTY").save(home)
    probe(underlying="NIFTY").save(home)
    assert saved_views(home)["underlying"].to_list() == [["NIFTY", "BANKNIFTY"]]


def test_a_broken_definition_is_named(tmp_path):
    Home(tmp_path).write("features/probe/0123456789abcdef.json", b"{")
    with pytest.raises(DataError, match=r"0123456789abcdef\.json is not the definition"):
        saved_views(tmp_path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "No Good"}, "lower-case"),
        ({"features": []}, "at least one"),
        ({"features": "ROC5"}, "list of feature names"),
        ({"features": ["ROC5", "ROC5"]}, "ROC5 twice"),
        ({"underlying": []}, "at least one"),
        ({"underlying": [" "]}, "list of underlying names"),
        ({"latency_ms": -1}, "milliseconds"),
        ({"latency_ms": True}, "milliseconds"),
        ({"version": "xyz"}, "16 hexadecimal digits"),
    ],
)
def test_what_a_view_refuses(change, told):
    with pytest.raises(ConfigError, match=told):
        View(**{"name": "probe", "underlying": "NIFTY", "features": ["ROC5"], **change})


def test_an_unknown_feature_is_told_with_the_nearest():
    with pytest.raises(CatalogueError, match="ROC5"):
        View("probe", underlying="NIFTY", features=["ROC55"])


def test_a_view_is_frozen_and_shown():
    view = probe()
    with pytest.raises(ValueError, match="frozen"):
        view.name = "x"
    assert view.version in repr(view) == str(view)
    assert view.version in view._repr_html_()
