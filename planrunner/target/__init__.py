"""The system under test: what a plan starts and watches, and whether it answers before any load."""

from __future__ import annotations

from planrunner.target.ports import free_port
from planrunner.target.preflight import check_own, check_reachable
from planrunner.target.service import RunningService, ServiceContext, mask_log, start_services

__all__ = [
    "RunningService",
    "ServiceContext",
    "check_own",
    "check_reachable",
    "free_port",
    "mask_log",
    "start_services",
]
