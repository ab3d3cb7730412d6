"""What elements of JMeter are known to do, by the rows of docs/how-to/coming-from-jmeter.md."""

from __future__ import annotations

from typing import Final

from tests.support.coming_from.cases import (
    ONE_ROW,
    ROWS,
    Case,
    arrivals,
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
SHOP: Final = "params: {shop: {type: str, default: /a}}"
SIGNED_IN: Final = (
    "GET /login [cookie: -]", "GET /me [cookie: sid=1]",
    "GET /login [cookie: -]", "GET /me [cookie: sid=2]",
)  # fmt: skip
AT_ONCE: Final = "ramp: 10 users at once"

GROUPS: Final = {
    "2 threads, 3 loops": is_sent(*6 * ["GET /a"], connections=2),
    "100 threads, ramp-up 10, 5 loops": Case(
        load="counted, 100 users, 5 iterations each; all have started after 10s; "
        "ends after 10m even if some are left"
    ),
    "100 threads, ramp-up 60, duration 300": users(
        100, "ramp: 0 → 100 users over 1m", "hold: 100 users for 4m"
    ),
    "startup delay 30": users(10, AT_ONCE, "hold: 10 users for 5m", "from 30s on"),
    "Concurrency Thread Group": users(
        100, "ramp: 0 → 100 users over 1m", "hold: 100 users for 5m"
    ),
    "Ultimate Thread Group": users(
        50, "1: 0 → 50 users over 1m", "2: 50 users for 5m", "3: 50 → 0 users over 1m"
    ),
    "Stepping Thread Group": users(
        20, "1: 0 → 10 users over 10s", "2: 10 users for 1m", "3: 10 → 20 users over 10s",
        "4: 20 users for 1m",
    ),
    "Open Model Thread Group, `rate(1/s) random_arrivals(1 min) rate(50/s)`": arrivals(
        1000, "1: 1/s → 50/s over 1m", kind="poisson"
    ),
    "Arrivals Thread Group": arrivals(200, "hold: 10/s for 5m"),
    "Throughput Shaping Timer": arrivals(1000, "2: 10/s for 1m", "3: 10/s → 50/s over 1m"),
    "Constant Throughput Timer, all active threads": users(
        10, AT_ONCE, "hold: 10 users for 5m", "at most 10/s requests, evenly spaced"
    ),
    "Precise Throughput Timer": arrivals(1000, "hold: 10/s for 5m", kind="poisson"),
    "Stop test on a sample error": is_sent(
        "GET /status/500 …", steps="[{get: /status/500}, {think: 200ms}]", code=4, failed=None
    ),
    "On error: start the next thread loop": is_sent(
        "GET /status/500", "GET /status/500", phase=TWICE, code=1, failed=2
    ),
    "On error: stop the thread": is_sent("GET /status/500", phase=TWICE, code=1, failed=1),
    "Same user on each iteration: off": is_sent(
        *SIGNED_IN, steps="[{get: /login}, {get: /me}]", phase=TWICE
    ),
    "Cookie Manager, clear cookies each iteration": is_sent(*SIGNED_IN, phase=TWICE),
    "Constant Throughput Timer, this thread only, 60/min": AA,
    "Thread groups": Case(
        load="counted, 20 users, 50 iterations each; all have started after 10s; "
        "ends after 10m even if some are left; from 0s on\n"
        + users(5, "ramp: 0 → 5 users over 5s", "hold: 5 users for 55s", "from 0s on").load
    ),
}  # fmt: skip
SAMPLERS: Final = {
    "Inter-Thread Communication: put": is_sent(
        "GET /7", more="pools: {orders: {}}",
        after='{pop: {pool.orders: first, as: id}}, {get: "/${id}"}',
    ),
    "Inter-Thread Communication: get, timeout 5": is_sent(
        "GET /7", more="pools: {orders: {values: [7]}}", after='{get: "/${id}"}'
    ),
    "HTTP Request, GET with parameters": is_sent("GET /a?q=1"),
    "HTTP Request, POST with parameters": is_sent(
        "POST /a [content-type: application/x-www-form-urlencoded] a=1"
    ),
    "HTTP Request, POST with body data": is_sent('POST /a {"a":1}'),
    "HTTP Request, files upload": is_sent(
        'POST /a *name="upload"; filename="a.txt"*hello*', files={"a.txt": "hello"}
    ),
    "HTTP Request, a file as the body": is_sent(
        "POST /a <order/>", files={"order.xml": "<order/>"}
    ),
    "GraphQL HTTP Request": is_sent('POST /graphql {"query":"{me {id}}"}'),
    "OS Process Sampler": is_sent("POST /got hello", after='{post: /got, body: "${said}"}'),
    "JSR223 Sampler, BeanShell Sampler": is_sent(
        "POST /got hello", after='{post: /got, body: "${said}"}', more="hooks: hooks.py",
        files={"hooks.py": "def greet():\n    return 'hello'\n"},
    ),
    "Debug Sampler": is_sent("GET /b", after="{get: /b}", prints="got 2"),
    "Flow Control Action: pause": is_sent("GET /b", after="{get: /b}"),
    "Flow Control Action: start next thread loop": is_sent(
        "GET /a", "GET /a", before="{get: /a}", after="{get: /never}", phase=TWICE
    ),
    "Flow Control Action: stop the thread": is_sent(
        "GET /a", before="{get: /a}", after="{get: /never}", phase=TWICE
    ),
    "Flow Control Action: stop the test": is_sent(
        "GET /a", before="{get: /a}", after="{get: /never}", phase=TWICE
    ),
    "Follow Redirects: off": is_sent("GET /redirect", url="/redirect"),
    "Use KeepAlive: off": is_sent("GET /a", "GET /a", phase=TWICE, connections=2),
    "Response timeout 5000": A,
    "HTTP Header Manager below a sampler": is_sent("GET /a [x-shop: 1]"),
    "Name of the sampler": is_sent("GET /a", prints="home"),
}  # fmt: skip
CONTROLLERS: Final = {
    "Synchronizing Timer, 2 users": is_sent(
        "GET /a", "GET /a", "GET /b", "GET /b", before="{get: /a}", after="{get: /b}",
        phase="users: 2, iterations_per_user: 1",
    ),
    "Transaction Controller": is_sent(
        "GET /cart", "POST /orders",
        more="thresholds: [count of group:checkout == 1]", judged="pass 1",
    ),
    "Loop Controller": is_sent(*3 * ["GET /page"]),
    "While Controller": is_sent("GET /page", "GET /page", before="{set: {pages: 0}}"),
    "If Controller": is_sent("GET /a", "GET /yes", before="{get: /a}"),
    "ForEach Controller": is_sent("GET /items/1", "GET /items/2"),
    "Switch Controller": is_sent("GET /lounge", before="{set: {plan: gold}}"),
    "Random Controller": A,
    "Weighted Switch Controller": A,
    "Interleave Controller": is_sent(
        "GET /even", "GET /odd", "GET /even", phase="users: 1, iterations: 3"
    ),
    "Random Order Controller": is_sent("GET /a", "GET /b", in_any_order=True),
    "Once Only Controller": is_sent(
        "GET /first", "GET /b", "GET /b", after="{get: /b}", phase=TWICE
    ),
    "Throughput Controller, 30 percent": is_sent(
        *3 * ["GET /a"], phase="users: 1, iterations: 10"
    ),
    "Throughput Controller, total executions": is_sent(
        "GET /a", "GET /a", phase="users: 2, iterations: 5"
    ),
    "Runtime Controller": is_sent(
        "GET /page …", before='{set: {end: "${now() + 0.02}"}}', failed=0
    ),
    "Parallel Controller": is_sent("GET /a", "GET /b", in_any_order=True, connections=2),
    "Module Controller, Include Controller": is_sent(
        "GET /products", more="flows: {browse: [{get: /products}]}"
    ),
    "Constant Timer 300": is_sent("GET /b", after="{get: /b}"),
    "Uniform Random Timer, 1000 more than 500": is_sent("GET /b", after="{get: /b}"),
    "Gaussian Random Timer, deviation 100, offset 300": is_sent("GET /b", after="{get: /b}"),
    "Poisson Random Timer, lambda 300, offset 100": is_sent("GET /b", after="{get: /b}"),
}  # fmt: skip
CONFIG: Final = {
    "Variable names `id,name`, delimiter `;`": is_sent(
        "GET /rows/*", steps=ONE_ROW, files=ROWS
    ),
    "Response Assertion below the test plan": A,
    "Timer below a thread group": AA,
    "Source address": A,
    "`httpclient.reset_state_on_thread_group_iteration`": is_sent(
        "GET /a", "GET /a", phase=TWICE, connections=2
    ),
    "HTTP Authorization Manager, digest": is_sent(
        "GET /digest [authorization: -]", "GET /digest [authorization: Digest *]",
        steps="[{get: /digest}]",
    ),
    "HTTP Header Manager": is_sent("GET /a [x-shop: 1]"),
    "HTTP Request Defaults: response timeout": A,
    "HTTP Authorization Manager, basic": is_sent("GET /a [authorization: Basic YWRhOnB3]"),
    "User-defined cookies of a Cookie Manager": is_sent(
        "GET /login [cookie: beta=1]", "GET /me [cookie: beta=1; sid=1]",
        steps="[{get: /login}, {get: /me}]",
    ),
    "HTTP Request Defaults: keep-alive off": is_sent(
        "GET /a", "GET /a", phase=TWICE, connections=2
    ),
    "`-H localhost -P 8000`, proxy server of the defaults": is_sent("GET http://*/a"),
    "DNS Cache Manager, static hosts": A,
    "Parallel downloads: 6": A,
    "`httpclient4.time_to_live`": A,
    "User Defined Variables": is_sent("GET /a", steps="[{get: '${shop}'}]"),
    "`${__P(shop,/a)}`": is_sent("GET /a", steps="[{get: '${shop}'}]"),
    "CSV Data Set Config": is_sent(
        "GET /rows/1", "GET /rows/2", "GET /rows/1",
        steps=ONE_ROW, files=ROWS, phase="users: 1, iterations: 3",
    ),
    "Recycle on EOF: off, Stop thread on EOF: on": is_sent(
        "GET /rows/1", "GET /rows/2", steps=ONE_ROW, files=ROWS, phase="users: 1, iterations: 9"
    ),
    "User Parameters": is_sent(
        "GET /rows/1", "GET /rows/1", "GET /rows/2", "GET /rows/2",
        steps=ONE_ROW, phase="users: 2, iterations_per_user: 2", in_any_order=True,
    ),
    "Random CSV Data Set": is_sent(
        "GET /rows/1", "GET /rows/2", steps=ONE_ROW, files=ROWS, phase=TWICE, in_any_order=True
    ),
    "setUp Thread Group": is_sent("POST /reset", "GET /a"),
    "tearDown Thread Group": is_sent("GET /a", "POST /clean"),
}  # fmt: skip
SCHEMA: Final = '{"type": "object", "required": ["id"]}'
REPLIES: Final = {
    "URL sampled matches": is_sent("GET /redirect", "GET /landed", url="/redirect", broken_by="/a"),
    "Response code equals 404, ignore status": is_sent(
        "GET /status/404", url="/status/404", broken_by="/a"
    ),
    "Text response contains": expects(),
    "Text response, substring": expects(),
    "… not": expects("/Sorry"),
    "Response headers contain": expects(),
    "JSON Assertion, the path exists": expects(),
    "JSON Assertion, with a value": expects(),
    "JSON Schema Assertion": is_sent("GET /a", broken_by="/login", files={"id.json": SCHEMA}),
    "Duration Assertion 500": A,
    "JSON Extractor `$.id`": extracts("7"),
    "JSON Extractor, default value": extracts("NOTFOUND"),
    "JSON Extractor, match number 0": extracts("none"),
    "JSON Extractor, match number -1": extracts("[1,2,3]"),
    "Regular Expression Extractor": extracts("7"),
    "… of the response headers": extracts("abc"),
    "Boundary Extractor": extracts("7"),
    "CSS Selector Extractor": extracts("c1", "/html"),
    "XPath Extractor": extracts("c1", "/html"),
    "XPath Assertion": extracts("c1", "/html"),
    "`CookieManager.save.variables`": extracts("1", "/login"),
}
FUNCTIONS: Final = {
    "`${__threadNum}`": value("1"),
    "`${__threadGroupName}`": value("main"),
    "`${__counter(TRUE)}`, `${__iterationNum}`": is_sent(
        "POST /is 1", "POST /is 1", phase="users: 2, iterations_per_user: 1"
    ),
    "`${__counter(FALSE)}`, Counter": is_sent(
        "POST /is 1", "POST /is 2", phase="users: 2, iterations: 2", in_any_order=True
    ),
    "Counter, number format `000`": value("001"),
    "`${__Random(1,6)}`, Random Variable": value("*"),
    "`${__RandomString(8)}`": value("*"),
    "`${__UUID}`": value("*-*-4*-*-*"),
    "`${__time()}`": value("1*"),
    "`${__time(yyyy-MM-dd)}`": value("2*-*-*"),
    "`${__timeShift(yyyy-MM-dd,,P1D,,)}`": value("2*-*-*"),
    "`${__urlencode(a b)}`": value("a%20b"),
    "`${__base64Encode(x)}`": value("eA=="),
    "`${__digest(SHA-256,x,,,)}`": value(
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    ),
    "`${__changeCase(x,UPPER,)}`": value("X"),
    "`${__jexl3(1 + 1)}`, `${__groovy(1 + 1)}`, `${__intSum(1,1)}`": value("2"),
    "`${__isVarDefined(shop)}`": value("true", more=SHOP),
    "`${__RandomFromMultipleVars(a|b)}`": value("*"),
}
VERDICT: Final = {
    "Aggregate Report, 95% Line": holds(),
    "Size Assertion": holds(),
    "AutoStop Listener: 50 % errors for 10 s": holds("0"),
}
COMMANDS: Final = {
    "`user.properties`, and defaults that many plans share": is_sent("GET /a [x-shop: 1]"),
    "`jmeter -n -t plan.jmx`": A,
    "`-l results.jtl`, Simple Data Writer": is_sent("GET /a", prints=".jtl"),
    "`-e -o report`": is_sent("GET /a", prints="report.html"),
    "`-Jshop=/b`": is_sent("GET /b", steps="[{get: '${shop}'}]", more=SHOP),
    "`-q more.properties`": is_sent(
        "GET /b", steps="[{get: '${shop}'}]", files={"more.env": "SHOP=/b\n"},
        more="params: {shop: {type: str, default: /a, env: SHOP}}",
    ),
    "View Results Tree": A,
    "Aggregate Report, Summary Report": is_sent("GET /a", prints="p95"),
    "a disabled element": A,
}  # fmt: skip
CASES: Final = {
    **GROUPS,
    **SAMPLERS,
    **CONTROLLERS,
    **CONFIG,
    **REPLIES,
    **FUNCTIONS,
    **VERDICT,
    **COMMANDS,
}
