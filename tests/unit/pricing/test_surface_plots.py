"""Pictures: every kind for every method, with what belongs in them."""

import numpy as np
import pytest

from algomaster.pricing import price
from algomaster.pricing.surface import Surface
from smile_chains import KINDS, random_chain


@pytest.fixture(scope="module")
def chain():
    made, _, _ = random_chain(7, "essvi")
    mid = price(made.right, None, made.strike, made.t, made.vol, forward=made.forward[made.expiry])
    made.bid, made.ask = 0.97 * mid, 1.03 * mid
    made.vol[3] *= 1.5
    return made


@pytest.mark.parametrize("method", KINDS)
@pytest.mark.parametrize("kind", ["surface", "smiles", "residuals", "density"])
def test_every_kind_is_drawn(chain, method, kind):
    figure = Surface.fit(chain, method).plot(kind)
    assert len(figure.data) >= 1
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert figure.layout.title.text
    assert len(figure.to_json()) > 1000


def test_smiles_show_bid_and_ask(chain):
    surface = Surface.fit(chain, "svi")
    figure = surface.plot("smiles")
    bars = [trace for trace in figure.data if trace.error_y.array is not None and len(trace.x)]
    up = np.concatenate([np.asarray(trace.error_y.array) for trace in bars])
    assert (up > 0).mean() > 0.9
    assert sum(len(trace.x) for trace in bars) == surface.quotes.k.size
    assert [note.text for note in figure.layout.annotations] == list(surface.labels)


def test_a_surface_of_parameters_is_drawn_without_quotes():
    surface = Surface.from_parameters("essvi", [0.5, 1.0], [[0.02, -0.3, 0.2], [0.04, -0.3, 0.3]])
    for kind in ("surface", "smiles", "density"):
        assert surface.plot(kind).data
