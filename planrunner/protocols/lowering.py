"""What the compilers of protocols share: lower texts and values, and collect their faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import Final, Protocol, cast

from planrunner.errors import Misuse, PackageMissing, PlanrunnerError
from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import (
    EvaluationError,
    Expression,
    ExpressionError,
    Lowered,
    to_text,
)
from planrunner.language.fields.rows import RowsOf
from planrunner.language.fields.text import Text, lower_value, parse_text
from planrunner.language.fields.types import Deferred
from planrunner.language.files import MAX_READ, FileFault
from planrunner.language.patterns.pattern import Finds, Pattern, PatternError, compile_pattern
from planrunner.language.patterns.words import broken_pattern, slow_pattern
from planrunner.protocols.base import TextParts
from planrunner.units import UnitError
from planrunner.values import dataclass

__all__ = ["FileText", "Files", "Lowering", "SpecFault", "SpecNotice", "SpecPath"]

SpecPath = tuple[str | int, ...]
"""Keys and indices below the step (or below the settings), in the plan's own words."""


@dataclass(frozen=True, slots=True)
class FileText:
    """What is in a file that the plan names, which messages call `name`."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class SpecFault:
    """What is wrong with a step; the compiler of the plan knows where its file says so.

    Attributes:
        offset: Characters into the scalar at `path`, or into `inside`; None means all of it.
        is_key: The key at `path` is wrong, not its value.
        inside: The file that it lies in, when the scalar at `path` only names that.
    """

    path: SpecPath
    code: Code
    message: str
    hint: str = ""
    offset: int | None = None
    is_key: bool = False
    inside: FileText | None = None


class Files(Protocol):
    """The files a plan names, relative to the file that names them.

    Attributes:
        directory: Where that file is.
        hooks: The plan's own Python file; None without one.
        modules: Where other Python files of its author may lie, the nearest first.
    """

    @property
    def directory(self) -> Path: ...
    @property
    def hooks(self) -> Path | None: ...
    @property
    def modules(self) -> tuple[Path, ...]: ...

    def path(self, name: str, *, most: int = ..., is_secret: bool = ...) -> Path:
        """Return where the file is, which has at most `most` bytes; raises FileFault.

        Whatever is read while the plan runs must be asked for here: hosts have nothing else.
        """

    def read(self, name: str, *, most: int = ...) -> bytes:
        """Return what is in it, at most `most` bytes; raises FileFault."""

    def may_read(self, pieces: Sequence[str | None]) -> None:
        """Note that `path` may be asked while the plan runs, with None for what users choose."""


@dataclass(frozen=True, slots=True)
class _Guard:
    """Ends a block that raised, after the fault is noted; a class, so that types know it does."""

    faults: list[SpecFault]
    path: SpecPath
    is_key: bool

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, failed: BaseException | None, __: object) -> bool:
        if not isinstance(failed, PlanrunnerError) or isinstance(failed, Misuse):
            return False
        path, code = self.path, Code.INVALID_VALUE
        if isinstance(failed, ExpressionError):
            path, code = (*path, *failed.path), failed.code
        elif isinstance(failed, EvaluationError):
            code = Code.EXPRESSION_FAILED
        elif isinstance(failed, UnitError):
            code = Code.INVALID_UNIT
        elif isinstance(failed, PackageMissing):
            code = Code.NOT_AVAILABLE
        offset = getattr(failed, "offset", None)
        _add(self.faults, SpecFault(path, code, failed.message, failed.hint, offset, self.is_key))
        return True


@dataclass(frozen=True, slots=True)
class SpecNotice:
    """What the author of a step had better know, though nothing is wrong; one sentence."""

    path: SpecPath
    message: str


@dataclass(frozen=True, slots=True)
class Lowering:
    """Constants to fold, files to read, and the faults and notices found on the way."""

    constants: Mapping[str, object]
    files: Files
    faults: list[SpecFault] = field(default_factory=list)
    notices: list[SpecNotice] = field(default_factory=list)

    def fault(
        self, path: SpecPath, code: Code, message: str, hint: str = "", *, is_key: bool = False
    ) -> None:
        self.add(SpecFault(path, code, message, hint, is_key=is_key))

    def add(self, fault: SpecFault) -> None:
        """Note a fault, unless one of the same place is known."""
        _add(self.faults, fault)

    def fault_at(
        self, path: SpecPath, offset: int | None, code: Code, message: str, hint: str = ""
    ) -> None:
        """Note a fault so many characters into the scalar at `path`; None means all of it."""
        _add(self.faults, SpecFault(path, code, message, hint, offset))

    def pattern(
        self, source: str, path: SpecPath, finds: Finds = Finds.WHETHER, *, shown: str = ""
    ) -> Pattern | None:
        """Compile a regular expression; None leaves a fault behind.

        Args:
            source: In Python's syntax.
            path: Where it stands.
            finds: What is asked of it.
            shown: As the plan writes it, when its value isn't to be shown.
        """
        shown = shown or source
        try:
            pattern = compile_pattern(source, finds)
        except PatternError as error:
            message, hint = broken_pattern(shown, error)
            self.fault(path, Code.INVALID_VALUE, message, hint)
            return None
        if pattern.lacks:
            self.notices.append(SpecNotice(path, slow_pattern(shown, pattern)))
        return pattern

    def at(self, path: SpecPath, *, is_key: bool = False) -> _Guard:
        """Turn what is raised inside into a fault at `path`."""
        return _Guard(self.faults, path, is_key)

    def value(self, value: object, path: SpecPath) -> Lowered:
        """Lower any value of a plan; a faulty one becomes null, and its fault is kept."""
        with self.at(path):
            return lower_value(value, self.constants)
        return _NULL

    def text(self, text: Text, path: SpecPath) -> Lowered:
        """Lower a text; a text of one expression keeps the value's type."""
        with self.at(path):
            return text.lower(self.constants)
        return _NULL

    def expression(self, expression: Expression | RowsOf, path: SpecPath) -> Lowered:
        """Lower a bare expression; a faulty one becomes null, and its fault is kept."""
        with self.at(path):
            return expression.lower(self.constants)
        return _NULL

    def parts(self, text: Text, path: SpecPath) -> TextParts:
        """Lower a text to its pieces, neighbouring constants merged."""
        with self.at(path):
            return text.lower_parts(self.constants)
        return ()

    def constant(self, text: Text, path: SpecPath) -> str | None:
        """Return a text that must not depend on the user; None leaves a fault behind."""
        lowered = self.text(text, path)
        if not lowered.is_constant:
            self.fault(
                path,
                Code.NOT_ALLOWED,
                f"`{text.source}` must be known before the run",
                "use params here instead of users' variables",
            )
            return None
        with self.at(path):
            return to_text(lowered.value)
        return None

    def file(
        self, text: Text | None, path: SpecPath, *, most: int = MAX_READ, is_secret: bool = False
    ) -> Path | None:
        """Return where a file that the plan names is; one that can't be used leaves a fault."""
        name = None if text is None else self.constant(text, path)
        if name is None:
            return None
        try:
            return self.files.path(name, most=most, is_secret=is_secret)
        except FileFault as fault:
            self.file_fault(path, name, fault)
            return None

    def file_fault(self, path: SpecPath, name: str, fault: FileFault) -> None:
        """Note that the file called `name` can't be used."""
        self.fault(path, fault.code, f"`{name}` {fault.message}", fault.hint)

    def certificates(
        self,
        ca: Path | None = None,
        cert: Path | None = None,
        key: Path | None = None,
        password: str = "",
    ) -> None:
        """Note that a file of TLS is something else; whether somebody trusts it only servers know.

        Args:
            ca: Whom the plan trusts, its `ca`.
            cert: Its `cert`.
            key: That of `cert`; None where both are in one file.
            password: Of the key.
        """
        if ca is None and cert is None:
            return
        import ssl  # noqa: PLC0415 - few plans name files of TLS

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if ca is not None and _refusal(partial(context.load_verify_locations, ca)):
            self.fault(("ca",), Code.INVALID_VALUE, f"`{ca}` has no certificate", _PEM)
        if cert is None:
            return
        # Always a password: without one OpenSSL would ask for it on the terminal.
        if refusal := _refusal(partial(context.load_cert_chain, cert, key, password)):
            is_other = "KEY_VALUES_MISMATCH" in refusal
            words = "its key is another one's" if is_other else "it has no certificate, or no key"
            self.fault(("cert",), Code.INVALID_VALUE, f"`{cert}` can't be used: {words}", _PEM)

    def duration(self, value: int | Deferred | None, path: SpecPath, default_ns: int) -> int:
        """Return a duration in ns that may have been written with params in it."""
        return self.number(value, path, default_ns)

    def number(self, value: int | Deferred | None, path: SpecPath, default: int) -> int:
        """Return a whole number that may have been written with params in it."""
        if value is None:
            return default
        if isinstance(value, Deferred):
            with self.at(path):
                return cast("int", value.resolve(self.constants))
            return default
        return value

    def flag(self, path: SpecPath, value: object, *, default: bool) -> bool:
        """Return a choice between true and false that may have been written with params in it."""
        if isinstance(value, Deferred):
            with self.at(path):
                return bool(value.resolve(self.constants))
        return value if isinstance(value, bool) else default

    def key(self, name: object, path: SpecPath) -> str:
        """Return a key of a mapping; params may stand in it, the user's variables may not."""
        if not isinstance(name, str) or "${" not in name:
            return to_text(name)
        with self.at(path, is_key=True):
            lowered = parse_text(name).lower(self.constants)
            if lowered.is_constant:
                return to_text(lowered.value)
            hint = "use params here instead of users' variables"
            words = f"`{name}` must be known before the run"
            self.fault(path, Code.NOT_ALLOWED, words, hint, is_key=True)
        return ""


_PEM: Final = "write the name of a PEM file: it has lines such as `-----BEGIN CERTIFICATE-----`"


def _refusal(load: Callable[[], object]) -> str:
    """Return what OpenSSL has against files; one that can't be read is whoever's who connects."""
    import ssl  # noqa: PLC0415 - as above

    try:
        load()
    except ssl.SSLError as error:
        return str(error)
    except OSError:
        pass
    return ""


def _add(faults: list[SpecFault], fault: SpecFault) -> None:
    """Keep the first fault of each place: what stands in for it would only give more."""
    if not any(_covers(known, fault) for known in faults):
        faults.append(fault)


def _covers(known: SpecFault, fault: SpecFault) -> bool:
    """Say whether two faults are about one place: a scalar may have several, each in its place."""
    is_apart = None not in (known.offset, fault.offset) and known.offset != fault.offset
    return (known.path, known.is_key) == (fault.path, fault.is_key) and not is_apart


_NULL = Lowered(lambda _: None, is_constant=True, value=None)
