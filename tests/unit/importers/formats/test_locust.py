"""Locust files, one construct each, and the piece of a plan that it becomes."""
# ruff: noqa: E501 - a statement and its step are one line

from __future__ import annotations

import json
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from planrunner.errors import UsageError
from planrunner.importers.contract import ImportOptions
from planrunner.importers.importing import Imported, check, import_files, write
from planrunner.importers.sources import SourceFile
from planrunner.loss.ledger import Fate
from planrunner.plan.yaml.document import parse
from tests.support.cpu_time import within_cpu

HEAD = """\
import json, os, random, string, time, uuid
from locust import HttpUser, TaskSet, SequentialTaskSet, task, tag, between, constant, constant_pacing, constant_throughput, LoadTestShape, events
from locust.exception import StopUser
from datetime import datetime, timedelta
ITEMS = ["a", "b"]
PATH = "/p"
BODY = {"a": 1}

"""
USER = (
    HEAD
    + """\
class Api:
    WORD = "seven"
    @classmethod
    def look(cls, client, number):
        client.get(f"/{cls.WORD}/{number}")
class Shopper(HttpUser):
    wait_time = between(1, 2)
    host = "http://127.0.0.1"
    def _helper(self, number, path="/h"):
        self.client.get(f"{path}/{number}")
    @property
    def auth(self):
        return {"Authorization": f"Bearer {self.token}"}
    def _kinds(self, kind):
        kinds = {"X": kind}
        kinds["Y"] = "y"
        return kinds
    def _either(self, n):
        if n > 2:
            return "many"
        return "few"
    def _get(self, path):
        with self.client.get(path, catch_response=True) as reply:
            if reply.status_code != 200:
                reply.failure("no")
            return reply
    def _pick(self):
        return random.randint(1, 3)
    @task
    def visit(self):
"""
)


def imported(text: str) -> Imported:
    source = SourceFile(None, "locustfile.py", text.encode())
    return import_files([source], options=ImportOptions())


def steps_of(code: str) -> list[object]:
    data = parse(imported(USER + indent(code, "        ")).text, "plan.yaml").data
    found: list[object] = data["users"]["Shopper"]["tasks"][0]["steps"]
    return found


