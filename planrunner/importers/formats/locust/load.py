"""Shapes and settings of a Locust run → phases."""

from __future__ import annotations

import ast
import re
from typing import Final

from planrunner.importers.draft import DraftPhase, DraftPlan, Keys
from planrunner.importers.formats.locust.code.module import LocustModule
from planrunner.importers.sources import SourceFile
from planrunner.loss.ledger import Ledger

__all__ = ["read_conf", "read_shapes"]

_LINE: Final = re.compile(r"^\s*([\w-]+)\s*=\s*(.*?)\s*$")
_IGNORED: Final = (
    "locustfile",
    "headless",
    "html",
    "csv",
    "only-summary",
    "loglevel",
    "logfile",
    "master",
    "worker",
    "autostart",
    "web-host",
    "web-port",
    "print-stats",
)


def read_shapes(module: LocustModule, draft: DraftPlan) -> None:
    """Add a phase for the first shape whose stages are a list; others are left out."""
    for node in module.classes.values():
        if not any(module.full_name(base).endswith("LoadTestShape") for base in node.bases):
            continue
        stages = _stages(node)
        made = _phase(stages) if stages and not draft.phases else None
        if made is None:
            module.leave_out("write the levels of this shape as `stages`", node)
        else:
            module.accept(node)
            made.origin = module.place(node)
            draft.phases.append(made)


def _stages(node: ast.ClassDef) -> list[dict[str, float]]:
    """Return the stages of the usual shape: each ends at `duration` seconds from the start."""
    if "run_time < stage" not in ast.unparse(node) and "run_time <= stage" not in ast.unparse(node):
        return []
    for one in node.body:
        if isinstance(one, ast.Assign) and isinstance(one.value, ast.List):
            try:
                found = ast.literal_eval(one.value)
            except ValueError:
                return []
            if all(
                isinstance(each, dict) and {"duration", "users"} <= each.keys() for each in found
            ):
                return list(found)
    return []


def _phase(stages: list[dict[str, float]]) -> DraftPhase | None:
    made: list[Keys] = []
    begin = level = 0.0
    for stage in stages:
        length, users = stage["duration"] - begin, float(stage["users"])
        if length <= 0:
            return None
        ramp = min(length, abs(users - level) / max(stage.get("spawn_rate", 1), 0.001))
        made.append({"duration": f"{ramp:g}s", "users": int(users)})
        if length > ramp:
            made.append({"duration": f"{length - ramp:g}s", "users": int(users)})
        begin, level = stage["duration"], users
    return DraftPhase({"name": "shape", "stages": made})


def read_conf(file: SourceFile, draft: DraftPlan, ledger: Ledger) -> None:
    """Read a locust.conf: users, spawn rate, time and host."""
    found: dict[str, str] = {}
    for number, line in enumerate(file.text.split("\n"), 1):
        pair = _LINE.match(line)
        if pair is None or line.lstrip().startswith(("#", "[", ";")):
            continue
        construct = ledger.add("key", pair[1], file.place(number))
        name, text = pair[1], pair[2].strip("\"'")
        if name in ("users", "spawn-rate", "run-time", "host"):
            found[name] = text
            construct.translated()
        elif name in _IGNORED:
            construct.translated()
        else:
            construct.left_out("see `planrunner execute --help`")
    if "host" in found:
        draft.http["base_url"] = found["host"]
    if "users" in found and not draft.phases:
        keys: Keys = {"users": int(found["users"]), "hold": _duration(found.get("run-time", "60"))}
        if "spawn-rate" in found:
            keys["spawn_rate"] = f"{found['spawn-rate']}/s"
        draft.phases.append(DraftPhase(keys))


def _duration(text: str) -> str:
    return f"{text}s" if text.isdigit() else text.replace(" ", "")
