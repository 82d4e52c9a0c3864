import pytest
import typer

from algo.grid import grid_of, space_of


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("stop_pct=10,20,none", ["10", "20", "none"]),
        ("stop_pct=10:50:20", ["10", "30", "50"]),
        ("stop_pct=0.1:0.3:0.1", ["0.1", "0.2", "0.3"]),
        ("stop_pct=10:25:10", ["10", "20"]),
        ("strike=-2:2:2", ["-2", "0", "2"]),
        ("stop_pct=5:5:1", ["5"]),
        ("entry=09:20,09:30", ["09:20", "09:30"]),
        ("entry=09:20:00", ["09:20:00"]),
        ("strikes=44000/43000, 44100/42900", ["44000/43000", "44100/42900"]),
        ("note=a=b", ["a=b"]),
    ],
)
def test_values(text, values):
    assert grid_of([text]) == {text.split("=")[0]: values}


def test_order_is_kept():
    assert list(grid_of(["b=1", "a=2"])) == ["b", "a"]


@pytest.mark.parametrize("text", ["stop_pct", "=3", "a=", "a=,", "a=1:2:0", "a=3:1:1", "a=1:2:-1"])
def test_refused(text):
    with pytest.raises(typer.BadParameter):
        grid_of([text])


def test_a_name_twice_is_refused():
    with pytest.raises(typer.BadParameter):
        grid_of(["a=1", "a=2"])


def test_a_space_may_have_ranges():
    texts = ["a=1..3", "b=0.5..2", "c=1,2", "d=10:20:5", "e=09:20,09:30", "f=-2..2"]
    assert space_of(texts) == {
        "a": (1, 3), "b": (0.5, 2), "c": ["1", "2"], "d": ["10", "15", "20"], "e": ["09:20", "09:30"], "f": (-2, 2),
    }  # fmt: skip
    with pytest.raises(typer.BadParameter):
        space_of(["a=3..1"])
