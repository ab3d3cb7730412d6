"""From what a plan says of a message to what makes its bytes.

What is constant is built once. For the rest there is one closure a field, so that a message costs
about what its generated code would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import EncodeError

from planrunner.language.diagnostics import Code, suggest
from planrunner.language.expressions.expression import EvaluationError, Lowered
from planrunner.language.expressions.values import Scope, constant, evaluation_error, kind_of
from planrunner.protocols.grpc.messages.template import (
    Template,
    TemplateList,
    TemplateMapping,
    TemplateValue,
    as_template,
    whole_value,
)
from planrunner.protocols.grpc.messages.values import (
    Convert,
    UnfitError,
    converter,
    key_converter,
    type_word,
)
from planrunner.protocols.grpc.schema.methods import GrpcSchema
from planrunner.protocols.lowering import SpecFault, SpecPath

__all__ = ["MessageWriter", "Write"]

Write = Callable[[Scope], bytes]
"""Makes the bytes of a message; raises `EvaluationError` when an expression has no fit value."""

PutField = Callable[[Any, Scope], None]

_MESSAGES: Final = (FieldDescriptor.TYPE_MESSAGE, FieldDescriptor.TYPE_GROUP)
_MOST_LISTED: Final = 12

_EXAMPLES: Final = {
    "Timestamp": "`2024-05-01T12:00:00Z`",
    "Duration": "`1.5s`",
    "FieldMask": "`name,address.city`",
    "Struct": "a mapping",
    "ListValue": "a list",
    "Value": "any value",
    "Any": "`{'@type': type.googleapis.com/package.Message, …}` with its fields",
}
_WRAPPED: Final = (
    "Double",
    "Float",
    "Int64",
    "UInt64",
    "Int32",
    "UInt32",
    "Bool",
    "String",
    "Bytes",
)
_AS_JSON: Final = {
    **{f"google.protobuf.{name}": example for name, example in _EXAMPLES.items()},
    **{f"google.protobuf.{name}Value": "the value itself" for name in _WRAPPED},
}
"""Messages that protobuf's JSON mapping writes in a form of their own, and how that looks."""

_VALUE: Final = "google.protobuf.Value"


