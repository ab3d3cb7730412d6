"""Tasks of a plan that are Python functions: what they send, how they fail, what plans say."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import planrunner
from planrunner import PlanError, Result, UsageError, User, UserReply
from tests.support.http_servers import HttpServer, always, reply, serve
from tests.support.plans import running

Figures = Mapping[tuple[str, str], int]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports are written below the current directory."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    monkeypatch.chdir(folder)


def plan_of(target: HttpServer, tasks: object, **more: object) -> planrunner.Plan:
    sections: dict[str, object] = {
        "http": {"base_url": target.url},
        "users": {"Buyer": {"tasks": tasks}},
        "phases": [{"name": "main", "users": 1, "iterations": 4}],
        "seed": 7,
        "report": {"formats": ["metrics.json"]},  # what is tested of functions is in it
    }
    return planrunner.Plan(**{**sections, **more})


def figures(result: Result) -> Figures:
    """Return how many samples there are by request and failure kind."""
    found = Counter[tuple[str, str]]()
    for one in result.series:
        if one.labels.kind == "request":
            found[one.labels.request, one.labels.failure] += one.count
    return found


def run_one(target: HttpServer, function: object, **more: object) -> Result:
    return planrunner.run(plan_of(target, {"buy": function}, **more))


# -- the same as steps -----------------------------------------------------------------------------


async def shop(user: User) -> None:
    await user.get("/a")
    await user.post("/b?x=1", json={"n": [1, None, "ü"]}, headers={"X-Trace": "t1"})
    async with user.group("checkout"):
        await user.put("/c", form={"a": 1}, name="put it", tags={"team": "x"})
        await user.delete("/c", expect={"status": 204})
        await user.pause("1ms")
    await asyncio.gather(user.get("/d", query={"q": "a b"}), user.get("/e"))
    await user.get("/f", expect={"contains": "nothing of it"}, measure=False)


SHOP = [
    {"get": "/a"},
    {"post": "/b?x=1", "json": {"n": [1, None, "ü"]}, "headers": {"X-Trace": "t1"}},
    {
        "group": "checkout",
        "do": [
            {"put": "/c", "form": {"a": 1}, "name": "put it", "tags": {"team": "x"}},
            {"delete": "/c", "expect": {"status": 204}},
            {"think": "1ms"},
        ],
    },
    {"parallel": [{"get": "/d", "query": {"q": "a b"}}, {"get": "/e"}]},
    {"get": "/f", "expect": {"contains": "nothing of it"}, "measure": False},
]


@pytest.mark.slow
def test_a_function_gives_the_samples_that_the_same_steps_give(target: HttpServer) -> None:
    """With the same labels, and the server gets the same bytes."""
    found = []
    for task in (shop, SHOP):
        before = len(target.requests)
        result = planrunner.run(plan_of(target, [{"task": "buy", "steps": task}]))
        samples = sorted((str(one.labels), one.count) for one in result.series)
        found.append((samples, sorted(one.raw for one in target.requests[before:])))

    assert found[0] == found[1]


def test_expectations_are_counted_as_those_of_steps(target: HttpServer) -> None:
    """Also in the table of all expectations."""
    tasks = ([{"get": "/a", "expect": {"contains": "ok", "status": 200}}], _expecting)
    counts = [planrunner.run(plan_of(target, {"buy": task})).raw.expectations for task in tasks]

    assert counts[0] == counts[1]
    assert counts[0]


async def _expecting(user: User) -> None:
    await user.get("/a", expect={"contains": "ok", "status": 200})


def test_functions_stand_beside_steps_and_share_names_with_them(target: HttpServer) -> None:
    """What one sets the other reads, for the iteration; `on_start`'s stays."""

    async def sign_in(user: User) -> None:
        user.vars["word"] = f"w{user.vars['start']}"

    async def mixed(user: User) -> None:
        assert "seen" not in user.vars
        reply = await user.get(f"/{user.vars['word']}/{user.vars['n']}", name="one")
        user.vars["seen"] = reply.text

    users = {
        "Buyer": {
            "on_start": sign_in,
            "steps": [{"set": {"n": 3}}, mixed, {"get": "/${word}/${seen}", "name": "two"}],
        }
    }
    result = planrunner.run(
        plan_of(target, {}, users=users, params={"start": {"type": "int", "default": 5}})
    )

    assert result.requests["two"].count == 4
    assert not result.total.failed
    assert {one.target for one in target.requests} == {"/w5/3", "/w5/ok"}


@pytest.mark.slow
def test_random_draws_are_those_of_the_seed(target: HttpServer) -> None:
    """And differ with another one."""

    async def draw(user: User) -> None:
        await user.get(f"/{user.random.randrange(10**6)}", name="draw")

    drawn = []
    for seed in (1, 1, 2):
        before = len(target.requests)
        planrunner.run(plan_of(target, [draw]), seed=seed)
        drawn.append([one.target for one in target.requests[before:]])

    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) == 4


