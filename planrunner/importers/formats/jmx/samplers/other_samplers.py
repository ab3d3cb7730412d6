"""Samplers that send no HTTP, and flow control → steps."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Final

from planrunner.importers.draft import DraftPlan, DraftStep, Keys
from planrunner.importers.formats.jmx.elements import JmxElement
from planrunner.importers.formats.jmx.samplers.timers import milliseconds
from planrunner.importers.formats.jmx.texts.functions import JmxResolver

__all__ = ["OTHER_SAMPLERS", "data_source", "other_sampler"]

_ReadJmxSampler = Callable[[JmxElement, JmxResolver], list[Keys]]


def other_sampler(element: JmxElement, resolver: JmxResolver) -> list[DraftStep]:
    """Return the steps of a sampler; none, judged, where a plan can't do it."""
    read = OTHER_SAMPLERS.get(element.kind)
    if read is None:
        element.leave_out(_HINTS.get(element.kind, _UNKNOWN))
        return []
    element.settle()
    return [DraftStep(body, origin=element.construct.place) for body in read(element, resolver)]


_UNKNOWN: Final = "planrunner has no step for it: write `python` with a function of your own"
_HINTS: Final = {
    "TCPSampler": "raw TCP isn't spoken: write `python` with a function, `measure: true`",
    "FTPSampler": "FTP isn't spoken: write `exec` with a client, `measure: true`",
    "JMSSampler": "JMS isn't spoken: write `python` with a function, `measure: true`",
    "SmtpSampler": "SMTP isn't spoken: write `python` with smtplib, `measure: true`",
    "JavaSampler": "it runs a class of Java: write `python` with a function, `measure: true`",
    "JUnitSampler": "it runs a class of Java: write `python` with a function, `measure: true`",
    "LDAPSampler": "LDAP isn't spoken: write `python` with a function, `measure: true`",
    "LDAPExtSampler": "LDAP isn't spoken: write `python` with a function, `measure: true`",
    "AccessLogSampler": "import the access log itself: `planrunner import access.log`",
}


def _debug(element: JmxElement, resolver: JmxResolver) -> list[Keys]:
    element.whole()
    return [{"log": resolver.text(element.name or "debug", element.construct)}]


def _dummy(element: JmxElement, resolver: JmxResolver) -> list[Keys]:
    """A dummy sends nothing: it takes its time, and makes a sample of its own."""
    construct = element.construct
    text = element.take("RESPONSE_TIME", "0").strip()
    waits = element.flag("WAITING", default=True)
    for name in ("SUCCESFULL", "RESPONSE_CODE", "RESPONSE_MESSAGE", "REQUEST_DATA", "LATENCY"):
        element.take(name)
    for name in ("CONNECT", "URL", "RESULT_CLASS", "RESPONSE_DATA"):
        element.take(name)
    construct.changed("it sends nothing: here it takes its time, and makes no sample")
    if not waits:
        return [{"log": resolver.text(element.name or "dummy", construct)}]
    if text.isdigit():
        return [{"think": milliseconds(int(text))}]
    found = re.fullmatch(r"\$\{__Random\((\d+),\s*(\d+)[^)]*\)\}", text)
    if found and int(found[1]) < int(found[2]):
        return [{"think": f"{found[1]}ms..{found[2]}ms"}]
    element.judge("RESPONSE_TIME", "it takes 1 s: write `think` with a range")
    return [{"think": "1s"}]


def _action(element: JmxElement, resolver: JmxResolver) -> list[Keys]:
    action = element.take("ActionProcessor.action", "1").strip()
    on_test = element.take("ActionProcessor.target", "0").strip() == "2"
    duration = element.take("ActionProcessor.duration", "0").strip()
    if action == "1":
        return _pause(element, duration, resolver)
    if action in ("0", "2"):
        return [{"stop": "plan" if on_test or action == "2" else "user"}]
    if action in ("4", "5"):
        element.judge("ActionProcessor.action", "it ends the iteration, not the loop around it")
    return [{"stop": "iteration"}]


