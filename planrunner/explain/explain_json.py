"""What a plan would do, as JSON: the facts of `explain` for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from planrunner.explain.explain import all_steps, class_counts, explain_text, stage_ends
from planrunner.explain.forecast import forecast
from planrunner.explain.graph_views import graph_json
from planrunner.explain.plan_names import names_by_kind
from planrunner.explain.senders import hosts_by_channel
from planrunner.graph.loads import any_open_ended
from planrunner.graph.run_graph import PhaseNode, RunGraph, UserProgram
from planrunner.language.secrets import Masker
from planrunner.metrics.thresholds.words import describe
from planrunner.plan.loader import CheckedPlan
from planrunner.units import NS_PER_S

__all__ = ["explain_json"]

_FORM: Final = 1
"""Of the document: rises when what a key means changes."""


def explain_json(plan: CheckedPlan, graph: RunGraph) -> str:
    """Return the explanation as a JSON document, secrets masked; times are in seconds.

    `graph` is what `--graph json` prints, with durations in nanoseconds; `text` what is printed
    without `--json`.
    """
    is_open = any_open_ended(phase.load for phase in graph.phases)
    facts: dict[str, Any] = {
        "format_version": _FORM,
        "plan": graph.name,
        "file": graph.source,
        "description": graph.description,
        "seed": None if graph.seed_was_drawn else graph.seed,
        "profile": graph.profile,
        "profile_reason": graph.profile_reason,
        "duration_s": None if is_open else graph.planned_ns / NS_PER_S,
        "hosts": hosts_by_channel(graph, all_steps(graph)),
        "phases": [_phase(graph, phase) for phase in graph.phases],
        "users": [_user(user) for user in graph.users],
        "thresholds": [
            {"level": one.level.value, "text": one.text, "means": describe(one), "at": one.place}
            for one in graph.thresholds
        ],
        "results": list(forecast(graph)),
        "notices": list(graph.notices),
        "names": names_by_kind(plan, graph.profile or None),
        "text": explain_text(graph),
        "graph": json.loads(graph_json(graph)),
    }
    return Masker(graph.secrets)(json.dumps(facts, indent=2, ensure_ascii=False))


def _phase(graph: RunGraph, phase: PhaseNode) -> dict[str, Any]:
    load = phase.load
    return {
        "name": phase.name,
        "load": list(load.words()),
        "starts_at_s": None if phase.start_at_ns is None else phase.start_at_ns / NS_PER_S,
        "duration_s": None if load.is_open_ended else load.planned_ns / NS_PER_S,
        "warmup_s": phase.warmup_ns / NS_PER_S,
        "graceful_stop_s": phase.graceful_stop_ns / NS_PER_S,
        "most_users": load.most_users,
        "peak_rate_per_s": float(load.peak_rate) if load.has_due_times else None,
        "users_at": _users_at(graph, phase),
        "params": dict(phase.params),
    }


def _users_at(graph: RunGraph, phase: PhaseNode) -> list[Mapping[str, Any]]:
    """Return the users of each class at the end of each stage; none where users come and go."""
    if not phase.load.population:
        return []
    return [
        {"at_s": moment / NS_PER_S, "users": class_counts(graph, phase, moment)}
        for moment in stage_ends(phase)
    ]


def _user(user: UserProgram) -> dict[str, Any]:
    shares = zip(user.tasks, user.task_shares(), strict=True)
    return {
        "name": user.name,
        "weight": user.weight,
        "count": user.count,
        "tasks": [{"name": task.name, "share_percent": 100 * share} for task, share in shares],
    }
