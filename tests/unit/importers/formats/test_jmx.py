"""Elements of JMeter, one construct each, and what they become in a plan."""

from __future__ import annotations

import re
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.importers.contract import ImportOptions
from planrunner.importers.importing import Imported, check, import_files
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.loss.ledger import Fate
from planrunner.plan.yaml.document import parse
from tests.support.cpu_time import within_cpu

# ruff: noqa: E501 - an element and its piece of the plan are one line
GET = '<HTTPSamplerProxy testclass="HTTPSamplerProxy" testname="a"><stringProp name="HTTPSampler.domain">127.0.0.1</stringProp><stringProp name="HTTPSampler.path">/a</stringProp></HTTPSamplerProxy>'
A = {"get": "/a", "name": "a"}
IDS = {"ids": {"jsonpath": "$..id", "index": "all", "default": []}}


def props(**values: object) -> str:
    return "".join(
        f'<stringProp name="{name.replace("__", ".")}">{escape(str(value))}</stringProp>'
        for name, value in values.items()
    )


def element(kind: str, body: str = "", *, name: str = "", below: str = "", more: str = "") -> str:
    return f'<{kind} testclass="{kind}" testname="{escape(name)}" {more}>{body}</{kind}><hashTree>{below}</hashTree>'


def get(below: str = "", **values: object) -> str:
    own = props(HTTPSampler__domain="127.0.0.1", HTTPSampler__path="/a", **values)
    return element("HTTPSamplerProxy", own, name="a", below=below)


def arguments(*pairs: tuple[str, str], raw: bool = False) -> str:
    rows = "".join(
        f'<elementProp name="{name}" elementType="HTTPArgument">{props(Argument__name=name, Argument__value=value)}</elementProp>'
        for name, value in pairs
    )
    body = '<boolProp name="HTTPSampler.postBodyRaw">true</boolProp>' if raw else ""
    return f'{body}<elementProp name="HTTPsampler.Arguments" elementType="Arguments"><collectionProp name="Arguments.arguments">{rows}</collectionProp></elementProp>'


def headers(**values: str) -> str:
    rows = "".join(
        f'<elementProp name="" elementType="Header">{props(Header__name=name.replace("_", "-"), Header__value=value)}</elementProp>'
        for name, value in values.items()
    )
    return element(
        "HeaderManager", f'<collectionProp name="HeaderManager.headers">{rows}</collectionProp>'
    )


def group(
    steps: str, *, kind: str = "ThreadGroup", around: str = "", loops: object = 1, **values: object
) -> str:
    keys = {"num_threads": 2, "ramp_time": 4} | values
    own = props(**{f"ThreadGroup__{key}": value for key, value in keys.items()})
    loop = f'<elementProp name="ThreadGroup.main_controller">{props(LoopController__loops=loops)}</elementProp>'
    return around + element(kind, own + loop, name="Users", below=steps)


