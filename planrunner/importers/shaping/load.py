"""A load for a draft whose original says nothing about one."""

from __future__ import annotations

from planrunner.importers.draft import DraftPhase, DraftPlan

__all__ = ["give_load"]


def give_load(draft: DraftPlan) -> None:
    """Give a draft without phases the smallest load, and say that it is to be chosen."""
    if not draft.phases and not {"stages", "profiles"} & draft.extra.keys():
        note = "the original says nothing about load: choose your users and how long"
        draft.phases.append(DraftPhase({"users": 1, "hold": "30s"}, notes=[note]))
