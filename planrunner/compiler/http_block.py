"""The `http:` blocks of a plan and of its user classes: what requests start from, and may read."""

from __future__ import annotations

from dataclasses import field, replace

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.names import Known
from planrunner.compiler.texts import references_in
from planrunner.language.expressions import Reference
from planrunner.plan.document import PlanPath
from planrunner.protocols.http.compile import HttpDefaults, compile_settings
from planrunner.protocols.http.spec import HttpModel
from planrunner.protocols.lowering import Files
from planrunner.values import dataclass

__all__ = ["HttpBlock", "compile_http"]


@dataclass(slots=True)
class HttpBlock:
    """What the requests of a plan, or of a user class, start from.

    Attributes:
        reads: Names without a value before the run, with their places: each request reads them.
        blamed: Those that some request can't read; one finding each is enough.
    """

    defaults: HttpDefaults = field(default_factory=HttpDefaults)
    reads: tuple[tuple[PlanPath, Reference], ...] = ()
    blamed: set[tuple[PlanPath, Reference]] = field(default_factory=set)

    def check(self, work: Compilation, known: Known) -> None:
        """Note a fault for each name that a request which stands where `known` holds can't read."""
        for read in self.reads:
            place, reference = read
            # A reply that came before is another request's, and isn't kept for this.
            if read not in self.blamed and not work.check(
                [reference], place, replace(known, replied=False)
            ):
                self.blamed.add(read)


def compile_http(
    work: Compilation,
    model: HttpModel | None,
    path: PlanPath,
    files: Files,
    over: HttpBlock | None = None,
) -> HttpBlock:
    """Compile the block at `path`; `over` is the plan's when the block is a user class's."""
    plain = over or HttpBlock()
    if model is None:
        return plain
    channel = "http" if over is None else f"http:{path[1]}"
    compiled = compile_settings(
        model,
        constants=work.constants,
        files=files,
        over=None if over is None else over.defaults,
        channel=channel,
    )
    found = list(references_in(model, path))
    constant = [item for item in found if item[1].root in work.constants]
    sound = [work.check([reference], place, work.constant_names) for place, reference in constant]
    if all(sound):
        for fault in compiled.faults:
            work.fault_of_spec(fault, path)
    defaults = compiled.defaults
    if model.base_url is not None and not defaults.settings.base_url:
        # Its fault is known; no request must be blamed for having no host.
        settings = replace(defaults.settings, base_url=("http://localhost",))
        defaults = replace(defaults, settings=settings)
    reads = (*plain.reads, *(item for item in found if item not in constant))
    return HttpBlock(defaults, reads, plain.blamed)