def _pause(element: JmxElement, duration: str, resolver: JmxResolver) -> list[Keys]:
    if duration.isdigit():
        return [{"think": milliseconds(int(duration))}] if int(duration) else []
    prop = element.get("ActionProcessor.duration")
    if prop is None or not duration:
        return []
    value = resolver.expression(duration, prop.construct)
    drawn = re.fullmatch(r"rand\.int\((\d+), (\d+)\)", value.code)
    if drawn and int(drawn[1]) < int(drawn[2]):
        return [{"think": f"{drawn[1]}ms..{drawn[2]}ms"}]
    if value.is_static and value.kind == "int":
        return [{"think": f"${{{value.code}}}ms"}]
    prop.construct.left_out("a pause must be known before the run: write `think`")
    return []


def _system(element: JmxElement, resolver: JmxResolver) -> list[Keys]:
    words = [element.take("SystemSampler.command")]
    for one in element.entries("SystemSampler.arguments", "Arguments.arguments"):
        one.construct.translated()
        words.append(one.take("Argument.value"))
    for one in element.entries("SystemSampler.environment", "Arguments.arguments"):
        one.construct.left_out("set it before the command: `env NAME=value command`")
    for name in ("SystemSampler.stdin", "SystemSampler.stdout", "SystemSampler.stderr"):
        if element.peek(name).strip():
            element.properties[name].construct.left_out("write the redirection into the command")
    if element.peek("SystemSampler.directory").strip() not in ("", "."):
        element.properties["SystemSampler.directory"].construct.left_out(
            "write `cd` into the command"
        )
    element.take("SystemSampler.directory")
    element.take("SystemSampler.checkReturnCode")
    element.take("SystemSampler.expectedReturnCode")
    texts = [resolver.text(word, element.construct) for word in words if word.strip()]
    line = " ".join(text if "${" in text else shlex.quote(text) for text in texts)
    if not line:
        return []
    keys: Keys = {"run": line}
    limit = element.take("SystemSampler.timeout").strip()
    if limit.isdigit() and int(limit):
        keys["timeout"] = milliseconds(int(limit))
    return [{"exec": keys, "name": element.name or line, "measure": True}]


def _jdbc(element: JmxElement, resolver: JmxResolver) -> list[Keys]:
    kind = element.take("queryType", "Select Statement")
    text = element.take("query").strip().rstrip(";")
    source = element.take("dataSource").strip()
    if not text:
        return []
    if kind in ("Commit", "Rollback", "AutoCommit(false)", "AutoCommit(true)"):
        element.judge("queryType", "write `sql.transaction` around the statements")
        return []
    if "Update" not in kind and "Select" not in kind:
        element.judge("queryType", "the statement is sent as it is")
    statement, params = _bound(element, text, resolver)
    keys: Keys = {"statement": statement, "name": element.name or "sql"}
    keys |= {"params": params} if params else {}
    keys |= {"database": source} if source else {}
    name = element.take("variableNames").split(",")[0].strip()
    if name:
        element.judge("variableNames", "the first row's column of this name is taken")
        keys["extract"] = {resolver.variables.set(name): {"column": name}}
    for one in ("resultVariable", "resultSetHandler", "resultSetMaxRows"):
        element.take(one)
    limit = element.take("queryTimeout").strip()
    if limit.isdigit() and int(limit):
        keys["timeout"] = f"{limit}s"
    return [{"sql.query": keys}]


def _bound(element: JmxElement, text: str, resolver: JmxResolver) -> tuple[str, Keys]:
    """Return a statement whose values are bound by name: `?` in order, `${…}` in place."""
    params: Keys = {}
    given = [one.strip() for one in element.take("queryArguments").split(",")]
    element.take("queryArgumentsTypes")
    construct = element.properties["query"].construct
    if "Prepared" in element.peek("queryType"):
        for number, value in enumerate(given):
            if "?" in text and value:
                text = text.replace("?", f":v{number + 1}", 1)
                params[f"v{number + 1}"] = resolver.text(value, construct)

    def bind(found: re.Match[str]) -> str:
        name = f"p{len(params) + 1}"
        params[name] = resolver.text(found[1] or found[2], construct)
        return f":{name}"

    text = re.sub(r"'(\$\{[^{}]*\})'|(\$\{[^{}]*\})", bind, text)
    return text, params