def document(top: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><jmeterTestPlan><hashTree>{element("TestPlan", name="demo", below=top)}</hashTree></jmeterTestPlan>'


def imported(top: str, *, path: Path | None = None) -> Imported:
    source = SourceFile(path, "a.jmx", document(top).encode())
    return import_files([source], options=ImportOptions())


def plan(top: str) -> dict:
    return parse(imported(top).text, "plan.yaml").data


def udv(**values: str) -> str:
    rows = "".join(
        f'<elementProp name="{name}">{props(Argument__name=name, Argument__value=value)}</elementProp>'
        for name, value in values.items()
    )
    return element(
        "Arguments", f'<collectionProp name="Arguments.arguments">{rows}</collectionProp>'
    )


def extractor(kind: str, **values: str) -> str:
    return element(kind, props(**{f"{kind}__{key}": value for key, value in values.items()}))


def json_extractor(name: str, path: str, default: str = "", number: str = "1") -> str:
    return extractor(
        "JSONPostProcessor",
        referenceNames=name,
        jsonPathExprs=path,
        defaultValues=default,
        match_numbers=number,
    )


def response(field: str, kind: int, *texts: str, ignore: bool = False) -> str:
    rows = "".join(props(x=text) for text in texts)
    return element(
        "ResponseAssertion",
        f'<collectionProp name="Asserion.test_strings">{rows}</collectionProp>{props(Assertion__test_field="Assertion." + field, Assertion__test_type=kind, Assertion__assume_success=str(ignore).lower())}',
    )


def post(*inner: str, below: str = "", method: str = "POST") -> str:
    return element(
        "HTTPSamplerProxy",
        props(HTTPSampler__domain="127.0.0.1", HTTPSampler__path="/a", HTTPSampler__method=method)
        + "".join(inner),
        name="a",
        below=below,
    )


STEPS = [
    (get(), [A]),
    (post(arguments(("q", "a b"), ("q", "2")), method="GET"), [{**A, "query": {"q": ["a b", "2"]}}]),
    (post(arguments(("a", "1"))), [{"post": "/a", "name": "a", "form": {"a": "1"}}]),
    (post(arguments(("", "text"), raw=True)), [{"post": "/a", "name": "a", "body": "text"}]),
    (post(arguments(("", '{"a": "${__UUID}", "n": 1}'), raw=True), below=headers(Content_Type="application/json")), [{"post": "/a", "name": "a", "json": {"a": "${rand.uuid()}", "n": 1}}]),
    (post(method="DELETE"), [{"delete": "/a", "name": "a"}]),
    (get(HTTPSampler__follow_redirects="false"), [{**A, "follow_redirects": False}]),
    (get(HTTPSampler__use_keepalive="false"), [{**A, "headers": {"Connection": "close"}}]),
    (get(HTTPSampler__response_timeout="5000"), [{**A, "timeout": "5s"}]),
    (get(headers(X_A="1")), [{**A, "headers": {"X-A": "1"}}]),
    (element("ConstantTimer", props(ConstantTimer__delay=300)) + get() + get(), [{"think": "300ms"}, A, {"think": "300ms"}, A]),
    (element("UniformRandomTimer", props(ConstantTimer__delay=500, RandomTimer__range="1000.0")) + get(), [{"think": "500ms..1500ms"}, A]),
    (get(element("GaussianRandomTimer", props(ConstantTimer__delay=300, RandomTimer__range=100))), [{"think": "normal(300ms, 100ms)"}, A]),
    (get(element("PoissonRandomTimer", props(ConstantTimer__delay=100, RandomTimer__range=300))), [{"think": "normal(400ms, 17ms)"}, A]),
    (get(element("SyncTimer", props(groupSize=2), name="sale")), [{"barrier": {"name": "sale", "users": 2}}, A]),
    (element("TestAction", props(ActionProcessor__action=1, ActionProcessor__duration=1000)), [{"think": "1s"}]),
    (element("TestAction", props(ActionProcessor__action=0, ActionProcessor__target=0)), [{"stop": "user"}]),
    (get(response("response_code", 8, "404", ignore=True)), [{**A, "expect": {"status": 404}}]),
    (get(response("response_code", 2, r"2\d\d")), [{**A, "expect": {"status": "2xx"}}]),
    (get(response("response_code", 33, "200|201")), [{**A, "expect": {"status": [200, 201]}}]),
    (get(response("response_data", 16, "ok", "fine")), [{**A, "expect": {"contains": ["ok", "fine"]}}]),
    (get(response("response_data", 2, "id [0-9]+")), [{**A, "expect": {"matches": "id [0-9]+"}}]),
    (get(response("response_data", 20, "Sorry")), [{**A, "expect": {"not_contains": "Sorry"}}]),
    (get(response("response_data", 8, "a.b")), [{**A, "expect": {"matches": r"^a\.b$"}}]),
    (get(response("response_headers", 2, "X-Trace: abc")), [{**A, "expect": {"header": {"X-Trace": {"matches": "abc"}}}}]),
    (get(element("DurationAssertion", props(DurationAssertion__duration=500))), [{**A, "expect": {"time": "< 500ms"}}]),
    (get(element("JSONPathAssertion", props(JSON_PATH="$.id", EXPECTED_VALUE="7", JSONVALIDATION="true", ISREGEX="false"))), [{**A, "expect": {"json": {"$.id": 7}}}]),
    (get(element("JSONPathAssertion", props(JSON_PATH="$.id", JSONVALIDATION="false"))), [{**A, "expect": {"json": {"$.id": {"exists": True}}}}]),
    (get(json_extractor("t;u", "$.t;$.u", "no;")), [{**A, "extract": {"t": {"jsonpath": "$.t", "default": "no"}, "u": {"jsonpath": "$.u", "default": ""}}}]),
    (get(json_extractor("ids", "$..id", number="-1")), [{**A, "extract": IDS}]),
    (get(extractor("RegexExtractor", refname="t", regex='"id": (\\d+)', match_number="0", default="x", template="$1$")), [{**A, "extract": {"t": {"regex": '"id": (\\d+)', "index": "random", "default": "x"}}}]),
    (get(extractor("RegexExtractor", useHeaders="true", refname="t", regex="Location: (.*)", default="x")), [{**A, "extract": {"t": {"header": "Location", "default": "x"}}}]),
    (get(extractor("BoundaryExtractor", refname="t", lboundary="id=", rboundary=",", default="x")), [{**A, "extract": {"t": {"regex": "id=(.*?),", "default": "x"}}}]),
    (get(extractor("HtmlExtractor", refname="t", expr="input[name=c]", attribute="value", default="x")), [{**A, "extract": {"t": {"css": "input[name=c]::attr(value)", "default": "x"}}}]),
    (get(extractor("XPathExtractor", refname="t", xpathQuery="//a/@href", default="x")), [{**A, "extract": {"t": {"xpath": "//a/@href", "default": "x"}}}]),
    (element("LoopController", props(LoopController__loops=3), below=get()), [{"repeat": 3, "do": [A]}]),
    (element("TransactionController", name="checkout", below=get()), [{"group": "checkout", "do": [A]}]),
    (element("GenericController", name="x", below=get()), [A]),
    (element("OnceOnlyController", below=get()), [{"if": "user.iteration == 0", "then": [A]}]),
    (element("RandomController", below=get() + get()), [{"choose": [{"do": [A]}, {"do": [A]}]}]),
    (element("InterleaveControl", below=get() + get()), [{"switch": "user.iteration % 2", "cases": {"0": [A], "1": [A]}}]),
    (element("RandomOrderController", below=get() + get()), [{"foreach": "position in rand.shuffle([0, 1])", "do": [{"switch": "position", "cases": {"0": [A], "1": [A]}}]}]),
    (element("ThroughputController", props(ThroughputController__style=1) + "<FloatProperty><name>ThroughputController.percentThroughput</name><value>30.0</value></FloatProperty>", below=get()), [{"if": "iteration % 10 < 3", "then": [A]}]),
    (element("ThroughputController", props(ThroughputController__style=0, ThroughputController__maxThroughput=2, ThroughputController__perThread="true"), below=get()), [{"if": "user.iteration < 2", "then": [A]}]),
    (element("RunTime", props(RunTime__seconds=60), below=get()), [{"set": {"ends_at": "${now() + 60}"}}, {"while": "now() < ends_at", "do": [A], "max": 1000000}]),
    (element("CounterConfig", props(CounterConfig__start=1, CounterConfig__incr=2, CounterConfig__name="n", CounterConfig__format="000", CounterConfig__per_user="true")) + get(), [{"set": {"n": "${'%03d' % (1 + (user.iteration) * 2)}"}}, A]),
    (element("RandomVariableConfig", props(variableName="n", minimumValue=1, maximumValue=6)) + get(), [{"set": {"n": "${rand.int(1, 6)}"}}, A]),
    (element("SystemSampler", props(SystemSampler__command="echo"), name="say"), [{"exec": {"run": "echo"}, "name": "say", "measure": True}]),
    (element("ParallelSampler", below=get() + get()), [{"parallel": [A, A]}]),
    (element("JSR223Sampler", props(script='vars.put("a", "x" + 1); // why\nlog.info("got " + vars.get("a"))')), [{"set": {"a": "${'x' ~ 1}"}}, {"log": "${'got ' ~ a}"}]),
    (element("DebugSampler", name="dbg"), [{"log": "dbg"}]),
]  # fmt: skip

LOADS = [
    (group(GET, loops=3), {"name": "Users", "users": 2, "ramp_up": "4s", "iterations_per_user": 3}),
    (group(GET, loops=-1, num_threads=10, ramp_time=60, scheduler="true", duration=300, delay=5), {"name": "Users", "users": 10, "start_at": "5s", "ramp_up": "1m", "hold": "4m"}),
    (group(GET, loops=-1, num_threads=10, ramp_time=100, scheduler="true", duration=50), {"name": "Users", "stages": "50s:5"}),
    (udv(up="${__P(up,300)}", long="${__P(long,10)}") + group(GET, loops=-1, ramp_time="${up}", scheduler="true", duration="${long}"), {"name": "Users", "users": 2, "ramp_up": "${up}s", "hold": "${[long - up, 0] | max}s"}),
    (group(GET, loops=1000), {"name": "Users", "users": 2, "ramp_up": "4s", "iterations_per_user": 1000, "max_duration": "24h"}),
    (element("ConcurrencyThreadGroup", props(TargetLevel=100, RampUp=1, Hold=5, Unit="M", Steps=""), name="Users", below=GET), {"name": "Users", "users": 100, "ramp_up": "1m", "hold": "5m"}),
    (element("ConcurrencyThreadGroup", props(TargetLevel=10, RampUp=10, Hold=5, Unit="S", Steps=2), name="Users", below=GET), {"name": "Users", "stages": "0s:5, 5s:5, 0s:10, 5s:10, 5s:10"}),
    (element("ArrivalsThreadGroup", props(TargetLevel=10, RampUp=0, Hold=5, Unit="M", ConcurrencyLimit=200), name="Users", below=GET), {"name": "Users", "rate": "10/m", "hold": "5m", "arrivals": "poisson", "max_users": 200}),
    (element("OpenModelThreadGroup", props(OpenModelThreadGroup__schedule="rate(1/s) random_arrivals(1 min) rate(50/s)"), name="Users", below=GET), {"name": "Users", "stages": "0s:1/s, 1m:50/s", "arrivals": "poisson"}),
    (element("UltimateThreadGroup", f'<collectionProp name="ultimatethreadgroupdata"><collectionProp name="1">{props(a=10, b=0, c=10, d=60, e=5)}</collectionProp><collectionProp name="2">{props(a=10, b=20, c=0, d=10, e=0)}</collectionProp></collectionProp>', name="Users", below=GET), {"name": "Users", "stages": "10s:10, 10s:10, 0s:20, 10s:20, 0s:10, 40s:10, 5s:0"}),
    (element("SteppingThreadGroup", "".join(f'<stringProp name="{name}">{value}</stringProp>' for name, value in {"ThreadGroup.num_threads": 20, "Threads initial delay": 0, "Start users count": 10, "Start users count burst": 0, "Start users period": 60, "Stop users count": 20, "Stop users period": 1, "flighttime": 60, "rampUp": 0}.items()), name="Users", below=GET), {"name": "Users", "stages": "0s:10, 1m:10, 0s:20, 1m:20"}),
    (group(element("ConstantThroughputTimer", props(throughput="600.0", calcMode=2)) + GET, loops=3), {"name": "Users", "users": 2, "ramp_up": "4s", "iterations_per_user": 3, "throttle": "600/m"}),
    (group(element("VariableThroughputTimer", f'<collectionProp name="load_profile"><collectionProp name="1">{props(a=10, b=50, c=60)}</collectionProp></collectionProp>') + GET), {"name": "Users", "stages": "0s:10/s, 1m:50/s", "max_users": 2}),
]  # fmt: skip

TEXTS = [
    ("${__Random(1,6)}", "${rand.int(1, 6)}"),
    ("${__time()}", "${((now() * 1000) | int)}"),
    ("${__time(yyyy-MM-dd,)}", "${date('%Y-%m-%d')}"),
    ("${__timeShift(yyyy-MM-dd,,P1D,,)}", "${date('%Y-%m-%d', 86400)}"),
    ("${__time(yyyy-MM-dd'T'HH:mm:ss.SSS'Z')}", "${date('%Y-%m-%dT%H:%M:%S.%f')[:-3] ~ 'Z'}"),
    ("${__threadNum}", "${(user.id + 1)}"),
    ("${__RandomString(8)}", "${rand.text(8)}"),
    ("${__changeCase(x,LOWER,)}", "${('x') | lower}"),
    ("${__urlencode(a b)}", "${(('a b') | urlencode)}"),
    ("${__P(shop,here)}", "${shop}"),
    ("${__intSum(1,${__P(n,2)})}", "${(1 + n)}"),
    ("${__groovy(1 + 1)}", "${1 + 1}"),
    ("a\\,b ${__UUID}", "a,b ${rand.uuid()}"),
    ("$${x}", "$$${x}"),
    ("$${__UUID}", "${'$'}${rand.uuid()}"),
]

CONDITIONS = [
    ('"${x}" == "a"', "(x | string) == 'a'"),
    ('${__jexl3("${x}" == "a" && ${x} != 2,)}', "(x | string) == 'a' and (x | int) != 2"),
    (
        '${__groovy(vars.get("x").equals("a") || vars.get("x") == null,)}',
        "x == ('a') | string or x == ''",
    ),
    ("${x}", "((x) | string | lower) == 'true'"),
    ('${__groovy(vars["x"].toInteger() >= 3)}', "(x | int) >= 3"),
    ("${JMeterThread.last_sample_ok}", "(status | default(0)) < 400"),
]


def test_cookies_that_only_a_manager_keeps_are_named() -> None:
    two = next(source for source, steps in STEPS if len(steps) > 1 and "HTTPSampler" in source)
    manager = element("CookieManager", "")

    def found(source: str) -> list[str]:
        return [one.words for one in imported(group(source)).ledger.findings()]

    assert "no HTTP Cookie Manager" in found(two + two)
    assert "no HTTP Cookie Manager" not in found(manager + two + two)


@pytest.mark.parametrize(("source", "steps"), STEPS)
def test_an_element_is_steps(source: str, steps: list[object]) -> None:
    """Each element becomes its step, and is translated."""
    done = imported(group(source))

    assert parse(done.text, "plan.yaml").data["users"]["Users"]["steps"] == steps
    assert [one.words for one in done.ledger.findings() if one.kind != "default"] == []


@pytest.mark.parametrize(("source", "phase"), LOADS)
def test_a_thread_group_is_a_phase(source: str, phase: object) -> None:
    """Threads, ramps, loops and schedules become the keys of a phase."""
    assert plan(source)["phases"] == [phase]


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_a_function_is_an_expression(text: str, expected: str) -> None:
    """Functions become expressions, wherever they stand."""
    done = plan(group(get(headers(X=text))))

    assert done["users"]["Users"]["steps"][0]["headers"]["X"] == expected


@pytest.mark.parametrize(("text", "expected"), CONDITIONS)
def test_a_condition_is_an_expression(text: str, expected: str) -> None:
    """Conditions of all of JMeter's languages become one."""
    controller = element(
        "IfController",
        props(IfController__condition=text, IfController__useExpression="true"),
        below=get(),
    )
    steps = plan(group(get(json_extractor("x", "$.x")) + controller))["users"]["Users"]["steps"]

    assert steps[1]["if"] == expected


def test_scopes_merge_and_inner_ones_win() -> None:
    """Managers, timers and assertions around a sampler hold for it, the inner ones last."""
    around = headers(X_A="1", X_B="1") + element(
        "ConfigTestElement",
        props(HTTPSampler__domain="127.0.0.1", HTTPSampler__port=81),
        more='guiclass="HttpDefaultsGui"',
    )
    sampler = element(
        "HTTPSamplerProxy",
        props(HTTPSampler__path="b"),
        name="b",
        below=headers(X_B="2") + element("ConstantTimer", props(ConstantTimer__delay=100)),
    )
    done = plan(
        group(
            element("ConstantTimer", props(ConstantTimer__delay=200))
            + sampler
            + response("response_code", 8, "200"),
            around=around,
        )
    )

    assert done["http"] == {"base_url": "http://127.0.0.1:81"}
    assert done["users"]["Users"]["steps"] == [
        {"think": "300ms"},
        {"get": "/b", "name": "b", "headers": {"X-A": "1", "X-B": "2"}, "expect": {"status": 200}},
    ]


def test_variables_are_params_and_what_is_read_too_early_is_state() -> None:
    """Variables become params; a name that is read before it is set lasts as long as the user."""
    around = udv(HOST="${__P(host,127.0.0.1)}", url="http://${HOST}", n="5", api_key="s3cr3t")
    first = element(
        "HTTPSamplerProxy",
        props(HTTPSampler__domain="${HOST}", HTTPSampler__path="/a?${token}"),
        name="a",
        below=json_extractor("token", "$.t"),
    )
    imports = imported(group(first, around=around, num_threads="${n}"))
    done = parse(imports.text, "plan.yaml").data

    assert done["params"] == {
        "HOST": {"type": "str", "default": "127.0.0.1"},
        "url": {"type": "str", "default": "http://${HOST}"},
        "n": {"type": "int", "default": 5},
        "api_key": {"type": "str", "secret": True, "env": "API_KEY"},
    }
    assert done["http"]["base_url"] == "http://${HOST}"
    assert done["phases"][0]["users"] == "${n}"
    assert done["users"]["Users"]["state"] == {"token": ""}
    assert "s3cr3t" not in imports.text


def test_what_a_plan_does_otherwise_is_changed() -> None:
    """Loops draw no rows of their own, cookies last where variables do, blocks run as a whole."""
    cookies = element("CookieManager", props(CookieManager__clearEachIteration="true"))
    counter = element("CounterConfig", props(CounterConfig__name="n"))
    counted = get(headers(N="${__counter(TRUE,)}"))
    loop = element(
        "LoopController", props(LoopController__loops=2), below=counter + get() + counted
    )
    block = element("InterleaveControl", below=loop + get(headers(X="${t}")))
    done = imported(group(cookies + block + get(json_extractor("t", "$.t")), kind="ThreadGroup"))

    changed = {one.words for one in done.ledger.findings() if one.fate is Fate.CHANGED}
    kinds = {"CookieManager.clearEachIteration", "CounterConfig", "InterleaveControl"}
    assert changed == {*kinds, "Header.value"}
    assert "session" not in parse(done.text, "plan.yaml").data["users"]["Users"]


def test_lists_of_matches_feed_loops_and_scripts_judge_replies() -> None:
    """`-1` gives a list, XPath Assertions must match, and a script's stub follows its request."""
    loop = element(
        "ForeachController",
        props(ForeachController__inputVal="ids", ForeachController__returnVal="id"),
        below=get(headers(X="${id}")),
    )
    judge = element("JSR223Assertion", props(script="if (x) { fail() }"), name="judge")
    xpath = element("XPathAssertion", props(XPath__xpath="//a"))
    listener = element("ResultCollector", props(filename="out.jtl"))
    top = get(json_extractor("ids", "$..id", number="-1") + judge + xpath) + loop + listener
    done = plan(group(top))
    first, call, each = done["users"]["Users"]["steps"]

    assert first["extract"]["ids"] == IDS["ids"]
    assert {"xpath": "//a"} in first["extract"].values()
    assert call["python"]["call"] == "judge"
    assert each == {"foreach": "id in ids", "do": [{**A, "headers": {"X": "${id}"}}]}
    assert "jtl" in done["report"]["formats"]


@pytest.mark.parametrize(
    ("host", "base"),
    [("${gone}", "http://${gone}"), ("${empty}", "http://${empty}"), ("[", "http://localhost")],
)
def test_a_host_that_is_none_needs_a_person(host: str, base: str) -> None:
    """A variable that nothing sets becomes a param; what can't be a host is asked for."""
    sampler = element("HTTPSamplerProxy", props(HTTPSampler__domain=host), name="a")
    done = imported(group(sampler, around=udv(empty="")))

    assert parse(done.text, "plan.yaml").data["http"]["base_url"] == base
    assert [one.fate for one in done.ledger.findings()] == [Fate.NEEDS_YOU]


def test_patterns_that_read_variables_of_users_are_texts_or_left_out() -> None:
    """A plan knows its patterns before it runs; a text without signs needs no pattern."""
    asserted = "".join(
        response(field, 2, text)
        for field, text in [
            ("response_data", "is ${id}"),
            ("response_data", "^${id}$"),
            ("response_headers", "X-Id: ${id}"),
            ("sample_label", "u${id}"),
        ]
    )
    regex = extractor("RegexExtractor", refname="x", regex="a${id}(.)")
    done = imported(group(get(json_extractor("id", "$.id")) + get(asserted + regex)))

    step = parse(done.text, "plan.yaml").data["users"]["Users"]["steps"][1]
    assert step["expect"] == {"contains": "is ${id}"}
    assert "extract" not in step
    assert sum("must be known" in one.why for one in done.ledger.findings()) == 4
    assert check(done) == ()


def test_groups_side_by_side_and_around_the_load() -> None:
    """Thread groups run side by side; those of setUp and tearDown before and after."""
    top = (
        group(GET, kind="SetupThreadGroup", num_threads=1)
        + group(GET)
        + group(GET).replace("Users", "Others")
    )
    done = plan(top + group(GET, kind="PostThreadGroup", num_threads=1))

    assert done["setup"] == done["teardown"] == [{**A, "measure": True}]
    assert [(one["start_at"], one["users"]) for one in done["phases"]] == [
        ("0s", {"Users": 2}),
        ("0s", {"Others": 2}),
    ]


def test_csv_modules_scripts_and_disabled_elements(tmp_path: Path) -> None:
    """Files are copied, modules put in their place, scripts become stubs; the plan is valid."""
    (tmp_path / "rows.csv").write_text("name,word\nada,x\n")
    data = element(
        "CSVDataSet",
        props(
            filename="rows.csv",
            variableNames="user,pass",
            ignoreFirstLine="true",
            recycle="false",
            stopThread="true",
        ),
    )
    fragment = element(
        "TestFragmentController", name="fragment", below=get(headers(X="${user}${missing}"))
    )
    module = element(
        "ModuleController",
        f'<collectionProp name="ModuleController.node_path">{props(a="demo")}{props(b="fragment")}</collectionProp>',
    )
    script = element(
        "JSR223PostProcessor",
        props(script='def x = new Foo()\nvars.put("made", x.run(vars.get("user")))'),
        name="sign it",
    )
    off = element("HTTPSamplerProxy", name="off", more='enabled="false"', below=get())
    steps = (
        data
        + module
        + get(script)
        + get(headers(X="${made}"))
        + off
        + element("TCPSampler", name="raw")
    )

    done = imported(fragment + group(steps), path=tmp_path / "a.jmx")

    loaded = parse(done.text, "plan.yaml").data
    assert loaded["data"] == {
        "rows": {
            "csv": "rows.csv",
            "columns": ["user", "pass"],
            "unique": True,
            "on_end": "stop_user",
        }
    }
    assert done.files["rows.csv"] == b"ada,x\n"
    assert loaded["users"]["Users"]["steps"][0]["headers"] == {"X": "${rows.user}$${missing}"}
    assert loaded["users"]["Users"]["steps"][2]["python"]["call"] == "sign_it"
    assert b"raise NotImplementedError" in done.files["hooks.py"]
    assert "# disabled in the original: off" in done.text
    fates = {one.words: one.fate for one in done.ledger.findings()}
    assert fates["Header.value"] is Fate.SUSPICIOUS
    assert fates["script"] is Fate.NEEDS_YOU
    assert fates["TCPSampler “raw”"] is Fate.LEFT_OUT
    assert check(done) == ()


def test_a_file_that_is_missing_or_outside_is_never_read(tmp_path: Path) -> None:
    """A stand-in keeps the plan valid, and the ledger says what to put in its place."""
    (tmp_path / "out.csv").write_text("secret")
    (tmp_path / "in").mkdir()
    data = element("CSVDataSet", props(filename="../out.csv", variableNames="user"))

    done = imported(group(data + get(headers(X="${user}"))), path=tmp_path / "in" / "a.jmx")

    assert done.files == {"stand-ins/out.csv": b"user-1\n"}
    assert [one.fate for one in done.ledger.findings()] == [Fate.NEEDS_YOU]
    assert check(done) == ()


@pytest.mark.slow
def test_all_elements_together_are_a_valid_plan() -> None:
    """What the table has, in one thread group, is one plan."""
    parts = [source for source, _ in STEPS if "SyncTimer" not in source]
    done = imported(group("".join(element("GenericController", below=one) for one in parts)))

    assert check(done) == ()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"<a/>", b"no xml", b"\x00\xff\xfe",
        b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>',
    ],
)  # fmt: skip
def test_what_is_no_test_plan_is_a_fault_with_a_place(content: bytes) -> None:
    """Nothing else is read as a test plan, and nothing ends in a traceback."""
    with pytest.raises(ImportFault, match=r"a\.jmx:\d+:\d+: "):
        import_files(
            [SourceFile(None, "a.jmx", content)], format_name="jmx", options=ImportOptions()
        )