CODE = [
    ('self.client.get("/")', [{"get": "/"}]),
    ("self.client.get(PATH)", [{"get": "/p"}]),
    ('self.client.get("/a", name="A")', [{"get": "/a", "name": "GET A"}]),
    (
        'self.client.get("/a", params={"q": "x", "n": 1, "all": True, "no": None})',
        [{"get": "/a", "query": {"q": "x", "n": 1, "all": "True"}}],
    ),
    (
        'self.client.post("/a", json={"a": [1, None, {"b": ITEMS[0]}]})',
        [{"post": "/a", "json": {"a": [1, None, {"b": "${items[0]}"}]}}],
    ),
    ('self.client.post("/a", {"k": "v"})', [{"post": "/a", "form": {"k": "v"}}]),
    ('self.client.put("/a", data="text")', [{"put": "/a", "body": "text"}]),
    (
        'self.client.patch("/a", data=json.dumps({"a": 1}))',
        [{"patch": "/a", "body": "${({'a': 1} | json)}"}],
    ),
    ('self.client.request("DELETE", "/a")', [{"delete": "/a"}]),
    (
        'self.client.head("/a", headers={"X": "1"}, timeout=2.5, allow_redirects=False)',
        [{"head": "/a", "headers": {"X": "1"}, "timeout": "2.5s", "follow_redirects": False}],
    ),
    (
        'self.client.get("/a", auth=("me", "pw"))',
        [{"get": "/a", "auth": {"basic": {"username": "me", "password": "${password}"}}}],
    ),
    (
        'self.client.get("/a", cookies={"c": "1"}, stream=True)',
        [{"get": "/a", "headers": {"Cookie": "c=1"}}],
    ),
    (
        'self.client.get(f"/a/{random.randint(1, 9)}?x=${{y}}")',
        [{"get": "/a/${rand.int(1, 9)}?x=$${y}"}],
    ),
    (
        'self.client.get("/a/" + str(random.choice(ITEMS)) + "/b")',
        [{"get": "/a/${rand.choice(items)}/b"}],
    ),
    ('self.client.get("/a/%s/%d" % (uuid.uuid4(), 5))', [{"get": "/a/${rand.uuid()}/${5}"}]),
    ('self.client.get("/{}/{name}".format(1, name="n"))', [{"get": "/${1}/n"}]),
    ("time.sleep(1.5)", [{"think": "1.5s"}]),
    ("time.sleep(random.uniform(1, 2))", [{"think": "1s..2s"}]),
    ('print("hello", 1)', [{"log": "hello"}]),
    (
        "name = ''.join(random.choices(string.ascii_lowercase, k=8))",
        [{"set": {"name": "${rand.lower(8)}"}}],
    ),
    (
        "name = ''.join(random.choice(string.ascii_letters + string.digits) for _ in range(4))",
        [{"set": {"name": "${rand.text(4)}"}}],
    ),
    ("n = len(ITEMS) + 1", [{"set": {"n": "${(items | length) + 1}"}}]),
    ("n = 1 if ITEMS else 2", [{"set": {"n": "${(1 if items else 2)}"}}]),
    ("self.token = 'x'.upper()", [{"set": {"token": "${('x' | upper)}"}}]),
    ("n = os.getenv('N', '5')", [{"set": {"n_2": "${n}"}}]),
    ("for _ in range(3):\n    self.client.get('/')", [{"repeat": 3, "do": [{"get": "/"}]}]),
    (
        "for x in ITEMS:\n    self.client.get(f'/{x}')",
        [{"foreach": "x in items", "do": [{"get": "/${x}"}]}],
    ),
    ("while self.more:\n    self.client.get('/')", [{"while": "more", "do": [{"get": "/"}]}]),
    (
        "if random.random() < 0.5:\n    self.client.get('/a')\nelse:\n    self.client.get('/b')",
        [{"if": "rand.float(0, 1) < 0.5", "then": [{"get": "/a"}], "else": [{"get": "/b"}]}],
    ),
    (
        "self.client.get('/a')\nif self.done or not self.name:\n    return\nself.client.get('/b')",
        [{"get": "/a"}, {"if": "not (done or (not name))", "then": [{"get": "/b"}]}],
    ),
    (
        "r = self.client.post('/login')\nself.token = r.json()['auth']['token']",
        [{"post": "/login", "extract": {"token": "$.auth.token"}}],
    ),
    (
        "r = self.client.get('/x')\nif r.status_code == 200:\n    self.ids = r.json().get('ids')",
        [{"get": "/x", "extract": {"ids": {"jsonpath": "$.ids", "required": False}}}],
    ),
    (
        "r = self.client.get('/x')\nif 'a' in r.text:\n    self.client.get('/y')",
        [{"get": "/x"}, {"if": "'a' in body", "then": [{"get": "/y"}]}],
    ),
    (
        "with self.client.get('/x', catch_response=True) as r:\n    if r.status_code != 200:\n        r.failure('no')",
        [{"get": "/x", "expect": {"status": 200}}],
    ),
    (
        "with self.client.get('/x', catch_response=True) as r:\n    if r.status_code in (200, 404):\n        r.success()\n    else:\n        r.failure(f'{r.status_code}')",
        [{"get": "/x", "expect": {"status": [200, 404]}}],
    ),
    (
        "with self.client.get('/x', catch_response=True) as r:\n    if r.status_code == 200:\n        r.success()\n    elif r.status_code == 404:\n        r.success()\n    else:\n        r.failure('no')",
        [{"get": "/x", "expect": {"status": [200, 404]}}],
    ),
    (
        "with self.client.get('/x', catch_response=True) as r:\n    if r.status_code != 200:\n        r.failure('no')\n        return\n    self.ids = r.json()['ids']",
        [
            {
                "get": "/x",
                "expect": {"status": 200},
                "extract": {"ids": {"jsonpath": "$.ids", "required": False}},
            }
        ],
    ),
    (
        "with self.client.get('/x', catch_response=True) as r:\n    if r.status_code == 409:\n        r.success()\n    elif r.status_code == 200:\n        r.failure('no')\n    elif self.late and r.status_code >= 500:\n        r.failure('late')\n    else:\n        r.failure('other')",
        [{"get": "/x", "expect": {"status": 409}}],
    ),
    (
        "with self.client.get('/x', catch_response=True) as r:\n    if r.status_code >= 500:\n        r.failure('no')\n        self.bad = True\n    else:\n        r.success()",
        [
            {"get": "/x", "expect": {"status": ["1xx", "2xx", "3xx", "4xx"]}},
            {"if": "status >= 500", "then": [{"set": {"bad": True}}]},
        ],
    ),
    (
        "with open('a.txt') as f:\n    self.client.post('/x', files={'f': ('b.txt', f, 'text/plain')}, data={'t': 1})",
        [
            {
                "post": "/x",
                "multipart": {
                    "t": 1,
                    "f": {"file": "stand-ins/a.txt", "filename": "b.txt", "type": "text/plain"},
                },
            }
        ],
    ),
    (
        "with self.client.get('/x', catch_response=True) as r:\n    if 'ok' not in r.text:\n        r.failure('no')\n    elif r.elapsed.total_seconds() > 0.5:\n        r.failure('slow')",
        [{"get": "/x", "expect": {"contains": "ok", "time": "< 0.5s"}}],
    ),
    (
        "with self.client.get('/x', catch_response=True) as r:\n    if r.json()['state'] != 'done':\n        r.failure('no')",
        [{"get": "/x", "expect": {"json": {"$.state": "done"}}}],
    ),
    (
        "with self.client.get('/x', catch_response=True) as r:\n    d = r.json()\n    if r.status_code == 429:\n        r.failure('limit')\n    elif not ('a' in d and isinstance(d['a'], list)):\n        r.failure('no')",
        [{"get": "/x", "expect": {"json": {"$.a": {"exists": True, "type": "array"}}}}],
    ),
    ("self.client.headers.update({'X': 'y'})", [{"header": {"X": "y"}}]),
    ("self.client.headers['X'] = 'y'", [{"header": {"X": "y"}}]),
    ("self._helper(7)", [{"get": "/h/${7}"}]),
    (
        "self._helper(random.randint(1, 2), path='/k')",
        [{"set": {"helper_number": "${rand.int(1, 2)}"}}, {"get": "/k/${helper_number}"}],
    ),
    ("n = self._pick()", [{"set": {"n": "${rand.int(1, 3)}"}}]),
    ("try:\n    self.client.get('/')\nexcept Exception:\n    pass", [{"get": "/"}]),
    ("raise StopUser()", [{"stop": "user"}]),
    ("self.environment.runner.quit()", [{"stop": "plan"}]),
    (
        "headers = {'X': '1'}\nheaders['Y-Z'] = '2'\nself.client.get('/a', headers=headers)",
        [
            {"set": {"headers_value": {"X": "1"}}},
            {"set": {"headers_value": "${dict(headers_value, **{'Y-Z': '2'})}"}},
            {"get": "/a", "headers": {"X": "${headers_value.X}", "Y-Z": "${headers_value['Y-Z']}"}},
        ],
    ),
    (
        "q = {'q': 'x'}\nif random.random() < 0.5:\n    q['p'] = 2\nself.client.get('/a', params=q)",
        [
            {"set": {"q": {"q": "x"}}},
            {"if": "rand.float(0, 1) < 0.5", "then": [{"set": {"q": "${dict(q, p=2)}"}}]},
            {"get": "/a?${q | urlencode}", "name": "GET /a"},
        ],
    ),
    ("ids = [str(n) for n in range(3)]", [{"set": {"ids": ["0", "1", "2"]}}]),
    (
        "self.client.post('/a', json={**BODY, 'b': 2})",
        [{"post": "/a", "json": {"a": 1, "b": 2}}],
    ),
    (
        "self.client.get('/a', headers=self._kinds('t'))",
        [
            {"set": {"kinds": {"X": "t"}}},
            {"set": {"kinds": "${dict(kinds, Y='y')}"}},
            {"get": "/a", "headers": {"X": "${kinds.X}", "Y": "${kinds.Y}"}},
        ],
    ),
    (
        "n = self._either(3)",
        [
            {
                "if": "3 > 2",
                "then": [{"set": {"either_result": "many"}}],
                "else": [{"set": {"either_result": "few"}}],
            },
            {"set": {"n": "${either_result}"}},
        ],
    ),
    (
        "self.client.get(f'/{str(uuid.uuid4())[:8]}/{3.5:.2f}')",
        [{"get": "/${(rand.uuid() | string)[:8]}/${('%.2f' | format(3.5))}"}],
    ),
    (
        "n = random.choices(['a', 'b'], weights=[3, 1], k=1)[0]",
        [{"set": {"n": "${[rand.weighted({'a': 3, 'b': 1})][0]}"}}],
    ),
    (
        "day = (datetime.now() + timedelta(days=3)).strftime('%Y')",
        [{"set": {"day": "${date('%Y', ((3) * 86400))}"}}],
    ),
    (
        "r = self.client.get('/a')\nself.seen = []\nself.seen.append(r.json()['id'])",
        [{"get": "/a"}, {"set": {"seen": []}}, {"set": {"seen": "${seen + [json.id]}"}}],
    ),
    (
        "self.client.get('/a', headers=self.auth)",
        [{"get": "/a", "headers": {"Authorization": "Bearer ${token}"}}],
    ),
    (
        "n = max(1, 2)\nok = 'abc'.startswith('ab')",
        [{"set": {"n": "${([1, 2] | max)}"}}, {"set": {"ok": "${('abc'[:2] == 'ab')}"}}],
    ),
    (
        "n = [random.choice(ITEMS) for _ in range(random.randint(1, 2))]",
        [{"set": {"n": "${[rand.choice(items), rand.choice(items)][:rand.int(1, 2)]}"}}],
    ),
    (
        "r = self.client.get('/a')\nn = [x['name'] for x in r.json()['rows']]",
        [{"get": "/a"}, {"set": {"n": "${(json.rows | map(attribute='name') | list)}"}}],
    ),
    (
        "r = self._get('/y')\nself.t = r.json()['t']",
        [{"get": "/y", "expect": {"status": 200}, "extract": {"t": "$.t"}}],
    ),
]


