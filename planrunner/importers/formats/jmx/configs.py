"""Config elements: variables, data, counters, and what holds for a class or the whole plan."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import parse_qs, urlsplit

from planrunner.importers.draft import DraftPlan, Keys
from planrunner.importers.formats.jmx.elements import JmxElement
from planrunner.importers.formats.jmx.samplers.other_samplers import data_source
from planrunner.importers.formats.jmx.texts.functions import JmxResolver
from planrunner.importers.formats.jmx.texts.variables import JmxValue, JmxVariables
from planrunner.importers.reading.kept_files import KeptFiles

__all__ = ["add_data", "auth_of", "iteration_sets", "settings_of"]

_ReadJmxSettings = Callable[[JmxElement, JmxResolver, Keys, DraftPlan], None]


def settings_of(
    element: JmxElement, resolver: JmxResolver, keys: Keys, draft: DraftPlan, files: KeptFiles
) -> bool:
    """Read a config element into a class's keys or the plan; say whether it is one."""
    if element.kind in ("CSVDataSet", "RandomCSVDataSetConfig", "Arguments", "CounterConfig"):
        return True  # read before the steps, for all of them
    if element.kind in ("RandomVariableConfig", "ConfigTestElement", "BackendListener"):
        if element.kind == "BackendListener":
            _backend(element, resolver, keys, draft)
        elif element.kind == "ConfigTestElement" and element.construct.fate is None:
            element.leave_out(
                "planrunner has no defaults for this protocol: write them at each step"
            )
        return True
    read = _SETTINGS.get(element.kind)
    if read is None:
        return False
    element.settle()
    read(element, resolver, keys, draft)
    del files
    return True


def iteration_sets(element: JmxElement, resolver: JmxResolver) -> Iterator[Keys]:
    """Yield what a config element sets as each iteration begins."""
    if element.kind == "CounterConfig":
        element.settle()
        name = element.take("CounterConfig.name").strip()
        if name:
            code = _counter(element, resolver)
            yield {resolver.variables.set(name): f"${{{code}}}"}
    elif element.kind == "RandomVariableConfig":
        element.settle()
        name = element.take("variableName").strip()
        low, high = (_whole(element, one, resolver, 0) for one in ("minimumValue", "maximumValue"))
        element.take("randomSeed")
        element.take("perThread")
        form = element.take("outputFormat").strip()
        if name:
            code = _formatted(f"rand.int({low}, {high})", form, element, "outputFormat")
            yield {resolver.variables.set(name): f"${{{code}}}"}


def _counter(element: JmxElement, resolver: JmxResolver) -> str:
    own = element.flag("CounterConfig.per_user")
    start = _whole(element, "CounterConfig.start", resolver, 0)
    step = _whole(element, "CounterConfig.incr", resolver, 1)
    end = element.peek("CounterConfig.end").strip()
    element.take("CounterConfig.end")
    element.flag("CounterConfig.reset_on_tg_iteration")
    count = "0" if resolver.variables.is_setup else "user.iteration" if own else "iteration"
    if end.isdigit() and start.isdigit() and step.isdigit() and int(step):
        rounds = (int(end) - int(start)) // int(step) + 1
        if 0 < rounds < 10**12:
            count = f"{count} % {rounds}"
    elif "${" in end:
        element.judge("CounterConfig.end", "it goes on counting: write `% N`")
    if step != "1":
        count = f"({count}) * {step}"
    code = count if start == "0" else f"{start} + {count}"
    form = element.take("CounterConfig.format").strip()
    return _formatted(code, form, element, "CounterConfig.format")


def _whole(element: JmxElement, name: str, resolver: JmxResolver, default: int) -> str:
    text = element.take(name).strip()
    if re.fullmatch(r"-?\d{1,18}", text):
        return str(int(text))
    if "${" not in text:
        return str(default)
    value = resolver.expression(text, element.properties[name].construct)
    return value.code if value.kind == "int" else f"(({value.code}) | int)"


def _formatted(code: str, form: str, element: JmxElement, name: str) -> str:
    """Return a number in a format of Java's: `000`, `user_000`."""
    found = re.fullmatch(r"([^0#%$']*)(0+|#+)([^0#%$']*)", form)
    if not form or found is None:
        if form:
            element.judge(name, "the number has no format: write `'%03d' % …`")
        return code
    width = len(found[2]) if found[2].startswith("0") else 0
    return f"'{found[1]}%{f'0{width}' if width else ''}d{found[3]}' % ({code})"


