"""What the command line is: its help, its documentation, its catalogue, and how little it loads."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import algomaster
from algo.main import app
from algomaster import strategy
from cli_process import algo

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"numba", "numpy", "polars", "pandas", "pydantic", "plotly", "pyarrow", "fsspec"}


def commands(group, path=()):
    """Give every command by the words that call it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands(typer.main.get_command(app)))
OPTIONS = {
    words: {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    for words, command in COMMANDS.items()
}


def names(words):
    return " ".join(("algo", *words))


@pytest.mark.parametrize("words", COMMANDS, ids=names)
def test_every_command_and_every_option_has_help(words):
    assert COMMANDS[words].help
    assert all(parameter.help for parameter in COMMANDS[words].params if parameter.name != "help")


@pytest.mark.parametrize("words", COMMANDS, ids=names)
def test_every_command_and_option_is_documented(words):
    pages = re.split(r"^## ", (ROOT / "docs/command-line.md").read_text("utf-8"), flags=re.MULTILINE)
    page = next((page for page in pages if page.startswith(f"`{names(words)}")), None)
    assert page, f"docs/command-line.md has no section ## `{names(words)}"
    missing = {option for option in OPTIONS[words] if option.startswith("--") and f"`{option}" not in page}
    assert missing - {"--help"} == set()


def lines_of_code(name):
    """Give the lines of a page's shell blocks, continued lines joined."""
    text = (ROOT / name).read_text("utf-8")
    for block in re.findall(r"^```(?:sh|bash)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            yield line.split(" #")[0].strip()


@pytest.mark.parametrize("name", ["README.md", "docs/command-line.md"])
def test_commands_in_the_documentation_exist(name):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE))
    seen = 0
    for line in lines_of_code(name):
        words = shlex.split(line)
        if words[:1] == ["make"]:
            assert set(words[1:]) <= targets, line
        elif words[:1] == ["algo"]:
            seen += 1
            known = next((one for one in OPTIONS if tuple(words[1 : 1 + len(one)]) == one), None)
            if known is None:
                assert words[1:] in (["--help"], ["--version"], ["--install-completion"]), line
            else:
                assert {word.split("=")[0] for word in words if re.match("-[a-z-]", word)} <= OPTIONS[known], line
    assert seen


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from algo.main import run; sys.argv = ['algo', '--help']\n"
        "try: run()\n"
        "except SystemExit as end: print(end.code, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    exit_code, *modules = done.stderr.split()
    assert exit_code == "0"
    assert {name.split(".")[0] for name in modules} & HEAVY == set()
    assert "backtest" in done.stdout


def test_version():
    assert algo("--version").stdout == f"algo {algomaster.__version__}\n"


@pytest.mark.parametrize("words", ["algo backtest str", "algo strategies str", "algo sweep str"])
def test_strategy_names_complete(words):
    given = {"_ALGO_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": "2"}
    code = "from algo.main import run; import sys; sys.argv = ['algo']; run()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **given})
    assert done.stdout.split() == [name for name in strategy.names() if name.startswith("str")]


def test_the_catalogue_is_listed():
    listed = json.loads(algo("strategies", "--json").stdout)["strategies"]
    assert [one["name"] for one in listed] == strategy.names()
    assert all(one["summary"] in algo("strategies", COLUMNS="400").stdout for one in listed[:1])


def test_a_strategy_shows_its_parameters():
    shown = json.loads(algo("strategies", "strangle", "--json").stdout)
    assert [one["name"] for one in shown["parameters"]] == list(strategy.get("strangle").params.model_fields)
    by_name = {one["name"]: one for one in shown["parameters"]}
    assert by_name["entry"]["default"] == "09:20"
    assert by_name["width"]["default"] == 4
    assert "strike steps" in by_name["strike"]["meaning"]
    assert "stop_pct" in algo("strategies", "strangle").stdout
