"""What Artillery is known to do, by the rows of docs/how-to/coming-from-artillery.md."""

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
    value,
)

__all__ = ["CASES"]

A: Final = is_sent("GET /a")
TWICE: Final = "users: 1, iterations: 2"
SHOP: Final = "params: {shop: {type: str, default: /a}}"
READ: Final = "[{get: '${shop}'}]"
HOOKS: Final = {"hooks.py": "def greet():\n    return 'hello'\n"}

LOAD: Final = {
    "`duration: 60, arrivalRate: 10`": arrivals(1000, "hold: 10/s for 1m"),
    "`arrivalRate: 10, rampTo: 50`": arrivals(1000, "1: 10/s → 50/s over 1m"),
    "`duration: 60, arrivalCount: 20`": arrivals(1000, "hold: 20/m for 1m"),
    "`duration: 60, arrivalRate: 0.5`": arrivals(1000, "hold: 30/m for 1m"),
    "`maxVusers: 50`": arrivals(50, "hold: 10/s for 1m"),
    "`pause: 30`": arrivals(1000, "2: 10/s for 1m", "4: 0/s for 30s"),
    "`name: Warm up`": arrivals(1000, "hold: 10/s for 5m"),
    "Load": arrivals(
        1000, "warm up: 1/s → 5/s over 1m", "ramp up: 5/s → 10/s over 1m",
        "spike: 10/s → 30/s over 30s",
    ),
}  # fmt: skip
STEPS: Final = {
    "`flow: […]`": is_sent("GET /a", "GET /b"),
    "`weight: 3`": A,
    "`beforeScenario: greet`": is_sent("GET /hello", more="hooks: hooks.py", files=HOOKS),
    "`get: {url: /a, qs: {q: 1}}`": is_sent("GET /a?q=1"),
    "`post: {url: /a, json: {a: 1}}`": is_sent(
        'POST /a [content-type: application/json] {"a":1}'
    ),
    "`post: {url: /a, form: {a: 1}}`": is_sent(
        "POST /a [content-type: application/x-www-form-urlencoded] a=1"
    ),
    "`post: {url: /a, formData: {…}}`": is_sent(
        'POST /a *name="upload"; filename="a.txt"*hello*name="kind"*text*',
        files={"a.txt": "hello"},
    ),
    "`post: {url: /a, body: text}`": is_sent("POST /a text"),
    "`put`, `patch`, `delete`, `head`, `options`": is_sent("DELETE /a"),
    "`think: 1`": is_sent("GET /b", after="{get: /b}"),
    '`think: "{{ $randomNumber(1, 3) }}"`': is_sent("GET /b", after="{get: /b}"),
    "`loop: […], count: 3`": is_sent(*3 * ["GET /page"]),
    '`count: "2-4"`': is_sent(*2 * ["GET /page"], more="seed: 1"),
    "`loop: […], over: ids`": is_sent("GET /items/1", "GET /items/2"),
    "`loop: […], whileTrue: more`": is_sent(
        "GET /page", "GET /page", before="{set: {pages: 0}}"
    ),
    "`$loopCount`": is_sent("GET /pages/1", "GET /pages/2"),
    "`parallel: […]`": is_sent("GET /a", "GET /b", in_any_order=True, connections=2),
    "`function: greet`": is_sent(
        "POST /got hello", after='{post: /got, body: "${said}"}', more="hooks: hooks.py",
        files=HOOKS,
    ),
    '`log: "got {{ x }}"`': is_sent("GET /b", after="{get: /b}", prints="got 2"),
    "flows that several scenarios share": is_sent(
        "GET /products", more="flows: {browse: [{get: /products}]}"
    ),
}  # fmt: skip
REQUESTS: Final = {
    "`name: home`": is_sent("GET /a", prints="home"),
    "`headers: {…}`": is_sent("GET /a [x-shop: 1]"),
    '`cookie: {beta: "1"}`': is_sent("GET /a [cookie: beta=1]"),
    "`auth: {user: ada, pass: pw}`": is_sent("GET /a [authorization: Basic YWRhOnB3]"),
    "`followRedirect: false`": is_sent("GET /redirect", url="/redirect"),
    "`ifTrue: \"shop == 'x'\"`": is_sent("GET /a", more=SHOP),
    "`timeout: 5`": A,
    "`capture: {json: $.id, as: token}`": extracts("7"),
    "`capture: {…, strict: false}`": extracts("none"),
    "`capture: {regexp: …, group: 1}`": extracts("7"),
    "`capture: {header: x-trace}`": extracts("abc"),
    "`capture: {selector: input, attr: value}`": extracts("c1", "/html"),
    "`capture: {xpath: …}`": extracts("c1", "/html"),
    "`match: {json: $.id, value: 7}`": expects(),
    "`beforeRequest`, which adds a header": is_sent("GET /a [x-shop: 12]"),
    "`statusCode: 200`": expects("/status/201"),
    "`statusCode: [200, 201]`": expects("/status/404"),
    '`statusCode: "{{ $loopElement.code }}"`': is_sent(
        "GET /a", broken_by="/status/404", before="{set: {row: {code: 200}}}"
    ),
    "`notStatusCode: 500`": expects("/status/500"),
    "`contentType: json`": expects(),
    "`hasProperty: items[0].id`": expects(),
    "`notHasProperty: error`": expects("/error"),
    '`equals: ["{{ id }}", "7"]`': expects(),
    "`hasHeader: x-trace`": expects(),
    "`headerEquals: [x-trace, abc]`": expects(),
    "`matchesRegexp: '\"ok\": ?true'`": expects(),
}
PLAN: Final = {
    "`environments: {smoke: {phases: […]}}`": is_sent(
        "GET /a",
        more="profiles: {load: [{users: 1, iterations: 1}], smoke: [{users: 1, iterations: 9}]}",
    ),
    '`payload: {…, fields: [id, name], delimiter: ";"}`': is_sent(
        "GET /rows/*", steps=ONE_ROW, files=ROWS
    ),
    "each virtual user has connections of its own": is_sent(
        "GET /a", "GET /a", phase=TWICE, connections=2
    ),
    "`payload: {path: rows.csv}`": is_sent("GET /rows/*", steps=ONE_ROW, files=ROWS),
    "`payload: {…, order: sequence}`": is_sent(
        "GET /rows/1", "GET /rows/2", "GET /rows/1",
        steps=ONE_ROW, files=ROWS, phase="users: 1, iterations: 3",
    ),
    "`payload: {…, loadAll: true}`": is_sent("GET /rows/1", steps=ONE_ROW, files=ROWS),
    "`variables: {ids: [1, 2]}`": is_sent("GET /rows/*", steps=ONE_ROW),
    "`variables: {shop: /a}`": is_sent("GET /a", steps=READ),
    "`{{ $env.SHOP }}`, `$processEnvironment`": is_sent("GET /a", steps=READ),
    "`environments: {staging: {…}}`": A,
    "`processor: hooks.js`": is_sent(
        "GET /hello", steps='[{python: {call: greet, as: said}}, {get: "/${said}"}]', files=HOOKS
    ),
    "`before: {flow: […]}`": is_sent("POST /reset", "GET /a"),
    "`after: {flow: […]}`": is_sent("GET /a", "POST /clean"),
    "`$randomNumber(1, 6)`": value("*"),
    "`$randomString(8)`": value("*"),
    "`$uuid`": value("*-*-4*-*-*"),
    "`$testId`": value("*"),
    "`$personFullName()`": value("* *"),
    "`http: {timeout: 10}`": A,
    "`http: {maxSockets: 2}`": A,
    "`defaults: {headers: {…}}`": is_sent("GET /a [x-shop: 1]"),
    "`http: {defaults: {cookie: {…}}}`": is_sent("GET /a [cookie: beta=1]"),
    "`tls: {rejectUnauthorized: false}`": A,
}  # fmt: skip
VERDICT: Final = {
    "… of each endpoint": holds(),
    "`plugins.expect.ok` and `failed`": is_sent(
        "GET /a", steps="[{get: /a, expect: {contains: ok, soft: true}}]", judged="pass 100"
    ),
    "`ensure: {thresholds: [http.response_time.p95: 500]}`": holds(),
    "`ensure: {maxErrorRate: 1}`": holds("0"),
    "`conditions: [expression: vusers.created >= 1]`": holds("1"),
    "`http.request_rate`": holds(),
    "`http.codes.500`": holds("0"),
    "`vusers.session_length.p95: 3000`": holds(),
    "`vusers.skipped`": Case(phase="rate: 100/s, hold: 50ms", judged="pass 0", failed=None),
    "`apdex: {threshold: 500}`": holds("1"),
    "`metrics-by-endpoint`": holds(),
}
STAGING: Final = f"{SHOP}\nenvironments: {{staging: {{shop: /b}}}}"
FROM_ENV: Final = "params: {shop: {type: str, default: /a, env: SHOP}}"
COMMANDS: Final = {
    "`artillery run --config shop.yml`": is_sent("GET /a [x-shop: 1]"),
    "`artillery run test.yml`": A,
    "`artillery quick --count 2 -n 1 URL`": is_sent("GET /a …"),
    "`--target http://localhost:8000`": A,
    "`--environment staging`": is_sent("GET /b", steps=READ, more=STAGING),
    "`--dotenv .env`": is_sent(
        "GET /b", steps=READ, more=FROM_ENV, files={"shop.env": "SHOP=/b\n"}
    ),
    '`--variables \'{"shop": "/b"}\'`': is_sent("GET /b", steps=READ, more=SHOP),
    "`--overrides '{\"config\": …}'`": A,
    "`--insecure`": A,
    "`--scenario-name V`": A,
    "`--solo`": A,
    "`--output report.json`": is_sent("GET /a", prints="metrics.json"),
    "`artillery report report.json`": is_sent("GET /a", prints="report.html"),
    "`--tags build:7`": is_sent("GET /a", prints="build=7"),
    "`--quiet`": A,
}
CASES: Final = {**LOAD, **STEPS, **REQUESTS, **PLAN, **VERDICT, **COMMANDS}