LEFT = [
    (
        "for name, price in {'a': 1}.items():\n    self.client.get(f'/{name}/{price}')",
        [{"foreach": "pair in (({'a': 1}) | items)", "do": [{"get": "/${pair[0]}/${pair[1]}"}]}],
    ),
    (
        "for n in range(3):\n    if self.a:\n        break\n    if self.b:\n        return\n    self.client.get('/x')\nself.client.get('/y')",
        [
            {"set": {"going": True, "left": False, "n": -1}},
            {
                "while": "going and n + 1 < 3",
                "do": [
                    {"set": {"n": "${n + 1}"}},
                    {
                        "if": "a",
                        "then": [{"set": {"going": False}}],
                        "else": [
                            {
                                "if": "b",
                                "then": [{"set": {"going": False}}, {"set": {"left": True}}],
                                "else": [{"get": "/x"}],
                            }
                        ],
                    },
                ],
            },
            {"if": "not left", "then": [{"get": "/y"}]},
        ],
    ),
    ("Api.look(self.client, 7)", [{"get": "/seven/${7}"}]),
    ("self.client.headers = {'X': '1'}", [{"header": {"X": "1"}}]),
    (
        "if self.done:\n    r = self.client.get('/a')\nelse:\n    r = self.client.get('/b')\nself.n = r.json()['n']",
        [
            {"if": "done", "then": [{"get": "/a"}], "else": [{"get": "/b"}]},
            {"set": {"n": "${json.n}"}},
        ],
    ),
    (
        "r = self.client.get('/a')\nif r.status_code == 200:\n    self.client.get('/b')\nelif r.status_code == 404:\n    self.client.get('/c')",
        [
            {"get": "/a"},
            {
                "if": "status == 200",
                "then": [{"get": "/b"}],
                "else": [{"if": "status == 404", "then": [{"get": "/c"}]}],
            },
        ],
    ),
    (
        "for n in range(3):\n    self.client.get(f'/{n}')\n    if self.done:\n        break\n    self.client.get('/more')",
        [
            {"set": {"going": True, "n": -1}},
            {
                "while": "going and n + 1 < 3",
                "do": [
                    {"set": {"n": "${n + 1}"}},
                    {"get": "/${n}"},
                    {
                        "if": "done",
                        "then": [{"set": {"going": False}}],
                        "else": [{"get": "/more"}],
                    },
                ],
            },
        ],
    ),
    (
        "while True:\n    with self.client.get('/c') as r:\n        if r.status_code == 204:\n            return\n    self.client.get('/d')\nself.client.get('/e')",
        [
            {"set": {"going": True}},
            {
                "while": "going",
                "do": [
                    {"get": "/c"},
                    {
                        "if": "status == 204",
                        "then": [{"set": {"going": False}}],
                        "else": [{"get": "/d"}],
                    },
                ],
            },
            {"if": "going", "then": [{"get": "/e"}]},
        ],
    ),
    (
        "with self.client.get('/a', catch_response=True) as r:\n    if r.status_code != 200:\n        r.failure('no')\n        return\nself.client.get('/b')",
        [
            {"get": "/a", "expect": {"status": 200}},
            {"if": "not (status != 200)", "then": [{"get": "/b"}]},
        ],
    ),
    (
        "r = self.client.get('/a')\nfor row in r.json()['rows']:\n    if row['last']:\n        break\n    self.client.get('/b')",
        [
            {"get": "/a"},
            {"set": {"going": True, "row_rows": "${json.rows}", "row_index": -1}},
            {
                "while": "going and row_index + 1 < (row_rows | length)",
                "do": [
                    {"set": {"row_index": "${row_index + 1}"}},
                    {"set": {"row": "${row_rows[row_index]}"}},
                    {
                        "if": "row.last",
                        "then": [{"set": {"going": False}}],
                        "else": [{"get": "/b"}],
                    },
                ],
            },
        ],
    ),
    (
        "r = self.client.get('/a')\nassert r.status_code == 200\nassert self.ids",
        [
            {"get": "/a", "expect": {"status": 200}},
            {"if": "not ids", "then": [{"stop": "iteration"}]},
        ],
    ),
    (
        "r = self.client.get('/a')\nn = r.json().get('n', 5)\nself.m = r.json().get('m')\nself.client.get(f'/{n}')",
        [
            {
                "get": "/a",
                "extract": {
                    "n": {"jsonpath": "$.n", "default": 5},
                    "m": {"jsonpath": "$.m", "default": None},
                },
            },
            {"get": "/${n}"},
        ],
    ),
]


