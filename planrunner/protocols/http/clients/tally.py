"""What a client counts of itself beside its replies."""

from __future__ import annotations

from planrunner.protocols.telling_clients import ClientAccount
from planrunner.values import dataclass

__all__ = ["Tally"]


@dataclass(slots=True)
class Tally:
    """Counts of all users of a client; see `ClientAccount`."""

    surplus_replies: int = 0
    queued_ns: int = 0
    latency_ns: int = 0

    def account(self) -> ClientAccount:
        return ClientAccount(self.surplus_replies, self.queued_ns, self.latency_ns)