def _cookies(element: JmxElement, resolver: JmxResolver, keys: Keys, _draft: DraftPlan) -> None:
    if element.flag("CookieManager.clearEachIteration"):
        keys["session"] = "iteration"
    pairs = []
    for one in element.entries("CookieManager.cookies"):
        value = one.take("Cookie.value")
        for each in one.items:
            each.construct.translated()
        one.construct.translated()
        name = resolver.text(one.name, one.construct)
        pairs.append(f"{name}={resolver.text(value, one.construct)}")
    if pairs:
        _headers(keys)["Cookie"] = "; ".join(pairs)


def _headers(keys: Keys) -> Keys:
    http = keys.setdefault("http", {})
    assert isinstance(http, dict)
    headers = http.setdefault("headers", {})
    assert isinstance(headers, dict)
    return headers


def _cache(element: JmxElement, _resolver: JmxResolver, _keys: Keys, _draft: DraftPlan) -> None:
    element.whole()
    element.construct.changed("nothing is cached: every request is sent")


def _dns(element: JmxElement, resolver: JmxResolver, keys: Keys, _draft: DraftPlan) -> None:
    for one in element.entries("DNSCacheManager.hosts"):
        name = one.take("StaticHost.Name").strip()
        address = one.take("StaticHost.Address").strip()
        one.construct.translated()
        if name and re.fullmatch(r"[\d.]+|[0-9a-fA-F:]+", address):
            http = keys.setdefault("http", {})
            assert isinstance(http, dict)
            hosts = http.setdefault("hosts", {})
            hosts[resolver.text(name, one.construct)] = address
        elif name:
            one.construct.left_out("write its address: `http: {hosts: {name: 127.0.0.1}}`")
    for one in element.entries("DNSCacheManager.servers"):
        one.construct.left_out("the system resolves names: write `http: {hosts: {name: ip}}`")
    element.whole()


def _keystore(element: JmxElement, _resolver: JmxResolver, _keys: Keys, _draft: DraftPlan) -> None:
    for each in element.constructs():
        each.needs_you("write `http: {cert: client.pem}` with the certificate as PEM")


def _jdbc(element: JmxElement, resolver: JmxResolver, _keys: Keys, draft: DraftPlan) -> None:
    data_source(element, draft, resolver)


_SETTINGS: Final[dict[str, _ReadJmxSettings]] = {
    "CookieManager": _cookies,
    "CacheManager": _cache,
    "DNSCacheManager": _dns,
    "KeystoreConfig": _keystore,
    "JDBCDataSource": _jdbc,
}


def _backend(element: JmxElement, resolver: JmxResolver, _keys: Keys, draft: DraftPlan) -> None:
    """A backend listener becomes an output, where it writes to InfluxDB."""
    values: dict[str, str] = {}
    for one in element.entries("arguments", "Arguments.arguments"):
        for inner in one.everything():
            inner.construct.translated()
        values[one.take("Argument.name") or one.name] = one.take("Argument.value")
    url = urlsplit(values.get("influxdbUrl", ""))
    kind = element.peek("classname").rpartition(".")[2]
    if kind != "InfluxdbBackendListenerClient" or not url.hostname or "${" in url.netloc:
        for each in element.constructs():
            each.left_out("write `outputs`: `influxdb`, `prometheus`, `otlp` and others")
        return
    element.whole()
    database = parse_qs(url.query).get("db", ["jmeter"])[0]
    output: Keys = {"url": f"{url.scheme}://{url.netloc}", "database": database, "optional": True}
    outputs = draft.extra.setdefault("outputs", [])
    assert isinstance(outputs, list)
    entry = {"influxdb": output}
    if "${" not in database and entry not in outputs:
        outputs.append(entry)
    del resolver


def auth_of(element: JmxElement, resolver: JmxResolver) -> Keys | None:
    """Return the authentication that an Authorization Manager gives."""
    element.settle()
    entries = element.entries("AuthManager.auth_list")
    found: Keys | None = None
    for one in entries:
        one.construct.translated()
        user, mechanism = one.take("Authorization.username"), one.take("Authorization.mechanism")
        password = one.below("Authorization.password")
        for name in ("Authorization.url", "Authorization.domain", "Authorization.realm"):
            one.take(name)
        if found is not None or mechanism == "KERBEROS" or password is None:
            for each in one.everything():
                each.construct.left_out("write `auth` at the requests that it is for")
            continue
        if "${" in password.text:
            secret = resolver.text(password.read(), password.construct)
        else:
            password.construct.needs_you("set the param: a password isn't written down")
            param = resolver.variables.plan.add("auth_password", "secret", one.construct.place)
            secret = f"${{{param.code}}}"
        kind = "digest" if mechanism == "DIGEST" else "basic"
        name = resolver.text(user, one.construct)
        found = {kind: {"username": name, "password": secret}}
    return found


