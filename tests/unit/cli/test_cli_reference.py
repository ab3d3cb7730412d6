"""The reference pages of the command line say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from planrunner.cli.commands.schema import cli_page
from planrunner.cli.group import cli
from planrunner.results.exit_codes import ExitCode

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference"


def test_the_page_of_commands_is_fresh() -> None:
    """`make schema` writes it."""
    assert (REFERENCE / "cli.md").read_text("utf-8") == cli_page(cli)


def test_the_page_has_every_command_and_option() -> None:
    """What `--help` shows is on the page, and each option says what it is for."""
    page = cli_page(cli)

    for name in cli.list_commands(None):  # type: ignore[arg-type] # it needs no context
        shown = CliRunner().invoke(cli, [name, "--help"]).output
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        options = set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", shown, re.MULTILINE)) - {"--help"}
        for option in options:
            assert re.search(rf"^\| .*`{option}\b.* \| \w", section, re.MULTILINE), option


def test_the_page_of_exit_codes_lists_them_all() -> None:
    """By number and name, in order; the menu of the command line too."""
    page = (REFERENCE / "exit-codes.md").read_text("utf-8")

    rows = re.findall(r"^\| (\d+) \| ([a-z ]+) \|", page, re.MULTILINE)
    menu = re.findall(r"\b(\d+) [a-z]", CliRunner().invoke(cli).output.split("Exit codes:")[1])

    expected = [(str(code.value), code.name.lower().replace("_", " ")) for code in ExitCode]
    assert rows == expected
    assert menu == [number for number, _ in expected]
