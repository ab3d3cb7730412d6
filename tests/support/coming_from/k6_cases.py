"""What constructs of k6 are known to do, by the rows of docs/how-to/coming-from-k6.md."""

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
LOGIN: Final = "[{get: /login}, {get: /me}]"
SHOP: Final = "params: {shop: {type: str, default: /a}}"
CHECKED: Final = Case(
    sent=("GET /a",),
    steps="[{group: checkout, do: [{get: /a, name: home, expect: {contains: ok, soft: true}}]}]",
    judged="pass 100 %",
)

LOAD: Final = {
    "`vus: 10, duration: '30s'`": users(10, "30s"),
    "`vus: 2, iterations: 6`": is_sent(*6 * ["GET /a"]),
    "`per-vu-iterations`, `vus: 2, iterations: 3`": is_sent(*6 * ["GET /a"], connections=2),
    "`maxDuration: '1m'`": Case(
        load="counted, 10 users, 200 iterations in all; ends after 1m even if some are left"
    ),
    "`stages: [{duration: '2m', target: 100}, …]`": users(
        100, "1: 0 → 100 users over 2m", "2: 100 users for 5m", "3: 100 → 0 users over 2m"
    ),
    "`startVUs: 10`": users(
        100, "1: 10 users at once", "1: 10 → 100 users over 2m", "2: 100 → 0 users over 2m"
    ),
    "`constant-arrival-rate`, `rate: 30, maxVUs: 50`": arrivals(50, "hold: 30/s for 1m"),
    "`rate: 300, timeUnit: '1m'`": arrivals(1000, "hold: 5/s for 5m"),
    "`ramping-arrival-rate`, `startRate: 50`": arrivals(
        1000, "1: 50/s → 200/s over 2m", "2: 200/s → 0/s over 1m"
    ),
    "`startTime: '1m'`": users(
        10, "ramp: 10 users at once", "hold: 10 users for 30s", "from 1m on"
    ),
    "`gracefulStop: '10s'`": users(
        10, "ramp: 10 users at once", "hold: 10 users for 30s", "graceful stop: 10s"
    ),
    "`exec: 'V'`": users(10, "30s"),
    "`env: {PAGE: '2'}` of a scenario": is_sent(
        "GET /2", more="params: {page: {type: int, default: 1}}", steps="[{get: '/${page}'}]"
    ),
    "`rps: 100`": users(
        10, "ramp: 10 users at once", "hold: 10 users for 30s",
        "at most 100/s requests, evenly spaced",
    ),
    "Load": Case(
        load=users(
            20, "ramp: 20 users at once", "hold: 20 users for 5m", "from 0s on"
        ).load
        + "\n"
        + arrivals(50, "hold: 2/s for 5m", "Buy: 2/s", "from 30s on").load
    ),
}  # fmt: skip
STEPS: Final = {
    "`noCookiesReset: false` (default)": is_sent(
        "GET /login [cookie: -]", "GET /me [cookie: sid=1]",
        "GET /login [cookie: -]", "GET /me [cookie: sid=2]", steps=LOGIN, phase=TWICE,
    ),
    "`noCookiesReset: true`": is_sent(
        "GET /login [cookie: -]", "GET /me [cookie: sid=1]",
        "GET /login [cookie: sid=1]", "GET /me [cookie: sid=2]", steps=LOGIN, phase=TWICE,
    ),
    "`sleep(1)` at the end of a function": is_sent("GET /a", "GET /a", phase=TWICE),
    "`minIterationDuration: '1s'`": is_sent("GET /a", "GET /a", phase=TWICE),
    "`http.get('/a?q=1')`": is_sent("GET /a?q=1"),
    "`http.post(url, JSON.stringify({a: 1}))` with a JSON header": is_sent(
        'POST /a [content-type: application/json] {"a":1}'
    ),
    "`http.post(url, {a: 1, b: 'x y'})`": is_sent(
        "POST /a [content-type: application/x-www-form-urlencoded] a=1&b=x+y"
    ),
    "`http.post(url, 'text')`": is_sent("POST /a text"),
    "`http.post(url, open('order.xml'))`": is_sent(
        "POST /a <order/>", files={"order.xml": "<order/>"}
    ),
    "`http.file(open('a.txt', 'b'), 'a.txt')`": is_sent(
        'POST /a [content-type: multipart/form-data; boundary=*] '
        '*name="upload"; filename="a.txt"*hello*', files={"a.txt": "hello"},
    ),
    "`http.put`, `http.patch`": is_sent('PUT /a {"a":1}'),
    "`http.del(url)`": is_sent("DELETE /a"),
    "`http.head`, `http.options`": is_sent("HEAD /a"),
    "`http.batch(['/a', '/b'])`": is_sent("GET /a", "GET /b", in_any_order=True, connections=2),
    "`` http.url`/items/${id}` ``": is_sent("GET /items/7", prints="GET /items/:id"),
    "`group('checkout', () => {…})`": is_sent(
        "GET /cart", "POST /orders",
        more="thresholds: [count of group:checkout == 1]", judged="pass 1",
    ),
    "`sleep(1)`": is_sent("GET /b", after="{get: /b}"),
    "`sleep(randomIntBetween(1, 3))`": is_sent("GET /b", after="{get: /b}"),
    "`if (res.status === 200) {…}`": is_sent("GET /a", "GET /yes", before="{get: /a}"),
    "`for (let i = 0; i < 3; i++)`": is_sent(*3 * ["GET /page"]),
    "`for (const id of ids)`": is_sent("GET /items/1", "GET /items/2"),
    "`while (…)`": is_sent("GET /page", "GET /page", before="{set: {pages: 0}}"),
    "`switch (plan)`": is_sent("GET /lounge", before="{set: {plan: gold}}"),
    "`randomItem([a, a, b])()`": A,
    "`const x = …`": is_sent("GET /42", after='{get: "/${x}"}'),
    "`return`, `fail('…')`": is_sent("GET /a", before="{get: /a}", after="{get: /never}"),
    "`exec.test.abort()`": is_sent(
        "GET /a", before="{get: /a}", after="{get: /never}", phase="users: 1, iterations: 9"
    ),
    "`http.cookieJar().set(url, 'beta', '1')`": is_sent(
        "GET /login [cookie: beta=1]", "GET /me [cookie: beta=1; sid=1]",
        after="{get: /login}, {get: /me}",
    ),
    "`console.log(…)`": is_sent("GET /b", after="{get: /b}", prints="got 2"),
}  # fmt: skip
REQUESTS: Final = {
    "`params.tags.name` that is computed": is_sent("GET /a", prints="shop-2"),
    "`params.auth: 'digest'`": is_sent(
        "GET /digest [authorization: -]", "GET /digest [authorization: Digest *]", url="/digest"
    ),
    "`new SignatureV4({…}).sign(…)`": is_sent(
        "GET /a [authorization: AWS4-HMAC-SHA256 Credential=id/*/eu-west-1/s3/aws4_request*]"
    ),
    "`params.headers`": is_sent("GET /a [x-shop: 1]"),
    "`params.cookies`": is_sent("GET /a [cookie: beta=1]"),
    "`params.tags`": is_sent(
        "GET /a", more="thresholds: [count of tag:kind=page == 1]", judged="pass 1"
    ),
    "`params.tags.name`": is_sent("GET /a", prints="home"),
    "`params.timeout: '5s'`": A,
    "`params.redirects: 0`": is_sent("GET /redirect", url="/redirect"),
    "`params.auth: 'basic'`": is_sent("GET /a [authorization: Basic YWRhOnB3]"),
    "`responseCallback: http.expectedStatuses(200, 404)`": is_sent(
        "GET /status/404", url="/status/404"
    ),
    "`http.expectedStatuses({min: 200, max: 299})`": expects("/status/404"),
    "`responseCallback: null`": is_sent("GET /status/404", url="/status/404"),
    "`check(res, {…: r => r.status === 200})`": expects("/status/204"),
    "`r => r.timings.duration < 500`": A,
    "`r => r.body.includes('ok')`": expects(),
    "`r => !r.body.includes('Sorry')`": expects("/Sorry"),
    '`r => /id": ?[0-9]/.test(r.body)`': expects(),
    "`r => r.json('items.0.id') === 1`": expects(),
    "`r => r.json().items.length > 0`": expects(),
    "`r => r.json('id') !== undefined`": expects(),
    "`r => r.headers['X-Trace'] === 'abc'`": expects(),
    "`r => r.url.endsWith('/landed')`": Case(
        sent=("GET /redirect", "GET /landed"), url="/redirect", broken_by="/a"
    ),
    "`res.json('token')`": extracts("7"),
    "`res.json('items.#.id')`": extracts("3"),
    "`res.html().find('input').attr('value')`": extracts("c1", "/html"),
    "`res.headers['X-Trace']`": extracts("abc"),
    "`res.cookies.sid[0].value`": extracts("1", "/login"),
    '`res.body.match(/"id": (\\d+)/)[1]`': extracts("7"),
}
VALUES: Final = {
    "`papaparse.parse(text, {delimiter: ';'})`": is_sent(
        "GET /rows/*", steps=ONE_ROW, files=ROWS
    ),
    "`__VU`, `exec.vu.idInTest`": value("1"),
    "`__ITER`, `exec.vu.iterationInScenario`": is_sent("POST /is 0", "POST /is 1", phase=TWICE),
    "`exec.scenario.iterationInTest`": is_sent(
        "POST /is 0", "POST /is 1", phase="users: 2, iterations: 2", in_any_order=True
    ),
    "`exec.scenario.name`": value("main"),
    "`randomIntBetween(1, 6)`": value("*"),
    "`randomItem(['a', 'b'])`": value("*"),
    "`randomString(8)`": value("*"),
    "`uuidv4()`": value("*-*-4*-*-*"),
    "`Math.random()`": value("0.*"),
    "`Date.now()`": value("1*"),
    "`new Date().toISOString()`": value("2*-*T*Z"),
    "`crypto.sha256('x', 'hex')`": value(
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    ),
    "`crypto.hmac('sha256', 'key', 'x', 'hex')`": value(
        "4fc3b7eaf34d7e594a6f51d9517ba543abf41067b27587ffd82ba3584e4d3cdd"
    ),
    "`encoding.b64encode('x')`": value("eA=="),
    "`encodeURIComponent('a b')`": value("a%20b"),
    "`JSON.stringify({a: 1})`": value('{"a":1}'),
    "`__ENV.SHOP`": is_sent("GET /a", steps="[{get: '${shop}'}]"),
    "`new SharedArray(…)`, an element at random": is_sent(
        "GET /rows/1", steps=ONE_ROW, files=ROWS
    ),
    "`papaparse.parse(open('rows.csv'), {header: true})`": is_sent(
        "GET /rows/1", "GET /rows/2", "GET /rows/1",
        steps=ONE_ROW, files=ROWS, phase="users: 1, iterations: 3",
    ),
    "`rows[exec.vu.idInTest - 1]`": is_sent(
        "GET /rows/1", "GET /rows/1", "GET /rows/2", "GET /rows/2",
        steps=ONE_ROW, files=ROWS, phase="users: 2, iterations_per_user: 2", in_any_order=True,
    ),
    "`rows[exec.scenario.iterationInTest]`": is_sent(
        "GET /rows/1", "GET /rows/2",
        steps=ONE_ROW, files=ROWS, phase="users: 1, iterations: 9",
    ),
    "Set-up, and what it hands on": is_sent(
        "POST /login [authorization: -] user=ada",
        "GET /me [authorization: Bearer t1]", "GET /me [authorization: Bearer t1]",
        "POST /logout", phase=TWICE,
    ),
}  # fmt: skip
CONNECTIONS: Final = {
    "`http.setResponseCallback(http.expectedStatuses(200, 404))`": is_sent(
        "GET /status/404", steps="[{get: /status/404}]"
    ),
    "`tags: {build: '7'}`": is_sent(
        "GET /a", more="thresholds: [count of tag:build=7 == 1]", judged="pass 1"
    ),
    "`noVUConnectionReuse: true`": is_sent(
        *4 * ["GET /a"], steps="[{get: /a}, {get: /a}]", phase=TWICE, connections=2
    ),
    "`localIPs: ['127.0.0.1']`": A,
    "`insecureSkipTLSVerify: true`": A,
    "`hosts: {'shop.test': '127.0.0.1'}`": A,
    "`userAgent: 'shop/1'`": is_sent("GET /a [user-agent: shop/1]"),
    "`noConnectionReuse: true`": is_sent("GET /a", "GET /a", phase=TWICE, connections=2),
    "`batchPerHost: 6`": A,
    "`maxRedirects: 0`": is_sent("GET /redirect", steps="[{get: /redirect}]"),
    "`discardResponseBodies: true`": A,
}
THRESHOLDS: Final = {
    "`'http_req_duration{url:http://…/c}': […]`": holds(),
    "`checks: ['rate>0.95']`": CHECKED,
    "`'checks{name:home}': ['rate>0.95']`": CHECKED,
    "`http_req_duration: ['p(95)<500']`": holds(),
    "`http_req_duration: ['avg<200', 'med<150', 'max<2000']`": holds(),
    "`http_req_waiting: ['p(90)<300']`": holds(),
    "`http_req_connecting`, `http_req_tls_handshaking`": holds(),
    "`http_req_failed: ['rate<0.01']`": holds("0"),
    "`'checks{group:::checkout}': ['rate>0.95']`": CHECKED,
    "`http_reqs: ['count>=3']`": holds("3"),
    "`http_reqs: ['rate>1']`": holds(),
    "`iteration_duration: ['p(95)<3000']`": holds(),
    "`iterations: ['count>=1']`": holds("1"),
    "`dropped_iterations: ['count<10']`": Case(
        phase="rate: 100/s, hold: 50ms", judged="pass 0", failed=None
    ),
    "`'http_req_duration{name:home}': […]`": holds(),
    "`'http_req_duration{kind:page}': […]`": holds(),
    "`'http_req_duration{status:200}': […]`": holds(),
    "`'http_req_duration{expected_response:true}': […]`": holds(),
    "`'http_req_duration{scenario:main}': […]`": holds(),
    "`'http_req_duration{group:::checkout}': […]`": holds(),
    "`'group_duration{group:::checkout}': […]`": holds(),
    "`{threshold: 'rate<0.5', abortOnFail: true, delayAbortEval: '10s'}`": holds("0"),
}
COMMANDS: Final = {
    "`k6 run --config shop.json`": is_sent("GET /a [x-shop: 1]"),
    "`k6 run script.js`": A,
    "`k6 inspect script.js`": Case(prints="GET /a"),
    "`k6 run --vus 10 --duration 30s`": Case(users=10, phase="users: 1, hold: 20ms"),
    "`k6 run --iterations 1`": A,
    "`k6 run --http-debug=full`": A,
    "`k6 run --stage 30s:10,1m:10`": Case(users=10, phase="users: 1, hold: 20ms"),
    "`k6 run -e SHOP=/b`": is_sent("GET /b", steps="[{get: '${shop}'}]", more=SHOP),
    "`k6 run --tag build=7`": is_sent("GET /a", prints="build=7"),
    "`k6 run --quiet`": A,
    "`--summary-export`, `handleSummary`": is_sent("GET /a", prints="junit.xml"),
    "`--out csv=results.csv`": is_sent("GET /a", prints="results.csv"),
    "`K6_WEB_DASHBOARD_EXPORT=report.html`": is_sent("GET /a", prints="report.html"),
}
CASES: Final = {**LOAD, **STEPS, **REQUESTS, **VALUES, **CONNECTIONS, **THRESHOLDS, **COMMANDS}
