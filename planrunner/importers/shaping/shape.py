"""All passes over a draft, in their order."""

from __future__ import annotations

from planrunner.importers.draft import DraftPlan
from planrunner.importers.shaping.flows import share_flows
from planrunner.importers.shaping.headers import share_headers
from planrunner.importers.shaping.hosts import share_host
from planrunner.importers.shaping.ids import fold_ids
from planrunner.importers.shaping.load import give_load
from planrunner.importers.shaping.secrets import hide_secrets
from planrunner.importers.shaping.sound.addresses import sound_addresses
from planrunner.importers.shaping.sound.blocks import sound_blocks
from planrunner.importers.shaping.sound.bodies import move_long_bodies
from planrunner.importers.shaping.sound.names import sound_names
from planrunner.importers.shaping.sound.schemas import sound_schemas
from planrunner.importers.shaping.sound.texts import sound_params, sound_texts
from planrunner.loss.ledger import Ledger

__all__ = ["shape"]


def shape(draft: DraftPlan, ledger: Ledger) -> None:
    """Make a draft the plan that a person would keep; formats need not care for any of this."""
    sound_blocks(draft, ledger)
    sound_texts(draft, ledger)
    sound_params(draft, ledger)
    sound_addresses(draft, ledger)
    sound_schemas(draft, ledger)
    hide_secrets(draft, ledger)
    share_host(draft)
    fold_ids(draft)
    share_headers(draft)
    share_flows(draft)
    move_long_bodies(draft)
    sound_names(draft)
    give_load(draft)
