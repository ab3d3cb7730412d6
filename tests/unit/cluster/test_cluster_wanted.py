"""What `--cluster` may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from planrunner.cluster.wanted import ClusterWanted, SshHost, read_hosts
from planrunner.errors import UsageError


@pytest.mark.parametrize(
    ("address", "scheduler", "local"),
    [
        ("tcp://10.0.0.1:8786", "tcp://10.0.0.1:8786", 0),
        ("scheduler:8786", "tcp://scheduler:8786", 0),
        ("[::1]:8786", "tcp://[::1]:8786", 0),
        ("local:4", "local:4", 4),
    ],
)
def test_an_address_is_understood(address: str, scheduler: str, local: int) -> None:
    """With or without its protocol."""
    wanted = ClusterWanted(address)

    assert (wanted.scheduler, wanted.local_workers) == (scheduler, local)


@pytest.mark.parametrize(
    "address", ["", "local:", "local:0", "local:x", "http://x:1", "scheduler", "tcp://"]
)
def test_nonsense_is_refused(address: str) -> None:
    """And the hint says what can be written."""
    with pytest.raises(UsageError) as caught:
        ClusterWanted(address)

    assert "local:4" in str(caught.value.hint)


def test_files_of_tls_have_to_be_there(tmp_path: Path) -> None:
    """All that authentication takes."""
    there = tmp_path / "ca.pem"
    there.touch()

    with pytest.raises(UsageError, match="there is no file"):
        ClusterWanted("tls://x:1", ca=tmp_path / "none.pem")
    with pytest.raises(UsageError, match="both sides"):
        ClusterWanted("tls://x:1", ca=there)
    with pytest.raises(UsageError, match="takes no certificates"):
        ClusterWanted("local:2", cert=there)
    assert ClusterWanted("x:1", cert=there).scheduler == "tls://x:1"


def test_hosts_are_read_with_their_users_and_ports(tmp_path: Path) -> None:
    """One in a line; comments and empty lines are none."""
    file = tmp_path / "hosts.txt"
    file.write_text("# the farm\nalpha\n\nme@beta:2222  # the fast one\n[fe80::1]:22\n")

    assert read_hosts(file) == (
        SshHost("alpha"),
        SshHost("beta", "me", 2222),
        SshHost("fe80::1", "", 22),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "there is no host"), ("a\nb c\n", ":2:1: `b c` is not a host"), (None, "can't read")],
)
def test_a_file_without_hosts_says_where(tmp_path: Path, text: str | None, words: str) -> None:
    """File, line and column."""
    file = tmp_path / "hosts.txt"
    if text is not None:
        file.write_text(text)

    with pytest.raises(UsageError) as caught:
        read_hosts(file)

    assert words in caught.value.message