@pytest.mark.parametrize(("code", "steps"), [*CODE, *LEFT])
def test_a_statement_is_a_step(code: str, steps: object) -> None:
    assert steps_of(code) == steps


def test_all_statements_together_are_a_valid_plan() -> None:
    code = "\n".join(
        f"    @task\n    def t{n}(self):\n{indent(one, ' ' * 8)}"
        for n, (one, _) in enumerate([*CODE, *LEFT])
    )
    done = imported(f"{USER}        pass\n{code}\n")

    assert [str(fault.message) for fault in check(done)] == []


CODE_OF_HOOKS = """\
import bisect
LIMITS = {"a": (1, 5)}
SEEN = []
def draw(kind, extra=0):
    low, high = LIMITS[kind]
    return [n ** 2 + extra for n in range(low, high) if n % 2]
def fetched(path):
    return open(path).read()
"""


def hooked(code: str) -> tuple[list[object], str]:
    """Return the steps of code, and the hooks that they call."""
    text = USER.replace("\nclass Api", f"\n{CODE_OF_HOOKS}\nclass Api")
    done = imported(text + indent(code, "        "))
    assert [str(fault.message) for fault in check(done)] == []
    data = parse(done.text, "plan.yaml").data
    hooks = done.files["hooks.py"]
    assert isinstance(hooks, bytes)
    return data["users"]["Shopper"]["tasks"][0]["steps"], hooks.decode()


