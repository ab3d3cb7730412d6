"""`execute --once`: each task once, and a trace of everything."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from planrunner.demo import DEMOS
from planrunner.demo import HttpServer as DemoServer
from tests.support.http_servers import Request, Wire, always, reply, serve
from tests.support.plans import PlanProject, plan_text, running

PLAN = """
params:
  key: {type: str, secret: true, default: s3cret-key-42}
http:
  base_url: "%s"
  client: %s
  headers: {X-Api-Key: "${key}"}
users:
  Shopper:
    wait: 1h
    state: {basket: []}
    on_start: [{get: /products, name: start}]
    tasks:
      - task: look
        steps:
          - set: {wanted: 7}
          - get: /products/${wanted}?k=${key}
            name: product
            extract:
              price: $.price
              colour: {jsonpath: $.colour, required: false}
            expect:
              status: 200
              time: < 10s
              header: {content-type: application/json}
              json: {$.id: 7, $.name: {matches: "^product"}}
              contains: "product"
          - group: twice
            do: [{get: /products, name: again}]
          - log: paid with ${key}
          - push: {basket: milk}
      - {task: later, needs: "'x' in basket", steps: [{get: /never}]}
    on_stop: [{get: /products, name: stop}]
"""
BROKEN = """
http: {base_url: "%s"}
users:
  A:
    tasks:
      - task: wrong
        steps:
          - get: /products/3
            expect:
              status: [201, 202]
              json: {$.id: 4, $.name: product 3}
              time: < 1us
              soft: [time]
          - get: /products/3
            name: missing
            extract: {token: $.token}
          - get: /never
"""


@pytest.fixture
def shop() -> Iterator[str]:
    """The demo shop on a free port."""
    with running(_Shop()) as port:
        yield f"http://127.0.0.1:{port}"


class _Shop:
    def __init__(self) -> None:
        self._server = DemoServer(DEMOS["shop"]())

    async def __aenter__(self) -> int:
        return await self._server.start(port=0)

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop()


@pytest.mark.parametrize("client", ["wire", "httpx"])
def test_each_task_runs_once_and_everything_is_shown(
    project: PlanProject, shop: str, client: str
) -> None:
    """In the order in which it happens, over both clients; nothing is written."""
    project.write({"plan.yaml": plan_text(PLAN % (shop, client))})

    ended = project.run("execute", "plan.yaml", "--once", "--verbose", "--seed", "5")

    assert ended.code == 0, ended.out
    assert ended.files == {}
    expected = [
        "user Shopper",
        "on_start",
        "✓ start",
        "task look",
        "· set wanted  → wanted = 7",
        "✓ product",
        f"→ GET {shop}/products/7?k=***",
        "X-Api-Key: ***",
        "← HTTP/1.1 200 OK",
        '"id": 7,',
        "extract price = ",
        "extract colour = nothing found",
        "expect  ✓ status 200",
        "expect  ✓ time < 10s",
        "expect  ✓ header content-type: application/json",
        "expect  ✓ contains product",
        "expect  ✓ json $.id: 7",
        "expect  ✓ json $.name: matches ^product",
        "· group twice",
        "    ✓ again",
        "» paid with ***",
        "task later  skipped: needs 'x' in basket",
        "on_stop",
        "✓ stop",
        "PASS  1 task · 4 requests · 1 skipped · seed 5 · no threshold was judged",
    ]
    rest = ended.out
    for words in expected:
        assert words in rest, words
        rest = rest.split(words, 1)[1]
    assert "s3cret" not in ended.out + ended.err
    assert "\x1b" not in ended.out


@pytest.mark.parametrize("client", ["wire", "httpx"])
def test_each_hop_of_a_redirect_is_shown(project: PlanProject, client: str) -> None:
    """Status and location, between what was sent before and after; as JSON with its message."""
    hops = {"/old": (301, "/new?k=s3cret-key-42"), "/new?k=s3cret-key-42": (302, "/end")}

    async def redirect(request: Request, wire: Wire) -> None:
        status, location = hops.get(request.target, (200, ""))
        await wire.send(reply(status, b"", *([("Location", location)] if location else [])))

    with running(serve(redirect)) as server:
        http = f'http: {{base_url: "{server.url}", client: {client}}}'
        key = "params: {key: {type: str, secret: true, default: s3cret-key-42}}"
        users = "users: {A: {tasks: [{get: /old}]}}"
        project.write({"plan.yaml": plan_text(http, key, users)})

        text = project.run("execute", "plan.yaml", "--once", "-v")
        as_json = project.run("execute", "plan.yaml", "--once", "--json")

    shown = [line.strip() for line in text.out.splitlines() if line.strip().startswith(("→", "←"))]
    assert shown[:5] == [
        f"→ GET {server.url}/old",
        "← 301 /new?k=***",
        f"→ GET {server.url}/new?k=***",
        "← 302 /end",
        f"→ GET {server.url}/end",
    ]
    assert shown[5].startswith("← HTTP/1.1 200")
    [event] = [json.loads(line) for line in as_json.out.splitlines() if '"sent"' in line]
    assert [sent.get("redirect") for sent in event["sent"]] == [
        {"status": 301, "location": "/new?k=***"},
        {"status": 302, "location": "/end"},
        None,
    ]


def test_what_is_wrong_is_shown_and_is_exit_1(project: PlanProject, shop: str) -> None:
    """Every expectation has its verdict; a failed extraction ends the iteration."""
    project.write({"plan.yaml": plan_text(BROKEN % shop)})

    ended = project.run("execute", "plan.yaml", "--once")

    assert ended.code == 1
    assert "✗ GET /products/3" in ended.out
    assert "✗ status 201, 202  it is 200" in ended.out
    assert "✗ json $.id: 4" in ended.out
    assert "✓ json $.name: product 3" in ended.out
    assert "! time < 1us" in ended.out
    assert "extract token = nothing found" in ended.out
    assert "the iteration ends here" in ended.out
    assert "/never" not in ended.out
    assert "FAIL  1 task · 2 requests · 2 failed" in ended.out


def test_proxies_of_the_environment_are_ignored_with_a_notice(
    project: PlanProject, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under load."""
    monkeypatch.setenv("HTTP_PROXY", "http://me:pass@127.0.0.1:1")
    project.write({"plan.yaml": plan_text("users: {A: {steps: [{get: /products}]}}", url=shop)})

    ended = project.run("execute", "plan.yaml", "--once")

    assert ended.code == 0
    assert "note: `HTTP_PROXY` of the environment is ignored" in ended.err
    assert "pass" not in ended.err


