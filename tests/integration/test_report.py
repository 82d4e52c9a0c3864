"""The HTML report as a file: whole, self-contained, safe, readable without trades."""

import dataclasses
import html
import json
import re
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from algomaster.performance.imported import TIME
from algomaster.performance.result import Result

EVIL = "</script><script>alert(1)</script><img src=https://example.org/x.png>"


class Page(HTMLParser):
    """Elements that load something, visible text, and the JSON of the figures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.scripts: list[tuple[str | None, str]] = []
        self._script: str | bool | None = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [
            f"{name}={value}" for name, value in attrs if name in {"src", "href", "srcset", "data", "action"}
        ]
        if tag == "script":
            self._script = dict(attrs).get("type")
            self.scripts.append((self._script, ""))
        elif tag == "style":
            self._script = "style"
            self.scripts.append(("style", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._script = False

    def handle_data(self, data: str) -> None:
        if self._script is False:
            self.texts.append(data)
        else:
            kind, text = self.scripts[-1]
            self.scripts[-1] = kind, text + data

    @property
    def text(self) -> str:
        return "\n".join(self.texts)

    def of_kind(self, kind: str | None) -> list[str]:
        return [text for found, text in self.scripts if found == kind]


@pytest.fixture
def result() -> Result:
    rows = [
        {
            "right": right,
            "strike": 15800,
            "quantity": -75,
            "entry_time": datetime(2021, 6, day, 9, 20),
            "entry_price": 100.0,
            "exit_time": datetime(2021, 6, day, 12, minute),
            "exit_price": leave,
            "exit_reason": reason,
            "costs": 20.0,
            "expiry": date(2021, 6, 17),
        }
        for day, right, minute, leave, reason in [
            (10, "CE", 0, 80.0, "time"), (10, "PE", 5, 125.0, "stop"),
            (11, "CE", 0, 90.0, EVIL), (14, "PE", 9, 70.0, "time"),
        ]
    ]  # fmt: skip
    skipped = pl.DataFrame({"session": [date(2021, 6, 15)], "reason": ["no bar at 09:20 <i>"]})
    result = Result.from_trades(pl.DataFrame(rows), underlying="NIFTY", strategy=f"straddle {EVIL}", skipped=skipped)
    start = datetime(2021, 6, 10, 9, 15)
    times = pl.Series("ts", [start + timedelta(minutes=n) for n in range(375)]).dt.replace_time_zone("Asia/Kolkata")
    return dataclasses.replace(
        result,
        prices=pl.DataFrame({"ts": times.cast(TIME), "spot": [15700.0 + n for n in range(375)]}),
        assumptions={"costs": {"brokerage": 20.0, "table": EVIL}, "fills": "decision_close", "seed": 7, "to": None},
    )


def page_of(result: Result, folder: Path) -> tuple[Page, str]:
    path = result.report(folder / "new" / "report.html")
    assert path == folder / "new" / "report.html"
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]
    text = path.read_text(encoding="utf-8")
    return Page(text), text


def test_nothing_is_loaded(result: Result, tmp_path: Path) -> None:
    page, text = page_of(result, tmp_path)
    assert page.loads == []
    assert not {"link", "iframe", "img", "object", "base"} & set(page.tags)
    style = "".join(page.of_kind("style"))
    assert "url(" not in style
    assert "@import" not in style
    library, ours = page.of_kind(None)
    assert library.lstrip().startswith("/**\n* plotly.js")
    assert not re.search(r"fetch|XMLHttpRequest|import|http", ours)
    assert text.count("* plotly.js v") == 1


def test_texts_are_escaped(result: Result, tmp_path: Path) -> None:
    page, text = page_of(result, tmp_path)
    assert "alert(1)" in text
    assert "<script>alert" not in text
    assert text.count("</script>") == text.count("<script") == 2 + 5  # library, ours, five figures
    figures = page.of_kind("application/json")
    assert "\\u003c" in figures[2]
    assert not any("<" in figure for figure in figures)
    assert f"straddle {EVIL} on NIFTY" in html.unescape(page.text)


def test_figures_are_whole(result: Result, tmp_path: Path) -> None:
    page, _ = page_of(result, tmp_path)
    figures = [json.loads(text) for text in page.of_kind("application/json")]
    names = [[part.get("name") for part in figure["data"]] for figure in figures]
    assert names == [["Equity", "Drawdown"], [None], ["Spot", "Entry", "Exit", "CE", "PE"], [None], [None] * 4]


def test_says_what_it_must(result: Result, tmp_path: Path) -> None:
    page, _ = page_of(result, tmp_path)
    # 20 - 25 + 10 + 30 points on 75 units, less 4 times 20 rupees.
    for words in (
        "₹2,545.00", "after ₹80.00 of costs", "75.0 %", "3 won, 1 lost", "one trial", "3 sessions", "1 skipped session",
        "no bar at 09:20 <i>", "decision_close", "costs: brokerage", result.digest, f"{result.fingerprint:016x}",
        "15800 PE, 17 Jun 21", "12:09:00", "-₹1,895.00", "Equity and drawdown", "By leg", "Deflated Sharpe",
        "What this rests on", "Where it came from", "Thursday", "Days to expiry", "of 1,000 random orders half",
    ):  # fmt: skip
        assert words in page.text, words


def test_the_sharpe_ratio_has_its_error_bar_once_there_are_days_enough(result: Result, tmp_path: Path) -> None:
    bar = re.compile(r"95 %: -?\d+\.\d\d to -?\d+\.\d\d")
    assert not bar.search(page_of(result, tmp_path)[0].text)
    one = result.trades.drop("session").head(1)
    many = pl.concat(
        one.with_columns(
            pl.col("entry_time", "exit_time").dt.offset_by(f"{day}d"), exit_price=pl.col("entry_price") - 4 + day
        )
        for day in range(10)
    )
    page, _ = page_of(Result.from_trades(many, underlying="NIFTY"), tmp_path)
    assert bar.search(page.text)


def test_per_leg_table(result: Result, tmp_path: Path) -> None:
    _, text = page_of(result, tmp_path)
    rows = re.findall(r"<tr>(.*?)</tr>", text[text.index("<h2>By leg") : text.index("<h2>All metrics")])
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]
    assert ["Right", "CE", "2", "100.0 %", "₹1,105.00", "₹2,250.00", "₹40.00", "₹2,210.00"] in cells
    assert ["Right", "PE", "2", "50.0 %", "₹167.50", "₹375.00", "₹40.00", "₹335.00"] in cells
    assert ["Exit", "stop", "1", "0.0 %", "-₹1,895.00", "-₹1,875.00", "₹20.00", "-₹1,895.00"] in cells


def test_number_of_trials_is_in_the_headline(result: Result, tmp_path: Path) -> None:
    tried = dataclasses.replace(result, metrics=result.metrics | {"trials": 10_000})
    assert "that it beats luck, 10,000 trials" in page_of(tried, tmp_path)[0].text


def test_without_trades(result: Result, tmp_path: Path) -> None:
    empty = Result.from_trades(result.trades.clear().drop("pnl", "net_pnl"), underlying="NIFTY", skipped=result.skipped)
    page, _ = page_of(empty, tmp_path)
    assert page.of_kind("application/json") == []
    assert page.text.count("None.") == 8
    assert "no bar at 09:20" in page.text


def test_notes_are_listed_escaped(result: Result, tmp_path: Path) -> None:
    said = {"session": [date(2021, 6, 10), date(2021, 6, 11)], "note": ["waited 3 minutes", f"undone {EVIL}"]}
    page, text = page_of(dataclasses.replace(result, notes=pl.DataFrame(said)), tmp_path)
    section = text[text.index("<h2>Notes") : text.index("</section>", text.index("<h2>Notes"))]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", section)
    assert cells == ["2021-06-10", "waited 3 minutes", "2021-06-11", html.escape(f"undone {EVIL}")]
    assert "rows" not in section
    assert "2 notes" in page.text
    assert "note" not in page_of(result, tmp_path)[0].texts[2]


def test_many_notes_are_cut_and_counted(result: Result, tmp_path: Path) -> None:
    notes = pl.DataFrame({"session": [date(2021, 6, 10)] * 1234, "note": [f"note {n} of it" for n in range(1234)]})
    page, _ = page_of(dataclasses.replace(result, notes=notes), tmp_path)
    shown = re.findall(r"note (\d+) of it", page.text)
    assert 100 <= len(shown) < 1000
    assert shown == [str(n) for n in range(len(shown))]
    assert f"The first {len(shown)} of 1,234 rows." in page.text


def test_reasons_are_counted_the_most_frequent_first(result: Result, tmp_path: Path) -> None:
    reasons = ["b", "c", "a", "c"]
    skipped = pl.DataFrame({"session": [date(2021, 6, 15)] * 4, "reason": reasons})
    page, _ = page_of(dataclasses.replace(result, skipped=skipped), tmp_path)
    assert "c: 2; a: 1; b: 1" in page.text


def test_a_report_is_replaced(result: Result, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "report.html").write_text("old")
    page_of(result, tmp_path)