# -- replies ---------------------------------------------------------------------------------------


def test_a_reply_stays_what_it_was() -> None:
    """Though the session uses its own again."""
    kept: list[UserReply] = []

    async def keep(user: User) -> None:
        kept.append(await user.get("/a"))

    body = b'{"id": 5}'
    with running(serve(always(reply(201, body, ("X-Id", "7"))))) as target:
        run_one(target, keep)

    first = kept[0]
    assert (first.status, first.ok, first.failure) == (201, True, "")
    assert (first.json, first.text, first.body) == ({"id": 5}, body.decode(), body)
    assert first.headers["x-id"] == first.headers["X-ID"] == "7"
    assert first.elapsed.total_seconds() > 0
    assert first is not kept[1]


def test_a_failed_request_is_counted_and_raises_nothing() -> None:
    """Its reply says so."""
    seen: list[tuple[bool, str]] = []

    async def look(user: User) -> None:
        found = await user.get("/a")
        seen.append((found.ok, found.failure))
        found = await user.get("/b", expect={"status": 500})
        seen.append((found.ok, found.failure))

    with running(serve(always(reply(500, b"no")))) as target:
        result = run_one(target, look)

    assert seen[:2] == [(False, "status"), (True, "")]
    assert figures(result) == {("GET /a", "status"): 4, ("GET /b", ""): 4}


def test_on_error_ends_the_iteration_of_a_function_too() -> None:
    """Even if it tries to go on."""

    async def stubborn(user: User) -> None:
        for _ in range(3):
            try:
                await user.get("/a")
            except Exception:  # noqa: BLE001 - what a careless author does
                continue

    with running(serve(always(reply(500, b"no")))) as target:
        result = run_one(target, {"steps": stubborn, "on_error": "stop_iteration"})

    assert figures(result) == {("GET /a", "status"): 4}
    assert len(target.requests) == 4


# -- failures --------------------------------------------------------------------------------------


async def breaks(user: User) -> None:
    await user.get("/a")
    raise KeyError("id")


class Odd(BaseException):
    """As those of test frameworks and other event loops."""


async def breaks_oddly(user: User) -> None:
    await user.get("/a")
    raise Odd


async def breaks_beside(user: User) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(breaks(user))


async def awaits_what_was_cancelled(user: User) -> None:
    await user.get("/a")
    raise asyncio.CancelledError


async def gives_up(user: User) -> None:
    user.fail("no ticket left")


async def asks_wrongly(user: User) -> None:
    await user.get("/a", jsn={"id": 5})  # type: ignore[call-arg]  # on purpose


async def expects_wrongly(user: User) -> None:
    await user.get("/a", timeout="5x")


async def uses_no_protocol(user: User) -> None:
    await user.etc.put(key="a")


async def calls_a_client(user: User) -> None:
    await user.client.get("/x")


async def waits_backwards(user: User) -> None:
    await user.pause(-1)


async def forgets(user: User) -> None:
    user.get("/a")  # type: ignore[unused-coroutine]  # on purpose


async def reads_no_json(user: User) -> None:
    (await user.get("/a")).json["id"]


async def sets_a_param(user: User) -> None:
    user.vars["start"] = 1


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (breaks, "`breaks` raised KeyError: 'id' (line "),
        (breaks_oddly, "`breaks_oddly` raised Odd (line "),
        (calls_a_client, "raised TypeError: `user.client.get` takes what a plan writes below"),
        (waits_backwards, "raised ValueError: a pause can't take -1 seconds"),
        (breaks_beside, "`breaks_beside` raised KeyError: 'id' (line "),
        (awaits_what_was_cancelled, "raised CancelledError (line "),
        (gives_up, "no ticket left"),
        (asks_wrongly, "user.get: jsn: unknown key `jsn`; did you mean `json`?"),
        (expects_wrongly, "user.get: timeout: "),
        (uses_no_protocol, "there is no action `etc.put`"),
        (reads_no_json, "the reply to `GET /a` is not JSON (it begins with `ok`)"),
        (sets_a_param, "user.vars: `start` can't be set"),
    ],
)
def test_what_a_function_does_wrong_is_a_failure_of_its_task(
    target: HttpServer, function: object, words: str
) -> None:
    """Of kind `error`, and the iteration ends."""
    result = run_one(target, function, params={"start": {"type": "int", "default": 5}})

    failed = {one.request: one for one in result.failures}
    assert failed["buy"].kind == "error"
    assert failed["buy"].count == 4
    assert words in result.raw.notices[0]


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_a_request_that_is_not_awaited_is_a_failure(target: HttpServer) -> None:
    """As nothing was sent."""
    result = run_one(target, forgets)

    assert "`forgets` did not await 1 of its requests" in result.raw.notices[0]
    assert not target.requests