def test_only_selected_tasks_run(project: PlanProject, shop: str) -> None:
    """The same options as under load."""
    project.write({"plan.yaml": plan_text(PLAN % (shop, "auto"))})

    ended = project.run("execute", "plan.yaml", "--once", "--task", "later")

    assert "task look" not in ended.out
    assert "task later" in ended.out


@pytest.mark.parametrize(
    ("options", "ran"),
    [
        ((), ["A", "B"]),
        (("--phase", "two"), ["B"]),
        (("--phase", "three"), ["A", "B"]),
        (("--phase", "three", "--user", "B"), ["B"]),
    ],
)
def test_only_classes_of_selected_phases_run(
    project: PlanProject, shop: str, options: tuple[str, ...], ran: list[str]
) -> None:
    """Others have no users in this run; a class whose share is too small for one runs."""
    classes = "".join(f"  {name}: {{steps: [{{get: /products}}]}}\n" for name in "ABC")
    phases = (
        "phases:\n"
        "  - {name: one, users: {A: 1}, hold: 1s}\n"
        "  - {name: two, users: {B: 1}, hold: 1s}\n"
        "  - {name: three, users: 1, hold: 1s, skip: {users: [C]}}\n"
    )
    project.write({"plan.yaml": plan_text(f"users:\n{classes}", phases, url=shop)})

    ended = project.run("execute", "plan.yaml", "--once", *options)

    assert ended.code == 0
    assert [line[-1] for line in ended.out.splitlines() if line.startswith("user ")] == ran


def test_the_trace_as_json_is_one_object_a_line(project: PlanProject, shop: str) -> None:
    """With whole bodies, and secrets masked as well."""
    project.write({"plan.yaml": plan_text(PLAN % (shop, "auto"))})

    ended = project.run("execute", "plan.yaml", "--once", "--json")

    events = [json.loads(line) for line in ended.out.splitlines()]
    [product] = [event for event in events if event.get("name") == "product"]
    assert product["sent"][0]["url"] == f"{shop}/products/7?k=***"
    assert product["reply"]["status"] == 200
    assert json.loads(product["reply"]["body"])["id"] == 7
    assert product["extracted"]["price"] > 0
    assert {"expected": "json $.id: 7", "wrong": "", "soft": False} in product["expectations"]
    assert events[-1]["event"] == "end"
    assert events[-1]["failures"] == 0
    assert "s3cret" not in ended.out


def test_a_target_that_is_not_there_is_exit_3(project: PlanProject) -> None:
    """As under load."""
    project.write({"plan.yaml": plan_text()})

    assert project.run("execute", "plan.yaml", "--once").code == 3


@pytest.mark.parametrize(
    ("option", "called"),
    [
        ("--full", "--full (or --trace)"),
        ("--trace", "--full (or --trace)"),
        ("--verbose", "--verbose"),
        ("-v", "--verbose"),
    ],
)
def test_the_options_of_the_trace_need_it(project: PlanProject, option: str, called: str) -> None:
    """Said before anything is sent."""
    project.write({"plan.yaml": plan_text()})

    ended = project.run("execute", "plan.yaml", option)

    assert ended.code == 2
    assert f"{called} needs --once" in ended.err


