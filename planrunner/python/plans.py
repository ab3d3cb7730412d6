"""Plans that are written in Python, with the models and the messages of those in files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field, replace
from typing import TYPE_CHECKING, Final, Self, TypeAlias

from planrunner.compiler import compile_plan
from planrunner.errors import UsageError
from planrunner.language.diagnostics import Diagnostic, PlanError
from planrunner.plan.defaults.file import NO_DEFAULTS
from planrunner.plan.deprecated import deprecated_keys
from planrunner.plan.functions import PlanFunction
from planrunner.plan.loader import CheckedPlan
from planrunner.plan.yaml.document import parse
from planrunner.plan.yaml.files import read_text
from planrunner.plan.yaml.nodes import YamlNode
from planrunner.plan.yaml.places import ArgumentNames, Renamed, entries, path_at
from planrunner.python.arguments import check_keywords, load_plan, selection_of
from planrunner.python.faults import named_as_arguments
from planrunner.python.keywords import AnyPath, PlanKeywords
from planrunner.python.tasks.functions import PlanSections
from planrunner.python.yaml_text import as_yaml
from planrunner.values import dataclass

if TYPE_CHECKING:
    from typing import Unpack

__all__ = ["AnyPlan", "Plan", "PlanText"]

_FILE: Final = "plan.yaml"
"""What a plan without a file is called; files that it names are relative to the directory."""


@dataclass(frozen=True, slots=True)
class PlanText:
    """A plan as text; one that Python wrote has arguments, and no lines that anybody knows.

    Attributes:
        text: What a file would have.
        file: Where it would be.
        is_file: Whether it is there, beside its `planrunner.yaml`.
        is_written_here: Whether Python wrote it.
        functions: What stands in it in the place of steps, by the name that it has for each.
        renamed: Places that Python writes in another way.
    """

    text: str
    file: str
    is_file: bool = False
    is_written_here: bool = False
    functions: Mapping[str, PlanFunction] = field(default_factory=dict)
    renamed: Renamed = field(default_factory=dict)

    @contextmanager
    def named(self) -> Iterator[None]:
        """Let faults name the arguments that they are about."""
        try:
            yield
        except PlanError as error:
            raise PlanError([self._placed(fault) for fault in error.diagnostics]) from None

    def checked(self, keywords: PlanKeywords, *, need_secrets: bool) -> CheckedPlan:
        """Return the plan as the runner takes it.

        Raises:
            PlanError: It is invalid.
            UsageError: An argument can't be.
        """
        with self.named():
            if not self.is_file:
                keywords = {**keywords, "defaults": keywords.get("defaults") or NO_DEFAULTS}
            return load_plan(
                self.file,
                keywords,
                need_secrets=need_secrets,
                text=self.text,
                functions=self.functions,
                names=self._names if self.is_written_here else None,
            )

    def _placed(self, fault: Diagnostic) -> Diagnostic:
        if not self.is_written_here or fault.span.file != self.file or fault.argument:
            return fault
        path = path_at(parse(self.text, self.file), fault.span)
        return replace(fault, argument=self._names.of(path))

    @property
    def _names(self) -> ArgumentNames:
        return ArgumentNames(self.file, self.renamed)

    @property
    def kept(self) -> Mapping[str, PlanFunction]:
        """The functions that are still in the text."""
        return {name: one for name, one in self.functions.items() if name in self.text}


class Plan:
    """A plan that is written in Python: the keys of a plan's first level are the arguments.

    Values are what YAML would give: mappings, lists, texts, numbers; a `timedelta` is a duration.
    Nothing is checked before `validate`, `explain` or a run, since a plan may need values of
    params. A fault then names the argument, such as `phases[0].hold`.

    Args:
        **sections: `users`, `phases`, `thresholds` … as in the reference of the plan language.

    Raises:
        UsageError: A value can't be part of a plan.

    Example:
        >>> plan = planrunner.Plan(
        ...     http={"base_url": "http://127.0.0.1:8000"},
        ...     users={"Visitor": {"steps": [{"get": "/products"}]}},
        ...     phases=[{"name": "main", "users": 2, "iterations": 10}],
        ... )
        >>> plan.validate()
        ()
        >>> planrunner.run(plan).phases["main"].count
        10
    """

    source: PlanText

    def __init__(self, **sections: object) -> None:
        self.source = _written({"name": "plan", **sections})

    @classmethod
    def from_yaml(cls, source: AnyPath) -> Self:
        """Return the plan in a file, or in a text of several lines.

        Args:
            source: The file, or the text itself if it has a line break; a text's files are
                relative to the current directory.

        Raises:
            PlanError: The file can't be read.
        """
        if isinstance(source, str) and "\n" in source:
            return cls._of(PlanText(source, _FILE))
        return cls._of(PlanText(read_text(source), os.fspath(source), is_file=True))

    @classmethod
    def _of(cls, source: PlanText) -> Self:
        plan = cls.__new__(cls)
        plan.source = source
        return plan

    def to_yaml(self) -> str:
        """Return the plan as the text of a file, with the comments that it had.

        Raises:
            UsageError: There are functions in it.
        """
        if kept := self.source.kept:
            names = ", ".join(f"`{one.name}` ({one.place})" for one in kept.values())
            raise UsageError(
                f"functions can't be written as YAML: {names}",
                hint="keep this plan in Python, or write what they do as steps",
            )
        return self.source.text

    def replace(self, **sections: object) -> Self:
        """Return the plan with other sections; what stands around them stays, comments included.

        Args:
            **sections: The new ones; None takes a section away.

        Raises:
            PlanError: The plan can't be read as YAML.
            UsageError: A value can't be part of a plan.
        """
        source = self.source
        given = PlanSections(sections)
        text, functions = source.text, {**source.functions, **given.functions}
        for name, value in given.plain.items():
            text = _replaced(text, name, value)
        own = {path: there for path, there in source.renamed.items() if path[0] not in sections}
        renamed = {**own, **given.renamed}
        return self._of(replace(source, text=text, functions=functions, renamed=renamed))

    def validate(self, **keywords: Unpack[PlanKeywords]) -> tuple[str, ...]:
        """Check the plan as `planrunner validate` does, and return its notices.

        Raises:
            PlanError: It is invalid; `diagnostics` has every fault.
            UsageError: An argument can't be.
        """
        check_keywords("validate", keywords, PlanKeywords)
        plan = self.source.checked(keywords, need_secrets=False)
        with self.source.named(), named_as_arguments():
            notices = compile_plan(plan, selection=selection_of(keywords)).notices
        warnings = [str(key) for key in deprecated_keys(plan.document)]
        return (*warnings, *(text for text in notices if text not in warnings))

    def explain(self, **keywords: Unpack[PlanKeywords]) -> str:
        """Return what the plan would do, in the words of `planrunner explain`.

        Raises:
            PlanError: It is invalid.
            UsageError: An argument can't be.
        """
        from planrunner.explain.explain import explain_text  # noqa: PLC0415 - runs explain nothing
        from planrunner.language.secrets import Masker  # noqa: PLC0415 - as above

        check_keywords("explain", keywords, PlanKeywords)
        plan = self.source.checked(keywords, need_secrets=False)
        with self.source.named(), named_as_arguments():
            graph = compile_plan(plan, selection=selection_of(keywords))
        return Masker(graph.secrets)(explain_text(graph))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and _identity(self.source) == _identity(other.source)

    def __hash__(self) -> int:
        return hash(self.source.text)

    def __repr__(self) -> str:
        return f"<Plan {self.source.file}: {len(self.source.text.splitlines())} lines>"


AnyPlan: TypeAlias = AnyPath | Plan
"""The file of a plan, or a plan made in Python."""


def _written(sections: Mapping[str, object]) -> PlanText:
    given = PlanSections(sections)
    return PlanText(
        as_yaml(given.plain),
        _FILE,
        is_written_here=True,
        functions=given.functions,
        renamed=given.renamed,
    )


def _identity(source: PlanText) -> object:
    return source.text, [one.call for one in source.kept.values()]


def _replaced(text: str, name: str, value: object) -> str:
    document = parse(text, _FILE)
    root = document.root
    if not isinstance(root.items, dict) or text[root.start : root.end].lstrip().startswith("{"):
        return as_yaml({**document.data, name: value})
    new = "" if value is None else as_yaml({name: value})
    if name not in root.items:
        return f"{text.rstrip()}\n{new}"
    begin, _, node = root.items[name]
    end = max(_end(node), begin + len(name))
    if value is None or node.items or new.count("\n") > 1:  # a comment there is about the old one
        end += len(text[end:].partition("\n")[0])
    after = text[end:]
    return text[:begin] + (new.rstrip("\n") + after if new else after.removeprefix("\n"))


def _end(node: YamlNode) -> int:
    """Return where a value ends; comments below a block are not part of it."""
    raw = node.source.text[node.start : node.end]
    if node.items and not raw.lstrip().startswith(("{", "[")):
        return max(_end(child) for _, _, child in entries(node))
    return node.start + len(raw.rstrip())