# -- side by side ----------------------------------------------------------------------------------


def test_the_iteration_lasts_until_its_requests_have_ended(target: HttpServer) -> None:
    """Also those that the function doesn't wait for."""

    async def fire(user: User) -> None:
        tasks.append(asyncio.create_task(_send(user)))
        await user.get("/b")

    async def _send(user: User) -> None:
        await user.get("/a")

    tasks: list[asyncio.Task[None]] = []
    result = run_one(target, fire)

    assert figures(result) == {("GET /a", ""): 4, ("GET /b", ""): 4}


def test_requests_beside_each_other_wait_for_a_connection(target: HttpServer) -> None:
    """Where the plan allows the user fewer of them."""

    async def many(user: User) -> None:
        replies = await asyncio.gather(*(user.get(f"/{n}", name="n") for n in range(7)))
        assert all(one.ok for one in replies)

    http = {"base_url": target.url, "pool": {"per_user": 2}}
    result = run_one(target, many, http=http)

    assert result.requests["n"].count == 28
    assert not result.failures


def test_groups_of_parts_that_run_side_by_side_are_their_own(target: HttpServer) -> None:
    """A request has the groups that stand around it."""

    async def part(user: User, name: str) -> None:
        async with user.group(name):
            await user.get(f"/{name}")

    async def both(user: User) -> None:
        async with user.group("all"):
            await asyncio.gather(part(user, "a"), part(user, "b"))

    result = run_one(target, both)

    groups = {one.labels.request: one.labels.groups for one in result.series}
    assert groups["GET /a"] == ("all", "a")
    assert groups["GET /b"] == ("all", "b")


# -- names -----------------------------------------------------------------------------------------


def test_urls_without_a_name_have_one_each_up_to_fifty(target: HttpServer) -> None:
    """The rest share one, and the server gets every URL as it is."""

    async def walk(user: User) -> None:
        for n in range(60):
            await user.get(f"/{n}?a=${{b}}&c=ü d")

    result = run_one(target, walk, phases=[{"name": "main", "users": 1, "iterations": 1}])

    assert len(result.requests) == 51
    assert result.requests["__other__"].count == 10
    assert len({one.target for one in target.requests}) == 60
    shapes = {one.target.partition("?")[2] for one in target.requests}
    assert len(shapes) == 1


def test_a_named_request_may_go_to_any_url(target: HttpServer) -> None:
    """And is compiled twice: for the first one, and for all others."""

    async def walk(user: User) -> None:
        for n in range(9):
            await user.get(f"/p/{n}", name="GET /p/:id")

    plan = plan_of(target, {"buy": walk})
    result = planrunner.run(plan)

    assert result.requests["GET /p/:id"].count == 36
    assert len({one.target for one in target.requests}) == 9


# -- plans -----------------------------------------------------------------------------------------


async def buy(user: User) -> None:
    await user.get("/a")


def test_a_plan_says_which_function_a_task_is(target: HttpServer) -> None:
    """With file and line, in explain."""
    plan = plan_of(target, {"buy": buy, "browse": [{"get": "/b"}]})
    line = buy.__code__.co_firstlineno

    plan.validate()

    assert f"buy(user), test_python_tasks.py:{line}: " in plan.explain()


def test_thresholds_may_name_what_only_functions_send(target: HttpServer) -> None:
    """One that nothing was sent for fails, as there is no data."""
    thresholds = ['p95 of "GET /a" < 5s', 'p95 of "GET /x" < 5s', "p95 of group:none < 5s"]

    result = run_one(target, buy, thresholds=thresholds)

    assert [one.verdict for one in result.thresholds] == ["pass", "no_data", "no_data"]
    assert not result.passed


def test_a_fault_names_the_task_as_python_does(target: HttpServer) -> None:
    """A mapping of tasks by name, in place of a list."""
    plan = plan_of(target, {"buy": buy, "browse": [{"gett": "/b"}], "x": {"wait": 1, "steps": buy}})

    with pytest.raises(PlanError) as error:
        plan.validate()

    arguments = [one.argument for one in error.value.diagnostics]
    assert arguments[0] == "users.Buyer.tasks.browse[0].gett"
    assert arguments[1] == "users.Buyer.tasks.x.wait"