def test_a_bomb_of_entities_and_wrong_bytes_do_no_harm() -> None:
    """Entities aren't resolved, Latin-1 is read, and broken XML is a finding."""
    bomb = '<!DOCTYPE x [<!ENTITY a "0123456789"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    text = (
        document(group(get(headers(X="&c; é"))))
        .replace("?>", f"?>{bomb}", 1)
        .replace("&amp;c;", "&c;")
    )
    cut = text.replace("</jmeterTestPlan>", "")

    done = import_files([SourceFile(None, "a.jmx", cut.encode("latin-1"))], options=ImportOptions())

    assert parse(done.text, "plan.yaml").data["users"]["Users"]["steps"] == [
        {**A, "headers": {"X": "é"}}
    ]
    assert [one.kind for one in done.ledger.findings()] == ["text", "xml"]
    lines = cut.split("\n")
    assert {
        lines[one.place.line - 1][one.place.column - 1 :][:1]
        for one in done.ledger.constructs
        if one.kind not in ("text", "xml")
    } == {"<"}


@pytest.mark.slow
def test_three_thousand_elements_and_deep_ones_take_little_time() -> None:
    """Time grows with the number of elements, and nesting has an end."""
    deep = get()
    for _ in range(300):
        deep = element("GenericController", below=deep)
    many = "".join(get(response("response_code", 8, "200")) for _ in range(1500))

    done = within_cpu(5, lambda: imported(group(deep + many)))

    count = len(re.findall(r"<[A-Za-z]", document(group(deep + many))))
    told = sum(one.kind == "default" for one in done.ledger.findings())
    assert done.ledger.tally().total - told == count > 10_000
    within_cpu(2, lambda: imported(group(get(headers(X="${" * 20_000, Y="${__V(" * 3_000)))))


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.data())
def test_any_tree_of_elements_is_a_plan_with_a_fate_for_each(data: st.DataObject) -> None:
    """Whatever stands in whatever, with any name and text: no traceback, the same bytes again."""
    text = st.text(alphabet="a${}_(,)\\\"'\n&é1:/", max_size=12)
    kinds = st.sampled_from(
        [*dict.fromkeys(one[0].split()[0][1:] for one in STEPS), "Unknown", "CSVDataSet"]
    )

    def some(depth: int) -> str:
        inner = (
            "".join(some(depth - 1) for _ in range(data.draw(st.integers(0, 2)))) if depth else ""
        )
        kind = data.draw(kinds)
        own = props(
            HTTPSampler__path=data.draw(text),
            IfController__condition=data.draw(text),
            script=data.draw(text),
            filename=data.draw(text),
        )
        return element(kind, own, name=data.draw(text), below=inner)

    source = group(some(3) + get(), num_threads=data.draw(text))

    done = imported(source)

    assert all(one.fate is not None for one in done.ledger.constructs)
    kinds_found = done.ledger.tally_of_kinds()
    assert len(re.findall(r"<[A-Za-z]", document(source))) == sum(
        kinds_found[one].total for one in ("structure", "element", "property")
    )
    assert imported(source).text == done.text
    parse(done.text, "plan.yaml")


def test_a_timer_below_flow_control_waits_once_an_iteration() -> None:
    timer = element("ConstantThroughputTimer", props(throughput="60.0", calcMode=0))
    action = element(
        "TestAction", props(ActionProcessor__action=1, ActionProcessor__duration=0), below=timer
    )
    done = imported(group(action + get() + get()))
    assert parse(done.text, "plan.yaml").data["users"]["Users"]["pace"] == "1s"
    assert not [one for one in done.ledger.findings() if "throughput" in one.words.lower()]
