"""One small file of each format: recognized by what it holds, and the same bytes whoever asks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from planrunner.errors import PackageMissing, UsageError
from planrunner.importers.contract import ImportOptions
from planrunner.importers.importing import import_files
from planrunner.importers.registry import all_importers, recognize
from planrunner.importers.sources import SourceFile

# ruff: noqa: E501 - a file is a line or two
FILES = {
    "access-log": '127.0.0.1 - - [10/Oct/2024:13:55:36 +0000] "GET /a?b=1&c=2 HTTP/1.1" 200 2326 "-" "x"\n',
    "artillery": "config: {target: http://localhost, phases: [{duration: 3, arrivalRate: 1}]}\nscenarios: [{flow: [{get: {url: /}}]}]\n",
    "curl": "curl http://localhost/a -H 'A: b' -H 'C: d'\n",
    "drill": "base: http://localhost\niterations: 2\nplan: [{name: a, request: {url: /}}]\n",
    "har": '{"log": {"entries": [{"startedDateTime": "2024-05-01T12:00:00Z", "request": {"method": "GET", "url": "http://localhost/", "headers": []}, "response": {"status": 200}}]}}',
    "insomnia": "_type: export\n__export_format: 4\nresources:\n  - {_id: r, _type: request, parentId: w, name: a, method: GET, url: 'http://localhost/{{ a }}{{ b }}'}\n  - {_id: w, _type: workspace, name: W}\n",
    "jmx": '<jmeterTestPlan><hashTree><TestPlan testname="T"/><hashTree><ThreadGroup testname="g"/><hashTree><HTTPSamplerProxy testname="x"><stringProp name="HTTPSampler.domain">localhost</stringProp></HTTPSamplerProxy><hashTree/></hashTree></hashTree></hashTree></jmeterTestPlan>',
    "k6": "import http from 'k6/http';\nexport default function () { http.get(`http://localhost/${__ENV.A}${__ENV.B}`, { tags: { a: '1', b: '2' } }); }\n",
    "locust": "from locust import HttpUser, task\nclass A(HttpUser):\n    @task\n    def a(self):\n        self.client.get('/x', params={'a': 1, 'b': 2})\n",
    "openapi": "openapi: 3.0.0\ninfo: {title: a}\nservers: [{url: http://localhost}]\npaths: {/a: {get: {responses: {'200': {description: ok}}}}}\n",
    "postman": '{"info": {"name": "a", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}, "item": [{"name": "a", "request": {"method": "GET", "url": "{{a}}/{{b}}{{c}}"}}]}',
    "taurus": "execution: [{concurrency: 2, hold-for: 3s, scenario: s}]\nscenarios: {s: {requests: [http://localhost/]}}\n",
}


def plans() -> str:
    """Return the plan and the report of each."""
    texts = []
    for name, text in FILES.items():
        file = SourceFile(None, "test", text.encode())
        done = import_files([file], format_name=name, options=ImportOptions())
        losses = [(str(one.place), one.words, one.why) for one in done.ledger.constructs]
        texts.append(f"{done.text}\n{sorted(done.files)}\n{losses}\n")
    return "".join(texts)


def test_every_format_is_recognized_without_a_name() -> None:
    """As from standard input, where no name helps."""
    assert set(FILES) == set(all_importers())
    for name, text in FILES.items():
        importer, _ = recognize((SourceFile(None, "<stdin>", text.encode()),))
        assert importer.name == name


@pytest.mark.parametrize("name", FILES)
def test_with_a_format_the_name_of_a_file_says_nothing(name: str) -> None:
    file = SourceFile(None, "test.x", FILES[name].encode())
    assert import_files([file], format_name=name, options=ImportOptions()).text


def test_a_file_that_could_be_two_formats_is_asked_about() -> None:
    both = FILES["artillery"] + FILES["taurus"]
    with pytest.raises(UsageError, match=r"both\.yml: may be `artillery` or `taurus`"):
        recognize((SourceFile(None, "both.yml", both.encode()),))


@pytest.mark.parametrize(("name", "package"), [("jmx", "lxml"), ("k6", "tree_sitter_javascript")])
def test_a_missing_package_is_named_with_its_extra(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(PackageMissing) as caught:
        import_files([SourceFile(None, "<stdin>", FILES[name].encode())], options=ImportOptions())
    assert "pip install 'planrunner[" in str(caught.value.hint)


@pytest.mark.slow
def test_the_same_files_give_the_same_bytes_in_any_process() -> None:
    """Whatever the order of sets is there."""
    code = f"import runpy; print(runpy.run_path({__file__!r})['plans'](), end='')"
    folder = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == plans()


def test_no_byte_of_a_text_is_lost() -> None:
    """What is UTF-8 is read as that, and other bytes beside it as Latin-1."""
    content = "Köln €\r\n".encode() + "Köln".encode("latin-1")
    file = SourceFile(None, "a", content)
    assert file.text == "Köln €\nKöln"
    assert str(file.foreign()) == "a:2:1"


@pytest.mark.parametrize("declared", ["ISO-8859-1", "windows-1252"])
def test_a_file_that_says_its_encoding_is_not_foreign(declared: str) -> None:
    content = f'<?xml version="1.0" encoding="{declared}"?><a>Köln</a>'.encode(declared)
    assert SourceFile(None, "a", content).foreign() is None
    lying = content.replace(declared.encode(), b"UTF-8")
    assert SourceFile(None, "a", lying).foreign() is not None
