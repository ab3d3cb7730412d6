"""Runs a mapping, and compares what it does with what the original is known to do."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace

from planrunner.compiler import compile_plan
from planrunner.graph.run_graph import PhaseNode
from planrunner.plan.loader import load
from planrunner.units import NS_PER_S, write_duration
from tests.support.coming_from.cases import Case
from tests.support.coming_from.pages import Mapped
from tests.support.coming_from.plans import EXAMPLE, plan_of
from tests.support.http_servers import HttpServer, Request
from tests.support.plans import Ended, PlanProject

__all__ = ["check"]


def check(mapped: Mapped, case: Case, project: PlanProject, server: HttpServer) -> None:
    """Run a mapping, and compare what it does with what the original is known to do."""
    project.write(case.files)
    if mapped.place == "in `planrunner.yaml`":
        project.write({"planrunner.yaml": mapped.text})
    path = project.directory / "plan.yaml"
    path.write_text(plan_of(mapped, case, server.url), "utf-8")
    if case.load:
        graph = compile_plan(load(path, environ=dict(os.environ)))
        assert "\n".join(map(_load_of, graph.phases)) == case.load
    if case.sent or not case.load:
        ended = project.run(*_command(mapped, server.url))
        _compare(ended, case, server)
    if case.broken_by:
        unacceptable = replace(case, url=case.broken_by)
        path.write_text(plan_of(mapped, unacceptable, server.url), "utf-8")
        ended = project.run(*_command(mapped, server.url), "--out", "broken")
        [found] = ended.metrics["expectations"]
        assert found["broken"] == 1
        assert ended.code == (0 if found["is_soft"] else 1), ended.out


def _load_of(phase: PhaseNode) -> str:
    """Return what `explain` says of a phase's load."""
    said = "; ".join(phase.load.words())
    if phase.start_at_ns is not None:
        said += f"; from {write_duration(phase.start_at_ns)} on"
    if phase.graceful_stop_ns != 30 * NS_PER_S:
        said += f"; graceful stop: {write_duration(phase.graceful_stop_ns)}"
    return said


def _command(mapped: Mapped, url: str) -> list[str]:
    """Return the words of the command line, those of a mapping with times of 50 ms."""
    if mapped.place != "on the command line":
        return ["execute", "plan.yaml", "--out", "run", "--formats", "metrics.json"]
    shorter = re.sub(r"\b\d+[smh](?=[ :,\"]|$)", "50ms", mapped.text)
    program, *words = shlex.split(shorter.replace(EXAMPLE, url))
    assert program == "planrunner"
    return words


def _compare(ended: Ended, case: Case, server: HttpServer) -> None:
    shown = f"{ended.out}\n{ended.err}"
    assert ended.code == case.code, shown
    assert case.prints in shown
    if case.sent:
        _compare_requests(case, server.requests)
    totals = [name for name in ended.files if name.endswith("metrics.json")]
    if totals and case.failed is not None:
        assert ended.metrics["totals"]["failed_requests"] == case.failed, shown
    if case.judged:
        first = ended.metrics["judgements"][0]
        assert f"{first['verdict']} {first['observed']}".startswith(case.judged), first
    if case.users:
        assert [load["requested"] for load in ended.metrics["loads"]] == [case.users]
    if case.connections:
        assert len({request.connection for request in server.requests}) == case.connections


def _compare_requests(case: Case, requests: Sequence[Request]) -> None:
    left = list(requests)
    for line in case.sent:
        if line.endswith(" …"):
            while left and _fits(line.removesuffix(" …"), left[0]):
                left.pop(0)
            continue
        fitting = [one for one in (left if case.in_any_order else left[:1]) if _fits(line, one)]
        assert fitting, f"{line}\n" + "\n".join(_described(one, line) for one in requests)
        left.remove(fitting[0])
    assert [_described(one, "") for one in left] == []


def _fits(line: str, request: Request) -> bool:
    pattern = ".*".join(re.escape(part) for part in line.split("*"))
    return bool(re.fullmatch(pattern, _described(request, line), re.DOTALL))


def _described(request: Request, line: str) -> str:
    """Return a request as `line` says one, with the headers that it names."""
    names = re.findall(r"\[([\w-]+): ", line)
    said = [f"[{name}: {request.headers.get(name.lower(), '-')}]" for name in names]
    body = request.body.decode("utf-8", "replace")
    return " ".join([request.method, request.target, *said, *([body] if body else [])])
