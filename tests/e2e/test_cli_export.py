"""`planrunner export`: the other tool sends what planrunner sends, and losses are named."""

from __future__ import annotations

import ast
import json
import os
import subprocess
from collections import Counter
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from tests.support.http_servers import HttpServer, Request, Wire, reply, serve
from tests.support.load_tools import need_tool, tool_environment
from tests.support.plans import PlanProject, running

PLAN = """\
name: shop
params:
  target: {type: url, default: URL}
  token: {type: str, secret: true, env: SHOP_TOKEN}
http: {base_url: "${target}", headers: {Authorization: "Bearer ${token}", Accept: "*/*"}}
data: {people: {csv: people.csv}}
flows: {look: {args: {n: 1}, do: [{get: "/look/${n}", query: {q: a b, r: [1, 2]}}]}}
users:
  Buyer:
    weight: 2
    state: {seen: 0}
    steps:
      - {post: /orders, json: {who: "${people.name | upper}", n: 3}, name: order,
         expect: {status: 201, json: {$.ok: true}}, extract: {id: "$.items[0].id"}}
      - {group: pay, do: [{put: "/orders/${id}", body: "x=${id + 1}", expect: {contains: ok}}]}
      - {if: "status == 201 and id == 7 and not [] and people.name",
         then: [{post: /form, form: {a: "1 2", b: true, c: "${id == 7}"}}], else: [{get: /never}]}
      - {repeat: 2, do: [{set: {seen: "${seen + 1}"}}, {call: {flow: look, n: "${seen}"}}]}
      - {foreach: "one in ['x', 'y']", do: [{delete: "/cart/${one}", when: "one != 'y'"}]}
      - {get: "/who/${people.name}", query: {q: "${people.name}"}, headers: {Authorization: null}}
      - {get: "/find/ü x?q=${people.name}&s=a b&p=100%"}
  Reader: {steps: [{get: /read}]}
phases: [{users: 3, iterations_per_user: 2}]
thresholds: [p95 < 5s, error_rate < 1%]
"""
PEOPLE = 'name\nann\n"b ""o"" b"\n'


async def shop(request: Request, wire: Wire) -> None:
    """Every request makes an order."""
    body = json.dumps({"ok": True, "items": [{"id": 7}]}).encode()
    headers = ("Content-Type", "application/json"), ("Connection", "keep-alive")
    await wire.send(reply(201, b"" if request.method == "HEAD" else body, *headers))


def in_order(server: HttpServer) -> list[tuple[str, ...]]:
    """Return what was asked for; how a tool writes spaces in JSON and queries is its own."""
    return [
        (
            one.method,
            one.target.replace("+", "%20"),
            one.body.decode().replace(": ", ":").replace(", ", ","),
            one.headers.get("authorization", ""),
            one.headers.get("content-type", "").partition(" boundary=")[0].lower(),
        )
        for one in server.requests
        if one.method != "CONNECT"
    ]


def sent_to(server: HttpServer) -> Counter[tuple[str, ...]]:
    return Counter(in_order(server))


