"""What a plan author sees in an editor, from the real yaml-language-server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.language_server import CURSOR, LanguageServer, yaml_language_server

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "schema" / "plan.schema.json"
SERVER = "yaml-language-server/bin/yaml-language-server"

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PLANS = [
    *sorted((ROOT / "plans").glob("*.yaml")),
    *sorted((ROOT / "planrunner" / "plan" / "templates").glob("*.yaml")),
    *sorted((ROOT / "tests" / "examples").glob("*.yaml")),
]


@pytest.fixture(scope="module")
def server() -> Iterator[LanguageServer]:
    named = os.environ.get("PLANRUNNER_YAML_LS")
    script = Path(named) if named else ROOT / ".tools" / "node_modules" / SERVER
    if not script.exists():
        reason = f"{script} is missing: run `make editor-tools`"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with yaml_language_server(script, SCHEMA) as started:
        yield started


CLASS = "name: x\nusers:\n  Visitor:\n"
STEPS = f"{CLASS}    steps:\n      - "

PLACES = [
    ("at the root", f"name: x\n{CURSOR}", "params http services users stages phases thresholds"),
    ("in http", f"name: x\nhttp:\n  {CURSOR}", "base_url headers timeout verify auth"),
    ("in a param", f"name: x\nparams:\n  port:\n    {CURSOR}", "type default env secret help"),
    ("type of a param", f"name: x\nparams:\n  port:\n    type: {CURSOR}", "int duration rate url"),
    ("in a service", f"name: x\nservices:\n  api:\n    {CURSOR}", "run demo port ready monitor"),
    ("in ready", f"name: x\nservices:\n  a:\n    ready:\n      {CURSOR}", "get tcp log every"),
    ("in data", f"name: x\ndata:\n  accounts:\n    {CURSOR}", "csv json list per order unique"),
    ("order of data", f"name: x\ndata:\n  a:\n    order: {CURSOR}", "sequential random shuffle"),
    ("in a user", f"{CLASS}    {CURSOR}", "weight wait pace state on_start tasks steps"),
    ("new task", f"{CLASS}    tasks:\n      - {CURSOR}", "task get post weight needs etcd.put"),
    ("in a task", f"{CLASS}    tasks:\n      - task: a\n        {CURSOR}", "weight tags steps"),
    ("new step", f"{STEPS}{CURSOR}", "get post think set group if foreach poll call etcd.get"),
    ("beside a verb", f"{STEPS}get: /\n        {CURSOR}", "name query headers json expect extract"),
    ("in expect", f"{STEPS}get: /\n        expect:\n          {CURSOR}", "status time json schema"),
    (
        "in extract",
        f"{STEPS}get: /\n        extract:\n          id:\n            {CURSOR}",
        "jsonpath regex css header cookie index",
    ),
    ("in group", f"{STEPS}group: a\n        do:\n          - {CURSOR}", "get think set"),
    ("in on_start", f"{CLASS}    on_start:\n      - {CURSOR}", "get post call"),
    ("in etcd.put", f"{STEPS}etcd.put:\n          {CURSOR}", "key value lease expect"),
    ("what to stop", f"{STEPS}stop: {CURSOR}", "iteration user phase plan"),
    ("new stage", f"name: x\nstages:\n  - {CURSOR}", "duration users rate name"),
    ("in a stage", f"name: x\nstages:\n  - duration: 1m\n    {CURSOR}", "users rate name"),
    ("new phase", f"name: x\nphases:\n  - {CURSOR}", "users ramp_up hold rate iterations search"),
    ("phase of a profile", f"name: x\nprofiles:\n  a:\n    - {CURSOR}", "users rate stages hold"),
    ("in search", f"name: x\nphases:\n  - search:\n      {CURSOR}", "vary from to step hold slo"),
    ("new threshold", f"name: x\nthresholds:\n  - {CURSOR}", "warn fail metric"),
    (
        "metric of a threshold",
        f"name: x\nthresholds:\n  - metric: {CURSOR}",
        "avg p95 stddev error_rate apdex",
    ),
    ("in report", f"name: x\nreport:\n  {CURSOR}", "dir formats samples"),
    (
        "formats",
        f"name: x\nreport:\n  formats:\n    - {CURSOR}",
        "metrics.json report.html junit.xml",
    ),
]


@pytest.mark.parametrize(
    ("text", "wanted"), [place[1:] for place in PLACES], ids=[place[0] for place in PLACES]
)
def test_keys_are_offered(server: LanguageServer, text: str, wanted: str) -> None:
    """At each place the keys that can stand there."""
    offered = {item["label"] for item in server.complete(text)}

    assert set(wanted.split()) <= offered


def test_only_what_fits_is_offered(server: LanguageServer) -> None:
    """Keys of other mappings are not."""
    offered = {item["label"] for item in server.complete(f"{CLASS}    {CURSOR}")}

    assert offered.isdisjoint({"get", "think", "hold", "duration", "base_url", "phases"})


@pytest.mark.parametrize(
    ("text", "offered", "others"),
    [
        (f"{STEPS}get: /\n        {CURSOR}", "expect extract when", "post think do"),
        (f"{STEPS}group: a\n        {CURSOR}", "do on_error when", "get expect name"),
        (f"{STEPS}think: 1s\n        {CURSOR}", "when", "get expect do"),
        (f"{STEPS}etcd.put: {{key: a}}\n        {CURSOR}", "when", "etcd.get expect"),
        (
            f"{CLASS}    tasks:\n      - get: /\n        {CURSOR}",
            "weight task expect",
            "post steps",
        ),
    ],
)
def test_an_action_brings_its_own_keys_alone(
    server: LanguageServer, text: str, offered: str, others: str
) -> None:
    """Other actions, and snippets that begin with one, would make the step invalid."""
    items = [item["label"] for item in server.complete(text)]

    assert set(offered.split()) <= set(items)
    assert set(items).isdisjoint([*others.split(), "GET request", "named task"])


@pytest.mark.parametrize(
    ("text", "label", "value"),
    [
        (f"name: x\nservices:\n  a:\n    demo: {CURSOR}", "platform", "platform"),
        (f"{CLASS}    wait: {CURSOR}", "1s..3s", "1s..3s"),
        (f"{STEPS}call: {CURSOR}", "login", "login"),
        (f"{STEPS}get: {CURSOR}", "/items/${id}", "/items/\\${id\\}"),
    ],
)
def test_values_are_offered(server: LanguageServer, text: str, label: str, value: str) -> None:
    """Examples, where a value is the author's own."""
    assert inserted(server.complete(text), label) == value


