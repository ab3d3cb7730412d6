"""JMeter: a test plan for version 5.6, without plug-ins."""

from __future__ import annotations

from typing import Final

from planrunner.exporters.contract import Exporter

__all__ = ["EXPORTER"]

EXPORTER: Final = Exporter(
    name="jmeter",
    title="a test plan of JMeter",
    comment="#",
    writer="planrunner.exporters.jmx.writer:write",
)
