"""Files of environment variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from planrunner.errors import UsageError
from planrunner.plan.params.env_file import parse_env, read_env_file


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1", {"A": "1"}),
        ("A=1\nB=two words \n", {"A": "1", "B": "two words"}),
        ("# all\n\n  export A = 1\n", {"A": "1"}),
        ("A=\nB=2", {"A": "", "B": "2"}),
        ("A=1 # one\nB=x#y\n", {"A": "1", "B": "x#y"}),
        ("A= # nothing\n", {"A": ""}),
        ("A=#f00\n", {"A": "#f00"}),
        ("URL=http://h/?a=b&c=d", {"URL": "http://h/?a=b&c=d"}),
        ("A='$x # \\n' # c\nB=2", {"A": "$x # \\n", "B": "2"}),
        (r'A="say \"hi\"\n\$5"', {"A": 'say "hi"\n$5'}),
        ("A='one\ntwo'\nB=3", {"A": "one\ntwo", "B": "3"}),
        ('A="one\ntwo"\nB=3', {"A": "one\ntwo", "B": "3"}),
        ("A=1\nA=2", {"A": "2"}),
        ("PATH_TO=$HOME/x", {"PATH_TO": "$HOME/x"}),
        ("A=it's", {"A": "it's"}),
        ("", {}),
    ],
)
def test_variables_are_read_as_shells_and_docker_write_them(
    text: str, expected: dict[str, str]
) -> None:
    """Without expanding anything."""
    assert dict(parse_env(text, ".env")) == expected


@pytest.mark.parametrize(
    ("text", "line"), [("A=1\nhello s3cret\n", 2), ("A='s3cret\n", 1), ("1A=s3cret", 1)]
)
def test_what_is_no_variable_is_an_error_that_shows_no_value(text: str, line: int) -> None:
    """It may be a secret with a typo."""
    with pytest.raises(UsageError) as failed:
        dict(parse_env(text, ".env"))

    assert failed.value.message == f".env:{line}: not a variable"
    assert "s3cret" not in f"{failed.value.message} {failed.value.hint}"


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """It was asked for by name."""
    with pytest.raises(UsageError, match="no such file"):
        read_env_file(tmp_path / "none.env")


def test_windows_files_are_read(tmp_path: Path) -> None:
    """With a byte order mark and CRLF."""
    file = tmp_path / ".env"
    file.write_bytes(b"\xef\xbb\xbfA=1\r\nB=two\r\n")

    assert read_env_file(file) == {"A": "1", "B": "two"}
