"""The broker's password file: who gets in, and which files are refused by name."""

import shutil
import subprocess
from pathlib import Path

import pytest

from protocol.access import RESERVED_NAMES
from sim.errors import SettingsError
from sim.passwords import PasswordFile, Passwords, digest, new_secret, owns_client_id, password_file, write_private


def read(tmp_path: Path, text: str) -> Passwords:
    write_private(tmp_path / "passwords", text)
    return Passwords.read(tmp_path / "passwords")


def test_only_the_right_password_of_a_known_user_fits(tmp_path: Path) -> None:
    known = read(tmp_path, password_file({"desk-1": "one", "feed": "two"}))
    assert known.fit("desk-1", "one")
    assert known.fit("feed", "two")
    for user, password in [
        ("desk-1", "two"),
        ("desk-2", "one"),
        ("desk-1", ""),
        ("", ""),
        ("desk-1", None),
        (None, None),
    ]:
        assert not known.fit(user, password)
    assert not known.fit("desk-1", digest("one"))


def test_the_file_holds_no_password_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    secret = new_secret()
    write_private(tmp_path / "passwords", password_file({"desk-1": secret}))
    assert secret not in (tmp_path / "passwords").read_text()
    assert (tmp_path / "passwords").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("desk-1\n", "line 1: no SHA-256"),
        ("desk-1:one\n", "line 1: no SHA-256"),
        (f"desk-1:{digest('a')}\n+:{digest('b')}\n", "line 2: the user name"),
        (f":{digest('a')}\n", "line 1: the user name"),
        (f"desk-1:{digest('a')}\ndesk-1:{digest('b')}\n", "line 2: desk-1 stands twice"),
        (f"it-1:{digest('a')}\n", "taken for a session of a server"),
    ],
)
def test_a_bad_line_is_refused_with_its_number(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        read(tmp_path, text)


@pytest.mark.skipif(shutil.which("mosquitto_passwd") is None, reason="mosquitto is not installed")
def test_a_line_of_mosquittos_own_lets_in_who_it_would_let_in(tmp_path: Path) -> None:
    write_private(tmp_path / "passwords", "desk-1:one\ndesk-2:two\n")
    subprocess.run(["mosquitto_passwd", "-U", str(tmp_path / "passwords")], check=True, capture_output=True)
    (tmp_path / "passwords").chmod(0o600)
    assert "desk-1:$7$" in (tmp_path / "passwords").read_text()
    known = Passwords.read(tmp_path / "passwords")
    assert known.fit("desk-1", "one") and known.fit("desk-2", "two")
    for user, password in [("desk-1", "two"), ("desk-1", ""), ("desk-1", None), ("desk-3", "one")]:
        assert not known.fit(user, password)


def test_a_file_that_is_written_anew_counts_at_once_and_a_damaged_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "passwords"
    write_private(path, password_file({"desk-1": "one"}))
    known = PasswordFile(path)
    assert known.fit("desk-1", "one")
    write_private(path, password_file({"desk-1": "another", "desk-2": "two"}))
    assert known.fit("desk-1", "another") and known.fit("desk-2", "two") and not known.fit("desk-1", "one")
    write_private(path, "rubbish\n")
    assert known.fit("desk-1", "another")
    path.unlink()
    assert known.fit("desk-2", "two")


def test_a_missing_file_and_one_that_others_can_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        Passwords.read(tmp_path / "none")
    write_private(tmp_path / "passwords", password_file({"desk-1": "one"}))
    (tmp_path / "passwords").chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        Passwords.read(tmp_path / "passwords")


def test_a_session_belongs_to_the_user_whose_name_it_bears() -> None:
    assert owns_client_id("desk-1", "desk-1")
    assert not owns_client_id("desk-1", "desk-2")
    assert not owns_client_id("desk-1", None)
    for server in RESERVED_NAMES:
        assert owns_client_id(server, f"{server}-1")
        assert not owns_client_id("desk-1", f"{server}-1")
        assert not owns_client_id(server, "desk-1")
