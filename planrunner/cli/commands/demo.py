"""`planrunner demo`: serve an embedded target."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol

import click

from planrunner.cli.leaving import SIGNALS
from planrunner.cli.plan_options import json_option
from planrunner.cli.streams import print_json
from planrunner.cli.until_told import until_told
from planrunner.demo import DEMOS, GRPC_DEMOS, STORES, HttpServer, kv, open_store
from planrunner.errors import CannotRun
from planrunner.runner.event_loop import run_on_fast_loop

__all__ = ["command"]


class DemoServer(Protocol):
    """What a demo is served by."""

    async def start(self, host: str = ..., port: int = ...) -> int: ...

    async def stop(self) -> None: ...


@click.command(
    "demo",
    short_help="serve an embedded demo target",
    epilog="""\b
Examples:
  planrunner demo shop                 serve on 127.0.0.1:8000 until Ctrl-C
  planrunner demo shop --port 0        let the system choose the port, and print it
  planrunner demo kv --store etcd --etcd 127.0.0.1:2379
""",
)
@click.argument("name", type=click.Choice(sorted((*DEMOS, *GRPC_DEMOS))))
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Where to listen on 127.0.0.1; 0 takes a free port.",
)
@click.option(
    "--until-input-closes",
    is_flag=True,
    help="End when standard input closes, so that the server does not outlive its parent.",
)
@click.option(
    "--store",
    type=click.Choice(list(STORES)),
    default=STORES[0],
    show_default=True,
    help="Where the demo `kv` keeps values.",
)
@click.option(
    "--etcd",
    "address",
    metavar="HOST:PORT",
    default="127.0.0.1:2379",
    show_default=True,
    help="With `--store etcd`: the address of etcd.",
)
@click.option(
    "--secret",
    envvar="ADMIN_SECRET",
    default="",
    help="The secret that `DELETE /kv` of the demo `kv` requires. Default: the environment's "
    "ADMIN_SECRET.",
)
@json_option
def command(  # noqa: PLR0913 - its options
    name: str,
    port: int,
    *,
    until_input_closes: bool,
    store: str,
    address: str,
    secret: str,
    as_json: bool,
) -> None:
    """Serve an embedded demo target on loopback."""

    def server() -> DemoServer:
        if name in GRPC_DEMOS:
            from planrunner.demo.routes.server import RoutesServer  # noqa: PLC0415 - it imports gRPC

            return RoutesServer()
        router = kv(open_store(store, address), secret=secret) if name == "kv" else DEMOS[name]()
        return HttpServer(router)

    def tell(bound: int) -> None:
        url = f"{'' if name in GRPC_DEMOS else 'http://'}127.0.0.1:{bound}"
        if as_json:
            print_json({"demo": name, "url": url})
        else:
            print(f"demo `{name}` listens on {url}")
        sys.stdout.flush()

    run_on_fast_loop(_serve(server, port, tell, until_input_closes=until_input_closes))


async def _serve(
    make: Callable[[], DemoServer],
    port: int,
    tell: Callable[[int], None],
    *,
    until_input_closes: bool,
) -> None:
    server = make()
    try:
        bound = await server.start(port=port)
    except OSError as error:
        raise CannotRun(
            f"cannot listen on 127.0.0.1:{port}: {error.strerror}",
            hint="choose another port with --port, or 0 for a free one",
        ) from error
    tell(bound)
    await until_told(SIGNALS, until_input_closes=until_input_closes)
    await server.stop()
