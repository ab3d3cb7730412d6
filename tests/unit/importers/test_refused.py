"""What the plan language refuses of an import is left out and named, and the rest validates."""

from __future__ import annotations

import pytest

from planrunner.importers.contract import ImportOptions
from planrunner.importers.importing import Imported, check, import_valid
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.loss.ledger import Fate

ARTILLERY = """
config:
  target: http://127.0.0.1:1
  phases:
    - {duration: 99999999999999h, arrivalRate: 1}
    - {duration: 10, arrivalRate: 2}
scenarios:
  - flow:
      - get: {url: /a, timeout: 9999999999}
      - get: {url: /b}
"""
K6 = """
import http from 'k6/http';
import { sleep } from 'k6';
export const options = { vus: 2, duration: '99999999999999h' };
export default function () { http.get('http://127.0.0.1:1/b'); sleep(1e300); }
"""
TAURUS = """
execution: [{concurrency: 2, hold-for: 99999999999999h, scenario: s}]
scenarios: {s: {requests: [{url: 'http://127.0.0.1:1/b', think-time: 9999999999999s}]}}
"""
NOTHING = """
import http from 'k6/http';
export default function () { http.get('http://127.0.0.1:1/' + 'a'.repeat(1e9)); }
"""


def imported(name: str, text: str) -> Imported:
    return import_valid([SourceFile(None, name, text.encode())], options=ImportOptions())


@pytest.mark.parametrize(
    ("name", "text", "refused"),
    [
        ("a.yml", ARTILLERY, {"`99999999999999h` is too long", "`9999999999s` is too long"}),
        ("load.js", K6, {"`99999999999999h` is too long", "`1e+300s` is not a duration"}),
        ("t.yml", TAURUS, {"`99999999999999h` is too long", "`9999999999999s` is too long"}),
    ],
)
def test_the_rest_validates(name: str, text: str, refused: set[str]) -> None:
    done = imported(name, text)
    assert check(done) == ()
    assert "/b" in done.text
    left_out = [one for one in done.ledger.findings() if one.fate is Fate.LEFT_OUT]
    for words in refused:
        assert any(words in one.why for one in left_out), [one.why for one in left_out]
        assert words in done.text  # as a comment at its place


def test_where_nothing_is_left_it_is_an_error() -> None:
    with pytest.raises(ImportFault, match=r"load\.js: nothing is left .* has no users"):
        imported("load.js", NOTHING)


def test_deep_blocks_keep_their_steps() -> None:
    deep = "".join(f"{'    ' * n}- loop:\n" for n in range(1, 61))
    deep += f"{'    ' * 61}- get: {{url: /deep}}\n"
    deep += "".join(f"{'    ' * n}  count: 2\n" for n in range(60, 0, -1))
    done = imported(
        "a.yml", f"config: {{target: 'http://127.0.0.1:1'}}\nscenarios:\n- flow:\n{deep}"
    )
    assert check(done) == ()
    assert "get: /deep" in done.text
    counts = done.ledger.tally().counts
    assert counts[Fate.CHANGED] == 36  # of 60, of which 24 may nest
    assert done.ledger.tally().total == 5 + 60 + 60 + 1


def test_a_recursive_alias_is_an_error() -> None:
    text = "_type: export\n__export_format: 4\nresources: [{_id: &a [*a]}]\n"
    with pytest.raises(ImportFault, match="an alias that contains itself"):
        import_valid(
            [SourceFile(None, "a.yaml", text.encode())],
            format_name="insomnia",
            options=ImportOptions(),
        )


def test_a_class_has_a_name_that_a_key_can_have() -> None:
    flow = f"scenarios: [{{name: {'n' * 4000}, flow: [get: {{url: /b}}]}}]"
    text = f"config: {{target: 'http://127.0.0.1:1'}}\n{flow}"
    assert "\n  nnn" in imported("a.yml", text).text


NO_NUMBERS = {
    "load.js": """
import http from 'k6/http';
export default () => {
  http.get('http://127.0.0.1:1/b' + 'abc'.slice('${x}'));
  http.get('http://127.0.0.1:1/b');
}
""",
    "l.py": """
from locust import HttpUser, task
class U(HttpUser):
    host = 'http://127.0.0.1:1'
    @task(1e400)
    def t(self):
        self.client.get('/b')
""",
}


@pytest.mark.parametrize("name", NO_NUMBERS)
def test_numbers_that_are_none(name: str) -> None:
    assert "/b" in imported(name, NO_NUMBERS[name]).text