def test_what_a_run_says_names_arguments(target: HttpServer) -> None:
    """As nobody knows lines of the text; a plan that is a text has them."""
    broken = [{"get": "/a", "extract": {"x": "$.no"}}]
    plan = plan_of(target, {"look": broken, "buy": {"steps": broken}}, thresholds=["p95 < 5s"])
    as_text = planrunner.Plan.from_yaml(plan.to_yaml())

    results = [planrunner.run(one) for one in (plan, as_text)]

    places = [{text.rpartition(", ")[2] for text in one.raw.notices} for one in results]
    assert places[0] == {"users.Buyer.tasks.look[0])", "users.Buyer.tasks.buy.steps[0])"}
    assert all(place.startswith("plan.yaml:") for place in places[1])
    assert [one.thresholds[0].place.partition(":")[0] for one in results] == [
        "thresholds[0]",
        "plan.yaml",
    ]


def not_async(user: User) -> None:
    del user


async def yields(user: User) -> Any:
    yield await user.get("/a")


class Shopper:
    async def __call__(self, user: User) -> None:
        await user.get("/a")


async def takes_more(user: User, more: int) -> None:
    del user, more


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ({"buy": not_async}, "users.Buyer.tasks.buy: `not_async` is not an `async def` function"),
        ({"buy": yields}, "users.Buyer.tasks.buy: `yields` yields, so it can't be awaited"),
        ([takes_more], "users.Buyer.tasks[0]: `takes_more` does not take the user, and nothing"),
        (not_async, "users.Buyer.tasks: `not_async` is not an `async def` function"),
        (
            [{"parallel": [buy, {"get": "/b"}]}],
            "users.Buyer.tasks[0].parallel[0]: the function `buy` can't stand here",
        ),
        ([{"get": "/a", "json": {"x": buy}}], "users.Buyer.tasks[0].json.x: the function `buy` "),
    ],
)
def test_what_can_be_no_task_is_refused_at_its_argument(tasks: Any, words: str) -> None:
    """When the plan is made."""
    with pytest.raises(UsageError) as error:
        planrunner.Plan(users={"Buyer": {"tasks": tasks}})

    assert words in error.value.message


@pytest.mark.parametrize("task", [partial(takes_more, more=1), Shopper(), buy])
def test_what_is_called_like_a_function_is_a_task(target: HttpServer, task: object) -> None:
    """As is anything that takes the user; a task alone needs no list."""
    result = planrunner.run(plan_of(target, task))

    assert not result.failures


def test_functions_run_in_one_process_and_stay_in_python(target: HttpServer) -> None:
    """What asks for more says so, and what to do."""
    plan = plan_of(target, {"buy": buy})

    with pytest.raises(UsageError, match="workers: `buy` can only run in the process that made"):
        planrunner.run(plan, workers=2)
    with pytest.raises(UsageError, match=r"functions can't be written as YAML: `buy` \(test_"):
        plan.to_yaml()
    assert "get: /b" in plan.replace(users={"U": {"steps": [{"get": "/b"}]}}).to_yaml()


@pytest.mark.slow
def test_plans_with_other_functions_are_other_plans(target: HttpServer) -> None:
    """Even if their text is the same."""
    one, same, other = (plan_of(target, {"buy": each}) for each in (buy, buy, shop))

    assert one == same != other
    hashes = [planrunner.run(each).raw.plan_hash for each in (one, same, other)]
    assert hashes[0] == hashes[1] != hashes[2]


# -- time ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_function_that_never_ends_ends_with_its_phase(target: HttpServer) -> None:
    """Its iteration is aborted, and its request that is under way too."""

    async def forever(user: User) -> None:
        while True:
            await user.get("/a")
            await asyncio.sleep(0.01)

    phases = [{"name": "main", "users": 2, "hold": "300ms", "graceful_stop": "100ms"}]
    result = run_one(target, forever, phases=phases)

    assert result.requests["GET /a"].count > 10
    assert result.duration.s < 5


@pytest.mark.slow
def test_a_function_that_holds_up_the_loop_is_named(target: HttpServer) -> None:
    """As latencies of everybody else are wrong meanwhile."""

    async def blocks(user: User) -> None:
        await user.get("/a")
        time.sleep(0.6)  # noqa: ASYNC251 - what it is about

    phases = [{"name": "main", "users": 2, "iterations": 2}]
    result = run_one(target, blocks, phases=phases)

    assert "`blocks` blocked everything else" in str(result.validity)


@pytest.mark.slow
def test_latencies_count_from_the_intended_start(target: HttpServer) -> None:
    """In an open phase: a function that is late to send makes its first request late."""

    async def late(user: User) -> None:
        await asyncio.sleep(0.05)
        await user.get("/a")
        await user.get("/b")

    phases = [{"name": "main", "rate": "20/s", "hold": "500ms", "max_users": 20}]
    result = run_one(target, late, phases=phases)

    assert result.requests["GET /a"].min.ms >= 50
    assert result.requests["GET /b"].min.ms < 50
