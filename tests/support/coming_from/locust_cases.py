"""What constructs of Locust are known to do, by the rows of docs/how-to/coming-from-locust.md."""

from __future__ import annotations

from typing import Final

from tests.support.coming_from.cases import (
    ONE_ROW,
    ROWS,
    Case,
    expects,
    extracts,
    holds,
    is_sent,
    users,
    value,
)

__all__ = ["CASES"]

A: Final = is_sent("GET /a")
TWICE: Final = "users: 1, iterations: 2"
AA: Final = is_sent("GET /a", "GET /a", phase=TWICE)
TAGGED: Final = "[{get: /a, tags: [read]}, {get: /b, tags: [write]}]"
SHOP: Final = "params: {shop: {type: str, default: /a}}"

USERS: Final = {
    "`wait_time` of a nested `TaskSet`": is_sent("GET /a", "GET /b"),
    '`MarkovTaskSet`, `@transition("buy")`': is_sent(
        "GET /look", "GET /buy", phase=TWICE, in_any_order=True
    ),
    "`weight = 3`": A,
    "`fixed_count = 1`": is_sent("GET /a", phase="iterations: 1"),
    "`wait_time = between(1, 3)`": AA,
    "`wait_time = constant(1)`": AA,
    "`wait_time = constant_pacing(1)`": AA,
    "`wait_time = constant_throughput(0.5)`": AA,
    "`def wait_time(self): return expovariate(1)`": AA,
    "`@task(3)`, `tasks = {a: 3, b: 1}`": AA,
    "`@task` of several requests": is_sent("GET /a", "GET /b"),
    "`@tag('read')`": A,
    "`SequentialTaskSet`": is_sent(*2 * ("GET /a", "GET /b"), phase=TWICE),
    "`self.interrupt()` in a `SequentialTaskSet`": AA,
    '`host = "http://…"`': A,
    "`on_start`": is_sent(
        "GET /login", "GET /a [cookie: sid=1]", "GET /a [cookie: sid=1]", phase=TWICE,
        more="thresholds: [count == 2]", judged="pass 2",
    ),
    "`on_stop`": is_sent("GET /a", "GET /a", "POST /logout", phase=TWICE),
    "`self.client.headers.update({…})` in `on_start`": is_sent(
        "GET /a [x-shop: 1]", "GET /a [x-shop: 1]", phase=TWICE
    ),
    "`default_headers` of `FastHttpUser`": is_sent("GET /a [x-shop: 1]"),
    "`self.client.verify = False`, `insecure = True`": A,
    "`network_timeout = 5.0`": A,
    "`self.seen = 0` in `on_start`": is_sent(
        "GET /0", "GET /1", phase=TWICE,
        steps="[{get: '/${seen}'}, {set: {seen: '${seen + 1}'}}]",
    ),
}  # fmt: skip
REQUESTS: Final = {
    "`ORDERS.append(id)` on a list of the module": is_sent(
        "GET /7", more="pools: {orders: {}}",
        after='{pop: {pool.orders: first, as: id}}, {get: "/${id}"}',
    ),
    "`ORDERS.pop(0)`": is_sent(
        "GET /7", more="pools: {orders: {values: [7]}}", after='{get: "/${token}"}'
    ),
    "waiting for `events.spawning_complete`": is_sent(
        "GET /a", "GET /a", "GET /b", "GET /b", before="{get: /a}", after="{get: /b}",
        phase="users: 2, iterations_per_user: 1",
    ),
    '`auth=HTTPDigestAuth("ada", "pw")`': is_sent(
        "GET /digest [authorization: -]", "GET /digest [authorization: Digest *]", url="/digest"
    ),
    '`self.client.get("/a", params={"q": "x y"})`': is_sent("GET /a?q=x%20y"),  # with `+`, the same
    '`self.client.post("/a", json={"a": 1})`': is_sent(
        'POST /a [content-type: application/json] {"a":1}'
    ),
    '`self.client.post("/a", {"a": 1})`, `data={…}`': is_sent(
        "POST /a [content-type: application/x-www-form-urlencoded] a=1"
    ),
    '`self.client.post("/a", data="text")`': is_sent("POST /a text"),
    '`files={"upload": open("a.txt", "rb")}`': is_sent(
        'POST /a *name="upload"; filename="a.txt"*hello*', files={"a.txt": "hello"}
    ),
    "`self.client.put`, `patch`, `delete`, `head`, `options`": is_sent("DELETE /a"),
    '`self.client.request("PUT", "/a")`': is_sent("PUT /a"),
    "`time.sleep(1)`, `self.wait()`": is_sent("GET /b", after="{get: /b}"),
    "`raise RescheduleTask()`": is_sent(
        "GET /a", "GET /a", before="{get: /a}", after="{get: /never}", phase=TWICE
    ),
    "`raise StopUser()`": is_sent(
        "GET /a", before="{get: /a}", after="{get: /never}", phase=TWICE
    ),
    "`self.environment.runner.quit()`": is_sent(
        "GET /a", before="{get: /a}", after="{get: /never}", phase=TWICE
    ),
    "`gevent.pool` of requests": is_sent("GET /a", "GET /b", in_any_order=True, connections=2),
    "`for _ in range(3)`": is_sent(*3 * ["GET /page"]),
    "`for id in ids`": is_sent("GET /items/1", "GET /items/2"),
    "`if response.status_code == 200`": is_sent("GET /a", "GET /yes", before="{get: /a}"),
    '`self.client.cookies.set("beta", "1")`': is_sent(
        "GET /login [cookie: beta=1]", "GET /me [cookie: beta=1; sid=1]",
        after="{get: /login}, {get: /me}",
    ),
    "`print(…)`, `logging.info(…)`": is_sent("GET /b", after="{get: /b}", prints="got 2"),
    '`name="/items/[id]"`': is_sent("GET /a", prints="/items/[id]"),
    '`with self.client.rename_request("home")`': is_sent("GET /a", prints="home"),
    "`headers={…}`": is_sent("GET /a [x-shop: 1]"),
    "`cookies={…}`": is_sent("GET /a [cookie: beta=1]"),
    '`auth=("ada", "pw")`': is_sent("GET /a [authorization: Basic YWRhOnB3]"),
    "`timeout=5`": A,
    "`allow_redirects=False`": is_sent("GET /redirect", url="/redirect"),
    '`response.json()["id"]`': extracts("7"),
    "`re.search('\"id\": ([0-9]+)', response.text)[1]`": extracts("7"),
    '`response.headers["X-Trace"]`': extracts("abc"),
    '`response.cookies["sid"]`': extracts("1", "/login"),
    '`PyQuery(response.text)("input").val()`': extracts("c1", "/html"),
}  # fmt: skip
REPLIES: Final = {
    '`if "/landed" not in response.url`': is_sent(
        "GET /redirect", "GET /landed", url="/redirect", broken_by="/a"
    ),
    "`response.failure(…)` if the status is not 200": expects("/status/201"),
    "`response.success()` though it is 404": is_sent("GET /status/404", url="/status/404"),
    '`if "ok" not in response.text`': expects(),
    '`if "Sorry" in response.text`': expects("/Sorry"),
    "`if response.elapsed.total_seconds() > 0.5`": A,
    '`if response.json()["id"] != 7`, `self.rest(…)`': expects(),
    '`if not response.json()["items"]`': expects(),
    '`if "X-Trace" not in response.headers`': expects(),
}
LOAD: Final = {
    "Nested task sets": is_sent(
        "GET /products …", "POST /login name=ada", "POST /orders", phase="users: 1, iterations: 1"
    ),
    "`--users 100 --spawn-rate 10 --run-time 5m`": users(
        100, "ramp: 0 → 100 users over 10s", "hold: 100 users for 4m50s"
    ),
    "`--users 100 --spawn-rate 100`": users(100, "5m"),
    "`--stop-timeout 10`": users(
        10, "ramp: 10 users at once", "hold: 10 users for 30s", "graceful stop: 10s"
    ),
    "`--reset-stats`": users(100, "ramp: 0 → 100 users over 10s", "hold: 100 users for 5m"),
    "two classes with `fixed_count`": users(3, "30s"),
    "`LoadTestShape` with stages": users(
        50, "1: 0 → 10 users over 1m", "2: 10 → 50 users over 3m", "3: 50 → 0 users over 1m"
    ),
    "`LoadTestShape` that jumps": users(
        50, "1: 10 users at once", "2: 10 users for 1m", "3: 50 users at once",
        "4: 50 users for 1m",
    ),
    "`tick` that returns `None` at the end": users(10, "10m"),
    "Load": Case(
        load=users(10, "ramp: 0 → 10 users over 1s", "hold: 10 users for 1m").load
        + "\n"
        + users(50, "ramp: 0 → 50 users over 5s", "hold: 50 users for 1m").load
    ),
}  # fmt: skip
PLAN: Final = {
    '`csv.reader(open("rows.txt"), delimiter=";")`': is_sent(
        "GET /rows/*", steps=ONE_ROW, files=ROWS
    ),
    "`@events.test_start.add_listener`": is_sent("POST /reset", "GET /a"),
    "`@events.test_stop.add_listener`": is_sent("GET /a", "POST /clean"),
    "`@events.init_command_line_parser.add_listener`": is_sent(
        "GET /a", steps="[{get: '${shop}'}]"
    ),
    '`csv.DictReader(open("rows.csv"))`, one at random': is_sent(
        "GET /rows/*", steps=ONE_ROW, files=ROWS
    ),
    "`USERS.pop()` in `on_start`": is_sent(
        "GET /rows/1", "GET /rows/1", "GET /rows/2", "GET /rows/2",
        steps=ONE_ROW, files=ROWS, phase="users: 2, iterations_per_user: 2", in_any_order=True,
    ),
    "`CSVReader` of locust-plugins": is_sent(
        "GET /rows/1", "GET /rows/2", "GET /rows/1",
        steps=ONE_ROW, files=ROWS, phase="users: 1, iterations: 3",
    ),
    "`random.randint(1, 6)`": value("*"),
    '`random.choice(["a", "b"])`': value("*"),
    '`random.choices(["a", "b"], weights=[3, 1])`': value("*"),
    "`random.sample([1, 2, 3], 2)`": value("[*,*]"),
    "`uuid.uuid4()`": value("*-*-4*-*-*"),
    "`time.time()`": value("1*.*"),
    '`datetime.now().strftime("%Y-%m-%d")`': value("2*-*-*"),
    '`hashlib.sha256(b"x").hexdigest()`': value(
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    ),
    "`self.environment.parsed_options.shop`": value("/a", more=SHOP),
}  # fmt: skip
VERDICT: Final = {
    "… of each of `stats.entries`": holds(),
    "`--exit-code-on-error 1`": holds("0"),
    "`stats.total.fail_ratio > 0.01` in `events.quitting`": holds("0"),
    "`stats.total.avg_response_time > 200`": holds(),
    "`stats.total.get_response_time_percentile(0.95) > 800`": holds(),
    "`stats.total.total_rps < 1`": holds(),
    '`stats.get("home", "GET").num_failures > 0`': holds("0"),
    '`stats.get("home", "GET").max_response_time > 900`': holds(),
}
COMMANDS: Final = {
    "`locust.conf`": is_sent("GET /a [x-shop: 1]"),
    "`locust --headless`": A,
    "`-u 10 -r 100 -t 30s`": Case(users=10, phase="users: 1, hold: 20ms"),
    "`-H http://localhost:8000`": A,
    "`--tags read`": is_sent("GET /a", steps=TAGGED, does="tasks"),
    "`--exclude-tags write`": is_sent("GET /a", steps=TAGGED, does="tasks"),
    "`locust -f locustfile.py V`": A,
    "`run_single_user(V)`": A,
    "`--csv result`": is_sent("GET /a", prints="stats_history.csv"),
    "`--html report.html`": is_sent("GET /a", prints="report.html"),
    "`--json`": is_sent("GET /a", prints='"total_requests": 1'),
    "`--processes 2`": A,
    "`--show-task-ratio`": Case(prints="GET /a"),
    "`--only-summary`": A,
}
CASES: Final = {**USERS, **REQUESTS, **REPLIES, **LOAD, **PLAN, **VERDICT, **COMMANDS}
