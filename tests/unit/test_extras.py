"""One table says which packages an extra brings."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from planrunner.extras import EXTRAS, need
from tests.support.missing import hidden

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS_OF_PROJECT = dict(PROJECT["optional-dependencies"])


def packages_of(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", text)[0] for text in requirements}


def test_the_table_is_what_the_package_declares() -> None:
    """Names, packages, and `all` of them; what the base install brings is in no extra."""
    everything = EXTRAS_OF_PROJECT.pop("all")

    assert {extra.name: {package for _, package in extra.packages} for extra in EXTRAS} == {
        name: packages_of(requirements) for name, requirements in EXTRAS_OF_PROJECT.items()
    }
    assert everything == [f"planrunner[{','.join(sorted(EXTRAS_OF_PROJECT))}]"]
    extra_packages = set().union(*map(packages_of, EXTRAS_OF_PROJECT.values()))
    assert extra_packages & packages_of(PROJECT["dependencies"]) == set()


def test_every_module_of_the_table_exists() -> None:
    """A misspelt module would never be found; development has all of them."""
    for extra in EXTRAS:
        for module, _ in extra.packages:
            need(module, "this test")
        assert extra.is_installed


def test_an_extra_is_there_when_all_of_it_is() -> None:
    """Half of `html` is none of it."""
    with hidden("cssselect"):
        missing = [extra.name for extra in EXTRAS if not extra.is_installed]

    assert missing == ["html"]
