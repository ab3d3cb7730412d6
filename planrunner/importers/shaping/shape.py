"""All passes over a draft, in their order."""

from __future__ import annotations

from planrunner.importers.draft import DraftPlan
from planrunner.importers.shaping.hosts import share_host
from planrunner.importers.shaping.load import give_load
from planrunner.loss.ledger import Ledger

__all__ = ["shape"]


def shape(draft: DraftPlan, ledger: Ledger) -> None:
    """Make a draft the plan that a person would keep; formats need not care for any of this."""
    del ledger
    share_host(draft)
    give_load(draft)