class MessageWriter:
    """Compiles messages of one schema.

    Args:
        schema: Knows the messages, those too that an `Any` may have in it.
        faults: Gets what is wrong, each at its place below the step.
        is_strict: The plan has written the values itself.
    """

    def __init__(
        self, schema: GrpcSchema, faults: list[SpecFault], *, is_strict: bool = True
    ) -> None:
        self._schema = schema
        self._faults = faults
        self._is_strict = is_strict

    def write(self, descriptor: Any, template: Template | None, path: SpecPath) -> Write:  # noqa: ANN401
        """Compile a whole message; None is an empty one."""
        made = self.message(descriptor, template or TemplateMapping(()), path)
        if made.is_constant:
            data = b"" if made.value is None else _serialized(made.value)
            return lambda _: data
        evaluate = made.evaluate

        def write(scope: Scope) -> bytes:
            try:
                return _serialized(evaluate(scope))
            except (TypeError, ValueError) as error:  # whatever protobuf thinks of a value
                raise evaluation_error(error, f"a value of `{descriptor.full_name}`") from error

        return write

    def write_known(self, descriptor: Any, template: Template) -> bytes:  # noqa: ANN401
        """Return the bytes of a message that an expression has given.

        Raises:
            EvaluationError: It doesn't fit.
        """
        return _serialized(self._known_now(lambda one: one.message(descriptor, template, ())))

    def _known_now(self, compile_with: Callable[[MessageWriter], Lowered]) -> Any:  # noqa: ANN401
        """Return what a value that an expression has given comes to.

        Raises:
            EvaluationError: It doesn't fit.
        """
        faults: list[SpecFault] = []
        made = compile_with(MessageWriter(self._schema, faults, is_strict=False))
        if faults:
            raise EvaluationError(faults[0].message, hint=faults[0].hint)
        return made.value

    def message(self, descriptor: Any, template: Template, path: SpecPath) -> Lowered:  # noqa: ANN401
        """Compile a message; its value is a message of protobuf, None for null."""
        if descriptor.full_name in _AS_JSON:
            return self._as_json(descriptor, template, path)
        if isinstance(template, TemplateMapping):
            return self._fields(descriptor, template, path)
        if isinstance(template, TemplateValue) and not template.lowered.is_constant:
            return self._later(descriptor, template.lowered)
        if isinstance(template, TemplateValue) and template.lowered.value is None:
            return template.lowered
        found = "a list" if isinstance(template, TemplateList) else kind_of(template.lowered.value)
        words = f"a `{descriptor.full_name}` is a mapping, found {found}"
        self._fault(path, Code.WRONG_TYPE, words, f"fields: {_fields_of(descriptor)}")
        return constant(None)

    def _fault(
        self, path: SpecPath, code: Code, message: str, hint: str = "", *, is_key: bool = False
    ) -> None:
        self._faults.append(SpecFault(path, code, message, hint, is_key=is_key))

    def _later(self, descriptor: Any, lowered: Lowered) -> Lowered:  # noqa: ANN401
        """Compile a message that an expression gives as a whole, each time anew."""

        def make(scope: Scope) -> Any:  # noqa: ANN401
            template = as_template(lowered.evaluate(scope))
            return self._known_now(lambda one: one.message(descriptor, template, ()))

        return Lowered(make)

    def _as_json(self, descriptor: Any, template: Template, path: SpecPath) -> Lowered:  # noqa: ANN401
        """Compile a message whose form in JSON is its own."""
        new, pool = self._schema.new(descriptor), self._schema.pool
        takes_null = descriptor.full_name == _VALUE

        def make(value: object) -> Any:  # noqa: ANN401
            if value is None and not takes_null:
                return None
            try:
                return json_format.ParseDict(value, new(), descriptor_pool=pool)
            except (json_format.ParseError, TypeError, ValueError, KeyError) as error:
                raise UnfitError(str(error).splitlines()[0] if error.args else "") from error

        whole = whole_value(template)
        name, example = descriptor.full_name, _AS_JSON[descriptor.full_name]
        if not whole.is_constant:
            evaluate = whole.evaluate

            def make_later(scope: Scope) -> Any:  # noqa: ANN401
                try:
                    return make(evaluate(scope))
                except UnfitError as unfit:
                    raise EvaluationError(f"no `{name}`: {unfit.why}") from unfit

            return Lowered(make_later)
        try:
            return constant(make(whole.value))
        except UnfitError as unfit:
            self._fault(path, Code.INVALID_VALUE, f"no `{name}`: {unfit.why}", f"write {example}")
            return constant(None)

    def _fields(self, descriptor: Any, template: TemplateMapping, path: SpecPath) -> Lowered:  # noqa: ANN401
        new = self._schema.new(descriptor)
        base, puts = new(), list[PutField]()
        for key, field, item in self._known(descriptor, template, path):
            made = self.field(field, item, (*path, key))
            put = _put(field, made)
            if not made.is_constant:
                puts.append(put)
            elif made.value is not None:
                put(base, {})
        self._require(descriptor, template, path)
        if not puts:
            return constant(base)
        return Lowered(_maker(new, base, tuple(puts)))

    def _known(
        self,
        descriptor: Any,  # noqa: ANN401
        template: TemplateMapping,
        path: SpecPath,
    ) -> Iterator[tuple[str | int, Any, Template]]:
        """Yield the fields that are written; two of a oneof, and two names of one, are faults."""
        taken: dict[object, str] = {}
        for key, name, item in template.items:
            field = _find(descriptor, name)
            where = (*path, key)
            if field is None:
                names = [one.name for one in descriptor.fields]
                hint = suggest(name, names) or f"fields: {_fields_of(descriptor)}"
                words = f"`{descriptor.full_name}` has no field `{name}`"
                self._fault(where, Code.UNKNOWN_KEY, words, hint, is_key=True)
                continue
            if isinstance(item, TemplateValue) and _is_null(item, field):
                continue
            oneof = field.containing_oneof
            for identity in filter(None, (field.name, oneof and f"oneof {oneof.name}")):
                other = taken.setdefault(identity, name)
                if other != name:
                    what = f"the oneof `{oneof.name}`" if oneof else f"the field `{field.name}`"
                    words = f"`{other}` and `{name}` are both {what}"
                    self._fault(
                        where, Code.CONFLICTING_KEYS, words, "keep one of them", is_key=True
                    )
                    break
            else:
                yield key, field, item

    def _require(self, descriptor: Any, template: TemplateMapping, path: SpecPath) -> None:  # noqa: ANN401
        names = {name for _, name, _ in template.items}
        for field in descriptor.fields:
            if field.is_required and not names & {field.name, field.json_name}:
                words = f"`{descriptor.full_name}` needs the field `{field.name}`"
                self._fault(path, Code.MISSING_KEY, words, f"add `{field.name}:`")

    def field(self, field: Any, template: Template, path: SpecPath) -> Lowered:  # noqa: ANN401
        """Compile the value of a field; it is None for null."""
        if _is_map(field):
            return self._map(field, template, path)
        if field.is_repeated:
            return self._repeated(field, template, path)
        return self._single(field, template, path)

    def _single(self, field: Any, template: Template, path: SpecPath) -> Lowered:  # noqa: ANN401
        if field.type in _MESSAGES:
            return self.message(field.message_type, template, path)
        name = str(path[-1]) if path else field.name
        if not isinstance(template, TemplateValue):
            word = "a mapping" if isinstance(template, TemplateMapping) else "a list"
            words = f"`{name}` is {type_word(field)}, found {word}"
            self._fault(path, Code.WRONG_TYPE, words)
            return constant(None)
        lowered = template.lowered
        if not lowered.is_constant:
            return Lowered(_checked(lowered, converter(field, is_strict=False), name))
        try:
            return constant(converter(field, is_strict=self._is_strict)(lowered.value))
        except UnfitError as unfit:
            code = Code.WRONG_TYPE if unfit.is_type else Code.INVALID_VALUE
            self._fault(path, code, f"`{name}` {unfit.why}", unfit.hint)
            return constant(None)

    def _repeated(self, field: Any, template: Template, path: SpecPath) -> Lowered:  # noqa: ANN401
        if isinstance(template, TemplateValue) and not template.lowered.is_constant:
            return self._collected(field, template.lowered)
        if not isinstance(template, TemplateList):
            words = f"`{field.name}` is repeated: a list, found {_kind(template)}"
            self._fault(path, Code.WRONG_TYPE, words, "write it as `[…]`")
            return constant(None)
        items = [self._single(field, item, (*path, at)) for at, item in enumerate(template.items)]
        if all(item.is_constant for item in items):
            return constant([item.value for item in items if item.value is not None])
        evaluates = [item.evaluate for item in items]
        return Lowered(lambda scope: [evaluate(scope) for evaluate in evaluates])

    def _map(self, field: Any, template: Template, path: SpecPath) -> Lowered:  # noqa: ANN401
        if isinstance(template, TemplateValue) and not template.lowered.is_constant:
            return self._collected(field, template.lowered)
        if not isinstance(template, TemplateMapping):
            words = f"`{field.name}` is a map: a mapping, found {_kind(template)}"
            self._fault(path, Code.WRONG_TYPE, words)
            return constant(None)
        read_key = key_converter(field.message_type.fields_by_name["key"])
        inner = field.message_type.fields_by_name["value"]
        pairs: list[tuple[Any, Lowered]] = []
        for key, name, item in template.items:
            where = (*path, key)
            try:
                pairs.append((read_key(name), self._single(inner, item, where)))
            except UnfitError as unfit:
                words = f"the key `{name}` {unfit.why}"
                self._fault(where, Code.WRONG_TYPE, words, unfit.hint, is_key=True)
        if all(item.is_constant for _, item in pairs):
            return constant({key: item.value for key, item in pairs if item.value is not None})
        return Lowered(lambda scope: {key: item.evaluate(scope) for key, item in pairs})

    def _collected(self, field: Any, lowered: Lowered) -> Lowered:  # noqa: ANN401
        """Compile a list or a map that an expression gives as a whole."""

        def make(scope: Scope) -> Any:  # noqa: ANN401
            value = lowered.evaluate(scope)
            if value is None:
                return None
            return self._known_now(lambda one: one.field(field, as_template(value), ()))

        return Lowered(make)


