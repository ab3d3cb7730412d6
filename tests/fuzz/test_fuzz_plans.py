"""Plans of strangers: `validate` and `explain` end, and say what is wrong where it is."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from hypothesis import strategies as st

from planrunner.cli.plan_options import PlanOptions, load_plan
from planrunner.compiler import compile_plan
from planrunner.explain.explain import explain_text
from planrunner.explain.graph_views import graph_dot, graph_json, graph_mermaid, graph_text
from planrunner.language.diagnostics import Diagnostic, PlanError, render
from planrunner.plan.yaml.document import parse
from tests.support.fuzzing import bounded, fuzz
from tests.support.mutations import mutated_text, mutated_tree

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [ROOT / "plans", ROOT / "tests" / "examples"]
FILES = [file for folder in FOLDERS for file in sorted(folder.glob("*.yaml"))]
PAIRS = sorted((ROOT / "tests" / "golden" / "diagnostics").glob("*.yaml"))
EXPLAINED = sorted((ROOT / "tests" / "golden" / "explain").glob("*.yaml"))
OUTSIDE = "outside.yaml"

VALID = [path.read_text("utf-8") for path in (*FILES, *EXPLAINED)]
FAULTY = [
    path.read_text("utf-8", "surrogateescape")
    for path in PAIRS
    if path.stat().st_size < 20_000  # bombs have tests of their own
]
TREES = [dict(parse(path.read_text("utf-8"), path.name).data) for path in (*FILES, *EXPLAINED)]
# fmt: off
PIECES = [
    *"{}[]:,'\"#&*!|>%@`-?\t\r\0~", "${", "}", "{{", "}}", "\n", "\n  ", "  ", "- ", ": ", "<<: ",
    "null", "true", "0", "-1", "1e999", ".nan", "9" * 20, "\u202e", "\x1b[31m", "\ufeff", "\ud7ff",
    "&a ", "*a", "!!python/object:x ", "!!binary ", "---\n", "...\n", "? ", "|2-\n",
    "get: /\n", "exec: [/bin/true]\n", "users: 10\n", "users:\n", "5s", "100/s", "50%", "1 MB",
    f"../{OUTSIDE}", "/etc/hostname", "/dev/zero", ".", "imports: [../outside.yaml]\n",
    "body_file: /etc/hostname\n", "${1/0}", "${ rand.int(1, 5) }", "${a.b[0]}", "x" * 300,
]
# fmt: on
VALUES = st.one_of(
    st.sampled_from([piece.strip() for piece in PIECES]),
    st.sampled_from([None, True, 0, -1, 1, 10**12, 0.5, 1e300, "", [], {}, [[]], {"get": "/"}]),
    st.text(max_size=10),
    st.integers(),
)


def as_plan(tree: object) -> str:
    """Return a tree as YAML: JSON is, with a line for each value."""
    return json.dumps(tree, indent=1, default=str)


def opened_outside(folder: Path) -> list[str]:
    return [path for path in OPENED if path in (str(folder.parent / OUTSIDE), "/etc/hostname")]


OPENED: list[str] = []


def note_opened(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str):
        OPENED.append(arguments[0])


sys.addaudithook(note_opened)


@fuzz(
    st.one_of(
        mutated_text(VALID, PIECES, slips=2),
        mutated_text([*VALID, *FAULTY], PIECES),
        mutated_tree(st.sampled_from(TREES), VALUES, slips=2).map(as_plan),
    ),
    examples=40,
)
def test_a_plan_is_explained_or_its_faults_have_places(text: str, folder: Path) -> None:
    """Nothing but a `PlanError`, within seconds, and no file outside the folder is read."""
    plans = folder / "plans"
    if not plans.exists():
        for original in FOLDERS:
            shutil.copytree(original, plans, dirs_exist_ok=True)
        (folder / OUTSIDE).write_text("flows: {secret: [{get: /secret}]}\n")
    path = plans / "fuzzed.yaml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    OPENED.clear()

    with bounded(5):
        faults = explain_or_refuse(path)

    assert opened_outside(plans) == []
    for fault in faults:
        check(fault, {str(path): text})


def explain_or_refuse(path: Path) -> tuple[Diagnostic, ...]:
    try:
        plan = load_plan(path, PlanOptions(no_exec=True), need_secrets=False)
        graph = compile_plan(plan)
    except PlanError as error:
        return error.diagnostics
    for view in (explain_text, graph_text, graph_json, graph_mermaid, graph_dot):
        assert view(graph)
    return ()


def check(fault: Diagnostic, texts: dict[str, str]) -> None:
    """Assert that a fault lies in its file, and that people can read it."""
    span = fault.span
    text = texts.get(span.file)
    if text is None:
        text = Path(span.file).read_text("utf-8")
    lines = text.count("\n") + text.count("\r") + 1

    assert 1 <= span.line <= span.end_line <= lines
    assert span.column >= 1
    assert fault.message
    assert all(line.isprintable() for line in render(fault).split("\n"))
