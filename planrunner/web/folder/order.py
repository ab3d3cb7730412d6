"""A plan that is to run, and whether it is the one that a person has looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from json import dumps
from pathlib import Path

from planrunner.compiler.review import review
from planrunner.errors import UsageError
from planrunner.language.diagnostics import PlanError
from planrunner.language.files import ANYWHERE, Folders
from planrunner.plan.loader import CheckedPlan, load
from planrunner.plan.no_exec import PlanCommand, commands_of, find_commands
from planrunner.plan.python_files import python_files
from planrunner.values import dataclass
from planrunner.web.folder.choices import PlanChoices

__all__ = ["RunOrder", "digest_of", "loaded_plan"]


@dataclass(frozen=True, slots=True)
class RunOrder:
    """What a run is asked to be; it pickles.

    Attributes:
        plan: The file.
        environ: What its params see as environment variables.
        no_exec: Refuse whatever the plan would run on this machine.
        confirmed: The digest of what a person has agreed to; empty where there is nothing to run.
    """

    plan: Path
    choices: PlanChoices
    environ: dict[str, str]
    no_exec: bool = False
    confirmed: str = ""

    def checked(self) -> CheckedPlan:
        """Return the plan, ready to be compiled.

        Raises:
            PlanError: It is invalid.
            UsageError: It would run something that nobody has agreed to.
        """
        plan = loaded_plan(
            self.plan, self.choices, self.environ, no_exec=self.no_exec, need_secrets=True
        )
        commands = commands_of(plan)
        if commands and digest_of(plan, commands) != self.confirmed:
            hint = "look at it once more, and start it again"
            raise UsageError("the plan has changed since its commands were shown", hint=hint)
        return plan


def loaded_plan(
    path: Path,
    choices: PlanChoices,
    environ: dict[str, str],
    *,
    no_exec: bool,
    need_secrets: bool = False,
) -> CheckedPlan:
    """Load a plan with what was chosen; nothing of it is run.

    Raises:
        PlanError: It is invalid.
    """
    try:
        plan = load(
            path,
            overrides=choices.params,
            environment=choices.environment,
            environ=environ,
            need_secrets=need_secrets,
            folders=Folders.below([path.parent]) if no_exec else ANYWHERE,
        )
    except PlanError as error:
        raise PlanError(review(error)) from error
    if no_exec and (found := find_commands(plan)):
        raise PlanError(found)
    return plan


def digest_of(plan: CheckedPlan, commands: Sequence[PlanCommand]) -> str:
    """Return what changes when a plan's texts do, its commands, or Python code that it can run.

    That is what its functions can import of its author's, and what lies beside it for commands.
    """
    digest = sha256()
    folder = Path(plan.bundle.file).parent
    texts = {**plan.bundle.texts, "": dumps([asdict(one) for one in commands])}
    found = {name: text.encode("utf-8", "replace") for name, text in texts.items()}
    files = {*folder.glob("*.py"), *python_files(plan).files}
    found |= {str(file): file.read_bytes() for file in files if file.is_file()}
    for name, content in sorted(found.items()):
        digest.update(dumps([name, len(content)]).encode() + content)
    return digest.hexdigest()