def test_the_name_of_a_mapping_is_shown_once(server: LanguageServer) -> None:
    """Also above a key that can have values of several types."""
    shown = server.hover(f"name: x\nphases:\n  - us{CURSOR}ers: 1\n")

    assert shown.startswith("#### phase\n\nClosed model")


def test_snippets_write_whole_pieces(server: LanguageServer) -> None:
    """A phase in one go, with places to fill in."""
    items = server.complete(f"name: x\nphases:\n  - {CURSOR}")

    assert inserted(items, "closed model") == "users: ${1:10}\n  ramp_up: ${2:30s}\n  hold: ${3:5m}"


def test_thresholds_are_offered_as_sentences(server: LanguageServer) -> None:
    """One of each aggregation, to be changed."""
    items = server.complete(f"name: x\nthresholds:\n  - {CURSOR}")

    assert inserted(items, "error_rate < 1%") == "error_rate < 1%"
    assert inserted(items, "apdex(500ms) > 0.9") == "apdex(500ms) > 0.9"


def inserted(items: list[dict[str, Any]], label: str) -> str:
    item = next(item for item in items if item["label"] == label)
    return str(item.get("insertText") or item["textEdit"]["newText"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{CLASS}    wa{CURSOR}it: 1s", ["Pause after each iteration", "wait: 1s..3s"]),
        (f"{STEPS}get: /\n        time{CURSOR}out: 1s", ["connecting and redirects", "250ms"]),
        (f"na{CURSOR}me: x", ["The name of the test in reports and directories"]),
        (f"name: x\nstages:\n  - dura{CURSOR}tion: 1m", ["`0s` jumps", "duration: 2m"]),
        (f"{STEPS}get: /\n        expect:\n          sta{CURSOR}tus: 200", ["Default 2xx and 3xx"]),
    ],
)
def test_hovering_explains_a_key(server: LanguageServer, text: str, words: list[str]) -> None:
    """What it means, how it is written, and an example."""
    shown = server.hover(text)

    assert all(word in shown for word in words), shown


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (f"{CLASS}    wiat: 1s", 3, "wiat"),
        (f"{CLASS}    wait: 1 second", 3, "Write a duration or a range"),
        ("name: x\nstages:\n  - {duration: 5, users: 1}", 2, "string"),
        (f"{STEPS}gte: /", 4, "gte"),
    ],
)
def test_slips_are_underlined(server: LanguageServer, text: str, line: int, message: str) -> None:
    """At their line, with words that help."""
    found = server.diagnose(text)

    places = [(item["range"]["start"]["line"], item["message"]) for item in found]
    assert any(at == line and message in words for at, words in places), places


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.name)
def test_sound_plans_have_no_underlines(server: LanguageServer, path: Path) -> None:
    """The plans that are shipped, the templates, and the examples of the language."""
    text = path.read_text(encoding="utf-8")

    # The modeline names a schema beside the plan's own place; here the server has its own.
    assert server.diagnose(text.replace("# yaml-language-server:", "#")) == []
