"""Hints that are no text to put in a place, and what an author does who follows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.language.fields.mapping import in_words
from planrunner.plan.models.step_rules import COMPANIONS, OWN_ACTIONS
from planrunner.protocols.registry import measures
from planrunner.tools.registry import all_tools

__all__ = ["BY_HAND"]

_LOAD = "stages: [{duration: 1m, users: 10}]\n"
_SEARCH_KEYS = "vary: users, from: 10, to: 100, step: +10, hold: 10s, slo: [p95 < 1s], refine: 2"
_CHOSEN = "`users` is a closed model, `rate` an open one: keep one of them"

# With each protocol that is added these get longer.
_WITH_EXPECT = in_words([word for word in OWN_ACTIONS if "expect" in COMPANIONS[word]])
_EXPECTING = f"write `expect` in the same step as {_WITH_EXPECT}"
_MEASURES = f"known measures are {', '.join(measures())}"

_ENVIRONMENT = (
    "http:",
    "params:\n"
    + "".join(
        f"  {name.lower()}: {{type: str, env: {name}, default: a}}\n"
        for name in ("HOST", "TOKEN", "AREA", "CITY", "users", "SHOP")
    )
    + "http:",
)


def _read_into(name: str) -> str:
    param = name.lower()
    return (
        f"read it into a param, `params: {{{param}: {{type: str, env: {name}}}}}`, and write "
        f"`${{{param}}}`"
    )


BY_HAND: Final[Mapping[tuple[str, str], tuple[tuple[str, str], ...]]] = {
    (
        "unknown-selector.scalability",
        "give the matrix an axis of numbers",
    ): (
        ("matrix: {format: [csv, json]}", "matrix: {format: [csv, json], rows: [1, 2]}"),
        ("over format", "over rows"),
    ),
    (
        "unknown-selector.scalability",
        "take another size: growth has no ratio to one of 0 or less",
    ): (("rows: [0, 1]", "rows: [1, 2]"),),
    (
        "too-complex.matrix",
        "leave out values, or give their parts phases of their own",
    ): (("      rows: [1, 2, 3,", "      rows: [1] #"),),
    ("unknown-name.tool", f"tools: {', '.join(all_tools())}"): (("tool: k7", "tool: k6"),),
    ("reserved-name.stream", "choose another name"): (("{event: $.event}", "{kind: $.event}"),),
    ("invalid-value.websocket", "take it from the handshake: `extract` of `ws.connect`"): (
        (", extract: {id: {header: X-Id}}", ""),
    ),
    (
        "invalid-value.websocket",
        "a message has json, contains, not_contains, matches, not_matches, schema, time",
    ): (("status: 200, ", ""),),
    (
        "invalid-value.websocket",
        "write 1000, or one from 3000 to 4999: the others say what went wrong",
    ): (("code: 1006", "code: 4006"),),
    (
        "conflicting-keys.count",
        "give the class a `weight`, or leave it out with `skip: {users: …}`",
    ): (("count: 2", "weight: 2"),),
    (
        "conflicting-keys.loads",
        "`ramp_up` belongs to a phase with `users` and `hold` (closed model)",
    ): (("rate: 10/s, ramp_up", "users: 10, ramp_up"),),
    (
        "conflicting-keys.loads",
        "`hold` belongs to a phase with `users` and `hold` (closed model)",
    ): (("iterations: 10, users: 2, hold", "users: 2, hold"),),
    ("conflicting-keys.loads", f"{_CHOSEN} in all stages".replace("keep", "use")): (
        ("rate: 5/s}, {duration: 1s, users: 5}", "rate: 5/s}, {duration: 1s, rate: 5/s}"),
    ),
    (
        "conflicting-keys.loads",
        "`max_users` belongs to a phase with `rate` and `hold` (open model)",
    ): (("users: 5, hold: 1s, max_users", "rate: 5/s, hold: 1s, max_users"),),
    (
        "conflicting-keys.loads",
        "each level has a warm-up of its own: write `settle:` in `search`",
    ): (("    warmup: 5s\n", ""), ("hold: 10s, slo", "hold: 10s, settle: 5s, slo")),
    ("duplicate-key", "keep one of the two"): (("name: again\n", ""),),
    ("duplicate-key.user", "keep one of the two"): (
        ("  Visitor:\n    tasks: [{get: /docs}]\n", ""),
    ),
    ("duplicate-name", "choose another name for the state"): (("{key: null}", "{last: null}"),),
    ("empty-plan", "`planrunner init` writes a plan to start from"): (
        (
            "# nothing here yet",
            "name: x\nhttp: {base_url: 'http://a'}\n"
            f"users: {{A: {{tasks: [{{get: /}}]}}}}\n{_LOAD}",
        ),
    ),
    ("unknown-selector.patterns", "leave out less"): (("except task:read", 'except "GET /items"'),),
    ("expression-syntax", "finish the expression, or remove what it ends with"): (
        ("${key |}", "${key}"),
    ),
    ("invalid-value.max-sustainable", "move it to `thresholds:`"): (
        (
            "slo: [max_sustainable > 5/s]}",
            "slo: [p95 < 1s]}\n      thresholds: [max_sustainable > 5/s]",
        ),
    ),
    ("invalid-value.measure", "they have `latency`, `service_time`, `connect`, `size`"): (
        ("p95 ttfb of task:store", "p95 latency of task:store"),
        ("p95 ttfb of etcd.put", "p95 latency of etcd.put"),
        ("metric: p95 ttfb, select: etcd.put", "metric: p95 latency, select: etcd.put"),
    ),
    ("invalid-value.source-addresses", "write each address once"): ((", 10.0.0.7]", "]"),),
    ("invalid-value.source-addresses", "use params here instead of users' variables"): (
        ("${user.id}", "${subnet}8"),
    ),
    ("invalid-value.users", "write at most 1,000,000, or a `rate`"): (
        ("99999999999999999999999", "1000000"),
        ("10s:2000000", "10s:1000000"),
        ("max_users: 5000000", "max_users: 1000000"),
        ("to: 2000000", "to: 1000000"),
    ),
    ("missing-key", "add `name:`"): (("http:", "name: shop\nhttp:"),),
    ("missing-key", "add `tasks` or `steps`"): (
        ("    weight: 1\n", "    weight: 1\n    tasks: [{get: /}]\n"),
    ),
    ("missing-key", "add `duration:`"): (("{users: 10}", "{duration: 1m, users: 10}"),),
    (
        "missing-key.load",
        "add `stages:` with a list such as `- {duration: 1m, users: 10}`, or `phases:`, or "
        "`profiles:`",
    ): (("name:", f"{_LOAD}name:"),),
    ("missing-key.own-item", "add `value:`"): (
        ("{etcd.put: {key: a}}", "{etcd.put: {key: a, value: b}}"),
    ),
    (
        "missing-param",
        "give it one with `--set target=…`, or the environment variable `TARGET`",
    ): (("env: TARGET", "env: TARGET, default: 'http://localhost:1'"),),
    ("no-load", "add a phase such as `{users: 10, hold: 1m}`"): (
        ("phases: []", "phases: [{users: 10, hold: 1m}]"),
    ),
    ("no-load.search", "write a longer `hold`"): (("hold: 0s", "hold: 10s"),),
    ("no-load.search", "write a longer `max_duration`"): (
        ("max_duration: 0s", "max_duration: 1m"),
    ),
    ("no-load.search", "`from` must be above 0 and not above `to`"): (("to: 10/s", "to: 40/s"),),
    ("no-load.search", "`settle` is the first part of `hold`: make `hold` longer"): (
        ("hold: 10s, settle", "hold: 20s, settle"),
    ),
    ("no-load.warmup", "`warmup` is the first part of the phase: make it shorter"): (
        ("hold: 10s, warmup: 15s", "hold: 10s, warmup: 5s"),
        ("warmup: 1m", "warmup: 1s"),
        ("warmup: 20s", "warmup: 2s"),
        ("warmup: 30s", "warmup: 3s"),
    ),
    (
        "not-allowed.parallel",
        "put it before or after; to run flows side by side, give the phase more users",
    ): (
        ("              - think: 1s\n", ""),
        (
            "              - group: both\n                do: [{get: /b}, {get: /c}]\n",
            "              - get: /b\n",
        ),
        (
            "              - poll: /e\n                until: status == 200\n",
            "              - get: /e\n",
        ),
        ("          - parallel:", "          - think: 1s\n          - parallel:"),
    ),
    ("not-allowed.sql", "it is relative to the plan's file"): (
        ("{file: missing.sql}", "select 1"),
    ),
    ("not-allowed.sql", "end the first one"): (
        ("            - sql.transaction: {do", "      - sql.transaction: {do"),
        ("            - parallel: [{sql.query: select 1}, {sql.query: select 2}]\n", ""),
    ),
    ("not-allowed.sql", "write them one after the other"): (
        ("parallel: [{sql.query: select 1}, {sql.query: select 2}]", "sql.query: select 1"),
    ),
    ("not-utf8", "save the file as UTF-8"): (("caf\udce9", "café"),),
    ("one-action", "start a new step: `- post: …`"): (
        ("            post: /login", "          - post: /login"),
    ),
    ("one-action", _EXPECTING): (("          - expect:", "            expect:"),),
    ("reserved-name", "choose another name"): (("{user: null}", "{last: null}"),),
    ("reserved-name.metric", "choose another name"): (("size: status", "length: status"),),
    ("reserved-name.metric", "give one of them another name"): (
        ("{hit: status * 1}", "{hits: status * 1}"),
    ),
    ("threshold-syntax.metric", "write `avg of metric.hit of SELECTOR`"): (
        ("not metric.hit", "metric.hit"),
    ),
    ("threshold-syntax.metric", "write `of metric.hit of SELECTOR`"): (
        ('metric.hit and "GET /a"', 'metric.hit of "GET /a"'),
    ),
    (
        "threshold-syntax.metric",
        "write `avg of metric.hit`, `p95 of metric.hit` or `rate of metric.hit`",
    ): (("throughput of metric.hit", "rate of metric.hit"),),
    ("threshold-syntax.measure", _MEASURES): (("p95 hops < 3", "p95 latency < 3s"),),
    (
        "threshold-syntax.measure",
        "leave out `size`, or write `p95 size` with a limit of its own",
    ): (("apdex(1s) size", "apdex(1s)"),),
    ("threshold-syntax.checks", "name requests: `checks of user:Buyer`"): (
        ("checks of iteration:Buyer", "checks of user:Buyer"),
    ),
    ("unknown-key.and-all-the-rest", "start a new step: `- post: …`"): (
        ("            post: /docs", "          - post: /docs"),
    ),
    ("unknown-key.and-all-the-rest", "choose another name"): (("rand: 1}", "drawn: 1}"),),
    ("unknown-key.and-all-the-rest", "finish the expression, or remove what it ends with"): (
        ("${keys |}", "${keys}"),
    ),
    ("unknown-key.and-all-the-rest", "keep one of the two"): (("\nname: again", ""),),
    (
        "unknown-key.other-tools",
        "say how much load in `stages: [{duration: 1m, users: 10}]` or `phases:`",
    ): (("vus: 10\nrun_time: 1m\n", _LOAD),),
    (
        "unknown-key.other-tools",
        "add `stages:` with a list such as `- {duration: 1m, users: 10}`, or `phases:`, or "
        "`profiles:`",
    ): (("vus: 10\nrun_time: 1m\n", _LOAD),),
    ("unknown-name.before-the-run", "no user runs this: use a param, or a value"): (
        ("name: shop of ${user.id}", "name: shop"),
        ("weight: ${user.id}", "weight: 1"),
        ('hold: "${iteration}"', "hold: 1s"),
        ("p95 < ${user.id}", "p95 < 1s"),
    ),
    ("unknown-name.before-the-run", "`on_start` is not part of an iteration"): (
        ("/${iteration}", "/start"),
    ),
    (
        "unknown-name.environment",
        "give it one with `--set tenant=…`, or `--env staging`",
    ): (("tenant: {type: str}", "tenant: {type: str, default: a}"),),
    (
        "unknown-name.environment",
        "only the environment `staging` defines it: run with `--env staging`, or add a param",
    ): (("  tenant: {type: str}", "  tenant: {type: str}\n  token: {type: str, default: a}"),),
    **{
        ("unknown-name.other-tools", _read_into(name)): (
            _ENVIRONMENT,
            (f"${{{written}}}", f"${{{name.lower()}}}"),
        )
        for name, written in (
            ("HOST", "__ENV.HOST"),
            ("TOKEN", "env.TOKEN"),
            ("AREA", "process.env.AREA"),
            ("CITY", "os.getenv('CITY')"),
            ("users", "__P(users)"),
            ("SHOP", "SHOP"),
        )
    },
    ("wrong-type", "write `key: value` without `- `"): (
        ("headers: [Accept]", "headers: {Accept: json}"),
        ("  - Visitor:", "    Visitor:"),
    ),
    (
        "wrong-type.like-this",
        "write it like `params: {target: {type: url, default: 'http://localhost:8088', env: "
        "TARGET}}`",
    ): (("pages: 10", "pages: {type: int, default: 10}"),),
    (
        "wrong-type.like-this",
        "write it like `tasks: [{get: /, weight: 3}, {get: /docs}]`",
    ): (("- get /\n", "- {get: /, weight: 3}\n"),),
    ("wrong-type.like-this", "write it like `get: /items/${id}`"): (("get: {url: /}", "get: /"),),
    ("wrong-type.like-this", "write it like `auth: {bearer: '${token}'}`"): (
        ("auth: basic", "auth: {bearer: '${rand.uuid()}'}"),
    ),
    ("wrong-type.like-this", "write it like `body: plain text`"): (
        ("body: {a: 1}", "body: plain text"),
    ),
    (
        "wrong-type.like-this",
        "write it like `thresholds: [p95 < 500ms, error_rate < 1%]`",
    ): (("thresholds:\n  p95: 500ms", "thresholds: [p95 < 500ms]"),),
    ("yaml-syntax.control-character", 'write it as an escape in double quotes: `"\\x1b"`'): (
        ("sh\x1b[31mop", '"sh\\x1b[31mop"'),
    ),
    ("yaml-syntax.indentation", "align it with the keys it belongs beside"): (
        ("   tasks:", "    tasks:"),
    ),
    ("yaml-syntax.list-item-in-mapping", "indent it below the key it belongs to"): (
        ("    - get: /", "    tasks:\n    - get: /"),
    ),
    ("yaml-syntax.two-documents", "put it into a separate file"): (("---\nname: another\n", ""),),
    (
        "yaml-syntax.unclosed-bracket",
        "put `,` between entries, close with `]`, quote text with special characters",
    ): (("[{get: /}", "[{get: /}]"),),
    ("yaml-syntax.unclosed-quote", 'close it with `"` on its own line'): (
        ('name: "shop', 'name: "shop"'),
    ),
    (
        "yaml-syntax.unknown-anchor",
        "write `&browse` before its value, or quote text that starts with `*`",
    ): (("*browse", "&browse [{get: /}]"),),
    ("threshold-syntax.each", "leave out one of them"): (("among each task", "among task:front"),),
    ("threshold-syntax.each", "combine patterns with `and`, `or` and `not`"): (
        ("/(?!front)/", "not /front/"),
    ),
    (
        "threshold-syntax.each",
        "use Python's syntax; in double quotes YAML needs `\\\\` for `\\`",
    ): (("/(front/", "/front/"),),
    ("threshold-syntax.each", "write a threshold for each"): (
        ("ratio(p95 of each request, p95) < 2", "p95 of each request < 2s"),
    ),
    (
        "threshold-syntax.each",
        "write `of each request except ...`, or `and not ...` in the selector",
    ): (("p95 of front < 1s except front", "p95 of each request < 1s"),),
    (
        "wrong-type.scopes",
        "the request at wrong-type.scopes.yaml:22 takes this from here, and `login` has no value "
        "there: set a first value under `state:`, or take the key away with `null` at that request",
    ): (
        ("    tasks:", "    state: {login: ada}\n    tasks:"),
        ("[{get: /, pause: 1s}]", "[{get: /, pause: 1s, expect: {contains: null}}]"),
    ),
}
