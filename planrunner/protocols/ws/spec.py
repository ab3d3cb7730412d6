"""What a plan may write about WebSockets: the `ws:` block and the `ws.*` steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final, Literal

from planrunner.language.fields.declared import Field
from planrunner.language.fields.mapping import Fault, PlanMapping, exactly_one
from planrunner.language.fields.types import (
    Count,
    Duration,
    ExprField,
    Flag,
    NameField,
    PositiveInt,
    Size,
    TextField,
    ValueField,
    VariableName,
)
from planrunner.protocols.http.spec import ExtractField
from planrunner.protocols.http.spec_expect import Expect
from planrunner.protocols.operation_model import OperationModel

__all__ = ["CONTENTS", "WsClose", "WsConnect", "WsModel", "WsReceive", "WsRequest", "WsSend"]

CONTENTS: Final = ("text", "json", "base64", "file")


class WsModel(PlanMapping):
    """How connections are opened, and what may come over them."""

    synonyms: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("base_url", "host", "target", "address"), "url"),
        **dict.fromkeys(("protocols", "subprotocol"), "subprotocols"),
        **dict.fromkeys(("compression", "permessage_deflate", "deflate"), "compress"),
        **dict.fromkeys(("ping_interval", "heartbeat", "keepalive"), "ping"),
        **dict.fromkeys(("max_message_size", "max_frame_size", "max_payload"), "max_size"),
    }

    url: TextField | None = Field(
        None,
        description="The URL that paths starting with `/` are appended to. Default "
        "`http.base_url`, as `ws://` or `wss://`.",
        examples=["ws://localhost:8000"],
    )
    headers: dict[str, ValueField] | None = Field(
        None,
        description="Headers of every handshake, beside those of `http.headers`; `null` removes "
        "one of these.",
        examples=["{Origin: 'https://shop.example.com'}"],
    )
    subprotocols: list[TextField] | None = Field(
        None, description="The subprotocols to offer, the best first.", examples=["[chat.v1]"]
    )
    ping: Duration | None = Field(
        None,
        description="How often an open connection is pinged; one that does not answer until the "
        "next ping is lost. `0s` sends none. Default 30s.",
        examples=["20s"],
    )
    max_size: Size | None = Field(
        None,
        description="The largest message, in bytes after decompression, and the most that "
        "messages waiting for a `ws.receive` hold together. Default 16MiB.",
        examples=["1MiB"],
    )
    max_queue: PositiveInt | None = Field(
        None,
        description="How many messages may wait for a `ws.receive`; one more ends the connection, "
        "a failure `too_large`. Default 1000.",
        examples=["100"],
    )
    compress: Flag | None = Field(
        None,
        description="Offer compression (permessage-deflate); the server decides. Default true.",
        examples=["false"],
    )
    timeout: Duration | None = Field(
        None,
        description="The time limit for a step that says none. Default that of `http`, 30s.",
        examples=["5s"],
    )


class WsRequest(OperationModel):
    """What every step says: which connection it is about."""

    on: NameField | None = Field(
        None,
        description="The connection, by the name that its `ws.connect` gives it. Default the only "
        "one.",
        examples=["prices"],
    )

    _leads_to: str = ""

    def note_connection(self, opener: WsConnect) -> None:
        self._leads_to = opener.url.source

    def default_name(self, action: str) -> str:
        return f"{action} {self._leads_to}".rstrip()


class WsConnect(WsRequest):
    """Open a connection."""

    synonyms: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("protocols", "subprotocol"), "subprotocols"),
        "as": "on",
    }
    short_schema: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "markdownDescription": "The URL: a path such as `/chat`, or one that begins with `ws://`.",
    }

    url: TextField = Field(
        description="A path, after `ws.url` or `http.base_url`; or a whole URL.",
        examples=["/chat?room=${room}", "wss://example.com/chat"],
    )
    on: NameField | None = Field(
        None,
        description="A name for the connection, where a user has several.",
        examples=["prices"],
    )
    keep: Literal["user", "iteration"] | None = Field(
        None,
        description="How long it lasts. Default `iteration`; in `on_start`, `user`.",
        examples=["user"],
    )
    subprotocols: list[TextField] | None = Field(
        None,
        description="The subprotocols to offer, the best first; the server has to take one. "
        "Default those of `ws`.",
        examples=["[chat.v1]"],
    )
    headers: dict[str, ValueField] | None = Field(
        None, description="More headers of the handshake.", examples=["{X-Room: '5'}"]
    )
    expect: Expect | None = Field(
        None,
        description="What the answer to the handshake must be. Default the status 101.",
        examples=["{time: < 200ms}", "{status: 403}"],
    )
    extract: dict[VariableName, ExtractField] | None = Field(
        None,
        description="Variables to take from the answer to the handshake.",
        examples=["{server: {header: Server}}"],
    )

    @classmethod
    def expand(cls, data: object) -> object:
        return {"url": data} if isinstance(data, str) else data

    def default_name(self, action: str) -> str:
        return f"{action} {self.url.source}"


class WsSend(WsRequest):
    """Send a message."""

    synonyms: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("message", "body", "data", "payload"), "text"),
        **dict.fromkeys(("binary", "bytes"), "base64"),
        "body_file": "file",
    }
    short_schema: ClassVar[Mapping[str, Any]] = {
        "type": "string",
        "markdownDescription": "The message, a text.",
    }

    text: TextField | None = Field(None, description="A text.", examples=["hello ${user.id}"])
    json_: ValueField | None = Field(
        None, alias="json", description="A text that is this as JSON.", examples=["{type: say}"]
    )
    base64: TextField | None = Field(
        None, description="A binary message, in base64.", examples=["AAEC/w=="]
    )
    file: TextField | None = Field(
        None, description="A binary message: what is in this file.", examples=["frame.bin"]
    )
    measure: Flag | None = Field(
        None,
        description="True: it is a sample, from its rendering to its writing.",
        examples=["true"],
    )

    @classmethod
    def expand(cls, data: object) -> object:
        return {"text": data} if isinstance(data, str) else data

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        yield from exactly_one(cls, data, CONTENTS, "what to send")
        yield from super().find_faults(data)

    nullable: ClassVar[frozenset[str]] = frozenset({"json"})


class WsReceive(WsRequest):
    """Wait for a message, or several; others that come are counted as unmatched."""

    synonyms: ClassVar[Mapping[str, str]] = dict.fromkeys(("where", "match", "filter"), "until")

    until: ExprField | None = Field(
        None,
        description="Which message it is: `json` is the message where that is JSON, `body` its "
        "text. One for which it has no value does not fit. Default any message.",
        examples=["json.type == 'welcome'"],
    )
    count: PositiveInt | None = Field(
        None,
        description="How many that fit; the sample ends with the last of them. Default 1.",
        examples=["10"],
    )
    expect: Expect | None = Field(
        None,
        description="What the message must be: `json`, `contains`, `matches`, `schema`, `time`.",
        examples=["{json: {$.ok: true}}"],
    )
    extract: dict[VariableName, ExtractField] | None = Field(
        None,
        description="Variables to take from the message, by JSONPath or otherwise.",
        examples=["{me: $.id}"],
    )


class WsClose(WsRequest):
    """Close a connection."""

    code: Count | None = Field(
        None, description="The close code: 1000, or 3000 to 4999. Default 1000.", examples=["4001"]
    )
    reason: TextField | None = Field(
        None, description="The reason, at most 123 bytes.", examples=["done"]
    )
    measure: Flag | None = Field(
        None, description="True: it is a sample, until the server has closed.", examples=["true"]
    )
