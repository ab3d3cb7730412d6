"""Which YAML files are tests, and how such a test is named and selected."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from planrunner.plan.yaml.document import Document
    from planrunner.pytest_plugin.plans.runs import PlanRuns

__all__ = ["PlanFile", "PlanTest", "plan_file"]

_DEFAULTS_FILE: Final = "planrunner.yaml"
_FIRST_LEVEL: Final = re.compile(rb"^[{\s]?\s*[\"']?planrunner[\"']?\s*:", re.MULTILINE)
_MOST_BYTES: Final = 1_000_000
_NAMED: Final = pytest.StashKey[frozenset[Path]]()
_MATCHED: Final = pytest.StashKey[frozenset[Path]]()


def plan_file(path: Path, parent: pytest.Collector, *, is_taken: bool) -> PlanFile | None:
    """Return the collector of a plan; None for a file that is not one to run.

    A file that is named as an argument is a plan, unless another plugin takes it and it doesn't
    have the key `planrunner`. What is in a directory has that key and is opted in for.
    """
    is_named = parent.session.isinitpath(path) or path in _named(parent.config)
    if path.name == _DEFAULTS_FILE:  # the shell may have found it for `plans/*.yaml`
        is_plan = is_named
    elif is_named:
        is_plan = not is_taken or _has_key(path)
    else:
        is_plan = _is_opted_in(path, parent.config) and _has_key(path)
    return PlanFile.from_parent(parent, path=path) if is_plan else None


def _named(config: pytest.Config) -> frozenset[Path]:
    """Return what the arguments name: pytest forgets a file whose folder is named too."""
    if _NAMED not in config.stash:
        home = config.invocation_params.dir
        paths = (home / argument.partition("::")[0] for argument in config.args)
        config.stash[_NAMED] = frozenset(Path(os.path.normpath(path)) for path in paths)
    return config.stash[_NAMED]


def _is_opted_in(path: Path, config: pytest.Config) -> bool:
    return bool(config.getoption("planrunner")) or path in _matched(config)


def _matched(config: pytest.Config) -> frozenset[Path]:
    """Return what the patterns of the ini file match."""
    if _MATCHED not in config.stash:
        home = config.rootpath if config.inipath is None else config.inipath.parent
        found = (path for one in config.getini("planrunner_plans") for path in home.glob(one))
        config.stash[_MATCHED] = frozenset(found)
    return config.stash[_MATCHED]


def _has_key(path: Path) -> bool:
    """Say whether a file has `planrunner:` at its first level, without understanding YAML."""
    try:
        with path.open("rb") as file:
            return _FIRST_LEVEL.search(file.read(_MOST_BYTES)) is not None
    except OSError:
        return False


class PlanFile(pytest.Module):
    """The file of a plan; a module for pytest, so that fixtures of every scope work."""

    obj: Any = None

    def collect(self) -> Iterator[pytest.Item]:
        """Yield the plan's test; a `planrunner.yaml` among plans has none.

        Raises:
            CollectError: The file can't be read as YAML, or is not a plan.
        """
        if self.path.name == _DEFAULTS_FILE and len(self.config.args) > 1:
            return
        document = self._document()
        data = document.data if isinstance(document.data, dict) else {}
        test = PlanTest.from_parent(
            self, name=str(data.get("name") or self.path.stem), callobj=_run_plan
        )
        test.line = document.span(("name",)).line
        test.extra_keyword_matches.update(_tags(data))
        yield test

    def _document(self) -> Document:
        from planrunner.language.diagnostics import PlanError, render  # noqa: PLC0415 - for plans
        from planrunner.plan.defaults.file import is_defaults, no_plan  # noqa: PLC0415 - as above
        from planrunner.plan.yaml.document import read  # noqa: PLC0415 - as above

        path = os.path.relpath(self.path)
        try:
            if is_defaults(path):
                raise no_plan(path)
            return read(path)
        except PlanError as error:
            raise self.CollectError("\n\n".join(map(render, error.diagnostics))) from None


class PlanTest(pytest.Function):
    """A plan as a test.

    Attributes:
        line: Of the plan's name, from 1.
    """

    line: int = 1

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the place and title of the test."""
        return self.path, self.line - 1, self.name


def _run_plan(request: pytest.FixtureRequest, planrunner_run: PlanRuns) -> None:
    from planrunner.pytest_plugin.plans.checks import check_plan  # noqa: PLC0415 - not to collect

    __tracebackhide__ = True
    check_plan(request, planrunner_run)


def _tags(data: object) -> Iterator[str]:
    """Yield the tags of everything in a plan, for `-k`."""
    if isinstance(data, list):
        for item in data:
            yield from _tags(item)
    elif isinstance(data, dict):
        for key, value in data.items():
            if key == "tags" and isinstance(value, list | dict):
                yield from map(str, value)
            else:
                yield from _tags(value)
