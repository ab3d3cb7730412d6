"""Threshold sentences: what they are, how a text becomes one, and how one becomes words again."""

from __future__ import annotations

from planrunner.metrics.thresholds.model import (
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
from planrunner.metrics.thresholds.parser import parse_threshold
from planrunner.metrics.thresholds.value import Unit, Value
from planrunner.metrics.thresholds.words import describe

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
