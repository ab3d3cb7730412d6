"""The system under test: services that a plan starts, and whether it answers before any load."""

from __future__ import annotations

from planrunner.target.preflight import check_reachable
from planrunner.target.service import DemoService, free_port, start_services

__all__ = ["DemoService", "check_reachable", "free_port", "start_services"]
