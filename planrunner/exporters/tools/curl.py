"""curl: a shell script that sends each request of a plan once."""

from __future__ import annotations

from typing import ClassVar, Final

from planrunner.exporters.contract import Exporter, ExportRequest, WrittenTest
from planrunner.exporters.scripts.requests import WrittenRequest
from planrunner.exporters.scripts.shell_scripts import ShellScriptWriter

__all__ = ["EXPORTER", "write"]

_ONCE: Final = "curl sends each request once, and judges nothing"


def write(request: ExportRequest) -> WrittenTest:
    """Return a script of curl's commands."""
    return WrittenTest(_CurlWriter(request).script(), ("sh FILE",))


class _CurlWriter(ShellScriptWriter):
    tool: ClassVar[str] = "curl"
    weight_loss: ClassVar[str] = _ONCE

    def script(self) -> str:
        """Return the whole script."""
        self.leave_out(("stages", "phases", "profiles", "thresholds"), _ONCE)
        self.steps(self.tree.take_way("setup"))
        for program in self.request.classes:
            self.write_class(program)
        body, self.lines = self.lines, []
        return "\n".join([*self.head(), *body]) + "\n"

    def write_request(self, made: WrittenRequest) -> None:
        words = ["curl --silent --show-error --output /dev/null --write-out '%{http_code}\\n'"]
        timeout_s = self.http.timeout_s if made.timeout_s is None else made.timeout_s
        words.append(f"--max-time {timeout_s:g}")
        if self.http.follows if made.follows is None else made.follows:
            words.append("--location")
        if not self.http.verify:
            words.append("--insecure")
        if made.method == "HEAD":
            words.append("--head")
        elif made.method != ("GET" if made.body is None else "POST"):
            words.append(f"--request {made.method}")
        headers = self.headers_of(made)
        for name, code in headers.items():
            words.append(f"--header {self.language.literal(f'{name}: ')[:-1]}{code[1:]}")
        has_type = any(name.lower() == "content-type" for name in headers)
        if made.body is not None and not (made.body_kind == "form" or has_type):
            words.append('--header "Content-Type:"')  # curl would say that it is a form
        if made.body is not None:
            words.append(f"--data-raw {made.body}")
        self.line(" ".join([*words, "--globoff", self.target(made)]))


EXPORTER: Final = Exporter(
    name="curl",
    title="commands of curl",
    comment="#",
    writer="planrunner.exporters.tools.curl:write",
)
