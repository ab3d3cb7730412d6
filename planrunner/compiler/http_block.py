"""The `http:` blocks of a plan and of its user classes: what requests start from, and may read."""

from __future__ import annotations

import re
from dataclasses import field, replace
from typing import Final

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.names.known_names import Known
from planrunner.compiler.names.references import references_in
from planrunner.language.expressions.expression import Reference
from planrunner.language.fields.text import Text
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols.http.compile.exchange import HttpDefaults, compile_settings
from planrunner.protocols.http.spec import HttpModel, RequestKeys
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

    def check(self, work: Compilation, known: Known, request: RequestKeys) -> None:
        """Note a fault for each name that `request`, which stands where `known` holds, can't read.

        What the request says itself it doesn't take from here.
        """
        for read in self.reads:
            place, reference = read
            if read in self.blamed or _says_itself(request, _below_http(place)):
                continue
            # A reply that came before is another request's, and isn't kept for this.
            for fault in replace(known, replied=False).check([reference]):
                inside = (fault.offset, fault.length)
                hint = fault.hint or _too_early(reference.root)
                work.fault(place, fault.code, fault.message, hint=hint, inside=inside)
                self.blamed.add(read)


_ABSOLUTE: Final = re.compile(r"(?i)https?://")


def _too_early(name: str) -> str:
    return (
        f"a request that takes this from here comes before `{name}` can have a value: give it one "
        "under `state:`, or write `auth: none` or the header at that request"
    )


def _below_http(place: PlanPath) -> PlanPath:
    """Return the keys below the block, the plan's or a class's."""
    return place[3:] if place[0] == "users" else place[1:]


def _says_itself(settings: HttpModel | RequestKeys, keys: PlanPath) -> bool:
    """Say whether `settings` replace what stands at `keys` of a block."""
    own = {name.lower() for name in settings.headers or {}}
    match keys:
        case ("headers", name, *_):
            return str(name).lower() in own
        case ("auth", scheme, *_):
            return settings.auth is not None or (
                scheme in ("basic", "bearer") and "authorization" in own
            )
        case ("base_url", *_):
            if isinstance(settings, HttpModel):
                return settings.base_url is not None
            url: Text = getattr(settings, settings.verb())
            return bool(_ABSOLUTE.match(url.source))
        case _:
            return False


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
    kept = (item for item in plain.reads if not _says_itself(model, _below_http(item[0])))
    reads = (*kept, *(item for item in found if item not in constant))
    return HttpBlock(defaults, reads, plain.blamed)
