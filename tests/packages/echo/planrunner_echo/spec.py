"""What a plan may write: `echo:` and `echo.send:`."""

from __future__ import annotations

from planrunner.language.fields.declared import Field
from planrunner.language.fields.mapping import PlanMapping
from planrunner.language.fields.types import Duration, TextField, VariableName
from planrunner.protocols.operation_model import OperationModel


class EchoSettingsModel(PlanMapping):
    """Where the echo server is."""

    address: TextField = Field(description="Host and port.", examples=["127.0.0.1:7"])
    timeout: Duration | None = Field(None, description="For one line. Default 5s.", examples=["1s"])


class EchoExpect(PlanMapping):
    """Which lines are acceptable."""

    text: TextField | None = Field(None, description="The line.", examples=["hello"])


class EchoSend(OperationModel):
    """Send a line."""

    text: TextField = Field(description="The line.", examples=["hello ${iteration}"])
    expect: EchoExpect | None = Field(
        None, description="What must come back.", examples=["{text: hello}"]
    )
    extract: dict[VariableName, TextField] | None = Field(
        None, description="Names for words of the line, by their number.", examples=["{first: '0'}"]
    )

    def default_name(self, action: str) -> str:
        return f"{action} {self.text.source}"