def ran(project: PlanProject, tool: str, *args: str, target: str = "") -> None:
    """Run a tool where its script is."""
    ended = subprocess.run(
        [need_tool(tool), *args],
        env={**os.environ, "TARGET": target},
        cwd=project.directory,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def by_planrunner(project: PlanProject) -> Counter[tuple[str, ...]]:
    with running(serve(shop)) as server:
        ended = project.run("execute", "plan.yaml", "--set", f"target={server.url}")
        assert ended.code == 0, ended.out + ended.err
    return sent_to(server)


RUNS = {
    "k6": ("k6", "run", "-q", "load.py"),
    "locust": ("locust", "--headless", "-f", "load.py"),
}


@pytest.fixture(autouse=True)
def _plan(project: PlanProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "t0k")
    project.write({"plan.yaml": PLAN.replace("URL", "http://127.0.0.1:1"), "people.csv": PEOPLE})


@pytest.mark.slow
@pytest.mark.parametrize("tool", RUNS)
def test_a_tool_sends_what_planrunner_sends(project: PlanProject, tool: str) -> None:
    """Methods, paths, bodies, headers and counts, over every kind of step."""
    exported = project.run("export", "plan.yaml", "--to", tool, "--output", "load.py")
    with running(serve(shop)) as server:
        ran(project, *RUNS[tool], target=server.url)

    assert sent_to(server) == by_planrunner(project)
    assert "t0k" not in exported.files["load.py"].read_text()


STEPS = """\
name: steps
params: {token: {type: str, secret: true, env: SHOP_TOKEN}, n: {type: int, default: 3}}
flows: {look: {args: {n: 1, last: z, only: 2}, do: [{get: "/look/${n}/${last}/${only}"}]}}
http: {base_url: "URL/", auth: {bearer: "${token}"}}
users:
  Buyer:
    session: iteration
    state: {made: ["a"]}
    steps:
      - {header: {X-Cart: "c${1 + 1}"}}
      - {choose: [{weight: 3, do: [{get: /one}]}]}
      - {switch: "200 + 1", cases: {"200": [{get: /never}], "201": [{get: /b}], else: [{get: /no}]}}
      - {push: {made: b}}
      - {pop: {made: last, as: last}}
      - {call: {flow: look, n: "${last}", last: "${n + 1}"}}
      - {get: "/after/${n}/${last}"}
      - {poll: {post: /jobs, body: "${last}"}, until: "status == 201", every: 10ms}
      - {parallel: [{get: /left}, {post: /right, json: {a: 1}}]}
      - get: /signed
        auth: {basic: {username: ada, password: "p:w"}}
        expect: {status: 2xx, json: {$.items: {type: array}}, contains: never, soft: [contains]}
      - {post: /file, body_file: people.csv, headers: {Content-Type: text/csv}}
      - {set: {found: "${ {'k': rand.uuid() | length} }"}}
      - {get: "/found/${found.k}", when: "'k' in found and 'q' not in found"}
      - {stop: iteration, when: "made | length == 1"}
      - {get: /never}
  Chooser:
    tasks:
      - {get: /shut, needs: "1 == 2", weight: 5}
      - {task: other, needs: {is: "1 == 2", else: third}, steps: [{get: /shut}]}
      - {task: third, needs: "1 == 1", steps: [{get: /open}]}
phases: [{users: {Buyer: 1}, iterations_per_user: 2}]
"""


@pytest.mark.slow
@pytest.mark.parametrize("tool", RUNS)
def test_steps_that_steer_are_the_same(project: PlanProject, tool: str) -> None:
    """Headers, lists, choices, polls, signatures, files and early ends."""
    with running(serve(shop)) as server:
        project.write({"plan.yaml": STEPS.replace("URL", server.url)})
        assert project.run("execute", "plan.yaml").code == 0
        wanted = sent_to(server)
        server.requests.clear()
        project.run("export", "plan.yaml", "--to", tool, "--output", "load.py")
        ran(project, *RUNS[tool])

    assert sent_to(server) == wanted
    assert {one.headers.get("x-cart") for one in server.requests if one.method != "CONNECT"} == {
        "c2"
    }


@pytest.mark.slow
def test_jmeter_reads_back_as_the_same_requests(project: PlanProject) -> None:
    """A test plan that is well formed, and that our own importer makes the same load of."""
    keeps_headers = PLAN.replace(", headers: {Authorization: null}", "")
    project.write({"plan.yaml": keeps_headers.replace("URL", "http://127.0.0.1:1")})
    exported = project.run("export", "plan.yaml", "--to", "jmeter", "--output", "load.jmx")
    root = ElementTree.fromstring(exported.files["load.jmx"].read_text())
    imported = project.run("import", "load.jmx", "--output", "back.yaml", "--allow-loss")
    wanted = by_planrunner(project)
    with running(serve(shop)) as server:
        port = server.url.rpartition(":")[2]
        sets = ("--set", f"target_port={port}", "--set", "token=t0k")
        ended = project.run("execute", "back.yaml", *sets)

    assert root.tag == "jmeterTestPlan"
    assert imported.code == 0, imported.err
    assert ended.code == 0, ended.out + ended.err
    assert sent_to(server) == wanted
    assert "t0k" not in exported.files["load.jmx"].read_text()


def test_texts_of_parts_are_utf_8_in_jmeter(project: PlanProject) -> None:
    """Without being told, it writes them in ASCII."""
    part = '{note: "é", file: {file: people.csv}}'
    steps = f"users: {{A: {{steps: [{{post: /, multipart: {part}}}]}}}}"
    project.write({"plan.yaml": f"name: p\n{steps}\nphases: [{{users: 1, iterations: 1}}]\n"})
    exported = project.run("export", "plan.yaml", "--to", "jmeter", "--host", "http://h")
    assert exported.out, exported.err

    [encoding] = ElementTree.fromstring(exported.out).iterfind(
        ".//HTTPSamplerProxy/*[@name='HTTPSampler.contentEncoding']"
    )
    assert encoding.text == "UTF-8"


@pytest.mark.slow
def test_jmeter_sends_what_planrunner_sends(
    project: PlanProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a phase of a plan, whose samples are what the server got; texts are in UTF-8."""
    environ = tool_environment()
    need_tool("jmeter", environ)
    monkeypatch.setenv("PATH", environ["PATH"])
    [plain] = [PLAN.replace(one, "") for one in PLAN.splitlines(keepends=True) if "/who" in one]
    project.write(
        {"plan.yaml": plain.replace("URL", "http://127.0.0.1:1"), "people.csv": "name\né\n"}
    )
    exported = project.run("export", "plan.yaml", "--to", "jmeter", "--output", "load.jmx")
    wanted = by_planrunner(project)
    with running(serve(shop)) as server:
        port = server.url.rpartition(":")[2]
        args = f"[-Jtarget_host=127.0.0.1, -Jtarget_port={port}, '-JSHOP_TOKEN=t0k']"
        phase = f"{{tool: jmeter, script: load.jmx, args: {args}}}"
        project.write({"jmeter.yaml": f"name: jmeter\nphases: [{phase}]\n"})
        ended = project.run("execute", "jmeter.yaml", "--out", "out")

    def without_its_own_types(sent: Counter[tuple[str, ...]]) -> Counter[tuple[str, ...]]:
        """Leave out what JMeter says of the bodies of forms, and of none."""
        return Counter(one[:-1] for one in sent.elements())

    assert exported.code == 1
    assert ended.code == 0, ended.out + ended.err
    assert without_its_own_types(sent_to(server)) == without_its_own_types(wanted)
    assert len(ended.all_rows) == wanted.total()


SIMPLE = """\
name: simple
params:
  target: {type: url, default: URL}
  token: {type: str, secret: true, env: SHOP_TOKEN}
http: {base_url: "${target}", headers: {Authorization: "Bearer ${token}"}}
users:
  Buyer:
    steps:
      - {get: /a, query: {q: a b, r: [1, 2]}}
      - {post: /orders, json: {note: "it's `$5`", n: 3}}
      - {group: "pay\\n touch gone", do: [{put: /orders/7, body: 'a "b" \\ $c'}]}
      - {post: /form, form: {a: "1 2"}}
      - {get: "/ü x?s=a b&p=100%#top"}
      - {head: /}
phases: [{users: 1, iterations_per_user: 1}]
"""


@pytest.mark.slow
def test_curl_sends_each_request_once(project: PlanProject) -> None:
    """What stands in quotes is sent as it is, and a name with a line in it runs nothing."""
    project.write({"plan.yaml": SIMPLE.replace("URL", "http://127.0.0.1:1")})
    exported = project.run("export", "plan.yaml", "--to", "curl", "--output", "once.sh")
    with running(serve(shop)) as server:
        subprocess.run(
            ["sh", "once.sh"],
            cwd=project.directory,
            check=True,
            capture_output=True,
            env={**os.environ, "TARGET": server.url},
        )

    assert exported.code == 1
    assert sent_to(server) == by_planrunner(project)
    assert not (project.directory / "gone").exists()


COMPUTED = """\
name: computed
params: {token: {type: str, secret: true, env: SHOP_TOKEN}, low: {type: int, default: 7}}
http: {base_url: "URL/api", headers: {Authorization: "Bearer ${token}"}}
data: {people: {csv: people.csv}, lists: {list: [{one: {x: {a: q}, y: [1, "z"]}}]}}
users:
  Buyer:
    steps:
      - {get: "/who/${people.name}", headers: {Authorization: null}}
      - {put: /lists, json: "${lists.one}"}
      - {get: "/a/${people.name | upper | urlencode}", query: {q: "${people.name}", r: [1, a b]}}
      - {set: {n: "${low + rand.int(1, 1)}"}}
      - {post: /orders, json: {who: "${people.name}", n: "${n}", "it's": ['a"b', null]}}
      - {repeat: 2, do: [{if: "n == 8", then: [{post: /form, form: {a: "1", b: "${n}"}}]}]}
      - {foreach: "one in ['x', 'y']", do: [{delete: "/cart/${one}", when: "one != 'y'"}]}
phases: [{users: 1, iterations_per_user: 2}]
"""


@pytest.mark.slow
def test_wrk_sends_what_planrunner_sends(project: PlanProject) -> None:
    """In the same order: texts, rows, numbers, JSON, forms and loops."""
    with running(serve(shop)) as server:
        project.write({"plan.yaml": COMPUTED.replace("URL", server.url)})
        project.run("export", "plan.yaml", "--to", "wrk", "--output", "load.lua")
        assert project.run("execute", "plan.yaml").code == 0
        wanted = in_order(server)
    with running(serve(shop)) as server:
        ran(project, "wrk", "-t1", "-c1", "-d1s", "-s", "load.lua", f"{server.url}/api")

    assert in_order(server)[: len(wanted)] == wanted


SHARED = """\
name: shared
params: {token: {type: str, secret: true, env: SHOP_TOKEN}}
http: {base_url: "URL", headers: {Authorization: "Bearer ${token}"}}
users:
  Reader:
    tasks:
      - {get: "/a?b=1", weight: 3}
      - {task: write, steps: [{put: /b, body: 'x "y" $z'}, {post: /c, json: {a: 1}}, {head: /d}]}
phases: [{users: 2, iterations: 8}]
"""


@pytest.mark.slow
def test_ab_sends_each_request_for_its_part_of_the_iterations(project: PlanProject) -> None:
    with running(serve(shop)) as server:
        project.write({"plan.yaml": SHARED.replace("URL", server.url)})
        exported = project.run("export", "plan.yaml", "--to", "ab", "--output", "load.sh")
        subprocess.run(["sh", "load.sh"], cwd=project.directory, check=True, capture_output=True)

    assert Counter((one[0], one[1], one[2]) for one in in_order(server)) == {
        ("GET", "/a?b=1", ""): 6,
        ("PUT", "/b", 'x "y" $z'): 2,
        ("POST", "/c", '{"a":1}'): 2,
        ("HEAD", "/d", ""): 2,
    }
    assert {one[3] for one in in_order(server)} == {"Bearer t0k"}
    assert "t0k" not in exported.files["load.sh"].read_text()


@pytest.mark.slow
def test_a_script_has_all_the_helpers_that_it_calls(project: PlanProject) -> None:
    """Also one that only the base URL or a header calls; k6 runs what is outside of functions."""
    small = 'name: a\nparams: {at: {type: url, default: "http://h"}}\n'
    small += 'http: {base_url: "${at}", headers: {X: "${at}"}}\n'
    users = "users: {A: {steps: [{get: /}]}}\nphases: [{users: 1, hold: 1s}]\n"
    project.write({"plan.yaml": small + users})
    exported = project.run("export", "plan.yaml", "--to", "k6", "--output", "load.js")

    lua = project.run("export", "plan.yaml", "--to", "wrk").out

    assert exported.code == 0, exported.err
    ran(project, "k6", "inspect", "load.js")
    assert lua.index("local function text(") < lua.index('wrk.headers["X"] = text(')


def test_what_needs_a_lost_value_is_lost_too(project: PlanProject) -> None:
    """wrk reads no replies, so a request that needs one is left out by name; one level is a run."""
    ended = project.run(
        "export", "plan.yaml", "--to", "wrk", "--set", "target=http://127.0.0.1:9/x"
    )

    assert ended.code == 1
    assert "steps[1].do[0].put (left out): what gives `id` a value is left out" in ended.out
    assert "-- Run: wrk -t1 -c3 -d600s --timeout 30s --latency -s FILE http://127.0.0.1:9/x" in (
        ended.out
    )


def test_a_pace_holds_for_counted_iterations_too(project: PlanProject) -> None:
    paced = PLAN.replace("state: {seen: 0}", "pace: 400ms\n    state: {seen: 0}")
    paced = paced.replace("URL", "http://127.0.0.1:1")
    ended = project.write({"plan.yaml": paced}).run("export", "plan.yaml", "--to", "locust")

    assert "        claim(self)\n        return constant_pacing(0.4)(self)\n" in ended.out
    assert "constant_pacing, " in ended.out


def test_what_is_lost_is_named_at_its_place(project: PlanProject) -> None:
    """In the report with its line, and as a comment above the step; the same bytes each time."""
    lossy = PLAN.replace("  Reader: {", "  Reader: {on_stop: [{get: /bye}], ").replace(
        "- {repeat: 2", "- {barrier: {name: sale, users: 1}}\n      - {repeat: 2"
    )
    project.write({"plan.yaml": lossy.replace("URL", "http://127.0.0.1:1")})

    first = project.run("export", "plan.yaml", "--to", "k6", "--json", "--report", "loss.json")
    assert first.code == 1, first.err
    again = project.run("export", "plan.yaml", "--to", "k6", "--allow-loss")

    left_out = {
        one["words"]: one["line"]
        for one in json.loads(first.files["loss.json"].read_text())["constructs"]
        if one["fate"] == "left_out"
    }
    assert (first.code, again.code, first.out) == (1, 0, again.out)
    assert left_out["users.Buyer.steps[3].barrier"] == 18
    assert left_out["users.Reader.on_stop"] == 23
    assert "  // TODO export: plan.yaml:18: users.Buyer.steps[3].barrier (left out)" in first.out


EMPTY = """\
name: empty
http: {base_url: "http://127.0.0.1:${port}"}
params: {port: {type: int, default: 1}, token: {type: str, secret: true}}
users:
  Buyer:
    tasks:
      - {task: waits, steps: [{barrier: {name: sale, users: 1}}]}
      - task: asks
        steps:
          - {if: "1 == 1", then: [{barrier: {name: sale, users: 1}}], else: [{get: "/<a>&--"}]}
stages: [{duration: 1s, users: 1}]
thresholds: [{warn: p95 < 1s, fail: p95 < 2s}, {metric: avg, op: <, value: 1s}]
"""


@pytest.mark.parametrize(
    ("tool", "parse"),
    [("locust", ast.parse), ("jmeter", ElementTree.fromstring)],
    ids=["locust", "jmeter"],
)
def test_what_is_written_can_be_read(
    project: PlanProject, tool: str, parse: Callable[[str], object]
) -> None:
    """Blocks of which nothing is left, names with signs of XML, pairs of thresholds."""
    project.write({"plan.yaml": EMPTY})
    ended = project.run("export", "plan.yaml", "--to", tool)

    assert ended.code == 1, ended.err
    parse(ended.out)
    assert "[0].warn" in ended.err
    assert ("[0].fail" in ended.err) == (tool == "jmeter")


def test_a_tool_that_nobody_has_is_named(project: PlanProject) -> None:
    """With the one that is nearest."""
    ended = project.run("export", "plan.yaml", "--to", "k66")

    assert ended.code == 2
    assert "did you mean `k6`" in ended.err