def _maker(new: Callable[[], Any], base: Any, puts: Sequence[PutField]) -> Callable[[Scope], Any]:  # noqa: ANN401
    """Return what makes a message: what is the same each time, then the rest."""
    has_base = bool(base.ListFields())

    def make(scope: Scope) -> Any:  # noqa: ANN401
        message = new()
        if has_base:
            message.CopyFrom(base)
        for put in puts:
            put(message, scope)
        return message

    return make


def _serialized(message: Any) -> bytes:  # noqa: ANN401
    if message is None:
        return b""
    try:
        return bytes(message.SerializeToString())
    except EncodeError as error:
        raise EvaluationError(str(error)) from error


def _checked(lowered: Lowered, convert: Convert, name: str) -> Callable[[Scope], Any]:
    evaluate = lowered.evaluate

    def read(scope: Scope) -> Any:  # noqa: ANN401
        value = evaluate(scope)
        if value is None:
            return None
        try:
            return convert(value)
        except UnfitError as unfit:
            raise EvaluationError(f"`{name}` {unfit.why}", hint=unfit.hint) from unfit

    return read


def _find(descriptor: Any, name: str) -> Any:  # noqa: ANN401
    """Return the field of this name, its own or that of JSON; None when there is none."""
    field = descriptor.fields_by_name.get(name)
    if field is None:
        return next((one for one in descriptor.fields if one.json_name == name), None)
    return field


