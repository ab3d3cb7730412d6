"""Words of other tools on the command line."""

from __future__ import annotations

import re

import pytest

from planrunner.cli import group, words_elsewhere
from planrunner.cli.group import run
from planrunner.formats import REPORT_FORMATS


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["start", "plan.yaml"], "No such command 'start': here it is called `execute`"),
        (["run", "plan.yaml"], "`planrunner execute plan.yaml` runs it"),
        (["validat", "plan.yaml"], "No such command 'validat': did you mean `validate`?"),
        (["execute", "p.yaml", "--duration", "5s"], "'--duration': here it is called `--hold`."),
        (["execute", "p.yaml", "--vus", "5"], "'--vus': here it is called `--users`."),
        (["import", "p.js", "-o", "x"], "'-o': here it is called `--output`."),
        (["explain", "p.yaml", "-H", "x"], "'-H': here it is called `--host`."),
        (["execute", "p.yaml", "--hosst", "x"], "'--host'"),
        (["run", "http://x", "-r", "5"], "'-r': here it is called `--spawn-rate`."),
        (["run", "http://x", "-e", "A=b"], "'-e': `planrunner execute` has `--set`, for a plan."),
        (["run", "http://x", "--stages", "1m:5"], "`planrunner execute` has `--stages`"),
        (["doctor", "--vus", "5"], "'--vus': `planrunner execute` has `--users`, for a plan."),
        (
            ["execute", "p.yaml", "--headless"],
            "'--headless': leave it out: only `--ui` opens a page.",
        ),
        (["execute", "p.yaml", "--iterations", "9"], "write `iterations: 100` in a phase."),
        (
            ["explain", "p.yaml", "--out", "x"],
            "execute` has `--out`, for a plan.",
        ),
        (
            ["report", "x", "--duration", "5s"],
            "execute` has `--hold`, for a plan.",
        ),
        (["run", "http://x", "--duration", "5s"], "'--duration': here it is called `--hold`."),
        (["run", "script.js"], "`script.js` is a script of another tool\nhint: "),
        (["run", "-f", "plan.yaml"], "'-f': leave it out: "),
    ],
)
def test_words_of_other_tools_get_the_right_one(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert said in capsys.readouterr().err


def test_each_hint_names_an_option_or_a_command_that_there_is() -> None:
    """Whatever is renamed, the hints go with it."""
    context = group.cli.make_context("planrunner", ["validate", "x"], resilient_parsing=True)
    commands = {
        name: group.cli.get_command(context, name) for name in group.cli.list_commands(context)
    }
    execute = commands["execute"]
    assert execute is not None
    options = {text for option in execute.params for text in option.opts}

    assert set(words_elsewhere.COMMANDS.values()) <= set(commands)
    assert set(words_elsewhere.OPTIONS.values()) <= options
    assert not {*words_elsewhere.OPTIONS, *words_elsewhere.OTHERWISE} & options
    named = re.findall(r"`(--[\w-]+)", " ".join(words_elsewhere.OTHERWISE.values()))
    assert set(named) <= options
    formats = re.findall(r"--formats ([\w.-]+)", " ".join(words_elsewhere.OTHERWISE.values()))
    assert set(formats) <= set(REPORT_FORMATS)
