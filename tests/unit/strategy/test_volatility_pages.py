"""Pages of crush recovery, threshold and delta hedge: every setting told, every state drawn, examples valid."""

import re
import tomllib
from pathlib import Path

import pytest

from algomaster import strategy
from algomaster.strategy.sizing import Sized
from algomaster.strategy.steps import crush, delta_hedge, threshold

PAGES = Path(__file__).resolve().parents[3] / "docs/strategies"
STEPS = {"crush": crush, "threshold": threshold, "delta_hedge": delta_hedge}


@pytest.mark.parametrize("name", STEPS)
def test_the_example_is_valid(name):
    job = tomllib.loads((PAGES / f"{name.replace('_', '-')}.toml").read_text("utf-8"))
    assert job["strategy"] == name
    settings = strategy.get(name).configure(job["params"])
    assert settings == strategy.get(name).configure(None), "the example says the defaults"


@pytest.mark.parametrize("name", STEPS)
def test_every_setting_has_a_row(name):
    page = (PAGES / f"{name.replace('_', '-')}.md").read_text("utf-8")
    rows = set(re.findall(r"`(\w+)`", "\n".join(line.split("|")[1] for line in page.splitlines() if line[:1] == "|")))
    params = strategy.get(name).params
    own = {field for field in params.model_fields if field in params.__annotations__ or field not in Sized.model_fields}
    assert own <= rows


@pytest.mark.parametrize("name", STEPS)
def test_every_state_is_drawn(name):
    page = (PAGES / f"{name.replace('_', '-')}.md").read_text("utf-8")
    drawn = set(re.findall(r"--> (\w+)", page[page.index("stateDiagram-v2") :]))
    states = re.findall(r"^([A-Z]+): Final = \d+$", Path(STEPS[name].__file__).read_text("utf-8"), re.MULTILINE)
    assert drawn == set(states[: states.index("DONE") + 1])
