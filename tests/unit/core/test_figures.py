"""The look of pictures: one for all, and what a picture asks for goes before it."""

import plotly.graph_objects as go

from algomaster.core.figures import dress


def test_a_dressed_figure_has_no_background_and_room_for_its_title():
    figure = go.Figure()
    dress(figure, height=300, title="Smiles")
    layout = figure.layout
    assert (layout.height, layout.title.text, layout.margin.t) == (300, "Smiles", 64)
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"


def test_what_a_picture_asks_for_goes_before_also_in_part():
    figure = go.Figure()
    dress(figure, height=300, margin={"t": 20}, legend={"y": 1.2}, hovermode="x unified")
    assert (figure.layout.margin.t, figure.layout.margin.l) == (20, 80)
    assert (figure.layout.legend.y, figure.layout.legend.orientation) == (1.2, "h")
    assert (figure.layout.hovermode, figure.layout.title.text) == ("x unified", None)
