"""Keywords of a call → what the runner is asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Final, cast, get_type_hints

from planrunner.cluster.wanted import ClusterWanted
from planrunner.compiler.load.selection import PlanSelection
from planrunner.engine.stop import Stop
from planrunner.errors import UsageError
from planrunner.language.diagnostics import PlanError, suggest
from planrunner.language.files import ANYWHERE, Folders
from planrunner.outputs.base import Output
from planrunner.plan.functions import PlanFunction
from planrunner.plan.loader import CheckedPlan, load
from planrunner.plan.no_exec import find_commands
from planrunner.plan.overrides import Changes
from planrunner.plan.params.values import BareNumber
from planrunner.plan.yaml.places import ArgumentNames
from planrunner.process_limits import available_processors
from planrunner.python.faults import named_as_arguments
from planrunner.python.keywords import (
    AnyPath,
    CallKeywords,
    NameOrNames,
    OutputLike,
    PlanKeywords,
    RunKeywords,
    TimeLike,
)
from planrunner.python.results.elapsed import Elapsed, nanoseconds
from planrunner.runner.request import RunRequest
from planrunner.units import write_duration

__all__ = [
    "check_keywords",
    "load_plan",
    "own_outputs",
    "rate_text",
    "request_of",
    "selection_of",
]

_MOST_WORKERS: Final = 256


def check_keywords(call: str, given: Mapping[str, object], known: type) -> None:
    """Refuse a keyword that a call doesn't have, as Python itself does.

    Raises:
        TypeError: One is unknown.
    """
    names = sorted(get_type_hints(known))
    for name in given:
        if name not in names:
            guess = suggest(name, names)
            said = f"{call}() got an unexpected keyword argument '{name}'"
            raise TypeError(f"{said}: {guess}" if guess else said)


def request_of(plan: CheckedPlan, keywords: RunKeywords, stop: Stop) -> RunRequest:
    """Return the run that a call asks for.

    Raises:
        UsageError: An argument can't be.
    """
    formats, out, cluster = keywords.get("formats"), keywords.get("out"), keywords.get("cluster")
    return RunRequest(
        plan,
        environ=_environ(keywords),
        selection=selection_of(keywords),
        seed=_seed(keywords.get("seed")),
        labels={name: str(value) for name, value in keywords.get("labels", {}).items()},
        formats=None if formats is None else texts_of(formats),
        directory=None if out is None else Path(out),
        tolerate=_tolerate(keywords.get("tolerate", 0)),
        workers=_workers(keywords.get("workers"), plan, cluster),
        cluster=None if cluster is None else ClusterWanted(cluster),
        strict=keywords.get("strict", False),
        show_secrets=keywords.get("show_secrets", False),
        notify=keywords.get("notify", True),
        stop=stop,
    )


def load_plan(
    path: AnyPath,
    keywords: PlanKeywords,
    *,
    need_secrets: bool,
    text: str | None = None,
    functions: Mapping[str, PlanFunction] | None = None,
    names: ArgumentNames | None = None,
) -> CheckedPlan:
    """Load the plan in a file as a call asks for.

    Args:
        path: The file; what the plan names is relative to its directory.
        keywords: Those of the call.
        need_secrets: Whether a required secret must have a value.
        text: What the file would have; None to read it.
        functions: What stands in it in the place of steps.
        names: What its places are called, if Python wrote the text.

    Raises:
        PlanError: The plan or a value for it is invalid.
        UsageError: An argument can't be.
    """
    defaults = keywords.get("defaults")
    with named_as_arguments():
        plan = load(
            path,
            overrides=_params(keywords),
            environment=keywords.get("env"),
            environ=_environ(keywords),
            need_secrets=need_secrets,
            changes=_changes(keywords),
            folders=_folders(keywords, Path(path).parent),
            defaults=None if defaults is None else os.fspath(defaults),
            text=text,
            functions=functions,
            arguments=names,
        )
        return _allowed(plan, keywords)


def selection_of(keywords: PlanKeywords) -> PlanSelection:
    """Return which parts of the plan a call asks for."""
    return PlanSelection(
        profile=keywords.get("profile"),
        phases=texts_of(keywords.get("phase", ())),
        cases=texts_of(keywords.get("case", ())),
        users=texts_of(keywords.get("user", ())),
        tasks=texts_of(keywords.get("task", ())),
        tags=texts_of(keywords.get("tag", ())),
        skip_tags=texts_of(keywords.get("skip_tag", ())),
    )


def rate_text(rate: float | str | None) -> str:
    """Return a rate as plans have it; a bare number is per second, None is empty."""
    if rate is None:
        return ""
    return rate if isinstance(rate, str) else f"{rate}/s"


def _allowed(plan: CheckedPlan, keywords: PlanKeywords) -> CheckedPlan:
    if keywords.get("no_exec", False) and (found := find_commands(plan)):
        raise PlanError(found)
    return plan


def _changes(keywords: PlanKeywords) -> Changes:
    users, stages = keywords.get("users"), keywords.get("stages", ())
    overrides = keywords.get("override", {})
    return Changes(
        overrides=tuple(f"{path}={json.dumps(_plain(value))}" for path, value in overrides.items()),
        host=keywords.get("host", ""),
        users="" if users is None else str(users),
        rate=rate_text(keywords.get("rate")),
        hold=_duration(keywords.get("hold")),
        spawn_rate=rate_text(keywords.get("spawn_rate")),
        stages=", ".join(texts_of(stages)),
        profile=keywords.get("profile"),
        phases=texts_of(keywords.get("phase", ())),
        outputs=tuple(_written_outputs(_outputs(keywords))),
    )


def own_outputs(keywords: CallKeywords) -> tuple[Output, ...]:
    """Return the outputs of a call that are objects of the caller."""
    return tuple(each for each in _outputs(keywords) if not isinstance(each, str | Mapping))


def _outputs(keywords: Mapping[str, Any]) -> Sequence[OutputLike]:
    given = keywords.get("outputs", ())
    return [given] if isinstance(given, str | Mapping) else given


def _written_outputs(outputs: Sequence[OutputLike]) -> Iterator[str]:
    """Yield those that are not objects, as `--output` has them."""
    for each in outputs:
        if isinstance(each, str):
            yield each
        elif isinstance(each, Mapping):
            for name, settings in each.items():
                yield f"{name}={json.dumps(settings, default=_plain)}"


def _duration(hold: TimeLike | None) -> str:
    if hold is None or isinstance(hold, str):
        return hold or ""
    return write_duration(nanoseconds(hold, "hold"))


def _params(keywords: PlanKeywords) -> dict[str, str]:
    return {name: _as_text(value) for name, value in keywords.get("params", {}).items()}


def _as_text(value: object) -> str:
    """Return a value as `--set` has it."""
    value = _plain(value)
    if isinstance(value, str):
        return value
    text = json.dumps(value, ensure_ascii=False, default=str)
    return BareNumber(text) if type(value) in (int, float) else text


def _plain(value: object) -> Any:  # noqa: ANN401 - what JSON has
    """Return a value as plans have it."""
    if isinstance(value, timedelta | Elapsed):
        return write_duration(nanoseconds(value, "params"))
    if isinstance(value, bool):
        return value
    if isinstance(value, Real):  # numpy has numbers of its own
        return int(value) if isinstance(value, Integral) else float(value)
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _environ(keywords: PlanKeywords) -> dict[str, str]:
    files = _paths(keywords.get("env_file", ()))
    if not files:
        return dict(os.environ)
    from planrunner.plan.params.env_file import read_env_file  # noqa: PLC0415 - seldom used

    found: dict[str, str] = {}
    for file in files:
        found.update(read_env_file(file))
    return {**found, **os.environ}


def _folders(keywords: PlanKeywords, own: Path) -> Folders:
    more = _paths(keywords.get("allow_read", ()))
    if keywords.get("no_exec", False):
        return Folders.below([own, *more])
    if more:
        hint = "add no_exec=True: without it, a plan may read any file"
        raise UsageError("allow_read needs no_exec", hint=hint)
    return ANYWHERE


def texts_of(given: NameOrNames) -> tuple[str, ...]:
    """Return what an argument has that may be one text or several."""
    return (given,) if isinstance(given, str) else tuple(given)


def _paths(given: AnyPath | Sequence[AnyPath]) -> tuple[Path, ...]:
    one = isinstance(given, str | os.PathLike)
    paths = [cast("AnyPath", given)] if one else cast("Sequence[AnyPath]", given)
    return tuple(Path(path) for path in paths)


def _seed(seed: int | None) -> int | None:
    if seed is not None and seed < 0:
        raise UsageError(f"seed: `{seed}` is negative", hint="give a whole number from 0 on")
    return seed


def _tolerate(lost: int) -> int:
    if lost < 0:
        raise UsageError(f"tolerate: `{lost}` is negative", hint="give a whole number from 0 on")
    return lost


def _workers(workers: int | str | None, plan: CheckedPlan, cluster: str | None) -> int:
    if workers is None:
        workers = 1 if cluster is None else "auto"
    if plan.bundle.functions and workers != 1:
        functions = ", ".join(f"`{one.name}`" for one in plan.bundle.functions.values())
        raise UsageError(
            f"workers: {functions} can only run in the process that made the plan",
            hint="leave `workers` at 1, or write what it does as steps",
        )
    if workers == "auto":
        return available_processors() if cluster is None else 0
    if isinstance(workers, int) and 1 <= workers <= _MOST_WORKERS:
        return workers
    hint = f'give a number from 1 to {_MOST_WORKERS}, or "auto"'
    raise UsageError(f"workers: `{workers}` is not a number of workers", hint=hint)
