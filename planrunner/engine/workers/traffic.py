"""How much a worker has sent and received: what says how much of the load it carried."""

from __future__ import annotations

from planrunner.metrics.snapshot import Snapshot
from planrunner.values import dataclass

__all__ = ["Traffic"]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Totals since the start of the run, warm-ups included."""

    requests: int = 0
    received_bytes: int = 0
    sent_bytes: int = 0

    def plus(self, snapshot: Snapshot) -> Traffic:
        """Return the totals after a further interval."""
        requests, received, sent = self.requests, self.received_bytes, self.sent_bytes
        for labels, delta in snapshot.deltas.items():
            if labels.kind == "request":
                requests += delta.count
                received += delta.received
                sent += delta.sent
        return Traffic(requests, received, sent)