def _fields_of(descriptor: Any) -> str:  # noqa: ANN401
    names = [field.name for field in descriptor.fields]
    shown = ", ".join(f"`{name}`" for name in names[:_MOST_LISTED])
    return shown + (" …" if len(names) > _MOST_LISTED else "") if names else "none"


def _is_null(item: TemplateValue, field: Any) -> bool:  # noqa: ANN401
    """Say whether a field is left out by null, as in JSON; for a few null is a value."""
    if not item.lowered.is_constant or item.lowered.value is not None:
        return False
    return field.type not in _MESSAGES or field.message_type.full_name != _VALUE


def _is_map(field: Any) -> bool:  # noqa: ANN401
    kind = field.message_type
    return kind is not None and field.is_repeated and bool(kind.GetOptions().map_entry)


def _kind(template: Template) -> str:
    if isinstance(template, TemplateValue):
        return kind_of(template.lowered.value)
    return "a list" if isinstance(template, TemplateList) else "a mapping"


def _put(field: Any, made: Lowered) -> PutField:  # noqa: ANN401
    """Return what puts the value of a field into a message."""
    name, evaluate = field.name, made.evaluate
    if _is_map(field):
        inner = field.message_type.fields_by_name["value"]
        return _put_map(name, evaluate, of_messages=inner.type in _MESSAGES)
    if field.is_repeated:
        return _put_list(name, evaluate)
    if field.type in _MESSAGES:
        return _put_message(name, evaluate)

    def put(message: Any, scope: Scope) -> None:  # noqa: ANN401
        value = evaluate(scope)
        if value is not None:
            setattr(message, name, value)

    return put


def _put_message(name: str, evaluate: Callable[[Scope], Any]) -> PutField:
    def put(message: Any, scope: Scope) -> None:  # noqa: ANN401
        value = evaluate(scope)
        if value is not None:
            inner = getattr(message, name)
            inner.SetInParent()  # an empty message is one too
            inner.CopyFrom(value)

    return put


def _put_list(name: str, evaluate: Callable[[Scope], Any]) -> PutField:
    def put(message: Any, scope: Scope) -> None:  # noqa: ANN401
        value = evaluate(scope)
        if value is not None:
            getattr(message, name).extend([item for item in value if item is not None])

    return put


def _put_map(name: str, evaluate: Callable[[Scope], Any], *, of_messages: bool) -> PutField:
    def put(message: Any, scope: Scope) -> None:  # noqa: ANN401
        target = getattr(message, name)
        for key, value in (evaluate(scope) or {}).items():
            if value is None:
                continue
            if of_messages:
                target[key].CopyFrom(value)
            else:
                target[key] = value

    return put