def run_hook(text: str, name: str, **given: object) -> object:
    """Call a function of hooks."""
    scope: dict[str, Any] = {}
    exec(text, scope)
    return scope[name](**given)


def test_code_that_only_computes_is_copied_with_what_it_needs() -> None:
    steps, hooks = hooked("body = draw('a', extra=1)\nself.client.post('/a', json=body)")

    assert steps == [
        {"python": {"call": "draw", "args": {"kind": "a", "extra": 1}, "as": "draw_value"}},
        {"set": {"body_value": "${draw_value}"}},
        {"post": "/a", "json": "${body_value}"},
    ]
    assert run_hook(hooks, "draw", kind="a", extra=1) == [2, 10]
    assert "bisect" not in hooks


def test_code_reads_a_reply_and_keeps_what_it_would_leave_alone() -> None:
    steps, hooks = hooked(
        "r = self.client.get('/a')\n"
        "if r.status_code == 200:\n"
        "    self.names |= {x['name'].strip() for x in r.json()}\n"
        "    SEEN.append(len(self.names))\n"
        "for line in r.iter_lines():\n"
        "    if line.startswith(b'data'):\n"
        "        self.last = line.decode()\n"
    )

    assert steps[1:] == [
        {
            "python": {
                "call": "names",
                "args": {
                    "reply_status": "${status}",
                    "reply_json": "${json}",
                    "names": "${names}",
                },
                "as": "names",
            }
        },
        {
            "python": {
                "call": "last",
                "args": {"reply_text": "${body}", "last": "${last}"},
                "as": "last",
            }
        },
    ]
    rows = [{"name": " a "}]
    assert run_hook(hooks, "names", reply_status=200, reply_json=rows, names={"b"}) == {
        "a",
        "b",
    }
    assert run_hook(hooks, "names", reply_status=404, reply_json=rows, names={"b"}) == {"b"}
    assert run_hook(hooks, "last", reply_text="data 1\nno\n", last="") == "data 1"


def test_code_that_does_more_than_compute_is_a_stub_with_the_original() -> None:
    steps, hooks = hooked("text = fetched('/etc/passwd')\nself.client.get(f'/{text}')")

    assert steps[1:] == [{"set": {"text": "${fetched_value}"}}, {"get": "/${text}"}]
    assert "    # fetched('/etc/passwd')\n" in hooks
    assert "open" not in hooks.replace("# ", "")
    with pytest.raises(NotImplementedError, match="write fetched"):
        run_hook(hooks, "fetched")


