"""Compile the plan's `sql:` block, a statement to an `Exchange`, and what encloses several."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from planrunner.language.diagnostics import Code, suggest
from planrunner.language.expressions.expression import Lowered, to_text
from planrunner.language.fields.text import Text
from planrunner.language.files import FileFault
from planrunner.protocols.base import Exchange
from planrunner.protocols.lowering import Files, Lowering, SpecPath
from planrunner.protocols.plugin import CompiledRequest, CompiledSettings
from planrunner.protocols.sql.accepted import AcceptedStatuses, accepted_statuses
from planrunner.protocols.sql.database_url import DatabaseUrl, driver_problem, read_url
from planrunner.protocols.sql.expect import compile_expect, compile_extract
from planrunner.protocols.sql.operation import (
    OPEN_AT_ONCE,
    FetchRows,
    SqlDatabase,
    SqlOperation,
    SqlSettings,
    TransactionStep,
)
from planrunner.protocols.sql.reply import counts_of
from planrunner.protocols.sql.spec import SqlModel, SqlPool, SqlQuery
from planrunner.protocols.sql.sqlstates import OK
from planrunner.protocols.sql.statement import Statement, read_statement
from planrunner.values import dataclass

__all__ = ["SqlDefaults", "compile_query", "compile_settings", "compile_transaction"]

_MOST_SQL: Final = 1_000_000
_PASTED: Final = re.compile(r"(?<!\$)\$\{")
_BEFORE_A_RUN: Final = {"run": {"id": "run", "dir": "/tmp/planrunner", "seed": 0}}
"""Stands for what a URL can read when the run has begun."""

_NO_DATABASE: Final = DatabaseUrl("sqlite", "aiosqlite", "", 0)


@dataclass(frozen=True, slots=True)
class SqlDefaults:
    """What statements start from.

    Attributes:
        channel: The client that sends them: `sql`, or a user class's own.
    """

    settings: SqlSettings = SqlSettings()
    channel: str = "sql"


def compile_settings(
    model: SqlModel | None,
    *,
    constants: Mapping[str, object],
    files: Files,
    over: SqlDefaults | None = None,
    channel: str = "sql",
) -> CompiledSettings:
    """Compile the `sql:` block of a plan, or of a user class over it."""
    base = SqlSettings() if over is None else over.settings
    if model is None:
        return CompiledSettings(base, SqlDefaults(base, channel))
    lowering = Lowering(constants, files)
    settings = base
    if model.url is not None:
        settings = replace(settings, databases=(_database("", model.url, ("url",), lowering),))
    elif model.databases:
        found = model.databases.items()
        databases = (_database(name, url, ("databases", name), lowering) for name, url in found)
        settings = replace(settings, databases=tuple(databases))
    elif over is None:
        hint = "add `url: postgresql+asyncpg://me@localhost/shop`"
        lowering.fault((), Code.MISSING_KEY, "nothing says which database", hint)
    if model.pool is not None:
        settings = _pooled(settings, model.pool, lowering)
    if model.isolation is not None:
        settings = replace(settings, isolation=model.isolation.upper())
    timeout_ns = lowering.duration(model.timeout, ("timeout",), base.timeout_ns)
    if timeout_ns <= 0:
        lowering.fault(("timeout",), Code.INVALID_VALUE, "a timeout must be more than 0")
    settings = replace(settings, timeout_ns=timeout_ns)
    return CompiledSettings(settings, SqlDefaults(settings, channel), tuple(lowering.faults))


def _pooled(settings: SqlSettings, pool: SqlPool, lowering: Lowering) -> SqlSettings:
    numbers = {
        key: lowering.number(getattr(pool, key), ("pool", key), 0) for key in ("per_user", "shared")
    }
    for key, number in numbers.items():
        if number > OPEN_AT_ONCE:
            message = f"at most {OPEN_AT_ONCE:,} connections can be open"
            lowering.fault(("pool", key), Code.INVALID_VALUE, message)
    return replace(settings, per_user=numbers["per_user"] or 1, shared=numbers["shared"])


def _database(name: str, text: Text, path: SpecPath, lowering: Lowering) -> SqlDatabase:
    lowered = lowering.text(text, path)
    url = _NO_DATABASE
    with lowering.at(path):
        url = _checked_url(to_text(lowered.evaluate(dict(_BEFORE_A_RUN))))
    return SqlDatabase(name, url, lowered.evaluate)


def _checked_url(text: str) -> DatabaseUrl:
    url = read_url(text)
    problem = driver_problem(url)
    if problem is not None:
        raise problem
    return url


def compile_query(
    spec: SqlQuery,
    *,
    action: str = "sql.query",
    constants: Mapping[str, object],
    defaults: SqlDefaults,
    files: Files,
    reads: frozenset[str] = frozenset(),
) -> CompiledRequest:
    """Compile one statement."""
    del action  # there is one
    lowering = Lowering(constants, files)
    statement, place = _statement(spec, lowering)
    params = _params(spec, statement, place, lowering)
    words, checks = compile_expect(spec.expect, lowering)
    stated = None if spec.expect is None else spec.expect.status
    accept = accepted_statuses(stated, lowering)
    timeout_ns = lowering.duration(spec.timeout, ("timeout",), defaults.settings.timeout_ns)
    if timeout_ns <= 0 and spec.timeout is not None:
        lowering.fault(("timeout",), Code.INVALID_VALUE, "a timeout must be more than 0")
    expect, fetch = spec.expect, FetchRows(spec.fetch)
    if fetch is FetchRows.NONE and spec.extract:
        message, hint = "nothing can be taken from rows that aren't read", "write `fetch: first`"
        lowering.fault(("fetch",), Code.CONFLICTING_KEYS, message, hint)
    soft = expect is not None and expect.soft is True
    reads_json = expect is not None and expect.json_ is not None
    operation = SqlOperation(
        statement,
        _database_of(spec, defaults.settings, lowering),
        params,
        fetch,
        commits=spec.commit,
        needs_rows=bool(spec.extract or reads_json or reads & {"json", "body"}),
        needs_body="body" in reads,
    )
    exchange = Exchange(
        protocol=defaults.channel,
        operation=operation,
        method="query",
        accept=accept,
        checks=() if soft else checks,
        extractors=compile_extract(spec.extract),
        timeout_ns=timeout_ns,
        soft_checks=checks if soft else (),
        expected=(_status_words(accept), *(() if soft else words)),
        softly_expected=words if soft else (),
        states_status=stated is not None,
        extracted=tuple(spec.extract or ()),
        counts=counts_of(_dialect_of(operation, defaults.settings)),
        secrets=tuple(name for name, one in (spec.extract or {}).items() if one.secret),
    )
    return CompiledRequest(exchange, tuple(lowering.faults), tuple(lowering.notices))


def _status_words(accept: AcceptedStatuses) -> str:
    return f"status {', '.join(accept.names)}" if accept.has_errors else "no error"


def _dialect_of(operation: SqlOperation, settings: SqlSettings) -> str:
    known = settings.databases  # there are none where the plan lacks them, which is said by itself
    return known[operation.database].url.dialect if known else ""


def _statement(spec: SqlQuery, lowering: Lowering) -> tuple[Statement, SpecPath]:
    """Return the statement, and where the plan has it."""
    text, path = spec.statement or "", ("statement",)
    if spec.file is not None:
        path = ("file",)
        name = lowering.constant(spec.file, path)
        text = "" if name is None else _read(name, path, lowering)
    if (found := _PASTED.search(text)) is not None:
        at = found.start()
        end = text.find("}", at)
        written = text[at : end + 1 if end > 0 else len(text)]
        lowering.fault_at(
            path,
            None if spec.file is not None else at,
            Code.NOT_ALLOWED,
            f"`{written}` can't be part of a statement: values are bound, never pasted in",
            f'write `:value` for it, and `params: {{value: "{written}"}}`; the name of a table '
            "can't be bound, so it must be written out",
        )
    if spec.file is None:
        text = text.replace("$${", "${")
    return read_statement(text), path


def _read(name: str, path: SpecPath, lowering: Lowering) -> str:
    try:
        return lowering.files.read(name, most=_MOST_SQL).decode()
    except FileFault as fault:
        lowering.file_fault(path, name, fault)
    except UnicodeDecodeError:
        lowering.fault(path, Code.INVALID_VALUE, f"`{name}` is not text in UTF-8")
    return ""


def _params(
    spec: SqlQuery, statement: Statement, place: SpecPath, lowering: Lowering
) -> tuple[tuple[str, Any], ...]:
    """Return the statement's values; names without one and values without a name are faults."""
    given, names = spec.params or {}, statement.names
    meant = {}
    for name in given:
        if name not in names:
            guess = suggest(name, [one for one in names if one not in given])
            meant[name] = guess
            hint = guess or f"write `:{name}` into the statement, or remove it here"
            message = f"the statement has no `:{name}`"
            lowering.fault(("params", name), Code.UNKNOWN_NAME, message, hint, is_key=True)
    misspelt = [one for one in names if any(f"`{one}`" in guess for guess in meant.values())]
    for one in statement.placeholders:
        if one.name not in given and one.name not in misspelt:
            hint = suggest(one.name, [name for name in given if name not in names]) or (
                f"add `params: {{{one.name}: …}}`"
            )
            offset = one.offset if place == ("statement",) else None
            message = f"`:{one.name}` has no value"
            lowering.fault_at(place, offset, Code.UNKNOWN_NAME, message, hint)
    values = {name: lowering.value(value, ("params", name)) for name, value in given.items()}
    return tuple((name, values.get(name, _NULL).evaluate) for name in names)


_NULL: Final = Lowered(lambda _: None, is_constant=True, value=None)


def _database_of(spec: SqlQuery, settings: SqlSettings, lowering: Lowering) -> int:
    """Return the place of the statement's database."""
    names = [name for name in settings.names if name]
    if spec.database is None or spec.database in names:
        return 0 if spec.database is None else names.index(spec.database)
    hint = "remove it: there is one database"
    if names:
        hint = suggest(spec.database, names) or f"databases: {', '.join(names)}"
    message = f"unknown database `{spec.database}`"
    lowering.fault(("database",), Code.UNKNOWN_NAME, message, hint)
    return 0


def compile_transaction(defaults: SqlDefaults) -> Iterator[Exchange]:
    """Yield what begins a transaction, what commits it, and what takes it back."""
    for step in TransactionStep:
        yield Exchange(
            protocol=defaults.channel,
            operation=step,
            method=step.value,
            accept=frozenset({OK}),
            checks=(),
            extractors=(),
            timeout_ns=defaults.settings.timeout_ns,
        )