def data_source(element: JmxElement, draft: DraftPlan, resolver: JmxResolver) -> None:
    """Add the database of a JDBC connection."""
    element.settle()
    name = element.take("dataSource").strip() or "database"
    url = element.take("dbUrl").strip()
    user, password = element.take("username").strip(), element.peek("password").strip()
    found = re.fullmatch(r"jdbc:(\w+):(?:thin:@)?(?://)?([^?;]*).*", url, re.DOTALL)
    dialect = {"postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}.get(
        found[1] if found else "", found[1] if found else "sqlite"
    )
    place = resolver.text(found[2] if found else "", element.construct)
    sign = ""
    if user:
        sign = resolver.text(user, element.construct)
        if password:
            element.properties["password"].construct.needs_you("set it: it isn't written down")
            param = resolver.variables.plan.add(
                f"{name}_password", "secret", element.construct.place
            )
            sign += f":${{{param.code}}}"
        sign += "@"
    element.take("password")
    databases = draft.extra.setdefault("sql", {})
    assert isinstance(databases, dict)
    urls = databases.setdefault("databases", {})
    for one in element.constructs():
        one.translated()
    is_place = re.fullmatch(r"(?:[\w.-]|\$\{\w+\})+(?::(?:\d+|\$\{\w+\}))?(?:/[^?]*)?", place)
    if dialect == "sqlite" or (dialect in ("postgresql", "mysql") and is_place):
        urls[name] = f"{dialect}://{sign}{place}"
        return
    urls[name] = "sqlite:///stand-in.db"
    for each in ("dbUrl", "username"):
        if each in element.properties:
            element.properties[each].construct.needs_you(
                "write the database's URL as SQLAlchemy has it: `oracle+oracledb://user@host/name`"
            )


def _web_socket(element: JmxElement) -> str:
    server, port = element.take("server").strip(), element.take("port").strip()
    scheme = "wss" if element.flag("TLS") else "ws"
    path = element.take("path").strip()
    path = path if path.startswith("/") or not path else f"/{path}"
    usual = {"ws": "80", "wss": "443"}[scheme]
    return f"{scheme}://{server}{f':{port}' if port not in ('', usual) else ''}{path}"


def _ws(element: JmxElement, resolver: JmxResolver) -> list[Keys]:
    construct = element.construct
    name = element.name or element.kind
    fresh = element.flag("createNewConnection", default="Open" in element.kind)
    steps: list[Keys] = []
    url = resolver.text(_web_socket(element), construct)
    if "Open" in element.kind or (fresh and element.peek("server").strip()):
        steps.append({"ws.connect": {"url": url, "name": f"{name} connect"}})
    for one in ("connectTimeout", "readTimeout", "loadDataFromFile", "optional"):
        element.take(one)
    text = resolver.text(element.take("requestData"), construct)
    if "RequestResponse" in element.kind or "Write" in element.kind:
        if element.take("payloadType", "Text").strip().lower() == "binary":
            element.judge("payloadType", "it is sent as text: write `base64`")
        steps.append({"ws.send": {"text": text}})
    if "RequestResponse" in element.kind or "Read" in element.kind:
        steps.append({"ws.receive": {"name": name}})
    if "Close" in element.kind:
        element.take("statusCode")
        steps.append({"ws.close": {}})
    if "Ping" in element.kind:
        construct.changed("connections are pinged every 30 s by themselves")
    return steps


OTHER_SAMPLERS: Final[dict[str, _ReadJmxSampler]] = {
    "DebugSampler": _debug,
    "DummySampler": _dummy,
    "TestAction": _action,
    "SystemSampler": _system,
    "JDBCSampler": _jdbc,
    "OpenWebSocketSampler": _ws,
    "RequestResponseWebSocketSampler": _ws,
    "SingleReadWebSocketSampler": _ws,
    "SingleWriteWebSocketSampler": _ws,
    "CloseWebSocketSampler": _ws,
    "PingPongSampler": _ws,
}