@pytest.mark.parametrize(
    "code",
    [
        "__import__('os').system('x')",
        "().__class__.__base__.__subclasses__()",
        "eval('1')",
        "open('x').read()",
        "os.remove('x')",
        "os.system('x')",
        "getattr(ITEMS, self.name)()",
        "exec('1')",
        "(lambda: globals())()",
        "threading.Thread(target=print).start()",
        "importlib.import_module('os')",
        "uuid.os.system('x')",
        "random._os.system('x')",
        "(lambda m: m)(random)._os",
        "[m.popen('x') for m in [os]]",
        "(lambda open: 1)(2) + len(open('x').read())",
        "open('there.txt', 'w').write('x')",
        "str(time.sleep(9))",
    ],
)
def test_nothing_that_does_more_than_compute_is_copied(code: str) -> None:
    _, hooks = hooked(f"import threading, importlib\nn = {code}\nself.client.get(f'/{{n}}')")

    code_of_hooks = [line for line in hooks.splitlines() if not line.lstrip().startswith("#")]
    assert [line for line in code_of_hooks if "raise" in line]
    assert not [line for line in code_of_hooks if line.startswith(("import", "from"))]


CONDITIONS = [
    ("not r.json().get('rows')", {}, {"rows": [1]}, {"rows": []}),
    ("r.json()['n'] < 5", {}, {"n": 5}, {"n": 4.5}),
    ("len(r.json()['rows']) != 2", {}, {"rows": "ab"}, {"rows": [1]}),
    (
        "not ('rows' in r.json() or r.json()['n'] in (1, 2))",
        {"n": 3},
        {"rows": 0},
        {"n": "1"},
    ),
    ("r.json().get('error') is not None", {"error": 1}, {"error": None}, {"error": ""}),
    ("r.json()[1]['a'] == 'x'", [{"a": "y"}], [{}, {"a": "y"}], [{}, {"a": "x"}]),
]


@pytest.mark.parametrize(("test", "bad", "good", "worse"), CONDITIONS)
def test_conditions_on_json_are_schemas(
    test: str, bad: object, good: object, worse: object
) -> None:
    """A reply fails where the condition holds, or where Python would raise."""
    code = f"with self.client.get('/x', catch_response=True) as r:\n    if {test}:\n        r.failure('no')"
    done = imported(USER + indent(code, "        "))
    schema = json.loads(done.files["schemas/x.json"])  # type: ignore[arg-type]
    judge = Draft202012Validator(schema)

    assert [judge.is_valid(one) for one in (bad, good, worse)] == [False, True, False]
    step = {"get": "/x", "expect": {"schema": "schemas/x.json"}}
    assert parse(done.text, "p").data["users"]["Shopper"]["tasks"][0]["steps"] == [step]


def test_local_files_that_code_reads_lie_beside_the_plan(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("name,age\nann,7\n")
    (tmp_path / "ids.json").write_text("[5]")
    head = """\
import csv
HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "users.csv")) as f:
    USERS = list(csv.DictReader(f))
def ids():
    with open("ids.json", encoding="utf-8") as f:
        return json.load(f)
IDS = ids()
"""
    main = tmp_path / "locustfile.py"
    text = USER.replace("\nclass Api", f"\n{head}\nclass Api")
    main.write_text(
        text + "        user = random.choice(USERS)\n"
        "        self.client.get(f\"/{user['name']}/{random.choice(IDS)}\")\n"
    )

    done = import_files([SourceFile(main, "locustfile.py")], options=ImportOptions())
    out = tmp_path / "out" / "plan.yaml"
    write(done, out)

    hooks = out.with_name("hooks.py")
    scope: dict[str, Any] = {"__file__": str(hooks)}
    exec(hooks.read_text(), scope)
    assert [scope["user_value"](), scope["choice"]()] == [{"name": "ann", "age": "7"}, 5]
    assert parse(done.text, "p").data["users"]["Shopper"]["tasks"][0]["steps"] == [
        {"python": {"call": "user_value", "as": "user_value"}},
        {"python": {"call": "choice", "as": "choice_value"}},
        {"get": "/${user_value.name}/${choice_value}"},
    ]
    lost = [one for one in done.ledger.findings() if one.place.line > 6 and "open" in one.words]
    assert not lost


def test_values_of_modules_that_are_not_here_are_params() -> None:
    text = USER.replace("import json", "from conf import LIMIT, WORDS\nimport json", 1)
    done = imported(text + "        self.client.get(f'/{random.choice(WORDS)}', timeout=LIMIT)\n")

    params = parse(done.text, "plan.yaml").data["params"]
    assert {name: one["type"] for name, one in params.items()} == {
        "limit": "duration",
        "words": "list",
    }
    assert not check(done)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("between(1, 3)", {"wait": "1s..3s"}),
        ("between(0.5, 0.5)", {"wait": "0.5s"}),
        ("constant(2)", {"wait": "2s"}),
        ("constant(0)", {}),
        ("constant_pacing(4)", {"pace": "4s"}),
        ("constant_throughput(0.5)", {"pace": "2s"}),
    ],
)
def test_waits(value: str, key: dict[str, str]) -> None:
    text = (
        HEAD
        + f"class A(HttpUser):\n    wait_time = {value}\n    @task(2)\n    @tag('x', 'y')\n    def t(self):\n        self.client.get('/')\n"
    )
    data = parse(imported(text).text, "plan.yaml").data["users"]["A"]

    assert {name: data[name] for name in ("wait", "pace") if name in data} == key
    assert data["tasks"] == [
        {"task": "t", "weight": 2, "tags": ["x", "y"], "steps": [{"get": "/"}]}
    ]


