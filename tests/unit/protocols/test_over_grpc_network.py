from __future__ import annotations

import subprocess
import sys

import pytest

CALL = """
import asyncio, os

from planrunner.protocols.over_grpc.network import grpc, is_threaded

async def refusal():
    channel = grpc.aio.insecure_channel("127.0.0.1:1")
    try:
        await channel.unary_unary("/a/b")(b"")
    except grpc.aio.AioRpcError as error:
        return error.details()

# The two ways to the network have different words for what the system said.
by_itself = "host: connect: Connection refused (111)" in asyncio.run(refusal())
print(is_threaded, by_itself, os.environ.get("GRPC_EXPERIMENTS"))
"""


def call(**environ: str) -> tuple[str, str]:
    """Make a call that is refused, in a process of its own, since gRPC reads its switch once."""
    done = subprocess.run(
        [sys.executable, "-c", CALL], env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout.strip(), done.stderr


def test_calls_go_to_the_network_themselves() -> None:
    """The switch works, is put back, and is no name that this gRPC would complain about."""
    assert call(GRPC_VERBOSITY="ERROR") == ("False True None", "")


@pytest.mark.slow
def test_grpc_says_nothing_of_its_own() -> None:
    """Its lines on stderr would stand amid the live view; the environment is as it was."""
    shown = (
        "import os, planrunner.protocols.over_grpc.network; print(os.environ.get('GRPC_VERBOSITY'))"
    )
    for own in ({}, {"GRPC_VERBOSITY": "DEBUG"}):
        done = subprocess.run(
            [sys.executable, "-c", shown], env=own, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == str(own.get("GRPC_VERBOSITY"))


def test_own_setting_is_left_alone() -> None:
    """Who sets gRPC's switch gets what it says, and reads so."""
    setting = "event_engine_client"
    assert call(GRPC_EXPERIMENTS=setting) == (f"True False {setting}", "")


def test_switching_off_by_hand_is_seen() -> None:
    """The line that names the transport tells the truth about it."""
    setting = "-event_engine_client"
    assert call(GRPC_EXPERIMENTS=setting) == (f"False True {setting}", "")
