"""Which values of a plan name files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["file_endings"]

_SLOTS: Final[Mapping[str, tuple[str, ...]]] = {
    "Plan.imports[]": (".yaml", ".yml"),
    "Plan.hooks": (".py",),
    "Data.csv": (".csv", ".tsv", ".txt", ".gz"),
    "Data.json": (".json",),
    "Data.jsonl": (".jsonl", ".ndjson"),
    "Data.parquet": (".parquet",),
    "Data.avro": (".avro",),
    "Graphql.file": (".graphql", ".gql"),
    "Grpc.proto[]": (".proto",),
    "SqlQuery.file": (".sql",),
    "Phase.script": (),
    "Expect.schema": (".json",),
    "StepExpect.schema": (".json",),
    "MultipartPart.file": (),
    "WsSend.file": (),
    "Http.ca": (".pem", ".crt"),
    "Certificate.cert": (".pem", ".crt"),
    "Certificate.key": (".pem", ".key"),
}
"""The values that name files, and how their names end; any when nothing is given."""

_BODY: Final = re.compile(r"\w+\.body_file")


def file_endings(slot: str) -> tuple[str, ...] | None:
    """Return how the names of files end that a value may name; None for a value that names none."""
    return _SLOTS.get(slot, () if _BODY.fullmatch(slot) else None)