def add_data(
    element: JmxElement,
    variables: JmxVariables,
    draft: DraftPlan,
    files: KeptFiles,
    wanted: set[str],
) -> None:
    """Add the data source of a CSV Data Set, and the columns that it gives."""
    element.settle()
    filename = element.take("filename").strip()
    columns = [one.strip() for one in element.take("variableNames").split(",") if one.strip()]
    construct = (
        element.properties["filename"].construct if "filename" in element.properties else None
    )
    if construct is None or not filename:
        element.construct.needs_you("it names no file")
        return
    delimiter = _delimiter(element)
    source: Keys = {
        "csv": _kept(element, filename, columns or sorted(wanted), delimiter, files, draft)
    }
    text = files.text(filename) if "${" not in filename else None
    names = _columns(element, text, delimiter, columns, source) or sorted(wanted)
    if delimiter != ",":
        source["delimiter"] = "tab" if delimiter == "\t" else delimiter
    _sharing(element, source)
    name = _data_name(filename, variables, draft, source)
    draft.data[name] = source
    for one in names:
        code = (
            f"{name}.{one}" if re.fullmatch(r"[A-Za-z_]\w*", one, re.ASCII) else f"{name}[{one!r}]"
        )
        variables.columns[one] = JmxValue(code, "text")


def _delimiter(element: JmxElement) -> str:
    """Return the one character that divides values."""
    text = element.take("delimiter", ",") or ","
    if text in ("\\t", "\t"):
        return "\t"
    if len(text) == 1 and not text.isalnum() and text.isprintable() and text not in ' "':
        return text
    element.judge("delimiter", "values are divided by a comma: one character, no letter or space")
    return ","


def _data_name(filename: str, variables: JmxVariables, draft: DraftPlan, source: Keys) -> str:
    """Return a name for a source; the one of the same source where there is one."""
    for name, one in draft.data.items():
        if one == source:
            return name
    stem = PurePosixPath(filename.replace("\\", "/")).stem
    return variables.plan.names.new(re.sub(r"\W+", "_", stem, flags=re.ASCII).strip("_") or "rows")


def _kept(
    element: JmxElement,
    filename: str,
    columns: list[str],
    delimiter: str,
    files: KeptFiles,
    draft: DraftPlan,
) -> str:
    """Return the file's name beside the plan; a header that isn't wanted is cut off."""
    encoding = element.take("fileEncoding").strip().lower()
    text = files.text(filename) if "${" not in filename else None
    skips = element.flag("ignoreFirstLine") or not element.peek("variableNames").strip()
    line = delimiter.join(columns or ["value"])
    construct = element.properties["filename"].construct
    row = delimiter.join(f"{one}-1" for one in columns or ["value"])
    name = files.keep(filename, construct, f"{line}\n{row}\n" if skips else f"{row}\n")
    if text is None:
        return name
    if element.flag("ignoreFirstLine") and columns and _header(text, delimiter) != columns:
        text = text.partition("\n")[2]
        draft.files[name] = text.encode()
    elif encoding not in ("", "utf-8", "utf8", "us-ascii"):
        draft.files[name] = text.encode()
    return name


def _header(text: str, delimiter: str) -> list[str]:
    try:
        rows = csv.reader(io.StringIO(text[:65536]), delimiter=delimiter)
        return [one.strip() for one in next(rows, [])]
    except csv.Error:
        return []


def _columns(
    element: JmxElement, text: str | None, delimiter: str, columns: list[str], source: Keys
) -> list[str]:
    """Return the names of the columns, and write them down where the file doesn't say them."""
    skips = element.flag("ignoreFirstLine")
    header = _header(text, delimiter) if text is not None else []
    if not columns:
        return header
    if not (skips and (text is None or header == columns)):
        source["columns"] = list(dict.fromkeys(columns))
    return columns


def _sharing(element: JmxElement, source: Keys) -> None:
    mode = element.take("shareMode", "shareMode.all").rpartition(".")[2]
    recycles, stops = element.flag("recycle", default=True), element.flag("stopThread")
    element.flag("quotedData")
    if mode not in ("all", "group", "") and not mode.startswith("${"):
        element.judge("shareMode", "all users share the rows; `per: user` gives each its own")
    if not recycles:
        source |= {"unique": True, "on_end": "stop_user"}
        if not stops:
            element.judge("stopThread", "a user stops when no row is left; JMeter sends `<EOF>`")
    if element.kind == "RandomCSVDataSetConfig" or element.flag("randomOrder"):
        source["order"] = "shuffle" if not element.flag("independentListPerThread") else "random"