def test_classes_inherit_and_weigh_and_begin_with_a_state() -> None:
    data = parse(
        imported(
            HEAD
            + """\
class Base(HttpUser):
    abstract = True
    token = None
    def on_start(self):
        self.page = 1
        r = self.client.post("/login", json={"u": "me"})
        self.token = r.json()["token"]
    @task
    def home(self):
        self.client.get("/")
class Buyer(Base):
    weight = 3
    @task(5)
    def buy(self):
        if not self.token:
            return
        self.client.post("/buy", headers={"Authorization": f"Bearer {self.token}"})
    def on_stop(self):
        self.client.post("/logout")
class Admin(Base):
    fixed_count = 1
"""
        ).text,
        "plan.yaml",
    ).data["users"]

    assert list(data) == ["Buyer", "Admin"]
    assert data["Buyer"] == {
        "weight": 3,
        "state": {"token": None, "page": 1},
        "on_start": [
            {
                "post": "/login",
                "json": {"u": "me"},
                "extract": {"token": "$.token"},
                "measure": True,
            }
        ],
        "tasks": [
            {"task": "home", "steps": [{"get": "/"}]},
            {
                "task": "buy",
                "weight": 5,
                "needs": "token",
                "steps": [{"post": "/buy", "headers": {"Authorization": "Bearer ${token}"}}],
            },
        ],
        "on_stop": [{"post": "/logout", "measure": True}],
    }
    assert data["Admin"]["count"] == 1


def test_a_class_may_take_the_place_and_the_name_of_its_base() -> None:
    text = (
        HEAD
        + "class A(HttpUser):\n    @task(2)\n    def t(self):\n        self.client.get('/')\n"
        + "class A(A):\n    host = 'http://127.0.0.1'\n"
    )
    assert parse(imported(text).text, "p").data["users"]["A"]["tasks"] == [
        {"task": "t", "weight": 2, "steps": [{"get": "/"}]}
    ]


def test_a_sequence_keeps_its_order_and_its_waits() -> None:
    done = imported(
        HEAD
        + """\
class Flow(SequentialTaskSet):
    @task
    def one(self):
        self.client.get("/one")
    @task
    def two(self):
        self.client.get("/two")
class A(HttpUser):
    wait_time = constant(1)
    tasks = [Flow]
"""
    )
    data = parse(done.text, "plan.yaml").data

    assert data["users"]["A"]["steps"] == [
        {"group": "one", "do": [{"get": "/one"}]},
        {"think": "1s"},
        {"group": "two", "do": [{"get": "/two"}]},
    ]
    assert not done.ledger.tally().has_loss


