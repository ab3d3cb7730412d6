"""Threshold sentences: what they are, how a text becomes one, and how one becomes words again."""

from __future__ import annotations

from planrunner.metrics.amounts import Unit
from planrunner.metrics.thresholds.model import (
    DEFAULT_SENTENCE,
    Abort,
    Metric,
    OnNoData,
    Operator,
    Ratio,
    Threshold,
    ThresholdLevel,
    ThresholdScope,
    ThresholdSyntaxError,
    ThresholdValue,
    Window,
)
from planrunner.metrics.thresholds.parser import parse_threshold
from planrunner.metrics.thresholds.words import describe

__all__ = [
    "DEFAULT_SENTENCE",
    "Abort",
    "Metric",
    "OnNoData",
    "Operator",
    "Ratio",
    "Threshold",
    "ThresholdLevel",
    "ThresholdScope",
    "ThresholdSyntaxError",
    "ThresholdValue",
    "Unit",
    "Window",
    "describe",
    "parse_threshold",
]
