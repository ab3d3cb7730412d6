"""The kinds of names that a plan has, and one place where a text has such a name."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from planrunner.plan.yaml.document import PlanPath

__all__ = ["NameKind", "Occurrence", "OccurrenceForm"]


class NameKind(StrEnum):
    """What a name is of; the value is the word for it."""

    PARAM = "param"
    ENVIRONMENT = "environment"
    CASE = "case"
    DATA = "data source"
    COLUMN = "column"
    FILE = "file"
    POOL = "pool"
    FLOW = "flow"
    ARGUMENT = "argument"
    USER = "user class"
    TASK = "task"
    REQUEST = "request"
    GROUP = "group"
    TAG = "tag"
    SERVICE = "service"
    MONITOR = "monitor"
    METRIC = "metric"
    PROFILE = "profile"
    PHASE = "phase"
    STAGE = "stage"
    CONNECTION = "connection"
    DATABASE = "database"
    BARRIER = "barrier"
    FUNCTION = "function"
    METHOD = "method"
    VARIABLE = "variable"
    EXPRESSION = "name in an expression"
    """Any of those that expressions read; which one is known when all files of a plan are."""


class OccurrenceForm(StrEnum):
    """How a name is written."""

    PLAIN = "plain"
    SENTENCE = "sentence"
    """In a threshold, where some names need quotes."""
    DERIVED = "derived"
    """It follows from something else, such as the URL of a request."""


class Occurrence(NamedTuple):
    """A place where a text has a name.

    Attributes:
        scope: What the name belongs to: a class for variables, a flow for arguments, a data source
            for columns; empty for the whole plan.
        start, end: Where the name stands in the text, without quotes; in a threshold, with them.
        path: The value that it is in, or the key that it is.
    """

    kind: NameKind
    name: str
    scope: str
    start: int
    end: int
    is_definition: bool
    path: PlanPath
    form: OccurrenceForm = OccurrenceForm.PLAIN