def test_a_request_that_went_well_is_one_line(project: PlanProject, shop: str) -> None:
    """With what it gave, and with what is odd about it below."""
    project.write({"plan.yaml": plan_text(PLAN % (shop, "auto"))})

    ended = project.run("execute", "plan.yaml", "--once")

    lines = ended.out.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("  ✓ product"))
    shown = f"  ✓ product  GET {shop}/products/7?k=***  HTTP/1.1 200 OK  "
    assert lines[at].startswith(shown)
    assert "→ price = " in lines[at]
    assert lines[at + 1] == "    extract colour = nothing found"
    assert lines[at + 2] == "  · group twice"
    assert "Content-Type" not in ended.out
    assert len(lines) < 25


def test_a_request_that_failed_is_shown_whole(project: PlanProject, shop: str) -> None:
    """Beside others that are folded."""
    tasks = "[{get: /products}, {get: /products/3, expect: {status: 201}}]"
    project.write({"plan.yaml": plan_text(f"users: {{A: {{tasks: {tasks}}}}}\n", url=shop)})

    ended = project.run("execute", "plan.yaml", "--once")

    assert "  ✓ GET /products  HTTP/1.1 200 OK" in ended.out
    assert f"    → GET {shop}/products/3" in ended.out
    assert "      Content-Type: application/json" in ended.out
    assert ended.out.count("Content-Type") == 1


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("[{if: 'xs[3] == 1', then: [{log: a}]}]", "if xs[3] == 1  `xs[3]` is undefined"),
        ("[{while: 'xs[3] == 1', do: [{log: a}]}]", "while xs[3] == 1"),
        ("[{foreach: x in xs.y.z, do: [{log: a}]}]", "`xs.y.z` is undefined"),
        ("[{repeat: 2, do: [{log: a, when: 'xs[3] == 1'}]}]", "log a  `xs[3]` is undefined"),
        ("[{group: g, do: [{set: {a: '${xs[3].b}'}}]}]", "set a  `xs[3].b` is undefined"),
        ("[{think: 1s}], timeout: 20ms", "the task took longer than 20 ms"),
        ("[{log: a}], needs: 'xs[3] == 1'", "`xs[3]` is undefined in `xs[3] == 1`"),
    ],
)
def test_whatever_ends_a_task_early_is_one_failure(
    project: PlanProject, steps: str, said: str
) -> None:
    """Conditions and loops too; once, however many steps are around it."""
    users = f"users: {{A: {{state: {{xs: []}}, tasks: [{{task: t, steps: {steps}}}]}}}}\n"
    project.write({"plan.yaml": plan_text(users, "phases: [{users: 1, iterations: 1}]\n")})

    ended = project.run("execute", "plan.yaml", "--once")

    assert ended.code == 1
    [failed] = [line for line in ended.out.splitlines() if "✗" in line]
    assert said in failed
    assert "· 1 failed ·" in ended.out
    assert ended.out.index("task t") < ended.out.index("✗")


def test_run_id_has_a_value_when_a_plan_is_tried(project: PlanProject) -> None:
    """Another one each time, so that what a plan names by it is new."""
    with running(serve(always(reply()))) as server:
        project.write(
            {
                "plan.yaml": f"""
name: once
http: {{base_url: "{server.url}"}}
users: {{A: {{steps: [{{get: "/${{run.id}}", name: id}}]}}}}
phases: [{{users: 1, iterations: 1}}]
"""
            }
        )
        for _ in range(2):
            assert project.run("execute", "plan.yaml", "--once").code == 0

        targets = [request.target for request in server.requests]
    assert len(set(targets)) == 2
    assert all(len(target) > len("/123") for target in targets)


def test_what_is_cut_to_the_width_of_a_line_is_masked_before(project: PlanProject) -> None:
    """Half a secret is not recognised: neither in a body nor in a value that was extracted."""
    body = b"x" * 150 + b"s3cret-key-of-the-plan" + b"y" * 100
    plan = plan_text(
        "params: {key: {type: str, secret: true, default: s3cret-key-of-the-plan}}",
        "users: {A: {steps: [{get: /, extract: {long: {regex: 'x{110}(.*)'}}}]}}",
        url="URL",
    )
    with running(serve(always(reply(200, body)))) as server:
        project.write({"plan.yaml": plan.replace("URL", server.url)})
        ended = project.run("execute", "plan.yaml", "--once", "-v")

    assert ended.code == 0
    assert "***" in ended.out
    assert "s3cret" not in ended.out
