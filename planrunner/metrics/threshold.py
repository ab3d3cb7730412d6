"""Thresholds for the other packages: what they are, and how a sentence becomes one."""

from __future__ import annotations

from planrunner.metrics.threshold_model import (
    DEFAULT_SENTENCE,
    Abort,
    Agg,
    Level,
    Metric,
    OnNoData,
    Operator,
    Ratio,
    Scope,
    Threshold,
    ThresholdSyntaxError,
    Window,
)
from planrunner.metrics.threshold_parser import parse_threshold
from planrunner.metrics.threshold_value import Unit, Value
from planrunner.metrics.threshold_words import describe

__all__ = [
    "DEFAULT_SENTENCE",
    "Abort",
    "Agg",
    "Level",
    "Metric",
    "OnNoData",
    "Operator",
    "Ratio",
    "Scope",
    "Threshold",
    "ThresholdSyntaxError",
    "Unit",
    "Value",
    "Window",
    "describe",
    "parse_threshold",
]
