"""`files:` of a plan: which are written, for which phases, and what is wrong with others."""

from __future__ import annotations

import sys

import pytest

from planrunner.explain.explain import explain_text
from planrunner.explain.graph_views import graph_json
from tests.support.plans import compiled, findings

DATA = """
params:
  rows: {type: int, default: 10}
  form: {type: str, default: csv}
  low: {type: int, default: 1}
data:
  orders: {generate: {rows: "${rows}", fields: {id: rand.uuid(), n: "rand.int(low, 9)"}}}
  words: {list: [a, b], on_end: stop_user}
"""
READ = 'users: {A: {steps: [{get: "/?file=${files.orders.path}"}]}}'
FILES = 'files: {orders: {from: orders, rows: "${rows}", format: "${form}"}}'


def files_by_phase(*sections):
    graph = compiled(*sections)
    return {phase.name: [node.file for node in phase.files] for phase in graph.phases}


def test_each_phase_has_the_file_that_its_params_ask_for():
    """Those that are equal are one; those that differ have names of their own."""
    found = files_by_phase(
        DATA,
        FILES,
        READ,
        """
        phases:
          - {name: a, users: 1, hold: 1s}
          - {name: b, users: 1, hold: 1s, params: {rows: 20}}
          - {name: c, users: 1, hold: 1s, params: {form: json}}
          - {name: d, users: 1, hold: 1s, params: {low: 5}}
          - {name: e, users: 1, hold: 1s, params: {rows: 10}}
        """,
    )

    assert found == {
        "a": ["orders-10.csv"],
        "b": ["orders-20.csv"],
        "c": ["orders-10.json"],
        "d": ["orders-10-2.csv"],  # other rows, because `low` decides which
        "e": ["orders-10.csv"],
    }


def test_rows_are_those_of_the_source_by_default():
    """And the format is CSV."""
    graph = compiled(DATA, "files: {orders: {from: words}}", READ)

    [node] = graph.written_files
    assert (node.file, node.rows, node.source.name) == ("orders-2.csv", 2, "words")


def test_a_class_that_does_not_run_needs_no_file():
    """Nor does a file that nothing reads: that is a notice."""
    graph = compiled(
        DATA,
        "files: {orders: {from: orders}, words: {from: words}}",
        'users: {A: {steps: [{get: "/?file=${files.orders.path}"}]}, B: {steps: [{get: /}]}}',
        "phases: [{name: a, users: {B: 1}, hold: 1s}]",
    )

    assert graph.written_files == ()
    assert [notice.partition(": ")[2] for notice in graph.notices if "file" in notice] == [
        "no step reads the file `words`, so it is not written"
    ]


def test_steps_that_run_once_read_files_too():
    """And so do flows that a class calls."""
    graph = compiled(
        DATA,
        "files: {orders: {from: orders}, words: {from: words}}",
        'flows: {load: [{post: "/${files.words.rows}"}]}',
        "users: {A: {steps: [call: load]}}",
        'setup: [{post: "/load/${files.orders.bytes}"}]',
    )

    assert [node.name for node in graph.files] == ["orders"]
    assert [node.name for node in graph.phases[0].files] == ["words"]


def test_explain_says_what_will_be_written():
    """In text and JSON."""
    data = "data: {words: {list: [a, b]}}"
    graph = compiled(data, "files: {orders: {from: words, rows: 5, format: jsonl}}", READ)

    text = explain_text(graph)

    assert "files: written before the load, no part of the measured time" in text
    assert "files/orders-5.jsonl: 5 rows of data `words`, again and again; read in main" in text
    assert '"file": "orders-5.jsonl"' in graph_json(graph)


def test_secrets_in_a_file_are_a_notice():
    """They are written as they are: whatever reads the file needs them."""
    graph = compiled(
        "data: {orders: {list: [{user: a, password: b}], secret: [password]}}",
        "files: {orders: {from: orders}}",
        READ,
    )

    assert "`files/orders-1.csv` of the run has secret values of `orders`" in graph.notices


@pytest.mark.parametrize(
    ("files", "code", "said", "hint"),
    [
        ("{from: order}", "unknown-name", "no data source `order`", "did you mean `orders`?"),
        ("{from: orders, format: xlsx}", "invalid-value", "must be one of `csv`, `json`", ""),
        ("{from: orders, format: jsonlines}", "invalid-value", "", "did you mean `jsonl`?"),
        ("{from: orders, format: 'c${form}'}", "invalid-value", "no format `ccsv`", ""),
        ("{from: orders, rows: 0}", "invalid-value", "", ""),
        ("{from: orders, rows: '${form}'}", "invalid-unit", "not a whole number", ""),
        ("{from: words, rows: 3}", "invalid-data", "`words` has 2 rows", "on_end: cycle"),
        ("{rows: 3}", "missing-key", "`from`", ""),
        ("{from: orders, data: x}", "unknown-key", "", "from"),
    ],
)
def test_a_faulty_file_is_a_finding(files, code, said, hint):
    """At its place, with what to do."""
    found = findings(DATA, f"files: {{orders: {files}}}", READ)

    assert [one.code for one in found] == [code], found
    assert said in found[0].message
    assert hint in found[0].hint


@pytest.mark.parametrize(
    ("expression", "said", "hint"),
    [
        ("files.oders.path", "unknown file `oders`", "did you mean `orders`?"),
        ("files.orders", "which part?", "`files.orders.path`"),
        ("files.orders.size", "a file has no `size`", "`.bytes`"),
        ("files", "which file?", "`orders`"),
    ],
)
def test_an_unknown_file_is_a_finding(expression, said, hint):
    """With a suggestion."""
    users = f'users: {{A: {{steps: [{{get: "/${{{expression}}}"}}]}}}}'
    [found] = findings(DATA, FILES, users)

    assert (found.code, found.message) == ("unknown-name", said)
    assert hint in found.hint


def test_files_are_read_by_steps_only():
    """What is known before the run can't depend on them."""
    in_data = 'data: {rows: {list: ["${files.orders.path}"]}}'
    without = 'users: {A: {steps: [{get: "/${files.orders.path}"}]}}'

    assert findings(in_data)[0].message == "`files` has no value here"
    assert findings(without)[0].message == "the plan has no files"


def test_the_name_is_taken():
    """As are the others that planrunner provides."""
    assert findings("params: {files: {type: int, default: 1}}")[0].code == "reserved-name"


@pytest.mark.parametrize(("form", "module"), [("parquet", "pyarrow"), ("avro", "fastavro")])
def test_a_missing_package_is_a_finding_at_the_format(monkeypatch, form, module):
    """With the line that installs it."""
    monkeypatch.setitem(sys.modules, module, None)

    [found] = findings(DATA, f"files: {{orders: {{from: orders, format: {form}}}}}", READ)

    assert (found.code, found.marked) == ("not-available", form)
    assert found.hint.startswith("pip install ")
