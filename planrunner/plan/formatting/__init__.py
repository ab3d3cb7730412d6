"""The one style of plans: text in, text that means the same out."""

from planrunner.plan.formatting.formatter import format_plan
from planrunner.plan.formatting.printer import WIDTH

__all__ = ["WIDTH", "format_plan"]
