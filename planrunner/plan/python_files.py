"""The Python files of a plan's author that the plan can come to run."""

from __future__ import annotations

from planrunner.plan.loader import CheckedPlan
from planrunner.plan.models.plan import steps_of
from planrunner.protocols.python.author_files import AuthorFiles, author_files

__all__ = ["python_files"]


def python_files(plan: CheckedPlan) -> AuthorFiles:
    """Return the plan's hooks file, modules that it calls, and all that these can import.

    Only those of its author, so none of an installed package. Nothing of it is run.
    """
    modules = dict.fromkeys(
        (step.python.call.partition(":")[0], plan.files_at(path).modules)
        for path, step in steps_of(plan.model)
        if step.python is not None and ":" in step.python.call
    )
    starts = []
    folders = dict.fromkeys(folder for _, found in modules for folder in found)
    if plan.model.hooks is not None:
        files = plan.files_at(("hooks",))
        starts = [] if files.hooks is None else [files.hooks]
        folders.update(dict.fromkeys(files.modules))
    if not starts and not modules:
        return AuthorFiles(())
    return author_files(starts, [name for name, _ in modules], [*folders])