def test_a_shape_becomes_stages() -> None:
    text = (
        USER
        + "        self.client.get('/')\n"
        + """\
class Shape(LoadTestShape):
    stages = [
        {"duration": 60, "users": 10, "spawn_rate": 1},
        {"duration": 100, "users": 0, "spawn_rate": 100},
    ]
    def tick(self):
        run_time = self.get_run_time()
        for stage in self.stages:
            if run_time < stage["duration"]:
                return (stage["users"], stage["spawn_rate"])
        return None
"""
    )
    data = parse(imported(text).text, "plan.yaml").data

    assert data["phases"] == [
        {
            "name": "shape",
            "stages": [
                {"duration": "10s", "users": 10},
                {"duration": "50s", "users": 10},
                {"duration": "0.1s", "users": 0},
                {"duration": "39.9s", "users": 0},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("code", "words", "fate"),
    [
        ("self.client.post('/a', files={'f': open('x')})", "open('x')", Fate.NEEDS_YOU),
        ("self.unknown_helper()", "self.unknown_helper()", Fate.LEFT_OUT),
        ("numbers = [x * 2 for x in open('n') if x]", "open('n')", Fate.NEEDS_YOU),
        ("self.client.get('/a', hooks=None, context={})", "self.client.get", Fate.CHANGED),
        ("self.client.get(f'/{self.never}')", "self.never", Fate.SUSPICIOUS),
        ("name = ''.join(random.choices(string.digits, k=3))", "random.choices", Fate.CHANGED),
    ],
)
def test_what_is_lost_is_named(code: str, words: str, fate: Fate) -> None:
    found = list(imported(USER + indent(code, "        ")).ledger.findings())

    assert any(one.words.startswith(words) and one.fate is fate for one in found), found


def test_listeners_that_only_print_are_what_reports_are_for_and_others_are_left_out() -> None:
    text = (
        USER
        + """\
        self.client.get("/")
@events.test_stop.add_listener
def stop(environment, **_):
    print(f"p95 {environment.stats.total.get_response_time_percentile(0.95)}")
    open("done", "w")
def forgotten():
    open("x")
"""
    )
    fates = {one.words: one.fate for one in imported(text).ledger.constructs}

    assert fates["open('done', 'w')"] is Fate.LEFT_OUT
    assert fates["environment.stats.total.get_response_time_percentile(0.95)"] is Fate.TRANSLATED
    assert fates["open('x')"] is Fate.SUSPICIOUS


def test_listeners_that_send_are_setup_and_what_they_set_is_known_to_users() -> None:
    text = (
        USER.replace("\nclass Api", "\nimport requests\nTOKEN = None\nIDS = []\nclass Api")
        + """\
        self.client.get(f"/{random.choice(IDS)}", headers={"X": TOKEN})
        requests.post("http://127.0.0.1:9/told", json={"a": 1})
@events.test_start.add_listener
def begin(environment, **_):
    global TOKEN
    reply = requests.post(f"{environment.host}/login", timeout=5)
    TOKEN = reply.json()["token"]
    IDS.append(reply.json()["id"])
@events.test_stop.add_listener
def end(environment, **_):
    for one in IDS:
        requests.delete(f"{environment.host}/{one}")
"""
    )
    done = imported(text)
    data = parse(done.text, "plan.yaml").data

    assert not check(done)
    assert data["setup"] == [
        {"set": {"token": None}},
        {"set": {"ids": []}},
        {"post": "${host}/login", "timeout": "5s", "extract": {"token": "$.token"}},
        {"set": {"ids": "${ids + [json.id]}"}},
    ]
    assert data["users"]["Shopper"]["tasks"][0]["steps"] == [
        {"get": "/${rand.choice(ids)}", "headers": {"X": "${token}"}},
        {"post": "http://127.0.0.1:9/told", "json": {"a": 1}, "measure": False},
    ]
    assert data["teardown"] == [{"foreach": "one in ids", "do": [{"delete": "${host}/${one}"}]}]


def test_local_modules_are_read_and_others_are_not(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "shop.py").write_text("def browse(user):\n    user.client.get('/shop')\n")
    main = tmp_path / "locustfile.py"
    main.write_text(
        HEAD
        + "from flows.shop import browse\nimport numpy\nclass A(HttpUser):\n    tasks = {browse: 2}\n"
    )

    done = import_files([SourceFile(main, "locustfile.py")], options=ImportOptions())

    assert parse(done.text, "p").data["users"]["A"]["tasks"] == [
        {"task": "browse", "weight": 2, "steps": [{"get": "/shop"}]}
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("from locust import HttpUser\nprint 'x'\n", "locustfile.py:2:1: not Python 3"),
        ("from locust import HttpUser\nclass A(:\n", "locustfile.py:2:9: not Python 3"),
        ("from locust import events\n", "no class of Locust's users"),
        ("from locust import HttpUser\n" + "(" * 400, "not Python"),
    ],
)
def test_what_is_no_test_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        imported(text)
    assert message in str(caught.value)


def test_functions_that_call_themselves_or_many_others_take_no_long_time() -> None:
    many = "".join(
        f"    def f{n}(self):\n        self.f{n + 1}()\n        self.f{n + 1}()\n"
        for n in range(30)
    )
    text = (
        HEAD
        + "def deep(n):\n    return [deep(n - 1), n ** 2] if n else [x for x in range(9) if x]\n"
        + "class A(HttpUser):\n    host = 'http://127.0.0.1'\n"
        + f"{many}    def f30(self):\n        self.client.get('/')\n"
        + "    @task\n    def t(self):\n        self.client.post('/', json=deep(2))\n        self.f0()\n"
    )
    done = within_cpu(2.0, lambda: imported(text))

    steps = parse(done.text, "p").data["users"]["A"]["tasks"][0]["steps"]
    assert {"post": "/", "json": "${deep_value}"} in steps
